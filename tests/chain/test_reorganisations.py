"""What a reorganisation takes out of the chain is sent again, exactly once; what it keeps is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from web3.contract import Contract

from marketplace.chain import outcomes, tending
from marketplace.chain import transact as module
from marketplace.chain.artifacts import read_artifact
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.errors import ContractRevertedError
from marketplace.chain.journal import Journals
from marketplace.chain.transact import transact
from marketplace.chain.transaction_record import State
from tests.chain.pool import ACCOUNT, CONTRACTS, GWEI, Pool, open_pool

GIVER, RECEIVER = dev_account(4), dev_account(5).address


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    with open_pool() as opened:
        monkeypatch.setattr(module, "POLL_SECONDS", 0.005)
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.02)
        yield opened


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    return Journals(tmp_path)


def test_what_fell_out_of_the_chain_is_sent_again_once(pool: Pool, journals: Journals) -> None:
    sent = [pool.mining(lambda value=value: pool.note(value, journals))["transactionHash"] for value in (7, 8, 9)]
    pool.rpc("anvil_reorg", pool.w3.eth.block_number - 1, [])
    assert pool.noted() == []
    lines = pool.tend(journals)
    assert [("took" in line, "again" in line) for line in lines] == [(True, False)] * 3 + [(False, True)] * 3
    pool.mine(2)
    assert pool.tend(journals) == []
    assert (pool.noted(), pool.nonce()) == ([7, 8, 9], 3)
    assert [log["transactionHash"] for log in pool.probe.events.Noted().get_logs(from_block=0)] == sent


def test_the_loss_is_seen_by_a_new_process_and_before_another_call(pool: Pool, journals: Journals, tmp_path) -> None:
    pool.mining(lambda: pool.note(7, journals))
    pool.rpc("anvil_reorg", pool.w3.eth.block_number - 1, [])
    pool.mining(lambda: pool.note(8, Journals(tmp_path)))
    assert (pool.noted(), pool.nonce()) == ([7, 8], 2)


def test_the_same_call_after_the_loss_is_not_made_twice(pool: Pool, journals: Journals) -> None:
    pool.mining(lambda: pool.note(7, journals))
    pool.rpc("anvil_reorg", pool.w3.eth.block_number - 1, [])
    pool.mining(lambda: pool.note(7, journals))
    assert (pool.noted(), pool.nonce()) == ([7], 1)


def test_the_same_call_after_its_success_is_a_new_one(pool: Pool, journals: Journals) -> None:
    pool.mining(lambda: pool.note(7, journals))
    pool.mining(lambda: pool.note(7, journals))
    assert (pool.noted(), pool.nonce()) == ([7, 7], 2)


def test_what_another_block_of_the_new_chain_holds_is_not_sent_again(pool: Pool, journals: Journals) -> None:
    before = pool.rpc("evm_snapshot")
    pool.mining(lambda: pool.note(7, journals))
    record = pool.journal(journals).record(0)
    pool.rpc("evm_revert", before)
    pool.mine(2)
    pool.w3.eth.send_raw_transaction(record.last.raw)
    pool.mine()
    assert pool.tend(journals) == []
    moved = pool.journal(journals).record(0)
    assert (moved.state, moved.attempts) == (State.DONE, record.attempts)
    assert moved.block.number > record.block.number
    assert (pool.noted(), pool.nonce()) == ([7], 1)


def test_nothing_is_asked_of_records_while_the_chain_only_grows(pool: Pool, journals: Journals, monkeypatch) -> None:
    pool.mining(lambda: pool.note(7, journals))
    pool.tend(journals)
    pool.mine()
    monkeypatch.setattr(outcomes, "judge", lambda *_: pytest.fail("asked again"))
    assert pool.tend(journals) == []


def test_final_records_are_forgotten(pool: Pool, journals: Journals, tmp_path: Path) -> None:
    pool.mining(lambda: pool.note(7, journals))
    place = pool.journal(journals).record(0).block.number
    pool.mine(place + outcomes.LOCAL_FINAL_DEPTH - 1 - pool.w3.eth.block_number)
    pool.tend(journals)
    assert len(list(tmp_path.glob("*/*.json"))) == 1
    pool.mine()
    pool.tend(journals)
    assert list(tmp_path.glob("*/*.json")) == []


def test_a_failed_call_that_fell_out_is_not_made_again(pool: Pool, journals: Journals, monkeypatch) -> None:
    monkeypatch.setattr(module, "simulate", lambda *_: 100_000)
    with pytest.raises(ContractRevertedError, match="Probe_Refused"):
        pool.mining(lambda: pool.note(101, journals))
    monkeypatch.undo()
    assert "given: 101" in pool.journal(journals).record(0).reason
    pool.rpc("anvil_reorg", pool.w3.eth.block_number - 1, [])
    pool.mining(lambda: pool.note(8, journals))
    assert (pool.noted(), pool.nonce()) == ([8], 2)
    assert pool.journal(journals).record(0).state is State.CANCELLED


def test_a_call_made_up_for_is_not_made_twice_if_the_foreign_transaction_falls_out(
    pool: Pool, journals: Journals
) -> None:
    with pytest.MonkeyPatch.context() as hurried:
        hurried.setattr(module, "CONFIRM_SECONDS", 0.05)
        with pytest.raises(module.UnconfirmedError):
            pool.note(7, journals)
    before = pool.rpc("evm_snapshot")
    pool.send_elsewhere(50, nonce=0, tip=5 * GWEI)
    pool.mining(lambda: pool.note(7, journals))
    assert (pool.noted(), pool.nonce()) == ([50, 7], 2)
    # The chain goes back to before both, and the foreign transaction never comes again.
    pool.rpc("evm_revert", before)
    pool.rpc("anvil_dropAllTransactions")
    pool.mining(lambda: pool.note(8, journals))
    assert (pool.noted(), pool.nonce()) == ([7, 8], 3)
    states = [record.state for record in pool.journal(journals).records()]
    assert states == [State.CANCELLED, State.DONE, State.DONE]


@pytest.fixture
def token(pool: Pool) -> Contract:
    """A token of which the account has nothing unless the giver's transfer to it is in the chain."""
    artifact = read_artifact(CONTRACTS / "TestToken.json")
    factory = pool.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    address = pool.mining(lambda: transact(pool.w3, GIVER, factory.constructor()))["contractAddress"]
    return pool.w3.eth.contract(address, abi=artifact.abi)


