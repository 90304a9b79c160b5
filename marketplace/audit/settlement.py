"""One settled round, decided once more: who is in, what the matrix says, what the rule makes of it, who is paid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from eth_typing import ChecksumAddress

from contribution import mixture_rule, readable, readable_mixture, rule
from contribution.explanation import explain
from contribution.gram import GramMatrix, check_gram, unpack_gram
from contribution.outcome import RuleOutcome
from contribution.payout import harmful, payouts
from contribution.rules import RULES
from marketplace.audit.case import Case
from marketplace.audit.check import DiscrepancyError, require
from marketplace.chain.history import RoundRecord
from marketplace.chain.structs import ExclusionReason
from zk.definiteness import find_refutation
from zk.polynomial_commitment import COMMITMENT_BYTES, commitment_hash

Decision = tuple[tuple[int, ...], tuple[int, ...]]


def roll_call_faults(case: Case, record: RoundRecord) -> list[str]:
    """Return a clause for each account that a settlement does not account for as it must."""
    faults = []
    order = [int(account, 16) for account in record.trainers]
    if order != sorted(set(order)):
        faults.append("the accepted trainers are not in strictly ascending order of address")
    excluded = set(record.exclusions) - {case.terms.referee}
    for account in sorted(set(record.trainers) & excluded):
        faults.append(f"{account} is both accepted and excluded")
    for account in sorted(set(record.submissions) - set(record.trainers) - excluded):
        faults.append(f"{account} submitted and is neither accepted nor excluded")
    for account in sorted((set(record.trainers) | excluded) - set(record.submissions)):
        faults.append(f"{account} is in the settlement and submitted nothing")
    faulty = sum(
        reason is not ExclusionReason.UNAVAILABLE for who, reason in record.exclusions.items() if who in excluded
    )
    if faulty > case.terms.tolerated:
        faults.append(f"{faulty} trainers were excluded as faulty, the job tolerates {case.terms.tolerated}")
    if len(record.trainers) < case.terms.quorum:
        faults.append(f"{len(record.trainers)} updates were accepted, a settlement needs {case.terms.quorum}")
    return faults


def commitment_faults(case: Case, record: RoundRecord) -> list[str]:
    """Return a clause for each commitment of a settlement that is not the one submitted."""
    found = record.commitments or b""
    count, references = len(record.trainers), case.references(record)
    if len(found) != COMMITMENT_BYTES * (count + references):
        return [
            f"the commitments have {len(found)} bytes, those of {count} trainers and {references} references have "
            f"{COMMITMENT_BYTES * (count + references)}"
        ]
    given: list[tuple[ChecksumAddress, bytes]] = [
        (account, found[COMMITMENT_BYTES * k : COMMITMENT_BYTES * (k + 1)]) for k, account in enumerate(record.trainers)
    ]
    submitted = {account: submission.commitment_hash for account, submission in record.submissions.items()}
    if references and record.reference is not None:
        given.append((case.terms.referee, found[COMMITMENT_BYTES * count :]))
        submitted[case.terms.referee] = record.reference.commitment_hash
    return [
        f"the commitment of {account} hashes to 0x{commitment_hash(commitment).hex()}, and it submitted "
        f"0x{submitted.get(account, b'').hex()}"
        for account, commitment in given
        if commitment_hash(commitment) != submitted.get(account)
    ]


def matrix_of(case: Case, record: RoundRecord) -> GramMatrix:
    """Return a settled round's matrix.

    Raises
    ------
    GramError
        If it has another size than the settlement's updates and references.
    """
    return unpack_gram(record.gram or b"", len(record.trainers) + case.references(record))


def require_possible(case: Case, matrix: GramMatrix) -> None:
    """Refuse a matrix that no updates in range have.

    Raises
    ------
    GramError
        If an entry is out of range.
    DiscrepancyError
        If the matrix is not positive semidefinite; with integers x for which `x' G x < 0`.
    """
    check_gram(matrix, case.terms.dimension, case.terms.coordinate_bits)
    refutation = find_refutation(matrix.tolist())
    if refutation is not None:
        raise DiscrepancyError([f"no vectors have this matrix: x' G x < 0 for x = {refutation}"])


def require_refuted(matrix: GramMatrix) -> list[int]:
    """Return integers that refute the matrix of a round that was refuted.

    Raises
    ------
    DiscrepancyError
        If there are none: the refutation was false.
    """
    refutation = find_refutation(matrix.tolist())
    if refutation is None:
        raise DiscrepancyError(["the round was refuted, and its matrix is positive semidefinite"])
    return refutation


def decide(case: Case, record: RoundRecord, *, reference: bool) -> Decision:
    """Compute weights and contributions of a settled round from its matrix.

    Parameters
    ----------
    case, record
        The job and the round.
    reference
        Whether by the plain version of the rule instead of the fast one.

    Raises
    ------
    CairnError
        If the matrix has another size, or this installation has no such rule.
    """
    arguments = (len(record.trainers), case.references(record), case.terms.tolerated)
    if reference:
        _require_known(case)
        weights, contributions = _PLAIN[case.rule](matrix_of(case, record).tolist(), *arguments)
        return tuple(weights), tuple(contributions)
    outcome = _outcome(case, record)
    return outcome.weights, outcome.contributions


def explanations(case: Case, record: RoundRecord, names: Sequence[str]) -> tuple[str, ...]:
    """Say of each trainer of a settled round, called by these names, why it was kept or dropped and what it earns.

    Raises
    ------
    CairnError
        If the matrix has another size, this installation has no such rule, or the rule decides otherwise than settled.
    """
    outcome = _outcome(case, record)
    require(decision_faults(record, (outcome.weights, outcome.contributions)))
    return explain(case.rule, matrix_of(case, record), case.references(record), outcome, names)


def _outcome(case: Case, record: RoundRecord) -> RuleOutcome:
    """Compute what the rule makes of a settled round's matrix; raises as `decide`."""
    _require_known(case)
    arguments = (len(record.trainers), case.references(record), case.terms.tolerated)
    return RULES[case.rule](matrix_of(case, record), *arguments)


