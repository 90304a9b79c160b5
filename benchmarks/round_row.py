"""One round of a large job, from the last submission to the settlement mined, in a process of its own.

`python -m benchmarks.round_row DIM TRAINERS SEED` prints what it took as JSON. Everybody is in this process: what the
trainers do after the last submission (delivering) and the chain's own work count too, and so does their memory.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aggregator.worker import Aggregator
from benchmarks.memory import peak_mib
from contribution.reward_schedule import DEFAULT_DECAY
from marketplace.chain.deployment import deploy
from marketplace.chain.devnet.accounts import dev_accounts
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.market import Market
from marketplace.chain.structs import NATIVE_COIN, Terms
from marketplace.job.document import JobDocument
from marketplace.parties.referee import Referee
from marketplace.parties.trainer import Trainer
from marketplace.parties.view import JobView
from marketplace.payload.envelope import EncryptionKeyPair
from marketplace.payload.model_file import encode_model, unflatten
from marketplace.storage.directory import DirectoryStore
from marketplace.training.configuration import TrainingConfiguration
from marketplace.training.data import Dataset
from marketplace.training.models import build_model, get_vector, parameter_shapes
from marketplace.training.zoo import Vector
from zk.bn254 import compile_engine
from zk.srs.development import development_key

ETHER: Final = 10**18
GENESIS_TIME: Final = 1_800_000_000
WINDOW_SECONDS: Final = 3600
MOST_CLASSES: Final = 1024
HELD_OUT_SAMPLES: Final = 64


class RoundSizeError(ValueError):
    """Thrown when no model of the benchmark's kind has so many parameters."""


