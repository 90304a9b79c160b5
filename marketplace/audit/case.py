"""A job as the audit looks at it: what was read from the chain, put in order once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from marketplace.audit.contracts import rule_name
from marketplace.audit.reading import Reading
from marketplace.audit.replay.run import replay, terms_of
from marketplace.audit.replay.state import JobTwin
from marketplace.chain.context import JobIdentity
from marketplace.chain.deployment import Deployment
from marketplace.chain.history import Event, JobHistory, RoundRecord, apply_event
from marketplace.chain.structs import Terms
from marketplace.payload.context import RoundContext
from marketplace.storage.store import ContentStore
from zk.srs.file import StructuredReferenceString


@dataclass(frozen=True)
class Case:
    """Everything that the checks of one job look at.

    Attributes
    ----------
    deployment
        Where the market is said to lie.
    reading
        What the chain says.
    store
        Where content is fetched from; every byte of it is checked against its CID.
    srs
        The reference string that the deployment names, or why it is not to be had.
    """

    deployment: Deployment
    reading: Reading
    store: ContentStore
    srs: StructuredReferenceString | str

    @cached_property
    def terms(self) -> Terms:
        """The job's terms, from its creation's event."""
        return terms_of(self.reading.events[0].arguments)

    @property
    def owner(self) -> ChecksumAddress:
        """The job's owner."""
        return ChecksumAddress(self.reading.events[0].arguments["owner"])

    @cached_property
    def history(self) -> JobHistory:
        """The job's events by round; those of rounds that never opened are left to `twin` to name."""
        return history_of(self.reading.events)

    @cached_property
    def twin(self) -> JobTwin:
        """The market's state machine, run over the events."""
        return replay(self.reading.events, self.reading.times)

    @cached_property
    def identity(self) -> JobIdentity:
        """What the job's proofs are bound to."""
        where, cid = self.deployment, self.history.specification_cid
        return JobIdentity(where.chain_id, where.market, self.reading.job, self.owner, self.terms, bytes(keccak(cid)))

    @property
    def rule(self) -> str:
        """Name of the job's rule."""
        return rule_name(self.deployment, self.terms.rule)

    @property
    def settled(self) -> list[RoundRecord]:
        """The settled rounds, in order."""
        rounds = sorted(self.history.rounds.values(), key=lambda record: record.number)
        return [record for record in rounds if record.settled]

    @property
    def standing(self) -> list[RoundRecord]:
        """The settled rounds that make up the model."""
        return [record for record in self.settled if record.number not in self.twin.overturned]

    def references(self, record: RoundRecord) -> int:
        """Return how many of the referee's vectors a settlement used."""
        used = record.reference is not None and self.terms.referee not in record.exclusions
        return self.terms.references if used else 0

    def round_context(self, number: int) -> RoundContext:
        """Return what a round's documents are bound to."""
        where = self.deployment
        return RoundContext(where.chain_id, where.market, self.reading.job, number)


def history_of(events: Sequence[Event]) -> JobHistory:
    """Put events in order by round, passing over those that belong to no round that opened."""
    history = JobHistory()
    for event in events:
        try:
            apply_event(history, event)
        except (KeyError, ValueError):
            # Of a round that never opened, or with a reason that no market has: the state machine names it.
            continue
    return history
