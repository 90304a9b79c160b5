"""The weighted sum of the updates of a round, in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from contribution.errors import RuleInputError
from contribution.gram import IntegerRow

_INT64_LIMIT = 2**63


def weighted_sum(updates: Sequence[IntegerRow] | IntegerRow, weights: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return `sum_i w_i q_i`, exactly.

    Parameters
    ----------
    updates
        m rows of equal length d, int8, int16 or int32.
    weights
        m integers.

    Returns
    -------
    ndarray
        int64, shape (d,).

    Raises
    ------
    RuleInputError
        If there are no rows, numbers of rows and weights differ, rows differ in length or are not signed integers, or
        a sum of such numbers could leave int64.
    """
    rows = [np.asarray(row) for row in updates]
    if not rows or len(rows) != len(weights):
        raise RuleInputError(
            f"{len(rows)} updates and {len(weights)} weights make no sum; give one weight for each of at least 1 update"
        )
    for index, row in enumerate(rows):
        if row.dtype.kind != "i" or row.shape != (rows[0].size,):
            raise RuleInputError(
                f"update {index} is an array of {row.dtype} and shape {row.shape}; expected a vector of "
                f"{rows[0].size} signed integers"
            )
    # A coordinate's type bounds it, so that the check costs no pass over the data.
    bound = sum(abs(weight) * -int(np.iinfo(row.dtype).min) for row, weight in zip(rows, weights, strict=True))
    if bound >= _INT64_LIMIT:
        raise RuleInputError(
            f"the weighted sum could reach {bound}, beyond the 64-bit limit of {_INT64_LIMIT - 1}; "
            "use smaller weights or coordinates of fewer bits"
        )
    total = np.zeros(rows[0].size, dtype=np.int64)
    for row, weight in zip(rows, weights, strict=True):
        if weight:
            total += row.astype(np.int64) * weight
    return total
