"""Instructions that numba has no notation for: words of 64 bits with a product of 128, and prefetching."""

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

# Neither numba's nor llvmlite's objects carry types.
_Untyped = Any
_Word = np.uint64
_Words = tuple[np.uint64, np.uint64]

_WORD: Final = ir.IntType(64)
_DOUBLE: Final = ir.IntType(128)
_PAIR: Final = cast("_Untyped", types.UniTuple)(types.uint64, 2)


def _double_word(formula: Callable[[_Untyped, list[_Untyped]], _Untyped]) -> _Untyped:
    """Return a code generator for a formula on arguments widened to 128 bits; its value is (low word, high word)."""

    def generate(context: _Untyped, builder: _Untyped, signature: _Untyped, arguments: _Untyped) -> _Untyped:
        value = formula(builder, [builder.zext(argument, _DOUBLE) for argument in arguments])
        words = [builder.trunc(value, _WORD), builder.trunc(builder.lshr(value, _DOUBLE(64)), _WORD)]
        return context.make_tuple(builder, signature.return_type, words)

    return generate


def _mac(_context: _Untyped, _a: _Untyped, _b: _Untyped, _c: _Untyped, _d: _Untyped) -> _Untyped:
    """Return the low and the high word of `a b + c + d`, which can't overflow 128 bits."""
    generator = _double_word(lambda build, x: build.add(build.add(build.mul(x[0], x[1]), x[2]), x[3]))
    return _PAIR(types.uint64, types.uint64, types.uint64, types.uint64), generator


def _add_with_carry(_context: _Untyped, _a: _Untyped, _b: _Untyped, _carry: _Untyped) -> _Untyped:
    """Return the low word of `a + b + carry` and its carry, 0 or 1."""
    generator = _double_word(lambda build, x: build.add(build.add(x[0], x[1]), x[2]))
    return _PAIR(types.uint64, types.uint64, types.uint64), generator


def _subtract_with_borrow(_context: _Untyped, _a: _Untyped, _b: _Untyped, _borrow: _Untyped) -> _Untyped:
    """Return the low word of `a - b - borrow` and its borrow, which is 0 or, for 1, all bits, when taken and given."""
    one = _DOUBLE(1)
    generator = _double_word(lambda build, x: build.sub(build.sub(x[0], x[1]), build.and_(x[2], one)))
    return _PAIR(types.uint64, types.uint64, types.uint64), generator


def _prefetch(_context: _Untyped, array: _Untyped, _row: _Untyped) -> _Untyped:
    """Ask memory for both ends of a row of an array that will be read soon; has no other effect."""

    def generate(context: _Untyped, builder: _Untyped, signature: _Untyped, arguments: _Untyped) -> _Untyped:
        structure = context.make_array(signature.args[0])(context, builder, arguments[0])
        stride = builder.extract_value(structure.strides, 0)
        address = builder.add(builder.ptrtoint(structure.data, _WORD), builder.mul(arguments[1], stride))
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        function_type = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        declare = cast("_Untyped", cgutils.get_or_insert_function)
        # To be read, to be kept in all caches, data.
        options = [number(0), number(3), number(1)]
        function = declare(builder.module, function_type, "llvm.prefetch.p0")
        for end in (address, builder.add(address, builder.sub(stride, _WORD(1)))):
            builder.call(function, [builder.inttoptr(end, pointer), *options])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


mac = cast("Callable[[_Word, _Word, _Word, _Word], _Words]", intrinsic(_mac))
add_with_carry = cast("Callable[[_Word, _Word, _Word], _Words]", intrinsic(_add_with_carry))
subtract_with_borrow = cast("Callable[[_Word, _Word, _Word], _Words]", intrinsic(_subtract_with_borrow))
prefetch = cast("Callable[[npt.NDArray[np.uint64], int], None]", intrinsic(_prefetch))
