"""The checks of one round, however it ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from marketplace.audit.case import Case
from marketplace.audit.check import Check, examine, require
from marketplace.audit.exclusions import require_evidence
from marketplace.audit.model import require_flagged
from marketplace.audit.proof import require_model_step, require_proof, require_srs, settlement_of
from marketplace.audit.settlement import (
    commitment_faults,
    decide,
    matrix_of,
    payout_faults,
    require_possible,
    require_refuted,
    require_rule,
    reward_of,
    roll_call_faults,
    strike_faults,
)
from marketplace.audit.void import require_too_few_kept
from marketplace.chain.history import RoundRecord
from marketplace.chain.structs import VoidCause

# What a check looks at: the job, the round, and whether by the plain versions of verifier and rule; returns its detail.
Look = Callable[[Case, RoundRecord, bool], str]


def round_checks(case: Case, record: RoundRecord, *, reference: bool) -> list[Check]:
    """Check one round.

    Parameters
    ----------
    case, record
        The job and the round.
    reference
        Whether by the plain versions of verifier and rule.
    """
    return [
        examine(f"round {record.number}", name, does_not_show, partial(look, case, record, reference))
        for name, does_not_show, look in _due(case, record)
    ]


def _due(case: Case, record: RoundRecord) -> list[tuple[str, str, Look]]:
    """Return the checks that a round's end calls for."""
    due = list(_SETTLED) if record.settled else []
    if record.void is VoidCause.TOO_FEW_KEPT:
        due.append(("void", "that trainers whose updates were left out deserved it beyond the rule", _void))
    if case.twin.overturned.get(record.number) == "flagged":
        due.append(("flags", "what was to be had in the challenge window", _flags))
    if record.exclusions:
        due.append(("exclusions", "that content which was called unavailable could not be had then", _exclusions))
    return due


def _roll_call(case: Case, record: RoundRecord, _reference: bool) -> str:
    require(roll_call_faults(case, record))
    count, left_out = len(record.trainers), len(record.submissions) - len(record.trainers)
    referee = "the job has no referee"
    if case.terms.has_referee:
        referee = "with the referee's reference" if case.references(record) else "without a reference"
    return f"{len(record.submissions)} submitted, {count} accepted, {left_out} left out; {referee}"


def _commitments(case: Case, record: RoundRecord, _reference: bool) -> str:
    require(commitment_faults(case, record))
    return f"{len(record.trainers) + case.references(record)} commitments hash to those submitted"


def _matrix(case: Case, record: RoundRecord, _reference: bool) -> str:
    matrix = matrix_of(case, record)
    if case.twin.overturned.get(record.number) == "refuted":
        return f"x' G x < 0 for x = {require_refuted(matrix)}, as the challenger said"
    require_possible(case, matrix)
    return "entries in range, positive semidefinite"


def _proof(case: Case, record: RoundRecord, reference: bool) -> str:
    srs = require_srs(case)
    require_proof(case, settlement_of(case, record), case.references(record), srs, reference=reference)
    return f"verified by the {_version(reference)} verifier under 0x{srs.identity.hex()}"


def _decision(case: Case, record: RoundRecord, reference: bool) -> str:
    require_rule(case, record, reference=reference)
    kept = sum(weight > 0 for weight in record.weights)
    return f"{kept} kept, computed by the {_version(reference)} version of {case.rule}"


def _pay(case: Case, record: RoundRecord, reference: bool) -> str:
    _, contributions = decide(case, record, reference=reference)
    require(payout_faults(case, record, contributions))
    return f"{sum(record.payouts)} of the round's {reward_of(case, record)} wei"


def _strikes(case: Case, record: RoundRecord, _reference: bool) -> str:
    require(strike_faults(case, record))
    return "each that fell was due, each that was due fell"


def _model_step(case: Case, record: RoundRecord, _reference: bool) -> str:
    require_model_step(case, record)
    return "the commitment before plus each weight times its commitment is the one after"


def _flags(case: Case, record: RoundRecord, _reference: bool) -> str:
    return require_flagged(case, record)


def _void(case: Case, record: RoundRecord, reference: bool) -> str:
    return require_too_few_kept(case, record, reference=reference)


def _exclusions(case: Case, record: RoundRecord, _reference: bool) -> str:
    return require_evidence(case, record, require_srs(case))


def _version(reference: bool) -> str:
    return "plain" if reference else "fast"


_SETTLED: Final[tuple[tuple[str, str, Look], ...]] = (
    ("roll call", "why somebody submitted nothing", _roll_call),
    ("commitments", "what is in them", _commitments),
    ("matrix", "that it is the one of the committed updates: that is the proof's part", _matrix),
    ("proof", "that the updates are honest, or their coordinates in range", _proof),
    ("weights and contributions", "that the rule is fair", _decision),
    ("pay", "that trainers have withdrawn it", _pay),
    ("strikes", "why an update did harm", _strikes),
    ("model step", "that the published sum opens it: that is the model's part", _model_step),
)
