"""Pay and strikes follow from contributions in integers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution.errors import RuleInputError
from contribution.payout import harmful, payouts

CONTRIBUTIONS = st.lists(st.integers(-(2**200), 2**200), max_size=20)


def test_positive_contributions_share_the_reward_rounded_down() -> None:
    assert payouts([1, 0, -5, 2], 100) == [33, 0, 0, 66]


def test_nobody_is_paid_when_nobody_contributed() -> None:
    assert payouts([0, -1, -2], 100) == [0, 0, 0]
    assert payouts([], 100) == []


@given(CONTRIBUTIONS, st.integers(0, 2**128))
def test_pay_is_never_negative_and_never_more_than_the_reward(contributions, reward) -> None:
    paid = payouts(contributions, reward)
    assert all(amount >= 0 for amount in paid)
    assert sum(paid) <= reward
    assert all(amount == 0 for amount, value in zip(paid, contributions, strict=True) if value <= 0)
    if any(value > 0 for value in contributions):
        assert sum(paid) > reward - len(contributions)


@given(CONTRIBUTIONS, st.integers(1, 2**64), st.integers(0, 2**64))
def test_pay_does_not_depend_on_the_unit_of_contributions(contributions, unit, reward) -> None:
    assert payouts([unit * value for value in contributions], reward) == payouts(contributions, reward)


def test_a_strike_needs_harm_beyond_the_tolerance() -> None:
    contributions = [600, 400, -50, -51, 0]
    assert harmful(contributions, 500, reference_used=True) == [False, False, False, True, False]
    assert harmful(contributions, 0, reference_used=True) == [False, False, True, True, False]


def test_nobody_is_struck_without_reference_or_without_any_positive_contribution() -> None:
    assert harmful([10, -1000], 0, reference_used=False) == [False, False]
    assert harmful([0, -1000], 0, reference_used=True) == [False, False]


def test_amounts_below_zero_are_refused() -> None:
    with pytest.raises(RuleInputError, match="reward is -1"):
        payouts([1], -1)
    with pytest.raises(RuleInputError, match="tolerance is -1"):
        harmful([1], -1, reference_used=True)
