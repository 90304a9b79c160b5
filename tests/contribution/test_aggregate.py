"""The weighted sum of updates is exact or refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contribution.aggregate import weighted_sum
from contribution.errors import RuleInputError


@given(arrays("int16", (4, 6)), st.lists(st.integers(0, 2**16), min_size=4, max_size=4))
def test_it_equals_the_sum_in_python_integers(updates, weights) -> None:
    expected = [sum(w * int(x) for w, x in zip(weights, column, strict=True)) for column in updates.T]
    total = weighted_sum(updates, weights)
    assert total.dtype == np.int64
    assert total.tolist() == expected


def test_the_largest_round_fits() -> None:
    updates = [np.full(3, -(2**15), dtype=np.int16)] * 255
    assert weighted_sum(updates, [257] * 255).tolist() == [-(2**15) * 257 * 255] * 3


def test_a_sum_that_could_leave_64_bits_is_refused() -> None:
    updates = np.full((2, 1), 1, dtype=np.int32)
    with pytest.raises(RuleInputError, match="could reach 9223372036854775808"):
        weighted_sum(updates, [2**31, 2**31])
    assert weighted_sum(updates, [2**31, 2**31 - 1]).tolist() == [2**32 - 1]


@pytest.mark.parametrize(
    ("updates", "weights", "message"),
    [
        ([], [], "0 updates and 0 weights"),
        ([np.zeros(2, np.int16)], [1, 2], "1 updates and 2 weights"),
        ([np.zeros(2, np.int16), np.zeros(3, np.int16)], [1, 1], r"update 1 is an array of int16 and shape \(3,\)"),
        ([np.zeros(2)], [1], "update 0 is an array of float64"),
        ([np.zeros(2, np.uint16)], [1], "update 0 is an array of uint16"),
    ],
)
def test_what_makes_no_sum_is_refused(updates, weights, message) -> None:
    with pytest.raises(RuleInputError, match=message):
        weighted_sum(updates, weights)
