"""Transactions from an account whose key this process holds: tried first, paid for within a cap, awaited."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, cast

from eth_account.signers.local import LocalAccount
from eth_utils.conversions import to_bytes
from hexbytes import HexBytes
from web3 import Web3
from web3.contract.contract import ContractConstructor, ContractFunction
from web3.exceptions import ContractLogicError, TimeExhausted, Web3RPCError
from web3.types import TxParams, TxReceipt

from marketplace.chain.artifacts import load_artifact
from marketplace.chain.errors import (
    ContractRevertedError,
    FeeCapError,
    InsufficientFundsError,
    TransactionRejectedError,
    UnconfirmedError,
)
from marketplace.chain.reverts import decode_revert

GWEI = 10**9
DEFAULT_FEE_CAP = 200 * GWEI
DEFAULT_TIP = GWEI
CONFIRM_SECONDS = 180.0
POLL_SECONDS = 0.1
# Gas that is estimated now may not suffice in the next block, whose state others change: more of it to do, or two
# words of storage that have become zero meanwhile, which makes writing them dearer. What is not used is not paid.
GAS_MARGIN_PERCENT = 20
GAS_HEADROOM = 40_000
NONCE_ATTEMPTS = 5

# One at a time from each account, or two threads would sign the same nonce.
_nonce_locks: defaultdict[tuple[int, str], threading.Lock] = defaultdict(threading.Lock)
_nonce_locks_guard = threading.Lock()

Call = ContractFunction | ContractConstructor
Fields = dict[str, Any]


def transact(
    w3: Web3, account: LocalAccount, call: Call, *, value: int = 0, fee_cap: int = DEFAULT_FEE_CAP
) -> TxReceipt:
    """Send a call of a contract, or the creation of one, and wait until a block holds it.

    Parameters
    ----------
    w3 : Web3
        The chain.
    account : LocalAccount
        Who sends and pays.
    call : ContractFunction or ContractConstructor
        What to call, with its arguments.
    value : int
        Wei to be sent along.
    fee_cap : int
        Wei per gas that may be paid at most, tip included.

    Raises
    ------
    ContractRevertedError
        If the contract refuses; nothing was sent unless the chain changed between the trial and the block.
    InsufficientFundsError
        If the account can't pay; nothing was sent.
    FeeCapError
        If the chain asks more than `fee_cap`; nothing was sent.
    TransactionRejectedError
        If the node does not take it for another reason; nothing was sent.
    UnconfirmedError
        If it was sent and no block holds it after `CONFIRM_SECONDS`.
    """
    transaction = _fill(account, call, value)
    _check_funds(w3, account, value)
    gas = simulate(w3, transaction, action_name(call), errors_of(call))
    limit, fees = gas * (100 + GAS_MARGIN_PERCENT) // 100 + GAS_HEADROOM, _fees(w3, fee_cap)
    _check_funds(w3, account, value + limit * fees["maxFeePerGas"])
    transaction |= {"gas": limit, **fees}
    transaction_hash = _send(w3, account, transaction)
    receipt = _await(w3, transaction_hash)
    if receipt["status"] != 1:
        _raise_failure(w3, transaction, receipt, call)
    return receipt


def simulate(w3: Web3, transaction: Fields, action: str, errors: Iterable[Mapping[str, Any]]) -> int:
    """Try a transaction on the state and time of the next block; return the gas that it needs.

    Raises
    ------
    ContractRevertedError
        If the contract refuses it.
    TransactionRejectedError
        If the node does not try it.
    """
    try:
        return w3.eth.estimate_gas(cast(TxParams, transaction), "pending")
    except ContractLogicError as reverted:
        raise reverted_error(action, reverted, errors) from reverted
    except Web3RPCError as refused:
        raise TransactionRejectedError(f"The node can't try {action}: {_message(refused)}") from refused


def call_view(call: ContractFunction, block: int | str = "latest") -> Any:  # noqa: ANN401 - any ABI value
    """Ask a contract without a transaction.

    Raises
    ------
    ContractRevertedError
        If it refuses to answer.
    """
    try:
        return call.call(block_identifier=block)  # type: ignore[arg-type]
    except ContractLogicError as reverted:
        raise reverted_error(action_name(call), reverted, errors_of(call)) from reverted


def reverted_error(
    action: str, reverted: ContractLogicError, errors: Iterable[Mapping[str, Any]]
) -> ContractRevertedError:
    """Turn web3's exception for a revert into one with a sentence."""
    data = reverted.data
    decoded = decode_revert(to_bytes(hexstr=data) if isinstance(data, str) and data.startswith("0x") else b"", errors)
    return ContractRevertedError(action, decoded.name, decoded.arguments, decoded.sentence)


