"""Over many seeds: how close the demonstration comes to averaging over the honest trainers, and what cheats earn."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.goals import Goal
from marketplace.demo.report import Report, build_report, examine
from marketplace.demo.run import DemoRun, DemoSettings, run_demo
from marketplace.training.scenario import Role

# Where the goals apply; on other data the figures are reported without judgement.
JUDGED_DATASET: Final = "digits"
MEDIAN_GAP_POINTS: Final = 1.5
WORST_GAP_POINTS: Final = 4.0
POISONER_SHARE: Final = 0.01
POISONERS: Final = (Role.SIGN_FLIP, Role.LABEL_FLIP)


@dataclass(frozen=True)
class SeedResult:
    """One demonstration.

    Attributes
    ----------
    seed
        Its seed.
    final_accuracy, fedavg_honest_accuracy
        On the test set, from 0 to 1.
    gap_points
        By how many percentage points the market's model is worse than the average over the honest trainers; negative
        if it is better.
    poisoner_paid_wei, free_rider_paid_wei
        What each cheat was paid, by role.
    reward_wei
        What all rounds could pay.
    honest_selected
        Share of the honest trainers' updates that were kept.
    honest_unpaid
        How many honest trainers were paid nothing.
    seconds
        Of the whole demonstration.
    """

    seed: int
    final_accuracy: float
    fedavg_honest_accuracy: float
    gap_points: float
    poisoner_paid_wei: dict[str, int]
    free_rider_paid_wei: int
    reward_wei: int
    honest_selected: float
    honest_unpaid: int
    seconds: float

    @property
    def poisoner_shares(self) -> list[float]:
        """What each poisoner was paid as a share of the reward."""
        return [paid / self.reward_wei for paid in self.poisoner_paid_wei.values()]


def run(settings: Sequence[DemoSettings], progress: Callable[[SeedResult], None]) -> list[SeedResult]:
    """Run demonstrations one after the other, each checked to the wei.

    Parameters
    ----------
    settings
        Of each.
    progress
        Called with each result as it comes.

    Raises
    ------
    CairnError
        If one of them does not come to its end or its money does not add up.
    """
    results = []
    for one in settings:
        finished = run_demo(one, _silent)
        results.append(summarise(build_report(finished, examine(finished), {})))
        progress(results[-1])
    return results


def summarise(report: Report) -> SeedResult:
    """Return what the benchmark keeps of a demonstration's report."""
    paid = {trainer["role"]: trainer["paid_wei"] for trainer in report["trainers"]}
    honest = [trainer for trainer in report["trainers"] if trainer["role"] == Role.HONEST]
    final, averaged = report["final_accuracy"], report["fedavg_honest_accuracy"]
    rounds = len(report["rounds"])
    return SeedResult(
        seed=report["seed"],
        final_accuracy=final,
        fedavg_honest_accuracy=averaged,
        gap_points=100 * (averaged - final),
        poisoner_paid_wei={role.value: paid[role] for role in POISONERS},
        free_rider_paid_wei=paid[Role.FREE_RIDER],
        reward_wei=report["rounds_planned"] * report["reward_per_round_wei"],
        honest_selected=sum(trainer["rounds_selected"] for trainer in honest) / (rounds * len(honest)),
        honest_unpaid=sum(trainer["paid_wei"] == 0 for trainer in honest),
        seconds=report["seconds"]["total"],
    )


def goals(results: Sequence[SeedResult]) -> list[Goal]:
    """Return the goals with what the results come to."""
    gaps = [result.gap_points for result in results]
    shares = [share for result in results for share in result.poisoner_shares]
    free_riders = [float(result.free_rider_paid_wei) for result in results]
    return [
        Goal("median gap to FedAvg over the honest trainers, points", statistics.median(gaps), MEDIAN_GAP_POINTS),
        Goal("worst gap, points", max(gaps), WORST_GAP_POINTS),
        Goal("largest share of the reward paid to a poisoner", max(shares), POISONER_SHARE),
        Goal("median share of the reward paid to a poisoner", statistics.median(shares), 0.0),
        Goal("most paid to a free rider, wei", max(free_riders), 0.0),
    ]


def as_json(settings: DemoSettings, results: Sequence[SeedResult]) -> dict[str, Any]:
    """Return the results as they are written down; `met` is None where the goals don't apply."""
    judged = settings.dataset == JUDGED_DATASET
    return {
        "dataset": settings.dataset,
        "rounds": settings.rounds,
        "trainers": settings.trainers,
        "seeds": [vars(result) for result in results],
        "goals": [
            {"name": goal.name, "measured": goal.measured, "limit": goal.limit, "met": goal.met if judged else None}
            for goal in goals(results)
        ],
    }


def _silent(_run: DemoRun, _event: str) -> None:
    return None
