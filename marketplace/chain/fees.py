"""What is offered for gas (EIP-1559), and by how much more when a transaction is stuck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from web3 import Web3

from marketplace.chain.errors import FeeCapError

GWEI: Final = 10**9
DEFAULT_FEE_CAP: Final = 200 * GWEI
DEFAULT_TIP: Final = GWEI
# Nodes keep the older of two transactions with one nonce unless the newer offers a tenth more, some an eighth, in both
# fees. Everybody takes an eighth.
RAISE_NUMERATOR: Final = 9
RAISE_DENOMINATOR: Final = 8


@dataclass(frozen=True)
class Fees:
    """What a transaction offers.

    Attributes
    ----------
    most
        Wei per gas that are paid at most, tip included (maxFeePerGas).
    tip
        Wei per gas that whoever makes the block gets at most (maxPriorityFeePerGas).
    """

    most: int
    tip: int


def next_base_fee(w3: Web3) -> int:
    """Return what the next block asks at least, in wei per gas."""
    return int(w3.eth.fee_history(1, "latest")["baseFeePerGas"][-1])


def going_fees(base_fee: int, cap: int) -> Fees:
    """Return what a new transaction offers.

    Parameters
    ----------
    base_fee, cap : int
        What the next block asks, and what may be paid at most, in wei per gas.

    Raises
    ------
    FeeCapError
        If the block asks more than may be paid.
    """
    if base_fee > cap:
        raise FeeCapError(base_fee, cap)
    tip = min(DEFAULT_TIP, cap - base_fee)
    # Twice the base fee stays enough for five full blocks in a row.
    return Fees(min(2 * base_fee + tip, cap), tip)


def raised_fees(offered: Fees, going: Fees, cap: int) -> Fees | None:
    """Return what replaces a transaction that offered too little; None if nodes would want more than the cap.

    Each fee is an eighth above what was offered, rounded up, or what a new transaction offers if that is more.
    """
    most = max(_raised(offered.most), going.most)
    if most > cap:
        return None
    return Fees(most, min(max(_raised(offered.tip), going.tip), most))


def _raised(fee: int) -> int:
    return -(-fee * RAISE_NUMERATOR // RAISE_DENOMINATOR)
