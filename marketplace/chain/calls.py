"""Calls of contracts without a transaction: views, trials before sending, and what a refusal means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from eth_utils.conversions import to_bytes
from web3 import Web3
from web3.contract.contract import ContractConstructor, ContractFunction
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.types import TxParams

from marketplace.chain.artifacts import load_artifact
from marketplace.chain.errors import ContractRevertedError, TransactionRejectedError
from marketplace.chain.reverts import decode_revert

Call = ContractFunction | ContractConstructor
Fields = dict[str, Any]
Errors = Iterable[Mapping[str, Any]]


def simulate(w3: Web3, transaction: Fields, action: str, errors: Errors, block: str = "pending") -> int:
    """Try a transaction, by default on the state and time of the next block; return the gas that it needs.

    Raises
    ------
    ContractRevertedError
        If the contract refuses it.
    TransactionRejectedError
        If the node does not try it.
    """
    try:
        return w3.eth.estimate_gas(cast(TxParams, transaction), block)  # type: ignore[arg-type]
    except ContractLogicError as reverted:
        raise reverted_error(action, reverted, errors) from reverted
    except Web3RPCError as refused:
        raise TransactionRejectedError(f"The node can't try {action}: {node_message(refused)}") from refused


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


def reverted_error(action: str, reverted: ContractLogicError, errors: Errors) -> ContractRevertedError:
    """Turn web3's exception for a revert into one with a sentence."""
    data = reverted.data
    decoded = decode_revert(to_bytes(hexstr=data) if isinstance(data, str) and data.startswith("0x") else b"", errors)
    return ContractRevertedError(action, decoded.name, decoded.arguments, decoded.sentence)


def known_errors() -> list[Mapping[str, Any]]:
    """Return the ABI of every error that a contract of this package can end in."""
    return [entry for entry in load_artifact("Errors").abi if entry["type"] == "error"]


def errors_of(call: Call) -> list[Mapping[str, Any]]:
    """Return the ABI of every error that a call can end in: the contract's own and those of this package."""
    own = call.abi if isinstance(call, ContractConstructor) else call.contract_abi
    return [entry for entry in own if entry["type"] == "error"] + known_errors()


def action_name(call: Call) -> str:
    """Return what a call is called in messages."""
    return "the deployment" if isinstance(call, ContractConstructor) else f"`{call.fn_name}`"


def node_message(refused: Web3RPCError) -> str:
    """Return what the node said when it refused a request."""
    response = refused.rpc_response or {}
    error = response.get("error")
    return str(error.get("message", refused)) if isinstance(error, dict) else str(refused)