def _require_known(case: Case) -> None:
    if case.rule not in RULES:
        raise DiscrepancyError([f"the job's rule {case.rule} is none of this installation's: {', '.join(RULES)}"])


_PLAIN: Final[dict[str, Callable[..., tuple[list[int], list[int]]]]] = {
    rule.NAME: readable.decide,
    mixture_rule.NAME: readable_mixture.decide,
}


def decision_faults(record: RoundRecord, decision: Decision) -> list[str]:
    """Return a clause for each trainer whose weight or contribution is another than the computed one."""
    weights, contributions = decision
    return _per_trainer("weight", record, record.weights, weights) + _per_trainer(
        "contribution", record, record.contributions, contributions
    )


def reward_of(case: Case, record: RoundRecord) -> int:
    """Return what a round pays if it is settled, in wei.

    Raises
    ------
    RuleInputError
        If the terms have no reward for it.
    """
    return case.terms.reward_after(case.history.settled_before(record.number))


def payout_faults(case: Case, record: RoundRecord, contributions: Sequence[int]) -> list[str]:
    """Return a clause for each trainer whose pay is another than its contribution earns."""
    due = payouts(contributions, reward_of(case, record))
    return _per_trainer("pay", record, record.payouts, due, " wei")


def strike_faults(case: Case, record: RoundRecord) -> list[str]:
    """Return a clause for each strike that was not due, and each that was due and did not fall."""
    outcome = _outcome(case, record)
    judged = harmful(outcome.contributions, case.terms.strike_tolerance_bps, outcome.reference_used)
    due = {account for account, bad in zip(record.trainers, judged, strict=True) if bad and case.terms.strike_limit}
    struck = {
        event.arguments["trainer"]
        for event in case.history.named("Strike")
        if event.arguments["round"] == record.number
    }
    return [
        f"{account} was struck and its contribution is within the tolerance" for account in sorted(struck - due)
    ] + [f"{account} was not struck and its contribution is beyond the tolerance" for account in sorted(due - struck)]


def require_rule(case: Case, record: RoundRecord, *, reference: bool) -> Decision:
    """Return the computed decision of a round, refusing one that differs from what was settled."""
    decision = decide(case, record, reference=reference)
    require(decision_faults(record, decision))
    return decision


def _per_trainer(what: str, record: RoundRecord, found: Sequence[int], due: Sequence[int], unit: str = "") -> list[str]:
    if len(found) != len(due) or len(found) != len(record.trainers):
        return [f"{len(found)} entries say the {what} of {len(record.trainers)} trainers"]
    return [
        f"the {what} of {account} is {is_}{unit} instead of {should}{unit}"
        for account, is_, should in zip(record.trainers, found, due, strict=True)
        if is_ != should
    ]
