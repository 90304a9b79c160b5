"""Whether the model is the initial one plus exactly what was committed, weighted as the rounds decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from contribution.errors import CairnError
from marketplace.audit.case import Case
from marketplace.audit.check import DiscrepancyError, NotShownError
from marketplace.audit.content import Origin, fetch_aggregate
from marketplace.audit.proof import require_srs, split
from marketplace.chain.history import RoundRecord
from marketplace.errors import PayloadError, StorageError
from marketplace.payload.aggregate_file import Aggregate, largest_cumulative
from marketplace.payload.model_file import decode_model, flatten, largest_model_file
from marketplace.payload.server_momentum import Displacement, displace, displaced
from marketplace.training.zoo import Vector
from zk.bn254 import g1_from_bytes, g1_to_bytes
from zk.polynomial_commitment import INITIAL_MODEL, commit_sum, weighted_sum
from zk.srs.file import StructuredReferenceString
from zk.sum_opening import wrong_sums


def committed_sum(records: Sequence[RoundRecord]) -> bytes:
    """Return `sum over rounds of sum_i w_i C_i`, the commitment to everything that rounds added to the model.

    Raises
    ------
    PointEncodingError
        If a commitment with a weight is not a point.
    """
    terms = [
        (commitment, weight)
        for record in records
        for commitment, weight in zip(split(record.commitments or b""), record.weights, strict=False)
        if weight
    ]
    if not terms:
        return INITIAL_MODEL
    points = np.concatenate([g1_from_bytes(commitment) for commitment, _ in terms])
    return g1_to_bytes(weighted_sum(points, [weight for _, weight in terms]))


def require_model(case: Case, srs: StructuredReferenceString, aggregate: Aggregate) -> str:
    """Check the whole job's model with one multi-scalar multiplication; return what was found, in words.

    Raises
    ------
    DiscrepancyError
        If the published sum does not open the sum of what was committed.
    """
    expected = committed_sum(case.standing)
    found = commit_sum(srs, aggregate.cumulative, aggregate.blinder)
    if found != expected:
        raise DiscrepancyError(
            [
                f"the published sum commits to 0x{found.hex()}, the updates that were weighted in "
                f"{len(case.standing)} rounds to 0x{expected.hex()}: the model is not theirs"
            ]
        )
    limit = largest_cumulative(len(case.settled), case.terms.coordinate_bits)
    largest = int(np.abs(aggregate.cumulative).max(initial=0))
    return (
        f"sum w C over {len(case.standing)} rounds = Com(published sum) = 0x{found.hex()}; largest coordinate "
        f"{largest} of {limit} allowed"
    )


def require_sums(case: Case, srs: StructuredReferenceString, aggregates: Mapping[int, Aggregate]) -> None:
    """Check that every round's published sum opens the model's commitment of that round.

    Raises
    ------
    DiscrepancyError
        Naming the rounds whose sum does not.
    """
    records = [record for record in case.settled if record.number in aggregates]
    wrong = wrong_sums(
        srs,
        [record.model_commitment or b"" for record in records],
        [aggregates[record.number].cumulative for record in records],
        [aggregates[record.number].blinder for record in records],
    )
    if wrong:
        raise DiscrepancyError(
            [
                f"the sum published for round {records[place].number} does not open the model's commitment"
                for place in wrong
            ]
        )


def require_flagged(case: Case, record: RoundRecord) -> str:
    """Check that a round which a majority flagged did not publish what it settled; return what was found, in words.

    Raises
    ------
    NotShownError
        If its sum is there now and opens the model's commitment.
    """
    try:
        require_sums(case, require_srs(case), {record.number: fetch_aggregate(case, record)})
    except (StorageError, PayloadError, DiscrepancyError) as fault:
        return f"as its flags say: {str(fault).rstrip('.')}"
    raise NotShownError(
        "the published sum opens the model's commitment now; whether it could be had in the challenge window, nobody "
        "can show"
    )


def final_model(case: Case, origin: Origin, aggregates: Mapping[int, Aggregate]) -> Vector:
    """Return the model after the last round that counts, float32, shape (d,), the same bits on every machine."""
    reached = np.zeros(origin.model.size)
    for _, displacement in _displacements(case, origin, aggregates):
        reached = displacement
    return displaced(origin.model, reached)


def _displacements(
    case: Case, origin: Origin, aggregates: Mapping[int, Aggregate]
) -> Iterator[tuple[int, Displacement]]:
    """Yield each round that counts with what the model had moved by after it."""
    displacement = np.zeros(origin.model.size)
    for record in case.standing:
        cumulative = aggregates[record.number].cumulative
        displacement = displace(displacement, cumulative, case.terms.scale_exponent, origin.document.server_momentum)
        yield record.number, displacement


def require_file(case: Case, origin: Origin, aggregates: Mapping[int, Aggregate], file: Path) -> str:
    """Compare a model file with the job's final model, bit by bit; return what was found, in words.

    Raises
    ------
    DiscrepancyError
        If a parameter differs; if it is the model after another round, that is said.
    PayloadError
        If it is no model of the job.
    """
    shapes = origin.document.shapes
    try:
        with file.open("rb") as opened:
            data = opened.read(largest_model_file(shapes) + 1)
        found = flatten(decode_model(data, shapes), shapes)
    except (OSError, SafetensorError) as fault:
        raise DiscrepancyError([f"{file} can't be read as a model ({fault})"]) from fault
    expected = final_model(case, origin, aggregates)
    differing = np.flatnonzero(found.view(np.uint32) != expected.view(np.uint32))
    if not differing.size:
        return f"all {found.size} parameters of {file} are those of the job's final model, bit for bit"
    first = int(differing[0])
    raise DiscrepancyError(
        [
            f"{differing.size} of {found.size} parameters of {file} differ from the job's final model; parameter "
            f"{first} is {float(found[first])!r} instead of {float(expected[first])!r}"
            + _other_round(case, origin, aggregates, found)
        ]
    )


def _other_round(case: Case, origin: Origin, aggregates: Mapping[int, Aggregate], found: Vector) -> str:
    """Say if a model is that of another round."""
    if np.array_equal(found, origin.model):
        return "; it is the model that the job began with"
    for number, displacement in _displacements(case, origin, aggregates):
        try:
            other = displaced(origin.model, displacement)
        except CairnError:
            continue
        if np.array_equal(found, other):
            return f"; it is the model after round {number}"
    return ""
