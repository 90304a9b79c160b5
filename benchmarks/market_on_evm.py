"""The deployed build of the market on the embedded chain's machine, with the gas that each transaction needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from eth.abc import ComputationAPI, SignedTransactionAPI
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.db.atomic import AtomicDB
from eth.vm.base import VM
from eth.vm.spoof import SpoofTransaction
from eth_abi.abi import decode, encode
from eth_typing import ABIFunction, Address
from eth_utils.abi import collapse_if_tuple, function_abi_to_4byte_selector
from eth_utils.crypto import keccak

from contribution.errors import CairnError
from marketplace.audit.contracts import RULE_CONTRACTS
from marketplace.chain.artifacts import Artifact, load_artifact
from marketplace.chain.devnet.execution import call_header, floor_gas
from marketplace.chain.devnet.revert_text import revert_text
from marketplace.chain.devnet.vm import open_chain
from zk.srs.development import development_key

LOCAL_CHAIN: Final = 31_337
START: Final = 1_750_000_000
# EIP-7825: no transaction may have a larger gas limit.
GAS_LIMIT: Final = 2**24
# For measuring by how much a transaction exceeds that.
AMPLE_GAS: Final = 2**27
RICH: Final = 10**30


class BenchmarkError(CairnError):
    """A step of a benchmark did not do what the measurement needs."""


def account(name: str) -> str:
    """Return the address of a made-up account."""
    return "0x" + keccak(text=name)[-20:].hex()


def cid(content: bytes) -> bytes:
    """Return a well-formed binary CID whose digest stands for the content."""
    return bytes.fromhex("01551220") + keccak(content)


@dataclass
class Market:
    """A market with its rules, and the machine that they run on.

    Attributes
    ----------
    vm
        The machine. Transactions are not signed and belong to no block, which changes nothing of their gas.
    address
        The market's address.
    rules
        The addresses of its rules by name.
    functions
        The market's functions by name.
    """

    vm: VM
    address: str
    rules: Mapping[str, str]
    functions: dict[str, dict[str, Any]]

    @property
    def time(self) -> int:
        """The time of the block, in seconds since the epoch."""
        return int(self.vm.state.timestamp)

    def send(self, sender: str, function: str, arguments: Sequence[Any], value: int = 0) -> int:
        """Make a transaction.

        Parameters
        ----------
        sender
            Who makes it.
        function
            Name of the market's function.
        arguments
            Its arguments as `eth_abi` takes them.
        value
            Native coin sent along, in wei.

        Returns
        -------
        gas : int
            What the transaction consumes, calldata and 21,000 included, before refunds are taken off.

        Raises
        ------
        BenchmarkError
            If the market refuses the call.
        """
        calldata = encode_call(self.functions[function], arguments)
        gas, _ = _transact(self.vm, sender, self.address, calldata, value)
        return gas

    def ask(self, function: str, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """Return what a view of the market answers."""
        abi = self.functions[function]
        _, computation = _transact(self.vm, account("reader"), self.address, encode_call(abi, arguments), 0)
        return decode([collapse_if_tuple(output) for output in abi["outputs"]], bytes(computation.output))

    def wait_until(self, time: int) -> None:
        """Let the next transaction come at `time`, seconds since the epoch."""
        # The machine belongs to one block whose time is fixed; a benchmark needs no other part of a next block.
        self.vm.state.execution_context._timestamp = time  # type: ignore[attr-defined]


def encode_call(function: dict[str, Any], arguments: Sequence[Any]) -> bytes:
    """Return the calldata of a call."""
    types = [collapse_if_tuple(parameter) for parameter in function["inputs"]]
    return bytes(function_abi_to_4byte_selector(cast(ABIFunction, function))) + encode(types, list(arguments))


def deploy_market() -> Market:
    """Put the package's build of verifier, with the development set-up, rules and market on a new chain."""
    chain = open_chain(AtomicDB(), LOCAL_CHAIN, is_new=True, accounts=0, start=START)
    vm = cast(VM, chain.get_vm(call_header(chain.header)))
    artifact = load_artifact("TrainingMarket")
    verifier = _deploy(vm, load_artifact("GramVerifier"), development_key().encode())
    rules = {name: _deploy(vm, load_artifact(contract)) for name, contract in RULE_CONTRACTS.items()}
    address = _deploy(vm, artifact, encode(["address", "address[]"], [verifier, list(rules.values())]))
    market = Market(vm, address, rules, {entry["name"]: entry for entry in artifact.abi if entry["type"] == "function"})
    market.wait_until(START)
    return market


def _deploy(vm: VM, artifact: Artifact, arguments: bytes = b"") -> str:
    _, computation = _transact(vm, account("deployer"), None, artifact.bytecode + arguments, 0)
    return "0x" + computation.msg.storage_address.hex()


def _transact(vm: VM, sender: str, target: str | None, data: bytes, value: int) -> tuple[int, ComputationAPI]:
    """Run a transaction as the first of its block; return the gas that it consumed and how it went.

    One that succeeds only with more gas than a transaction may have counts as more than that, whatever it consumes:
    each call passes on at most 63/64 of the gas that is left.
    """
    computation, transaction = _run(vm, sender, target, data, value, GAS_LIMIT)
    least = floor_gas(transaction)
    if computation.is_error:
        computation, transaction = _run(vm, sender, target, data, value, AMPLE_GAS)
        least = GAS_LIMIT + 1
    if computation.is_error:
        reason = revert_text(bytes(computation.output))
        raise BenchmarkError(f"the market refused a call at time {vm.state.timestamp}{reason}")
    return max(transaction.gas - computation.get_gas_remaining(), least), computation


def _run(
    vm: VM, sender: str, target: str | None, data: bytes, value: int, gas: int
) -> tuple[ComputationAPI, SignedTransactionAPI]:
    origin = Address(bytes.fromhex(sender[2:]))
    unsigned = vm.get_transaction_builder().new_unsigned_dynamic_fee_transaction(  # type: ignore[attr-defined]
        chain_id=LOCAL_CHAIN,
        nonce=vm.state.get_nonce(origin),
        max_priority_fee_per_gas=0,
        max_fee_per_gas=0,
        gas=gas,
        to=CREATE_CONTRACT_ADDRESS if target is None else Address(bytes.fromhex(target[2:])),
        value=value,
        data=data,
        access_list=(),
    )
    transaction = cast(SignedTransactionAPI, SpoofTransaction(unsigned, from_=origin))
    vm.state.set_balance(origin, RICH)
    # Slots are cold again, and what they hold is what they held before this transaction.
    vm.state.lock_changes()
    return vm.state.apply_transaction(transaction), transaction
