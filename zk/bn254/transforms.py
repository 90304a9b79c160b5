"""The number-theoretic transform over the scalar field, and the autocorrelation by it.

With w_n = 5^((r - 1) / n), a primitive n-th root of unity, the transform of `a` of length n = 2^k is
`A_m = sum_j a_j w_n^(j m)`, the values of a polynomial at all n-th roots of unity.

A step splits a polynomial modulo X^(2h) - z^2 into its remainders modulo X^h - z and X^h + z. Started with X^n - 1,
the values come out in bit-reversed order: place i holds that at w_n^(reversed i). The root z of a block of any length
depends on the block's number only: z_b = w_n^(b with its k - 1 bits reversed) is the same number for every n.

Source: Cooley and Tukey (1965); Gentleman and Sande (1966) for the way back.
"""

from typing import Final

import numpy as np

from zk.bn254 import scalar_field as fr
from zk.bn254.arrays import readable_scalars, writable
from zk.bn254.errors import ArrayError
from zk.bn254.jit import compiled
from zk.bn254.limbs import Limbs, UInt64Array, load, store
from zk.bn254.parallel import core_count, run_all, split_range
from zk.bn254.parameters import SCALAR_GENERATOR, SCALAR_MODULUS, TWO_ADICITY
from zk.bn254.scalars import scalars_from_integers

# Scalars of a block that a core's cache holds; longer blocks are halved recursively, to need memory less often.
_CACHED: Final = 4096

# Blocks for each core, so that a core which is held up leaves work to the others.
_BLOCKS_PER_CORE: Final = 4


def ntt(values: UInt64Array) -> None:
    """Transform in place: `values[m]` becomes `sum_j values[j] w_n^(j m)`.

    Parameters
    ----------
    values
        Scalars, uint64, shape (n, 4), n a power of two up to 2^28; contiguous.

    Raises
    ------
    ArrayError
        If the array has another type, shape or layout.
    """
    values = _transformable(values)
    forward(values, roots_of_unity(len(values)))
    _reverse_bits(values)


def inverse_ntt(values: UInt64Array) -> None:
    """Undo `ntt` in place; same parameters, same errors."""
    values = _transformable(values)
    _reverse_bits(values)
    backward(values, roots_of_unity(len(values)))
    ranges = split_range(len(values), core_count(), smallest=_CACHED)
    run_all(_scale, [(values, _inverse_of_length(len(values)), begin, end) for begin, end in ranges])


def autocorrelation(values: UInt64Array) -> UInt64Array:
    """Return the sums of products at all positive lags, `sum_j values[j] values[j + l]` for l = 1 to n - 1.

    With A(X) the polynomial of the values they are the coefficients of the positive powers in A(X) A(1/X), which takes
    one transform each way, of the next power of two from 2 n - 1.

    Parameters
    ----------
    values
        Scalars, uint64, shape (n, 4), n up to 2^27.

    Returns
    -------
    uint64, shape (n - 1, 4), or (0, 4) for n = 0.

    Raises
    ------
    ArrayError
        If the array has another type or shape, or is too long.
    """
    values = readable_scalars(values)
    n = len(values)
    if n > 2 ** (TWO_ADICITY - 1):
        raise ArrayError("values", n, f"at most {2 ** (TWO_ADICITY - 1)}")
    if n < 2:
        return np.zeros((0, 4), np.uint64)
    padded = np.zeros((1 << (2 * n - 2).bit_length(), 4), np.uint64)
    padded[:n] = values
    roots = roots_of_unity(len(padded))
    forward(padded, roots)
    _multiply_with_mirrored(padded)
    backward(padded, roots)
    return padded[1:n].copy()


