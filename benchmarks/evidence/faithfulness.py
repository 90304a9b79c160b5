"""Is a trainer's value what its update is worth? Scorers against the exact Shapley value, in eight scenarios.

The truth is the exact Shapley value of the game of the mean, `U(T)` = fall of the loss on a validation set by the mean
of T's updates, from all coalitions, summed over the rounds. Every scorer sees the referee's samples, and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.evidence.plots import scorer_plot
from benchmarks.goals import Goal
from benchmarks.simulation.federation import Federation
from benchmarks.simulation.partition import Partition
from benchmarks.simulation.presets import PRESETS
from benchmarks.simulation.resume import resumed
from benchmarks.simulation.round import RoundResult
from benchmarks.simulation.run import simulate
from benchmarks.simulation.scorers import (
    coalition_utilities,
    cosine_to_aggregate,
    linear_shapley,
    logit_changes,
    logit_shapley,
    quadratic_shapley,
    shapley_of_table,
)
from benchmarks.simulation.setting import FORMAT, Setting
from contribution.curvature import CURVATURE_BITS
from contribution.rules import DEFAULT_RULE
from marketplace.training.expansion import expand
from marketplace.training.gradient import reference_gradient
from marketplace.training.models import set_vector
from marketplace.training.reference import REFEREE_SEED

PAGE: Final = Path("docs/evidence/faithfulness.md")
PRESETS_JUDGED: Final = ("digits-mlp", "fashion-mlp", "mnist-cnn")
TRUTH: Final = "truth"
EXACT: Final = "exact, same samples"
GRAM: Final = "Gram, 8 curvature vectors"
SCORERS: Final = (EXACT, "logit changes", GRAM, "Gram, gradient alone", "cosine to the aggregate", "pay")
ROUNDS: Final = 10
REFERENCE_VECTORS: Final = 9
FREE_RIDERS: Final = 2
POISONERS: Final = 3
# Goals: Spearman below that of exact evaluation, and by itself.
LARGEST_GAP: Final = 0.05
LEAST_SPEARMAN: Final = {"mnist-cnn": 0.76}
LEAST_RANKED_LAST: Final = 0.95

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scenario:
    """Who differs from whom, and how: a partition, and trainers that cheat."""

    partition: Partition
    skew: float
    attack: str | None = None
    attackers: int = 0


SCENARIOS: Final = {
    "size skew": Scenario(Partition.SIZE_SKEW, 10.0),
    "label noise": Scenario(Partition.LABEL_NOISE, 0.8),
    "non-IID": Scenario(Partition.DIRICHLET, 0.3),
    "random free riders": Scenario(Partition.IID, 0.0, "free-rider-random", FREE_RIDERS),
    "replaying free riders": Scenario(Partition.IID, 0.0, "free-rider-replay", FREE_RIDERS),
    "sign flip": Scenario(Partition.IID, 0.0, "sign-flip-4", POISONERS),
    "ALIE": Scenario(Partition.IID, 0.0, "alie-omniscient", POISONERS),
    "label flip": Scenario(Partition.IID, 0.0, "label-flip", POISONERS),
}


def setting_of(preset: str, scenario: str, seed: int) -> Setting:
    """Return the job of a scenario: the preset's data, model and training, decided by the default rule."""
    chosen = SCENARIOS[scenario]
    return replace(
        PRESETS[preset],
        partition=chosen.partition.value,
        skew=chosen.skew,
        attack=chosen.attack,
        attackers=chosen.attackers,
        rule=DEFAULT_RULE,
        reference_vectors=REFERENCE_VECTORS,
        rounds=ROUNDS,
        seed=seed,
    )


