"""Starting anvil, and what is said when that fails."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from marketplace.chain.connect import connect
from marketplace.chain.devnet import anvil
from marketplace.chain.devnet.anvil import find_anvil, start_anvil
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.server import serve_devnet
from marketplace.chain.errors import DevnetStartError


def test_state_file_brings_the_chain_back(tmp_path: Path) -> None:
    file = tmp_path / "anvil.json"
    with start_anvil(state_file=file) as url:
        w3 = connect(url, 31337)
        w3.provider.make_request("evm_mine", [])
        head = w3.eth.get_block("latest")["hash"]
    with start_anvil(state_file=file) as url:
        assert connect(url, 31337).eth.get_block(1)["hash"] == head


def test_idle_chain_goes_on_making_blocks() -> None:
    with start_anvil(heartbeat=1, chain_id=1337) as url:
        w3 = connect(url, 1337)
        for _ in range(500):
            if w3.eth.block_number > 0:
                break
            time.sleep(0.01)
        assert w3.eth.block_number > 0


def test_anvil_that_ends_at_once_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("no state")
    with pytest.raises(DevnetStartError, match="anvil ended at once"), start_anvil(state_file=tmp_path / "broken.json"):
        pass


def test_taken_port_is_told(ledger: Ledger) -> None:
    with serve_devnet(ledger, port=0, heartbeat=None) as server:
        port = server.server_address[1]
        with pytest.raises(DevnetStartError, match=f"port {port}"), start_anvil(port=port):
            pass


def test_missing_anvil_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(anvil, "CHECKOUT", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DevnetStartError, match="npm ci"):
        find_anvil()
    monkeypatch.setattr(shutil, "which", lambda name: "/opt/foundry/anvil")
    assert find_anvil() == Path("/opt/foundry/anvil")
