"""The doctor finds what is wrong with a machine, and says what to do about each thing."""

from __future__ import annotations

import shutil
from collections import namedtuple
from types import SimpleNamespace

import pytest
from web3.exceptions import Web3RPCError

from marketplace.chain.errors import UnreachableNodeError
from marketplace.operations import doctor
from marketplace.operations.doctor import Status, check_balance, check_clock, check_disk, check_store, check_versions
from marketplace.storage.directory import DirectoryStore

NOW = 1_767_225_600
ACCOUNT = "0x" + "2" * 40


def node(*, timestamp=NOW, balance=10**18, price=10**9):
    eth = SimpleNamespace(
        get_block=lambda _: {"number": 7, "timestamp": timestamp},
        get_balance=lambda _: balance,
        gas_price=price,
        chain_id=31_337,
    )
    return SimpleNamespace(eth=eth)


@pytest.mark.parametrize(
    ("ahead", "status"),
    [(0, "fine"), (15, "fine"), (16, "warning"), (121, "failed"), (3_600, "failed"), (-900, "fine"), (-901, "warning")],
)
def test_the_clock_is_compared_with_block_time(ahead, status):
    finding = check_clock(node(timestamp=NOW + ahead), now=NOW)
    assert finding.status == status
    assert f"{abs(ahead)} s" in finding.found
    assert bool(finding.fix) == (status != "fine")


@pytest.mark.parametrize(("balance", "status"), [(0, "failed"), (10**15, "warning"), (10**18, "fine")])
def test_a_balance_that_pays_no_settlement_is_found(balance, status):
    finding = check_balance(node(balance=balance), ACCOUNT)
    assert finding.status == status
    assert status == "fine" or ACCOUNT in finding.fix


@pytest.mark.parametrize("fault", [UnreachableNodeError("http://127.0.0.1:1", "refused"), Web3RPCError("too many")])
def test_a_node_that_fails_is_found(fault):
    def fail(_):
        raise fault

    failing = node()
    failing.eth.get_block = failing.eth.get_balance = fail
    for finding in (check_clock(failing), check_balance(failing, ACCOUNT)):
        assert finding.status is Status.FAILED
        assert finding.fix


@pytest.mark.parametrize(("free", "status"), [(2**40, "fine"), (2**30, "warning"), (2**20, "failed")])
def test_little_space_is_found(tmp_path, monkeypatch, free, status):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**41, 0, free))
    assert check_disk(tmp_path / "not" / "there" / "yet").status == status


def test_a_place_that_can_not_be_written_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert check_disk(tmp_path).status is Status.FAILED


def test_a_store_is_tried(tmp_path):
    assert check_store(lambda: DirectoryStore(tmp_path / "store")).status is Status.FINE
    (tmp_path / "file").touch()
    finding = check_store(lambda: DirectoryStore(tmp_path / "file"))
    assert (finding.status, finding.code) == (Status.FAILED, "E0506")
    assert "Free some space" in finding.fix


def test_a_store_that_lies_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(DirectoryStore, "get", lambda *_: b"other")
    assert check_store(lambda: DirectoryStore(tmp_path)).status is Status.FAILED


def test_versions_are_told():
    assert "Python 3." in check_versions().found
