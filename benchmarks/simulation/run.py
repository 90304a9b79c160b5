"""Running one setting, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from benchmarks.simulation.attacks.backdoor import triggered
from benchmarks.simulation.federation import Federation, prepare
from benchmarks.simulation.round import RoundResult, initial_state, play_round
from benchmarks.simulation.setting import Setting
from benchmarks.simulation.threads import single_thread
from marketplace.training.data import Dataset
from marketplace.training.errors import TrainingError
from marketplace.training.evaluate import Evaluation, evaluate
from marketplace.training.models import parameter_count, set_vector
from marketplace.training.zoo import Vector

# Accuracy on non-IID data goes up and down from round to round; the mean over so many of the last ones does less.
LAST_ROUNDS: Final = 4

Observer = Callable[[Federation, RoundResult], None]


@dataclass(frozen=True, eq=False)
class Run:
    """A setting that has been run.

    Attributes
    ----------
    federation
        Its parties.
    summary
        What is written down of it, as JSON values; see docs/simulation.md. It follows from the setting alone.
    """

    federation: Federation
    summary: dict[str, Any]


def simulate(setting: Setting, data_dir: Path | None = None, observe: Observer | None = None) -> Run:
    """Run a setting without a chain.

    A model that diverges, so that nobody can train on it any more, ends the run early; the summary says so.

    Parameters
    ----------
    setting
        The job.
    data_dir
        Directory with the larger public data sets.
    observe
        Called with the federation and every round's result, with all vectors still in memory, for scorers and tables
        that need more than the summary.

    Raises
    ------
    CairnError
        If data or model do not fit the setting, or the attack can't be carried out.
    """
    with single_thread():
        federation = prepare(setting, data_dir)
        return Run(federation, _play(federation, observe or _ignore))


def _play(federation: Federation, observe: Observer) -> dict[str, Any]:
    setting = federation.setting
    model, judged = federation.build_model(), federation.build_model()
    state = initial_state(federation)
    evaluations = [_evaluate(judged, state.job_model, federation.test)]
    rounds: list[dict[str, Any]] = []
    paid = np.zeros(setting.trainers, dtype=object)
    diverged: dict[str, Any] | None = None
    while state.number <= setting.rounds:
        try:
            result = play_round(federation, model, state)
        except TrainingError as fault:
            diverged = {"round": state.number, "message": str(fault)}
            break
        state = result.next_state
        evaluations.append(_evaluate(judged, state.job_model, federation.test))
        rounds.append(_round_summary(result, evaluations[-1]))
        paid += np.array(result.pay, dtype=object)
        observe(federation, result)
    return {
        "parameters": parameter_count(judged),
        "strength": federation.strength if federation.attack is not None else None,
        "trainers": _trainer_summaries(federation, [int(amount) for amount in paid]),
        "initial": {"accuracy": evaluations[0].accuracy, "loss": _finite(evaluations[0].loss)},
        "rounds": rounds,
        "diverged": diverged,
        "final_accuracy": evaluations[-1].accuracy,
        "final_loss": _finite(evaluations[-1].loss),
        "late_accuracy": float(np.mean([one.accuracy for one in evaluations[1:][-LAST_ROUNDS:] or evaluations])),
        "recall": recalls(judged, federation.test),
        "backdoor_success": _backdoor_success(federation, judged),
        "attackers_pay_share": _attackers_share(federation, [int(amount) for amount in paid]),
    }


def _backdoor_success(federation: Federation, model: nn.Module) -> float | None:
    """Return the share of an attack's target samples that the model takes for what the attackers want.

    Of an attack without target, or without attack, the target is the backdoors'; None if the test set has no such
    samples.
    """
    attack = federation.attack
    wanted = (attack.wanted if attack and attack.wanted else triggered)(federation.test)
    return evaluate(model, wanted).accuracy if len(wanted) else None


def recalls(model: nn.Module, data: Dataset) -> list[float | None]:
    """Return the share of each class's samples that the model recognises; None for a class without samples."""
    with torch.no_grad():
        found = model(torch.tensor(data.x)).argmax(dim=1).numpy() == data.y
    return [float(found[data.y == c].mean()) if (data.y == c).any() else None for c in range(data.classes)]


def _evaluate(model: nn.Module, vector: Vector, data: Dataset) -> Evaluation:
    set_vector(model, vector)
    return evaluate(model, data)


def _round_summary(result: RoundResult, evaluation: Evaluation) -> dict[str, Any]:
    outcome = result.outcome
    return {
        "round": result.state.number,
        "accuracy": evaluation.accuracy,
        "loss": _finite(evaluation.loss),
        "void": outcome.void,
        "reference_used": outcome.reference_used,
        "weights": list(outcome.weights),
        "reasons": [reason.value for reason in outcome.reasons],
        "contributions": list(outcome.contributions),
        "pay": list(result.pay),
        "clipped": [row.clipped for row in result.submissions.quantised],
    }


def _trainer_summaries(federation: Federation, paid: list[int]) -> list[dict[str, Any]]:
    honest = federation.setting.honest
    return [
        {"attacker": k >= honest, "samples": samples, "level": level, "seat": int(seat), "pay": pay}
        for k, (samples, level, seat, pay) in enumerate(
            zip(federation.samples, federation.levels, federation.seats, paid, strict=True)
        )
    ]


def _attackers_share(federation: Federation, paid: list[int]) -> float | None:
    """Return the attackers' share of what was paid; None if nothing was."""
    total = sum(paid)
    return sum(paid[federation.setting.honest :]) / total if total else None


def _finite(value: float) -> float | None:
    """Return a loss, None where it is not finite, which JSON can't say."""
    return value if np.isfinite(value) else None


def _ignore(_federation: Federation, _result: RoundResult) -> None:
    return None
