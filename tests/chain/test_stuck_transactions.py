"""Transactions that no block takes: replaced, waited for, sent again; and nonces that others use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.chain import outcomes, tending
from marketplace.chain import transact as module
from marketplace.chain.errors import FeeCapError, InsufficientFundsError, UnconfirmedError
from marketplace.chain.journal import Journals
from marketplace.chain.transaction_record import State
from tests.chain.pool import ACCOUNT, GWEI, Pool, open_pool


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    with open_pool() as opened:
        monkeypatch.setattr(module, "POLL_SECONDS", 0.005)
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.02)
        yield opened


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    return Journals(tmp_path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is mined in these tests while somebody waits, so there is no point in waiting."""
    monkeypatch.setattr(module, "CONFIRM_SECONDS", 0.1)


def leave_pending(pool: Pool, journals: Journals, value: int) -> None:
    with pytest.raises(UnconfirmedError):
        pool.note(value, journals)


@pytest.mark.usefixtures("impatient")
def test_a_stuck_transaction_is_replaced_by_a_dearer_one_and_takes_effect_once(pool: Pool, journals: Journals) -> None:
    leave_pending(pool, journals, 7)
    pool.pass_time(tending.STUCK_SECONDS - 2)
    assert pool.tend(journals) == []
    pool.pass_time(3)
    assert "which was stuck" in pool.tend(journals)[0]
    first, second = pool.journal(journals).record(0).attempts
    assert (second.fees.most * 8, second.fees.tip * 8) >= (first.fees.most * 9, first.fees.tip * 9)
    pool.mine()
    assert pool.note(7, journals)["transactionHash"].to_0x_hex() == second.hash
    assert (pool.noted(), pool.nonce()) == ([7], 1)


@pytest.mark.usefixtures("impatient")
def test_the_replaced_transaction_may_be_mined_instead(pool: Pool, journals: Journals) -> None:
    leave_pending(pool, journals, 7)
    pool.pass_time(tending.STUCK_SECONDS)
    pool.tend(journals)
    first, second = pool.journal(journals).record(0).attempts
    pool.rpc("anvil_dropTransaction", second.hash)
    pool.w3.eth.send_raw_transaction(first.raw)
    pool.mine()
    assert pool.note(7, journals)["transactionHash"].to_0x_hex() == first.hash
    assert (pool.noted(), pool.nonce()) == ([7], 1)


@pytest.mark.usefixtures("impatient")
def test_a_chain_that_stands_still_is_offered_nothing_more(pool: Pool, journals: Journals) -> None:
    leave_pending(pool, journals, 7)
    pool.rpc("evm_increaseTime", 10 * tending.STUCK_SECONDS)
    assert pool.tend(journals) == []


@pytest.mark.usefixtures("impatient")
def test_fees_follow_a_spike_up_to_the_cap_and_go_on_when_it_is_over(pool: Pool, journals: Journals) -> None:
    cap = 100 * GWEI
    with pytest.raises(UnconfirmedError):
        pool.note(7, journals, fee_cap=cap)
    pool.base_fee(40 * GWEI)
    pool.mine()
    assert "Replaced" in pool.tend(journals, fee_cap=cap)[0]
    assert 40 * GWEI < pool.journal(journals).record(0).last.fees.most <= cap
    for _ in range(2):
        pool.base_fee(150 * GWEI)
        pool.mine()
        with pytest.raises(FeeCapError):
            pool.note(7, journals, fee_cap=cap)
    assert max(attempt.fees.most for attempt in pool.journal(journals).record(0).attempts) <= cap
    pool.base_fee(GWEI)
    pool.mine()
    receipt = pool.mining(lambda: pool.note(7, journals, fee_cap=cap))
    assert receipt["effectiveGasPrice"] <= cap
    assert (pool.noted(), pool.nonce()) == ([7], 1)


def test_nothing_is_signed_while_the_chain_is_dearer_than_the_cap(pool: Pool, journals: Journals) -> None:
    pool.base_fee(150 * GWEI)
    pool.mine()
    with pytest.raises(FeeCapError):
        pool.note(7, journals, fee_cap=100 * GWEI)
    assert pool.journal(journals).records() == ()


@pytest.mark.usefixtures("impatient")
def test_what_the_node_forgot_is_sent_again_byte_for_byte(pool: Pool, journals: Journals) -> None:
    leave_pending(pool, journals, 7)
    (sent,) = pool.journal(journals).record(0).attempts
    pool.rpc("anvil_dropTransaction", sent.hash)
    assert "again" in pool.tend(journals)[0]
    pool.mine()
    assert pool.note(7, journals)["transactionHash"].to_0x_hex() == sent.hash
    assert (pool.noted(), pool.nonce()) == ([7], 1)


