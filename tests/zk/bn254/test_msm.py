import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zk.bn254.reference import R, bytes_of, drawn, multiple, pool, scalars
from zk.bn254 import (
    ArrayError,
    buckets,
    msm,
    multi_scalar_multiplication,
    multi_scalar_multiplication_int16,
    multi_scalar_multiplication_int64,
    scalars_from_integers,
)

BOUNDARIES = [0, 1, 2, 3, 7, 255, 256, 1023, 1024, 2047, 2048, 2049]


def full(points, integers) -> bytes:
    return bytes_of(multi_scalar_multiplication(points, scalars_from_integers([int(x) for x in integers])))


def short(points, integers) -> bytes:
    return bytes_of(multi_scalar_multiplication_int16(points, np.asarray(integers, np.int16)))


def long(points, integers) -> bytes:
    return bytes_of(multi_scalar_multiplication_int64(points, np.asarray(integers, np.int64)))


def expected(factors, integers) -> bytes:
    return multiple(sum(int(a) * int(b) for a, b in zip(factors, integers, strict=True)))


@given(st.lists(scalars, max_size=12), st.integers(0, 2**32))
def test_scalars_agree_with_py_ecc(integers, seed):
    points, factors = drawn(len(integers), seed)
    assert full(points, integers) == expected(factors, integers)


@given(st.lists(st.integers(-(2**15), 2**15 - 1) | st.sampled_from([-(2**15), 2**15 - 1, -1]), max_size=12))
def test_coordinates_of_16_bits_agree_with_py_ecc(integers):
    points, factors = drawn(len(integers), 1)
    assert short(points, integers) == expected(factors, integers)


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1, -1]), max_size=12))
def test_coordinates_of_64_bits_agree_with_py_ecc(integers):
    points, factors = drawn(len(integers), 2)
    assert long(points, integers) == expected(factors, integers)


@pytest.mark.parametrize("n", BOUNDARIES)
def test_all_kinds_agree_at_sizes_where_digits_threads_and_blocks_change(n):
    points, factors = drawn(n, n)
    integers = np.random.default_rng(n).integers(-(2**15), 2**15, n)
    for multiplication in (full, short, long):
        assert multiplication(points, integers) == expected(factors, integers)


@pytest.mark.parametrize("n", [buckets.BLOCK - 1, buckets.BLOCK, buckets.BLOCK + 1, 3 * buckets.BLOCK + 5])
@pytest.mark.parametrize(
    "coordinates",
    [
        lambda rng, n: np.full(n, 7),
        lambda rng, n: np.full(n, -(2**15)),
        lambda rng, n: np.where(np.arange(n) % 2, 5, -5),
        lambda rng, n: np.zeros(n, np.int64),
        lambda rng, n: np.where(np.arange(n) == n // 2, 9, 0),
        lambda rng, n: rng.integers(-2, 3, n),
        lambda rng, n: np.rint(rng.normal(0, 300, n)).astype(np.int64),
    ],
    ids=["equal", "least", "opposite", "zero", "one", "few", "normal"],
)
def test_lopsided_coordinates_agree(coordinates, n):
    points, factors = drawn(n, 3)
    integers = coordinates(np.random.default_rng(n), n)
    assert short(points, integers) == expected(factors, integers)


def test_a_window_as_wide_as_the_coordinates_agrees():
    """Only many points make it worthwhile, so it is called here directly."""
    n = 2 * buckets.BLOCK + 3
    points, factors = drawn(n, 4)
    integers = np.random.default_rng(4).integers(-(2**15), 2**15, n)
    integers[:2] = -(2**15), 2**15 - 1
    for width in (16, 12, 7, 1):
        windows = (16 - 1) // width + 1
        digits = msm._cut(integers, width, windows)
        assert bytes_of(msm._sum_of_windows(points, digits, width)) == expected(factors, integers)


@pytest.mark.parametrize("bits", [16, 64, 255])
def test_every_width_of_digits_holds_the_extremes(bits):
    for size in (1, 100, 10**4, 10**5, 10**6, 10**8):
        width, windows = msm.digit_width(size, bits)
        assert windows * width >= bits
        assert windows == 1 or bits - (windows - 1) * width < 16


@pytest.mark.parametrize("size", [1, 100, 3000, 40_000, 200_000, 10**6, 10**8])
def test_extreme_scalars_are_cut_into_digits_that_make_them_up(size):
    values = [0, 1, R - 1, R // 2, 2**253, 2**253 - 1, R - 2**200]
    width, windows = msm.digit_width(size, 255)
    digits = np.zeros((windows, len(values)), np.int16)
    msm.cut_scalars(scalars_from_integers(values), width, digits, 0, len(values))
    assert np.abs(digits.astype(np.int64)).max() <= 2 ** (width - 1)
    for k, value in enumerate(values):
        assert sum(int(digit) << width * w for w, digit in enumerate(digits[:, k])) == value


@pytest.mark.parametrize("value", [0, 1, R - 1, 2**128, R // 2])
def test_equal_scalars_agree(value):
    points, factors = drawn(5000, 5)
    assert full(points, [value] * 5000) == expected(factors, [value] * 5000)


def test_many_random_scalars_agree():
    points, factors = drawn(5000, 6)
    rng = np.random.default_rng(6)
    integers = [int.from_bytes(rng.bytes(32), "big") % R for _ in range(5000)]
    assert full(points, integers) == expected(factors, integers)


def test_copies_of_one_point_and_its_negative_cancel():
    points, factors = pool()
    both = np.concatenate([np.repeat(points[1:2], 4000, axis=0), np.repeat(points[2:3], 4000, axis=0)])
    assert factors[1:3] == [1, -1]
    assert short(both, np.full(8000, 3)) == bytes(64)
    assert short(both[:4001], np.full(4001, 3)) == multiple(3 * 3999)


def test_infinity_alone_gives_infinity():
    assert full(np.zeros((50, 2, 4), np.uint64), range(50)) == bytes(64)


def test_a_read_only_memory_map_gives_the_same(tmp_path):
    points, factors = drawn(3000, 7)
    path = tmp_path / "points"
    path.write_bytes(b"header" * 4 + points.tobytes())
    mapped = np.memmap(path, np.uint64, mode="r", offset=24, shape=points.shape)
    integers = np.arange(3000) - 1500
    for multiplication in (full, short, long):
        assert multiplication(mapped, integers) == expected(factors, integers)


def test_other_layouts_in_memory_give_the_same():
    points, factors = drawn(300, 8)
    integers = np.arange(300) - 150
    assert short(points[::3], integers[::3]) == expected(factors[::3], integers[::3])
    unaligned = np.frombuffer(b"x" + points.tobytes(), np.uint8)[1:].view(np.uint64).reshape(points.shape)
    assert not unaligned.flags.aligned
    assert short(unaligned, integers) == expected(factors, integers)


@pytest.mark.parametrize(
    ("multiplication", "factors"),
    [
        (multi_scalar_multiplication, np.zeros((3, 4), np.uint64)),
        (multi_scalar_multiplication_int16, np.zeros(3, np.int16)),
        (multi_scalar_multiplication_int64, np.zeros(3, np.int64)),
    ],
)
def test_wrong_arrays_are_refused(multiplication, factors):
    points, _ = drawn(3, 9)
    with pytest.raises(ArrayError, match="points are 2, they must be as many as their 3"):
        multiplication(points[:2], factors)
    with pytest.raises(ArrayError, match=r"they must be uint64, shape \(n, 2, 4\)"):
        multiplication(points.reshape(3, 8), factors)
    with pytest.raises(ArrayError, match="float32"):
        multiplication(points, factors.astype(np.float32))
