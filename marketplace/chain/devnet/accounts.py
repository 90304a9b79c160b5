"""The funded accounts of every local chain: keys that the whole world knows."""

from __future__ import annotations

from functools import cache

from eth_account import Account
from eth_account.hdaccount import seed_from_mnemonic
from eth_account.hdaccount.deterministic import HDPath
from eth_account.signers.local import LocalAccount

MNEMONIC = "test test test test test test test test test test test junk"
DERIVATION_PATH = "m/44'/60'/0'/0"
DEFAULT_COUNT = 20
INITIAL_BALANCE = 1_000_000 * 10**18


@cache
def dev_account(index: int) -> LocalAccount:
    """Return one of the accounts that a local chain funds.

    They derive from the mnemonic that anvil and hardhat use too, so that a wallet set up for either knows them. Money
    on a public chain that is sent to one of them is lost.
    """
    key = HDPath(f"{DERIVATION_PATH}/{index}").derive(_seed())
    account: LocalAccount = Account.from_key(key)
    return account


def dev_accounts(count: int = DEFAULT_COUNT) -> list[LocalAccount]:
    """Return the first `count` accounts that a local chain funds."""
    return [dev_account(index) for index in range(count)]


@cache
def _seed() -> bytes:
    return bytes(seed_from_mnemonic(MNEMONIC, ""))
