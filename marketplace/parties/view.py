"""A job as its parties see it: terms, document, history and the current model, each checked when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

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
from marketplace.payload.model_file import apply_aggregate
from marketplace.storage.cid import parse_binary_cid
from marketplace.storage.store import ContentStore
from marketplace.training.models import Vector
from zk.bn254 import PointEncodingError
from zk.polynomial_commitment import (
    INITIAL_MODEL,
    advance_model,
    commit_sum,
    commitment_hash,
    split_commitments,
)
from zk.srs.file import StructuredReferenceString

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
        float32, shape (d,).
    sum
        What it adds to the initial model.
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
        """Return the model that round `number` starts from, checked against the chain.

        Raises
        ------
        ModelCheckError
            If the last settled round before it published something else than the chain commits to, or nothing.
        """
        found = self.sum_before(number)
        return RoundModel(
            apply_aggregate(self.initial_model, found.aggregate.cumulative, self.terms.scale_exponent), found
        )

    def sum_before(self, number: int) -> RoundSum:
        """Return what was added to the initial model before round `number`, checked against the chain.

        Raises
        ------
        ModelCheckError
            As `model_before`.
        """
        record = self.history().last_settled(before=number)
        if record is None:
            return RoundSum(Aggregate(np.zeros(self.terms.dimension, dtype=np.int64), 0), INITIAL_MODEL)
        settled_as = settlement_key(record)
        if self._sum is None or self._sum[0] != settled_as:
            self._sum = settled_as, self._read_sum(record)
        return self._sum[1]

    def _read_sum(self, record: RoundRecord) -> RoundSum:
        settled = [r for r in self.history().rounds.values() if r.settled and r.number <= record.number]
        commitment = _check_commitments(settled)
        if record.aggregate_cid is None:
            raise ModelCheckError(record.number, "the round was not settled")
        try:
            data = self.store.get(parse_binary_cid(record.aggregate_cid), aggregate_size(self.terms.dimension))
            aggregate = decode_aggregate(
                data,
                self.round_context(record.number),
                dimension=self.terms.dimension,
                bits=self.terms.coordinate_bits,
                scale_exponent=self.terms.scale_exponent,
                rounds=len(settled),
            )
        except ContentTooLargeError as fault:
            raise ModelCheckError(record.number, str(fault)) from fault
        except StorageError as fault:
            raise ModelCheckError(record.number, str(fault), was_fetched=False) from fault
        except PayloadError as fault:
            raise ModelCheckError(record.number, str(fault)) from fault
        if commit_sum(self.srs, aggregate.cumulative, aggregate.blinder) != commitment:
            raise ModelCheckError(record.number, "the published sum of updates does not open the model's commitment")
        return RoundSum(aggregate, commitment)


def settlement_key(record: RoundRecord) -> SettledAs:
    """Return what tells a round's settlement from every other, also after a reorganisation of the chain."""
    return record.number, record.model_commitment, record.aggregate_cid


def _check_commitments(settled: list[RoundRecord]) -> bytes:
    """Follow the model's commitment through the settled rounds; return the last one."""
    commitment = INITIAL_MODEL
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
    return commitment
