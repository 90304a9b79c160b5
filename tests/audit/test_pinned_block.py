"""What a node is caught at that lies about the chain behind a block's hash, and what two nodes are caught at."""

from __future__ import annotations

import pytest

from tests.audit.conftest import altered_event, detail, dropped_event, failing

UNBOUND = ("chain", "logs")


def test_a_pinned_audit_raises_no_alarm_and_says_what_it_trusts(rich):
    report = rich.audit(block_hash=rich.head())
    assert failing(report) == set()
    assert report.trust[0].startswith("The logs are bound to the block hash 0x")
    assert "code, balances and the answers of the market's views" in report.trust[1]


def test_without_hash_and_second_node_the_report_says_first_that_it_trusts_one(plain):
    assert plain.audit().trust[0].startswith("This audit trusts one node")


def test_pinned_and_told_readings_are_the_same(rich):
    pinned = rich.audit(block_hash=rich.head()).facts
    assert pinned == rich.audit().facts


def test_one_receipt_after_another_serves_where_a_node_gives_no_list(plain):
    def lie(method, params, result):
        return None if method == "eth_getBlockReceipts" else result

    assert failing(plain.audit(market=plain.lying(lie), block_hash=plain.head())) == set()


def change_receipts(change):
    def lie(method, params, result):
        if method == "eth_getBlockReceipts" and result:
            return [change(dict(receipt)) for receipt in result]
        return change(dict(result)) if method == "eth_getTransactionReceipt" and result else result

    return lie


def other_data(receipt):
    logs = receipt["logs"]
    return {**receipt, "logs": [{**log, "data": log["data"][:-2] + "77"} for log in logs]} if len(logs) > 1 else receipt


CHANGES = {
    "other data in a log": other_data,
    "a log left out": lambda receipt: {**receipt, "logs": receipt["logs"][:-1]},
    "another status": lambda receipt: {**receipt, "status": "0x0"},
    "other topics": lambda receipt: {
        **receipt,
        "logs": [{**log, "topics": [*log["topics"][:1], "0x" + "22" * 32]} for log in receipt["logs"]],
    },
    "another contract": lambda receipt: {
        **receipt,
        "logs": [{**log, "address": "0x" + "33" * 20} for log in receipt["logs"]],
    },
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_receipt_does_not_have_the_root_of_its_block(plain, change):
    report = plain.audit(market=plain.lying(change_receipts(change)), block_hash=plain.head())
    assert UNBOUND in failing(report)
    assert "have the root 0x" in detail(report, *UNBOUND)
    assert "could NOT be bound" in report.trust[0]


def test_an_emptied_bloom_filter_changes_the_headers_hash(plain):
    def lie(method, params, result):
        return {**result, "logsBloom": "0x" + "00" * 256} if method.startswith("eth_getBlockBy") else result

    report = plain.audit(market=plain.lying(lie), block_hash=plain.head())
    assert UNBOUND in failing(report)
    assert "the header's fields hash to" in detail(report, *UNBOUND)


def test_an_event_left_out_of_the_logs_is_found_in_the_receipts(plain):
    """A pinned audit asks for no logs: the receipts tell them all."""
    lie = dropped_event(plain, "Withdrawn", 1)
    assert failing(plain.audit(market=plain.lying(lie), block_hash=plain.head())) == set()


def test_another_header_than_the_one_asked_for_is_refused(plain):
    first = plain.market.w3.provider.make_request("eth_getBlockByNumber", ["0x5", False])["result"]

    def lie(method, params, result):
        return first if method == "eth_getBlockByHash" else result

    report = plain.audit(market=plain.lying(lie), block_hash=plain.head())
    assert UNBOUND in failing(report)
    assert "that was asked for" in detail(report, *UNBOUND)


def test_a_hash_of_no_block_is_told(plain):
    report = plain.audit(block_hash=b"\x12" * 32)
    assert failing(report) == {UNBOUND}
    assert "it knows no block with the hash 0x1212" in detail(report, *UNBOUND)


def test_a_node_whose_chain_holds_another_block_at_that_number_is_told(plain):
    """A block that was reorganised away can still be asked for by its hash."""
    other = plain.market.w3.provider.make_request("eth_getBlockByNumber", ["0x5", False])["result"]
    head = plain.head()

    def lie(method, params, result):
        return other if method == "eth_getBlockByNumber" else result

    report = plain.audit(market=plain.lying(lie), block_hash=head)
    assert UNBOUND in failing(report)


def test_a_block_before_the_jobs_creation_holds_no_job(plain):
    block = plain.small.view.history().events[0].block - 1
    early = bytes(plain.market.w3.eth.get_block(block)["hash"])
    report = plain.audit(block_hash=early)
    assert UNBOUND in failing(report)
    assert "begins with nothing" in detail(report, *UNBOUND)


def test_an_earlier_block_shows_the_job_as_it_was_then(rich):
    settled = rich.small.view.history().named("RoundSettled")[1]
    report = rich.audit(block_hash=bytes(settled.block_hash))
    assert failing(report) == set()
    assert [entry["ended"] for entry in report.facts["rounds"]] == ["settled", "settled", "open"]


def test_two_honest_nodes_agree(rich):
    report = rich.audit(second=rich.market)
    assert failing(report) == set()
    assert "two nodes agree on" in report.trust[0]


SECOND = {
    "an event left out": lambda plain: dropped_event(plain, "Withdrawn", 1),
    "another pay": lambda plain: altered_event(
        plain, "RoundScored", lambda a: {**a, "payouts": [pay + 1 for pay in a["payouts"]]}
    ),
    "another balance": lambda plain: lambda method, params, result: "0x77" if method == "eth_getBalance" else result,
    "other code": lambda plain: lambda method, params, result: "0x6000" if method == "eth_getCode" else result,
}
WORDS = {
    "an event left out": "event 45 is Withdrawn",
    "another pay": "is RoundScored",
    "another balance": "balance is 0 at the first node and 119 at the second",
    "other code": "codes of 0x",
}


@pytest.mark.parametrize("kind", SECOND)
@pytest.mark.parametrize("which", ["first", "second"])
def test_what_two_nodes_tell_differently_is_named(plain, kind, which):
    liar = plain.lying(SECOND[kind](plain))
    nodes = {"market": liar, "second": plain.market} if which == "first" else {"second": liar}
    report = plain.audit(**nodes)
    assert ("chain", "the nodes agree") in failing(report)
    if which == "second":
        assert WORDS[kind] in detail(report, "chain", "the nodes agree")


def test_a_second_node_on_another_chain_of_blocks_is_named(plain):
    """Every header that the second node gives is another block's."""
    other = plain.market.w3.provider.make_request("eth_getBlockByNumber", ["0x5", False])["result"]

    def lie(method, params, result):
        return other if method == "eth_getBlockByNumber" and params[0] != "latest" else result

    report = plain.audit(second=plain.lying(lie))
    assert ("chain", "the nodes agree") in failing(report)
    assert "it is of block 5" in detail(report, "chain", "the nodes agree")
