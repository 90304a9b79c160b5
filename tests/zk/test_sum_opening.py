"""Many commitments to sums of updates are opened at once, and each wrong one is named."""

from __future__ import annotations

import numpy as np
import pytest

from zk.bn254.parameters import SCALAR_MODULUS
from zk.errors import CommitmentError
from zk.polynomial_commitment import INITIAL_MODEL, Opening, advance_model, commit, commit_sum, new_blinder
from zk.srs.development import development_srs
from zk.sum_opening import wrong_sums

D = 50


@pytest.fixture(scope="module")
def srs(tmp_path_factory):
    return development_srs(tmp_path_factory.mktemp("srs") / "development.srs", D + 12)


@pytest.fixture
def sums():
    draws = np.random.default_rng(3)
    vectors = [draws.integers(-(2**40), 2**40, D) for _ in range(5)]
    vectors += [np.zeros(D, np.int64), np.full(D, 2**46), np.full(D, -(2**46)), np.full(D, -(2**15)), np.full(D, 2**31)]
    return vectors


def test_right_sums_of_every_size_are_opened(srs, sums):
    blinders = [new_blinder() for _ in sums]
    commitments = [commit_sum(srs, vector, blinder) for vector, blinder in zip(sums, blinders, strict=True)]
    assert wrong_sums(srs, commitments, sums, blinders) == []


def test_the_sum_that_rounds_add_up_to_is_opened(srs):
    draws = np.random.default_rng(4)
    openings = [Opening(draws.integers(-(2**15), 2**15, D).astype(np.int16), new_blinder()) for _ in range(3)]
    weights = [20_000, 1, 45_535]
    model = advance_model(INITIAL_MODEL, [commit(srs, opening) for opening in openings], weights)
    total = sum(weight * opening.update.astype(np.int64) for weight, opening in zip(weights, openings, strict=True))
    blinder = sum(weight * opening.blinder for weight, opening in zip(weights, openings, strict=True)) % SCALAR_MODULUS
    assert wrong_sums(srs, [INITIAL_MODEL, model], [np.zeros(D, np.int64), total], [0, blinder]) == []


@pytest.mark.parametrize("place", [0, 3, 9])
def test_a_wrong_sum_or_blinder_is_named(srs, sums, place):
    blinders = [new_blinder() for _ in sums]
    commitments = [commit_sum(srs, vector, blinder) for vector, blinder in zip(sums, blinders, strict=True)]
    changed = [vector.copy() for vector in sums]
    changed[place][7] -= 1 if changed[place][7] > 0 else -1
    assert wrong_sums(srs, commitments, changed, blinders) == [place]
    others = list(blinders)
    others[place] ^= 1
    assert wrong_sums(srs, commitments, sums, others) == [place]


def test_two_wrong_sums_that_cancel_each_other_are_both_named(srs, sums):
    blinders = [0 for _ in sums]
    commitments = [commit_sum(srs, vector, 0) for vector in sums]
    changed = [vector.copy() for vector in sums]
    changed[1][0] += 1
    changed[2][0] -= 1
    assert wrong_sums(srs, commitments, changed, blinders) == [1, 2]


def test_what_does_not_belong_together_is_refused(srs, sums):
    with pytest.raises(CommitmentError, match="number and length of the sums"):
        wrong_sums(srs, [INITIAL_MODEL], sums, [0])
    with pytest.raises(CommitmentError, match="number and length of the sums"):
        wrong_sums(srs, [INITIAL_MODEL] * 2, [np.zeros(3, np.int64), np.zeros(4, np.int64)], [0, 0])
    for entry in (2**46 + 1, -(2**63)):
        with pytest.raises(CommitmentError, match="largest entry of a sum"):
            wrong_sums(srs, [INITIAL_MODEL], [np.full(3, entry)], [0])
    assert wrong_sums(srs, [], [], []) == []
