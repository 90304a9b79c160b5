"""The optimal ate pairing of G1 and G2, and whether a product of pairings is 1.

Source: Vercauteren, "Optimal pairings" (2010), for the loop of length 6 u + 2 and the two last lines; Devegili, Scott
and Dahab, "Implementing cryptographic pairings over Barreto-Naehrig curves" (2007), for the last exponent.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from zk.bn254 import extended_field as fp2
from zk.bn254 import tower
from zk.bn254.arrays import readable
from zk.bn254.extended_field import Pair, load_pair, store_pair
from zk.bn254.jit import compiled
from zk.bn254.limbs import Limbs, UInt64Array, load
from zk.bn254.parameters import BN_PARAMETER

_U: Final = np.uint64(BN_PARAMETER)
_LOOP: Final = 6 * BN_PARAMETER + 2
# The bits after the first, which is 1.
_LOOP_BITS: Final = np.array([int(bit) for bit in bin(_LOOP)[3:]], np.uint8)


def pairing_product_is_one(pairs: Sequence[tuple[UInt64Array, UInt64Array]]) -> bool:
    """Whether the product of the pairings of points is 1.

    Parameters
    ----------
    pairs
        Any number of points of G1, shape (1, 2, 4), each with a point of G2, shape (1, 2, 2, 4); infinity is allowed
        on either side and gives 1. They must be in their groups, as `g1_from_bytes` and `g2_from_bytes` check.

    Raises
    ------
    ArrayError
        If an array has another type or shape.
    """
    finite = [
        (point, other)
        for point, other in (
            (readable("points", point, np.uint64, (1, 2, 4)), readable("points", other, np.uint64, (1, 2, 2, 4)))
            for point, other in pairs
        )
        if point.any() and other.any()
    ]
    if not finite:
        return True
    points = np.concatenate([point for point, _ in finite])
    others = np.concatenate([other for _, other in finite])
    return bool(_is_one(points, others))


@compiled
def _is_one(points: UInt64Array, others: UInt64Array) -> bool:
    return tower.is_one(final_exponentiation(miller_loop(points, others)))


@compiled
def miller_loop(points: UInt64Array, others: UInt64Array) -> UInt64Array:
    """Return the product over all pairs of the functions of the loop, shape (6, 2, 4).

    Parameters
    ----------
    points
        Of G1, none infinity, shape (n, 2, 4).
    others
        Of G2, none infinity, shape (n, 2, 2, 4).
    """
    value = tower.one()
    sums = others.copy()
    for bit in _LOOP_BITS:
        value = tower.square(value)
        for k in range(len(points)):
            value = _step(value, sums[k], load_pair(sums[k, 0]), load_pair(sums[k, 1]), points[k])
            if bit == 1:
                value = _step(value, sums[k], load_pair(others[k, 0]), load_pair(others[k, 1]), points[k])
    for k in range(len(points)):
        x, y = load_pair(others[k, 0]), load_pair(others[k, 1])
        x1, y1 = _turn(x, y, 1)
        value = _step(value, sums[k], x1, y1, points[k])
        x2, y2 = _turn(x, y, 2)
        value = _step(value, sums[k], x2, fp2.negate(y2), points[k])
    return value


@compiled
def _turn(x: Pair, y: Pair, exponent: int) -> tuple[Pair, Pair]:
    """Return the image of a point of G2 under the p-power map, once or twice, which multiplies it with p or p^2."""
    if exponent == 1:
        x, y = fp2.conjugate(x), fp2.conjugate(y)
    factors = tower.FROBENIUS[exponent]
    return fp2.multiply(x, load_pair(factors[2])), fp2.multiply(y, load_pair(factors[3]))


@compiled
def _step(value: UInt64Array, total: UInt64Array, x: Pair, y: Pair, point: UInt64Array) -> UInt64Array:
    """Add (x, y) to a sum in place; return the value times the line through both, at the point of G1.

    A point (x, y) of G2 stands for (x w^2, y w^3) on the curve of G1, where a line of slope m w goes through it, whose
    value at (X, Y) is `Y - m X w + (m x - y) w^3`. The sum is never (x, y) negated: multiples of a point of order r by
    different factors below r are added.
    """
    total_x, total_y = load_pair(total[0]), load_pair(total[1])
    slope = _slope(total_x, total_y, x, y)
    next_x = fp2.subtract(fp2.subtract(fp2.square(slope), total_x), x)
    store_pair(total[0], next_x)
    store_pair(total[1], fp2.subtract(fp2.multiply(slope, fp2.subtract(total_x, next_x)), total_y))
    return _multiply_by_line(value, slope, x, y, load(point, 0), load(point, 1))


@compiled
def _slope(x1: Pair, y1: Pair, x2: Pair, y2: Pair) -> Pair:
    """Return the slope of the line through two points, or of the tangent if they are the same."""
    if fp2.are_same(x1, x2):
        square = fp2.square(x1)
        return fp2.multiply(fp2.add(fp2.double(square), square), fp2.invert(fp2.double(y1)))
    return fp2.multiply(fp2.subtract(y2, y1), fp2.invert(fp2.subtract(x2, x1)))


@compiled
def _multiply_by_line(value: UInt64Array, slope: Pair, x: Pair, y: Pair, X: Limbs, Y: Limbs) -> UInt64Array:
    constant = (Y, fp2.NOUGHT[0])
    linear = fp2.negate(fp2.scale(slope, X))
    cubic = fp2.subtract(fp2.multiply(slope, x), y)
    return tower.multiply_by_line(value, constant, linear, cubic)


@compiled
def final_exponentiation(value: UInt64Array) -> UInt64Array:
    """Return `value^((p^12 - 1) / r)`.

    The exponent is `(p^6 - 1) (p^2 + 1)` times `l_0 + l_1 p + l_2 p^2 + p^3` with
    `l_2 = 6 u^2 + 1`, `l_1 = -36 u^3 - 18 u^2 - 12 u + 1`, `l_0 = -36 u^3 - 30 u^2 - 18 u - 2`.
    """
    f = tower.multiply(tower.conjugate(value), tower.invert(value))
    f = tower.multiply(tower.frobenius(f, 2), f)
    # From here on the conjugate is the inverse.
    f_u = tower.power(f, _U)
    f_u2 = tower.power(f_u, _U)
    f_u3 = tower.power(f_u2, _U)
    six_u, six_u2 = tower.power(f_u, np.uint64(6)), tower.power(f_u2, np.uint64(6))
    six_u3 = tower.power(f_u3, np.uint64(6))
    # -36 u^3 - 18 u^2 - 12 u, which l_1 and l_0 share.
    shared = tower.multiply(tower.power(six_u3, np.uint64(6)), tower.power(six_u2, np.uint64(3)))
    shared = tower.conjugate(tower.multiply(shared, tower.square(six_u)))
    rest = tower.multiply(tower.square(six_u2), tower.multiply(six_u, tower.square(f)))
    l0 = tower.multiply(shared, tower.conjugate(rest))
    l1 = tower.multiply(shared, f)
    l2 = tower.multiply(six_u2, f)
    result = tower.multiply(l0, tower.frobenius(l1, 1))
    return tower.multiply(result, tower.multiply(tower.frobenius(l2, 2), tower.frobenius(f, 3)))
