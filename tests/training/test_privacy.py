import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.training.errors import TrainingError
from marketplace.training.privacy import Neighbouring, clip_update, gaussian_noise, privacy_loss, privatise


def exact_delta(epsilon: float, mu: float) -> float:
    """Delta of a Gaussian mechanism of sensitivity / deviation mu (Balle and Wang 2018, theorem 8)."""
    phi = NormalDist().cdf
    return phi(mu / 2 - epsilon / mu) - math.exp(epsilon) * phi(-mu / 2 - epsilon / mu)


# Minimised over a grid of 400,001 orders in a computation of its own.
@pytest.mark.parametrize(
    ("deviation", "rounds", "delta", "epsilon"),
    [
        (1.0, 1, 1e-5, 4.728387),
        (4.0, 1, 1e-5, 1.012287),
        (4.0, 8, 1e-5, 3.188971),
        (1.0, 8, 1e-5, 16.511405),
        (10.0, 100, 1e-6, 5.221535),
        (100.0, 1, 1e-5, 0.030821),
    ],
)
def test_known_values(deviation: float, rounds: int, delta: float, epsilon: float) -> None:
    loss = privacy_loss(1.0, deviation, rounds, delta, Neighbouring.ADD_OR_REMOVE)
    assert loss.epsilon == pytest.approx(epsilon, abs=2e-6)


@given(
    deviation=st.floats(0.5, 50),
    rounds=st.integers(1, 50),
    delta=st.sampled_from([1e-3, 1e-5, 1e-8]),
)
def test_epsilon_is_valid_and_better_than_the_simple_bound(deviation: float, rounds: int, delta: float) -> None:
    loss = privacy_loss(1.0, deviation, rounds, delta, Neighbouring.ADD_OR_REMOVE)
    rho = rounds / deviation**2 / 2
    if loss.epsilon < 600:
        assert exact_delta(loss.epsilon, math.sqrt(2 * rho)) <= delta
    assert loss.epsilon <= rho + 2 * math.sqrt(rho * math.log(1 / delta))


def test_replacing_an_update_counts_twice_its_norm() -> None:
    replaced = privacy_loss(1.0, 4.0, 8, 1e-5)
    assert replaced == privacy_loss(2.0, 4.0, 8, 1e-5, Neighbouring.ADD_OR_REMOVE)
    assert replaced == privacy_loss(1.0, 4.0, 8, 1e-5, Neighbouring.REPLACE)


def test_only_the_ratio_of_clipping_and_noise_matters() -> None:
    assert privacy_loss(0.5, 2.0, 3, 1e-5).epsilon == pytest.approx(privacy_loss(1.0, 4.0, 3, 1e-5).epsilon)


def test_no_noise_is_no_privacy_and_no_round_costs_nothing() -> None:
    assert privacy_loss(1.0, 0.0, 1, 1e-5).epsilon == math.inf
    assert privacy_loss(1.0, 0.0, 0, 1e-5).epsilon == 0.0


@pytest.mark.parametrize(
    ("norm", "deviation", "rounds", "delta"),
    [(0, 1, 1, 0.1), (1, -1, 1, 0.1), (1, 1, -1, 0.1), (1, 1, 1, 0.0), (1, 1, 1, 1.0), (math.nan, 1, 1, 0.1)],
)
def test_senseless_arguments_are_refused(norm: float, deviation: float, rounds: int, delta: float) -> None:
    with pytest.raises(TrainingError, match="No privacy statement"):
        privacy_loss(norm, deviation, rounds, delta)


def test_clipping_shortens_and_keeps_the_direction() -> None:
    np.testing.assert_allclose(clip_update(np.array([3.0, 4.0]), 1.0), [0.6, 0.8])
    np.testing.assert_array_equal(clip_update(np.array([3.0, 4.0]), 5.0), [3.0, 4.0])
    np.testing.assert_array_equal(clip_update(np.zeros(3), 1.0), np.zeros(3))


@pytest.mark.parametrize("norm", [0.0, -1.0, math.nan, math.inf])
def test_a_senseless_clipping_norm_is_refused(norm: float) -> None:
    with pytest.raises(TrainingError, match="clipping norm"):
        clip_update(np.ones(2), norm)


@pytest.mark.parametrize("deviation", [-1.0, math.nan, math.inf])
def test_a_senseless_deviation_is_refused(deviation: float) -> None:
    with pytest.raises(TrainingError, match="standard deviation"):
        gaussian_noise(2, deviation)


def test_noise_is_gaussian_of_the_deviation_asked_for() -> None:
    noise = gaussian_noise(100_001, 3.0, np.random.default_rng(0).bytes)
    assert noise.shape == (100_001,)
    assert abs(noise.mean()) < 0.05
    assert noise.std() == pytest.approx(3.0, rel=0.02)
    within = [np.mean(np.abs(noise) < k * 3.0) for k in (1, 2, 3)]
    np.testing.assert_allclose(within, [0.6827, 0.9545, 0.9973], atol=0.005)


@pytest.mark.parametrize("byte", [b"\x00", b"\xff"])
def test_noise_is_finite_for_the_extreme_bytes(byte: bytes) -> None:
    assert np.isfinite(gaussian_noise(5, 1.0, lambda n: byte * n)).all()


def test_noise_is_drawn_anew_each_time() -> None:
    assert not np.array_equal(gaussian_noise(4, 1.0), gaussian_noise(4, 1.0))


def test_noise_comes_after_clipping() -> None:
    bytes_of = np.random.default_rng(1).bytes
    noise = gaussian_noise(2, 0.5, np.random.default_rng(1).bytes)
    np.testing.assert_allclose(privatise(np.array([30.0, 40.0]), 1.0, 0.5, bytes_of), np.array([0.6, 0.8]) + noise)
