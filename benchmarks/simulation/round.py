"""One round of a simulated job: train, attack, quantise, refer, multiply, decide, pay, aggregate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from torch import nn

from benchmarks.simulation.attacks import AttackView
from benchmarks.simulation.federation import Federation
from benchmarks.simulation.referee import references
from benchmarks.simulation.rules import decide
from contribution.aggregate import weighted_sum
from contribution.gram import GramMatrix, gram_matrix
from contribution.outcome import RuleOutcome
from contribution.payout import payouts
from contribution.reward_schedule import round_reward
from marketplace.payload.quantise import Coordinates, Quantised, quantise
from marketplace.payload.server_momentum import Displacement, displace, displaced, look_ahead
from marketplace.training.local import fit, local_update
from marketplace.training.models import set_vector
from marketplace.training.zoo import Vector

# What a round pays out on average, in wei.
REWARD_PER_ROUND: Final = 10**18

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class State:
    """What a round starts from.

    Attributes
    ----------
    number
        The round, from 1.
    model
        What everybody trains from, float32, shape (d,); with server momentum it looks ahead of the job's model.
    job_model
        What the job would end with, float32, shape (d,).
    cumulative
        Sum of all weighted updates since the initial model, int64, shape (d,).
    displacement
        What the job's model has moved by since then, float64, shape (d,).
    last_step
        What the last round that changed the job's model added to it, float64, shape (d,); zeros before.
    first_own
        What the attackers would have sent in round 1, float64, shape (k, d); None in round 1 and without attackers.
    averages
        What each trainer's moving average was after the last round, float64, shape (n, d); None in round 1 and without
        worker momentum.
    settled
        How many rounds before it were not void.
    """

    number: int
    model: Vector
    job_model: Vector
    cumulative: npt.NDArray[np.int64]
    displacement: Displacement
    last_step: Floats
    first_own: Floats | None = None
    averages: Floats | None = None
    settled: int = 0


@dataclass(frozen=True, eq=False)
class Submissions:
    """What the trainers of a round made, in their order.

    Attributes
    ----------
    trained
        What each got by training, or its moving average with worker momentum, float64, shape (n, d): the honest
        updates, and what the attackers would have sent.
    sent
        What each sent, float64, shape (n, d).
    quantised
        The same in the market's integers, n rows.
    """

    trained: Floats
    sent: Floats
    quantised: tuple[Quantised, ...]

    @property
    def updates(self) -> list[Coordinates]:
        """The integer updates, n rows int16 of shape (d,)."""
        return [row.coordinates for row in self.quantised]


@dataclass(frozen=True, eq=False)
class RoundResult:
    """Everything about one round; what has an entry for each trainer is in the trainers' order.

    Attributes
    ----------
    state
        What it started from.
    submissions
        What the trainers made.
    references
        The referee's vectors, int16 of shape (d,).
    gram
        int64, shape (n + references, n + references).
    outcome
        What the rule decided.
    pay
        In wei.
    aggregate
        `sum w_i q_i`, int64, shape (d,).
    next_state
        What the next round starts from.
    """

    state: State
    submissions: Submissions
    references: tuple[Coordinates, ...]
    gram: GramMatrix
    outcome: RuleOutcome
    pay: tuple[int, ...]
    aggregate: npt.NDArray[np.int64]
    next_state: State


def initial_state(federation: Federation) -> State:
    """Return what round 1 starts from."""
    initial = federation.initial_model
    zeros = np.zeros(initial.size)
    return State(1, initial, initial, np.zeros(initial.size, dtype=np.int64), zeros, zeros)


def play_round(federation: Federation, model: nn.Module, state: State) -> RoundResult:
    """Play one round.

    Parameters
    ----------
    federation
        The parties.
    model
        Of the job's architecture; its parameters are overwritten with the round's.
    state
        What the round starts from.

    Raises
    ------
    TrainingError
        If the model has diverged, so that somebody can't train on it.
    AttackError
        If the attack can't be carried out.
    """
    setting = federation.setting
    set_vector(model, state.model)
    vectors = references(model, federation.referee, setting, state.number)
    submissions = submit(federation, model, state, vectors)
    gram = gram_matrix([*submissions.updates, *vectors])
    outcome = _decide(federation, gram, len(vectors))
    aggregate = weighted_sum(submissions.updates, outcome.weights)
    reward = round_reward(REWARD_PER_ROUND, setting.reward_decay, setting.rounds, state.settled)
    pay = payouts(outcome.contributions, reward)
    return RoundResult(
        state=state,
        submissions=submissions,
        references=tuple(vectors),
        gram=gram,
        outcome=outcome,
        pay=tuple(pay),
        aggregate=aggregate,
        next_state=_next_state(federation, state, submissions, None if outcome.void else aggregate),
    )


def submit(federation: Federation, model: nn.Module, state: State, vectors: list[Coordinates]) -> Submissions:
    """Return what the trainers of a round make: honest updates, then those that the attack makes of the attackers'.

    Parameters
    ----------
    federation, model, state
        As in `play_round`; the model is not changed.
    vectors
        The referee's vectors, for attackers that may ask the rule.

    Raises
    ------
    TrainingError, AttackError
        As `play_round`.
    """
    configuration = federation.setting.training
    trained = np.stack(
        [
            local_update(
                model, state.model, fit, data, configuration.at_round(state.number - 1, federation.training_seed(k))
            )
            for k, data in enumerate(federation.trainers)
        ]
    )
    trained = _averaged(trained, state.averages, federation.setting.worker_momentum)
    honest = federation.setting.honest
    quantised = [_quantise(federation, trained[k], k, state.number) for k in range(honest)]
    sent = trained
    if federation.attack is not None:
        rows = [row.coordinates for row in quantised]
        view = _view(federation, state, trained, rows, vectors)
        sent = np.concatenate([trained[:honest], federation.attack.craft(view)])
        quantised += [_quantise(federation, sent[k], k, state.number) for k in range(honest, len(sent))]
    return Submissions(trained, sent, tuple(quantised))


def _averaged(trained: Floats, averages: Floats | None, momentum: float) -> Floats:
    """Return each trainer's moving average after it has trained once more."""
    return trained if averages is None else momentum * averages + (1 - momentum) * trained


