"""Nothing that a node does wrong gets into the index; what passes is waited for, what does not stops it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from web3 import Web3
from web3.providers.base import JSONBaseProvider

from marketplace.chain.connect import connect
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.server import serve_devnet
from marketplace.chain.errors import NotANodeError, UnreachableNodeError, WrongChainError
from marketplace.index.errors import (
    ContradictionError,
    LaggingNodeError,
    NodesDisagreeError,
    RestlessChainError,
)
from marketplace.index.following import follow
from marketplace.index.node import Node
from marketplace.index.store import pointer_of
from tests.index.play import Play
from tests.lying_node import lying

URL = "http://127.0.0.1:1"


def refusing(play: Play, fault: Callable[[str, Any], dict[str, Any] | None]) -> Web3:
    """A node that answers some questions with an error."""
    honest = play.w3.provider

    class Refusing(JSONBaseProvider):
        def make_request(self, method, params):
            error = fault(method, params)
            return {"error": error} if error else honest.make_request(method, params)

    return Web3(Refusing())


def is_untouched(play: Play, engine: Engine) -> bool:
    """Whether the index holds no event."""
    return '["events",' not in "".join(play.lines(engine))


@pytest.fixture(autouse=True)
def things_happened(play: Play) -> None:
    play.act(22)


@pytest.mark.parametrize(
    "fault",
    [
        UnreachableNodeError(URL, "refused"),
        NotANodeError(URL, "HTTP status 429"),
        UnreachableNodeError(URL, "timed out"),
    ],
)
def test_a_node_that_is_down_slow_or_busy_for_a_while_is_asked_again(
    play: Play, engine: Engine, tmp_path: Path, fault: Exception
) -> None:
    asked = 0

    def lie(_method: str, _params: Any, result: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked % 4:
            raise fault
        return result

    play.indexer(engine, w3=lying(play.w3, lie)).step()
    play.assert_fresh(engine, tmp_path)


def test_a_node_that_stays_down_is_told_and_waited_for_when_following(play: Play, engine: Engine, tmp_path) -> None:
    down = True

    def lie(_method: str, _params: Any, result: Any) -> Any:
        if down:
            raise UnreachableNodeError(URL, "refused")
        return result

    indexer = play.indexer(engine, w3=lying(play.w3, lie))
    with pytest.raises(UnreachableNodeError):
        indexer.step()
    stop, told = threading.Event(), []

    def report(line: str) -> None:
        nonlocal down
        told.append(line)
        down = False

    follow(indexer, report, pause=0.001, stop=stop, after=lambda _: stop.set())
    assert "refused" in told[0]
    assert "Going on" in told[1]
    play.assert_fresh(engine, tmp_path)


def test_a_node_that_limits_its_rate_in_an_answer_is_asked_again(play: Play, engine: Engine, tmp_path: Path) -> None:
    asked = 0

    def fault(_method: str, _params: Any) -> dict[str, Any] | None:
        nonlocal asked
        asked += 1
        return {"code": -32005, "message": "Too Many Requests"} if asked % 3 else None

    play.indexer(engine, w3=refusing(play, fault)).step()
    play.assert_fresh(engine, tmp_path)


@pytest.mark.parametrize("answer", ["0x1", "one", None, {}])
def test_a_node_of_another_chain_is_refused(play: Play, engine: Engine, answer: object) -> None:
    node = lying(play.w3, lambda method, _, result: answer if method == "eth_chainId" else result)
    fault = WrongChainError if answer == "0x1" else RestlessChainError
    with pytest.raises(fault):
        play.indexer(engine, w3=node).step()


def test_a_node_that_becomes_one_of_another_chain_is_refused(play: Play, engine: Engine, tmp_path: Path) -> None:
    chain = "0x7a69"
    node = lying(play.w3, lambda method, _, result: chain if method == "eth_chainId" else result)
    indexer = play.indexer(engine, w3=node)
    indexer.step()
    play.act(3)
    chain = "0x1"
    with pytest.raises(WrongChainError, match="id 1,"):
        indexer.step()
    chain = "0x7a69"
    indexer.step()
    play.assert_fresh(engine, tmp_path)


def test_a_node_that_lags_behind_takes_nothing_out(play: Play, engine: Engine, tmp_path: Path) -> None:
    play.indexer(engine).step()
    behind = play.rpc("eth_getBlockByNumber", hex(play.height - 3), False)
    node = lying(play.w3, lambda _, params, result: behind if params[:1] == ["latest"] else result)
    step = play.indexer(engine, w3=node).step()
    assert (step.taken_out, step.head, step.pointer.place.number) == (0, play.height - 3, play.height)
    play.assert_fresh(engine, tmp_path)


def test_a_node_that_lags_too_far_to_compare_is_not_followed(play: Play, engine: Engine) -> None:
    play.indexer(engine, depth=4).step()
    behind = play.rpc("eth_getBlockByNumber", "0x1", False)
    node = lying(play.w3, lambda _, params, result: behind if params[:1] == ["latest"] else result)
    with pytest.raises(LaggingNodeError, match="at block 1 "):
        play.indexer(engine, w3=node, depth=4).step()


def test_an_address_behind_which_nodes_of_different_heights_answer(play: Play, engine: Engine, tmp_path: Path) -> None:
    """Every other answer is that of a node three blocks behind, which has no later block yet."""
    asked = 0
    last = play.height - 3
    behind = play.rpc("eth_getBlockByNumber", hex(last), False)

    def lie(method: str, params: Any, result: Any) -> Any:
        nonlocal asked
        asked += 1
        if method != "eth_getBlockByNumber" or asked % 2:
            return result
        if params[0] == "latest":
            return behind
        return None if int(params[0], 16) > last else result

    for _ in range(6):
        try:
            step = play.indexer(engine, w3=lying(play.w3, lie)).step()
        except RestlessChainError:
            continue
        assert step.taken_out == 0
    asked = 1
    play.indexer(engine).step()
    play.assert_fresh(engine, tmp_path)


def without_log(method: str, _params: Any, result: Any) -> Any:
    """Leave a log out, of a range or of a receipt."""
    if method == "eth_getLogs" and result:
        return [*result[:2], *result[3:]]
    if method == "eth_getBlockReceipts" and result:
        return [{**result[0], "logs": []}, *result[1:]]
    return result


def test_a_log_that_is_left_out_is_noticed_by_the_blocks_receipts(play: Play, engine: Engine) -> None:
    with pytest.raises(RestlessChainError, match="receipts"):
        play.indexer(engine, w3=lying(play.w3, without_log)).step()
    assert is_untouched(play, engine)


def test_a_range_cut_short_does_not_matter_where_logs_are_proven(play: Play, engine: Engine, tmp_path: Path) -> None:
    node = lying(play.w3, lambda method, _, result: result[:1] if method == "eth_getLogs" else result)
    play.indexer(engine, w3=node).step()
    play.assert_fresh(engine, tmp_path)


def test_a_believed_node_that_leaves_a_log_out_contradicts_itself(play: Play, engine: Engine) -> None:
    with pytest.raises(ContradictionError, match="leave --trust-node out"):
        play.indexer(engine, w3=lying(play.w3, without_log), depth=1, believes=True).step()
    assert is_untouched(play, engine)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"removed": True}, "removed"),
        ({"blockHash": "0x" + "11" * 32}, "names block"),
        ({"address": "0x" + "11" * 20}, "not asked for"),
    ],
)
def test_logs_that_can_not_be_are_refused(play: Play, engine: Engine, changed: dict[str, Any], fault: str) -> None:
    def lie(method: str, _params: Any, result: Any) -> Any:
        return [{**result[0], **changed}, *result[1:]] if method == "eth_getLogs" and result else result

    with pytest.raises(RestlessChainError, match=fault):
        play.indexer(engine, w3=lying(play.w3, lie), depth=1, believes=True).step()
    assert is_untouched(play, engine)


@pytest.mark.parametrize("answer", [None, [None], [], [{}]])
def test_receipts_that_are_null_or_missing_are_refused(play: Play, engine: Engine, answer: Any) -> None:
    def lie(method: str, _params: Any, result: Any) -> Any:
        if method == "eth_getTransactionReceipt":
            return None
        return answer if method == "eth_getBlockReceipts" else result

    with pytest.raises(RestlessChainError):
        play.indexer(engine, w3=lying(play.w3, lie)).step()
    assert is_untouched(play, engine)


def test_ranges_shrink_to_what_a_node_answers(play: Play, engine: Engine, tmp_path: Path) -> None:
    widths = []

    def fault(method: str, params: Any) -> dict[str, Any] | None:
        if method != "eth_getLogs":
            return None
        widths.append(int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1)
        return {"code": -32602, "message": "query exceeds max results"} if widths[-1] > 3 else None

    play.indexer(engine, w3=refusing(play, fault), depth=1, believes=True).step()
    assert widths[0] > 8
    assert max(widths[-3:]) <= 6
    play.assert_fresh(engine, tmp_path)


def test_two_nodes_that_say_the_same_are_followed(play: Play, engine: Engine, tmp_path: Path) -> None:
    for believes in (False, True):
        play.indexer(engine, second=play.w3, depth=4, believes=believes).step()
        play.act(8)
    play.indexer(engine, second=play.w3).step()
    play.assert_fresh(engine, tmp_path)


def test_two_nodes_of_which_one_has_another_block_are_not_followed(play: Play, engine: Engine) -> None:
    fork = play.rpc("eth_getBlockByNumber", hex(play.height), False)
    play.rpc("anvil_reorg", 1, [])
    other = lying(play.w3, lambda _, params, result: fork if params[:1] == [hex(play.height)] else result)
    with pytest.raises(NodesDisagreeError, match=f"block {play.height} "):
        play.indexer(engine, second=other).step()


def test_two_nodes_of_which_one_leaves_logs_out_are_not_followed(play: Play, engine: Engine) -> None:
    with pytest.raises(NodesDisagreeError, match="not the same"):
        play.indexer(engine, second=lying(play.w3, without_log), depth=1, believes=True).step()
    assert is_untouched(play, engine)


def test_the_block_that_both_nodes_have_is_the_last_one_taken_in(play: Play, engine: Engine) -> None:
    behind = play.rpc("eth_getBlockByNumber", hex(play.height - 2), False)
    other = lying(play.w3, lambda _, params, result: behind if params[:1] == ["latest"] else result)
    play.indexer(engine, second=other).step()
    place = pointer_of(engine, play.deployment.chain_id, play.deployment.market).place
    assert place.number == play.height - 2


def test_a_node_that_begins_to_serve_another_chain_is_noticed_on_a_real_connection():
    with serve_devnet(Ledger(chain_id=31337), port=0, heartbeat=None) as server:
        port = int(server.url.rpartition(":")[2])
        node = Node(connect(server.url, 31337), 31337, dev_account(0).address)
        node.check_chain()
    with (
        serve_devnet(Ledger(chain_id=1337), port=port, heartbeat=None),
        pytest.raises(WrongChainError, match="id 1337,"),
    ):
        node.check_chain()
