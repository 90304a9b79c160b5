"""The job: a served chain whose clock stands, a market on it, and workspaces from which parties are made anew."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.types import RPCEndpoint

from aggregator.worker import Aggregator
from marketplace.chain.connect import connect
from marketplace.chain.deployment import Deployment, deploy
from marketplace.chain.devnet.accounts import dev_accounts
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.server import serve_devnet
from marketplace.chain.journal import Journals
from marketplace.chain.market import Market
from marketplace.chain.structs import NATIVE_COIN, Terms
from marketplace.job.document import JobDocument
from marketplace.parties.private_training import private_seed, training_function
from marketplace.parties.referee import Referee
from marketplace.parties.trainer import Trainer
from marketplace.parties.view import JobView
from marketplace.payload.envelope import EncryptionKeyPair
from marketplace.payload.model_file import encode_model, unflatten
from marketplace.storage.directory import DirectoryStore
from marketplace.training.configuration import TrainingConfiguration
from marketplace.training.data import Dataset
from marketplace.training.local import fit
from marketplace.training.models import build_model, get_vector, parameter_count, parameter_shapes
from tests.crash.forks import Fork, Tell
from tests.crash.plan import AGGREGATOR, PARTIES, REFEREE, ROUNDS, TRAINERS
from zk.srs.development import development_key

ETHER = 10**18
WINDOW = 60
INPUTS, CLASSES = 4, 3
GENESIS_TIME = 1_800_000_000
DATA_SEED = 20
KEY_FILE = "secret-of-the-encryption-key"

Party = Aggregator | Referee | Trainer


@dataclass(frozen=True)
class World:
    """Where everything is; nothing in it changes while the job runs."""

    rpc: str
    deployment: Deployment
    job: int
    directory: Path

    def connect(self) -> Web3:
        return connect(self.rpc, self.deployment.chain_id)

    def view(self, journals: Journals | None = None) -> JobView:
        market = Market(self.connect(), self.deployment, journals)
        return JobView(market, DirectoryStore(self.directory / "store"), self.job, self.directory / "srs")

    def workspace(self, party: str) -> Path:
        return self.directory / party

    def sights(self, view: JobView, party: str) -> tuple[int, int]:
        """Return what a party could see anew: the last block, and to the aggregator how many files are published."""
        published = len(list((self.directory / "store").iterdir())) if party == AGGREGATOR else 0
        return view.market.w3.eth.block_number, published

    def transactions(self, party: str) -> Path:
        return self.workspace(party) / "transactions"

    def party(self, name: str) -> Party:
        """Make a party from its workspace alone, as a process does that has just started."""
        workspace, account = self.workspace(name), account_of(name)
        view = self.view(Journals(self.transactions(name)))
        if name == AGGREGATOR:
            # Not `encryption_key`: a key file takes a second to open, by design.
            return Aggregator(
                view, account, EncryptionKeyPair.from_secret((workspace / KEY_FILE).read_bytes()), workspace
            )
        if name == REFEREE:
            return Referee(view, account, samples(TRAINERS, 60), workspace)
        seed = private_seed(workspace)
        train = training_function(view.document, data_of(name), fit, seed, None)
        return Trainer(view, account, train, workspace, lambda number: np.random.default_rng([seed, number]))


def account_of(name: str) -> LocalAccount:
    """The owner's account is the first one."""
    return dev_accounts(len(PARTIES) + 1)[0 if name == "owner" else 1 + PARTIES.index(name)]


def samples(part: int, count: int) -> Dataset:
    """Points around three centres, each part with its own share of the classes."""
    centres = 1.5 * np.random.default_rng(DATA_SEED).standard_normal((CLASSES, INPUTS))
    draws = np.random.default_rng([DATA_SEED, part])
    labels = draws.choice(CLASSES, count, p=draws.dirichlet(np.full(CLASSES, 5.0)))
    points = centres[labels] + draws.standard_normal((count, INPUTS))
    return Dataset(points.astype(np.float32), labels.astype(np.int64), CLASSES)


def data_of(name: str) -> Dataset:
    """The last trainer has learnt every label wrong, so that not everybody is kept."""
    index = PARTIES.index(name) - 2
    data = samples(index, 30 + 10 * index)
    return data if index < TRAINERS - 1 else Dataset(data.x, (data.y + 1) % CLASSES, CLASSES)


@contextmanager
def open_world(directory: Path) -> Iterator[World]:
    """Serve a chain from a process of its own, create the job on it, and write what each party starts from."""
    chain = Fork(_serve)
    try:
        rpc = chain.first()
        yield _create(connect(rpc), rpc, directory)
    finally:
        chain.end()


def pass_time(w3: Web3, seconds: int) -> None:
    """Move the chain's clock."""
    w3.provider.make_request(RPCEndpoint("evm_increaseTime"), [hex(seconds)])
    w3.provider.make_request(RPCEndpoint("evm_mine"), [])


def _serve(tell: Tell) -> None:
    ledger = Ledger(Clock(GENESIS_TIME), accounts=len(PARTIES) + 1)
    with serve_devnet(ledger, port=0, heartbeat=None) as server:
        tell(server.url)
        while True:
            signal.pause()


def _create(w3: Web3, rpc: str, directory: Path) -> World:
    owner = account_of("owner")
    market = Market(w3, deploy(w3, owner, development_key()))
    store = DirectoryStore(directory / "store")
    model = build_model("logistic-regression", {}, INPUTS, CLASSES)
    document = JobDocument(
        title="crashes",
        description="a job whose parties are killed",
        licence="CC0-1.0",
        datasheet="four features, three classes",
        model="logistic-regression",
        model_parameters={},
        inputs=INPUTS,
        classes=CLASSES,
        normalisation="none",
        training=TrainingConfiguration(epochs=2, batch_size=10, learning_rate=0.1),
        initial_model=store.add(encode_model(unflatten(get_vector(model), parameter_shapes(model)))),
        # So that a party which is started again has every earlier sum to fetch.
        server_momentum=0.5,
    )
    job = market.create(owner, _terms(market, parameter_count(model)), store.add(document.encode()).binary)
    world = World(rpc, market.deployment, job, directory)
    for index, party in enumerate(PARTIES):
        world.workspace(party).mkdir(mode=0o700)
        (world.workspace(party) / "seed").write_bytes(index.to_bytes(8, "big"))
    (world.workspace(AGGREGATOR) / KEY_FILE).write_bytes(EncryptionKeyPair.generate().secret)
    _ = world.view().srs  # made once, for everybody
    return world


def _terms(market: Market, dimension: int) -> Terms:
    return Terms(
        aggregator=account_of(AGGREGATOR).address,
        reward_per_round=ETHER,
        rule=next(iter(market.deployment.rules.values())),
        dimension=dimension,
        coordinate_bits=16,
        scale_exponent=12,
        tolerated=1,
        references=3,
        min_trainers=TRAINERS,
        max_trainers=TRAINERS,
        reward_decay=2,
        submit_window=WINDOW,
        deliver_window=WINDOW,
        settle_window=WINDOW,
        challenge_window=WINDOW,
        start_deadline=market.now() + 3600,
        rounds=ROUNDS,
        strike_tolerance_bps=10_000,
        strike_limit=0,
        stake=ETHER,
        absence_penalty=ETHER // 10,
        penalty=ETHER * 33 // 10,
        bond=ETHER * 7,
        token=NATIVE_COIN,
        aggregator_fee_per_round=ETHER // 10,
        referee=account_of(REFEREE).address,
        referee_fee_per_round=ETHER // 100,
        allowlist_root=bytes(32),
    )
