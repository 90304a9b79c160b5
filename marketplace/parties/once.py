"""Sending what the contract takes once, from whichever process comes first."""

from __future__ import annotations

from collections.abc import Callable

from marketplace.chain.errors import ContractRevertedError


def send_once(send: Callable[[], object], is_done: Callable[[], bool]) -> bool:
    """Send a transaction that may take effect once; tell whether this process's did.

    Another process of the same party, or another party, may be quicker between the look at the chain and the block.

    Parameters
    ----------
    send
        Sends it.
    is_done
        Tells whether the chain, as of now, shows its effect.

    Raises
    ------
    ContractRevertedError
        If the contract refuses it for another reason than that it was done.
    """
    try:
        send()
    except ContractRevertedError:
        if is_done():
            return False
        raise
    return True
