"""The same job in the real market: parties, contracts, commitments and proofs on a chain in this process.

The market's parties do everything that they do elsewhere; only what a trainer makes of the round's model comes from the
simulation, because attackers who know the honest updates need all of them. What the market decided is then compared
with the simulation to the bit.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from eth_account.signers.local import LocalAccount

from aggregator.worker import Aggregator
from benchmarks.simulation.errors import ChainDiffersError, SettingError
from benchmarks.simulation.federation import Federation
from benchmarks.simulation.referee import references
from benchmarks.simulation.round import (
    REWARD_PER_ROUND,
    Floats,
    RoundResult,
    Submissions,
    advance,
    initial_state,
    submit,
)
from benchmarks.simulation.threads import single_thread
from contribution.gram import unpack_gram
from contribution.rules import RULES
from marketplace.chain.deployment import deploy
from marketplace.chain.devnet.accounts import dev_accounts
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.history import RoundRecord
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
from marketplace.training.models import parameter_shapes, set_vector
from marketplace.training.zoo import Vector
from zk.srs.development import development_key

GENESIS_TIME: Final = 1_800_000_000
WINDOW_SECONDS: Final = 60
_STAKE: Final = REWARD_PER_ROUND // 2


class _Workshop:
    """Makes what all trainers send in a round as soon as the first of them asks, from the chain's model."""

    def __init__(self, federation: Federation, view: JobView) -> None:
        self._federation = federation
        self._view = view
        self._model = federation.build_model()
        self._state = initial_state(federation)
        self._made: Submissions | None = None

    def train(self, trainer: int, vector: Vector, number: int) -> Floats:
        """Return what a trainer sends in round `number`, float64, shape (d,)."""
        if self._made is not None and number > self._state.number:
            reached = self._view.model_after(number - 1)
            self._state = advance(self._federation, self._state, self._made, vector, reached)
            self._made = None
        if self._made is None:
            set_vector(self._model, vector)
            vectors = references(self._model, self._federation.referee, self._federation.setting, number)
            self._made = submit(self._federation, self._model, self._state, vectors)
        sent: Floats = self._made.sent[trainer]
        return sent


def check_against_market(federation: Federation, results: list[RoundResult]) -> None:
    """Run a setting through the market and compare every round with the simulation's.

    Compared are, to the bit: the Gram matrix, weights, contributions, payouts, and the models after the round.

    Parameters
    ----------
    federation
        The parties.
    results
        All rounds of the simulation.

    Raises
    ------
    SettingError
        If the setting has something that the market has not: a baseline as its rule, or worker momentum.
    ChainDiffersError
        If anything differs, naming the round and what differs.
    CairnError
        If a party meets something that it can't handle.
    """
    if federation.setting.rule not in RULES:
        raise SettingError(
            f"The market has no rule {federation.setting.rule!r}, so there is nothing to compare with; choose one of "
            f"{', '.join(RULES)}, or leave --chain out."
        )
    if federation.setting.worker_momentum:
        raise SettingError(
            f"The market's trainers send their updates as they are; worker_momentum is "
            f"{federation.setting.worker_momentum}. Make it 0, or leave --chain out."
        )
    with single_thread(), tempfile.TemporaryDirectory(prefix="cairn-simulate-") as workspace:
        view = _run_job(federation, Path(workspace))
        for result in results:
            _compare(federation, view, result)


def _run_job(federation: Federation, workspace: Path) -> JobView:
    """Run the job from the deployment of the contracts to its last round."""
    setting = federation.setting
    owner, hub, judge, *others = dev_accounts(setting.trainers + 3)
    seated = sorted(others, key=lambda account: int(account.address, 16))
    clock = Clock(GENESIS_TIME)
    w3 = connect_in_process(Ledger(clock, accounts=setting.trainers + 3))
    market = Market(w3, deploy(w3, owner, development_key()))
    store = DirectoryStore(workspace / "store")
    terms = _terms(federation, market, hub, judge)
    job = market.create(owner, terms, store.add(_document(federation, store).encode()).binary)
    view = JobView(market, store, job, workspace / "srs")
    workshop = _Workshop(federation, view)
    trainers = [
        Trainer(
            view,
            seated[seat],
            partial(workshop.train, k),
            workspace / f"trainer-{k}",
            partial(federation.rounding, k),
        )
        for k, seat in enumerate(federation.seats)
    ]
    aggregator = Aggregator(view, hub, EncryptionKeyPair.generate(), workspace / "aggregator")
    referees = [Referee(view, judge, federation.referee, workspace / "referee")] if federation.referee else []
    aggregator.accept()
    for trainer in trainers:
        trainer.join(market.join_digest(job))
    _drive(view, clock, [*(t.step for t in trainers), *(r.step for r in referees), aggregator.step])
    return view


