"""Which chains are local, where coins are worth nothing, and what is allowed only there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from marketplace.chain.errors import InsecureSetupError

if TYPE_CHECKING:
    from zk.srs.verification_key import VerificationKey

# Ganache's, Hardhat's and Anvil's, eth-tester's; those on which the development verifier lets itself be deployed.
LOCAL_CHAIN_IDS: Final = (1_337, 31_337, 131_277_322_940_537)


def refuse_insecure(key: VerificationKey, chain_id: int) -> None:
    """Refuse the structured reference string for development on any chain but a local one.

    Raises
    ------
    InsecureSetupError
        If everybody knows the key's secrets and the chain is not local.
    """
    if key.is_for_development and chain_id not in LOCAL_CHAIN_IDS:
        raise InsecureSetupError(key.identity, chain_id, LOCAL_CHAIN_IDS)
