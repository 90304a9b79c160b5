"""Every true reason holds by its evidence alone, and every lie of the aggregator is FALSE."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.chain.structs import ExclusionReason
from marketplace.exclusion.judgement import judge_exclusion
from marketplace.payload.context import EnvelopeContext
from marketplace.payload.disclosure import disclose
from marketplace.payload.envelope import EncryptionKey, EncryptionKeyPair, parse_envelope, seal
from marketplace.payload.equal_logarithms import prove_equal_logarithms
from marketplace.payload.update import encode_update
from marketplace.storage.cid import raw_cid
from marketplace.storage.unixfs import import_file
from tests.exclusion.conftest import (
    BITS,
    CONTEXT,
    DIMENSION,
    KEYS,
    STRANGER,
    Case,
    commit,
    containing,
    honest,
    new_opening,
    signed_after,
    submission,
)

UNAVAILABLE, UNDECRYPTABLE = ExclusionReason.UNAVAILABLE, ExclusionReason.UNDECRYPTABLE
MISMATCH, OUT_OF_RANGE = ExclusionReason.MISMATCH, ExclusionReason.OUT_OF_RANGE
WITH_EVIDENCE = (UNDECRYPTABLE, MISMATCH, OUT_OF_RANGE)


def flip(position: int):
    def change(unsigned: bytearray) -> None:
        unsigned[position] ^= 1

    return change


def flipped(data: bytes, position: int, mask: int = 1) -> bytes:
    changed = bytearray(data)
    changed[position] ^= mask
    return bytes(changed)


def content(*, dimension: int = DIMENSION, bits: int = BITS) -> bytes:
    return encode_update(new_opening(dimension=dimension), bits)


def elsewhere(**changed) -> EnvelopeContext:
    return replace(CONTEXT, **changed)


# --- True reasons ------------------------------------------------------------------------------------------------

MALFORMED = {
    "nothing": b"",
    "noise": bytes(range(256)),
    "cut off": honest().envelope[:200],
    "another version": b"CAIRNENV\x01" + honest().envelope[9:],
    "an ephemeral key that is no point": honest().envelope[:9] + bytes(32) + honest().envelope[41:],
    "a changed bit": flipped(honest().envelope, 250),
    "of another round": seal(content(), KEYS.public, elsewhere(round=1)),
    "of another trainer": seal(content(), KEYS.public, elsewhere(trainer="0x" + "cd" * 20)),
}


@pytest.mark.parametrize("envelope", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_envelope_of_its_sender_needs_no_disclosure(envelope):
    case = submission(envelope, new_opening())
    assert case.judge(UNDECRYPTABLE, case.evidence(UNDECRYPTABLE)).holds


@pytest.mark.parametrize("change", [flip(41), flip(-1), flip(190)], ids=["key commitment", "tag", "ciphertext"])
def test_what_does_not_decrypt_is_shown_by_a_disclosure(change):
    case = signed_after(change)
    evidence = case.evidence(UNDECRYPTABLE, disclosure=case.disclosure())
    assert case.judge(UNDECRYPTABLE, evidence).holds


def test_an_envelope_for_another_key_is_shown_by_a_disclosure():
    opening = new_opening()
    case = submission(seal(encode_update(opening, BITS), STRANGER.public, CONTEXT), opening)
    evidence = case.evidence(UNDECRYPTABLE, disclosure=case.disclosure())
    verdict = case.judge(UNDECRYPTABLE, evidence)
    assert verdict.holds
    assert f"not sealed for the key 0x{KEYS.public.hex()}" in verdict.sentence


def test_an_update_that_is_not_the_committed_one_is_a_mismatch():
    case = containing(content())
    verdict = case.judge(MISMATCH, case.evidence(MISMATCH, disclosure=case.disclosure()))
    assert verdict.holds
    assert case.submitted.commitment_hash.hex() in verdict.sentence


WRONG_CONTENT = {
    "eight bits more": content(dimension=DIMENSION)[:9] + b"\x08" + content()[10:],
    "another kind": b"\0" * len(content()),
    "zeros without a blinder, whose commitment is the point at infinity": content()[:18] + bytes(32 + 2 * DIMENSION),
    "dimension and length that disagree": content()[:10] + b"\xff" * 8 + content()[18:],
}


@pytest.mark.parametrize("inside", WRONG_CONTENT.values(), ids=WRONG_CONTENT)
def test_what_is_no_update_of_the_job_is_out_of_range_by_a_disclosure(inside):
    case = containing(inside)
    assert case.judge(OUT_OF_RANGE, case.evidence(OUT_OF_RANGE, disclosure=case.disclosure())).holds
    assert not case.judge(OUT_OF_RANGE, case.evidence(OUT_OF_RANGE)).holds


@pytest.mark.parametrize("inside", [b"", content()[:-2], content() + b"\0", content(dimension=DIMENSION + 1)])
def test_an_envelope_of_another_length_is_out_of_range_without_a_disclosure(inside):
    case = containing(inside)
    assert case.judge(OUT_OF_RANGE, case.evidence(OUT_OF_RANGE)).holds


@pytest.mark.parametrize("size", [1_000, 262_144, 262_145, 1_000_000])
def test_content_that_is_too_large_is_shown_by_its_first_block(size):
    blocks = {}
    cid = import_file([bytes(size)], blocks.__setitem__)
    case = honest()
    case = Case(replace(case.submitted, cid=cid), b"")
    evidence = case.evidence(OUT_OF_RANGE, first_block=blocks[cid])
    verdict = case.judge(OUT_OF_RANGE, evidence, with_envelope=False)
    assert verdict.holds
    assert f"has {size} bytes, an envelope of this job {case.submitted.envelope_bytes}" in verdict.sentence


def test_unavailable_rests_on_the_notice_alone():
    assert honest().judge(UNAVAILABLE, None, with_envelope=False).holds


# --- Lies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", WITH_EVIDENCE)
def test_an_honest_update_is_never_excluded_truthfully(reason):
    case = honest()
    verdict = case.judge(reason, case.evidence(reason, disclosure=case.disclosure()))
    assert not verdict.holds
    assert verdict.sentence == f"The update opens the commitment that was submitted; it is not {reason.words}."
    assert str(verdict).startswith("FALSE: ")


@pytest.mark.parametrize("reason", WITH_EVIDENCE)
def test_without_a_disclosure_an_envelope_in_good_order_stays_unjudged_against_the_aggregator(reason):
    case = honest()
    verdict = case.judge(reason, case.evidence(reason))
    assert not verdict.holds
    assert "the envelope is in good order from outside" in verdict.sentence


@pytest.mark.parametrize("true_reason", WITH_EVIDENCE)
@pytest.mark.parametrize("reason", WITH_EVIDENCE)
def test_of_all_reasons_only_the_true_one_holds(true_reason, reason):
    case = {
        UNDECRYPTABLE: signed_after(flip(-1)),
        MISMATCH: containing(content()),
        OUT_OF_RANGE: containing(bytes(len(content()))),
    }[true_reason]
    verdict = case.judge(reason, case.evidence(reason, disclosure=case.disclosure()))
    assert verdict.holds == (reason is true_reason), verdict


def false_points(case: Case) -> dict[str, bytes]:
    """Disclosures of points other than the shared one, with the best proofs that there are."""
    sealed = parse_envelope(case.envelope, case.submitted.context)
    fair = case.disclosure()
    stranger = disclose(sealed, STRANGER)
    point = b"\x02" + EncryptionKeyPair.generate().public
    occasion = case.submitted.context.encode() + raw_cid(case.envelope).binary[4:]
    return {
        "the stranger's": stranger,
        "the stranger's point with the aggregator's proof": stranger[:42] + fair[42:],
        "any point with the aggregator's proof": fair[:9] + point + fair[42:],
        "any point, proven as far as it goes": fair[:9]
        + point
        + prove_equal_logarithms(KEYS, sealed.ephemeral, point, occasion),
        "the negated point": flipped(fair, 9),
        "the negated point, proven as far as it goes": flipped(fair, 9)[:42]
        + prove_equal_logarithms(KEYS, sealed.ephemeral, flipped(fair, 9)[9:42], occasion),
        "nothing": b"",
        "zeros": bytes(106),
    }


@pytest.mark.parametrize("which", range(8))
def test_a_point_that_is_not_the_shared_one_shows_nothing(which):
    case = honest()
    disclosure = list(false_points(case).values())[which]
    verdict = case.judge(UNDECRYPTABLE, case.evidence(UNDECRYPTABLE, disclosure=disclosure))
    assert not verdict.holds
    assert verdict.sentence.startswith("The disclosure shows nothing: ")


def test_the_disclosure_of_another_envelope_shows_nothing():
    case, other = signed_after(flip(-1)), signed_after(flip(-1))
    assert not case.judge(UNDECRYPTABLE, case.evidence(UNDECRYPTABLE, disclosure=other.disclosure())).holds


@pytest.mark.parametrize(
    "changed",
    [{"chain_id": 1}, {"contract": "0x" + "c1" * 20}, {"job": 6}, {"round": 3}, {"trainer": "0x" + "cd" * 20}],
    ids=str,
)
def test_evidence_of_another_chain_market_job_round_or_trainer_is_refused(changed):
    case = signed_after(flip(-1))
    evidence = case.evidence(UNDECRYPTABLE, disclosure=case.disclosure(), context=elsewhere(**changed))
    verdict = case.judge(UNDECRYPTABLE, evidence)
    assert not verdict.holds
    assert "it was made for something else" in verdict.sentence


@pytest.mark.parametrize("changed", [{"envelope": raw_cid(b"another")}, {"commitment_hash": bytes(32)}], ids=str)
def test_evidence_of_another_envelope_or_commitment_is_refused(changed):
    case = signed_after(flip(-1))
    verdict = case.judge(UNDECRYPTABLE, case.evidence(UNDECRYPTABLE, disclosure=case.disclosure(), **changed))
    assert not verdict.holds
    assert f"The evidence says {next(iter(changed)).replace('_', ' ')} " in verdict.sentence


def test_evidence_for_a_reason_other_than_the_one_on_chain_is_refused():
    case = signed_after(flip(-1))
    verdict = case.judge(MISMATCH, case.evidence(UNDECRYPTABLE, disclosure=case.disclosure()))
    assert not verdict.holds
    assert "The evidence says reason undecryptable where mismatch is expected" in verdict.sentence


def test_true_evidence_of_one_trainer_does_not_exclude_another():
    faulty, case = signed_after(flip(-1)), honest()
    evidence = faulty.evidence(UNDECRYPTABLE, disclosure=faulty.disclosure())
    assert faulty.judge(UNDECRYPTABLE, evidence).holds
    assert not case.judge(UNDECRYPTABLE, evidence).holds


@pytest.mark.parametrize("reason", WITH_EVIDENCE)
def test_missing_evidence_is_false(reason):
    verdict = honest().judge(reason, None)
    assert not verdict.holds
    assert "The evidence is not to be had" in verdict.sentence


@pytest.mark.parametrize("reason", WITH_EVIDENCE)
def test_a_missing_envelope_is_false(reason):
    case = signed_after(flip(-1))
    verdict = case.judge(reason, case.evidence(reason, disclosure=case.disclosure()), with_envelope=False)
    assert not verdict.holds
    assert "the envelope is not to be had" in verdict.sentence


def test_bytes_that_were_not_submitted_are_no_envelope():
    case = honest()
    swapped = Case(case.submitted, signed_after(flip(-1)).envelope)
    verdict = swapped.judge(UNDECRYPTABLE, swapped.evidence(UNDECRYPTABLE, disclosure=swapped.disclosure()))
    assert not verdict.holds
    assert "bytes found have another CID" in verdict.sentence


def test_a_first_block_that_is_not_too_large_shows_nothing():
    case = honest()
    evidence = case.evidence(OUT_OF_RANGE, first_block=case.envelope)
    assert not case.judge(OUT_OF_RANGE, evidence, with_envelope=False).holds
    assert not case.judge(
        OUT_OF_RANGE, case.evidence(OUT_OF_RANGE, first_block=bytes(9_999)), with_envelope=False
    ).holds


@pytest.mark.parametrize("key", [bytes(32), b"", STRANGER.public, b"\xff" * 32])
def test_only_the_rounds_key_counts(key):
    case = signed_after(flip(-1))
    evidence = case.evidence(UNDECRYPTABLE, disclosure=case.disclosure())
    submitted = replace(case.submitted, encryption_key=EncryptionKey(key))
    assert not judge_exclusion(submitted, UNDECRYPTABLE, evidence, case.envelope, commit).holds


@settings(max_examples=200)
@given(st.binary(max_size=400), st.sampled_from(WITH_EVIDENCE), st.binary(max_size=400))
def test_any_bytes_as_evidence_are_false(data, reason, envelope):
    case = honest()
    assert not case.judge(reason, data).holds
    assert not judge_exclusion(case.submitted, reason, data, envelope, commit).holds


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_changed_byte_of_true_evidence_makes_an_honest_update_excluded(data):
    case = honest()
    reason = data.draw(st.sampled_from(WITH_EVIDENCE))
    evidence = case.evidence(reason, disclosure=case.disclosure())
    position = data.draw(st.integers(0, len(evidence) - 1))
    assert not case.judge(reason, flipped(evidence, position, data.draw(st.integers(1, 255)))).holds


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(WITH_EVIDENCE))
def test_whatever_an_honest_trainer_submits_no_reason_holds(seed, reason):
    coordinates = np.random.default_rng(seed).integers(-(2**15), 2**15, DIMENSION, dtype=np.int16)
    opening = replace(new_opening(), update=coordinates)
    case = submission(seal(encode_update(opening, BITS), KEYS.public, CONTEXT), opening)
    assert not case.judge(reason, case.evidence(reason, disclosure=case.disclosure())).holds
