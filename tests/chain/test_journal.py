"""The journal on disk: for its owner alone, whole or not at all, and refused if it is not what was written."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3
from web3.contract import Contract

from marketplace.chain.artifacts import Artifact
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.errors import JournalError
from marketplace.chain.journal import Journals
from marketplace.chain.transact import transact

START = 1_767_225_600
ACCOUNT = dev_account(1)


def deploy(w3: Web3, artifact: Artifact) -> Contract:
    factory = w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    address = transact(w3, dev_account(0), factory.constructor(100))["contractAddress"]
    return w3.eth.contract(address, abi=artifact.abi)


@pytest.fixture
def probe(ledger: Ledger, probe_artifact: Artifact) -> Contract:
    return deploy(connect_in_process(ledger), probe_artifact)


@pytest.fixture
def file(probe: Contract, tmp_path: Path) -> Path:
    """The record of one transaction."""
    transact(probe.w3, ACCOUNT, probe.functions.note(7, b""), journals=Journals(tmp_path))
    (found,) = tmp_path.glob("*/*.json")
    return found


def test_a_record_says_what_was_sent_and_holds_no_key(file: Path) -> None:
    record = json.loads(file.read_text())
    assert (record["account"], record["nonce"], record["action"]) == (ACCOUNT.address, 0, "`note`")
    assert (record["state"], record["reported"]) == ("done", True)
    for path in file.parent.iterdir():
        assert bytes(ACCOUNT.key).hex() not in path.read_text().lower()


def test_records_are_for_the_user_alone(file: Path) -> None:
    for path in file.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def cut(record: dict[str, Any], text: str) -> str:
    return text[:-20]


def other_state(record: dict[str, Any], text: str) -> str:
    return text.replace('"done"', '"pending"')


def other_account(record: dict[str, Any], text: str) -> str:
    return text.replace(record["account"], dev_account(2).address)


def other_transaction(record: dict[str, Any], text: str) -> str:
    signed = dev_account(2).sign_transaction(
        {"type": 2, "chainId": 31337, "nonce": 0, "gas": 21_000, "maxFeePerGas": 1, "maxPriorityFeePerGas": 1}
        | {"to": ACCOUNT.address, "value": 1}
    )
    before = record["attempts"][0]
    text = text.replace(before["raw"], signed.raw_transaction.to_0x_hex())
    return text.replace(before["hash"], signed.hash.to_0x_hex()).replace(record["account"], dev_account(2).address)


def other_spelling(record: dict[str, Any], text: str) -> str:
    return json.dumps(record)


@pytest.mark.parametrize("damage", [cut, other_state, other_account, other_transaction, other_spelling])
def test_a_damaged_record_is_refused_and_nothing_is_sent(
    file: Path, probe: Contract, tmp_path: Path, damage: Callable[[dict[str, Any], str], str]
) -> None:
    text = file.read_text()
    file.write_text(damage(json.loads(text), text))
    with pytest.raises(JournalError, match="restore it from a backup") as raised:
        transact(probe.w3, ACCOUNT, probe.functions.note(8, b""), journals=Journals(tmp_path))
    assert str(file) in str(raised.value)
    assert probe.w3.eth.get_transaction_count(ACCOUNT.address) == 1


def test_a_half_written_record_of_a_crash_counts_for_nothing(file: Path, probe: Contract, tmp_path: Path) -> None:
    (file.parent / f".{1:020d}.json.new").write_text('{"format": "cairn-tra')
    transact(probe.w3, ACCOUNT, probe.functions.note(8, b""), journals=Journals(tmp_path))
    assert probe.w3.eth.get_transaction_count(ACCOUNT.address) == 2


def test_a_disk_that_takes_nothing_stops_sending(probe: Contract, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="nothing is sent"):
        transact(probe.w3, ACCOUNT, probe.functions.note(8, b""), journals=Journals(tmp_path / "file"))
    assert probe.w3.eth.get_transaction_count(ACCOUNT.address) == 0


def test_a_record_that_can_not_be_kept_is_not_sent(
    probe: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(JournalError, match="No space left on device"):
        transact(probe.w3, ACCOUNT, probe.functions.note(8, b""), journals=Journals(tmp_path))
    assert probe.w3.eth.get_transaction_count(ACCOUNT.address) == 0


def test_what_was_sent_to_a_local_chain_is_not_sent_to_the_next_one(
    file: Path, probe_artifact: Artifact, tmp_path: Path
) -> None:
    fresh = Ledger(Clock(START + 1))
    w3 = connect_in_process(fresh)
    probe = deploy(w3, probe_artifact)
    transact(w3, ACCOUNT, probe.functions.note(9, b""), journals=Journals(tmp_path))
    assert w3.eth.get_transaction_count(ACCOUNT.address) == 1
    assert probe.functions.value().call() == 9
    fresh.close()
