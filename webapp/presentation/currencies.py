"""What amounts of a job are in: the native coin, or a token whose decimals the configured node tells."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Final

from eth_typing import ChecksumAddress

from contribution.errors import CairnError
from marketplace.chain.structs import NATIVE_COIN
from marketplace.job.quantities import MAX_DECIMALS, NATIVE, Currency

# A node that does not answer is asked again after so many seconds; pages don't wait for it each time.
_RETRY_SECONDS: Final = 60.0
_MOST_TOKENS: Final = 1_000


@dataclass
class Currencies:
    """Looks up what a token's amounts are in, once.

    Attributes
    ----------
    rpc, chain_id
        The node that is asked, and the chain it must be of; without a node no token's decimals are known.
    """

    rpc: str | None
    chain_id: int
    _known: dict[ChecksumAddress, Currency] = field(default_factory=dict)
    _failed: dict[ChecksumAddress, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, token: ChecksumAddress) -> Currency | None:
        """Return what amounts in a token are in; None if that is not known at the moment."""
        if token == NATIVE_COIN:
            return NATIVE
        with self._lock:
            if token in self._known:
                return self._known[token]
            if self.rpc is None or time.monotonic() < self._failed.get(token, 0.0):
                return None
            # Others show units meanwhile, and don't ask too.
            self._failed[token] = time.monotonic() + _RETRY_SECONDS
            if len(self._failed) > _MOST_TOKENS:
                self._failed.clear()
        found = self._ask(token)
        if found is not None:
            with self._lock:
                self._known[token] = found
        return found

    def _ask(self, token: ChecksumAddress) -> Currency | None:
        from marketplace.chain.connect import connect
        from marketplace.chain.token import token_decimals

        try:
            decimals = token_decimals(connect(self.rpc or "", self.chain_id), token)
        except CairnError:
            # A page without decimals shows smallest units, which are right too.
            return None
        return Currency(decimals, is_token=True) if 0 <= decimals <= MAX_DECIMALS else None
