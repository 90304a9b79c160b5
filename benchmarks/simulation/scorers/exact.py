"""The exact Shapley value, from the utility of every coalition.

Shapley 1953, "A Value for n-person Games": `phi_i = sum_{T without i} t! (n-t-1)! / n! (U(T + i) - U(T))`.
"""

from __future__ import annotations

from math import comb

import numpy as np

from benchmarks.simulation.scorers.coalitions import Counted, ScorerError, Utility, Valuation, Values, all_masks


def shapley_of_table(table: Values) -> Values:
    """Return the Shapley values of a game given by all its utilities.

    Parameters
    ----------
    table
        Utilities by coalition number, shape (2^n,).

    Raises
    ------
    ScorerError
        If the length is no power of two from 2 on.
    """
    n = len(table).bit_length() - 1
    if n < 1 or len(table) != 2**n:
        raise ScorerError(f"a table of {len(table)} utilities is no game; it needs one for each of 2^n coalitions")
    sizes = all_masks(n).sum(axis=1)
    numbers = np.arange(2**n)
    weight_of_size = np.array([1.0 / (n * comb(n - 1, size)) for size in range(n)])
    values = np.empty(n)
    for trainer in range(n):
        without = numbers[(numbers >> trainer) & 1 == 0]
        marginal = table[without | (1 << trainer)] - table[without]
        values[trainer] = weight_of_size[sizes[without]] @ marginal
    return values


def exact_shapley(utility: Utility, n: int) -> Valuation:
    """Return the exact Shapley values by asking for the utility of all 2^n coalitions.

    Parameters
    ----------
    utility
        Of a coalition, given as a mask of shape (n,).
    n
        Trainers, at most 24.
    """
    counted = Counted(utility)
    table = np.array([counted(mask) for mask in all_masks(n)])
    return Valuation(shapley_of_table(table), counted.evaluations)
