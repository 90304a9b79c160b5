"""Coins from a development account of a local chain, where they are worth nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketplace.chain.devnet.accounts import dev_account
from marketplace.cli.common import open_journals, require_local

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from web3 import Web3


def fund(w3: Web3, account: ChecksumAddress, wei: int, sender: int = 0) -> None:
    """Send coins from a development account and wait until a block holds them.

    Raises
    ------
    CommandError
        If the chain is not a local one.
    ChainError
        If the transfer fails; see `transact`.
    """
    from marketplace.chain.transact import transfer

    require_local(w3, "Funding")
    transfer(w3, dev_account(sender), account, wei, journals=open_journals())