def measure(preset: str, scenario: str, seed: int, data_dir: Path | None) -> dict[str, Any]:
    """Run a scenario and return each scorer's values, summed over the rounds.

    Returns
    -------
    dict
        `values`: by scorer, and the truth, a list of n floats; `attackers`: how many trainers cheated, the last ones;
        `format` and `digest` of the setting, as a line of `benchmarks.simulation.results` has them.
    """
    setting = setting_of(preset, scenario, seed)
    totals: dict[str, Values] = {}

    def observe(federation: Federation, result: RoundResult) -> None:
        for name, values in _values(federation, result).items():
            totals[name] = totals.get(name, np.zeros(setting.trainers)) + values

    simulate(setting, data_dir, observe)
    values = {name: [float(value) for value in total] for name, total in totals.items()}
    row = {"preset": preset, "scenario": scenario, "seed": seed, "attackers": setting.attackers, "values": values}
    return {"format": FORMAT, "digest": setting.digest, **row}


def run(
    seeds: Mapping[str, Sequence[int]],
    data_dir: Path | None,
    progress: Callable[[dict[str, Any]], None],
    *,
    out: Path | None = None,
    jobs: int = 1,
) -> list[dict[str, Any]]:
    """Measure every scenario of every preset with every seed, in several processes.

    Parameters
    ----------
    seeds
        By preset.
    data_dir
        As in `measure`.
    progress
        Told every row as it comes, first those that are in the file.
    out
        A file to which each row is appended; what is in it already is not measured again. None keeps rows in memory.
    jobs
        Number of processes.

    Returns
    -------
    list of dict
        The rows, by preset, then seed, then scenario.

    Raises
    ------
    CampaignError
        If a process was killed; what was done is in the file.
    ResultsError
        If the file can't be read or written, or is none.
    """
    wanted = {
        setting_of(preset, scenario, seed).digest: (preset, scenario, seed)
        for preset, numbers in seeds.items()
        for seed in numbers
        for scenario in SCENARIOS
    }
    rows: dict[str, dict[str, Any]] = {}
    with closing(resumed(wanted, partial(_measured, data_dir), out, jobs=jobs)) as measured:
        for _, row, _ in measured:
            rows[row["digest"]] = row
            progress(row)
    return [rows[digest] for digest in wanted]


def _measured(data_dir: Path | None, wanted: tuple[str, str, int]) -> dict[str, Any]:
    return measure(*wanted, data_dir)


def spearman(row: dict[str, Any], scorer: str) -> float:
    """Return the rank correlation of a scorer's values with the truth; 0 if it values all alike."""
    values, truth = row["values"][scorer], row["values"][TRUTH]
    if len(set(values)) == 1 or len(set(truth)) == 1:
        return 0.0
    return float(stats.spearmanr(truth, values).statistic)


def ranks_cheats_last(row: dict[str, Any], scorer: str) -> bool:
    """Tell whether every trainer that cheated is valued below every other; equal values count as below."""
    values, honest = row["values"][scorer], len(row["values"][scorer]) - row["attackers"]
    return bool(max(values[honest:]) <= min(values[:honest]))


def mean_spearman(rows: Sequence[dict[str, Any]], scorer: str) -> float:
    """Return the mean over scenarios of the mean over seeds."""
    by_scenario: dict[str, list[float]] = {}
    for row in rows:
        by_scenario.setdefault(row["scenario"], []).append(spearman(row, scorer))
    return mean(mean(values) for values in by_scenario.values())


def goals(preset: str, rows: Sequence[dict[str, Any]]) -> list[Goal]:
    """Return what the scorer of the market is judged by: issue "Fair pay and robust training", line 1."""
    ours, exact = mean_spearman(rows, GRAM), mean_spearman(rows, EXACT)
    found = [Goal(f"{preset}: Spearman below exact evaluation of the same samples", exact - ours, LARGEST_GAP)]
    if preset in LEAST_SPEARMAN:
        found = [Goal(f"{preset}: Spearman below 1", 1 - ours, 1 - LEAST_SPEARMAN[preset])]
    caught = [row for row in rows if row["attackers"] and ranks_cheats_last(row, EXACT)]
    if caught:
        missed = mean(not ranks_cheats_last(row, GRAM) for row in caught)
        name = f"{preset}: runs in which exact evaluation ranks cheats last and ours does not, of 1"
        found.append(Goal(name, missed, 1 - LEAST_RANKED_LAST))
    return found


