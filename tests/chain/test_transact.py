"""Transactions are tried before they are sent, paid for within the cap, and their failures told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from eth_account import Account
from eth_utils.crypto import keccak
from web3.contract import Contract

from marketplace.chain import transact as module
from marketplace.chain.calls import call_view
from marketplace.chain.devnet.accounts import INITIAL_BALANCE, dev_account
from marketplace.chain.errors import (
    ContractRevertedError,
    FeeCapError,
    InsufficientFundsError,
    TransactionRejectedError,
    UnconfirmedError,
)
from marketplace.chain.journal import Journals
from marketplace.chain.transact import transact

if TYPE_CHECKING:
    from tests.chain.conftest import Chain


def test_call_is_sent_and_confirmed(chain: Chain, probe: Contract) -> None:
    receipt = transact(chain.w3, dev_account(1), probe.functions.note(7, b"data"), value=5)
    assert (receipt["status"], receipt["from"]) == (1, dev_account(1).address)
    assert call_view(probe.functions.value()) == 7
    assert chain.w3.eth.get_balance(probe.address) == 5


def test_what_is_signed_names_its_chain_and_its_contract(chain: Chain, probe: Contract) -> None:
    receipt = transact(chain.w3, dev_account(1), probe.functions.note(7, b"data"))
    sent = chain.w3.eth.get_transaction(receipt["transactionHash"])
    assert sent["chainId"] == chain.w3.eth.chain_id
    assert sent["to"] == probe.address


def test_contract_is_created(chain: Chain, probe_artifact) -> None:
    factory = chain.w3.eth.contract(abi=probe_artifact.abi, bytecode=probe_artifact.bytecode)
    address = transact(chain.w3, dev_account(2), factory.constructor(3))["contractAddress"]
    assert call_view(chain.w3.eth.contract(address, abi=probe_artifact.abi).functions.limit()) == 3


def test_refused_call_is_told_and_not_sent(chain: Chain, probe: Contract) -> None:
    nonce = chain.w3.eth.get_transaction_count(dev_account(1).address)
    with pytest.raises(ContractRevertedError, match="The contract refused `note`: Probe_Refused") as raised:
        transact(chain.w3, dev_account(1), probe.functions.note(101, b""))
    assert raised.value.name == "Probe_Refused"
    assert raised.value.arguments["given"] == 101
    assert raised.value.arguments["limit"] == 100
    assert chain.w3.eth.get_transaction_count(dev_account(1).address) == nonce


def test_refused_view_is_told(chain: Chain, probe: Contract) -> None:
    with pytest.raises(ContractRevertedError, match="division by zero"):
        call_view(probe.functions.failByPanic(0))
    with pytest.raises(ContractRevertedError, match="plainly refused"):
        call_view(probe.functions.failPlainly())


def test_trial_runs_at_the_time_of_the_next_block(chain: Chain, probe: Contract) -> None:
    # Time passes without a block: what became legal in between must not look illegal.
    chain.rpc("evm_increaseTime", 5000)
    seen = call_view(probe.functions.time(), "pending")
    assert seen - chain.w3.eth.get_block("latest")["timestamp"] >= 5000


def test_account_without_money_is_told_with_both_numbers(chain: Chain, probe: Contract) -> None:
    pauper = Account.create()
    with pytest.raises(
        InsufficientFundsError, match=rf"{pauper.address} has 0 wei and the transaction can cost \d+ wei"
    ):
        transact(chain.w3, pauper, probe.functions.note(1, b""))
    too_much = INITIAL_BALANCE + 1
    with pytest.raises(InsufficientFundsError) as raised:
        transact(chain.w3, dev_account(3), probe.functions.note(1, b""), value=too_much)
    assert (raised.value.balance, raised.value.needed) == (INITIAL_BALANCE, too_much)


def test_value_without_money_for_gas_is_told(chain: Chain, probe: Contract) -> None:
    with pytest.raises(InsufficientFundsError):
        transact(chain.w3, dev_account(4), probe.functions.note(1, b""), value=INITIAL_BALANCE)


def test_fee_stays_within_the_cap(chain: Chain, probe: Contract) -> None:
    cap = 2 * 10**9
    receipt = transact(chain.w3, dev_account(5), probe.functions.note(1, b""), fee_cap=cap)
    assert receipt["effectiveGasPrice"] <= cap
    with pytest.raises(FeeCapError, match=r"asks \d+ wei per gas and at most 1 wei may be paid"):
        transact(chain.w3, dev_account(5), probe.functions.note(1, b""), fee_cap=1)


def test_threads_share_an_account(chain: Chain, probe: Contract) -> None:
    def send(value: int) -> int:
        return transact(chain.w3, dev_account(6), probe.functions.note(value, b""), journals=journals)["status"]

    journals = Journals()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(send, range(12))) == [1] * 12
    assert chain.w3.eth.get_transaction_count(dev_account(6).address) == 12


def test_nonce_taken_by_another_process_is_replaced(
    chain: Chain, probe: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact(chain.w3, dev_account(7), probe.functions.note(1, b""))
    stale, ask = [0, 0], chain.w3.eth.get_transaction_count
    monkeypatch.setattr(chain.w3.eth, "get_transaction_count", lambda *args: stale.pop() if stale else ask(*args))
    assert transact(chain.w3, dev_account(7), probe.functions.note(2, b""))["status"] == 1
    assert stale == []


def test_transaction_that_fails_in_its_block_is_told(
    chain: Chain, probe: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "simulate", lambda *args: 200_000)
    with pytest.raises(ContractRevertedError, match="Probe_Refused"):
        transact(chain.w3, dev_account(8), probe.functions.note(101, b""))
    monkeypatch.setattr(module, "simulate", lambda *args: 25_000)
    monkeypatch.setattr(module, "GAS_HEADROOM", 0)
    with pytest.raises(ContractRevertedError, match="used up its 30000 gas"):
        transact(chain.w3, dev_account(8), probe.functions.note(1, b""))


def test_transaction_that_the_node_refuses_is_told(
    chain: Chain, probe: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "simulate", lambda *args: 1_000)
    monkeypatch.setattr(module, "GAS_HEADROOM", 0)
    with pytest.raises(TransactionRejectedError, match="intrinsic gas"):
        transact(chain.w3, dev_account(8), probe.functions.note(1, b""))


def test_transaction_in_no_block_is_told(chain: Chain, probe: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = []
    monkeypatch.setattr(chain.w3.eth, "send_raw_transaction", lost.append)
    monkeypatch.setattr(module, "CONFIRM_SECONDS", 0.2)
    with pytest.raises(UnconfirmedError) as raised:
        transact(chain.w3, dev_account(9), probe.functions.note(1, b""))
    assert raised.value.transaction_hash == "0x" + keccak(lost[0]).hex()
