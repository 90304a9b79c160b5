"""Commitments hide, bind and add up; a batch of openings is checked at once and the wrong ones are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc.optimized_bn128 import G1, multiply

from zk.bn254 import g1_from_bytes, g1_to_bytes
from zk.bn254.parameters import SCALAR_MODULUS
from zk.errors import CommitmentError
from zk.polynomial_commitment import (
    INITIAL_MODEL,
    Opening,
    advance_model,
    commit,
    commit_sum,
    encode_blinder,
    new_blinder,
    opens,
    parse_blinder,
    split_commitments,
    weighted_sum,
    wrong_openings,
)
from zk.readable.group import point_to_bytes
from zk.srs.development import BETA, TAU, development_srs
from zk.srs.errors import TooFewPowersError

R = SCALAR_MODULUS
coordinates = st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def srs(tmp_path_factory):
    return development_srs(tmp_path_factory.mktemp("srs") / "development.srs", 64)


def opening(values, blinder=None) -> Opening:
    return Opening(np.array(values, dtype=np.int16), new_blinder() if blinder is None else blinder)


@settings(max_examples=25)
@given(coordinates, st.integers(0, R - 1))
def test_a_commitment_is_the_polynomial_at_tau_and_the_blinder_times_beta(srs, values, blinder):
    exponent = (sum(value * pow(TAU, k, R) for k, value in enumerate(values)) + blinder * BETA) % R
    assert commit(srs, opening(values, blinder)) == point_to_bytes(multiply(G1, exponent))


@settings(max_examples=25)
@given(st.lists(coordinates.filter(lambda values: len(values) >= 5), min_size=1, max_size=4), st.data())
def test_weighted_commitments_commit_to_the_weighted_sum(srs, vectors, data):
    vectors = [vector[:5] for vector in vectors]
    weights = [data.draw(st.integers(0, 2**16)) for _ in vectors]
    openings = [opening(vector) for vector in vectors]
    points = np.concatenate([g1_from_bytes(commit(srs, one)) for one in openings])
    total = sum(weight * one.update.astype(np.int64) for weight, one in zip(weights, openings, strict=True))
    blinder = sum(weight * one.blinder for weight, one in zip(weights, openings, strict=True)) % R
    assert g1_to_bytes(weighted_sum(points, weights)) == commit_sum(srs, total, blinder)


def test_equal_updates_have_different_commitments(srs):
    assert commit(srs, opening([1, 2, 3])) != commit(srs, opening([1, 2, 3]))


@pytest.mark.parametrize("other", [[1, 2, 3, 0], [1, 2], [0, 1, 2, 3], [3, 2, 1], [-1, -2, -3], []])
def test_padding_length_and_order_count_as_long_as_they_change_the_polynomial(srs, other):
    """A trailing zero changes no polynomial: the length is fixed by the job, not by the commitment."""
    same = np.trim_zeros(other, "b") == [1, 2, 3]
    assert opens(srs, commit(srs, opening([1, 2, 3], 9)), opening(other, 9)) is same


def test_an_empty_and_a_zero_vector_commit_to_the_blinder_alone(srs):
    assert commit(srs, opening([], 5)) == commit(srs, opening([0, 0], 5)) == point_to_bytes(multiply(G1, 5 * BETA % R))


def batch(srs, count: int) -> tuple[list[bytes], list[Opening]]:
    rng = np.random.default_rng(count)
    openings = [opening(rng.integers(-(2**15), 2**15, 50)) for _ in range(count)]
    return [commit(srs, one) for one in openings], openings


@pytest.mark.parametrize("count", [0, 1, 2, 17])
def test_a_batch_of_right_openings_passes(srs, count):
    assert wrong_openings(srs, *batch(srs, count)) == []


def test_each_wrong_opening_of_a_batch_is_named(srs):
    commitments, openings = batch(srs, 6)
    changed = openings[1].update.copy()
    changed[49] ^= 1
    openings[1] = replace(openings[1], update=changed)
    openings[4] = replace(openings[4], blinder=(openings[4].blinder + 1) % R)
    assert wrong_openings(srs, commitments, openings) == [1, 4]


def test_two_wrong_openings_that_cancel_each_other_are_both_named(srs):
    """Their plain sum is right; the random factors tell."""
    commitments, openings = batch(srs, 3)
    openings[0] = replace(openings[0], blinder=(openings[0].blinder + 7) % R)
    openings[1] = replace(openings[1], blinder=(openings[1].blinder - 7) % R)
    assert wrong_openings(srs, commitments, openings) == [0, 1]
    commitments, openings = batch(srs, 3)
    assert wrong_openings(srs, [commitments[1], commitments[0], commitments[2]], openings) == [0, 1]


def test_bad_input_is_refused(srs):
    commitments, openings = batch(srs, 2)
    with pytest.raises(CommitmentError, match="number of openings"):
        wrong_openings(srs, commitments[:1], openings)
    with pytest.raises(CommitmentError, match="length of the updates"):
        wrong_openings(srs, commitments, [openings[0], replace(openings[1], update=openings[1].update[:9])])
    for wrong in (
        Opening(np.zeros(3), 1),
        Opening(np.zeros((1, 3), dtype=np.int16), 1),
        Opening(np.zeros(3, dtype=np.int16), R),
        Opening(np.zeros(3, dtype=np.int16), -1),
    ):
        with pytest.raises(CommitmentError):
            commit(srs, wrong)
    with pytest.raises(CommitmentError):
        commit_sum(srs, np.zeros(3, dtype=np.int16), 0)
    with pytest.raises(TooFewPowersError):
        commit(srs, opening(range(53)))
    commit(srs, opening(range(52)))


def test_blinders_are_new_each_time():
    assert len({new_blinder() for _ in range(100)}) == 100


def test_the_model_advances_by_the_weighted_commitments_alone(srs):
    draws = np.random.default_rng(3)
    openings = [Opening(draws.integers(-9, 9, 5).astype(np.int16), new_blinder()) for _ in range(4)]
    commitments = [commit(srs, opening) for opening in openings]
    weights = [3, 0, 65536]
    model = advance_model(INITIAL_MODEL, commitments, weights)
    total = sum(w * o.update.astype(np.int64) for w, o in zip(weights, openings, strict=False))
    blinder = sum(w * o.blinder for w, o in zip(weights, openings, strict=False)) % SCALAR_MODULUS
    assert model == commit_sum(srs, total, blinder)
    assert advance_model(model, commitments, weights) == commit_sum(srs, 2 * total, 2 * blinder % SCALAR_MODULUS)
    assert advance_model(model, commitments, [0, 0, 0, 0]) == advance_model(model, [], []) == model


def test_a_blinder_has_one_encoding():
    blinder = new_blinder()
    assert parse_blinder(encode_blinder(blinder)) == blinder
    for data in (encode_blinder(blinder) + b"\0", encode_blinder(blinder)[:-1], SCALAR_MODULUS.to_bytes(32, "little")):
        with pytest.raises(CommitmentError, match="blinder"):
            parse_blinder(data)
    for other in (-1, SCALAR_MODULUS):
        with pytest.raises(CommitmentError, match="out of range"):
            encode_blinder(other)


def test_neither_an_opening_nor_an_error_shows_a_blinder(srs):
    blinder = new_blinder() + SCALAR_MODULUS
    opening = Opening(np.zeros(1, dtype=np.int16), blinder)
    assert str(blinder) not in repr(opening)
    with pytest.raises(CommitmentError) as told:
        commit(srs, opening)
    assert str(blinder) not in str(told.value)


def test_commitments_are_split_where_they_were_joined():
    assert split_commitments(b"") == []
    assert split_commitments(bytes(64) + b"\1" * 64) == [bytes(64), b"\1" * 64]
    with pytest.raises(CommitmentError, match="65 bytes"):
        split_commitments(bytes(65))
