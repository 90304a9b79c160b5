"""Opening many commitments to sums of updates at once, as an audit does with the aggregates of a whole job."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from zk.bn254 import combine_int16, g1_from_bytes, g1_to_bytes, multi_scalar_multiplication
from zk.bn254.parameters import SCALAR_MODULUS
from zk.errors import CommitmentError
from zk.polynomial_commitment import blinded, commit_sum, weighted_sum
from zk.srs.file import StructuredReferenceString, require_dimension

Sum = npt.NDArray[np.int64]

# Bits of the random factors: sums that are wrong pass with probability 2^-80. With three digits of 16 bits below them
# they stay within the 128 bits that a combination takes.
_FACTOR_BITS: Final = 80
_DIGIT_BITS: Final = 16
_DIGITS: Final = 3
_LARGEST: Final = 2**46


def wrong_sums(
    srs: StructuredReferenceString, commitments: Sequence[bytes], sums: Sequence[Sum], blinders: Sequence[int]
) -> list[int]:
    """Return the positions of the sums that don't open their commitments.

    One multi-scalar multiplication checks them all: `sum_k x_k M_k = Com(sum_k x_k S_k; sum_k x_k b_k)` for random x.
    Only if it fails is each one looked at.

    Parameters
    ----------
    srs
        With at least 12 more powers than the sums have coordinates.
    commitments
        m encoded points.
    sums
        As many, int64, shape (d,), entries of at most 2^46 in magnitude.
    blinders
        As many, each in [0, r).

    Raises
    ------
    CommitmentError
        If the numbers or the lengths differ, or an entry is too large.
    PointEncodingError
        If a commitment is not a point.
    TooFewPowersError
        If the reference string is too short.
    """
    if not len(commitments) == len(sums) == len(blinders) or len({vector.shape for vector in sums}) > 1:
        shapes = sorted({vector.shape for vector in sums})
        raise CommitmentError("number and length of the sums", (len(sums), shapes), (len(commitments), "one length"))
    if not sums:
        return []
    require_dimension(srs, sums[0].size)
    if _all_open(srs, commitments, sums, blinders):
        return []
    opened = zip(commitments, sums, blinders, strict=True)
    return [place for place, (commitment, each, own) in enumerate(opened) if commit_sum(srs, each, own) != commitment]


def _all_open(
    srs: StructuredReferenceString, commitments: Sequence[bytes], sums: Sequence[Sum], blinders: Sequence[int]
) -> bool:
    """Tell by one multi-scalar multiplication whether all sums open their commitments."""
    factors = [secrets.randbits(_FACTOR_BITS) for _ in sums]
    digits = [digit for vector in sums for digit in _digits(vector)]
    places = [factor << (_DIGIT_BITS * place) for factor in factors for place in range(_DIGITS)]
    body = multi_scalar_multiplication(srs.powers[: sums[0].size], combine_int16(digits, places))
    blinder = sum(factor * each for factor, each in zip(factors, blinders, strict=True)) % SCALAR_MODULUS
    points = np.concatenate([g1_from_bytes(commitment) for commitment in commitments])
    return blinded(srs, body, blinder) == g1_to_bytes(weighted_sum(points, factors))


def _digits(vector: Sum) -> list[npt.NDArray[np.int16]]:
    """Write every entry with three signed digits of 16 bits, the lowest first."""
    largest = max(int(vector.max()), -int(vector.min())) if vector.size else 0
    if largest > _LARGEST:
        raise CommitmentError("largest entry of a sum", largest, f"at most {_LARGEST}")
    digits = []
    rest = vector
    for _ in range(_DIGITS):
        digit = rest.astype(np.int16)  # the low bits, as a signed number
        digits.append(digit)
        rest = (rest - digit) >> _DIGIT_BITS
    return digits
