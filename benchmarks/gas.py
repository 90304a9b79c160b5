"""What every function of the market, and the default rule alone, costs in gas, by number of trainers, at its dearest.

`python -m benchmarks.gas` measures the build that is deployed, writes `benchmarks/results/gas.json` and `docs/gas.md`,
and exits 1 if a settlement or the rule misses its goal or a function needs more than a transaction may. Settlements
carry proofs, which the contract verifies.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import environment, gram_gas, published_gas, rule_gas
from benchmarks.environment import write_results
from benchmarks.gas_jobs import (
    AGGREGATOR,
    OWNER,
    GasJob,
    Shape,
    usual_gram,
    worst_gram,
)
from benchmarks.goals import Goal
from benchmarks.market_on_evm import GAS_LIMIT, deploy_market
from benchmarks.rule_rounds import random_round, tolerated_of
from contribution.gram import pack_gram
from contribution.rules import DEFAULT_RULE
from marketplace.job.limits import MAX_REFERENCES, MAX_TRAINERS

SIZES: Final = (8, 16, 32, 64, MAX_TRAINERS)
# Gas of a later settlement with a reference and its usual matrix, by number of trainers.
SETTLE_LIMITS: Final = {16: 950_000, 32: 2_300_000, 64: 6_200_000}
# By how much the first settlement may exceed that, for each trainer.
FIRST_LIMIT: Final = 18_000
TABLE: Final = Path("docs/gas.md")
RESULTS: Final = Path("benchmarks/results/gas.json")

# Rows of the table: what is measured, in the order of a job's life.
ROWS: Final = {
    "create": "`create`",
    "accept": "`accept`",
    "join": "`join`",
    "join last seat": "`join` into the last seat of a running job",
    "leaveJob open": "`leaveJob` before the start",
    "leaveJob running": "`leaveJob` while running",
    "rotateKey": "`rotateKey`",
    "start": "`start`",
    "submit": "`submit`",
    "submitReference": "`submitReference`",
    "closeSubmissions": "`closeSubmissions`",
    "missing": "`missing`, everybody",
    "settle first": "`settle`, first round, usual matrix, reference",
    "settle later": "`settle`, later round, usual matrix, reference",
    "settle worst": f"`settle`, worst matrix, {MAX_REFERENCES} references, all that are kept but one struck out",
    "settle worst alone": "`settle`, worst matrix, no referee",
    "settle default": f"`settle`, default rule, random round, {MAX_REFERENCES} references",
    "settle void": "`settle`, everybody excluded as unavailable",
    "voidRound": "`voidRound`, everybody removed as absent",
    "expire": "`expire`, everybody submitted",
    "flag": "`flag`",
    "flag last": "`flag` that ends the job",
    "abort open": "`abort` before the start",
    "abort running": "`abort` while running",
    "complete": "`complete`",
    "withdraw owner": "`withdraw`, owner",
    "withdraw trainer": "`withdraw`, pay and stake",
    "burn": "`burn`",
}


def run(
    seed: int = 0, sizes: Sequence[int] = SIZES, progress: Callable[[int, str, int], None] | None = None
) -> dict[str, Any]:
    """Measure every function at every size.

    Parameters
    ----------
    seed
        Where the matrices come from.
    sizes
        Numbers of trainers, of those in `benchmarks.rule_rounds.ROUNDS`.
    progress
        Told every figure as it comes: size, row, gas.

    Returns
    -------
    document : dict
        `machine`, `versions`, `seed` and `results`: `limit` in gas, `sizes`, `references` in the worst matrices, `gas`,
        what each transaction consumes, by row and size, and `rule`, what `rule_gas.as_json` returns.
    """
    gas: dict[str, dict[str, int]] = {row: {} for row in ROWS}
    for size in sizes:
        for row, used in measure(size, random.Random(seed)).items():  # noqa: S311 - matrices, not secrets
            gas[row][str(size)] = used
            if progress is not None:
                progress(size, row, used)
    rule = {}
    for size in sizes:
        rule[size] = rule_gas.measure(size, seed)
        if progress is not None:
            progress(size, "rule alone, worst", rule[size].worst)
    results = {
        "limit": GAS_LIMIT,
        "sizes": list(sizes),
        "references": MAX_REFERENCES,
        "gas": gas,
        "rule": rule_gas.as_json(rule),
    }
    return environment.document(seed, results)


def goals(document: dict[str, Any]) -> list[Goal]:
    """Compare with the goals."""
    return settlement_goals(document) + rule_gas.goals(document["results"]["rule"])


def settlement_goals(document: dict[str, Any]) -> list[Goal]:
    """Compare settlements with theirs."""
    gas = document["results"]["gas"]
    first, later = gas["settle first"], gas["settle later"]
    names = "first settlement at {} trainers, more than a later one for each"
    return [
        *(
            Goal(f"settlement at {size} trainers", later[str(size)], limit)
            for size, limit in SETTLE_LIMITS.items()
            if str(size) in later
        ),
        *(Goal(names.format(size), (first[size] - later[size]) // int(size), FIRST_LIMIT) for size in later),
    ]


def over_limit(document: dict[str, Any]) -> list[str]:
    """Return a sentence for every transaction that needs more gas than a transaction may."""
    return [
        f"{ROWS[row]} with {size} trainers needs {gas} gas, more than {GAS_LIMIT}"
        for row, figures in document["results"]["gas"].items()
        for size, gas in figures.items()
        if gas > GAS_LIMIT
    ]


def faults(document: dict[str, Any]) -> list[str]:
    """Return a sentence for every transaction that is over the limit and for every goal that is missed."""
    missed = [goal for goal in goals(document) if not goal.met]
    return over_limit(document) + [f"{goal.name}: {goal.measured:,}, goal at most {goal.limit:,}" for goal in missed]


def measure(size: int, rng: random.Random) -> dict[str, int]:
    """Return the gas of every row for one number of trainers."""
    gas: dict[str, int] = {}
    for scenario in (_usual, _worst, _worst_alone, _default, _void, _absent, _expired, _flagged, _leaving, _aborted):
        gas |= scenario(size, rng)
    return {row: gas[row] for row in ROWS}


def _take(job: GasJob, *rows: str, **renamed: str) -> dict[str, int]:
    """Pick figures of a job, some under another name."""
    return {row: job.gas[row] for row in rows} | {row.replace("_", " "): job.gas[name] for row, name in renamed.items()}


def _usual(size: int, rng: random.Random) -> dict[str, int]:
    shape = Shape(size, 1, (size - 3) // 4, rounds=3, strike_limit=0)
    job = GasJob(deploy_market(), shape)
    job.begin()
    job.call("rotateKey", AGGREGATOR, [b"\x02" * 32])
    # One matrix for all rounds, so that they differ in what lies in storage alone.
    gram = usual_gram(shape, rng)
    for name in ("settle first", "settle later", "settle later"):
        job.submit()
        job.close()
        job.settle(gram, name=name)
    job.pass_challenge()
    job.call("complete")
    for trainer in job.trainers:
        job.call("withdraw", trainer, [trainer], name="withdraw trainer")
    job.call("withdraw", OWNER, [OWNER], name="withdraw owner")
    once = ("create", "accept", "join", "start", "rotateKey", "submit", "submitReference", "closeSubmissions")
    return _take(job, *once, "settle first", "settle later", "complete", "withdraw owner", "withdraw trainer")


def _worst(size: int, rng: random.Random) -> dict[str, int]:
    """Take the dearest of few, many and as many faulty trainers as possible; which it is depends on the size."""
    gas: dict[str, int] = {}
    for tolerated in (1, size // 4, (size - 3) // 2):
        shape = Shape(size, MAX_REFERENCES, tolerated)
        job = GasJob(deploy_market(), shape)
        job.begin()
        job.submit()
        job.close()
        job.settle(worst_gram(shape, rng), name="settle worst")
        gas = _most(gas, _take(job, "settle worst"))
    return gas


def _worst_alone(size: int, rng: random.Random) -> dict[str, int]:
    shape = Shape(size, 0, size // 4)
    job = GasJob(deploy_market(), shape)
    job.begin()
    job.submit()
    job.close()
    job.settle(worst_gram(shape, rng), name="settle worst alone")
    return _take(job, "settle worst alone")


def _default(size: int, rng: random.Random) -> dict[str, int]:
    shape = Shape(size, MAX_REFERENCES, tolerated_of(size), rule=DEFAULT_RULE)
    job = GasJob(deploy_market(), shape)
    job.begin()
    job.submit()
    job.close()
    job.settle(pack_gram(random_round(np.random.default_rng(rng.getrandbits(64)), size)), name="settle default")
    return _take(job, "settle default")


def _most(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
    return {row: max(left.get(row, 0), right.get(row, 0)) for row in left | right}


def _void(size: int, _rng: random.Random) -> dict[str, int]:
    job = GasJob(deploy_market(), Shape(size, 0, 1))
    job.begin()
    job.submit()
    job.close()
    job.call("missing", AGGREGATOR, [job.round, job.trainers])
    job.pass_window(2)
    job.settle(b"", excluded=job.trainers, name="settle void")
    return _take(job, "missing", "settle void")


def _absent(size: int, _rng: random.Random) -> dict[str, int]:
    job = GasJob(deploy_market(), Shape(size, 0, 1))
    job.begin()
    for _ in range(2):
        job.pass_window(1)
        job.call("voidRound", arguments=[job.round])
    return _take(job, "voidRound")


def _expired(size: int, _rng: random.Random) -> dict[str, int]:
    job = GasJob(deploy_market(), Shape(size, 0, 1))
    job.begin()
    for _ in range(2):
        job.submit()
        job.pass_window(3)
        job.call("expire", arguments=[job.round])
    return _take(job, "expire")


def _flagged(size: int, rng: random.Random) -> dict[str, int]:
    shape = Shape(size, 1, 1, strike_limit=0)
    job = GasJob(deploy_market(), shape)
    job.begin()
    job.submit()
    job.close()
    job.settle(usual_gram(shape, rng))
    majority = size // 2 + 1
    for trainer in job.trainers[: majority - 1]:
        job.call("flag", trainer, [1])
    job.call("flag", job.trainers[majority - 1], [1], name="flag last")
    job.call("burn")
    return _take(job, "flag", "flag last", "burn")


def _leaving(size: int, _rng: random.Random) -> dict[str, int]:
    job = GasJob(deploy_market(), Shape(size, 0, 1))
    job.create()
    job.fill()
    last = job.trainers[-1]
    job.call("leaveJob", last, name="leaveJob open")
    job.start()
    job.gas.pop("join")
    job.join(last)
    job.call("leaveJob", job.trainers[0], name="leaveJob running")
    job.call("abort", OWNER, name="abort running")
    return _take(job, "leaveJob open", "leaveJob running", "abort running", join_last_seat="join")


def _aborted(size: int, _rng: random.Random) -> dict[str, int]:
    job = GasJob(deploy_market(), Shape(size, 0, 1))
    job.create()
    job.fill()
    job.call("abort", OWNER, name="abort open")
    return _take(job, "abort open")


def table(document: dict[str, Any]) -> str:
    """Return the results as the page `docs/gas.md`."""
    results = document["results"]
    sizes = [str(size) for size in results["sizes"]]
    lines = [
        "# Gas",
        "",
        "Written by `python -m benchmarks.gas`; do not edit. Each figure is what the whole transaction consumes,",
        "21,000 and calldata included, refunds not taken off. Jobs are paid in the native coin; an ERC-20 adds what",
        "its transfer costs. Where a row covers several transactions, the dearest counts.",
        "",
        f"A transaction may have at most 2^24 = {GAS_LIMIT:,} gas (EIP-7825). A job takes at most {MAX_TRAINERS}",
        f"trainers and {MAX_REFERENCES} vectors of its referee; its dearest settlement stays below that.",
        "",
        "| transaction | " + " | ".join(f"{size} trainers" for size in sizes) + " |",
        "|---|" + "---:|" * len(sizes),
    ]
    for row, title in ROWS.items():
        lines.append(f"| {title} | " + " | ".join(f"{results['gas'][row][size]:,}" for size in sizes) + " |")
    settle = results["gas"]["settle later"]
    lines += [
        "",
        "A settlement is verified, decided, paid and logged in one transaction. Its proof is one for the development",
        "set-up, its usual matrix one of updates that fill all eight bytes of nearly every entry; a quarter of the",
        "trainers is tolerated as faulty. Gas does not depend on the dimension of the model. In a later round the",
        "words that a settlement writes are not zero any more.",
        "",
        "| settlement | goal | measured |",
        "|---|---:|---:|",
    ]
    lines += [f"| {goal.name} | {goal.limit:,} | {goal.measured:,} |" for goal in settlement_goals(document)]
    published = published_gas.section(settle, max(results["gas"]["submit"].values()))
    return "\n\n".join(["\n".join(lines), rule_gas.section(results["rule"]).rstrip("\n"), published])


def write(document: dict[str, Any], results: Path = RESULTS, page: Path = TABLE) -> None:
    """Write the JSON file and the page, but for its section on the Gram proof, which stays."""
    write_results(results, document["seed"], document["results"])
    kept = gram_gas.section_of(page.read_text("utf-8")) if page.exists() else ""
    page.write_text(gram_gas.with_section(table(document), kept) if kept else table(document), "utf-8")


def main() -> int:
    """Measure, write both files, and say what is over the limit."""
    document = run(progress=lambda size, row, used: print(f"{size:4} {row:20} {used:12,}", flush=True))
    write(document)
    found = faults(document)
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
