"""The Gram proof of a settled round, verified again, and the step of the model's commitment."""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.audit.case import Case
from marketplace.audit.check import DiscrepancyError, NotShownError
from marketplace.chain.context import settlement_context
from marketplace.chain.history import RoundRecord
from marketplace.chain.structs import Exclusion, Settlement
from zk.gram_proof.verifier import verify_gram_proof
from zk.polynomial_commitment import COMMITMENT_BYTES, INITIAL_MODEL, advance_model, commitment_hash
from zk.readable import verifier as readable
from zk.readable.transcript import VerificationKey
from zk.srs.file import StructuredReferenceString


def settlement_of(case: Case, record: RoundRecord) -> Settlement:
    """Return a settlement as it was handed in, put together from events."""
    exclusions = tuple(
        Exclusion(event.arguments["account"], event.arguments["reason"], event.arguments["evidence"])
        for event in case.history.named("Excluded")
        if event.arguments["round"] == record.number
    )
    return Settlement(
        job=case.reading.job,
        round=record.number,
        trainers=record.trainers,
        exclusions=exclusions,
        commitments=record.commitments or b"",
        gram=record.gram or b"",
        model_commitment=model_before(case, record),
        new_model_commitment=record.model_commitment or b"",
        aggregate_cid=record.aggregate_cid or b"",
        proof=record.proof or b"",
    )


def model_before(case: Case, record: RoundRecord) -> bytes:
    """Return the model commitment that a round began with, as the settlement before it says."""
    earlier = [other for other in case.settled if other.number < record.number]
    return (earlier[-1].model_commitment or b"") if earlier else INITIAL_MODEL


def require_proof(
    case: Case, settlement: Settlement, references: int, srs: StructuredReferenceString, *, reference: bool
) -> None:
    """Verify the proof of a settlement.

    Parameters
    ----------
    case
        The job.
    settlement
        The settlement; its context is computed from it.
    references
        How many of its last commitments are the referee's.
    srs
        The reference string that the market's verifier names.
    reference
        Whether with the plain verifier instead of the fast one.

    Raises
    ------
    ProofRejectedError
        If it is not one.
    """
    context = settlement_context(case.identity, case.terms.aggregator, settlement, references)
    proven = (context, settlement.commitments, settlement.gram, settlement.proof)
    if reference:
        key = VerificationKey(srs.key.tau_g1, srs.key.beta_g1, srs.key.tau_g2, srs.key.tau_squared_g2)
        readable.verify(key, *proven)
    else:
        verify_gram_proof(srs.key, *proven)


def require_srs(case: Case) -> StructuredReferenceString:
    """Return the job's reference string; raises `NotShownError` where it is not to be had."""
    if isinstance(case.srs, StructuredReferenceString):
        return case.srs
    raise NotShownError(case.srs)


def require_model_step(case: Case, record: RoundRecord) -> None:
    """Check that a round began with the model of the one before, and added its weighted commitments to it.

    Raises
    ------
    DiscrepancyError
        If it did not.
    PointEncodingError
        If a commitment is not a point.
    """
    before = model_before(case, record)
    if commitment_hash(before) != record.model_hash:
        raise DiscrepancyError(
            [
                f"the round opened with a model whose commitment hashes to 0x{record.model_hash.hex()}, the one before "
                f"it to 0x{commitment_hash(before).hex()}"
            ]
        )
    after = advance_model(before, split(record.commitments or b""), record.weights)
    if after != record.model_commitment:
        raise DiscrepancyError(
            [
                f"the model's commitment became 0x{(record.model_commitment or b'').hex()}, the weighted commitments "
                f"make it 0x{after.hex()}"
            ]
        )


def split(commitments: bytes) -> Sequence[bytes]:
    """Split concatenated commitments."""
    return [commitments[at : at + COMMITMENT_BYTES] for at in range(0, len(commitments), COMMITMENT_BYTES)]
