"""Published ways to average updates, for comparison with the market's rules: they weight updates and pay nobody.

Each is a function of the Gram matrix alone: all of them are weighted sums whose weights follow from distances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from contribution.gram import GramMatrix
from contribution.multi_krum import krum_scores, select_lowest

Weights = npt.NDArray[np.float64]
# Takes the Gram matrix of the n updates, int64 (n, n); the tolerated number f; each trainer's number of samples.
Baseline = Callable[[GramMatrix, int, Sequence[int]], Weights]

_WEISZFELD_STEPS: Final = 64
# In units of the largest norm.
_SMOOTHING: Final = 1e-6


def mean(gram: GramMatrix, tolerated: int, samples: Sequence[int]) -> Weights:  # noqa: ARG001 - see `Baseline`
    """Weight all alike."""
    return np.full(len(gram), 1 / len(gram))


def weighted_mean(gram: GramMatrix, tolerated: int, samples: Sequence[int]) -> Weights:  # noqa: ARG001 - see `Baseline`
    """Weight by number of samples: federated averaging (McMahan et al. 2017, arXiv 1602.05629)."""
    sizes = np.array(samples, dtype=np.float64)
    sizes /= sizes.sum()
    return sizes


def multi_krum(gram: GramMatrix, tolerated: int, samples: Sequence[int]) -> Weights:  # noqa: ARG001 - see `Baseline`
    """Average the `n - f` updates of the lowest Krum score (Blanchard et al. 2017, arXiv 1703.02757)."""
    n = len(gram)
    kept = select_lowest(krum_scores(gram.tolist(), range(n), tolerated), n - tolerated)
    weights = np.zeros(n)
    weights[kept] = 1 / len(kept)
    return weights


def nnm_multi_krum(gram: GramMatrix, tolerated: int, samples: Sequence[int]) -> Weights:  # noqa: ARG001
    """Replace each update by the mean of its `n - f` nearest, itself included, then do multi-Krum.

    Nearest-neighbour mixing of Allouah et al. 2023, "Fixing by Mixing: A Recipe for Optimal Byzantine ML under
    Heterogeneity", arXiv 2302.01772. With the 0/1 matrix M of the neighbourhoods, the mixed updates' Gram matrix is
    `M G M' / (n - f)^2`; scores are compared only, so the divisor is left out and all stays in integers.
    """
    n = len(gram)
    exact = gram.astype(object)
    diagonal = np.diag(exact)
    distances = diagonal[:, None] + diagonal[None, :] - 2 * exact
    mixing = np.zeros((n, n), dtype=object)
    for i in range(n):
        # The trainer itself is at distance 0; ties go to the lower index, itself first.
        nearest = sorted(range(n), key=lambda j: (distances[i, j], j != i, j))[: n - tolerated]
        mixing[i, nearest] = 1
    mixed = mixing @ exact @ mixing.T
    kept = select_lowest(krum_scores(mixed.tolist(), range(n), tolerated), n - tolerated)
    rows = mixing[kept].astype(np.float64)
    weights: Weights = rows.sum(axis=0) / (len(kept) * (n - tolerated))
    return weights


def geometric_median(gram: GramMatrix, tolerated: int, samples: Sequence[int]) -> Weights:  # noqa: ARG001
    """Weights of the smoothed geometric median: RFA (Pillutla et al. 2019, arXiv 1912.13445), all updates alike.

    Weiszfeld's iteration `w_i ~ 1 / max(nu, |q_i - z|)`, `z = sum_j w_j q_j`, with
    `|q_i - z|^2 = G_ii - 2 (G w)_i + w' G w`.
    """
    scaled = gram.astype(np.float64) / max(1.0, float(np.diag(gram).max()))
    weights = np.full(len(gram), 1 / len(gram))
    for _ in range(_WEISZFELD_STEPS):
        products = scaled @ weights
        squared = np.maximum(np.diag(scaled) - 2 * products + weights @ products, 0.0)
        inverse = 1 / np.maximum(np.sqrt(squared), _SMOOTHING)
        weights = inverse / inverse.sum()
    return weights


BASELINES: Final[Mapping[str, Baseline]] = MappingProxyType(
    {
        "mean": mean,
        "weighted-mean": weighted_mean,
        "multi-krum": multi_krum,
        "nnm-multi-krum": nnm_multi_krum,
        "geometric-median": geometric_median,
    }
)
