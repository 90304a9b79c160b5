"""Powers are recognised and anything else is not, whatever the chunks are."""

from __future__ import annotations

import numpy as np
import pytest

from tests.zk.srs.conftest import silent
from zk.bn254 import g1_add, g1_generator, g1_multiply, g1_negate, g2_generator, g2_multiply
from zk.bn254.parameters import BASE_MODULUS, SCALAR_MODULUS
from zk.srs import powers as module
from zk.srs.powers import checked_points, require_powers

TAU = 0xC0FFEE
TAU_G2 = g2_multiply(g2_generator(), TAU)


def powers(count: int, first: int = 1, tau: int = TAU) -> np.ndarray:
    made = [g1_multiply(g1_generator(), first * pow(tau, j, SCALAR_MODULUS)) for j in range(count)]
    return np.concatenate(made) if made else np.zeros((0, 2, 4), np.uint64)


def accepted(chunks: list[np.ndarray]) -> bool:
    try:
        passed = list(require_powers(iter(chunks), "them", TAU_G2))
    except ValueError:
        return False
    assert all(one is other for one, other in zip(passed, chunks, strict=True))
    return True


@pytest.mark.parametrize("first", [1, 5, SCALAR_MODULUS - 1])
@pytest.mark.parametrize("cuts", [[], [1], [6], [1, 2, 3, 4, 5, 6], [3, 5]])
def test_powers_with_any_first_point_are_accepted_in_any_chunks(first, cuts):
    assert accepted(np.split(powers(7, first), cuts))


def test_one_point_and_none_are_powers_of_everything():
    assert accepted([powers(1, 9)])
    assert accepted([])


@pytest.mark.parametrize("cuts", [[], [3], [1, 2, 3, 4, 5, 6]])
@pytest.mark.parametrize("place", range(7))
def test_one_wrong_point_is_refused(cuts, place):
    points = powers(7)
    points[place] = g1_add(points[place : place + 1], g1_generator())[0]
    assert not accepted(np.split(points, cuts))


def test_powers_of_another_secret_are_refused():
    assert not accepted([powers(7, tau=TAU + 1)])
    assert not accepted([powers(7, tau=-TAU)])


def test_errors_that_cancel_with_equal_coefficients_are_refused():
    for one, other in ((2, 3), (3, 6)):
        points, shift = powers(7), g1_multiply(g1_generator(), 4)
        points[one] = g1_add(points[one : one + 1], shift)[0]
        points[other] = g1_add(points[other : other + 1], g1_negate(shift))[0]
        assert not accepted([points])


def test_the_coefficients_are_new_and_wide_each_time():
    one, other = module._random_coefficients(1000), module._random_coefficients(1000)
    assert one.shape == (2, 1000)
    assert len(np.unique(np.concatenate([one, other]))) == 4000
    # Every bit is set in about half of 4,000 coefficients; fewer than 1,600 has a probability below 2^-100.
    bits = np.unpackbits(np.concatenate([one, other]).view(np.uint8).reshape(-1, 8), axis=1).sum(axis=0)
    assert ((bits > 1600) & (bits < 2400)).all()


def test_points_are_copied_in_chunks_and_told_where_they_are_wrong(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 3)
    points = powers(7)
    assert [len(chunk) for chunk in checked_points(points, "them", silent)] == [3, 3, 1]
    zero, moved, large = points.copy(), points.copy(), points.copy()
    zero[4] = 0
    moved[5, 0, 0] ^= np.uint64(1)
    x = sum(int(limb) << 64 * k for k, limb in enumerate(large[6, 0])) + BASE_MODULUS
    large[6, 0] = [x >> 64 * k & 2**64 - 1 for k in range(4)]
    for spoilt, place in ((zero, 4), (moved, 5), (large, 6)):
        with pytest.raises(ValueError, match=f"point {place} of the 7 of them"):
            list(checked_points(spoilt, "them", silent))


def test_points_at_any_place_of_a_file_are_read():
    data = b"x" + powers(3).tobytes()
    unaligned = np.frombuffer(data, np.uint8)[1:].view(np.uint64).reshape(-1, 2, 4)
    assert not unaligned.flags.aligned
    assert np.concatenate(list(checked_points(unaligned, "them", silent))).tobytes() == data[1:]
