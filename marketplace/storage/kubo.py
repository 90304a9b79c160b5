"""A Kubo node, or whatever else serves Kubo's HTTP RPC: https://docs.ipfs.tech/reference/kubo/rpc/.

Nothing that the node says about content is believed: blocks are hashed when they arrive, and the CIDs of what is added
are computed here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from marketplace.errors import ContentMissingError, MalformedCidError, StorageError
from marketplace.storage.car import write_block, write_car
from marketplace.storage.cid import Cid, parse_cid
from marketplace.storage.directory import pieces_of
from marketplace.storage.http import Answer, HttpClient, Origin, Patience, StoreUnreachableError
from marketplace.storage.store import BlockReader, Progress, no_progress
from marketplace.storage.unixfs import (
    CHUNK_BYTES,
    MAXIMUM_BLOCK_BYTES,
    GetBlock,
    cid_of,
    declared_size,
    export_file,
    import_file,
    require_block,
)
from marketplace.strict_json import parse_json

# Everything that decides about CIDs is said: a node's own defaults and configuration differ from version to version.
ADD_OPTIONS: Final = {
    "cid-version": "1",
    "raw-leaves": "true",
    "chunker": f"size-{CHUNK_BYTES}",
    "cid-base": "base32",
    "hash": "sha2-256",
    "trickle": "false",
    "inline": "false",
    "wrap-with-directory": "false",
    "pin": "true",
    "progress": "false",
}
_FINE: Final = 200
_LARGEST_ANSWER: Final = 1 << 20
# A pin takes some 120 bytes.
_LARGEST_LIST: Final = 1 << 28
# How Kubo and js-ipfs say that a block is not to be had; they have no code for it.
_MISSING: Final = ("not found", "could not find", "deadline exceeded", "timed out", "timeout")
_NOT_PINNED: Final = "not pinned"


class NodeRefusalError(StorageError):
    """Thrown when a node answers with an error of its own.

    Attributes
    ----------
    place
        The node.
    message
        What it says.
    """

    def __init__(self, place: str, message: str) -> None:
        self.place = place
        self.message = message
        super().__init__(f"{place[:1].upper()}{place[1:]} refuses: {message}; see its log.")


class KuboStore(BlockReader):
    """Keeps content in an IPFS node, pinned, and reads from it and from the network that it is part of.

    Parameters
    ----------
    origin : Origin
        Where its RPC is; whoever reaches that owns the node, so it belongs on the same machine or behind a password.
    patience : Patience
        How long it is waited for.
    search_seconds : int
        How long the node looks for a block in its network.
    """

    def __init__(
        self,
        origin: Origin,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        search_seconds: int = 10,
    ) -> None:
        self._http = HttpClient(origin, f"the Kubo node {origin}", patience)
        self._search_seconds = search_seconds

    @property
    def label(self) -> str:
        """What messages call it."""
        return self._http.place

    def version(self) -> str:
        """Return the version that the node says it has."""
        return str(self._ask("version", {}).get("Version", "unknown"))

    def add(self, content: bytes | Path, progress: Progress = no_progress) -> Cid:
        """Keep bytes, or a file's bytes read piece by piece; see `ContentStore.add`.

        The file's CID is computed first, so what the node has pinned already is not sent again, and a node that names
        it otherwise is noticed. Its settings may make it do so for large files; the blocks are then sent as they must
        be.
        """
        cid = import_file(pieces_of(content), lambda _cid, _block: None)
        if self._is_pinned(cid):
            return cid
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        found = self._ask("add", ADD_OPTIONS, lambda: pieces_of(content, progress), blocks=1 + size // CHUNK_BYTES)
        if found.get("Hash") != str(cid):
            import_file(pieces_of(content), self.put_block)
            self.pin(cid)
            other = _cid_or_none(str(found.get("Hash")))
            if other is not None:
                self.unpin(other)
        return cid

    def get(self, cid: Cid, max_bytes: int) -> bytes:
        """Return the bytes that a CID names; see `ContentReader.get`.

        What is larger than a block comes in one piece, and its CID is computed again. If that is another, the blocks
        are fetched one by one, which tells what is wrong.
        """
        root = self.get_block(cid)
        size = declared_size(cid, root)
        if cid.is_raw or size > max_bytes:
            return export_file(cid, lambda each: root if each == cid else self.get_block(each), max_bytes)
        query = {"arg": str(cid), "timeout": f"{self._search_seconds}s"}
        with self._http.ask("POST", "/api/v0/cat", query, blocks=1 + size // CHUNK_BYTES) as answer:
            self._check(answer, cid)
            content = answer.body(size)
        return content if cid_of(content) == cid else super().get(cid, max_bytes)

    def get_block(self, cid: Cid) -> bytes:
        """Return one block, checked, from the node or its network; see `ContentReader.get_block`."""
        query = {"arg": str(cid), "timeout": f"{self._search_seconds}s"}
        with self._http.ask("POST", "/api/v0/block/get", query) as answer:
            self._check(answer, cid)
            block = answer.body(MAXIMUM_BLOCK_BYTES)
        require_block(cid, block)
        return block

    def put_block(self, cid: Cid, block: bytes) -> None:
        """Keep one block, unpinned; see `WritableStore.put_block`."""
        require_block(cid, block)
        # As a CAR file of one block: unlike `block/put`, every version and kind of node takes it in the same way.
        self._lines("dag/import", {"pin-roots": "false", "allow-big-block": "false"}, lambda: write_block(cid, block))

    def has(self, cid: Cid) -> bool:
        """Whether the node itself has the first block."""
        try:
            self._ask(
                "block/stat", {"arg": str(cid), "offline": "true", "timeout": f"{self._search_seconds}s"}, cid=cid
            )
        except StorageError:
            return False
        return True

    def replicate(self, cid: Cid, get_block: GetBlock) -> None:
        """Take content over from another store, in one request, and pin it; see `WritableStore.replicate`."""
        blocks = 2 + declared_size(cid, get_block(cid)) // CHUNK_BYTES
        query = {"pin-roots": "true", "allow-big-block": "false"}
        lines = self._lines("dag/import", query, lambda: write_car([cid], get_block), blocks=blocks)
        faults = [str(line["Root"].get("PinErrorMsg")) for line in lines if isinstance(line.get("Root"), dict)]
        if faults != [""]:
            raise NodeRefusalError(self.label, "; ".join(faults) or f"it pinned nothing of {cid}")

    def export_car(self, cid: Cid, max_bytes: int) -> Iterator[bytes]:
        """Yield the CAR file that the node makes of content, unchecked; `marketplace.storage.car` reads such.

        Raises
        ------
        StorageError
            If it does not, or makes more than `max_bytes`.
        """
        query = {"arg": str(cid), "progress": "false", "timeout": f"{self._search_seconds}s"}
        with self._http.ask("POST", "/api/v0/dag/export", query, blocks=1 + max_bytes // CHUNK_BYTES) as answer:
            self._check(answer, cid)
            yield from answer.pieces(max_bytes)

    def pin(self, cid: Cid) -> None:
        """Have the node keep content, which it fetches if need be; see `WritableStore.pin`."""
        self._ask("pin/add", {"arg": str(cid), "recursive": "true", "cid-base": "base32"}, cid=cid)

    def unpin(self, cid: Cid) -> None:
        """Let go of what was pinned; see `WritableStore.unpin`."""
        try:
            self._ask("pin/rm", {"arg": str(cid), "recursive": "true"})
        except NodeRefusalError as refusal:
            if _NOT_PINNED not in refusal.message:
                raise

    def pins(self) -> list[Cid]:
        """Return what is pinned and has a CID of the form that Cairn uses, in ascending order."""
        query = {"type": "recursive", "stream": "true", "cid-base": "base32"}
        names: list[str] = []
        for line in self._lines("pin/ls", query):
            names += line.get("Keys") or [line.get("Cid", "")]
        return sorted(cid for cid in map(_cid_or_none, names) if cid is not None)

    def _is_pinned(self, cid: Cid) -> bool:
        """Whether the node keeps content whole."""
        try:
            found = self._ask("pin/ls", {"arg": str(cid), "type": "recursive", "cid-base": "base32"})
        except NodeRefusalError as refusal:
            if _NOT_PINNED in refusal.message:
                return False
            raise
        return str(cid) in found.get("Keys", {})

    def _ask(
        self,
        command: str,
        query: dict[str, str],
        content: Callable[[], Iterable[bytes]] | None = None,
        *,
        cid: Cid | None = None,
        blocks: int = 1,
    ) -> dict[str, Any]:
        """Call the RPC and return the last JSON object of its answer."""
        lines = self._lines(command, query, content, cid=cid, blocks=blocks)
        return lines[-1] if lines else {}

    def _lines(
        self,
        command: str,
        query: dict[str, str],
        content: Callable[[], Iterable[bytes]] | None = None,
        *,
        cid: Cid | None = None,
        blocks: int = 1,
    ) -> list[dict[str, Any]]:
        """Call the RPC and return the JSON objects of its answer, one a line."""
        boundary = secrets.token_hex(16)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"} if content else {}
        body = None if content is None else (lambda: _multipart(content(), boundary))
        with self._http.ask("POST", f"/api/v0/{command}", query, body=body, headers=headers, blocks=blocks) as answer:
            self._check(answer, cid)
            text = answer.body(_LARGEST_LIST if command == "pin/ls" else _LARGEST_ANSWER)
        try:
            found = [parse_json(line) for line in text.splitlines() if line.strip()]
        except ValueError as fault:
            raise StoreUnreachableError(self.label, f"answers {command} with what is no JSON") from fault
        if not all(isinstance(line, dict) for line in found):
            raise StoreUnreachableError(self.label, f"answers {command} with other JSON than Kubo")
        return found

    def _check(self, answer: Answer, cid: Cid | None) -> None:
        """Raise what an answer other than 200 says."""
        if answer.status == _FINE:
            return
        text = answer.body(_LARGEST_ANSWER)
        try:
            message = str(parse_json(text)["Message"])
        except (ValueError, KeyError, TypeError):
            message = f"HTTP {answer.status} {text[:300].decode('utf-8', 'replace')}".strip()
        if cid is not None and any(words in message.lower() for words in _MISSING):
            raise ContentMissingError(str(cid), self.label)
        raise NodeRefusalError(self.label, message[:300])


def _multipart(content: Iterable[bytes], boundary: str) -> Iterator[bytes]:
    """Wrap a stream of bytes as the one file of a form."""
    head = 'Content-Disposition: form-data; name="file"; filename="content"\r\nContent-Type: application/octet-stream'
    yield f"--{boundary}\r\n{head}\r\n\r\n".encode("ascii")
    # An empty piece would end the body.
    yield from (piece for piece in content if piece)
    yield f"\r\n--{boundary}--\r\n".encode("ascii")


def _cid_or_none(name: str) -> Cid | None:
    """Return a CID, or None for another form than ours."""
    try:
        return parse_cid(name)
    except MalformedCidError:
        return None
