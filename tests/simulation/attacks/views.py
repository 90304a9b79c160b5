"""Small rounds for tests of attacks."""

from collections.abc import Callable

import numpy as np

from benchmarks.simulation.attacks import AttackView
from contribution.outcome import RuleOutcome


def make_view(
    *,
    k: int = 3,
    h: int = 7,
    d: int = 40,
    round: int = 2,
    rounds: int = 10,
    seed: int = 1,
    strength: float = 1.0,
    decide: Callable[..., RuleOutcome] | None = None,
) -> AttackView:
    """Return a round in which updates are one common direction and as much noise."""
    data = np.random.default_rng([seed, 99])
    common = data.standard_normal(d)
    return AttackView(
        round=round,
        rounds=rounds,
        trainers=k + h,
        own=common + data.standard_normal((k, d)),
        first_own=common + data.standard_normal((k, d)),
        honest=common + data.standard_normal((h, d)),
        model=data.standard_normal(d) * 10,
        initial_model=data.standard_normal(d) * 10,
        last_aggregate=common + 0.3 * data.standard_normal(d),
        generator=np.random.default_rng(seed),
        decide=decide,
        strength=strength,
    )


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Return the cosine of two vectors."""
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))


def cosines(rows: np.ndarray) -> np.ndarray:
    """Return the cosines of all pairs of different rows."""
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return (units @ units.T)[np.triu_indices(len(rows), 1)]
