"""A small market in this process: six trainers, a referee, an aggregator and an owner on a chain whose clock stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from aggregator.worker import Aggregator
from marketplace.chain.artifacts import read_artifact
from marketplace.chain.deployment import deploy
from marketplace.chain.devnet.accounts import dev_accounts
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.market import Market
from marketplace.chain.structs import NATIVE_COIN, Terms
from marketplace.chain.transact import transact
from marketplace.job.document import JobDocument
from marketplace.parties.referee import Referee
from marketplace.parties.trainer import Trainer
from marketplace.parties.view import JobView
from marketplace.payload.envelope import EncryptionKeyPair
from marketplace.payload.model_file import encode_model, unflatten
from marketplace.storage.directory import DirectoryStore
from marketplace.training.configuration import TrainingConfiguration
from marketplace.training.data import Dataset
from marketplace.training.models import build_model, get_vector, parameter_count, parameter_shapes
from zk.srs.development import development_key

ETHER = 10**18
TEST_TOKEN = Path(__file__).parents[1] / "chain" / "contracts" / "TestToken.json"
WINDOW = 40
INPUTS, CLASSES, TRAINERS = 4, 3, 6


@dataclass
class SmallMarket:
    clock: Clock
    view: JobView
    owner: object
    aggregator: Aggregator
    referee: Referee | None
    trainers: list[Trainer]
    workspace: Path

    @property
    def market(self) -> Market:
        return self.view.market

    @property
    def job(self) -> int:
        return self.view.job

    def pass_time(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.market.w3.provider.make_request("evm_mine", [])

    def start(self) -> None:
        self.aggregator.accept()
        for trainer in self.trainers:
            trainer.join(self.market.join_digest(self.job))
        self.aggregator.step()

    def submit(self, *, without: tuple[int, ...] = ()) -> None:
        for index, trainer in enumerate(self.trainers):
            if index not in without:
                trainer.step()
        if self.referee:
            self.referee.step()

    def restarted(self, index: int) -> Trainer:
        """The trainer as a new process would find it: the same account and workspace, nothing in memory."""
        old = self.trainers[index]
        view = JobView(self.market, self.view.store, self.job, self.view.srs_directory)
        return Trainer(view, old.account, old._train, self.workspace / f"trainer-{index}")


def behaviour(index: int):
    def train(vector, number):
        draws = np.random.default_rng([index, number])
        return (0.05 + 0.02 * draws.standard_normal(vector.size)) * np.where(np.arange(vector.size) % 2, 1, -1)

    return train


def small_terms(market: Market, dimension: int, aggregator: str, referee: str) -> Terms:
    return Terms(
        aggregator=aggregator,
        reward_per_round=ETHER,
        rule=next(iter(market.deployment.rules.values())),
        dimension=dimension,
        coordinate_bits=16,
        scale_exponent=12,
        tolerated=1,
        references=1,
        min_trainers=TRAINERS,
        max_trainers=TRAINERS + 2,
        reward_decay=2,
        submit_window=WINDOW,
        deliver_window=WINDOW,
        settle_window=WINDOW,
        challenge_window=WINDOW,
        start_deadline=market.now() + 3600,
        rounds=4,
        strike_tolerance_bps=10_000,
        strike_limit=2,
        stake=ETHER,
        absence_penalty=ETHER // 10,
        # Enough for any number of rounds, of which the first pays less than three times the average.
        penalty=ETHER * 33 // 10,
        bond=ETHER * 7,
        token=NATIVE_COIN,
        aggregator_fee_per_round=ETHER // 10,
        referee=referee,
        referee_fee_per_round=ETHER // 100,
        allowlist_root=bytes(32),
    )


def small_document(initial_model, server_momentum: float = 0.0) -> JobDocument:
    return JobDocument(
        title="small",
        description="a job for tests",
        licence="CC0-1.0",
        datasheet="four features, three classes",
        model="logistic-regression",
        model_parameters={},
        inputs=INPUTS,
        classes=CLASSES,
        normalisation="none",
        training=TrainingConfiguration(),
        initial_model=initial_model,
        server_momentum=server_momentum,
    )


def held_out() -> Dataset:
    draws = np.random.default_rng(5)
    x = draws.standard_normal((30, INPUTS)).astype(np.float32)
    return Dataset(x, np.arange(30, dtype=np.int64) % CLASSES, CLASSES)


def deal_tokens(w3, owner, accounts) -> str:
    """Create a token, of which the owner has plenty and the others 10 each; return its address."""
    artifact = read_artifact(TEST_TOKEN)
    receipt = transact(w3, owner, w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode).constructor())
    token = w3.eth.contract(receipt["contractAddress"], abi=artifact.abi)
    for account in accounts:
        transact(w3, owner, token.functions.transfer(account.address, 10 * ETHER))
    return token.address


def build_small_market(
    workspace: Path, *, in_tokens: bool = False, server_momentum: float = 0.0, **changed_terms
) -> SmallMarket:
    clock = Clock(1_800_000_000)
    owner, aggregator, referee, *accounts = dev_accounts(3 + TRAINERS)
    w3 = connect_in_process(Ledger(clock))
    market = Market(w3, deploy(w3, owner, development_key()))
    store = DirectoryStore(workspace / "store")
    model = build_model("logistic-regression", {}, INPUTS, CLASSES)
    initial_model = store.add(encode_model(unflatten(get_vector(model), parameter_shapes(model))))
    document = small_document(initial_model, server_momentum)
    if in_tokens:
        changed_terms["token"] = deal_tokens(w3, owner, [aggregator, *accounts])
    terms = replace(small_terms(market, parameter_count(model), aggregator.address, referee.address), **changed_terms)
    job = market.create(owner, terms, store.add(document.encode()).binary)
    view = JobView(market, store, job, workspace / "srs")
    trainers = [
        Trainer(view, account, behaviour(index), workspace / f"trainer-{index}")
        for index, account in enumerate(accounts)
    ]
    return SmallMarket(
        clock,
        view,
        owner,
        Aggregator(view, aggregator, EncryptionKeyPair.generate(), workspace / "aggregator"),
        Referee(view, referee, held_out(), workspace / "referee") if terms.has_referee else None,
        trainers,
        workspace,
    )


@pytest.fixture
def small(tmp_path) -> SmallMarket:
    """Without a referee, so that what is kept does not hang on a held-out set."""
    small = build_small_market(tmp_path, references=0, referee=NATIVE_COIN, referee_fee_per_round=0)
    small.start()
    return small


@pytest.fixture
def small_with_referee(tmp_path) -> SmallMarket:
    small = build_small_market(tmp_path)
    small.start()
    return small
