"""Leave-one-out: what is lost if one trainer is missing from the whole."""

from __future__ import annotations

import numpy as np

from benchmarks.simulation.scorers.coalitions import Counted, Utility, Valuation


def leave_one_out(utility: Utility, n: int) -> Valuation:
    """Return `U(N) - U(N without i)` for each trainer; n + 1 evaluations.

    Parameters
    ----------
    utility
        Of a coalition, given as a mask of shape (n,).
    n
        Trainers.
    """
    counted = Counted(utility)
    everybody = np.ones(n, dtype=np.bool_)
    whole = counted(everybody)
    others = ~np.eye(n, dtype=np.bool_)
    return Valuation(np.array([whole - counted(mask) for mask in others]), counted.evaluations)
