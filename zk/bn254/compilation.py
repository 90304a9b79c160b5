"""Compile the whole engine ahead, with a name for each step to show; the machine code stays on disk afterwards."""

from collections.abc import Callable
from typing import Final

import numpy as np

from zk.bn254.g2_points import g2_from_bytes, g2_generator, g2_multiply, g2_to_bytes
from zk.bn254.msm import (
    multi_scalar_multiplication,
    multi_scalar_multiplication_int16,
    multi_scalar_multiplication_int64,
)
from zk.bn254.pairing import pairing_product_is_one
from zk.bn254.points import g1_add, g1_from_bytes, g1_generator, g1_multiply, g1_negate, g1_to_bytes
from zk.bn254.polynomials import add_scaled, combine_int16, divide_by_quadratic, evaluate
from zk.bn254.powers import powers_of
from zk.bn254.scalars import scalars_from_int64, scalars_from_integers, scalars_to_integers
from zk.bn254.transforms import autocorrelation, inverse_ntt, ntt


def compile_engine(progress: Callable[[str], None]) -> None:
    """Compile every function of the engine that is not on disk yet, by using it once.

    Nothing depends on it: a function that was not compiled ahead is compiled when it is first called.

    Parameters
    ----------
    progress
        Called with the name of each step before it begins. When all is compiled already, the steps take no time.
    """
    for name, step in _STEPS.items():
        progress(name)
        step()


def _use_scalars() -> None:
    scalars_to_integers(scalars_from_integers([1]))
    scalars_from_int64(np.ones(1, np.int64))


def _use_points() -> None:
    point = g1_from_bytes(g1_to_bytes(g1_generator()))
    g1_add(g1_multiply(point, 2), g1_negate(point))


def _use_multiplications() -> None:
    multi_scalar_multiplication(g1_generator(), scalars_from_integers([1]))
    multi_scalar_multiplication_int16(g1_generator(), np.ones(1, np.int16))
    multi_scalar_multiplication_int64(g1_generator(), np.ones(1, np.int64))


def _use_transforms() -> None:
    values = scalars_from_integers([1, 2])
    ntt(values)
    inverse_ntt(values)
    autocorrelation(values)


def _use_polynomials() -> None:
    values = scalars_from_integers([1, 2, 3])
    add_scaled(values, values.copy(), evaluate(values, 2))
    divide_by_quadratic(combine_int16([np.ones(3, np.int16)], [1]), 2)


def _use_pairing() -> None:
    pairing_product_is_one([(g1_generator(), g2_generator())])


def _use_second_group() -> None:
    g2_from_bytes(g2_to_bytes(g2_multiply(g2_generator(), 2)))


def _use_powers() -> None:
    powers_of(2, 2)


_STEPS: Final[dict[str, Callable[[], None]]] = {
    "scalars": _use_scalars,
    "points": _use_points,
    "multi-scalar multiplication": _use_multiplications,
    "number-theoretic transform": _use_transforms,
    "polynomials": _use_polynomials,
    "second group": _use_second_group,
    "pairing": _use_pairing,
    "powers of a secret": _use_powers,
}
