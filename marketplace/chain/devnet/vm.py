"""The virtual machine of the embedded chain: py-evm's Prague, with fast precompiles and anvil's idea of time."""

from __future__ import annotations

from typing import Any, cast

from eth.abc import BlockHeaderAPI, DatabaseAPI
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState, PragueTransactionExecutor
from eth_tester.backends.pyevm.main import (
    GENESIS_GAS_LIMIT,
    generate_genesis_state_for_keys,
    get_account_keys_from_mnemonic,
    get_default_genesis_params,
)
from eth_typing import BlockNumber

from marketplace.chain.devnet.accounts import DERIVATION_PATH, INITIAL_BALANCE, MNEMONIC
from marketplace.chain.devnet.precompiles import REVM_PRECOMPILES

BLOCK_GAS_LIMIT: int = GENESIS_GAS_LIMIT


class DevComputation(PragueComputation):
    """Prague with the BN254 precompiles on revm."""

    _precompiles = {**PragueComputation.get_precompiles(), **REVM_PRECOMPILES}  # noqa: RUF012 - the base class has it so


class DevState(PragueState):
    """Prague's state transition with `DevComputation`."""

    computation_class = DevComputation
    transaction_executor_class = PragueTransactionExecutor


class DevVM(PragueVM):
    """Prague, except that a block may carry its parent's timestamp.

    Blocks follow transactions, many of them in a second; if each had to be a second later than the last, the chain
    would run ahead of the clock and deadlines would pass early. anvil does the same.
    """

    _state_class = DevState

    @classmethod
    def validate_header(cls, header: BlockHeaderAPI, parent_header: BlockHeaderAPI) -> None:
        """Check a header against its parent, equal timestamps allowed."""
        if header.timestamp == parent_header.timestamp:
            header = header.copy(timestamp=parent_header.timestamp + 1)
        super().validate_header(header, parent_header)


class DevChain(MiningChain):
    """A chain of `DevVM` from its first block; `chain_class` gives it a chain id."""

    vm_configuration = ((BlockNumber(0), DevVM),)

    def create_header_from_parent(self, parent_header: BlockHeaderAPI, **header_params: Any) -> BlockHeaderAPI:  # noqa: ANN401
        """Return the header of the next block, with the gas limit that every block has."""
        return super().create_header_from_parent(parent_header, **{**header_params, "gas_limit": BLOCK_GAS_LIMIT})


def open_chain(database: DatabaseAPI, chain_id: int, *, is_new: bool, accounts: int, start: int) -> DevChain:
    """Open the chain in `database`, which gets a genesis block first if it `is_new`.

    Parameters
    ----------
    database : DatabaseAPI
        Where blocks and state lie.
    chain_id : int
        The chain's id (EIP-155).
    is_new : bool
        Whether `database` is empty.
    accounts : int
        How many development accounts the genesis block funds.
    start : int
        Timestamp of the genesis block, seconds since the Unix epoch.
    """
    # py-evm takes the chain id from the class, so each id has a class of its own.
    chain_class = cast(type[DevChain], type("DevChain", (DevChain,), {"chain_id": chain_id}))
    if not is_new:
        return chain_class(AtomicDB(database))
    keys = get_account_keys_from_mnemonic(MNEMONIC, quantity=accounts, hd_path=DERIVATION_PATH)
    state = generate_genesis_state_for_keys(keys, overrides={"balance": INITIAL_BALANCE})
    parameters = get_default_genesis_params(overrides={"timestamp": start})
    return cast(DevChain, chain_class.from_genesis(AtomicDB(database), parameters, state))
