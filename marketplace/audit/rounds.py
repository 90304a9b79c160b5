"""The checks of one round, however it ended."""

from __future__ import annotations

from collections.abc import Callable

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
    roll_call_faults,
    strike_faults,
)
from marketplace.audit.void import require_too_few_kept
from marketplace.chain.history import RoundRecord
from marketplace.chain.structs import VoidCause


def round_checks(case: Case, record: RoundRecord, *, reference: bool) -> list[Check]:
    """Check one round.

    Parameters
    ----------
    case, record
        The job and the round.
    reference
        Whether by the plain versions of verifier and rule.
    """
    checks: list[Check] = []

    def note(name: str, does_not_show: str, look: Callable[[], str]) -> None:
        checks.append(examine(f"round {record.number}", name, does_not_show, look))

    if record.settled:
        _settled(case, record, note, reference=reference)
    elif record.void is VoidCause.TOO_FEW_KEPT:
        note(
            "void",
            "that trainers whose updates were left out deserved it beyond the rule",
            lambda: require_too_few_kept(case, record, reference=reference),
        )
    if record.exclusions:
        note(
            "exclusions",
            "that content which was called unavailable could not be had then",
            lambda: require_evidence(case, record, require_srs(case)),
        )
    return checks


Note = Callable[[str, str, Callable[[], str]], None]


def _settled(case: Case, record: RoundRecord, note: Note, *, reference: bool) -> None:
    count = len(record.trainers)
    by = "plain" if reference else "fast"

    def roll_call() -> str:
        require(roll_call_faults(case, record))
        left_out = len(record.submissions) - count
        return f"{len(record.submissions)} submitted, {count} accepted, {left_out} left out; {_reference(case, record)}"

    def commitments() -> str:
        require(commitment_faults(case, record))
        return f"{count + case.references(record)} commitments hash to those submitted"

    def possible() -> str:
        if case.twin.overturned.get(record.number) == "refuted":
            return f"x' G x < 0 for x = {require_refuted(matrix_of(case, record))}, as the challenger said"
        require_possible(case, matrix_of(case, record))
        return "entries in range, positive semidefinite"

    def proof() -> str:
        srs = require_srs(case)
        require_proof(case, settlement_of(case, record), case.references(record), srs, reference=reference)
        return f"verified by the {by} verifier under 0x{srs.identity.hex()}"

    def decision() -> str:
        require_rule(case, record, reference=reference)
        return f"{sum(weight > 0 for weight in record.weights)} kept, computed by the {by} version of {case.rule}"

    def pay() -> str:
        require(payout_faults(case, record, decide(case, record, reference=reference)[1]))
        return f"{sum(record.payouts)} of {case.terms.reward_per_round} wei"

    def strikes() -> str:
        require(strike_faults(case, record))
        return "each that fell was due, each that was due fell"

    def step() -> str:
        require_model_step(case, record)
        return "the commitment before plus each weight times its commitment is the one after"

    def flags() -> str:
        return require_flagged(case, record)

    note("roll call", "why somebody submitted nothing", roll_call)
    note("commitments", "what is in them", commitments)
    note("matrix", "that it is the one of the committed updates: that is the proof's part", possible)
    note("proof", "that the updates are honest, or their coordinates in range", proof)
    note("weights and contributions", "that the rule is fair", decision)
    note("pay", "that trainers have withdrawn it", pay)
    note("strikes", "why an update did harm", strikes)
    note("model step", "that the published sum opens it: that is the model's part", step)
    if case.twin.overturned.get(record.number) == "flagged":
        note("flags", "what was to be had in the challenge window", flags)


def _reference(case: Case, record: RoundRecord) -> str:
    if not case.terms.has_referee:
        return "the job has no referee"
    return "with the referee's reference" if case.references(record) else "without a reference"
