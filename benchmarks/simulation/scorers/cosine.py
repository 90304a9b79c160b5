"""Cosine to the aggregate: the cosine gradient Shapley value.

Xu et al. 2021, "Gradient Driven Rewards to Guarantee Fairness in Collaborative Machine Learning", NeurIPS (CGSV). It is
the paper's cheap stand-in for the Shapley value of the utility cosine; no model is evaluated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.scorers.coalitions import Valuation


def cosine_to_aggregate(updates: npt.NDArray[np.floating]) -> Valuation:
    """Return each update's cosine with the sum of all updates, each normalised to length 1 as in the paper.

    Parameters
    ----------
    updates
        Shape (n, d). A zero update has the value 0.
    """
    rows = np.asarray(updates, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    units = rows / np.where(norms > 0, norms, 1.0)
    aggregate = units.sum(axis=0)
    length = float(np.linalg.norm(aggregate))
    return Valuation(np.asarray(units @ aggregate / (length or 1.0)), 0)
