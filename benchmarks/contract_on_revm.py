"""One contract alone on a machine of its own, and what executing a call to it consumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyrevm import EVM

from benchmarks.market_on_evm import BenchmarkError, account

# What every transaction costs before it does anything.
TRANSACTION_GAS: Final = 21_000
_PER_ZERO_BYTE: Final = 4
_PER_OTHER_BYTE: Final = 16
_SENDER: Final = account("sender")


@dataclass(frozen=True)
class Executed:
    """What came of a call, in a transaction of its own.

    Attributes
    ----------
    answer
        What the contract returned.
    calldata_gas
        What the calldata costs.
    execution_gas
        What the contract consumed: all gas but that of the calldata and `TRANSACTION_GAS`.
    """

    answer: bytes
    calldata_gas: int
    execution_gas: int


@dataclass(frozen=True)
class DeployedContract:
    """A contract under the rules of Prague.

    Attributes
    ----------
    machine
        The machine.
    address
        The contract's address.
    """

    machine: EVM
    address: str

    def call(self, calldata: bytes, gas_limit: int) -> Executed:
        """Call the contract.

        Raises
        ------
        RuntimeError
            If it reverts, or runs out of gas.
        BenchmarkError
            If the machine does not say what it consumed.
        """
        answer = self.machine.message_call(_SENDER, self.address, calldata=calldata, gas=gas_limit)
        if self.machine.result is None:
            raise BenchmarkError("the machine did not say what the call consumed")
        # The machine counts the whole transaction, but not the floor of EIP-7623.
        calldata_gas = calldata_cost(calldata)
        execution_gas = int(self.machine.result.gas_used) - TRANSACTION_GAS - calldata_gas
        return Executed(bytes(answer), calldata_gas, execution_gas)


def deploy(code: bytes) -> DeployedContract:
    """Put a contract on a new machine.

    Parameters
    ----------
    code
        That creates it, with its constructor's arguments.
    """
    machine = EVM(spec_id="PRAGUE")
    machine.set_balance(_SENDER, 10**30)
    return DeployedContract(machine, machine.deploy(_SENDER, code))


def calldata_cost(calldata: bytes) -> int:
    """Return the gas of the calldata: 4 for a zero byte, 16 for any other."""
    zeros = calldata.count(0)
    return _PER_ZERO_BYTE * zeros + _PER_OTHER_BYTE * (len(calldata) - zeros)
