"""Fixtures for tests that need a chain; those that ask for `chain` run on the embedded one and on anvil."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.types import RPCEndpoint, TxReceipt

from marketplace.chain.artifacts import Artifact, read_artifact
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.anvil import start_anvil
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.devnet.server import serve_devnet

START = 1_767_225_600
PROBE = Path(__file__).parent / "contracts" / "Probe.json"
BACKENDS = ("in-process", "served", "anvil")


@pytest.fixture(scope="session")
def probe_artifact() -> Artifact:
    return read_artifact(PROBE)


@dataclass(frozen=True)
class Chain:
    """A chain and the few steps that tests take on it by hand, without the client under test."""

    w3: Web3
    backend: str

    def rpc(self, method: str, *parameters: object) -> dict:
        return dict(self.w3.provider.make_request(RPCEndpoint(method), list(parameters)))

    def send(self, transaction: dict, sender: int = 0) -> TxReceipt:
        account = dev_account(sender)
        filled = {
            "chainId": 31337,
            "type": 2,
            "nonce": self.w3.eth.get_transaction_count(account.address),
            "maxFeePerGas": 10 * 10**9,
            "maxPriorityFeePerGas": 10**9,
            "value": 0,
            **transaction,
        }
        signed = account.sign_transaction(filled)
        return self.w3.eth.wait_for_transaction_receipt(self.w3.eth.send_raw_transaction(signed.raw_transaction))

    def deploy(self, artifact: Artifact, *arguments: object) -> Contract:
        factory = self.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        receipt = self.send({"data": factory.constructor(*arguments).data_in_transaction, "gas": 3_000_000})
        assert receipt["status"] == 1
        return self.w3.eth.contract(receipt["contractAddress"], abi=artifact.abi)

    def invoke(
        self, contract: Contract, name: str, *arguments: object, gas: int = 3_000_000, value: int = 0
    ) -> TxReceipt:
        data = contract.encode_abi(name, arguments)
        return self.send({"to": contract.address, "data": data, "gas": gas, "value": value})

    def advance(self, seconds: int) -> None:
        self.rpc("evm_increaseTime", seconds)
        self.rpc("evm_mine")


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    chain = Ledger(Clock(START))
    yield chain
    chain.close()


@contextmanager
def open_chain(backend: str) -> Iterator[Chain]:
    if backend == "anvil":
        with start_anvil(start=START) as url:
            yield Chain(Web3(HTTPProvider(url)), backend)
        return
    ledger = Ledger(Clock(START))
    if backend == "in-process":
        yield Chain(connect_in_process(ledger), backend)
    else:
        with serve_devnet(ledger, port=0, heartbeat=None) as server:
            yield Chain(Web3(HTTPProvider(server.url)), backend)
    ledger.close()


@pytest.fixture(scope="session")
def open_backend() -> Callable[[str], AbstractContextManager[Chain]]:
    return open_chain


@pytest.fixture(params=BACKENDS)
def chain(request: pytest.FixtureRequest) -> Iterator[Chain]:
    with open_chain(request.param) as opened:
        yield opened


@pytest.fixture
def probe(chain: Chain, probe_artifact: Artifact) -> Contract:
    return chain.deploy(probe_artifact, 100)
