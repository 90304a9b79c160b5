"""A job as its parties see it: terms, document, history and the current model, each checked when it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from eth_typing import ChecksumAddress

from contribution.errors import CairnError
from marketplace.chain.context import JobIdentity
from marketplace.chain.history import HistoryReader, JobHistory, RoundRecord
from marketplace.chain.market import Market
from marketplace.chain.structs import Terms
from marketplace.errors import ContentTooLargeError, PayloadError, StorageError
from marketplace.job.document import JobDocument, fetch_document, fetch_initial_model
from marketplace.parties.reference_string import find_srs
from marketplace.parties.snapshot import Snapshot
from marketplace.payload.aggregate_file import Aggregate, aggregate_size, decode_aggregate
from marketplace.payload.context import EnvelopeContext, RoundContext
from marketplace.payload.server_momentum import Displacement, displace, displaced, look_ahead
from marketplace.storage.cid import parse_binary_cid
from marketplace.storage.store import ContentStore
from marketplace.training.zoo import Vector
from zk.bn254 import PointEncodingError
from zk.polynomial_commitment import (
    INITIAL_MODEL,
    advance_model,
    commit_sum,
    commitment_hash,
    split_commitments,
)
from zk.srs.file import StructuredReferenceString
from zk.sum_opening import wrong_sums

# Sums that are in memory at once when a party that comes late follows the model from its beginning.
SUMS_AT_ONCE: Final = 16

# Round, model commitment after it, and CID of its aggregate.
SettledAs = tuple[int, bytes | None, bytes | None]


class ModelCheckError(CairnError):
    """Thrown when a published model is not the one that the chain commits to.

    Attributes
    ----------
    round
        The settled round whose aggregate does not fit.
    fault
        What does not fit.
    was_fetched
        Whether it was fetched and is wrong; False if it could not be had whole, which may pass.
    """

    def __init__(self, number: int, fault: str, *, was_fetched: bool = True) -> None:
        self.round = number
        self.fault = fault
        self.was_fetched = was_fetched
        super().__init__(
            f"The aggregate published for round {number} is not what the chain commits to: {fault.rstrip('.')}. "
            "Nothing is trained on it; trainers flag such a round within its challenge window."
        )


class NotThePartyError(CairnError):
    """Thrown when an account is not the one that a job's terms name for its part.

    Attributes
    ----------
    part, found, expected
        The part, the account, and the one that the terms name.
    """

    def __init__(self, part: str, found: str, expected: str) -> None:
        self.part = part
        self.found = found
        self.expected = expected
        named = f"name {expected}" if int(expected, 16) else "name nobody"
        super().__init__(f"{found} is not the {part} of this job: its terms {named}; use that account's key.")


@dataclass(frozen=True, eq=False)
class RoundSum:
    """What was added to the initial model before a round.

    Attributes
    ----------
    aggregate
        The sum of all weighted updates since the initial model, and of their blinders.
    commitment
        The commitment to that sum, 64 bytes.
    """

    aggregate: Aggregate
    commitment: bytes


@dataclass(frozen=True, eq=False)
class RoundModel:
    """The model that a round starts from.

    Attributes
    ----------
    vector
        float32, shape (d,); with server momentum it looks ahead of the job's model.
    sum
        The sum of all that was added before.
    """

    vector: Vector
    sum: RoundSum


class JobView:
    """One job of a market, with the content that its CIDs name.

    Parameters
    ----------
    market : Market
        The market.
    store : ContentStore
        Where content is fetched from and published to.
    job : int
        The job's number.
    srs_directory : Path
        Where structured reference strings are kept; see `find_srs`.
    """

    def __init__(self, market: Market, store: ContentStore, job: int, srs_directory: Path) -> None:
        self.market = market
        self.store = store
        self.job = job
        self.srs_directory = srs_directory
        self.terms: Terms = market.terms(job)
        self._reader = HistoryReader(market, job)
        self._sum: tuple[SettledAs, RoundSum] | None = None
        # How far the model was followed: the settlements, and what it moved by in them.
        self._followed: tuple[tuple[SettledAs, ...], Displacement] | None = None
        self._snapshot: Snapshot | None = None

    def require_party(self, part: str, found: ChecksumAddress, expected: ChecksumAddress) -> None:
        """Raise `NotThePartyError` unless the account is the one that the terms name."""
        if found != expected:
            raise NotThePartyError(part, found, expected)

    def history(self) -> JobHistory:
        """Return the job's history up to the latest block."""
        return self._reader.read()

    def snapshot(self) -> Snapshot:
        """Return what the chain says at the latest block; the one returned before if no block has come since.

        Raises
        ------
        ChainError
            If the node fails.
        """
        latest = self.market.w3.eth.get_block("latest")
        if self._snapshot is None or self._snapshot.block_hash != latest["hash"]:
            self._snapshot = Snapshot(self.market, self.job, latest["hash"], latest["timestamp"])
        return self._snapshot

    @cached_property
    def identity(self) -> JobIdentity:
        """What tells the job from every other on any chain."""
        deployment = self.market.deployment
        found = self.market.identity(self.job)
        return JobIdentity(
            deployment.chain_id, deployment.market, self.job, found.owner, self.terms, found.specification_hash
        )

    @cached_property
    def srs(self) -> StructuredReferenceString:
        """The structured reference string that the market's verifier was deployed with, long enough for the job.

        Raises
        ------
        SrsNotFoundError
            If it is not on this machine.
        """
        deployment = self.market.deployment
        return find_srs(self.srs_directory, deployment.srs, self.terms.dimension, deployment.chain_id)

    @cached_property
    def document(self) -> JobDocument:
        """The job document."""
        return fetch_document(self.store, self.history().specification_cid)

    @cached_property
    def initial_model(self) -> Vector:
        """The model that round 1 starts from."""
        return fetch_initial_model(self.store, self.document, self.terms.dimension)

    def round_context(self, number: int) -> RoundContext:
        """Return what a round's documents are bound to."""
        return RoundContext(self.market.deployment.chain_id, self.market.deployment.market, self.job, number)

    def envelope_context(self, number: int, account: ChecksumAddress) -> EnvelopeContext:
        """Return what an account's envelope in a round is bound to."""
        return EnvelopeContext(
            self.market.deployment.chain_id, self.market.deployment.market, self.job, number, account
        )

    def model_before(self, number: int) -> RoundModel:
        """Return the model that everybody trains from in round `number`, checked against the chain.

        Raises
        ------
        ModelCheckError
            If a settled round before it, of those that the model depends on, published something else than the chain
            commits to, or nothing. Without server momentum that is the last one alone.
        """
        settled = self.history().standing(before=number)
        displacement, found = self._displacement(settled), self._last_sum(settled)
        ahead = look_ahead(displacement, found.aggregate.cumulative, self.terms.scale_exponent, self._momentum)
        return RoundModel(displaced(self.initial_model, ahead), found)

    def model_after(self, number: int) -> Vector:
        """Return the job's model after round `number`, float32, shape (d,), checked against the chain.

        It is what the job's owner gets if no other round follows.

        Raises
        ------
        ModelCheckError
            As `model_before`.
        """
        return displaced(self.initial_model, self._displacement(self.history().standing(before=number + 1)))

    def sum_before(self, number: int) -> RoundSum:
        """Return what was added to the initial model before round `number`, checked against the chain.

        Raises
        ------
        ModelCheckError
            If the last settled round before it published something else than the chain commits to, or nothing.
        """
        return self._last_sum(self.history().standing(before=number))

    @property
    def _momentum(self) -> float:
        return self.document.server_momentum

    def _last_sum(self, settled: Sequence[RoundRecord]) -> RoundSum:
        """Return the sum that the last of the settled rounds published; zeros if there is none."""
        if not settled:
            return RoundSum(Aggregate(np.zeros(self.terms.dimension, dtype=np.int64), 0), INITIAL_MODEL)
        settled_as = settlement_key(settled[-1])
        if self._sum is None or self._sum[0] != settled_as:
            self._sum = settled_as, self._read_sums(settled, 1)[0]
        return self._sum[1]

    def _displacement(self, settled: Sequence[RoundRecord]) -> Displacement:
        """Return what the settled rounds moved the model by; only sums that were not checked before are fetched."""
        settlements = tuple(map(settlement_key, settled))
        start, displacement = 0, np.zeros(self.terms.dimension)
        if self._followed is not None and self._followed[0] == settlements[: len(self._followed[0])]:
            start, displacement = len(self._followed[0]), self._followed[1]
        if not self._momentum:
            # The last sum tells all.
            start = max(start, len(settled) - 1)
        for first in range(start, len(settled), SUMS_AT_ONCE):
            end = min(first + SUMS_AT_ONCE, len(settled))
            sums = self._read_sums(settled[:end], end - first)
            for each in sums:
                displacement = displace(
                    displacement, each.aggregate.cumulative, self.terms.scale_exponent, self._momentum
                )
            self._sum = settlements[end - 1], sums[-1]
            self._followed = settlements[:end], displacement
        return displacement

    def _read_sums(self, settled: Sequence[RoundRecord], count: int) -> list[RoundSum]:
        """Fetch the sums of the last `count` of the settled rounds and check each against its commitment."""
        commitments = _check_commitments(settled)
        sums = [
            RoundSum(self._fetch(settled[place], place + 1), commitments[place])
            for place in range(len(settled) - count, len(settled))
        ]
        wrong = _not_opening(self.srs, sums)
        if wrong:
            number = settled[len(settled) - count + wrong[0]].number
            raise ModelCheckError(number, "the published sum of updates does not open the model's commitment")
        return sums

    def _fetch(self, record: RoundRecord, rounds: int) -> Aggregate:
        """Fetch what a settled round published, the last of so many rounds."""
        if record.aggregate_cid is None:
            raise ModelCheckError(record.number, "the round was not settled")
        try:
            data = self.store.get(parse_binary_cid(record.aggregate_cid), aggregate_size(self.terms.dimension))
            return decode_aggregate(
                data,
                self.round_context(record.number),
                dimension=self.terms.dimension,
                bits=self.terms.coordinate_bits,
                scale_exponent=self.terms.scale_exponent,
                rounds=rounds,
            )
        except ContentTooLargeError as fault:
            raise ModelCheckError(record.number, str(fault)) from fault
        except StorageError as fault:
            raise ModelCheckError(record.number, str(fault), was_fetched=False) from fault
        except PayloadError as fault:
            raise ModelCheckError(record.number, str(fault)) from fault


