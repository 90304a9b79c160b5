"""A market with jobs in every state, played by the real parties: what pages are tested and looked at with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from web3 import Web3
from web3.types import RPCEndpoint

from aggregator.worker import Aggregator
from marketplace.chain.connect import connect
from marketplace.chain.deployment import deploy, write_deployment
from marketplace.chain.devnet.accounts import dev_accounts
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.market import Market
from marketplace.chain.structs import NATIVE_COIN
from marketplace.index.database import open_database, sqlite_url
from marketplace.index.indexer import Indexer
from marketplace.index.node import Node
from marketplace.index.schema import upgrade
from marketplace.index.source import Source
from marketplace.index.texts import fetch_texts
from marketplace.job.document import JobDocument
from marketplace.parties.referee import Referee
from marketplace.parties.trainer import Trainer
from marketplace.parties.view import JobView
from marketplace.payload.envelope import EncryptionKeyPair
from marketplace.payload.model_file import encode_model, unflatten
from marketplace.storage.directory import DirectoryStore
from marketplace.training.models import build_model, get_vector, parameter_count, parameter_shapes
from tests.audit.scenarios import WITHOUT_REFEREE, finish, follow_the_reference, garbled, play_round, withdraw_all
from tests.parties.conftest import (
    CLASSES,
    ETHER,
    INPUTS,
    TRAINERS,
    SmallMarket,
    behaviour,
    held_out,
    small_document,
    small_terms,
)
from zk.srs.development import development_key

START = 1_800_000_000
MIXTURE = "capped-mixture-exact-shapley/1"
XSS = (
    """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}${7*7}</title>"""
    "<svg/onload=alert(3)>javascript:alert(4)"
)


@dataclass
class Seeded:
    """The market, its chain and its index."""

    market: Market
    clock: Clock
    store: DirectoryStore
    directory: Path
    jobs: dict[str, SmallMarket]

    @property
    def database(self) -> str:
        return sqlite_url(self.directory / "index.sqlite")

    @property
    def rpc(self) -> str:
        return str(self.market.w3.provider.endpoint_uri)

    @property
    def deployment_file(self) -> Path:
        return self.directory / "deployment.json"

    def index(self, *, depth: int = 8) -> None:
        """Bring the index up to the chain, texts included."""
        engine = open_database(self.database)
        upgrade(engine)
        where = self.market.deployment
        node = Node(self.market.w3, where.chain_id, where.market)
        Indexer(engine, Source(node, None, depth, False), where).step()
        fetch_texts(engine, self.store)
        engine.dispose()

    def add_job(self, name: str, document: Callable[[JobDocument], JobDocument], **terms) -> SmallMarket:
        """Create a job with its parties, none of whom has done anything yet."""
        owner, aggregator, referee, *accounts = dev_accounts(3 + TRAINERS)
        if "rule" in terms:
            terms["rule"] = self.market.deployment.rules[terms["rule"]]
        model = build_model("logistic-regression", {}, INPUTS, CLASSES)
        initial = self.store.add(encode_model(unflatten(get_vector(model), parameter_shapes(model))))
        fixed = small_terms(self.market, parameter_count(model), aggregator.address, referee.address)
        fixed = replace(fixed, **terms)
        described = document(small_document(initial))
        job = self.market.create(owner, fixed, self.store.add(described.encode()).binary)
        view = JobView(self.market, self.store, job, self.directory / "srs")
        place = self.directory / "parties" / name
        self.jobs[name] = SmallMarket(
            self.clock,
            view,
            owner,
            Aggregator(view, aggregator, EncryptionKeyPair.generate(), place / "aggregator"),
            Referee(view, referee, held_out(), place / "referee") if fixed.has_referee else None,
            [Trainer(view, a, behaviour(k), place / f"trainer-{k}") for k, a in enumerate(accounts)],
            place,
        )
        return self.jobs[name]


class AnvilClock(Clock):
    """Moves anvil's time; the small markets of other tests run on a clock of their own."""

    def __init__(self, w3: Web3) -> None:
        super().__init__(START)
        self._w3 = w3

    def advance(self, seconds: int) -> int:
        self._w3.provider.make_request(RPCEndpoint("evm_increaseTime"), [seconds])
        return super().advance(seconds)


