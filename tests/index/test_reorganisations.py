"""After a reorganisation the tables are what a fresh index of the new chain is, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from marketplace.chain.deployment import deploy
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.anvil import start_anvil
from marketplace.index.database import reading
from marketplace.index.errors import DeepReorganisationError
from marketplace.index.store import count_rows, pointer_of
from tests.index.play import AGGREGATOR, OWNER, START, TRAINERS, Play
from zk.srs.development import development_key

DEPTHS = (1, 2, 6, 64)


@pytest.mark.parametrize("depth", DEPTHS)
def test_blocks_that_fell_out_leave_nothing_behind(play: Play, engine: Engine, tmp_path: Path, depth: int) -> None:
    play.act(depth + 20)
    indexer = play.indexer(engine)
    indexer.step()
    play.rpc("anvil_reorg", depth, [])
    step = indexer.step()
    assert (step.taken_out, step.pointer.place.number) == (depth, play.height)
    play.assert_fresh(engine, tmp_path)


@pytest.mark.parametrize("depth", DEPTHS)
def test_another_history_takes_the_place_of_the_old_one(play: Play, engine: Engine, tmp_path: Path, depth: int) -> None:
    play.act(25)
    fork = play.rpc("evm_snapshot")
    play.act(depth)
    indexer = play.indexer(engine)
    indexer.step()
    play.rpc("evm_revert", fork)
    play.forget()
    play.mine()
    play.act(depth + 5, among=3)
    assert indexer.step().taken_out == depth
    play.assert_fresh(engine, tmp_path)


def test_a_shorter_chain_takes_the_place_of_a_longer_one(play: Play, engine: Engine, tmp_path: Path) -> None:
    play.act(20)
    fork = play.rpc("evm_snapshot")
    play.act(12)
    indexer = play.indexer(engine)
    indexer.step()
    play.rpc("evm_revert", fork)
    play.forget()
    play.mine()
    play.act(3, among=1)
    step = indexer.step()
    assert (step.taken_out, step.pointer.place.number) == (12, play.height)
    play.assert_fresh(engine, tmp_path)


def test_a_transaction_that_moves_to_the_next_block_is_one_row(play: Play, engine: Engine, tmp_path: Path) -> None:
    play.act(8)
    fork = play.rpc("evm_snapshot")
    sent = play.rpc("eth_getTransactionCount", OWNER, "latest")
    play.create()
    raw = play.rpc("eth_getBlockByNumber", "latest", True)["transactions"][0]
    assert int(raw["nonce"], 16) == int(sent, 16)
    indexer = play.indexer(engine)
    indexer.step()
    jobs = count_rows(engine, 1)["jobs"]
    play.rpc("evm_revert", fork)
    play.mine()
    play.create()
    (again,) = play.rpc("eth_getBlockByNumber", "latest", True)["transactions"]
    assert again["hash"] == raw["hash"], "the same transaction, one block later"
    assert indexer.step().taken_out == 1
    assert count_rows(engine, 1)["jobs"] == jobs
    with reading(engine) as connection:
        rows = connection.execute(
            text("SELECT block FROM events WHERE transaction_hash = :hash"), {"hash": bytes.fromhex(raw["hash"][2:])}
        ).all()
    assert [row.block for row in rows] == [play.height]
    play.assert_fresh(engine, tmp_path)


def test_the_same_events_in_another_order_in_one_block(play: Play, engine: Engine, tmp_path: Path) -> None:
    job = play.create()
    terms = play.market.terms(job)
    play.send(AGGREGATOR, "accept", job, b"\1" * 32, value=terms.bond)
    digest = play.market.join_digest(job)
    fork = play.rpc("evm_snapshot")
    hashes = []
    for order in (TRAINERS[:3], TRAINERS[2::-1]):
        play.rpc("evm_setAutomine", False)
        for trainer in order:
            play.send(trainer, "join", job, digest, [], value=terms.stake, wait=False)
        play.mine()
        play.rpc("evm_setAutomine", True)
        hashes.append((play.height, play.w3.eth.get_block("latest")["hash"]))
        play.indexer(engine).step()
        play.assert_fresh(engine, tmp_path)
        if len(hashes) == 1:
            play.rpc("evm_revert", fork)
            fork = play.rpc("evm_snapshot")
    assert hashes[0][0] == hashes[1][0]
    assert hashes[0][1] != hashes[1][1]


def test_what_was_final_stops_the_index_and_changes_nothing(play: Play, engine: Engine, tmp_path: Path) -> None:
    play.act(30)
    indexer = play.indexer(engine, depth=6)
    indexer.step()
    before = list(play.lines(engine))
    play.rpc("anvil_reorg", 7, [])
    for _ in range(2):
        with pytest.raises(DeepReorganisationError, match="6 below the last as final"):
            indexer.step()
        assert list(play.lines(engine)) == before
    where = play.deployment.chain_id, play.deployment.market
    assert "reorganised" in (pointer_of(engine, *where).alarm or "")
    indexer.rebuild()
    assert pointer_of(engine, *where).alarm is None
    play.assert_fresh(engine, tmp_path)


def test_as_deep_as_the_finality_depth_is_not_too_deep(play: Play, engine: Engine, tmp_path: Path) -> None:
    play.act(30)
    indexer = play.indexer(engine, depth=6)
    indexer.step()
    play.rpc("anvil_reorg", 6, [])
    assert indexer.step().taken_out == 6
    play.assert_fresh(engine, tmp_path)


def test_an_alarm_ends_when_the_node_follows_the_indexed_chain_again(play: Play, engine: Engine) -> None:
    play.act(20)
    indexer = play.indexer(engine, depth=3)
    indexer.step()
    with start_anvil(start=START + 1) as url:
        stranger = Web3(HTTPProvider(url))
        stranger.provider.make_request(RPCEndpoint("anvil_mine"), [hex(play.height + 1)])
        with pytest.raises(DeepReorganisationError):
            play.indexer(engine, depth=3, w3=stranger).step()
    where = play.deployment.chain_id, play.deployment.market
    assert pointer_of(engine, *where).alarm
    indexer.step()
    assert pointer_of(engine, *where).alarm is None


def test_a_reorganisation_of_one_market_touches_no_other(play: Play, engine: Engine, tmp_path: Path) -> None:
    other = Play(play.w3, deploy(play.w3, dev_account(0), development_key()))
    other.act(15)
    other.indexer(engine).step()
    before = list(other.lines(engine))
    play.act(30)
    play.indexer(engine).step()
    play.rpc("anvil_reorg", 20, [])
    assert play.indexer(engine).step().taken_out == 20
    play.assert_fresh(engine, tmp_path)
    assert list(other.lines(engine)) == before
    other.indexer(engine).step()
    other.assert_fresh(engine, tmp_path)
    other.forget()


@pytest.mark.parametrize("moment", [1, 3, 5, 8, 12])
def test_a_reorganisation_in_the_middle_of_reading(play: Play, engine: Engine, tmp_path: Path, moment: int) -> None:
    """Before each question to the node in turn: while the index is filled for the first time, and live."""
    play.act(24)
    asked = 0

    def reorganise() -> None:
        nonlocal asked
        asked += 1
        if asked == moment:
            play.rpc("anvil_reorg", 5, [])
            play.forget()
            play.act(3)

    class Shifting(type(play.w3.provider)):
        def make_request(self, method, params):
            reorganise()
            return super().make_request(method, params)

        def make_batch_request(self, requests):
            reorganise()
            return super().make_batch_request(requests)

    w3 = type(play.w3)(Shifting(play.w3.provider.endpoint_uri))
    indexer = play.indexer(engine, w3=w3)
    for _ in range(3):
        indexer.step()
        play.act(2)
    indexer.step()
    play.assert_fresh(engine, tmp_path)
