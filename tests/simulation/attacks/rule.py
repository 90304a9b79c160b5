"""The project's rule as attackers would ask it."""

from collections.abc import Callable

import numpy as np

from benchmarks.simulation.attacks import AttackView
from contribution.gram import gram_matrix
from contribution.outcome import RuleOutcome
from contribution.rule import evaluate


def rule_on(view: AttackView, tolerated: int | None = None) -> Callable[[np.ndarray], RuleOutcome]:
    """Return what the rule decides of `view.honest` and the attackers' updates; the honest mean is the reference."""
    assert view.honest is not None
    honest = view.honest
    reference = quantised(honest.mean(axis=0, keepdims=True))
    faulty = view.attackers if tolerated is None else tolerated

    def decide(updates: np.ndarray) -> RuleOutcome:
        rows = np.concatenate([quantised(honest), quantised(updates), reference])
        return evaluate(gram_matrix(rows), len(rows) - 1, 1, min(faulty, (len(rows) - 4) // 2))

    return decide


def quantised(updates: np.ndarray) -> np.ndarray:
    """Return updates as signed integers of 16 bits, clipped."""
    return np.clip(np.rint(updates * 256), -(2**15) + 1, 2**15 - 1).astype(np.int16)
