"""A small structured reference string with known secrets, and statements proved with it."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from py_ecc.optimized_bn128 import G1, G2, multiply, normalize

from zk.readable.group import SCALAR_ORDER, Point, point_to_bytes
from zk.readable.prover import Opening, prove
from zk.readable.transcript import VerificationKey

TAU = 0x1234567890ABCDEF**15 % SCALAR_ORDER
BETA = 0xFEDCBA0987654321**15 % SCALAR_ORDER
CONTEXT = bytes(range(32))


@dataclass(frozen=True)
class Setup:
    key: VerificationKey
    powers: list[Point]


@dataclass(frozen=True)
class Proven:
    """A statement and its proof, encoded, with what only the prover knows."""

    context: bytes
    commitments: bytes
    gram: bytes
    proof: bytes
    openings: list[Opening]


def encode_g2(point: Point) -> bytes:
    x, y = normalize(point)
    return b"".join(int(c).to_bytes(32, "big") for c in (*reversed(x.coeffs), *reversed(y.coeffs)))


def make_setup(powers: int) -> Setup:
    key = VerificationKey(
        tau=point_to_bytes(multiply(G1, TAU)),
        beta=point_to_bytes(multiply(G1, BETA)),
        tau_g2=encode_g2(multiply(G2, TAU)),
        tau_squared_g2=encode_g2(multiply(G2, TAU * TAU % SCALAR_ORDER)),
    )
    return Setup(key, [multiply(G1, pow(TAU, j, SCALAR_ORDER)) for j in range(powers)])


def random_openings(rng: random.Random, count: int, dimension: int, bits: int = 16) -> list[Opening]:
    limit = 2 ** (bits - 1)
    return [
        Opening([rng.randrange(-limit, limit) for _ in range(dimension)], rng.randrange(SCALAR_ORDER))
        for _ in range(count)
    ]


@pytest.fixture(scope="session")
def setup() -> Setup:
    return make_setup(48)


@pytest.fixture(scope="session")
def proven(setup: Setup) -> Proven:
    openings = random_openings(random.Random(1), 3, 7)
    return Proven(CONTEXT, *prove(setup.key, setup.powers, CONTEXT, openings), openings)