def shape_of(dimension: int) -> tuple[int, int]:
    """Return inputs and classes of the logistic regression with exactly so many parameters, `(inputs + 1) classes`.

    Raises
    ------
    RoundSizeError
        If there is none with 2 to 1024 classes.
    """
    for classes in range(min(MOST_CLASSES, dimension // 2), 1, -1):
        if dimension % classes == 0:
            return dimension // classes - 1, classes
    raise RoundSizeError(f"no logistic regression with 2 to {MOST_CLASSES} classes has {dimension} parameters")


def measure(dimension: int, trainers: int, seed: int) -> dict[str, Any]:
    """Hold one round; return seconds by phase, their sum, the peak of memory and the gas of the settlement.

    Parameters
    ----------
    dimension, trainers
        d, and the number of trainers; a referee's vector comes on top.
    seed
        Where updates and held-out samples come from.
    """
    compile_engine(lambda _: None)
    with tempfile.TemporaryDirectory() as directory:
        return _measure(dimension, trainers, seed, Path(directory))


def _measure(dimension: int, count: int, seed: int, workspace: Path) -> dict[str, Any]:
    owner, account, referee_account, *accounts = dev_accounts(count + 3)
    w3 = connect_in_process(Ledger(Clock(GENESIS_TIME), accounts=count + 3))
    market = Market(w3, deploy(w3, owner, development_key()))
    view = _create(market, owner, account.address, referee_account.address, dimension, count, seed, workspace)
    phases = _Phases()
    aggregator = Aggregator(view, account, EncryptionKeyPair.generate(), workspace / "aggregator", phases.enter)
    referee = Referee(view, referee_account, _held_out(dimension, seed), workspace / "referee")
    trainers = [
        Trainer(view, trainer, _training(seed, index), workspace / f"trainer-{index}")
        for index, trainer in enumerate(accounts)
    ]
    aggregator.accept()
    for trainer in trainers:
        trainer.join(market.join_digest(view.job))
    aggregator.step()
    parties: list[Trainer | Referee] = [referee, *trainers]
    for party in parties:
        party.step()
    # The step of the last submitter has closed the submissions; from here on the time counts.
    phases.start()
    phases.enter("deliver")
    for party in parties:
        party.step()
    phases.enter("look at the chain")
    done = aggregator.step()
    phases.stop()
    record = view.history().rounds[1]
    if not record.settled or record.ended_in is None:
        raise SystemExit(f"round_row: the round did not settle: {done}")
    return {
        "dim": dimension,
        "trainers": count,
        "total_s": sum(phases.seconds.values()),
        "phases_s": phases.seconds,
        "peak_mib": peak_mib(),
        "settle_gas": w3.eth.get_transaction_receipt(record.ended_in)["gasUsed"],
        "kept": sum(1 for weight in record.weights if weight),
    }


class _Phases:
    """Seconds by phase, told by the steps that the aggregator announces."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._current: str | None = None
        self._since = 0.0
        self._running = False

    def start(self) -> None:
        self._running = True

    def enter(self, step: str) -> None:
        """Let a phase begin; steps that differ in numbers alone are one."""
        if not self._running:
            return
        self._add()
        self._current = _phase_of(step)

    def stop(self) -> None:
        self._add()
        self._running = False

    def _add(self) -> None:
        now = time.perf_counter()
        if self._current is not None:
            self.seconds[self._current] = self.seconds.get(self._current, 0.0) + now - self._since
        self._since = now


def _phase_of(step: str) -> str:
    """Return the phase of an announced step, "prove" for "round 1: prove, masking"."""
    words = step.partition(": ")[2] or step
    for name in ("fetch, open and check", "score", "prove", "store", "settle"):
        if words.startswith(name):
            return name
    return words


def _training(seed: int, index: int) -> Callable[[Vector, int], npt.NDArray[np.float64]]:
    """Return what makes a trainer's update: a common direction with a trainer's own noise, of usual size."""

    def train(vector: Vector, number: int) -> npt.NDArray[np.float64]:
        common = np.random.default_rng([seed, number]).standard_normal(vector.size)
        return 0.02 * common + 0.02 * np.random.default_rng([seed, number, index]).standard_normal(vector.size)

    return train


def _held_out(dimension: int, seed: int) -> Dataset:
    inputs, classes = shape_of(dimension)
    draws = np.random.default_rng([seed, dimension])
    x = draws.standard_normal((HELD_OUT_SAMPLES, inputs)).astype(np.float32)
    return Dataset(x, np.arange(HELD_OUT_SAMPLES, dtype=np.int64) % classes, classes)


def _create(
    market: Market,
    owner: Any,  # noqa: ANN401 - an account of eth-account
    aggregator: str,
    referee: str,
    dimension: int,
    trainers: int,
    seed: int,
    workspace: Path,
) -> JobView:
    inputs, classes = shape_of(dimension)
    store = DirectoryStore(workspace / "store")
    model = build_model("logistic-regression", {}, inputs, classes, seed)
    document = JobDocument(
        title="Benchmark of a round",
        description="Synthetic updates of a large model.",
        licence="CC0-1.0",
        datasheet="none",
        model="logistic-regression",
        model_parameters={},
        inputs=inputs,
        classes=classes,
        normalisation="none",
        training=TrainingConfiguration(),
        initial_model=store.add(encode_model(unflatten(get_vector(model), parameter_shapes(model)))),
    )
    job = market.create(
        owner, _terms(market, aggregator, referee, dimension, trainers), store.add(document.encode()).binary
    )
    return JobView(market, store, job, workspace / "srs")


def _terms(market: Market, aggregator: Any, referee: Any, dimension: int, trainers: int) -> Terms:  # noqa: ANN401
    return Terms(
        aggregator=aggregator,
        reward_per_round=ETHER,
        rule=next(iter(market.deployment.rules.values())),
        dimension=dimension,
        coordinate_bits=16,
        scale_exponent=12,
        tolerated=max(0, min(trainers // 5, (trainers - 3) // 2)),
        references=1,
        min_trainers=trainers,
        max_trainers=trainers,
        reward_decay=DEFAULT_DECAY,
        submit_window=WINDOW_SECONDS,
        deliver_window=WINDOW_SECONDS,
        settle_window=WINDOW_SECONDS,
        challenge_window=WINDOW_SECONDS,
        start_deadline=market.now() + 24 * 3600,
        rounds=1,
        strike_tolerance_bps=5_000,
        strike_limit=3,
        stake=ETHER,
        absence_penalty=ETHER // 10,
        penalty=ETHER * 11 // 10,
        bond=ETHER * 22 // 10,
        token=NATIVE_COIN,
        aggregator_fee_per_round=ETHER // 20,
        referee=referee,
        referee_fee_per_round=ETHER // 100,
        allowlist_root=bytes(32),
    )


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:4]))))