def write_page(rows: Sequence[dict[str, Any]], found: Sequence[Goal], path: Path = PAGE) -> None:
    """Write the page with a table for each preset."""
    text = [
        "# Is pay fair? Scorers against the exact Shapley value",
        "",
        "Written by `cairn bench faithfulness`; machine and versions are in `benchmarks/results/faithfulness.json`.",
        "Rank correlation (Spearman) with the exact Shapley value of the game of the mean, from all 1,023 coalitions",
        f"on a validation set, summed over {ROUNDS} rounds; mean over seeds. Every scorer sees the",
        "referee's held-out samples alone: `exact, same samples` is the ceiling for so much data, and `pay` is what",
        "the default rule paid, which values another game and shares out rewards that fall with the rounds, whatever",
        "they gained (see [scoring](../scoring.md)).",
        "",
        "![Mean rank correlation by preset and scorer](faithfulness.svg)",
    ]
    for preset in dict.fromkeys(row["preset"] for row in rows):
        chosen = [row for row in rows if row["preset"] == preset]
        count = len({row["seed"] for row in chosen})
        text += [
            "",
            f"## {preset}, {count} seed{'s' if count > 1 else ''}",
            "",
            "| scorer | mean | " + " | ".join(SCENARIOS) + " |",
        ]
        text.append("|---|" + "---:|" * (len(SCENARIOS) + 1))
        for scorer in SCORERS:
            columns = [
                mean(spearman(row, scorer) for row in chosen if row["scenario"] == scenario) for scenario in SCENARIOS
            ]
            told = " | ".join(f"{column:.2f}" for column in columns)
            text.append(f"| {scorer} | {mean_spearman(chosen, scorer):.3f} | {told} |")
    text += ["", "## Goals", ""]
    text += [
        f"- {goal.name}: {goal.measured:.3f}, at most {goal.limit:.3g}{'' if goal.met else ': MISSED'}"
        for goal in found
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text) + "\n", "utf-8")
    by_preset: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_preset.setdefault(row["preset"], []).append(row)
    plotted = {
        preset: {scorer: mean_spearman(chosen, scorer) for scorer in SCORERS} for preset, chosen in by_preset.items()
    }
    path.with_suffix(".svg").write_bytes(scorer_plot(plotted))


def _values(federation: Federation, result: RoundResult) -> dict[str, Values]:
    """Return every scorer's values of one round, in nats but for cosines and pay."""
    referee, validation = federation.referee, federation.validation
    if referee is None or validation is None:
        raise ValueError("a scenario needs a referee and a validation set; give the preset both")
    model, start = federation.build_model(), result.state.model
    set_vector(model, start)
    unit = 2.0**federation.setting.scale_exponent
    updates = np.stack(result.submissions.updates) / unit
    training = federation.setting.training.at_round(result.state.number - 1, REFEREE_SEED)
    # The referee's scale, undone: its first vector is the slope times alpha.
    slope = expand(model, referee, REFERENCE_VECTORS - 1, training).slope
    alpha = np.linalg.norm(result.references[0].astype(np.float64)) / np.linalg.norm(slope)
    gains, curvature = _gram_game(result, float(alpha) * unit)
    return {
        TRUTH: shapley_of_table(coalition_utilities(model, start, updates, validation)),
        EXACT: shapley_of_table(coalition_utilities(model, start, updates, referee)),
        "logit changes": logit_shapley(logit_changes(model, start, updates, referee)).values,
        GRAM: quadratic_shapley(gains, curvature).values / 2,
        "Gram, gradient alone": linear_shapley(updates @ reference_gradient(model, referee)).values / 2,
        "cosine to the aggregate": cosine_to_aggregate(updates).values,
        "pay": np.array(result.pay, dtype=np.float64),
    }


def _gram_game(result: RoundResult, unit: float) -> tuple[Values, Values]:
    """Return gains and curvature in nats from the round's matrix of integers, in which a nat is so many units."""
    n = len(result.pay)
    gram = result.gram.astype(np.float64)
    products = gram[:n, n + 1 :]
    return gram[:n, n] / unit, products @ products.T / 2.0**CURVATURE_BITS / unit
