"""Headers, receipts and blooms of the embedded chain and of anvil hash to what they name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import rlp
from eth_utils.address import to_canonical_address
from hypothesis import given
from hypothesis import strategies as st
from web3 import Web3

from marketplace.audit.headers import ancestors, header_by_hash, header_by_number, latest_header
from marketplace.audit.logs import job_topic, told_logs
from marketplace.audit.node import Fields, NodeAnswerError
from marketplace.audit.reading import pinned, told
from marketplace.audit.receipts import proven_logs, receipts_root
from marketplace.chain.connect import connect
from marketplace.chain.deployment import deploy
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.anvil import start_anvil
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.market import Market
from marketplace.storage.cid import raw_cid
from tests.parties.conftest import small_terms
from zk.srs.development import development_key

OWNER, AGGREGATOR, REFEREE = dev_account(0), dev_account(1), dev_account(2)
SPECIFICATION = raw_cid(b"specification").binary


@pytest.fixture(scope="module", params=["embedded", "anvil"])
def chain(request) -> Iterator[Web3]:
    if request.param == "embedded":
        yield connect_in_process(Ledger())
    else:
        with start_anvil() as url:
            yield connect(url, 31337)


@pytest.fixture(scope="module")
def market(chain) -> Market:
    """A market with three jobs, two of them created in one block where the chain allows that."""
    market = Market(chain, deploy(chain, OWNER, development_key()))
    terms = small_terms(market, 15, AGGREGATOR.address, REFEREE.address)
    assert market.create(OWNER, terms, SPECIFICATION) == 1
    market.accept(AGGREGATOR, 1, bytes([1]) * 32)
    chain.provider.make_request("evm_setAutomine", [False])
    nonce = chain.eth.get_transaction_count(OWNER.address)
    for place in range(2):
        transaction = market.contract.functions.create(terms.to_abi(), SPECIFICATION).build_transaction(
            {"from": OWNER.address, "nonce": nonce + place, "value": terms.deposit, "gas": 3_000_000}
        )
        chain.eth.send_raw_transaction(OWNER.sign_transaction(transaction).raw_transaction)
    chain.provider.make_request("evm_mine", [])
    chain.provider.make_request("evm_setAutomine", [True])
    market.accept(AGGREGATOR, 3, bytes([2]) * 32)
    return market


def test_every_headers_hash_is_that_of_its_fields_back_to_the_first_block(market):
    head = latest_header(market.w3)
    headers = list(ancestors(market.w3, head, lambda number: None))
    assert [header.number for header in headers] == list(range(head.number, -1, -1))
    assert headers[3] == header_by_hash(market.w3, headers[3].hash) == header_by_number(market.w3, headers[3].number)


@pytest.mark.parametrize("job", [1, 2, 3])
def test_logs_that_are_proven_are_those_that_are_told(market, job):
    head = latest_header(market.w3)
    by_hash = pinned(market, job, head.hash, lambda words: None)
    assert by_hash == told(market, job, head, lambda words: None)
    assert len(by_hash.logs) == (1 if job == 2 else 2)


def test_receipts_of_several_transactions_have_the_blocks_root(market):
    logs = told_logs(market.w3, market, 3, market.w3.eth.block_number)
    header = header_by_hash(market.w3, logs[0].block_hash)
    found = proven_logs(market.w3, header)
    assert logs[0] in found
    assert [log.index for log in found] == list(range(len(found)))


def test_the_bloom_filter_of_a_block_never_denies_a_log(market):
    address = to_canonical_address(market.deployment.market)
    for job in (1, 2, 3):
        for log in told_logs(market.w3, market, job, market.w3.eth.block_number):
            assert header_by_number(market.w3, log.block).may_hold(address, job_topic(job), *log.topics)
    first = header_by_number(market.w3, 0)
    assert not first.may_hold(address)


def test_a_block_that_is_not_there_is_told(market):
    with pytest.raises(NodeAnswerError, match="not an object"):
        header_by_number(market.w3, 10**6)


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=40))
def test_the_receipts_root_is_the_one_of_another_implementation(receipts):
    """py-evm builds the root of its own blocks with this function."""
    from eth.db.trie import _make_trie_root_and_nodes

    assert receipts_root(receipts) == _make_trie_root_and_nodes(tuple(receipts))[0]


def test_an_empty_trie_has_the_known_root():
    from eth_utils.crypto import keccak

    assert receipts_root([]) == keccak(rlp.encode(b""))


@pytest.mark.parametrize("value", [None, 3, "12", "0x", "0xzz", "0x123", "0x" + "00" * 31, b"\0", [], True])
def test_a_field_of_another_form_is_refused(value):
    with pytest.raises(NodeAnswerError, match="its hash is"):
        Fields("eth_getBlockByHash", {"hash": value}).data("hash", 32)


@pytest.mark.parametrize("value", [None, 3, "12", "0xzz", "-0x1", [], "1e3"])
def test_a_quantity_of_another_form_is_refused(value):
    with pytest.raises(NodeAnswerError, match="its number is"):
        Fields("eth_getBlockByHash", {"number": value}).number("number")
