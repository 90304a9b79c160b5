"""A local chain with a market on it, and the example as tables that a test can change."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from web3 import Web3

from marketplace.chain.deployment import Deployment, deploy
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.market import Market
from marketplace.job.specification import example
from zk.srs.development import development_key

START = 1_767_225_600


@pytest.fixture(scope="package")
def w3() -> Iterator[Web3]:
    ledger = Ledger(Clock(START))
    yield connect_in_process(ledger)
    ledger.close()


@pytest.fixture(scope="package")
def deployment(w3: Web3) -> Deployment:
    return deploy(w3, dev_account(0), development_key())


@pytest.fixture(scope="package")
def market(w3: Web3, deployment: Deployment) -> Market:
    return Market(w3, deployment)


@pytest.fixture
def tables() -> dict[str, Any]:
    made = tomllib.loads(example())
    made["round"] |= {"submit": "30 s", "deliver": "20 s", "settle": "40 s", "challenge": "5 s"}
    return made
