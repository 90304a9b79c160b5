"""What verifying a Gram proof on chain costs in gas, by number of committed vectors, at its dearest.

`python -m benchmarks.gram_gas` measures the committed build of the contract, writes `benchmarks/results/gram-gas.json`
and its section of `docs/gas.md`, and exits 1 if a goal is missed.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_hash.auto import keccak
from eth_utils.abi import function_signature_to_4byte_selector
from py_ecc.optimized_bn128 import G2, normalize

from benchmarks import contract_on_revm
from benchmarks.contract_on_revm import TRANSACTION_GAS, DeployedContract
from benchmarks.environment import write_results
from benchmarks.goals import Goal
from benchmarks.market_on_evm import GAS_LIMIT, BenchmarkError
from marketplace.chain.artifacts import load_artifact
from zk.readable.group import G1, SCALAR_ORDER, multiply, point_to_bytes
from zk.readable.prover import MASK_COEFFICIENTS, Opening, prove
from zk.readable.transcript import VerificationKey

# Gas of a whole transaction that has a contract verify a proof, by number of vectors.
LIMITS: Final = {8: 330_000, 16: 480_000, 32: 900_000, 64: 2_200_000}
SIZES: Final = (1, *LIMITS)
RESULTS: Final = Path("benchmarks/results/gram-gas.json")
PAGE: Final = Path("docs/gas.md")
HEADING: Final = "## The Gram proof"

# Gas does not depend on the dimension, and on the matrix only through its zero bytes. Coordinates of this size fill all
# eight bytes of nearly every entry, as hardly any real update does.
_DIMENSION: Final = 4
_COORDINATE_LIMIT: Final = 2**30
# EIP-7623: a transaction costs at least 10 where the calldata alone costs 4, whatever is executed.
_FLOOR_FACTOR: Final = 2.5


@dataclass(frozen=True)
class Row:
    """The gas of one verification.

    Attributes
    ----------
    trainers
        Number of committed vectors, n.
    calldata_bytes
        Size of the call: selector, context, commitments, matrix, proof and their lengths.
    calldata_gas
        What the calldata costs.
    execution_gas
        What the contract consumes.
    gas
        Of the whole transaction: both and 21,000, or the floor of EIP-7623 if that is more.
    limit
        The goal; None if there is none for this number.
    """

    trainers: int
    calldata_bytes: int
    calldata_gas: int
    execution_gas: int
    gas: int
    limit: int | None


@dataclass(frozen=True)
class Setup:
    """A structured reference string of the benchmark's own, whose secrets protect nothing."""

    key: VerificationKey
    powers: list[Any]


def run(seed: int = 0, sizes: Sequence[int] = SIZES, progress: Callable[[Row], None] | None = None) -> list[Row]:
    """Measure at every size.

    Parameters
    ----------
    seed
        Where secrets, vectors and blinders come from.
    sizes
        Numbers of vectors, 1 to 255.
    progress
        Told every row as it comes.
    """
    rng = random.Random(seed)  # noqa: S311 - nothing is hidden
    setup = make_setup(rng)
    verifier = deploy(setup.key)
    rows = []
    for size in sizes:
        rows.append(measure(verifier, call_of(setup, size, rng), size))
        if progress is not None:
            progress(rows[-1])
    return rows


def measure(verifier: DeployedContract, calldata: bytes, size: int) -> Row:
    """Have the contract verify a proof in a transaction of its own.

    Raises
    ------
    BenchmarkError
        If it does not accept the proof.
    """
    try:
        executed = verifier.call(calldata, GAS_LIMIT)
    except RuntimeError as fault:
        raise BenchmarkError(f"the verifier refused an honest proof of {size} vectors: {fault}") from fault
    if decode(["bool"], executed.answer) != (True,):
        raise BenchmarkError(
            f"the verifier answered {executed.answer.hex()} to an honest proof of {size} vectors, not true"
        )
    calldata_gas, execution_gas = executed.calldata_gas, executed.execution_gas
    gas = TRANSACTION_GAS + max(calldata_gas + execution_gas, int(_FLOOR_FACTOR * calldata_gas))
    return Row(size, len(calldata), calldata_gas, execution_gas, gas, LIMITS.get(size))


