"""A transaction is tried on the chain before any wallet is asked: what would fail is told, and the rest costs this."""

from __future__ import annotations

from dataclasses import dataclass

from web3 import Web3

from marketplace.chain.calls import known_errors, simulate
from marketplace.chain.errors import InsufficientFundsError
from marketplace.chain.fees import DEFAULT_TIP, next_base_fee
from marketplace.chain.transact import GAS_HEADROOM, GAS_MARGIN_PERCENT
from webapp.transactions.unsigned import Unsigned


@dataclass(frozen=True)
class Trial:
    """What a transaction needs.

    Attributes
    ----------
    gas
        Its limit: what the trial used and some more.
    fee_per_gas
        What the next block asks, tip included, in wei; the wallet offers what it thinks right.
    """

    gas: int
    fee_per_gas: int

    @property
    def fee(self) -> int:
        """What the gas costs now at most, in wei."""
        return self.gas * self.fee_per_gas


def try_out(w3: Web3, unsigned: Unsigned) -> Trial:
    """Try a transaction on the state of the next block.

    Raises
    ------
    InsufficientFundsError
        If the account can't pay for it.
    ContractRevertedError
        If the contract would refuse it; the message says why.
    TransactionRejectedError
        If the node does not try it.
    ChainError
        If the node fails.
    """
    balance, fee_per_gas = w3.eth.get_balance(unsigned.account), next_base_fee(w3) + DEFAULT_TIP
    if balance < unsigned.value:
        raise InsufficientFundsError(unsigned.account, balance, unsigned.value)
    fields = {
        "from": unsigned.account,
        "to": unsigned.target,
        "data": "0x" + unsigned.data.hex(),
        "value": unsigned.value,
    }
    used = simulate(w3, fields, f"`{unsigned.kind}`", known_errors())
    trial = Trial(used * (100 + GAS_MARGIN_PERCENT) // 100 + GAS_HEADROOM, fee_per_gas)
    if balance < unsigned.value + trial.fee:
        raise InsufficientFundsError(unsigned.account, balance, unsigned.value + trial.fee)
    return trial
