"""Exclusions on a chain: what trainers do wrong is shown to everybody, and so is what the aggregator makes up."""

from __future__ import annotations

import secrets
from dataclasses import replace

import numpy as np
import pytest

from aggregator import worker
from aggregator.exclusions import Refused, publish_evidence, refuse, refuse_too_large
from aggregator.worker import Aggregator, WrongEncryptionKeyError
from marketplace.chain.structs import ExclusionReason
from marketplace.exclusion.evidence import LARGEST_EVIDENCE_BYTES, Evidence, decode_evidence
from marketplace.exclusion.examination import Fault
from marketplace.parties.exclusions import judge, submitted_by
from marketplace.parties.view import JobView
from marketplace.payload.disclosure import disclose
from marketplace.payload.envelope import EncryptionKeyPair, parse_envelope, seal
from marketplace.payload.update import encode_update
from marketplace.storage.cid import parse_binary_cid
from marketplace.storage.directory import DirectoryStore
from tests.parties.conftest import WINDOW
from tests.parties.test_round import honest_opening, sealed, settle, submit_instead
from zk.polynomial_commitment import Opening, commit

UNDECRYPTABLE, MISMATCH = ExclusionReason.UNDECRYPTABLE, ExclusionReason.MISMATCH
OUT_OF_RANGE, UNAVAILABLE = ExclusionReason.OUT_OF_RANGE, ExclusionReason.UNAVAILABLE
CULPRIT = 2


def verdict_of(small, index: int, number: int = 1):
    """What somebody finds who has nothing but the chain and the store."""
    anyone = JobView(small.market, small.view.store, small.job, small.view.srs_directory)
    return judge(anyone, anyone.history().rounds[number], small.trainers[index].account.address)


def evidence_of(small, index: int, number: int = 1) -> Evidence:
    cid = small.view.history().rounds[number].evidence[small.trainers[index].account.address]
    return decode_evidence(small.view.store.get(parse_binary_cid(cid), LARGEST_EVIDENCE_BYTES))


def reason_of(small, index: int, number: int = 1) -> ExclusionReason:
    return small.view.history().rounds[number].exclusions[small.trainers[index].account.address]


def envelope_for(small, keys: EncryptionKeyPair, content: bytes) -> bytes:
    account = small.trainers[CULPRIT].account.address
    return seal(content, keys.public, small.view.envelope_context(1, account))


def changed(envelope: bytes) -> bytes:
    return envelope[:-70] + bytes([envelope[-70] ^ 1]) + envelope[-69:]


