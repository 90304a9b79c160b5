import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zk.bn254.reference import R
from zk.bn254 import ArrayError, scalars_from_int64, scalars_from_integers, scalars_to_integers

any_integers = st.lists(st.integers(-(2**300), 2**300) | st.sampled_from([0, -1, R - 1, R, R + 1, -R]), max_size=5)
int64s = st.lists(st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, -1, -(2**63), 2**63 - 1]), max_size=5)


@given(any_integers)
def test_integers_of_any_size_and_sign_are_reduced(integers):
    assert scalars_to_integers(scalars_from_integers(integers)) == [integer % R for integer in integers]


@given(int64s)
def test_signed_words_become_the_same_scalars_as_integers(integers):
    found = scalars_from_int64(np.array(integers, np.int64))
    assert found.shape == (len(integers), 4)
    assert np.array_equal(found, scalars_from_integers(integers))


def test_equal_scalars_have_one_representation():
    assert np.array_equal(scalars_from_integers([5, -1]), scalars_from_integers([5 + R, R - 1]))


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 3), np.uint64),
        np.zeros(4, np.uint64),
        np.zeros((2, 4), np.int64),
        np.zeros((2, 4), ">u8"),
        np.array(0),
        [[0, 0, 0, 0]],
    ],
    ids=lambda a: f"{a.dtype}{a.shape}" if isinstance(a, np.ndarray) else "list",
)
def test_arrays_that_are_no_scalars_are_refused(array):
    with pytest.raises(ArrayError, match=r"scalars are .* they must be uint64, shape"):
        scalars_to_integers(array)
