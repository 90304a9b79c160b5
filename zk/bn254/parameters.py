"""The constants of BN254, also called alt_bn128 or bn128, which check themselves when they are imported.

Sources: Barreto and Naehrig, "Pairing-friendly elliptic curves of prime order" (2005) for the family; EIP-196 and
EIP-197 for this member, its generators and the encoding of its points.

G1 is the curve y^2 = x^3 + 3 over the base field of p elements. Its order is r, a prime, so every point of the curve
is in the group: there is no subgroup check for G1. G2 is the subgroup of order r of the curve y^2 = x^3 + 3 / (9 + i)
over the base field extended by i, i^2 = -1.
"""

from typing import Final

# u, from which the family's polynomials give the two primes.
BN_PARAMETER: Final = 4965661367192848881

# p, the number of elements of the base field.
BASE_MODULUS: Final = 21888242871839275222246405745257275088696311157297823662689037894645226208583

# r, the number of elements of the scalar field, and of G1, G2 and GT.
SCALAR_MODULUS: Final = 21888242871839275222246405745257275088548364400416034343698204186575808495617

# The b of y^2 = x^3 + b.
G1_COEFFICIENT: Final = 3

G1_GENERATOR: Final = (1, 2)

# Coordinates of the extended field are pairs (a, b) for a + b i.
G2_GENERATOR: Final = (
    (
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
    ),
    (
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ),
)

# xi = 9 + i, neither a square nor a cube in the extended field: the tower adjoins its sixth root, and the twist's
# coefficient is 3 / xi.
TWIST: Final = (9, 1)

# 2^28 divides r - 1, and 5 generates the multiplicative group of the scalar field.
TWO_ADICITY: Final = 28
SCALAR_GENERATOR: Final = 5

Extended = tuple[int, int]
_Point = tuple[Extended, Extended] | None


def multiply_extended(a: Extended, b: Extended) -> Extended:
    """Return the product of two elements (a, b), for a + b i, of the base field extended by i."""
    return (a[0] * b[0] - a[1] * b[1]) % BASE_MODULUS, (a[0] * b[1] + a[1] * b[0]) % BASE_MODULUS


def _subtract(a: Extended, b: Extended) -> Extended:
    return (a[0] - b[0]) % BASE_MODULUS, (a[1] - b[1]) % BASE_MODULUS


def divide_extended(a: Extended, b: Extended) -> Extended:
    """Return the quotient of two elements of the base field extended by i."""
    norm = pow(b[0] * b[0] + b[1] * b[1], -1, BASE_MODULUS)
    return multiply_extended(a, (b[0] * norm % BASE_MODULUS, -b[1] * norm % BASE_MODULUS))


def _add(first: _Point, second: _Point) -> _Point:
    """Add points of y^2 = x^3 + b over the extended field, by the chord and the tangent."""
    if first is None or second is None:
        return second if first is None else first
    (x, y), (other_x, other_y) = first, second
    if x == other_x:
        if y != other_y:
            return None
        square = multiply_extended(x, x)
        slope = divide_extended((3 * square[0], 3 * square[1]), (2 * y[0], 2 * y[1]))
    else:
        slope = divide_extended(_subtract(other_y, y), _subtract(other_x, x))
    sum_x = _subtract(_subtract(multiply_extended(slope, slope), x), other_x)
    return sum_x, _subtract(multiply_extended(slope, _subtract(x, sum_x)), y)


def _multiple(point: _Point, factor: int) -> _Point:
    """Return factor * point by doubling and adding."""
    result: _Point = None
    for bit in bin(factor)[2:]:
        result = _add(result, result)
        if bit == "1":
            result = _add(result, point)
    return result


def _is_on_curve(point: tuple[Extended, Extended], coefficient: Extended) -> bool:
    x, y = point
    return _subtract(multiply_extended(y, y), multiply_extended(multiply_extended(x, x), x)) == coefficient


def _require(condition: bool, claim: str) -> None:
    if not condition:
        raise ArithmeticError(f"The constants of BN254 were changed: {claim} does not hold; install the package again.")


def _check() -> None:
    u, p, r = BN_PARAMETER, BASE_MODULUS, SCALAR_MODULUS
    _require(p == 36 * u**4 + 36 * u**3 + 24 * u**2 + 6 * u + 1, "p = 36 u^4 + 36 u^3 + 24 u^2 + 6 u + 1")
    _require(r == p - 6 * u**2, "r = 36 u^4 + 36 u^3 + 18 u^2 + 6 u + 1")
    _require(pow(2, p - 1, p) == 1, "p is prime")
    _require(pow(2, r - 1, r) == 1, "r is prime")
    half = (r - 1) // 2
    _require((r - 1) % 2**TWO_ADICITY == 0, "2^28 divides r - 1")
    _require(pow(SCALAR_GENERATOR, half, r) == r - 1, "5 is no square in the scalar field")
    g1 = ((G1_GENERATOR[0], 0), (G1_GENERATOR[1], 0))
    _require(_is_on_curve(g1, (G1_COEFFICIENT, 0)), "the generator of G1 is on the curve")
    _require(_is_on_curve(G2_GENERATOR, divide_extended((3, 0), TWIST)), "the generator of G2 is on the twist")
    _require(_multiple(g1, r) is None, "r times the generator of G1 is infinity")
    _require(_multiple(G2_GENERATOR, r) is None, "r times the generator of G2 is infinity")


_check()