def errors_of(call: Call) -> list[Mapping[str, Any]]:
    """Return the ABI of every error that a call can end in: the contract's own and those of this package."""
    own = call.abi if isinstance(call, ContractConstructor) else call.contract_abi
    return [entry for entry in (*own, *load_artifact("Errors").abi) if entry["type"] == "error"]


def action_name(call: Call) -> str:
    """Return what a call is called in messages."""
    return "the deployment" if isinstance(call, ContractConstructor) else f"`{call.fn_name}`"


def _fill(account: LocalAccount, call: Call, value: int) -> Fields:
    # Every field that web3 would ask the node for is given, so that building costs no request.
    unknown = {"gas": 1, "chainId": 1, "nonce": 0, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
    built = call.build_transaction(cast(TxParams, {"from": account.address, "value": value, **unknown}))
    return {key: field for key, field in built.items() if key in ("from", "to", "data", "value") and field}


def _fees(w3: Web3, fee_cap: int) -> Fields:
    base_fee = int(w3.eth.fee_history(1, "latest")["baseFeePerGas"][-1])
    if base_fee > fee_cap:
        raise FeeCapError(base_fee, fee_cap)
    tip = min(DEFAULT_TIP, fee_cap - base_fee)
    # Twice the base fee stays enough for five full blocks in a row.
    return {"maxFeePerGas": min(2 * base_fee + tip, fee_cap), "maxPriorityFeePerGas": tip}


def _check_funds(w3: Web3, account: LocalAccount, needed: int) -> None:
    balance = w3.eth.get_balance(account.address)
    if balance < needed:
        raise InsufficientFundsError(account.address, balance, needed)


def _send(w3: Web3, account: LocalAccount, transaction: Fields) -> HexBytes:
    chain_id = w3.eth.chain_id
    attempts = NONCE_ATTEMPTS
    with _nonce_lock(chain_id, account.address):
        while True:
            nonce = w3.eth.get_transaction_count(account.address, "pending")
            signed = account.sign_transaction({**transaction, "chainId": chain_id, "nonce": nonce, "type": 2})
            try:
                return w3.eth.send_raw_transaction(signed.raw_transaction)
            except Web3RPCError as refused:
                attempts -= 1
                # Another process may have used this account's nonce in between; then the next one serves.
                if attempts == 0 or "nonce too low" not in _message(refused):
                    said = _message(refused)
                    raise TransactionRejectedError(f"The node refused the transaction: {said}") from refused


def _nonce_lock(chain_id: int, address: str) -> threading.Lock:
    with _nonce_locks_guard:
        return _nonce_locks[chain_id, address]


def _await(w3: Web3, transaction_hash: HexBytes) -> TxReceipt:
    try:
        return w3.eth.wait_for_transaction_receipt(transaction_hash, CONFIRM_SECONDS, POLL_SECONDS)
    except TimeExhausted as waited:
        raise UnconfirmedError(transaction_hash.to_0x_hex(), CONFIRM_SECONDS) from waited


def _raise_failure(w3: Web3, transaction: Fields, receipt: TxReceipt, call: Call) -> None:
    """Run a transaction that failed in its block once more to learn why, and raise that."""
    action = action_name(call)
    if receipt["gasUsed"] >= transaction["gas"]:
        sentence = f"it used up its {transaction['gas']} gas; the chain changed since it was tried, try again"
        raise ContractRevertedError(action, "", {}, sentence)
    try:
        w3.eth.call(cast(TxParams, transaction), receipt["blockNumber"])
    except ContractLogicError as reverted:
        raise reverted_error(action, reverted, errors_of(call)) from reverted
    raise ContractRevertedError(action, "", {}, "the chain changed since it was tried; try again")


def _message(refused: Web3RPCError) -> str:
    response = refused.rpc_response or {}
    error = response.get("error")
    return str(error.get("message", refused)) if isinstance(error, dict) else str(refused)
