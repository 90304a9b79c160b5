"""The embedded chain's own part: repeatable, durable, and its clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.errors import DevnetStateError, TransactionRejectedError

START = 1_767_225_600


def transfer(nonce: int, *, value: int = 1, chain_id: int = 31337, **changes: int) -> bytes:
    transaction = {
        "to": dev_account(1).address,
        "value": value,
        "gas": 21_000,
        "nonce": nonce,
        "chainId": chain_id,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 1,
        **changes,
    }
    return bytes(dev_account(0).sign_transaction(transaction).raw_transaction)


def test_same_transactions_give_the_same_chain() -> None:
    hashes = []
    for _ in range(2):
        ledger = Ledger(Clock(START))
        for nonce in range(3):
            ledger.submit(transfer(nonce))
        ledger.advance_time(10)
        hashes.append(ledger.head.hash)
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("chain_id", [1337, 31337, 131277322940537, 1])
def test_chain_id_is_what_was_asked_for(chain_id: int, probe_artifact) -> None:
    ledger = Ledger(Clock(START), chain_id=chain_id)
    w3 = connect_in_process(ledger)
    assert w3.eth.chain_id == chain_id
    ledger.submit(transfer(0, chain_id=chain_id))
    with pytest.raises(TransactionRejectedError, match=f"signed for 7, this is {chain_id}"):
        ledger.submit(transfer(1, chain_id=7))
    factory = w3.eth.contract(abi=probe_artifact.abi, bytecode=probe_artifact.bytecode)
    assert factory.constructor(1).estimate_gas({"from": dev_account(0).address}) > 100_000


def test_stopped_clock_moves_only_when_told() -> None:
    ledger = Ledger(Clock(START))
    for nonce in range(5):
        ledger.submit(transfer(nonce))
    assert ledger.head.timestamp == START
    assert ledger.advance_time(90) == START + 90
    ledger.submit(transfer(5))
    assert (ledger.head.timestamp, ledger.head.block_number) == (START + 90, 7)


def test_time_never_goes_back() -> None:
    with pytest.raises(ValueError, match="can't go back by 5 s"):
        Ledger(Clock(START)).advance_time(-5)


def test_refused_transaction_leaves_no_trace() -> None:
    ledger = Ledger(Clock(START))
    before = ledger.head.hash
    for raw in (transfer(1), transfer(0, value=10**30), transfer(0, gas=100), transfer(0)[:-1], b"", b"\x02\xc0"):
        with pytest.raises(TransactionRejectedError):
            ledger.submit(raw)
    assert ledger.head.hash == before
    ledger.submit(transfer(0))


def test_refusal_names_both_numbers() -> None:
    ledger = Ledger(Clock(START))
    with pytest.raises(TransactionRejectedError, match="nonce too high: next nonce 0, tx nonce 4"):
        ledger.submit(transfer(4))
    with pytest.raises(TransactionRejectedError, match=r"have 1000000\d{18} wei, want 1000000\d{18} wei"):
        ledger.submit(transfer(0, value=10**24))


def test_call_changes_nothing(probe_artifact) -> None:
    ledger = Ledger(Clock(START))
    w3 = connect_in_process(ledger)
    receipt_hash = ledger.submit(
        bytes(
            dev_account(0)
            .sign_transaction(
                {
                    "data": w3.eth.contract(abi=probe_artifact.abi, bytecode=probe_artifact.bytecode)
                    .constructor(9)
                    .data_in_transaction,
                    "gas": 2_000_000,
                    "nonce": 0,
                    "chainId": 31337,
                    "maxFeePerGas": 10**10,
                    "maxPriorityFeePerGas": 1,
                }
            )
            .raw_transaction
        )
    )
    probe = w3.eth.contract(w3.eth.get_transaction_receipt(receipt_hash)["contractAddress"], abi=probe_artifact.abi)
    root = ledger.head.state_root
    probe.functions.note(5, b"").call()
    probe.functions.note(5, b"").estimate_gas()
    assert probe.functions.value().call() == 0
    ledger.mine()
    assert ledger.head.state_root == root


def test_state_file_brings_the_chain_back(tmp_path: Path) -> None:
    file = tmp_path / "chain.sqlite"
    first = Ledger(Clock(START), state_file=file)
    sent = first.submit(transfer(0, value=7))
    first.advance_time(1000)
    head = first.head.hash
    first.close()
    second = Ledger(Clock(START), state_file=file)
    assert second.head.hash == head
    w3 = connect_in_process(second)
    assert w3.eth.get_transaction(sent)["value"] == 7
    assert w3.eth.get_transaction_receipt(sent)["status"] == 1
    assert second.clock.now() == START + 1000
    second.submit(transfer(1))
    second.close()


def test_state_file_brings_logs_back(tmp_path: Path, probe_artifact) -> None:
    file = tmp_path / "chain.sqlite"
    # Creation code that logs one topic (7) without data and deploys nothing: PUSH1 7, PUSH0, PUSH0, LOG1.
    raw = dev_account(0).sign_transaction(
        {
            "data": bytes.fromhex("60075f5fa1"),
            "gas": 100_000,
            "nonce": 0,
            "chainId": 31337,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 1,
        }
    )
    first = Ledger(Clock(START), state_file=file)
    first.submit(bytes(raw.raw_transaction))
    found = first.logs(0, 10, None, ())
    first.close()
    second = Ledger(Clock(START), state_file=file)
    assert second.logs(0, 10, None, ()) == found
    assert len(found) == 1
    second.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
ledger = Ledger(Clock(1767225600), state_file=Path(sys.argv[1]))
for raw in sys.argv[2:]:
    ledger.submit(bytes.fromhex(raw))
print(ledger.head.hash.hex(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_process_loses_no_block(tmp_path: Path) -> None:
    file = tmp_path / "chain.sqlite"
    arguments = [sys.executable, "-c", KILLED, str(file), transfer(0).hex(), transfer(1).hex()]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    ledger = Ledger(Clock(START), state_file=file)
    assert ledger.head.hash.hex() == ended.stdout.strip()
    ledger.close()


def test_state_file_of_another_chain_or_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "chain.sqlite"
    ledger = Ledger(Clock(START), state_file=file)
    with pytest.raises(DevnetStateError, match="another devnet may be using it"):
        Ledger(Clock(START), state_file=file)
    ledger.close()
    with pytest.raises(DevnetStateError, match="holds the chain with id 31337, not 1337"):
        Ledger(Clock(START), chain_id=1337, state_file=file)
    other = tmp_path / "notes.txt"
    other.write_text("not a database, but long enough to have a header that SQLite would recognise as its own\n" * 5)
    with pytest.raises(DevnetStateError, match="no such file"):
        Ledger(Clock(START), state_file=other)