def test_another_call_waits_until_what_was_sent_before_is_in_a_block(
    pool: Pool, journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as hurried:
        hurried.setattr(module, "CONFIRM_SECONDS", 0.1)
        leave_pending(pool, journals, 7)
    pool.rpc("anvil_dropTransaction", pool.journal(journals).record(0).last.hash)
    pool.mining(lambda: pool.note(8, journals))
    assert (pool.noted(), pool.nonce()) == ([7, 8], 2)


def test_a_nonce_taken_by_another_use_of_the_key_is_made_up_for(pool: Pool, journals: Journals) -> None:
    with pytest.MonkeyPatch.context() as hurried:
        hurried.setattr(module, "CONFIRM_SECONDS", 0.1)
        leave_pending(pool, journals, 7)
    pool.send_elsewhere(50, nonce=0, tip=5 * GWEI)
    pool.mining(lambda: pool.note(7, journals))
    assert (pool.noted(), pool.nonce()) == ([50, 7], 2)


def test_a_nonce_taken_while_a_call_is_awaited_is_made_up_for(
    pool: Pool, journals: Journals, caplog: pytest.LogCaptureFixture
) -> None:
    sent = module.broadcast

    def take_its_place(*arguments: object) -> object:
        answer = sent(*arguments)
        if not pool.nonce():
            pool.send_elsewhere(50, nonce=0, tip=5 * GWEI)
            pool.rpc("evm_setAutomine", True)
            pool.mine()
        return answer

    with pytest.MonkeyPatch.context() as racing:
        racing.setattr(module, "broadcast", take_its_place)
        pool.note(7, journals)
    assert (pool.noted(), pool.nonce()) == ([50, 7], 2)
    assert "was its key used elsewhere?" in caplog.text


def test_a_nonce_that_a_waiting_foreign_transaction_has_is_left_to_it(
    pool: Pool, journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.send_elsewhere(50, nonce=0, tip=5 * GWEI)
    ask, stale = pool.w3.eth.get_transaction_count, [0]
    monkeypatch.setattr(pool.w3.eth, "get_transaction_count", lambda *at: stale.pop() if stale else ask(*at))
    pool.mining(lambda: pool.note(7, journals))
    assert stale == []
    assert (pool.noted(), pool.nonce()) == ([50, 7], 2)


@pytest.mark.usefixtures("impatient")
def test_on_a_public_chain_a_nonce_counts_as_taken_and_a_record_as_final_some_blocks_later(journals: Journals) -> None:
    with open_pool(chain_id=1) as public:
        leave_pending(public, journals, 7)
        public.send_elsewhere(50, nonce=0, tip=5 * GWEI)
        public.mine(outcomes.TAKEN_DEPTH)
        public.tend(journals)
        assert public.journal(journals).record(0).state is State.PENDING
        public.mine()
        assert "key used elsewhere" in public.tend(journals)[0]
        public.mine(outcomes.FINAL_DEPTH - 1)
        public.tend(journals)
        assert public.journal(journals).record(0).state is State.TAKEN
        public.mine()
        public.tend(journals)
        assert public.journal(journals).records() == ()


@pytest.mark.usefixtures("impatient")
def test_a_gap_below_a_waiting_transaction_is_filled(pool: Pool, journals: Journals) -> None:
    gone = [pool.send_elsewhere(50, nonce=0), pool.send_elsewhere(51, nonce=1)]
    leave_pending(pool, journals, 7)
    for transaction in reversed(gone):
        pool.rpc("anvil_dropTransaction", transaction)
    assert pool.w3.eth.get_transaction_count(ACCOUNT.address, "pending") == 0
    pool.pass_time(tending.STUCK_SECONDS)
    for _ in range(3):
        pool.tend(journals)
    pool.mine()
    assert pool.note(7, journals)["status"] == 1
    assert (pool.noted(), pool.nonce()) == ([7], 3)
    states = [record.state for record in pool.journal(journals).records()]
    assert states == [State.CANCELLED, State.CANCELLED, State.DONE]


@pytest.mark.usefixtures("impatient")
def test_an_account_that_can_not_pay_more_is_told_and_goes_on_when_it_can(pool: Pool, journals: Journals) -> None:
    leave_pending(pool, journals, 7)
    pool.rpc("anvil_setBalance", ACCOUNT.address, hex(10**9))
    pool.pass_time(tending.STUCK_SECONDS)
    assert not any("Replaced" in line for line in pool.tend(journals))
    with pytest.raises(InsufficientFundsError) as raised:
        pool.note(7, journals)
    assert raised.value.balance == 10**9
    pool.rpc("anvil_setBalance", ACCOUNT.address, hex(10**18))
    pool.tend(journals)
    pool.mine()
    assert pool.note(7, journals)["status"] == 1
    assert (pool.noted(), pool.nonce()) == ([7], 1)
