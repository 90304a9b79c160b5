"""Whether every exclusion has evidence that shows it, judged without a word of the aggregator's."""

from __future__ import annotations

from eth_typing import ChecksumAddress

from marketplace.audit.case import Case
from marketplace.audit.check import require
from marketplace.chain.history import RoundRecord
from marketplace.errors import ContentMissingError, ContentTooLargeError
from marketplace.exclusion.evidence import LARGEST_EVIDENCE_BYTES
from marketplace.exclusion.examination import Submitted
from marketplace.exclusion.judgement import Verdict, judge_exclusion
from marketplace.parties.exclusions import submissions, vectors_of
from marketplace.payload.context import EnvelopeContext
from marketplace.payload.envelope import EncryptionKey
from marketplace.storage.cid import Cid, parse_binary_cid
from zk.polynomial_commitment import commit
from zk.srs.file import StructuredReferenceString


def require_evidence(case: Case, record: RoundRecord, srs: StructuredReferenceString) -> str:
    """Judge every exclusion of a round; return what was found, in words.

    Raises
    ------
    DiscrepancyError
        With a clause for each that its evidence does not show.
    StorageError
        If the store gives something else than a CID names.
    """
    faults: list[str] = []
    words: list[str] = []
    for account, reason in record.exclusions.items():
        verdict = _judge(case, record, srs, account)
        said = f"{account} as {reason.words}: {verdict.sentence.rstrip('.')}"
        (words if verdict.holds else faults).append(said)
    require([f"FALSE is the exclusion of {fault}" for fault in faults])
    return "; ".join(words) or "nobody was left out"


def _judge(case: Case, record: RoundRecord, srs: StructuredReferenceString, account: ChecksumAddress) -> Verdict:
    submission = submissions(record, case.terms.referee).get(account)
    if submission is None:
        return Verdict(False, "It submitted nothing.")
    where, terms = case.deployment, case.terms
    submitted = Submitted(
        EnvelopeContext(where.chain_id, where.market, case.reading.job, record.number, account),
        parse_binary_cid(submission.cid),
        submission.commitment_hash,
        EncryptionKey(record.encryption_key),
        terms.dimension,
        terms.coordinate_bits,
        vectors_of(terms, account),
    )
    evidence = record.evidence[account]
    return judge_exclusion(
        submitted,
        record.exclusions[account],
        _fetch(case, parse_binary_cid(evidence), LARGEST_EVIDENCE_BYTES) if evidence else None,
        _fetch(case, submitted.cid, submitted.envelope_bytes),
        lambda opening: commit(srs, opening),
    )


def _fetch(case: Case, cid: Cid, limit: int) -> bytes | None:
    """Return content, or None if it is not to be had or too large to be right."""
    try:
        return case.store.get(cid, limit)
    except (ContentMissingError, ContentTooLargeError):
        return None
