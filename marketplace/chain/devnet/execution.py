"""Calls that change nothing, and how much gas a transaction needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from eth.abc import BlockHeaderAPI, ComputationAPI, SignedTransactionAPI
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.exceptions import OutOfGas, Revert
from eth.vm.base import VM
from eth.vm.forks.prague.constants import STANDARD_TOKEN_COST, TOTAL_COST_FLOOR_PER_TOKEN
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from marketplace.chain.devnet.revert_text import revert_text
from marketplace.chain.errors import ExecutionFailedError, TransactionRejectedError

TRANSFER_GAS = 21_000
# A storage write is refused when this much gas or less is left (EIP-2200), however little the write costs.
STORAGE_WRITE_RESERVE = 2_301


@dataclass(frozen=True)
class Request:
    """What is asked to be executed without being signed.

    Attributes
    ----------
    sender
        Who calls.
    target
        The called account; None creates a contract.
    data
        Calldata or creation code.
    value
        Wei to be sent along.
    gas
        Gas limit.
    """

    sender: Address
    target: Address | None
    data: bytes
    value: int
    gas: int


def call(vm: VM, request: Request) -> bytes:
    """Execute a request and return its output; nothing is kept.

    Raises
    ------
    ExecutionFailedError
        If it reverts or fails otherwise.
    TransactionRejectedError
        If the sender can't afford the value, or the gas does not cover the data.
    """
    return bytes(_succeed(execute(vm, request)).output)


def estimate_gas(vm: VM, request: Request) -> int:
    """Return a gas limit with which a request succeeds, no more than some 5 % above the least such.

    A contract that calls others needs more at the outset than it consumes, since each call passes on at most 63/64 of
    what is left (EIP-150); so the consumption with a margin is tried, and only if that fails is the least searched for.

    Raises
    ------
    ExecutionFailedError
        If the request fails with all of `request.gas`.
    TransactionRejectedError
        As `call`.
    """
    state = vm.state
    if request.target is not None and not request.data and not state.get_code(request.target):
        _succeed(execute(vm, request))
        return TRANSFER_GAS
    computation = _succeed(execute(vm, request))
    transaction = _transaction(vm, request)
    consumed = max(request.gas - computation.get_gas_remaining(), floor_gas(transaction)) + STORAGE_WRITE_RESERVE
    if not computation.children:
        return min(consumed, request.gas)
    guess = min(consumed + consumed // 32, request.gas)
    if not execute(vm, replace(request, gas=guess)).is_error:
        return guess
    return _least_sufficient(vm, request, guess)


def _least_sufficient(vm: VM, request: Request, insufficient: int) -> int:
    low, high = insufficient, request.gas
    while high - low > high // 64:
        middle = (low + high) // 2
        if execute(vm, replace(request, gas=middle)).is_error:
            low = middle
        else:
            high = middle
    return high


def execute(vm: VM, request: Request) -> ComputationAPI:
    """Execute a request on the machine's state and take every change back."""
    state = vm.state
    transaction = _transaction(vm, request)
    try:
        check_gas_limit(transaction)
        snapshot = state.snapshot()
        try:
            return state.apply_transaction(transaction)
        finally:
            state.revert(snapshot)
    except ValidationError as fault:
        raise TransactionRejectedError(f"call refused: {fault}") from fault


def call_header(header: BlockHeaderAPI) -> BlockHeaderAPI:
    """Return the header under which calls run: gas costs nothing, and all of the block's is there."""
    return header.copy(base_fee_per_gas=0, gas_used=0)


def floor_gas(transaction: SignedTransactionAPI) -> int:
    """Return the gas that a transaction pays at least for its calldata (EIP-7623)."""
    zeros = transaction.data.count(0)
    tokens = zeros + STANDARD_TOKEN_COST * (len(transaction.data) - zeros)
    return int(TRANSFER_GAS + TOTAL_COST_FLOOR_PER_TOKEN * tokens)


def check_gas_limit(transaction: SignedTransactionAPI) -> None:
    """Refuse a transaction whose gas limit does not cover what it costs before it runs.

    py-evm leaves this to whoever fills the block.
    """
    least = max(transaction.intrinsic_gas, floor_gas(transaction))
    if transaction.gas < least:
        raise TransactionRejectedError(f"intrinsic gas too low: gas {transaction.gas}, minimum needed {least}")


def _transaction(vm: VM, request: Request) -> SignedTransactionAPI:
    builder = cast(type[PragueTransactionBuilder], vm.get_transaction_builder())
    unsigned = builder.new_unsigned_dynamic_fee_transaction(
        chain_id=vm.chain_context.chain_id,
        nonce=vm.state.get_nonce(request.sender),
        max_priority_fee_per_gas=0,
        max_fee_per_gas=0,
        gas=request.gas,
        to=request.target or CREATE_CONTRACT_ADDRESS,
        value=request.value,
        data=request.data,
        access_list=(),
    )
    return cast(SignedTransactionAPI, SpoofTransaction(unsigned, from_=request.sender))


def _succeed(computation: ComputationAPI) -> ComputationAPI:
    if not computation.is_error:
        return computation
    if isinstance(computation.error, Revert):
        data = bytes(computation.output)
        raise ExecutionFailedError(f"execution reverted{revert_text(data)}", data)
    if isinstance(computation.error, OutOfGas):
        raise ExecutionFailedError(f"out of gas: {computation.error}", None)
    raise ExecutionFailedError(f"execution failed: {type(computation.error).__name__}: {computation.error}", None)