FAULTS = {
    "noise": (UNDECRYPTABLE, False, lambda small, update: secrets.token_bytes(250)),
    "nothing": (UNDECRYPTABLE, False, lambda small, update: b""),
    "a changed envelope": (UNDECRYPTABLE, False, lambda small, update: changed(sealed(small, CULPRIT, update))),
    "for another key": (
        UNDECRYPTABLE,
        True,
        lambda small, update: envelope_for(small, EncryptionKeyPair.generate(), update),
    ),
    "another opening": (
        MISMATCH,
        True,
        lambda small, update: sealed(small, CULPRIT, encode_update(honest_opening(small, 8), 16)),
    ),
    "a longer update": (OUT_OF_RANGE, False, lambda small, update: sealed(small, CULPRIT, update + b"\0\0")),
    "a shorter update": (OUT_OF_RANGE, False, lambda small, update: sealed(small, CULPRIT, update[:-2])),
    "no update": (OUT_OF_RANGE, True, lambda small, update: sealed(small, CULPRIT, bytes(len(update)))),
    "one block too large": (OUT_OF_RANGE, False, lambda small, update: bytes(100_000)),
    "many blocks too large": (OUT_OF_RANGE, False, lambda small, update: bytes(1_000_000)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_trainer_does_wrong_is_excluded_with_evidence_that_holds(small, fault):
    reason, needs_disclosure, make = FAULTS[fault]
    opening = honest_opening(small)
    small.submit(without=(CULPRIT,))
    envelope = make(small, encode_update(opening, 16))
    submit_instead(small, CULPRIT, envelope, commit(small.view.srs, opening))
    settle(small)
    assert small.view.history().rounds[1].settled
    assert reason_of(small, CULPRIT) is reason
    verdict = verdict_of(small, CULPRIT)
    assert verdict.holds, verdict
    assert (evidence_of(small, CULPRIT).disclosure is not None) == needs_disclosure
    lines = small.restarted(CULPRIT).step()
    assert f"excluded from round 1 as {reason.words}; holds: {verdict.sentence}" in lines


def test_the_evidence_against_a_copycat_opens_nobodys_envelope(small):
    small.submit(without=(CULPRIT,))
    copied = small.trainers[0].outbox.find(1)
    submit_instead(small, CULPRIT, copied.envelope, copied.commitment)
    settle(small)
    assert reason_of(small, CULPRIT) is UNDECRYPTABLE
    assert evidence_of(small, CULPRIT).disclosure is None
    assert verdict_of(small, CULPRIT).holds


def test_an_update_that_commits_to_the_point_at_infinity_stops_no_settlement(small):
    dimension = small.view.terms.dimension
    nothing = Opening(np.zeros(dimension, dtype=np.int16), 0)
    small.submit(without=(CULPRIT,))
    submit_instead(small, CULPRIT, sealed(small, CULPRIT, encode_update(nothing, 16)), bytes(64))
    settle(small)
    assert small.view.history().rounds[1].settled
    assert reason_of(small, CULPRIT) is OUT_OF_RANGE
    assert verdict_of(small, CULPRIT).holds


def test_an_update_that_was_never_delivered_rests_on_the_notice(small):
    small.submit()
    small.aggregator.step()
    for trainer in small.trainers[1:]:
        trainer.step()
    small.pass_time(WINDOW // 4 + 1)
    small.aggregator.step()
    small.pass_time(WINDOW)
    small.aggregator.step()
    assert reason_of(small, 0) is UNAVAILABLE
    assert verdict_of(small, 0).holds


def test_the_evidence_stands_when_its_sender_takes_the_envelope_away(small, tmp_path):
    small.submit(without=(CULPRIT,))
    submit_instead(small, CULPRIT, b"noise", commit(small.view.srs, honest_opening(small)))
    record = small.view.history().rounds[1]
    submitted = submitted_by(small.view, record, small.trainers[CULPRIT].account.address)
    refused = refuse(submitted, Fault(UNDECRYPTABLE, ""), b"noise", small.aggregator._key_pair)
    elsewhere = DirectoryStore(tmp_path / "elsewhere")
    evidence = publish_evidence(elsewhere, refused)
    assert elsewhere.get(submitted.cid, 5) == b"noise"
    assert decode_evidence(elsewhere.get(parse_binary_cid(evidence), LARGEST_EVIDENCE_BYTES)) == refused.evidence


def lie(small, monkeypatch, make) -> None:
    """Let the aggregator exclude the first trainer, who did nothing wrong, with what `make` returns as refusal."""
    account = small.trainers[0].account.address

    def collect(view, record, key_pair, workspace, collection, progress):
        honest_collect(view, record, key_pair, workspace, collection, progress)
        if account in collection.accepted:
            del collection.accepted[account]
            collection.refused[account] = make(submitted_by(view, record, account), small.trainers[0].outbox.find(1))

    honest_collect = worker.collect
    monkeypatch.setattr(worker, "collect", collect)
    small.submit()
    settle(small)


def stating(submitted, reason, **shown) -> Evidence:
    return Evidence(submitted.context, reason, submitted.cid, submitted.commitment_hash, **shown)


def opened(small, submitted, parcel) -> bytes:
    return disclose(parse_envelope(parcel.envelope, submitted.context), small.aggregator._key_pair)


LIES = {
    "it says so": lambda small, reason, submitted, parcel: stating(submitted, reason),
    "it opens the envelope": lambda small, reason, submitted, parcel: stating(
        submitted, reason, disclosure=opened(small, submitted, parcel)
    ),
    "it shows another point": lambda small, reason, submitted, parcel: stating(
        submitted,
        reason,
        disclosure=disclose(parse_envelope(parcel.envelope, submitted.context), EncryptionKeyPair.generate()),
    ),
    "it calls the envelope large": lambda small, reason, submitted, parcel: stating(
        submitted, reason, first_block=parcel.envelope
    ),
    "it tells of another round": lambda small, reason, submitted, parcel: replace(
        stating(submitted, reason, disclosure=opened(small, submitted, parcel)),
        context=replace(submitted.context, round=2),
    ),
    "it tells of another trainer": lambda small, reason, submitted, parcel: replace(
        stating(submitted, reason, disclosure=opened(small, submitted, parcel)),
        context=replace(submitted.context, trainer=small.trainers[1].account.address),
    ),
}


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("it says so", MISMATCH),
        ("it opens the envelope", UNDECRYPTABLE),
        ("it opens the envelope", MISMATCH),
        ("it shows another point", UNDECRYPTABLE),
        ("it calls the envelope large", OUT_OF_RANGE),
        ("it tells of another round", MISMATCH),
        ("it tells of another trainer", OUT_OF_RANGE),
    ],
)
def test_what_the_aggregator_makes_up_is_false(small, monkeypatch, how, reason):
    lie(
        small,
        monkeypatch,
        lambda submitted, parcel: Refused(
            reason, "", LIES[how](small, reason, submitted, parcel), envelope=parcel.envelope
        ),
    )
    assert reason_of(small, 0) is reason
    verdict = verdict_of(small, 0)
    assert not verdict.holds
    assert f"excluded from round 1 as {reason.words}; FALSE: {verdict.sentence}" in small.restarted(0).step()


def test_evidence_that_is_not_published_is_false(small, monkeypatch):
    lie(small, monkeypatch, lambda submitted, parcel: Refused(MISMATCH, "", stating(submitted, MISMATCH)))
    cid = small.view.history().rounds[1].evidence[small.trainers[0].account.address]
    (block,) = (small.workspace / "store").glob(f"*{parse_binary_cid(cid)}*")
    block.unlink()
    assert str(verdict_of(small, 0)) == "FALSE: The evidence is not to be had; the aggregator has to keep it published."


def test_another_trainers_true_evidence_is_false_for_an_honest_one(small, monkeypatch):
    def of_the_culprit(submitted, parcel):
        record = small.view.history().rounds[1]
        guilty = submitted_by(small.view, record, small.trainers[CULPRIT].account.address)
        return Refused(OUT_OF_RANGE, "", refuse_too_large(guilty, 100_000, bytes(100_000)).evidence)

    lie(small, monkeypatch, of_the_culprit)
    assert not verdict_of(small, 0).holds


def test_a_trainer_that_is_wronged_tells_it_once(small, monkeypatch):
    lie(small, monkeypatch, lambda submitted, parcel: Refused(MISMATCH, "", stating(submitted, MISMATCH)))
    trainer = small.restarted(0)
    assert sum("FALSE" in line for line in trainer.step()) == 1
    assert sum("FALSE" in line for line in trainer.step()) == 0


def test_an_aggregator_with_another_key_excludes_nobody(small, tmp_path):
    small.submit()
    stranger = Aggregator(small.view, small.aggregator.account, EncryptionKeyPair.generate(), tmp_path / "other")
    for trainer in small.trainers:
        trainer.step()
    with pytest.raises(WrongEncryptionKeyError, match="can't open them"):
        stranger.step()
    small.aggregator.step()
    assert small.view.history().rounds[1].exclusions == {}