def empty_market(directory: Path, url: str) -> Seeded:
    """A market without a job, on the anvil at an address."""
    w3 = connect(url)
    market = Market(w3, deploy(w3, dev_accounts(1)[0], development_key()))
    seeded = Seeded(market, AnvilClock(w3), DirectoryStore(directory / "store"), directory, {})
    write_deployment(seeded.deployment_file, market.deployment)
    return seeded


def seed_market(directory: Path, url: str) -> Seeded:
    """A completed job, one under way, one that waits for trainers, one aborted, and one whose words are hostile."""
    seeded = empty_market(directory, url)
    _completed(seeded)
    _aborted(seeded)
    _hostile(seeded)
    _waiting(seeded)
    _running(seeded)
    seeded.index()
    return seeded


def _completed(seeded: Seeded) -> None:
    small = seeded.add_job(
        "completed",
        lambda document: replace(
            document,
            title="Iris flowers, three species",
            description="Tell three species of iris apart by the size of their leaves.\n\nA small job that shows how "
            "everything works: four features, three classes, a model of fifteen parameters.",
            datasheet="Length and width of sepal and petal in centimetres, measured by hand. No personal data.",
            licence="CC-BY-4.0",
        ),
        rounds=3,
        rule=MIXTURE,
        references=3,
    )
    small.start()
    follow_the_reference(small)
    play_round(small)
    _turn_around(small, 3)
    play_round(small, instead={2: garbled})
    play_round(small)
    finish(small)
    withdraw_all(small)


def _turn_around(small: SmallMarket, index: int) -> None:
    """Let a trainer do the opposite of what it is asked from now on."""
    honest = small.trainers[index]._train
    small.trainers[index]._train = lambda vector, number: -honest(vector, number)


def _aborted(seeded: Seeded) -> None:
    small = seeded.add_job(
        "aborted",
        lambda document: replace(
            document,
            title="Chest X-rays: is there a fracture?",
            description="Ended by its owner after the first round, because the licence had to be changed.",
            licence="CC-BY-NC-4.0",
        ),
        **WITHOUT_REFEREE,
    )
    small.start()
    play_round(small)
    small.market.abort(small.owner, small.job)
    play_round(small)
    finish(small)
    small.market.withdraw(small.owner, small.job, small.owner.address)


def _hostile(seeded: Seeded) -> None:
    seeded.add_job(
        "hostile",
        lambda document: replace(
            document,
            title=XSS + "\u202egnp.exe",
            description=XSS + "\n\n" + "a" * 9_000,
            licence=XSS,
            datasheet=XSS + "\u0000\u200b" + "z\u0301\u0301\u0301\u0301\u0301\u0301",
        ),
        reward_per_round=ETHER // 3,
        penalty=ETHER * 2,
        stake=ETHER // 7,
        absence_penalty=1,
        token=NATIVE_COIN,
    )


def _waiting(seeded: Seeded) -> None:
    small = seeded.add_job(
        "waiting",
        lambda document: replace(
            document,
            title="Length of stay after hip surgery",
            description="How long patients stay, from what is known at admission. Three hospitals are missing.",
            licence="EUPL-1.2",
        ),
        reward_per_round=ETHER // 2,
        penalty=ETHER * 2,
    )
    small.aggregator.accept()
    for trainer in small.trainers[:3]:
        trainer.join(small.market.join_digest(small.job))


def _running(seeded: Seeded) -> None:
    small = seeded.add_job(
        "running",
        lambda document: replace(
            document,
            title="Early warning of sepsis",
            description="Warn six hours ahead, from vital signs alone. The owner keeps 2,000 stays back and posts how "
            "much each update helps on them.",
            datasheet="Hourly heart rate, pressure, temperature and breathing rate; label: sepsis within six hours.",
            licence="Apache-2.0",
        ),
        rounds=8,
        rule=MIXTURE,
        references=3,
        strike_tolerance_bps=1_000,
    )
    small.start()
    follow_the_reference(small)
    for _ in range(2):
        play_round(small)
    _turn_around(small, 4)
    play_round(small)
    _silence(small)
    play_round(small, absent=(1,))
    for trainer in small.trainers[:2]:
        trainer.step()


def _silence(small: SmallMarket) -> None:
    """Let a round expire."""
    small.submit()
    small.pass_time(500)
    small.trainers[0].step()
