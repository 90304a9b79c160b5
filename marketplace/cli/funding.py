"""Coins from a development account of a local chain, where they are worth nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.errors import TransactionRejectedError, UnconfirmedError
from marketplace.cli.common import require_local

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from web3 import Web3

TRANSFER_GAS = 21_000
TIP = 10**9
CONFIRM_SECONDS = 60.0


def fund(w3: Web3, account: ChecksumAddress, wei: int, sender: int = 0) -> None:
    """Send coins from a development account and wait until a block holds them.

    Raises
    ------
    CommandError
        If the chain is not a local one.
    ChainError
        If the node refuses, or the transaction is not included in time.
    """
    from web3.exceptions import TimeExhausted, Web3RPCError

    require_local(w3, "Funding")
    payer = dev_account(sender)
    base_fee = int(w3.eth.fee_history(1, "latest")["baseFeePerGas"][-1])
    transaction: dict[str, Any] = {
        "chainId": w3.eth.chain_id,
        "type": 2,
        "nonce": w3.eth.get_transaction_count(payer.address, "pending"),
        "to": account,
        "value": wei,
        "gas": TRANSFER_GAS,
        "maxFeePerGas": 2 * base_fee + TIP,
        "maxPriorityFeePerGas": TIP,
    }
    try:
        sent = w3.eth.send_raw_transaction(payer.sign_transaction(transaction).raw_transaction)
        w3.eth.wait_for_transaction_receipt(sent, CONFIRM_SECONDS, 0.05)
    except Web3RPCError as refused:
        raise TransactionRejectedError(
            f"Development account {sender} can't send {wei} wei to {account}: {refused}; send less, or from another."
        ) from refused
    except TimeExhausted as waited:
        raise UnconfirmedError(sent.to_0x_hex(), CONFIRM_SECONDS) from waited
