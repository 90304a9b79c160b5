import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.zk.bn254.reference import R, drawn, multiple, scalars
from zk.bn254 import ArrayError, g1_generator, g1_multiply, g1_to_bytes, powers, powers_of


def encoded(points) -> list[bytes]:
    data = g1_to_bytes(points)
    return [data[k : k + 64] for k in range(0, len(data), 64)]


@settings(max_examples=20)
@given(scalars | st.integers(-(2**300), 2**300), st.integers(0, 5))
def test_powers_agree_with_py_ecc(tau, n):
    assert encoded(powers_of(tau, n)) == [multiple(pow(tau, k, R)) for k in range(n)]


@pytest.mark.parametrize("n", [100, 2047, 2048, 2049, 4097])
def test_powers_agree_at_sizes_where_digits_threads_and_blocks_change(n):
    tau = 3**150
    points = powers_of(tau, n)
    assert points.shape == (n, 2, 4)
    for k in (0, 1, n // 3, n // 2, n - 2, n - 1):
        assert g1_to_bytes(points[k : k + 1]) == multiple(pow(tau, k, R))


@pytest.mark.parametrize("tau", [0, 1, 2, R - 1])
def test_degenerate_secrets_agree(tau):
    assert encoded(powers_of(tau, 300)) == [multiple(pow(tau, k, R)) for k in range(300)]


def test_powers_start_anywhere():
    start = g1_multiply(g1_generator(), 999)
    assert encoded(powers_of(7, 50, start)) == [multiple(999 * 7**k) for k in range(50)]
    assert not powers_of(7, 50, np.zeros((1, 2, 4), np.uint64)).any()


@pytest.mark.parametrize("n", [1, 10, 1000, 10**5, 10**6, 10**7])
def test_tables_stay_small(n):
    width = powers._table_width(n)
    assert 2 <= width <= 16
    assert (255 // width + 1) * 2 ** (width - 1) * 64 < 2**26


def test_what_can_not_be_computed_is_refused():
    with pytest.raises(ArrayError, match="points are -1"):
        powers_of(2, -1)
    with pytest.raises(ArrayError, match="points to start from"):
        powers_of(2, 3, drawn(2, 1)[0])
