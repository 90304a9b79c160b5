"""What the engine must agree with: `py_ecc` and integers, in the engine's encodings."""

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import strategies as st
from py_ecc.optimized_bn128 import FQ, FQ2, G1, Z1, add, curve_order, field_modulus, multiply, neg, normalize

from zk.bn254 import g1_from_bytes, g1_to_bytes

R = curve_order
P = field_modulus

edge_scalars = st.sampled_from([0, 1, 2, 2**16 - 1, 2**64 - 1, 2**64, 2**253, R // 2, R - 2, R - 1])
scalars = edge_scalars | st.integers(0, R - 1)


def encode_g1(point) -> bytes:
    if point[2] == FQ.zero():
        return bytes(64)
    return b"".join(int(coordinate).to_bytes(32, "big") for coordinate in normalize(point))


def encode_g2(point) -> bytes:
    """The imaginary part first, as EIP-197 has it."""
    if point[2] == FQ2.zero():
        return bytes(128)
    return b"".join(int(part).to_bytes(32, "big") for x in normalize(point) for part in reversed(x.coeffs))


def multiple(factor: int) -> bytes:
    """A multiple of the generator, encoded."""
    return encode_g1(multiply(G1, factor % R))


@cache
def _pool_bytes() -> bytes:
    points, point = [], G1
    for _ in range(100):
        points += [point, neg(point)]
        point = add(point, G1)
    return b"".join(map(encode_g1, [Z1, *points]))


def pool() -> tuple[np.ndarray, list[int]]:
    """Infinity and small multiples of the generator of both signs, with the factors."""
    factors = [0] + [sign * factor for factor in range(1, 101) for sign in (1, -1)]
    return g1_from_bytes(_pool_bytes()), factors


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n points drawn from the pool, hence with repeats, negatives and infinity, and their factors as int64."""
    points, factors = pool()
    places = np.random.default_rng(seed).integers(0, len(factors), n)
    return points[places], np.array(factors, np.int64)[places]


def bytes_of(points: np.ndarray) -> bytes:
    return g1_to_bytes(points)
