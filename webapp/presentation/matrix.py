"""The matrix that a round was settled with: cosines to look at, and each trainer's fate in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import isqrt
from typing import Final

import numpy as np
import numpy.typing as npt
from eth_typing import ChecksumAddress
from markupsafe import Markup

from contribution.errors import CairnError
from contribution.explanation import explain
from contribution.gram import GramMatrix, unpack_gram
from contribution.rules import RULES
from webapp.presentation.amounts import powers_written

# A packed matrix of m rows has 4 m (m + 1) bytes.
_BYTES_PER_ENTRY: Final = 8
_KEPT_ROUNDS: Final = 256
# Steps of colour between a cosine of 0 and one of 1.
SHADES: Final = 5
# More rows than these are no picture any more.
MOST_SHOWN: Final = 40


@dataclass(frozen=True)
class ShownMatrix:
    """A round's matrix.

    Attributes
    ----------
    accounts
        The accepted trainers, in the matrix's order.
    places
        Those of them that are shown, by their place among `accounts`.
    references
        How many of the last rows are the referee's.
    cosines
        float64, shape (k, k): those of the updates of the trainers that are shown, and of the referee's first vector if
        there is one.
    sentences
        For each trainer, what the rule made of it and why; none if that was not asked for, and None where the rule
        computed here does not say what the chain's events say.
    outlier
        Place of the trainer that stands out most; None if nobody was left out.
    """

    accounts: tuple[ChecksumAddress, ...]
    places: tuple[int, ...]
    references: int
    cosines: npt.NDArray[np.float64]
    sentences: tuple[str, ...] | None
    outlier: int | None

    @property
    def shown(self) -> list[ChecksumAddress]:
        """The trainers that are shown."""
        return [self.accounts[place] for place in self.places]

    @cached_property
    def rows(self) -> tuple[Markup, ...]:
        """The cells of each row: too many for a template to make one by one."""
        return tuple(Markup("".join(map(_cell, row))) for row in self.cosines.tolist())  # noqa: S704 - numbers alone


def shown_matrix(
    rule_name: str,
    gram: bytes,
    accounts: Sequence[ChecksumAddress],
    names: Sequence[str],
    tolerated: int,
    weights: Sequence[int],
    *,
    explained: bool = True,
) -> ShownMatrix:
    """Return a settled round's matrix as it is shown.

    Parameters
    ----------
    rule_name
        The job's rule.
    gram
        The packed matrix, as the event has it.
    accounts
        The accepted trainers, in ascending order.
    names
        What sentences call each.
    tolerated
        Faulty updates that the job tolerates.
    weights
        What the event says that each got.
    explained
        Whether to say what the rule made of each trainer, which takes the rule once more.
    """
    return _shown(rule_name, gram, tuple(accounts), tuple(names), tolerated, tuple(weights), explained)


@lru_cache(_KEPT_ROUNDS)
def _shown(
    rule_name: str,
    gram: bytes,
    accounts: tuple[ChecksumAddress, ...],
    names: tuple[str, ...],
    tolerated: int,
    weights: tuple[int, ...],
    explained: bool,
) -> ShownMatrix:
    rows = rows_of(gram)
    matrix = unpack_gram(gram, rows)
    references, count = rows - len(accounts), len(accounts)
    cosines = _cosines(matrix[: count + min(1, references), : count + min(1, references)])
    outlier = _outlier(cosines, weights)
    places = _least_alike(cosines[:count, :count], outlier)
    rows_shown = [*places, *range(count, len(cosines))]
    sentences = _sentences(rule_name, matrix, references, names, tolerated, weights) if explained else ()
    return ShownMatrix(accounts, places, references, cosines[np.ix_(rows_shown, rows_shown)], sentences, outlier)


def rows_of(gram: bytes) -> int:
    """Return how many rows a packed matrix has."""
    return (isqrt(1 + 8 * (len(gram) // _BYTES_PER_ENTRY)) - 1) // 2


def _cosines(matrix: GramMatrix) -> npt.NDArray[np.float64]:
    """Return the cosines of a matrix of inner products; 0 with an update of zeros."""
    products = matrix.astype(np.float64)
    norms = np.sqrt(np.diagonal(products))
    both = np.outer(norms, norms)
    cosines = np.divide(products, both, out=np.zeros_like(products), where=both > 0)
    np.fill_diagonal(cosines, norms > 0)
    clipped: npt.NDArray[np.float64] = np.clip(cosines, -1, 1)
    return clipped


def _least_alike(cosines: npt.NDArray[np.float64], outlier: int | None) -> tuple[int, ...]:
    """Return those who are least like the others, as many as are shown, in order; of many it is they who matter."""
    likeness = cosines.sum(axis=1)
    if outlier is not None:
        likeness[outlier] = -np.inf
    return tuple(sorted(int(place) for place in np.argsort(likeness, kind="stable")[:MOST_SHOWN]))


def _cell(cosine: float) -> str:
    """Return a cell of a table, in the shade of its number."""
    shade = round(cosine * SHADES)
    style = f"shade{shade}" if shade >= 0 else f"shade-minus{-shade}"
    return f'<td class="{style}">{cosine:.2f}</td>'.replace(">-", ">\N{MINUS SIGN}")


def _sentences(
    rule_name: str,
    matrix: GramMatrix,
    references: int,
    names: tuple[str, ...],
    tolerated: int,
    weights: tuple[int, ...],
) -> tuple[str, ...] | None:
    if rule_name not in RULES:
        return None
    try:
        outcome = RULES[rule_name](matrix, len(names), references, tolerated)
        if outcome.weights != weights:
            return None
        return tuple(map(powers_written, explain(rule_name, matrix, references, outcome, names)))
    except CairnError:
        return None


def _outlier(cosines: npt.NDArray[np.float64], weights: tuple[int, ...]) -> int | None:
    """Return who, of those without a weight, is least like those who have one."""
    kept = [place for place, weight in enumerate(weights) if weight]
    left_out = [place for place, weight in enumerate(weights) if not weight]
    if not kept or not left_out:
        return None
    return left_out[int(np.argmin(cosines[np.ix_(left_out, kept)].sum(axis=1)))]
