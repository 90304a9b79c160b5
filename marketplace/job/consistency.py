"""What the entries of a job specification must be to each other, and what follows from them when they are left out.

Everything works on entries by their path in the file, such as "money.bond", of which those with faults of their own are
absent: what can be judged is judged even so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, cast

from contribution import rule
from contribution.rules import DEFAULT_RULE
from marketplace.job.limits import (
    MAX_AMOUNT,
    MAX_REFERENCES,
    MAX_TRAINERS,
    MAX_WINDOW,
    PRIVACY_FACTOR,
    least_penalty,
    quorum,
)
from marketplace.job.quantities import Currency, format_amount, format_duration
from marketplace.payload.server_momentum import server_momentum_faults
from marketplace.training.configuration import TrainingConfiguration, training_faults
from marketplace.training.zoo import model_faults, model_shapes, vector_length

Entries = Mapping[str, Any]


@dataclass(frozen=True)
class Derivation:
    """How an entry that the file leaves out follows from others."""

    needs: tuple[str, ...]
    compute: Callable[..., Any]


# What each round's reward follows from.
REWARDS: Final = ("money.reward_per_round", "money.reward_decay", "round.rounds")

# In an order in which each needs only what stands before it.
DERIVATIONS: Final[dict[str, Derivation]] = {
    "money.penalty": Derivation(REWARDS, least_penalty),
    "money.bond": Derivation(("money.penalty",), lambda penalty: 2 * penalty),
    "money.stake": Derivation(("money.reward_per_round",), lambda reward: reward),
    "money.absence_penalty": Derivation(("money.stake",), lambda stake: stake // 10),
    "trainers.minimum": Derivation(("round.tolerated",), quorum),
    "round.deliver": Derivation(("round.submit",), lambda submit: math.ceil(submit / 2)),
    "round.settle": Derivation(("round.submit",), lambda submit: submit),
    "round.challenge": Derivation(
        ("round.submit", "round.deliver"), lambda submit, deliver: min(deliver, submit + deliver)
    ),
    "parties.reference_vectors": Derivation(("parties.referee", "round.rule"), lambda *given: _usual_vectors(*given)),
}


def _usual_vectors(referee: str, chosen: str | None) -> int:
    """Return how many vectors a referee posts: all that there may be, but one for a rule that curvature is not for."""
    if referee == "none":
        return 0
    return MAX_REFERENCES if chosen in (None, DEFAULT_RULE) else 1


def derive(entries: dict[str, Any], missing: set[str]) -> None:
    """Add to `entries` what follows from them, among the paths in `missing`."""
    for path, derivation in DERIVATIONS.items():
        if path in missing and all(need in entries for need in derivation.needs):
            entries[path] = derivation.compute(*(entries[need] for need in derivation.needs))


def consistency_faults(entries: Entries, currency: Currency) -> list[str]:
    """List, a sentence each, where entries contradict each other, the market's rules or the model zoo's."""
    faults = [
        *_money_faults(entries, currency),
        *_window_faults(entries),
        *_trainer_faults(entries),
        *_party_faults(entries, currency),
        *_training_faults(entries),
    ]
    model = _model_faults(entries)
    return [*faults, *(model if model else _privacy_faults(entries))]


def _given(entries: Entries, *paths: str) -> bool:
    return all(path in entries for path in paths)


def _money_faults(entries: Entries, currency: Currency) -> Iterator[str]:
    def between(path: str, low: int, high: int, why: str) -> Iterator[str]:
        if not low <= entries[path] <= high:
            shown, least, most = (format_amount(units, currency) for units in (entries[path], low, high))
            yield f"{path} is {shown}; it must be from {least} to {most}: {why}"

    if entries.get("money.reward_per_round") == 0:
        yield from between("money.reward_per_round", 1, MAX_AMOUNT, "nobody trains for nothing")
    if _given(entries, "money.penalty", *REWARDS):
        least = least_penalty(*(entries[path] for path in REWARDS))
        why = "a skipped settlement must cost the aggregator a tenth more than the first round pays, the most of all"
        yield from between("money.penalty", least, MAX_AMOUNT, why)
    if _given(entries, "money.bond", "money.penalty"):
        why = "the bond must cover two penalties"
        yield from between("money.bond", 2 * entries["money.penalty"], MAX_AMOUNT, why)
    if _given(entries, "money.absence_penalty", "money.stake"):
        why = "who is absent loses at most a tenth of its stake"
        yield from between("money.absence_penalty", 0, entries["money.stake"] // 10, why)
    yield from _deposit_faults(entries, currency)


def _deposit_faults(entries: Entries, currency: Currency) -> Iterator[str]:
    parts = ("money.reward_per_round", "money.aggregator_fee_per_round", "money.referee_fee_per_round")
    if not _given(entries, "round.rounds", *parts):
        return
    rounds, per_round = entries["round.rounds"], sum(entries[part] for part in parts)
    if rounds * per_round > MAX_AMOUNT:
        yield (
            f"money: {rounds} rounds of {format_amount(per_round, currency)} each are "
            f"{format_amount(rounds * per_round, currency)}; a job holds at most {format_amount(MAX_AMOUNT, currency)}"
        )


def _window_faults(entries: Entries) -> Iterator[str]:
    if not _given(entries, "round.submit", "round.deliver", "round.challenge"):
        return
    most = min(entries["round.submit"] + entries["round.deliver"], MAX_WINDOW)
    if entries["round.challenge"] > most:
        yield (
            f"round.challenge is {format_duration(entries['round.challenge'])}; it must be from 1 s to "
            f"{format_duration(most)}, submit and deliver together, because the next settlement waits for its end"
        )


def _trainer_faults(entries: Entries) -> Iterator[str]:
    minimum, maximum = entries.get("trainers.minimum"), entries.get("trainers.maximum")
    if minimum is not None and "round.tolerated" in entries:
        least = quorum(entries["round.tolerated"])
        if not least <= minimum <= MAX_TRAINERS:
            yield (
                f"trainers.minimum is {minimum}; it must be from {least} to {MAX_TRAINERS}: 2 x tolerated + 3, or no "
                "round could be settled"
            )
    if minimum is not None and maximum is not None and not minimum <= maximum:
        yield f"trainers.maximum is {maximum}; it must be from {minimum}, the minimum, to {MAX_TRAINERS}"
    allowed = len(entries.get("trainers.allowlist", ()))
    if minimum is not None and 0 < allowed < minimum:
        yield f"trainers.allowlist names {allowed} accounts; it must name {minimum} at least, or the job can't start"


def _party_faults(entries: Entries, currency: Currency) -> Iterator[str]:
    token, decimals = entries.get("money.token"), entries.get("money.decimals")
    if token is not None and decimals is None and "money.decimals" in entries:
        yield "money.decimals is missing; say how many decimals the token has, as its contract's decimals() answers"
    if token is None and "money.token" in entries and decimals is not None:
        yield f"money.decimals is {decimals} without money.token; name the token, or leave it out for the native coin"
    for party in ("aggregator", "referee"):
        if entries.get(f"parties.{party}") in entries.get("trainers.allowlist", ()):
            yield f"parties.{party} is on trainers.allowlist; name another account: a party of a job can't train in it"
    if not _given(entries, "parties.referee", "parties.reference_vectors"):
        return
    none, vectors = entries["parties.referee"] == "none", entries["parties.reference_vectors"]
    fee = entries.get("money.referee_fee_per_round", 0)
    if none and fee:
        yield f"money.referee_fee_per_round is {format_amount(fee, currency)}; it must be 0 in a job without a referee"
    if none and vectors:
        yield f"parties.reference_vectors is {vectors}; it must be 0 in a job without a referee"
    if not none and not vectors:
        yield f"parties.reference_vectors is 0; it must be from 1 to {MAX_REFERENCES} in a job with a referee"
    if entries.get("round.rule") == rule.NAME and vectors > 1:
        yield (
            f"parties.reference_vectors is {vectors}; it must be 1 with round.rule {rule.NAME!r}, which reads "
            f"curvature in other units than those that referees post. Take {DEFAULT_RULE!r} for more"
        )


def _training_faults(entries: Entries) -> list[str]:
    found = {path.partition(".")[2]: value for path, value in entries.items() if path.startswith("training.")}
    # A configuration with faults can't be made; the function only reads the attributes of what it is given.
    candidate = cast(TrainingConfiguration, SimpleNamespace(**found))
    faults = training_faults(candidate)
    if "server_momentum" in found:
        faults += server_momentum_faults(found["server_momentum"])
    return [f"training.{fault}" for fault in faults]


def _model_faults(entries: Entries) -> list[str]:
    paths = ("model.name", "model.parameters", "data.inputs", "data.classes")
    if not _given(entries, *paths):
        return []
    return [f"model.parameters: {fault}" for fault in model_faults(*(entries[path] for path in paths))]


def _privacy_faults(entries: Entries) -> Iterator[str]:
    paths = ("model.name", "model.parameters", "data.inputs", "data.classes")
    if not _given(entries, *paths, "trainers.maximum", "round.rounds", "round.accept_small_model"):
        return
    further = max(0, entries.get("parties.reference_vectors", 0) - 1)
    if entries["round.accept_small_model"]:
        return
    dimension = vector_length(model_shapes(*(entries[path] for path in paths)))
    trainers, rounds = entries["trainers.maximum"], entries["round.rounds"]
    least = PRIVACY_FACTOR * (trainers + further) * rounds
    others = f"({trainers} trainers + {further} curvature vectors)" if further else f"{trainers} trainers"
    if dimension < least:
        yield (
            f"model: it has {dimension} parameters; it must have {PRIVACY_FACTOR} x {others} x {rounds} "
            f"rounds = {least} at least: every round publishes the inner products of all updates, and with fewer "
            "parameters trainers who collude learn from them much of another's update, and of the data behind it. "
            "Take a larger model, fewer rounds, trainers or vectors, or say round.accept_small_model = true if the "
            "data are no secret"
        )