def _document(federation: Federation, store: DirectoryStore) -> JobDocument:
    setting = federation.setting
    initial = encode_model(unflatten(federation.initial_model, parameter_shapes(federation.build_model())))
    return JobDocument(
        title=f"Simulation {setting.digest}",
        description="A setting of the simulation, run through the market.",
        licence="CC0-1.0",
        datasheet=f"As in {setting.dataset}.",
        model=setting.model,
        model_parameters=federation.model_parameters,
        inputs=federation.test.inputs,
        classes=federation.test.classes,
        normalisation="none",
        training=setting.training,
        server_momentum=setting.server_momentum,
        initial_model=store.add(initial),
    )


def _terms(federation: Federation, market: Market, hub: LocalAccount, judge: LocalAccount) -> Terms:
    setting = federation.setting
    with_referee = federation.referee is not None
    penalty = least_penalty(REWARD_PER_ROUND, setting.reward_decay, setting.rounds)
    return Terms(
        aggregator=hub.address,
        reward_per_round=REWARD_PER_ROUND,
        rule=market.deployment.rules[setting.rule],
        dimension=federation.initial_model.size,
        coordinate_bits=setting.coordinate_bits,
        scale_exponent=setting.scale_exponent,
        tolerated=setting.tolerated,
        references=setting.references,
        min_trainers=setting.trainers,
        max_trainers=setting.trainers,
        reward_decay=setting.reward_decay,
        submit_window=WINDOW_SECONDS,
        deliver_window=WINDOW_SECONDS,
        settle_window=WINDOW_SECONDS,
        challenge_window=WINDOW_SECONDS,
        start_deadline=market.now() + 24 * 3600,
        rounds=setting.rounds,
        # Nobody is struck out: the simulation keeps everyone to the end.
        strike_tolerance_bps=0,
        strike_limit=0,
        stake=_STAKE,
        absence_penalty=0,
        penalty=penalty,
        bond=2 * penalty,
        token=NATIVE_COIN,
        aggregator_fee_per_round=0,
        referee=judge.address if with_referee else NATIVE_COIN,
        referee_fee_per_round=0,
        allowlist_root=bytes(32),
    )


def _drive(view: JobView, clock: Clock, steps: list[Callable[[], list[str]]]) -> None:
    """Let every party do what is due, and time pass when nothing is, until the job has ended."""
    # Each round needs time to pass at most four times: three windows and a challenge window.
    for _ in range(8 * (view.terms.rounds + 2)):
        acted = [done for step in steps for done in step()]
        if view.snapshot().progress.job_state.ended:
            return
        if not acted:
            clock.advance(WINDOW_SECONDS // 2 + 1)
            view.market.w3.provider.make_request("evm_mine", [])  # type: ignore[arg-type]
    raise ChainDiffersError(
        f"The job did not end: round {view.market.progress(view.job).round} of {view.terms.rounds}; the market's "
        "parties wait for something."
    )


def _compare(federation: Federation, view: JobView, result: RoundResult) -> None:
    """Raise `ChainDiffersError` unless the market's round is the simulation's."""
    number = result.state.number
    record = view.history().rounds.get(number)
    if record is None:
        raise ChainDiffersError(
            f"The market's job ended before round {number} of {federation.setting.rounds}: it aborts after two void "
            "rounds in a row, the simulation goes on. Compare a setting with fewer void rounds."
        )
    if record.settled == result.outcome.void:
        told = "settled" if record.settled else f"void ({record.void.words if record.void else 'expired'})"
        raise ChainDiffersError(
            f"Round {number} is {told} in the market and {'void' if result.outcome.void else 'decided'} in the "
            "simulation: their rules differ. Check that both are of one version."
        )
    if record.settled:
        _compare_settled(federation, record, result)
    expected = result.next_state
    for what, market, simulated in (
        ("job's model", view.model_after(number), expected.job_model),
        ("next round's model", view.model_before(number + 1).vector, expected.model),
    ):
        if market.tobytes() != simulated.tobytes():
            raise _difference(number, what, int((market != simulated).sum()), market.size)


def _compare_settled(federation: Federation, record: RoundRecord, result: RoundResult) -> None:
    seats, number = federation.seats, record.number
    rows = np.concatenate([np.argsort(seats), np.arange(len(seats), len(result.gram))])
    expected = result.gram[np.ix_(rows, rows)]
    gram = unpack_gram(record.gram or b"", len(expected))
    if not np.array_equal(gram, expected):
        raise _difference(number, "Gram matrix", int((gram != expected).sum()), gram.size)
    for what, market, simulated in (
        ("weights", record.weights, result.outcome.weights),
        ("contributions", record.contributions, result.outcome.contributions),
        ("payouts", record.payouts, result.pay),
    ):
        in_order = [market[seat] for seat in seats]
        if in_order != list(simulated):
            different = sum(one != other for one, other in zip(in_order, simulated, strict=True))
            raise _difference(number, what, different, len(in_order))


def _difference(number: int, what: str, different: int, count: int) -> ChainDiffersError:
    return ChainDiffersError(
        f"Round {number} in the market and in the simulation differ in {different} of {count} values of the {what}; "
        "check that contracts and Python are of one version."
    )
