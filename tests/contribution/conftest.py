"""The rule's contract in an EVM without chain, and matrices that a market would accept, by the trouble they make."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt

import numpy as np
import pytest
from eth_abi import decode, encode
from eth_utils import function_signature_to_4byte_selector
from pyrevm import EVM

from contribution.gram import GramMatrix, gram_matrix, pack_gram
from marketplace.chain.artifacts import load_artifact

pytest.register_assert_rewrite("tests.contribution.comparison")

CALLER = "0x" + "11" * 20
PLENTY_OF_GAS = 2**40
INT64_MAX = 2**63 - 1

MatrixMaker = Callable[[np.random.Generator, int, int], GramMatrix]


@dataclass(frozen=True)
class RuleContract:
    """The deployed rule; `evaluate` calls it with the packing of a matrix and decodes what it returns."""

    evm: EVM
    address: str

    def call(self, function: str, types: list[str], *arguments: object) -> bytes:
        data = function_signature_to_4byte_selector(f"{function}({','.join(types)})") + encode(types, arguments)
        return bytes(self.evm.message_call(CALLER, self.address, calldata=data, gas=PLENTY_OF_GAS))

    def evaluate(
        self, gram: GramMatrix, trainers: int, references: int, tolerated: int
    ) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
        types = ["bytes", "uint256", "uint256", "uint256"]
        answer = self.call("evaluate", types, pack_gram(gram), trainers, references, tolerated)
        weights, contributions, reference_used = decode(["uint256[]", "int256[]", "bool"], answer)
        return tuple(weights), tuple(contributions), reference_used


def deployed(name: str) -> RuleContract:
    evm = EVM(spec_id="PRAGUE")
    evm.set_balance(CALLER, 10**30)
    return RuleContract(evm, evm.deploy(CALLER, load_artifact(name).bytecode))


@pytest.fixture(scope="session")
def rule_contract() -> RuleContract:
    return deployed("MultiKrumShapleyRule")


@pytest.fixture(scope="session")
def mixture_rule_contract() -> RuleContract:
    return deployed("CappedMixtureRule")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator seeded by the test's name, so that tests don't depend on each other's order."""
    return np.random.default_rng(list(request.node.name.encode()))


def of_updates(rng: np.random.Generator, rows: int, dimension: int = 24, size: int = 1000) -> GramMatrix:
    """Updates around a common direction, of different norms."""
    common = rng.integers(-size, size + 1, dimension)
    own = rng.integers(-size, size + 1, (rows, dimension))
    scale = rng.integers(1, 5, (rows, 1))
    return gram_matrix((scale * (common + own)).astype(np.int16))


def with_ties(rng: np.random.Generator, rows: int) -> GramMatrix:
    """Few different norms and distances: signed unit vectors, or tiny integers."""
    if rng.random() < 0.5:
        vectors = np.zeros((rows, rows), dtype=np.int16)
        vectors[np.arange(rows), rng.permutation(rows)] = rng.choice([-3, 3], rows)
        vectors[:, 0] = rng.choice([0, 3, 3])
        return gram_matrix(vectors)
    return gram_matrix(rng.integers(-1, 2, (rows, 4)).astype(np.int16))


def with_zero_rows(rng: np.random.Generator, rows: int) -> GramMatrix:
    """Some rows, at times all, are zero."""
    matrix = of_updates(rng, rows)
    zero = rng.random(rows) < rng.choice([0.1, 0.4, 1.0])
    zero[rng.integers(rows)] = True
    matrix[zero, :] = 0
    matrix[:, zero] = 0
    return matrix


def of_rank_one(rng: np.random.Generator, rows: int) -> GramMatrix:
    """Multiples of one vector: everybody copies somebody or points the other way."""
    factors = rng.integers(-40, 41, (rows, 1))
    return gram_matrix((factors * rng.integers(-9, 10, (1, 6))).astype(np.int16))


def near_the_limits(rng: np.random.Generator, rows: int) -> GramMatrix:
    """Squared norms up to 2^63 - 1 and inner products up to what the 2 x 2 minors allow, hardly any of them legal as a
    whole: a contract sees no more than the minors."""
    norms = INT64_MAX - rng.choice([0, 1, 2**20, 2**62], rows)
    if rng.random() < 0.3:
        norms[rng.integers(rows)] = rng.integers(1, 1000)
    sign = rng.choice([-1, 0, 1])
    signs = sign if sign else rng.choice([-1, 1], (rows, rows))
    lengths = np.sqrt(norms.astype(np.float64)) * (1 - 2**-40)
    matrix = np.tril(signs * rng.random((rows, rows)) * np.outer(lengths, lengths), -1).astype(np.int64)
    for i, j in rng.integers(0, rows, (2 * rows, 2)):
        if j < i:
            matrix[i, j] = np.sign(matrix[i, j]) * isqrt(int(norms[i]) * int(norms[j]))
    return matrix + matrix.T + np.diag(norms)


def against_the_reference(rng: np.random.Generator, rows: int, trainers: int) -> GramMatrix:
    """Many, at times all, of the first `trainers` rows have a negative or zero product with the row behind them."""
    matrix = of_updates(rng, rows)
    if trainers < rows:
        products = np.abs(matrix[:trainers, trainers])
        flipped = np.where(rng.random(trainers) < rng.choice([0.3, 0.7, 1.0]), -products, products)
        flipped[rng.random(trainers) < 0.1] = 0
        matrix[:trainers, trainers] = flipped
        matrix[trainers, :trainers] = flipped
    return matrix


@pytest.fixture(scope="session")
def matrix_makers() -> dict[str, MatrixMaker]:
    """By class, a function of a generator, the number of rows and the number of trainers among them."""
    return {
        "honest": lambda rng, rows, trainers: of_updates(rng, rows),
        "ties": lambda rng, rows, trainers: with_ties(rng, rows),
        "zero rows": lambda rng, rows, trainers: with_zero_rows(rng, rows),
        "rank one": lambda rng, rows, trainers: of_rank_one(rng, rows),
        "near int64": lambda rng, rows, trainers: near_the_limits(rng, rows),
        "negative b": against_the_reference,
    }
