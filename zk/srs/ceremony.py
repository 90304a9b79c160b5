"""Import of a public ceremony's powers-of-tau file.

What is checked, besides the form (`zk.srs.ptau`):

- every point of sections 2 to 6 has coordinates below p, lies on its curve and is not infinity;
- the points of G2 are in the subgroup of order r: `[tau]_2`, `[tau^2]_2` and `[beta]_2` each by itself, all of
  section 3 by random combinations (`zk.srs.powers_g2`);
- the first points of sections 2 and 3 are the generators, and `[tau]`, `[tau]_2`, `[tau^2]_2`, `[beta]` a verification
  key (`zk.srs.verification_key`);
- sections 2, 4 and 5 are powers of that tau, each point against the one before (`zk.srs.powers`);
- section 3 is of the same powers as section 2, each point against its twin (`zk.srs.powers_g2`);
- `[beta]` and `[beta]_2` are of the same beta;
- the last contribution's five points are those of the other sections.

What is not: whether a ceremony was held and each contribution follows from the one before, so the file's hash must be
compared with the one that the ceremony published; the points in Lagrange form, which are not used.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from zk.bn254 import (
    PointEncodingError,
    g1_from_bytes,
    g1_generator,
    g1_to_bytes,
    g2_from_bytes,
    g2_generator,
    g2_to_bytes,
    require_g2,
)
from zk.srs.errors import InvalidKeyError, MalformedPowersError, TooFewPowersError
from zk.srs.file import StructuredReferenceString, open_srs, write_srs
from zk.srs.header import MINIMUM_POWERS, Header, Kind
from zk.srs.pairings import Points, pairings_are_equal
from zk.srs.powers import Progress, checked_points, require_powers
from zk.srs.powers_g2 import require_twins
from zk.srs.ptau import PowersOfTau, open_ptau
from zk.srs.verification_key import VerificationKey, parse_verification_key

_BLOCK: Final = 2**24


def import_ptau(source: Path, target: Path, powers: int | None, progress: Progress) -> StructuredReferenceString:
    """Check a powers-of-tau file, write a structured reference string of it and open that.

    Parameters
    ----------
    source
        The powers-of-tau file.
    target
        Where the structured reference string goes; a file that exists is replaced when all is checked.
    powers
        How many powers to keep; by default all that the file has, 2^(p+1) - 1.
    progress
        Called as the work goes on.

    Raises
    ------
    SrsFileError
        If one of the files can't be read or written.
    MalformedPowersError
        If a check fails.
    TooFewPowersError
        If the file has fewer powers than are asked for, or fewer than 13.
    """
    file = open_ptau(source)
    kept = len(file.tau_g1) if powers is None else powers
    _require_enough(len(file.tau_g1), kept)
    try:
        key = _verification_key(file)
        ceremony_powers = 2 ** (file.ceremony_power + 1) - 1
        header = Header(Kind.CEREMONY, kept, ceremony_powers, *_hashes(file, progress), key.encode())
        write_srs(target, header, _checked_powers(file, key, progress))
    except ValueError as fault:
        raise MalformedPowersError(source, str(fault)) from fault
    return open_srs(target)


def _require_enough(available: int, kept: int) -> None:
    if kept > available:
        raise TooFewPowersError(available, kept, "What is asked for")
    if kept < MINIMUM_POWERS:
        raise TooFewPowersError(kept, MINIMUM_POWERS, "A structured reference string")


def _hashes(file: PowersOfTau, progress: Progress) -> tuple[bytes, bytes]:
    """Return SHA-256 and BLAKE2b-512 of the file."""
    sha256, blake2b, total = hashlib.sha256(), hashlib.blake2b(), len(file.content)
    for start in range(0, total, _BLOCK):
        progress("bytes hashed", start, total)
        block = file.content[start : start + _BLOCK].data
        sha256.update(block)
        blake2b.update(block)
    progress("bytes hashed", total, total)
    return sha256.digest(), blake2b.digest()


def _verification_key(file: PowersOfTau) -> VerificationKey:
    """Return the verification key, checked, and that of a secret which is not public."""
    # Encoding reduces coordinates, so whether they are canonical in the file is checked with all other points.
    encoded = g1_to_bytes(file.tau_g1[1:2]) + g1_to_bytes(file.beta_tau_g1[:1]) + g2_to_bytes(file.tau_g2[1:3])
    try:
        key = parse_verification_key(encoded)
    except InvalidKeyError as fault:
        raise ValueError(f"of its verification key, {fault.element} {fault.fault}") from fault
    if key.is_for_development:
        raise ValueError("its secrets are the public ones for development")
    return key


def _checked_powers(file: PowersOfTau, key: VerificationKey, progress: Progress) -> Iterator[Points]:
    """Check the whole file; yield `[tau^j]` for all j in chunks, the last before it is known that all are right."""
    _require_first_elements(file, key)
    _require_last_contribution(file)
    tau_g2 = g2_from_bytes(key.tau_g2)
    for points, what in ((file.alpha_tau_g1, "alphaTauG1"), (file.beta_tau_g1, "betaTauG1")):
        for _ in require_powers(checked_points(points, what, progress), what, tau_g2):
            pass
    require_twins(file.tau_g2, file.tau_g1[: len(file.tau_g2)], "tauG2", progress)
    yield from require_powers(checked_points(file.tau_g1, "tauG1", progress), "tauG1", tau_g2)


def _require_first_elements(file: PowersOfTau, key: VerificationKey) -> None:
    if not np.array_equal(file.tau_g1[:1], g1_generator()):
        raise ValueError("point 0 of tauG1 is not the generator of G1")
    if not np.array_equal(file.tau_g2[:1], g2_generator()):
        raise ValueError("point 0 of tauG2 is not the generator of G2")
    beta_g2 = np.array(file.beta_g2)
    try:
        require_g2(beta_g2)
    except PointEncodingError as fault:
        raise ValueError(f"the point of betaG2 {fault.reason}") from fault
    if not pairings_are_equal(g1_from_bytes(key.beta_g1), g2_generator(), g1_generator(), beta_g2):
        raise ValueError("betaG2 is not of the same beta as the first point of betaTauG1")


def _require_last_contribution(file: PowersOfTau) -> None:
    """Require that the five points after the last contribution are those of the other sections."""
    last = file.contributions
    pairs = {
        "[tau]": (last.tau_g1, file.tau_g1[1]),
        "[tau]_2": (last.tau_g2, file.tau_g2[1]),
        "[alpha]": (last.alpha_g1, file.alpha_tau_g1[0]),
        "[beta]": (last.beta_g1, file.beta_tau_g1[0]),
        "[beta]_2": (last.beta_g2, file.beta_g2[0]),
    }
    for name, (contributed, present) in pairs.items():
        if contributed != present.tobytes():
            raise ValueError(
                f"after its last contribution, number {last.count}, {name} is 0x{contributed.hex()}, and in the other "
                f"sections it is 0x{present.tobytes().hex()}"
            )
