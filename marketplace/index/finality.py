"""How deep a reorganisation of the chain is reckoned with."""

from __future__ import annotations

from typing import Final

# Blocks below the last that can still change. On Ethereum a block is final after two epochs of 32.
FINALITY_DEPTH: Final = 64