def settlement_key(record: RoundRecord) -> SettledAs:
    """Return what tells a round's settlement from every other, also after a reorganisation of the chain."""
    return record.number, record.model_commitment, record.aggregate_cid


def _not_opening(srs: StructuredReferenceString, sums: Sequence[RoundSum]) -> list[int]:
    """Return the places of the sums that don't open their commitments."""
    if len(sums) > 1:
        return wrong_sums(
            srs,
            [each.commitment for each in sums],
            [each.aggregate.cumulative for each in sums],
            [each.aggregate.blinder for each in sums],
        )
    # The usual case, of one new round, is cheaper without random factors.
    return [
        place
        for place, each in enumerate(sums)
        if commit_sum(srs, each.aggregate.cumulative, each.aggregate.blinder) != each.commitment
    ]


def _check_commitments(settled: Sequence[RoundRecord]) -> list[bytes]:
    """Follow the model's commitment through the settled rounds; return the one after each."""
    commitment, followed = INITIAL_MODEL, []
    for record in settled:
        if record.commitments is None or record.model_commitment is None:
            raise ModelCheckError(record.number, "the chain's events of this round are incomplete")
        if commitment_hash(commitment) != record.model_hash:
            raise ModelCheckError(record.number, "the round did not open with the commitment of the round before")
        try:
            commitment = advance_model(commitment, split_commitments(record.commitments), record.weights)
        except PointEncodingError as fault:
            raise ModelCheckError(record.number, str(fault)) from fault
        if commitment != record.model_commitment:
            raise ModelCheckError(record.number, "the settled commitment is not the sum of the round's commitments")
        followed.append(commitment)
    return followed