def _quantise(federation: Federation, update: Floats, trainer: int, number: int) -> Quantised:
    setting = federation.setting
    return quantise(
        update,
        bits=setting.coordinate_bits,
        scale_exponent=setting.scale_exponent,
        generator=federation.rounding(trainer, number),
    )


def _view(
    federation: Federation,
    state: State,
    trained: Floats,
    honest_rows: list[Coordinates],
    vectors: list[Coordinates],
) -> AttackView:
    """Return what the attackers could know at most; the attack looks at no more of it than it may."""
    honest = federation.setting.honest

    def ask_the_rule(candidates: Floats) -> RuleOutcome:
        rows = [_quantise(federation, row, honest + k, state.number).coordinates for k, row in enumerate(candidates)]
        return _decide(federation, gram_matrix([*honest_rows, *rows, *vectors]), len(vectors))

    own = trained[honest:]
    return AttackView(
        round=state.number,
        rounds=federation.setting.rounds,
        trainers=federation.setting.trainers,
        own=own,
        first_own=own if state.first_own is None else state.first_own,
        honest=trained[:honest],
        model=state.model.astype(np.float64),
        initial_model=federation.initial_model.astype(np.float64),
        last_aggregate=state.last_step,
        generator=federation.attack_generator(state.number),
        decide=ask_the_rule,
        strength=federation.strength,
    )


def _decide(federation: Federation, gram: GramMatrix, count: int) -> RuleOutcome:
    setting = federation.setting
    return decide(setting.rule, gram, federation.seats, count, setting.tolerated, federation.samples)


def _next_state(
    federation: Federation, state: State, submissions: Submissions, aggregate: npt.NDArray[np.int64] | None
) -> State:
    """Return what the next round starts from; a void round, without aggregate, moves nothing."""
    if aggregate is None:
        return advance(federation, state, submissions, state.model, state.job_model)
    scale, momentum = federation.setting.scale_exponent, federation.setting.server_momentum
    cumulative = state.cumulative + aggregate
    displacement = displace(state.displacement, cumulative, scale, momentum)
    model = displaced(federation.initial_model, look_ahead(displacement, cumulative, scale, momentum))
    job_model = displaced(federation.initial_model, displacement)
    following = advance(federation, state, submissions, model, job_model)
    return replace(following, cumulative=cumulative, displacement=displacement, settled=state.settled + 1)


def advance(federation: Federation, state: State, submissions: Submissions, model: Vector, job_model: Vector) -> State:
    """Return what the next round starts from, its sums aside, given the two models that this one led to."""
    step = job_model.astype(np.float64) - state.job_model.astype(np.float64)
    first_own = state.first_own
    if first_own is None and federation.attack is not None:
        first_own = submissions.trained[federation.setting.honest :]
    return replace(
        state,
        number=state.number + 1,
        model=model,
        job_model=job_model,
        last_step=step if step.any() else state.last_step,
        first_own=first_own,
        averages=submissions.trained if federation.setting.worker_momentum else None,
    )
