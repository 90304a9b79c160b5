"""Running the demonstration: the real parties and contracts on an in-process chain whose clock is advanced."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from eth_account.signers.local import LocalAccount
from torch import nn

from aggregator.worker import Aggregator
from contribution.errors import CairnError
from contribution.reward_schedule import DEFAULT_DECAY
from contribution.rules import DEFAULT_RULE
from marketplace.audit.report import Report
from marketplace.audit.run import Sources, audit
from marketplace.chain.deployment import deploy
from marketplace.chain.devnet.accounts import dev_accounts
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.market import Market
from marketplace.chain.structs import NATIVE_COIN, Terms
from marketplace.job.document import JobDocument
from marketplace.job.limits import least_penalty
from marketplace.parties.referee import Referee
from marketplace.parties.trainer import Trainer
from marketplace.parties.view import JobView
from marketplace.payload.envelope import EncryptionKeyPair
from marketplace.payload.model_file import encode_model, unflatten
from marketplace.storage.directory import DirectoryStore
from marketplace.training.baseline import federated_average
from marketplace.training.configuration import TrainingConfiguration
from marketplace.training.data import PUBLIC_DATASETS, Dataset, load_dataset, load_public
from marketplace.training.evaluate import evaluate
from marketplace.training.local import fit, local_update
from marketplace.training.models import build_model, get_vector, parameter_count, parameter_shapes, set_vector
from marketplace.training.scenario import (
    ATTACKERS,
    Party,
    Role,
    Scenario,
    build_scenario,
    poisoned_data,
    poisoned_update,
)
from marketplace.training.zoo import Vector
from zk.srs.development import development_key

ETHER: Final = 10**18
GENESIS_TIME: Final = 1_800_000_000
HIDDEN: Final = (32,)
COORDINATE_BITS: Final = 16
SCALE_EXPONENT: Final = 12
TRAINING: Final = TrainingConfiguration(
    epochs=5, batch_size=16, learning_rate=0.06, learning_rate_decay=0.85, momentum=0.5
)
SERVER_MOMENTUM: Final = 0.0
# The gradient of the held-out loss and eight vectors of its curvature.
REFERENCE_VECTORS: Final = 9
WINDOW_SECONDS: Final = 60
LEAST_TRAINERS: Final = len(ATTACKERS) + 1


class DemoError(CairnError):
    """Thrown when a demonstration can't be run as asked, or does not come to its end."""


@dataclass(frozen=True)
class DemoSettings:
    """What a demonstration is asked for.

    Attributes
    ----------
    seed
        Of the data's split and partition, the initial model, and everybody's training.
    rounds, trainers
        Numbers of rounds and of trainers, the three cheaters included.
    dataset
        Name of a public data set, or path of an .npz or .csv file.
    data_dir
        Directory with the larger public data sets.
    """

    seed: int = 0
    rounds: int = 8
    trainers: int = 10
    dataset: str = "digits"
    data_dir: Path | None = None


@dataclass
class DemoRun:
    """A demonstration while it runs, and when it has ended.

    Attributes
    ----------
    settings, scenario
        What was asked for, and the parties' data.
    ledger
        The chain.
    view
        The job.
    trainers, aggregator, referee, owner
        The parties; `trainers` in the order of the scenario.
    audit
        What an audit from the chain and the content store alone found at the end; unset before.
    accuracies
        Test accuracy of the model after each settled round, by round.
    baseline
        Test accuracy of federated averaging over the honest trainers, after each round.
    withdrawn
        What each account withdrew, in wei.
    seconds
        Time spent by phase.
    """

    settings: DemoSettings
    scenario: Scenario
    ledger: Ledger
    view: JobView
    trainers: list[Trainer]
    aggregator: Aggregator
    referee: Referee
    owner: LocalAccount
    audit: Report = field(init=False)
    accuracies: dict[int, float] = field(default_factory=dict)
    baseline: list[float] = field(default_factory=list)
    withdrawn: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the time that the context takes to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - started


Progress = Callable[[DemoRun, str], None]


def run_demo(settings: DemoSettings, progress: Progress, workspace: Path | None = None) -> DemoRun:
    """Run a demonstration from the deployment of the contracts to the last withdrawal.

    Parameters
    ----------
    settings
        What is asked for.
    progress
        Called with the run and a word after every step worth showing: "created", "joined", "round", "ended",
        "withdrawn", "audited".
    workspace
        Directory for content store, outboxes and models; a temporary one by default.

    Raises
    ------
    DemoError
        If the settings leave no job to run, or the job does not end.
    CairnError
        If a party meets something that it can't handle.
    """
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="cairn-demo-") as temporary:
        return _run(settings, progress, workspace or Path(temporary))


