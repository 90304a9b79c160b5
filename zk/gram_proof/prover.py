"""The fast prover of the Gram proof; its steps are those of `docs/gram-proof.md`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from zk.bn254 import (
    add_scaled,
    autocorrelation,
    combine_int16,
    divide_by_quadratic,
    evaluate,
    g1_to_bytes,
    multi_scalar_multiplication,
    scalars_from_integers,
)
from zk.bn254.parameters import SCALAR_MODULUS
from zk.errors import CommitmentError
from zk.gram_proof.proof import MAX_COMMITMENTS, POINT_BYTES, encode_scalar
from zk.gram_proof.transcript import (
    batch_hash,
    evaluation_hash,
    is_degenerate,
    row_challenges,
    statement_hash,
    to_scalar,
)
from zk.gram_proof.verifier import verify_gram_proof
from zk.polynomial_commitment import Opening, blinded, checked_updates, new_blinder
from zk.srs.file import StructuredReferenceString
from zk.srs.header import MASK_COEFFICIENTS

Scalars = npt.NDArray[np.uint64]
Progress = Callable[[str], None]

_POINT_AT_INFINITY: Final = bytes(POINT_BYTES)


def prove_gram(
    srs: StructuredReferenceString,
    context: bytes,
    commitments: bytes,
    gram: bytes,
    openings: Sequence[Opening],
    progress: Progress = lambda _: None,
) -> bytes:
    """Prove that a matrix is the Gram matrix of committed updates.

    The proof is verified before it is returned, so that wrong openings or a damaged reference string are found here.

    Parameters
    ----------
    srs
        With at least 12 more powers than the updates have coordinates.
    context
        32 bytes that name the occasion.
    commitments
        n encoded points.
    gram
        The packed matrix.
    openings
        The n openings; updates of one length d.
    progress
        Called with the name of each step before it begins.

    Returns
    -------
    bytes
        352 bytes. Two proofs of one statement differ.

    Raises
    ------
    CommitmentError
        If the number or the lengths of the updates don't fit.
    TooFewPowersError
        If the reference string is too short.
    ProofRejectedError
        If the openings don't belong to commitments and matrix.
    """
    updates = _checked_updates(srs, commitments, openings)
    while True:
        proof = _attempt(srs, context, commitments, gram, updates, openings, progress)
        if proof is not None:
            break
    progress("verifying")
    verify_gram_proof(srs.key, context, commitments, gram, proof)
    return proof


def _attempt(
    srs: StructuredReferenceString,
    context: bytes,
    commitments: bytes,
    gram: bytes,
    updates: list[npt.NDArray[np.int16]],
    openings: Sequence[Opening],
    progress: Progress,
) -> bytes | None:
    """Go through the protocol once, with new randomness; None in the negligible case that it has to be repeated."""
    r, dimension = SCALAR_MODULUS, updates[0].size
    progress("masking")
    # Mask coefficients are drawn as blinders are, uniformly from the field.
    mask, mask_blinder = [new_blinder() for _ in range(MASK_COEFFICIENTS)], new_blinder()
    places = srs.powers[dimension : dimension + MASK_COEFFICIENTS]
    encoded_mask = blinded(srs, multi_scalar_multiplication(places, scalars_from_integers(mask)), mask_blinder)
    encoded_mu = encode_scalar(sum(x * x for x in mask))

    progress("combining the updates")
    seed = statement_hash(srs.identity, context, commitments, gram, encoded_mask, encoded_mu)
    rho = row_challenges(seed, len(updates))
    combined = combine_int16(updates, rho)

    progress("correlating")
    correlation = _masked_autocorrelation(combined, mask)
    a = np.concatenate([combined, scalars_from_integers(mask)])
    del combined

    progress("committing to the correlation")
    correlation_blinder = new_blinder()
    body = multi_scalar_multiplication(srs.powers[: len(correlation)], correlation)
    encoded_correlation = blinded(srs, body, correlation_blinder)

    progress("evaluating")
    evaluation = evaluation_hash(seed, encoded_correlation)
    z = to_scalar(evaluation)
    if is_degenerate(z):
        return None
    inverse = pow(z, -1, r)
    openings_at_z = (evaluate(a, z), evaluate(a, inverse), evaluate(correlation, z))
    encoded_openings = b"".join(map(encode_scalar, openings_at_z))
    gamma = to_scalar(batch_hash(evaluation, encoded_openings))

    progress("opening")
    add_scaled(a[: len(correlation)], correlation, gamma)
    del correlation
    quotient, _ = divide_by_quadratic(a, (z + inverse) % r)
    del a
    pi = g1_to_bytes(multi_scalar_multiplication(srs.powers[: len(quotient)], quotient))
    blinders = sum(factor * opening.blinder for factor, opening in zip(rho, openings, strict=True))
    e = encode_scalar(blinders + mask_blinder + gamma * correlation_blinder)
    if _POINT_AT_INFINITY in (encoded_mask, encoded_correlation, pi):
        return None
    return encoded_mask + encoded_mu + encoded_correlation + encoded_openings + e + pi


def _masked_autocorrelation(combined: Scalars, mask: list[int]) -> Scalars:
    """Return `g_1 .. g_(d+11)` of the coefficients followed by the mask.

    The transform takes the d coefficients alone, because 2^k coefficients just fit one of 2^(k+1); the mask's products
    are few and added directly.

    Parameters
    ----------
    combined
        `a_0 .. a_(d-1)`, shape (d, 4).
    mask
        `m_0 .. m_11`, which follow them.
    """
    dimension = len(combined)
    lags = np.zeros((dimension + len(mask) - 1, 4), dtype=np.uint64)
    lags[: dimension - 1] = autocorrelation(combined)
    # m_i stands at position d + i, so its lag to a_j is d + i - j, which is entry d + i - j - 1.
    backwards = np.ascontiguousarray(combined[::-1])
    for i, coefficient in enumerate(mask):
        add_scaled(lags[i : i + dimension], backwards, coefficient)
    among = [sum(x * y for x, y in zip(mask, mask[lag:], strict=False)) for lag in range(1, len(mask))]
    add_scaled(lags[: len(among)], scalars_from_integers(among), 1)
    return lags


def _checked_updates(
    srs: StructuredReferenceString, commitments: bytes, openings: Sequence[Opening]
) -> list[npt.NDArray[np.int16]]:
    """Return the updates, as many as there are commitments, of one length that is not zero."""
    if not 1 <= len(openings) <= MAX_COMMITMENTS or POINT_BYTES * len(openings) != len(commitments):
        expected = f"that of the commitments, {len(commitments) / POINT_BYTES:g}, 1 to {MAX_COMMITMENTS}"
        raise CommitmentError("number of openings", len(openings), expected)
    updates = checked_updates(srs, openings)
    if updates[0].size == 0:
        raise CommitmentError("updates", "empty", "at least one coordinate long")
    return updates
