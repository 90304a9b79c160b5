"""Tokens that are known to be plain: no fee on transfer, no rebasing, nobody who could pause or seize them."""

from __future__ import annotations

from typing import Final

# Chain id -> addresses. Wrapped ether is the only large token with no administrator at all.
PLAIN_TOKENS: Final[dict[int, tuple[str, ...]]] = {
    1: ("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",),
}