def _run(settings: DemoSettings, progress: Progress, workspace: Path) -> DemoRun:
    _check(settings)
    started = time.perf_counter()
    scenario = build_scenario(load_scenario_data(settings), settings.seed, settings.trainers)
    clock = Clock(GENESIS_TIME)
    run = _set_up(settings, scenario, clock, workspace)
    run.seconds["set-up"] = time.perf_counter() - started
    progress(run, "created")
    with run.timed("join"):
        run.aggregator.accept()
        for trainer in run.trainers:
            trainer.join(run.view.market.join_digest(run.view.job))
    progress(run, "joined")
    _run_rounds(run, clock, progress)
    progress(run, "ended")
    with run.timed("withdrawals"):
        _withdraw_all(run)
    progress(run, "withdrawn")
    with run.timed("audit"):
        run.audit, _ = audit(Sources(run.view.market, run.view.store, run.view.srs_directory), run.view.job)
    progress(run, "audited")
    with run.timed("baseline"):
        run.baseline = _baseline(run)
    return run


def _check(settings: DemoSettings) -> None:
    if settings.rounds < 1:
        raise DemoError(f"A job has at least 1 round, not {settings.rounds}.")
    if settings.trainers < LEAST_TRAINERS:
        raise DemoError(
            f"{settings.trainers} trainers are too few: {len(ATTACKERS)} of them cheat, and at least one has to be "
            f"honest. Ask for {LEAST_TRAINERS} or more."
        )


def load_scenario_data(settings: DemoSettings) -> Dataset:
    """Load a public data set by its name, or the file at a path, whose inputs and classes are what it holds."""
    if settings.dataset in PUBLIC_DATASETS or not Path(settings.dataset).suffix:
        return load_public(settings.dataset, settings.data_dir)
    return load_dataset(Path(settings.dataset))


def _set_up(settings: DemoSettings, scenario: Scenario, clock: Clock, workspace: Path) -> DemoRun:
    """Start the chain, deploy the market, create the job and the parties."""
    owner, aggregator, referee, *accounts = dev_accounts(settings.trainers + 3)
    ledger = Ledger(clock, accounts=settings.trainers + 3)
    w3 = connect_in_process(ledger)
    market = Market(w3, deploy(w3, owner, development_key()))
    store = DirectoryStore(workspace / "store")
    model = build_model("mlp", {"hidden": list(HIDDEN)}, scenario.test.inputs, scenario.test.classes, settings.seed)
    initial = store.add(encode_model(unflatten(get_vector(model), parameter_shapes(model))))
    document = JobDocument(
        title=f"Demonstration on {settings.dataset}",
        description=f"{settings.trainers} trainers, {len(ATTACKERS)} of whom cheat, train a small model together.",
        licence="CC0-1.0",
        datasheet=f"{scenario.test.inputs} features, {scenario.test.classes} classes; from {settings.dataset}.",
        model="mlp",
        model_parameters={"hidden": list(HIDDEN)},
        inputs=scenario.test.inputs,
        classes=scenario.test.classes,
        normalisation="none",
        training=TRAINING,
        server_momentum=SERVER_MOMENTUM,
        initial_model=initial,
    )
    terms = _terms(settings, market, parameter_count(model), aggregator, referee)
    job = market.create(owner, terms, store.add(document.encode()).binary)
    view = JobView(market, store, job, workspace / "srs")
    return DemoRun(
        settings,
        scenario,
        ledger,
        view,
        _trainers(settings, scenario, view, model, accounts, workspace),
        Aggregator(view, aggregator, EncryptionKeyPair.generate(), workspace / "aggregator"),
        Referee(view, referee, scenario.referee, workspace / "referee"),
        owner,
    )


