"""A node whose transaction pool and blocks the tests move by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.types import RPCEndpoint, TxReceipt

from marketplace.chain import transact as module
from marketplace.chain.artifacts import read_artifact
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.anvil import start_anvil
from marketplace.chain.journal import Journal, Journals
from marketplace.chain.transact import tend_account, transact

CONTRACTS = Path(__file__).parent / "contracts"
START = 1_767_225_600
ACCOUNT = dev_account(1)
GWEI = 10**9
BLOCK_GAS = 30_000_000
T = TypeVar("T")


@dataclass(frozen=True)
class Pool:
    """anvil, making blocks only when it is told to, with a contract that notes what it is called with."""

    w3: Web3
    probe: Contract

    def rpc(self, method: str, *parameters: object) -> object:
        answer = self.w3.provider.make_request(RPCEndpoint(method), list(parameters))
        assert "error" not in answer, answer
        return answer["result"]

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.rpc("evm_mine")

    def pass_time(self, seconds: int) -> None:
        """Let time pass, and make a block without room for any of the test's transactions."""
        self.rpc("evm_increaseTime", seconds)
        with self.full_blocks():
            self.mine()

    @contextmanager
    def full_blocks(self) -> Iterator[None]:
        self.rpc("evm_setBlockGasLimit", hex(21_000))
        yield
        self.rpc("evm_setBlockGasLimit", hex(BLOCK_GAS))

    def base_fee(self, wei: int) -> None:
        """Set what the next block asks."""
        self.rpc("anvil_setNextBlockBaseFeePerGas", hex(wei))

    def note(self, value: int, journals: Journals, *, fee_cap: int = 200 * GWEI) -> TxReceipt:
        return transact(self.w3, ACCOUNT, self.probe.functions.note(value, b""), journals=journals, fee_cap=fee_cap)

    def mining(self, function: Callable[[], T]) -> T:
        """Make a block whenever the pool has something for one, until a function returns, which waits for it."""
        with pytest.MonkeyPatch.context() as patient, ThreadPoolExecutor(1) as threads:
            patient.setattr(module, "CONFIRM_SECONDS", 60)
            running = threads.submit(function)
            while not running.done():
                if int(self.rpc("txpool_status")["pending"], 16):
                    self.mine()
                time.sleep(0.005)
            return running.result()

    def tend(self, journals: Journals, *, fee_cap: int = 200 * GWEI) -> list[str]:
        return tend_account(self.w3, ACCOUNT, journals, fee_cap)

    def journal(self, journals: Journals) -> Journal:
        return journals.of(self.w3, ACCOUNT.address)

    def nonce(self) -> int:
        return self.w3.eth.get_transaction_count(ACCOUNT.address)

    def noted(self) -> list[int]:
        """What the contract was called with, in order."""
        return [log["args"]["value"] for log in self.probe.events.Noted().get_logs(from_block=0)]

    def send_elsewhere(self, value: int, nonce: int, tip: int = GWEI) -> str:
        """Send a note with the same key, behind this program's back; return the hash."""
        fields = {
            "chainId": self.w3.eth.chain_id,
            "type": 2,
            "nonce": nonce,
            "to": self.probe.address,
            "data": self.probe.encode_abi("note", [value, b""]),
            "gas": 200_000,
            "maxFeePerGas": 10 * GWEI + tip,
            "maxPriorityFeePerGas": tip,
        }
        signed = ACCOUNT.sign_transaction(fields)
        return self.w3.eth.send_raw_transaction(signed.raw_transaction).to_0x_hex()


@contextmanager
def open_pool(chain_id: int = 31_337) -> Iterator[Pool]:
    with start_anvil(start=START, chain_id=chain_id) as url:
        w3 = Web3(HTTPProvider(url))
        artifact = read_artifact(CONTRACTS / "Probe.json")
        factory = w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        address = transact(w3, dev_account(0), factory.constructor(100))["contractAddress"]
        pool = Pool(w3, w3.eth.contract(address, abi=artifact.abi))
        pool.rpc("evm_setAutomine", False)
        yield pool