def roots_of_unity(n: int) -> UInt64Array:
    """Return the root z_b of each block b of a transform of length n, shape (n / 2, 4); one root for n = 1."""
    roots = np.empty((max(1, n // 2), 4), np.uint64)
    generators = [pow(SCALAR_GENERATOR, (SCALAR_MODULUS - 1) >> k, SCALAR_MODULUS) for k in range(TWO_ADICITY + 1)]
    _fill_roots(roots, scalars_from_integers(generators))
    return roots


def forward(values: UInt64Array, roots: UInt64Array) -> None:
    """Transform in place, from natural to bit-reversed order; on all cores."""
    blocks = min(len(values) // 2, _block_count())
    for level in range(_levels(blocks)):
        run_all(_split_blocks, _steps(values, roots, 1 << level))
    if blocks:
        run_all(_forward_block, [(values, roots, block, len(values) // blocks) for block in range(blocks)])


def backward(values: UInt64Array, roots: UInt64Array) -> None:
    """Undo `forward` but for a factor of n."""
    blocks = min(len(values) // 2, _block_count())
    if blocks:
        run_all(_backward_block, [(values, roots, block, len(values) // blocks) for block in range(blocks)])
    for level in range(_levels(blocks) - 1, -1, -1):
        run_all(_join_blocks, _steps(values, roots, 1 << level))


def _block_count() -> int:
    """Return into how many blocks the first steps cut a transform; each is then worked on by one core."""
    return 1 << (core_count() * _BLOCKS_PER_CORE - 1).bit_length()


def _levels(blocks: int) -> int:
    return max(0, blocks.bit_length() - 1)


def _steps(
    values: UInt64Array, roots: UInt64Array, blocks: int
) -> list[tuple[UInt64Array, UInt64Array, int, int, int, int]]:
    """Return the arguments for one step in so many blocks, for all cores."""
    half = len(values) // (2 * blocks)
    ranges = split_range(half, core_count())
    return [(values, roots, block, half, begin, end) for block in range(blocks) for begin, end in ranges]


def _transformable(values: UInt64Array) -> UInt64Array:
    values = writable("values", values, np.uint64, (None, 4))
    n = len(values)
    if n == 0 or n & (n - 1) or n > 2**TWO_ADICITY:
        raise ArrayError("values", n, f"a power of two up to 2^{TWO_ADICITY}")
    return values


def _inverse_of_length(n: int) -> UInt64Array:
    return scalars_from_integers([pow(n, -1, SCALAR_MODULUS)])


def _reverse_bits(values: UInt64Array) -> None:
    """Move the value at each place to the place with its bits reversed."""
    ranges = split_range(len(values), core_count(), smallest=_CACHED)
    run_all(_swap_reversed, [(values, begin, end) for begin, end in ranges])


def _multiply_with_mirrored(values: UInt64Array) -> None:
    """Replace each value, in bit-reversed order, by its product with the one at the inverse root, divided by n.

    The place of w^(-m) differs from that of w^m in all bits below the highest one that is set, so it lies at the
    mirrored place between two powers of two.
    """
    n = len(values)
    scale = _inverse_of_length(n)
    calls = [(values, scale, 0, 0, 1), (values, scale, 1, 1, 1)]
    for level in range(1, n.bit_length() - 1):
        first, last, count = 1 << level, (2 << level) - 1, 1 << (level - 1)
        ranges = split_range(count, core_count(), smallest=_CACHED)
        calls += [(values, scale, first + begin, last - begin, end - begin) for begin, end in ranges]
    run_all(_multiply_pairs, calls)


@compiled
def _fill_roots(roots: UInt64Array, generators: UInt64Array) -> None:
    """Write the blocks' roots; `generators[k]` is w_n of n = 2^k."""
    store(roots, 0, fr.ONE)
    size, level = 1, 2
    while size < len(roots):
        generator = load(generators, level)
        for b in range(size):
            store(roots, size + b, fr.multiply(load(roots, b), generator))
        size *= 2
        level += 1


@compiled
def _split_blocks(values: UInt64Array, roots: UInt64Array, block: int, half: int, begin: int, end: int) -> None:
    """Split a block of length 2 half, at its places begin to end."""
    root = load(roots, block)
    low = 2 * half * block
    for i in range(low + begin, low + end):
        first, second = load(values, i), fr.multiply(load(values, i + half), root)
        store(values, i, fr.add(first, second))
        store(values, i + half, fr.subtract(first, second))


@compiled
def _join_blocks(values: UInt64Array, roots: UInt64Array, block: int, half: int, begin: int, end: int) -> None:
    """Undo `_split_blocks` but for a factor of 2."""
    inverse = _inverse_root(roots, block)
    low = 2 * half * block
    for i in range(low + begin, low + end):
        first, second = load(values, i), load(values, i + half)
        store(values, i, fr.add(first, second))
        store(values, i + half, fr.multiply(fr.subtract(first, second), inverse))


@compiled
def _inverse_root(roots: UInt64Array, block: int) -> Limbs:
    """Return 1 / z_b, which is -z_b' at the mirrored place b' between two powers of two; 1 / z_0 = 1."""
    if block == 0:
        return fr.ONE
    level = 1
    while 2 * level <= block:
        level *= 2
    return fr.negate(load(roots, 3 * level - 1 - block))


@compiled
def _forward_block(values: UInt64Array, roots: UInt64Array, block: int, length: int) -> None:
    """Transform one block completely."""
    half = length // 2
    if length > _CACHED:
        _split_blocks(values, roots, block, half, 0, half)
        _forward_block(values, roots, 2 * block, half)
        _forward_block(values, roots, 2 * block + 1, half)
        return
    count = 1
    while half > 0:
        for b in range(count * block, count * (block + 1)):
            _split_blocks(values, roots, b, half, 0, half)
        count *= 2
        half //= 2


@compiled
def _backward_block(values: UInt64Array, roots: UInt64Array, block: int, length: int) -> None:
    """Undo `_forward_block` but for a factor of the length."""
    if length > _CACHED:
        half = length // 2
        _backward_block(values, roots, 2 * block, half)
        _backward_block(values, roots, 2 * block + 1, half)
        _join_blocks(values, roots, block, half, 0, half)
        return
    half, count = 1, length // 2
    while count > 0:
        for b in range(count * block, count * (block + 1)):
            _join_blocks(values, roots, b, half, 0, half)
        count //= 2
        half *= 2


@compiled
def _swap_reversed(values: UInt64Array, begin: int, end: int) -> None:
    """Swap the values at places of [begin, end) with those at the places with reversed bits, each pair once."""
    bits = 0
    while 1 << bits < len(values):
        bits += 1
    for i in range(begin, end):
        rest, place = i, 0
        for _ in range(bits):
            place = place << 1 | rest & 1
            rest >>= 1
        if i < place:
            value = load(values, i)
            store(values, i, load(values, place))
            store(values, place, value)


@compiled
def _multiply_pairs(values: UInt64Array, scale: UInt64Array, first: int, last: int, count: int) -> None:
    """Replace `values[first + k]` and `values[last - k]` by their product times the scale, for k < count."""
    factor = load(scale, 0)
    for k in range(count):
        product = fr.multiply(fr.multiply(load(values, first + k), load(values, last - k)), factor)
        store(values, first + k, product)
        store(values, last - k, product)


@compiled
def _scale(values: UInt64Array, scale: UInt64Array, begin: int, end: int) -> None:
    factor = load(scale, 0)
    for i in range(begin, end):
        store(values, i, fr.multiply(load(values, i), factor))
