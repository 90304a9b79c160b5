"""Content that the chain names by CID: fetched, hashed, and read as what it must be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.audit.case import Case
from marketplace.audit.check import DiscrepancyError, require
from marketplace.chain.history import RoundRecord
from marketplace.chain.structs import ExclusionReason
from marketplace.errors import ContentMissingError, ContentTooLargeError, PayloadError, StorageError
from marketplace.job.document import JobDocument, fetch_document, fetch_initial_model
from marketplace.parties.exclusions import submissions, vectors_of
from marketplace.payload.aggregate_file import Aggregate, aggregate_size, decode_aggregate
from marketplace.payload.envelope import envelope_size
from marketplace.payload.update import encoded_update_size
from marketplace.storage.cid import parse_binary_cid
from marketplace.training.zoo import Vector


@dataclass(frozen=True)
class Origin:
    """What a job began with.

    Attributes
    ----------
    document
        The job document.
    model
        The initial model, float32, shape (d,).
    """

    document: JobDocument
    model: Vector


def fetch_origin(case: Case) -> Origin:
    """Fetch what a job began with.

    Raises
    ------
    CairnError
        If the document or the initial model can't be had, or is not what the job's terms need.
    """
    document = fetch_document(case.store, case.history.specification_cid)
    return Origin(document, fetch_initial_model(case.store, document, case.terms.dimension))


def fetch_aggregate(case: Case, record: RoundRecord) -> Aggregate:
    """Fetch the cumulative aggregate that a settlement names, every coordinate in the range that the rounds allow.

    Raises
    ------
    StorageError
        If it can't be had, or what the store gives is not what the CID names.
    PayloadError
        If it is not the canonical file of this round.
    """
    rounds = sum(other.number <= record.number for other in case.settled)
    data = case.store.get(parse_binary_cid(record.aggregate_cid or b""), aggregate_size(case.terms.dimension))
    return decode_aggregate(
        data,
        case.round_context(record.number),
        dimension=case.terms.dimension,
        bits=case.terms.coordinate_bits,
        scale_exponent=case.terms.scale_exponent,
        rounds=rounds,
    )


def fetch_aggregates(case: Case, records: Iterable[RoundRecord]) -> dict[int, Aggregate]:
    """Fetch the aggregates of several rounds, by round.

    Raises
    ------
    DiscrepancyError
        With a clause for each that can't be had.
    """
    found, faults = {}, []
    for record in records:
        try:
            found[record.number] = fetch_aggregate(case, record)
        except (StorageError, PayloadError) as fault:
            faults.append(f"round {record.number}: {str(fault).rstrip('.')}")
    require(faults)
    return found


def envelope_words(case: Case, records: Iterable[RoundRecord]) -> str:
    """Hash every envelope that is still to be had; return how many there were, in words.

    Raises
    ------
    DiscrepancyError
        If what the store gives is not what a CID names, or is too large and was not excluded for that.
    """
    one = encoded_update_size(case.terms.dimension, case.terms.coordinate_bits)
    here, gone, faults = 0, 0, []
    for record in records:
        for account, submission in submissions(record, case.terms.referee).items():
            try:
                largest = envelope_size(vectors_of(case.terms, account) * one)
                case.store.get(parse_binary_cid(submission.cid), largest)
                here += 1
            except ContentMissingError:
                gone += 1
            except ContentTooLargeError as fault:
                if record.exclusions.get(account) is not ExclusionReason.OUT_OF_RANGE:
                    faults.append(f"round {record.number}, {account}: {fault}")
            except StorageError as fault:
                faults.append(f"round {record.number}, {account}: {fault}")
    if faults:
        raise DiscrepancyError([fault.rstrip(".") for fault in faults])
    return f"{here} envelopes are what their CIDs name; {gone} are no longer to be had, and nothing depends on them"
