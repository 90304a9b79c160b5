"""Arithmetic of the BN254 curve, compiled when first used; see `compile_engine`.

It does not run in constant time: whoever can time it on the same machine may learn about secret scalars, so secrets
are to be worked on by their owner's machine.
"""

from zk.bn254.compilation import compile_engine
from zk.bn254.errors import ArrayError, PointEncodingError
from zk.bn254.g2_points import g2_from_bytes, g2_generator, g2_multiply, g2_to_bytes, require_g2
from zk.bn254.msm import (
    multi_scalar_multiplication,
    multi_scalar_multiplication_int16,
    multi_scalar_multiplication_int64,
)
from zk.bn254.pairing import pairing_product_is_one
from zk.bn254.points import (
    g1_add,
    g1_from_bytes,
    g1_generator,
    g1_multiply,
    g1_negate,
    g1_to_bytes,
    require_g1,
)
from zk.bn254.polynomials import add_scaled, combine_int16, divide_by_quadratic, evaluate
from zk.bn254.powers import powers_of
from zk.bn254.scalars import scalars_from_int64, scalars_from_integers, scalars_to_integers
from zk.bn254.transforms import autocorrelation, inverse_ntt, ntt

__all__ = [
    "ArrayError",
    "PointEncodingError",
    "add_scaled",
    "autocorrelation",
    "combine_int16",
    "compile_engine",
    "divide_by_quadratic",
    "evaluate",
    "g1_add",
    "g1_from_bytes",
    "g1_generator",
    "g1_multiply",
    "g1_negate",
    "g1_to_bytes",
    "g2_from_bytes",
    "g2_generator",
    "g2_multiply",
    "g2_to_bytes",
    "inverse_ntt",
    "multi_scalar_multiplication",
    "multi_scalar_multiplication_int16",
    "multi_scalar_multiplication_int64",
    "ntt",
    "pairing_product_is_one",
    "powers_of",
    "require_g1",
    "require_g2",
    "scalars_from_int64",
    "scalars_from_integers",
    "scalars_to_integers",
]
