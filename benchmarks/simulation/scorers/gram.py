"""The market's own values on floats: the Shapley value of the quadratic game in closed form.

`contribution.shapley` has the formula, its source (Cai 2024, arXiv 2406.11730) and the integers that the contract
computes with; this twin is for experiments, where gains and curvature are not quantised.
"""

from __future__ import annotations

import numpy as np

from benchmarks.simulation.scorers.coalitions import ScorerError, Valuation, Values
from contribution.shapley import exact_coefficients


def linear_shapley(gains: Values) -> Valuation:
    """Return the Shapley values of `U(T) = 2 b(T) / t`.

    Parameters
    ----------
    gains
        b, shape (n,): inner products of the updates with the reference.
    """
    return quadratic_shapley(gains, np.zeros((len(gains), len(gains))))


def quadratic_shapley(gains: Values, curvature: Values) -> Valuation:
    """Return the Shapley values of `U(T) = 2 b(T) / t - K(T, T) / t^2`.

    Parameters
    ----------
    gains
        b, shape (n,).
    curvature
        K, shape (n, n), symmetric.

    Raises
    ------
    ScorerError
        If the shapes do not fit.
    """
    n = len(gains)
    if n < 1 or curvature.shape != (n, n):
        raise ScorerError(
            f"{n} gains need a curvature of shape ({n}, {n}) and at least one trainer, not {curvature.shape}"
        )
    c = exact_coefficients(n)
    own = np.diagonal(curvature)
    cross = curvature.sum(axis=1) - own
    pairs = curvature.sum() - own.sum() - 2 * cross
    return Valuation(
        np.asarray(
            float(c.own_gain) * gains
            - float(c.other_gains) * (gains.sum() - gains)
            - float(c.own_curvature) * own
            - float(c.cross_curvature) * cross
            + float(c.other_curvatures) * (own.sum() - own)
            + float(c.other_pairs) * pairs
        ),
        0,
    )
