"""A market on a chain in this process, whose clock stands: jobs to create, join, leave and withdraw from."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount
from flask import Flask
from web3 import Web3

from marketplace.chain.artifacts import read_artifact
from marketplace.chain.deployment import deploy, write_deployment
from marketplace.chain.devnet.accounts import dev_accounts
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.market import Market
from marketplace.chain.transact import transact
from marketplace.index.database import open_database, sqlite_url
from marketplace.index.indexer import Indexer
from marketplace.index.node import Node as IndexNode
from marketplace.index.schema import upgrade
from marketplace.index.source import Source
from marketplace.index.texts import fetch_texts
from marketplace.job.creation import create_job
from marketplace.job.specification import example, parse_specification
from marketplace.storage.directory import DirectoryStore
from webapp.application import create_app
from webapp.node import Node
from webapp.settings import WebSettings
from webapp.site import attach
from zk.srs.development import development_key

START = 1_800_000_000
ETHER = 10**18
TEST_TOKEN = Path(__file__).parents[1] / "chain" / "contracts" / "TestToken.json"


class InProcess(Node):
    """A node that is asked without a network."""

    def __init__(self, market: Market) -> None:
        super().__init__("http://127.0.0.1:8545", market.deployment)
        self._market = market

    def market(self) -> Market:
        return self._market


class Quiet:
    """The market; `jobs` are by name, `owner`, `aggregator` and `referee` are its parties, `trainers` the others."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = Clock(START)
        self.ledger = Ledger(self.clock)
        self.w3 = connect_in_process(self.ledger)
        self.owner, self.aggregator, self.referee, *self.trainers = dev_accounts(12)
        self.market = Market(self.w3, deploy(self.w3, self.owner, development_key()))
        self.store = DirectoryStore(directory / "store")
        self.deployment_file = directory / "deployment.json"
        write_deployment(self.deployment_file, self.market.deployment)
        self.token = self._token()
        self.jobs: dict[str, int] = {}
        self._jobs()
        self.index()

    @property
    def database(self) -> str:
        return sqlite_url(self.directory / "index.sqlite")

    @property
    def rpc(self) -> None:
        return None

    def index(self) -> None:
        engine = open_database(self.database)
        upgrade(engine)
        where = self.market.deployment
        Indexer(engine, Source(IndexNode(self.w3, where.chain_id, where.market), None, 8, False), where).step()
        fetch_texts(engine, self.store)
        engine.dispose()

    def tables(self) -> dict[str, dict[str, Any]]:
        tables = tomllib.loads(example())
        tables["parties"] = {"aggregator": self.aggregator.address, "referee": self.referee.address}
        return tables

    def create(self, name: str, change: Callable[[dict[str, dict[str, Any]]], None] = lambda _: None) -> int:
        tables = self.tables()
        tables["job"]["title"] = f"The {name} job"
        change(tables)
        created = create_job(self.market, self.store, self.owner, parse_specification(tables))
        self.jobs[name] = created.number
        return created.number

    def app(self, directory: Path, **changed: Any) -> Flask:
        values: dict[str, Any] = {
            "database": self.database,
            "deployment": self.deployment_file,
            "state_database": f"sqlite:///{directory / 'web.sqlite'}",
            "secret_key_file": directory / "secret-key",
            "store": str(self.directory / "store"),
            "requests_per_minute": 100_000,
        }
        app = create_app(WebSettings(**(values | changed)))
        shared = replace(app.extensions["cairn"], node=InProcess(self.market))
        shared.currencies._known[self.token] = self.currency
        attach(app, shared)
        return app

    @property
    def currency(self):
        from marketplace.job.quantities import Currency

        return Currency(6, is_token=True)

    def join(self, trainer: LocalAccount, job: int) -> None:
        self.market.join(trainer, job, self.market.join_digest(job))

    def _token(self) -> str:
        artifact = read_artifact(TEST_TOKEN)
        receipt = transact(
            self.w3, self.owner, self.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode).constructor()
        )
        return Web3.to_checksum_address(receipt["contractAddress"])

    def _jobs(self) -> None:
        for name in ("open", "unaccepted", "aborted"):
            self.create(name)
        self.create("listed", lambda tables: tables["trainers"].update(allowlist=self.list()))
        for name in ("open", "listed"):
            self.market.accept(self.aggregator, self.jobs[name], b"\7" * 32)
        self.join(self.trainers[0], self.jobs["open"])
        self.market.abort(self.owner, self.jobs["aborted"])

    def list(self) -> list[str]:
        return [trainer.address for trainer in self.trainers[:6]]
