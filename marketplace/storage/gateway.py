"""A trustless gateway: single blocks over HTTP, from anybody, because each is hashed when it arrives.

See https://specs.ipfs.tech/http-gateways/trustless-gateway/; the part of it that every such gateway has.
"""

from pathlib import Path
from typing import Final

from marketplace.errors import ContentMissingError, CorruptContentError, StorageError
from marketplace.storage.cid import Cid
from marketplace.storage.http import HttpClient, Origin, Patience, StoreUnreachableError
from marketplace.storage.store import BlockReader, Progress, ReadOnlyStoreError, no_progress
from marketplace.storage.unixfs import MAXIMUM_BLOCK_BYTES, require_block

_RAW_BLOCK: Final = "application/vnd.ipld.raw"
_FINE: Final = 200
_GONE: Final = (404, 410)


class GatewayStore(BlockReader):
    """Reads from a gateway, which can keep nothing.

    Parameters
    ----------
    origin : Origin
        Where it is.
    path : str
        What comes before `/ipfs/` in its URLs; usually empty.
    patience : Patience
        How long it is waited for.
    """

    def __init__(self, origin: Origin, path: str = "", patience: Patience = Patience()) -> None:  # noqa: B008 - frozen
        self._path = path.rstrip("/")
        self._http = HttpClient(origin, f"the gateway {origin}{self._path}", patience)

    @property
    def label(self) -> str:
        """What messages call it."""
        return self._http.place

    def get_block(self, cid: Cid) -> bytes:
        """Return one block, checked; see `ContentReader.get_block`."""
        headers = {"Accept": _RAW_BLOCK}
        with self._http.ask("GET", f"{self._path}/ipfs/{cid}", {"format": "raw"}, headers=headers) as answer:
            if answer.status in _GONE:
                raise ContentMissingError(str(cid), self.label)
            if answer.status != _FINE:
                raise StoreUnreachableError(self.label, f"answers {answer.status}")
            block = answer.body(MAXIMUM_BLOCK_BYTES)
            kind = answer.header("Content-Type").partition(";")[0].strip()
        if not cid.names(block) and kind != _RAW_BLOCK:
            raise CorruptContentError(str(cid), f"{self.label} sent {kind[:80]!r} for it, not a block")
        require_block(cid, block)
        return block

    def add(self, content: bytes | Path, progress: Progress = no_progress) -> Cid:  # noqa: ARG002 - refused
        """Refuse: a gateway keeps nothing."""
        raise ReadOnlyStoreError(self.label)

    def has(self, cid: Cid) -> bool:
        """Whether the gateway gives the first block."""
        try:
            self.get_block(cid)
        except StorageError:
            return False
        return True
