"""What the default rule alone costs in gas: `evaluate` with 9 vectors of the referee, without its transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector

from benchmarks import contract_on_revm
from benchmarks.contract_on_revm import DeployedContract
from benchmarks.goals import Goal
from benchmarks.market_on_evm import BenchmarkError
from benchmarks.rule_rounds import CALM, ROUNDS, rounds_of, tolerated_of
from contribution.gram import GramMatrix, pack_gram
from contribution.rules import DEFAULT_RULE, RULES
from marketplace.audit.contracts import RULE_CONTRACTS
from marketplace.chain.artifacts import load_artifact
from marketplace.job.limits import MAX_REFERENCES

# Gas of the dearest of the matrices, by number of trainers.
LIMITS: Final[Mapping[int, int]] = {16: 250_000, 64: 3_000_000}
HEADING: Final = "## The rule alone"
_AMPLE: Final = 2**40
_FUNCTION: Final = "evaluate(bytes,uint256,uint256,uint256)"
_INPUTS: Final = ("bytes", "uint256", "uint256", "uint256")
_OUTPUTS: Final = ("uint256[]", "int256[]", "bool")


@dataclass(frozen=True)
class RuleGas:
    """The gas of the rule at one number of trainers.

    Attributes
    ----------
    matrices
        How many were decided.
    usual
        Median over the simulated rounds that nobody attacks.
    worst
        Of the dearest of all.
    dearest
        Its kind.
    """

    matrices: int
    usual: int
    worst: int
    dearest: str


def deploy() -> DeployedContract:
    """Put the committed build of the default rule on a new machine."""
    return contract_on_revm.deploy(load_artifact(RULE_CONTRACTS[DEFAULT_RULE]).bytecode)


def gas_of(rule: DeployedContract, gram: GramMatrix, tolerated: int) -> int:
    """Have the contract decide a round with nine vectors of the referee; return what executing it consumes.

    Raises
    ------
    BenchmarkError
        If it does not decide as the rule's twin.
    """
    trainers = len(gram) - MAX_REFERENCES
    arguments = [pack_gram(gram), trainers, MAX_REFERENCES, tolerated]
    calldata = bytes(function_signature_to_4byte_selector(_FUNCTION)) + encode(_INPUTS, arguments)
    executed = rule.call(calldata, _AMPLE)
    outcome = RULES[DEFAULT_RULE](gram, trainers, MAX_REFERENCES, tolerated)
    if decode(_OUTPUTS, executed.answer) != (outcome.weights, outcome.contributions, outcome.reference_used):
        raise BenchmarkError(
            f"the contract decided a round of {trainers} trainers otherwise than {DEFAULT_RULE} does; build the "
            "contracts again and run their tests"
        )
    return executed.execution_gas


def measure(size: int, seed: int) -> RuleGas:
    """Measure the rule at one number of trainers, on simulated and random rounds.

    Parameters
    ----------
    size
        n, one of `benchmarks.rule_rounds.ROUNDS`.
    seed
        Where the rounds come from.
    """
    return judge(deploy(), rounds_of(size, seed, ROUNDS[size]))


def judge(rule: DeployedContract, rounds: Mapping[str, Sequence[GramMatrix]]) -> RuleGas:
    """Measure the rule on matrices by their kind, calm rounds among them."""
    gas = {
        kind: [gas_of(rule, gram, tolerated_of(len(gram) - MAX_REFERENCES)) for gram in matrices]
        for kind, matrices in rounds.items()
    }
    worst, dearest = max((max(figures), kind) for kind, figures in gas.items())
    return RuleGas(sum(map(len, gas.values())), int(median(gas[CALM])), worst, dearest)


def as_json(measured: Mapping[int, RuleGas]) -> dict[str, Any]:
    """Return the figures by number of trainers, for a JSON file."""
    return {str(size): asdict(figures) for size, figures in measured.items()}


def goals(figures: Mapping[str, Any]) -> list[Goal]:
    """Compare what `as_json` returned with the goals."""
    return [
        Goal(f"the rule alone at {size} trainers", figures[str(size)]["worst"], limit)
        for size, limit in LIMITS.items()
        if str(size) in figures
    ]


def section(figures: Mapping[str, Any]) -> str:
    """Return the section of `docs/gas.md` on what `as_json` returned."""
    lines = [
        HEADING,
        "",
        f"What `evaluate` of the default rule, {DEFAULT_RULE}, consumes with {MAX_REFERENCES} vectors of",
        "the referee, the transaction and its calldata aside. Usual is the median over simulated rounds on the digits",
        "that nobody attacks; worst is the dearest of those, of rounds under attack, and of random matrices that make",
        "the rule take all its steps. A fifth attacks and is tolerated. Every decision is compared with that of the",
        "rule's twin in Python.",
        "",
        "| trainers | matrices | usual | worst | of kind | goal for the worst |",
        "|---:|---:|---:|---:|---|---:|",
    ]
    for size, row in figures.items():
        limit = LIMITS.get(int(size))
        goal = "" if limit is None else f"{limit:,}"
        lines.append(
            f"| {size} | {row['matrices']} | {row['usual']:,} | {row['worst']:,} | {row['dearest']} | {goal} |"
        )
    return "\n".join(lines) + "\n"
