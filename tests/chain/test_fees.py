"""What is offered for gas never passes the cap, and what replaces a transaction is enough for nodes to take it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.chain.errors import FeeCapError
from marketplace.chain.fees import GWEI, Fees, going_fees, raised_fees

FEE = st.integers(0, 10**15)


@given(FEE, FEE)
def test_a_new_transaction_pays_the_next_block_within_the_cap(base_fee: int, cap: int) -> None:
    if base_fee > cap:
        with pytest.raises(FeeCapError):
            going_fees(base_fee, cap)
        return
    fees = going_fees(base_fee, cap)
    assert base_fee + fees.tip <= fees.most <= cap


@given(FEE, FEE, FEE, FEE)
def test_a_replacement_offers_an_eighth_more_in_both_fees_or_is_not_made(
    base_fee: int, most: int, tip: int, cap: int
) -> None:
    offered = Fees(max(most, tip), min(most, tip))
    if base_fee > cap:
        return
    raised = raised_fees(offered, going_fees(base_fee, cap), cap)
    if raised is None:
        assert 8 * cap < 9 * offered.most
        return
    assert raised.tip <= raised.most <= cap
    assert (8 * raised.most >= 9 * offered.most, 8 * raised.tip >= 9 * offered.tip) == (True, True)


def test_fees_that_are_raised_over_and_over_end_at_the_cap() -> None:
    fees: Fees | None = going_fees(GWEI, 200 * GWEI)
    steps = 0
    while fees is not None:
        last, fees = fees, raised_fees(fees, going_fees(GWEI, 200 * GWEI), 200 * GWEI)
        steps += 1
    assert 200 * GWEI * 8 // 9 < last.most <= 200 * GWEI
    assert steps == 36