def _terms(
    settings: DemoSettings, market: Market, dimension: int, aggregator: LocalAccount, referee: LocalAccount
) -> Terms:
    reward, decay = ETHER, DEFAULT_DECAY
    penalty = least_penalty(reward, decay, settings.rounds)
    return Terms(
        aggregator=aggregator.address,
        reward_per_round=reward,
        rule=market.deployment.rules[DEFAULT_RULE],
        dimension=dimension,
        coordinate_bits=COORDINATE_BITS,
        scale_exponent=SCALE_EXPONENT,
        tolerated=min(len(ATTACKERS), (settings.trainers - 3) // 2),
        references=REFERENCE_VECTORS,
        min_trainers=settings.trainers,
        max_trainers=settings.trainers,
        reward_decay=decay,
        submit_window=WINDOW_SECONDS,
        deliver_window=WINDOW_SECONDS,
        settle_window=WINDOW_SECONDS,
        challenge_window=WINDOW_SECONDS,
        start_deadline=market.now() + 24 * 3600,
        rounds=settings.rounds,
        # A strike is for harm beyond half of what the round's good contributions add up to; three remove a trainer.
        strike_tolerance_bps=5_000,
        strike_limit=3,
        stake=ETHER // 2,
        absence_penalty=ETHER // 20,
        penalty=penalty,
        bond=2 * penalty,
        token=NATIVE_COIN,
        aggregator_fee_per_round=ETHER // 20,
        referee=referee.address,
        referee_fee_per_round=ETHER // 100,
        allowlist_root=bytes(32),
    )


def _trainers(
    settings: DemoSettings,
    scenario: Scenario,
    view: JobView,
    model: nn.Module,
    accounts: list[LocalAccount],
    workspace: Path,
) -> list[Trainer]:
    return [
        Trainer(
            view,
            account,
            _behaviour(party, model, private_seed(settings.seed, index)),
            workspace / f"trainer-{index}",
            partial(_rounding, private_seed(settings.seed, index)),
        )
        for index, (party, account) in enumerate(zip(scenario.trainers, accounts, strict=True))
    ]


def private_seed(seed: int, index: int) -> int:
    """Return the seed of one trainer's training; a real trainer draws its own."""
    return seed * 1000 + index


def _rounding(seed: int, number: int) -> np.random.Generator:
    """Return what a trainer's update of a round is rounded with."""
    return np.random.default_rng([seed, 1, number])


def _behaviour(party: Party, model: nn.Module, seed: int) -> Callable[[Vector, int], npt.NDArray[np.float64]]:
    data = poisoned_data(party.role, party.data)

    def train(vector: Vector, number: int) -> npt.NDArray[np.float64]:
        update = local_update(model, vector, fit, data, TRAINING.at_round(number - 1, seed))
        return poisoned_update(party.role, update)

    return train


def _run_rounds(run: DemoRun, clock: Clock, progress: Progress) -> None:
    """Let every party do what is due, and time pass when nothing is, until the job has ended."""
    market, job = run.view.market, run.view.job
    parties: Mapping[str, Any] = {"training": run.trainers, "referee": [run.referee], "aggregation": [run.aggregator]}
    # Each round needs time to pass at most four times: three windows and a challenge window.
    for _ in range(8 * (run.settings.rounds + 2)):
        acted = False
        for phase, members in parties.items():
            with run.timed(phase):
                done = [member.step() for member in members]
            acted = acted or any(done)
        _evaluate(run, progress)
        if run.view.snapshot().progress.job_state.ended:
            return
        if not acted:
            clock.advance(WINDOW_SECONDS // 2 + 1)
            market.w3.provider.make_request("evm_mine", [])  # type: ignore[arg-type]
    raise DemoError(f"The job did not end: round {market.progress(job).round} of {run.settings.rounds}.")


def _evaluate(run: DemoRun, progress: Progress) -> None:
    model = run.view.document.build_model()
    for record in list(run.view.history().rounds.values()):
        if record.ended_in is None or record.number in run.accuracies:
            continue
        with run.timed("evaluation"):
            set_vector(model, run.view.model_after(record.number))
            run.accuracies[record.number] = evaluate(model, run.scenario.test).accuracy
        progress(run, "round")


def _withdraw_all(run: DemoRun) -> None:
    market, job = run.view.market, run.view.job
    parties = [run.owner, run.aggregator.account, run.referee.account, *(trainer.account for trainer in run.trainers)]
    for account in parties:
        amount = market.withdrawable(job, account.address)
        if amount:
            market.withdraw(account, job, account.address)
        run.withdrawn[account.address] = amount


def _baseline(run: DemoRun) -> list[float]:
    """Return the test accuracy of size-weighted federated averaging over the honest trainers after each round."""
    model = run.view.document.build_model()
    honest = [(index, party.data) for index, party in enumerate(run.scenario.trainers) if party.role is Role.HONEST]
    vectors = federated_average(
        model,
        run.view.initial_model,
        [data for _, data in honest],
        [private_seed(run.settings.seed, index) for index, _ in honest],
        fit,
        TRAINING,
        run.settings.rounds,
        run.view.document.server_momentum,
    )
    accuracies = []
    for vector in vectors:
        set_vector(model, vector)
        accuracies.append(evaluate(model, run.scenario.test).accuracy)
    return accuracies