def give(pool: Pool, token: Contract) -> None:
    pool.mining(lambda: transact(pool.w3, GIVER, token.functions.transfer(ACCOUNT.address, 5)))


def pass_on(pool: Pool, token: Contract, journals: Journals) -> None:
    transact(pool.w3, ACCOUNT, token.functions.transfer(RECEIVER, 5), journals=journals)


@pytest.fixture
def refused_now(pool: Pool, token: Contract, journals: Journals) -> Contract:
    """The account passed on what it was given; then a reorganisation took away both, and only the gift is missing."""
    before = pool.rpc("evm_snapshot")
    give(pool, token)
    pool.mining(lambda: pass_on(pool, token, journals))
    pool.rpc("evm_revert", before)
    pool.rpc("anvil_dropAllTransactions")
    pool.mine()
    return token


def test_what_must_wait_for_others_after_a_reorganisation_waits(
    pool: Pool, journals: Journals, refused_now: Contract
) -> None:
    assert len(pool.tend(journals)) == 1
    pool.mine()
    assert pool.tend(journals) == []
    give(pool, refused_now)
    assert "again" in pool.tend(journals)[0]
    pool.mine()
    assert refused_now.functions.balanceOf(RECEIVER).call() == 5


def test_what_can_not_be_made_any_more_is_cancelled_in_time(
    pool: Pool, journals: Journals, refused_now: Contract
) -> None:
    pool.tend(journals)
    pool.pass_time(tending.STUCK_SECONDS)
    assert "Cancelled" in pool.tend(journals)[0]
    pool.mine()
    give(pool, refused_now)
    pool.tend(journals)
    assert pool.journal(journals).record(0).state is State.CANCELLED
    assert (refused_now.functions.balanceOf(RECEIVER).call(), pool.nonce()) == (0, 1)


def test_what_can_not_be_made_any_more_stops_no_other_call(
    pool: Pool, journals: Journals, refused_now: Contract
) -> None:
    pool.mining(lambda: pool.note(8, journals))
    assert (pool.noted(), pool.nonce()) == ([8], 2)
    assert refused_now.functions.balanceOf(RECEIVER).call() == 0


def test_who_asks_again_for_what_can_not_be_made_is_told(pool: Pool, journals: Journals, refused_now: Contract) -> None:
    with pytest.raises(ContractRevertedError, match="has 0 of the token and 5 are needed"):
        pass_on(pool, refused_now, journals)
    assert pool.nonce() == 0
    give(pool, refused_now)
    pool.mining(lambda: pass_on(pool, refused_now, journals))
    assert (refused_now.functions.balanceOf(RECEIVER).call(), pool.nonce()) == (5, 1)
