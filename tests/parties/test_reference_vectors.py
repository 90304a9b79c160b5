"""A referee that posts curvature vectors beside its reference: all are committed to, proven and judged as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contribution.gram import gram_matrix, unpack_gram
from marketplace.chain.structs import ExclusionReason
from marketplace.parties.exclusions import judge, submitted_by
from marketplace.parties.outbox import Parcel
from marketplace.parties.referee import Referee
from marketplace.parties.submission import hash_of
from marketplace.payload.envelope import seal
from marketplace.payload.update import decode_updates, encode_updates
from marketplace.storage.unixfs import cid_of
from marketplace.training.models import set_vector
from marketplace.training.reference import referee_vectors
from tests.audit.conftest import Audited, failing
from tests.audit.scenarios import finish, play_round
from tests.parties.conftest import TRAINERS, SmallMarket, build_small_market, held_out
from zk.polynomial_commitment import Opening, commit, commitment_hash, new_blinder, split_commitments


def started(workspace: Path, references: int) -> SmallMarket:
    small = build_small_market(workspace, references=references, rounds=1)
    small.start()
    return small


def openings_of(small: SmallMarket, party: object, count: int) -> tuple[Opening, ...]:
    terms = small.view.terms
    return decode_updates(party.outbox.find(1).opening, terms.dimension, terms.coordinate_bits, count)


@pytest.mark.parametrize("references", [3, 9])
def test_a_round_is_settled_with_a_proof_of_every_vector(tmp_path, references):
    small = started(tmp_path, references)
    play_round(small)
    record = small.view.history().rounds[1]
    assert record.settled
    assert not record.exclusions
    model = small.view.document.build_model()
    set_vector(model, small.view.initial_model)
    vectors = referee_vectors(
        model, held_out(), references, 16, small.view.terms.scale_exponent, small.view.document.training.at_round(0, 0)
    )
    updates = {trainer.account.address: openings_of(small, trainer, 1)[0].update for trainer in small.trainers}
    gram = unpack_gram(record.gram, TRAINERS + references)
    np.testing.assert_array_equal(gram, gram_matrix([*(updates[account] for account in record.trainers), *vectors]))
    commitments = split_commitments(record.commitments)
    assert len(commitments) == TRAINERS + references
    posted = openings_of(small, small.referee, references)
    assert [commit(small.view.srs, opening) for opening in posted] == commitments[TRAINERS:]
    assert record.reference.commitment_hash == commitment_hash(b"".join(commitments[TRAINERS:]))
    finish(small)
    audited = Audited(small)
    report = audited.audit()
    assert failing(report) == set()
    assert report.holds


def test_a_referee_restarted_between_keeping_and_sending_posts_what_it_kept(tmp_path, monkeypatch):
    small = started(tmp_path, 3)
    monkeypatch.setattr(small.market, "submit_reference", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        small.referee.step()
    monkeypatch.undo()
    kept = small.referee.outbox.find(1)
    Referee(small.view, small.referee.account, held_out(), small.workspace / "referee").step()
    reference = small.view.history().rounds[1].reference
    assert (reference.commitment_hash, reference.cid) == (hash_of(kept), kept.cid.binary)


def change(openings: list[Opening]) -> list[Opening]:
    """Change one coordinate of the last vector."""
    last = openings[-1].update.copy()
    last[0] += 1
    return [*openings[:-1], replace(openings[-1], update=last)]


def exchange(openings: list[Opening]) -> list[Opening]:
    return [openings[0], openings[2], openings[1]]


def leave_out(openings: list[Opening]) -> list[Opening]:
    return openings[:-1]


def add(openings: list[Opening]) -> list[Opening]:
    return [*openings, openings[-1]]


def bare(openings: list[Opening]) -> list[Opening]:
    """Leave a vector without a blinder."""
    return [*openings[:-1], replace(openings[-1], blinder=0)]


LIES = {
    change: ExclusionReason.MISMATCH,
    exchange: ExclusionReason.MISMATCH,
    leave_out: ExclusionReason.OUT_OF_RANGE,
    add: ExclusionReason.OUT_OF_RANGE,
    bare: ExclusionReason.OUT_OF_RANGE,
}


def post(small: SmallMarket, lie: Callable[[list[Opening]], list[Opening]]) -> None:
    """Let the referee commit to three vectors and seal others."""
    draws = np.random.default_rng(4)
    dimension = small.view.terms.dimension
    openings = [Opening(draws.integers(-99, 99, dimension).astype(np.int16), new_blinder()) for _ in range(3)]
    account = small.referee.account
    record = small.view.history().rounds[1]
    envelope = seal(
        encode_updates(lie(openings), 16), record.encryption_key, small.view.envelope_context(1, account.address)
    )
    commitments = b"".join(commit(small.view.srs, opening) for opening in openings)
    parcel = Parcel(1, commitments, cid_of(envelope), b"", envelope, record.encryption_key)
    small.referee.outbox.keep(parcel)
    small.market.submit_reference(account, small.job, 1, hash_of(parcel), parcel.cid.binary)


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_one_wrong_vector_leaves_out_all_with_evidence_that_holds(tmp_path, lie):
    small = started(tmp_path, 3)
    post(small, lie)
    play_round(small)
    record = small.view.history().rounds[1]
    account = small.referee.account.address
    assert record.settled, "the round goes on without a reference"
    assert record.exclusions == {account: LIES[lie]}
    assert len(record.commitments) == TRAINERS * 64
    verdict = judge(small.view, record, account)
    assert verdict.holds, verdict
    if lie is change:
        assert "The commitments to its 3 vectors hash to 0x" in verdict.sentence
    finish(small)
    assert failing(Audited(small).audit()) == set()


def test_nobody_else_submits_as_much_as_the_referee(tmp_path):
    small = started(tmp_path, 3)
    small.submit()
    record = small.view.history().rounds[1]
    sizes = {
        account: submitted_by(small.view, record, account).envelope_bytes
        for account in (*record.submissions, small.referee.account.address)
    }
    assert sizes.pop(small.referee.account.address) == len(small.referee.outbox.find(1).envelope)
    assert set(sizes.values()) == {len(small.trainers[0].outbox.find(1).envelope)}