def goals(rows: Sequence[Row]) -> list[Goal]:
    """Compare with the goals."""
    return [Goal(f"gas at {row.trainers} vectors", row.gas, row.limit) for row in rows if row.limit is not None]


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rows for a JSON file."""
    return [asdict(row) for row in rows]


def table(rows: Sequence[Row]) -> str:
    """Return the section of `docs/gas.md`."""
    lines = [
        HEADING,
        "",
        "Written by `python -m benchmarks.gram_gas`; do not edit. Each figure is a transaction in which",
        "`GramVerifier.verify` accepts a proof, in revm under the rules of Prague. The matrix is the dearest: hardly a",
        "byte of its entries is zero. Gas does not depend on the dimension of the updates.",
        "",
        "| vectors | calldata, bytes | calldata, gas | execution | whole transaction | goal |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        goal = "" if row.limit is None else f"{row.limit:,}"
        figures = (row.trainers, row.calldata_bytes, row.calldata_gas, row.execution_gas, row.gas)
        lines.append("| " + " | ".join(f"{figure:,}" for figure in figures) + f" | {goal} |")
    return "\n".join(lines) + "\n"


def section_of(page: str) -> str:
    """Return the section of a page, without the empty line before it; nothing if the page has none."""
    _, heading, after = page.partition(f"\n{HEADING}\n")
    return (heading + after).removeprefix("\n")


def with_section(page: str, section: str) -> str:
    """Return the page with this section, which is its last, instead of the one it has."""
    return page.removesuffix(section_of(page)).rstrip("\n") + "\n\n" + section


def write(rows: Sequence[Row], seed: int, results: Path = RESULTS, page: Path = PAGE) -> None:
    """Write the JSON file and the section of the page."""
    write_results(results, seed, as_json(rows))
    page.write_text(with_section(page.read_text("utf-8"), table(rows)), "utf-8")


def make_setup(rng: random.Random) -> Setup:
    """Draw the secrets and compute what follows from them."""
    tau, beta = rng.randrange(2, SCALAR_ORDER), rng.randrange(2, SCALAR_ORDER)
    key = VerificationKey(
        tau=point_to_bytes(multiply(G1, tau)),
        beta=point_to_bytes(multiply(G1, beta)),
        tau_g2=_multiple_in_g2(tau),
        tau_squared_g2=_multiple_in_g2(tau * tau),
    )
    powers = [multiply(G1, pow(tau, j, SCALAR_ORDER)) for j in range(_DIMENSION + MASK_COEFFICIENTS)]
    return Setup(key, powers)


def _multiple_in_g2(factor: int) -> bytes:
    coordinates: tuple[Any, Any] = normalize(multiply(G2, factor % SCALAR_ORDER))
    # Imaginary parts come first.
    return b"".join(int(part).to_bytes(32, "big") for value in coordinates for part in reversed(value.coeffs))


def deploy(key: VerificationKey) -> DeployedContract:
    """Put the committed build of the verifier on a new machine."""
    encoded_key = key.tau + key.beta + key.tau_g2 + key.tau_squared_g2
    return contract_on_revm.deploy(load_artifact("GramVerifier").bytecode + encoded_key)


def call_of(setup: Setup, size: int, rng: random.Random) -> bytes:
    """Return the call that has an honest proof of random vectors verified."""
    openings = [
        Opening(
            [rng.randrange(-_COORDINATE_LIMIT, _COORDINATE_LIMIT) for _ in range(_DIMENSION)],
            rng.randrange(SCALAR_ORDER),
        )
        for _ in range(size)
    ]
    context = bytes(keccak(b"context"))
    arguments = prove(setup.key, setup.powers, context, openings, lambda: rng.randrange(SCALAR_ORDER))
    selector = function_signature_to_4byte_selector("verify(bytes32,bytes,bytes,bytes)")
    return bytes(selector) + encode(["bytes32", "bytes", "bytes", "bytes"], [context, *arguments])


def main() -> int:
    """Measure, write both files, and say which goals are missed."""
    rows = run(progress=lambda row: print(f"{row.trainers:4} vectors {row.gas:12,} gas", flush=True))
    write(rows, seed=0)
    missed = [goal for goal in goals(rows) if not goal.met]
    for goal in missed:
        print(f"{goal.name}: {goal.measured:,}, goal at most {goal.limit:,}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
