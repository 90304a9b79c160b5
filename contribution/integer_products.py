"""Inner products of rows of 16-bit integers, exact, in machine code: the sums that a Gram matrix is made of.

Processors multiply 16-bit integers in pairs, `p = x_0 y_0 + x_1 y_1`, many pairs with one instruction that gives 32
bits for each. The sum of p over a stretch of coordinates needs more, but adding up with wrap-around gives it modulo
2^32. Two ways lead from there to the sum:

- **bounded**: by the inequality of Cauchy and Schwarz the sum is within `|x| |y|`. If that is less than 2^31, the sum
  modulo 2^32 tells the sum.
- **carried**: the upper halves, `floor((p - 1) / 2^16)`, are added up too. What they leave of each p is in
  `1..2^16`, and less than 2^32 of the sum, so that the sum modulo 2^32 tells it. This is right for all rows, also where
  four coordinates of -2^15 make p = 2^31, for which 32 bits hold -2^31; but it takes half as long again.

The carried way gives the squared norms, and they tell where the bounded way serves.

Sums of integers do not depend on the order of adding: vectors and threads change no bit of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# Rows are multiplied two by two: each coordinate is used twice, and the sums fit the registers of any processor.
TILE: Final = 2
# Coordinates of a row that are loaded at a time; processors with shorter registers take several of them.
LANES: Final = 32
# Coordinates after which sums of 32 bits are carried over to 64 bits; fewer than 2^17, that is 2^16 pairs.
STRETCH: Final = 2048

# |x| |y| < 2^31, squared.
_BOUNDED: Final = 2.0**62
_HALF_WORD: Final = 16

Rows = npt.NDArray[np.int16]
Sums = npt.NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., Any])

# Neither numba's nor llvmlite's objects carry types.
_Untyped = Any
_Four = tuple[int, int, int, int]
_Tile = Callable[[Rows, int, int, int, int], _Untyped]
_alloca: Final[_Untyped] = cgutils.alloca_once_value
_declared: Final[_Untyped] = cgutils.get_or_insert_function
_place: Final[_Untyped] = cgutils.get_item_pointer

_WORD: Final = ir.IntType(32)
_VECTOR: Final = ir.VectorType(ir.IntType(16), LANES)
_PAIRS: Final = ir.VectorType(_WORD, LANES // 2)


def _compiled(function: Function) -> Function:
    """Compile a function when it is first called, and keep the machine code on disk where that can be written."""
    dispatcher: _Untyped = njit(nogil=True, error_model="numpy")(function)
    with suppress(RuntimeError):
        dispatcher.enable_caching()
    return cast(Function, dispatcher)


def _tile(carried: bool) -> _Tile:
    """Return what multiplies rows i and i + 1 with rows j and j + 1 over the coordinates from start to stop.

    It returns the sums of p modulo 2^32 for (i, j), (i, j + 1), (i + 1, j) and (i + 1, j + 1); carried, before them the
    four sums of upper halves.
    """

    def declare(
        _context: _Untyped, rows: _Untyped, _i: _Untyped, _j: _Untyped, _start: _Untyped, _stop: _Untyped
    ) -> _Untyped:
        def generate(context: _Untyped, builder: _Untyped, signature: _Untyped, arguments: _Untyped) -> _Untyped:
            i, j, start, stop = arguments[1:]
            array = context.make_array(signature.args[0])(context, builder, arguments[0])

            def load(row: _Untyped, column: _Untyped) -> _Untyped:
                place = _place(context, builder, signature.args[0], array, [row, column])
                return _halves(builder, builder.load(builder.bitcast(place, _VECTOR.as_pointer()), align=2))

            first = [_alloca(builder, _PAIRS(None)) for _ in range(TILE * TILE)]
            second = [_alloca(builder, _PAIRS(None)) for _ in range(TILE * TILE)]
            with cgutils.for_range_slice(builder, start, stop, i.type(LANES), i.type) as (column, _):
                left, right = ([load(row, column), load(builder.add(row, i.type(1)), column)] for row in (i, j))
                products = [_pair_products(builder, x, y) for x in left for y in right]
                for p, one, other in zip(products, first, second, strict=True):
                    (_add_carried if carried else _add_bounded)(builder, p, one, other)
            return context.make_tuple(builder, signature.return_type, _results(builder, first, second, carried))

        results: _Untyped = cast("_Untyped", types.UniTuple)(types.int32, 2 * TILE * TILE if carried else TILE * TILE)
        return results(rows, types.int64, types.int64, types.int64, types.int64), generate

    return cast(_Tile, intrinsic(declare))


def _halves(builder: _Untyped, coordinates: _Untyped) -> list[_Untyped]:
    """Return the even coordinates and the odd ones in 32 bits."""
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    places = [ir.Constant(_PAIRS, list(range(first, LANES, 2))) for first in (0, 1)]
    return [builder.sext(builder.shuffle_vector(coordinates, undefined, each), _PAIRS) for each in places]


def _pair_products(builder: _Untyped, x: list[_Untyped], y: list[_Untyped]) -> _Untyped:
    """Return p for each pair of coordinates; LLVM knows this for one instruction where the processor has it."""
    return builder.add(builder.mul(x[0], y[0]), builder.mul(x[1], y[1]))


def _add_bounded(builder: _Untyped, p: _Untyped, total: _Untyped, pending: _Untyped) -> None:
    """Add the pending p to the total, and let this p be pending.

    Added in the same step, LLVM would regroup `total + (x_0 y_0 + x_1 y_1)`, and then not find the instruction.
    """
    builder.store(builder.add(builder.load(total), builder.load(pending)), total)
    builder.store(p, pending)


def _add_carried(builder: _Untyped, p: _Untyped, upper: _Untyped, wrapped: _Untyped) -> None:
    """Add p to the sum with wrap-around, and its upper half to the other."""
    half = builder.ashr(builder.sub(p, _splat(1)), _splat(_HALF_WORD))
    builder.store(builder.add(builder.load(upper), half), upper)
    builder.store(builder.add(builder.load(wrapped), p), wrapped)


def _results(builder: _Untyped, first: list[_Untyped], second: list[_Untyped], carried: bool) -> list[_Untyped]:
    """Return the sums over all pairs: of the totals and of what is pending together, or of both halves."""
    if carried:
        vectors = [builder.load(each) for each in first + second]
    else:
        vectors = [
            builder.add(builder.load(one), builder.load(other)) for one, other in zip(first, second, strict=True)
        ]
    signature = ir.FunctionType(_WORD, [_PAIRS])
    function = _declared(builder.module, signature, f"llvm.vector.reduce.add.v{LANES // 2}i32")
    return [builder.call(function, [vector]) for vector in vectors]


def _splat(value: int) -> _Untyped:
    return ir.Constant(_PAIRS, [value] * (LANES // 2))


_bounded: Final = _tile(carried=False)
_carried: Final = _tile(carried=True)


@_compiled
def add_products(rows: Rows, sums: Sums) -> None:
    """Add to sums the inner product of each row with itself and with every later one.

    Parameters
    ----------
    rows
        int16, shape (m, d), each row contiguous; m even, d a multiple of 32: whoever has fewer adds zeros.
    sums
        int64, shape (m, m). The upper triangle is added to, with its diagonal; of the rest, some is too.
    """
    count, width = rows.shape
    norms = np.empty(count)
    for start in range(0, width, STRETCH):
        stop = min(start + STRETCH, width)
        for i in range(0, count, TILE):
            own = _joined(_carried(rows, i, i, start, stop))
            _add(sums, i, i, own)
            norms[i] = max(own[0], own[3])
        for i in range(0, count, TILE):
            for j in range(i + TILE, count, TILE):
                if norms[i] * norms[j] < _BOUNDED:
                    _add(sums, i, j, _bounded(rows, i, j, start, stop))
                else:
                    _add(sums, i, j, _joined(_carried(rows, i, j, start, stop)))


@_compiled
def _joined(halves: tuple[int, ...]) -> _Four:
    """Return the four sums of which these are the sums of the upper halves, then the sums modulo 2^32."""
    return (
        _join(halves[0], halves[4]),
        _join(halves[1], halves[5]),
        _join(halves[2], halves[6]),
        _join(halves[3], halves[7]),
    )


@_compiled
def _join(upper: int, wrapped: int) -> int:
    """Return a sum of p, given that of the upper halves, and its value modulo 2^32."""
    shifted = upper << _HALF_WORD
    return shifted + ((wrapped - shifted) & 0xFFFFFFFF)


@_compiled
def _add(sums: Sums, i: int, j: int, products: _Four) -> None:
    """Add the products of rows i and i + 1 with rows j and j + 1."""
    sums[i, j] += products[0]
    sums[i, j + 1] += products[1]
    sums[i + 1, j] += products[2]
    sums[i + 1, j + 1] += products[3]
