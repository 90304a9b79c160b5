"""Reader of powers-of-tau files (`.ptau`), as snarkjs and the public ceremonies over BN254 write them.

A file is `ptau`, a version (1), a number of sections, and the sections: type (4 bytes), length (8 bytes), content. All
integers are little-endian. For a file of power p:

| type | content | elements |
|---|---|---|
| 1 | bytes of a coordinate (32), the order of the base field, p, the power of the whole ceremony | |
| 2 | `[tau^j]` | 2^(p+1) - 1 |
| 3 | `[tau^j]_2` | 2^p |
| 4 | `[alpha tau^j]` | 2^p |
| 5 | `[beta tau^j]` | 2^p |
| 6 | `[beta]_2` | 1 |
| 7 | contributions, see `zk.srs.contributions` | |
| 12 to 15 | sections 2 to 5 in Lagrange form, for every power up to p (12: to p + 1); all of them or none | |

Points are affine, x then y, coordinates of 32 bytes in Montgomery form, of G2 the real part first; infinity is zeros.
That is the form in which `zk.bn254` computes.

This module checks the form: that the table of sections tiles the file, that every section is there once and has the
length that the power gives it, and the prime. It reads no point; `zk.srs.ceremony` checks those. The sections in
Lagrange form are not used, and their points not read.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from zk.bn254.parameters import BASE_MODULUS
from zk.srs.contributions import Contributions, parse_contributions
from zk.srs.errors import MalformedPowersError, SrsFileError

MAGIC: Final = b"ptau"
VERSION: Final = 1
G1_BYTES: Final = 64
G2_BYTES: Final = 128
COORDINATE_BYTES: Final = 32
# Roots of unity of the scalar field go up to order 2^28, so no ceremony over this curve is larger.
MAXIMUM_POWER: Final = 28

_FILE_HEADER: Final = struct.Struct("<4sII")
_SECTION_HEADER: Final = struct.Struct("<IQ")
_CURVE: Final = struct.Struct("<I32sII")
_REQUIRED: Final = frozenset(range(1, 8))
_LAGRANGE: Final = frozenset(range(12, 16))

Bytes = npt.NDArray[np.uint8]
Points = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class PowersOfTau:
    """A powers-of-tau file of the right form, mapped into memory; nothing has read its points.

    Attributes
    ----------
    path
        The file.
    content
        All its bytes, uint8, mapped into memory.
    power, ceremony_power
        p of this file, and of the ceremony from which it was cut.
    tau_g1, alpha_tau_g1, beta_tau_g1
        Points of G1, uint64, shape (number of points, 2, 4), not aligned.
    tau_g2, beta_g2
        Points of G2, uint64, shape (number of points, 2, 2, 4), not aligned.
    contributions
        Who made it, as it says.
    """

    path: Path
    content: Bytes
    power: int
    ceremony_power: int
    tau_g1: Points
    tau_g2: Points
    alpha_tau_g1: Points
    beta_tau_g1: Points
    beta_g2: Points
    contributions: Contributions


def open_ptau(path: Path) -> PowersOfTau:
    """Open a powers-of-tau file and check its form; memory use doesn't depend on what the file says.

    Raises
    ------
    SrsFileError
        If it can't be read.
    MalformedPowersError
        If it is truncated, extended, or of another form.
    """
    try:
        content = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
    except OSError as fault:
        raise SrsFileError(path, "read", fault.strerror or str(fault)) from fault
    try:
        return _parse(path, content)
    except ValueError as fault:
        raise MalformedPowersError(path, str(fault)) from fault


def _parse(path: Path, content: Bytes) -> PowersOfTau:
    sections = _split(content)
    _require_complete(frozenset(sections))
    power, ceremony_power = _parse_curve(sections[1].tobytes() if sections[1].size == _CURVE.size else b"")
    for number, (count, size) in _expected_points(power).items():
        if number in sections and sections[number].size != count * size:
            raise ValueError(
                f"section {number} has {sections[number].size} bytes, and {count} points of {size} bytes are "
                f"{count * size}"
            )
    return PowersOfTau(
        path,
        content,
        power,
        ceremony_power,
        tau_g1=sections[2].view("<u8").reshape(-1, 2, 4),
        tau_g2=sections[3].view("<u8").reshape(-1, 2, 2, 4),
        alpha_tau_g1=sections[4].view("<u8").reshape(-1, 2, 4),
        beta_tau_g1=sections[5].view("<u8").reshape(-1, 2, 4),
        beta_g2=sections[6].view("<u8").reshape(-1, 2, 2, 4),
        contributions=parse_contributions(sections[7].data),
    )


def _split(content: Bytes) -> dict[int, Bytes]:
    """Return the sections by type; they follow each other without a gap, so they can't overlap."""
    if content.size < _FILE_HEADER.size:
        raise ValueError(f"it has {content.size} bytes, and its header alone has {_FILE_HEADER.size}")
    magic, version, count = _FILE_HEADER.unpack_from(content.data)
    if magic != MAGIC or version != VERSION:
        raise ValueError(f"it begins with {magic!r} and version {version}, not with {MAGIC!r} and version {VERSION}")
    sections: dict[int, Bytes] = {}
    place = _FILE_HEADER.size
    for _ in range(count):
        if content.size - place < _SECTION_HEADER.size:
            raise ValueError(f"it says that it has {count} sections and ends after {len(sections)}")
        number, length = _SECTION_HEADER.unpack_from(content.data, place)
        place += _SECTION_HEADER.size
        if length > content.size - place:
            raise ValueError(f"section {number} says it has {length} bytes, and {content.size - place} are left")
        # No section twice and none unknown: so the loop ends soon, whatever count the file states.
        if number in sections or number not in _REQUIRED | _LAGRANGE:
            raise ValueError(
                f"it has section {number} at byte {place - _SECTION_HEADER.size}; a powers-of-tau file has sections "
                f"{_listed(_REQUIRED)}, once each, and after preparation {_listed(_LAGRANGE)}"
            )
        sections[number] = content[place : place + length]
        place += length
    if place != content.size:
        raise ValueError(f"it has {content.size} bytes and its {count} sections end at byte {place}")
    return sections


def _require_complete(present: frozenset[int]) -> None:
    if missing := _REQUIRED - present:
        raise ValueError(f"it has no section {_listed(missing)} and needs sections {_listed(_REQUIRED)}")
    if (prepared := present & _LAGRANGE) and prepared != _LAGRANGE:
        raise ValueError(f"of sections {_listed(_LAGRANGE)} it has only {_listed(prepared)}; all or none belong there")


def _parse_curve(data: bytes) -> tuple[int, int]:
    """Return the powers of the file and of the ceremony."""
    if not data:
        raise ValueError(f"section 1 does not have {_CURVE.size} bytes")
    size, prime, power, ceremony_power = _CURVE.unpack(data)
    if size != COORDINATE_BYTES or int.from_bytes(prime, "little") != BASE_MODULUS:
        raise ValueError(
            f"it is for another curve, whose coordinates have {size} bytes and are below "
            f"{int.from_bytes(prime, 'little')}; BN254 (bn128) has {COORDINATE_BYTES} and {BASE_MODULUS}"
        )
    if not 1 <= power <= ceremony_power <= MAXIMUM_POWER:
        raise ValueError(
            f"its power is {power} of a ceremony of power {ceremony_power}; 1 to {MAXIMUM_POWER} are possible, and no "
            "more than the ceremony's"
        )
    return power, ceremony_power


def _expected_points(power: int) -> dict[int, tuple[int, int]]:
    """Return the number of points and the bytes of a point for each section that has points."""
    half, full = 2**power, 2 ** (power + 1) - 1
    return {
        2: (full, G1_BYTES),
        3: (half, G2_BYTES),
        4: (half, G1_BYTES),
        5: (half, G1_BYTES),
        6: (1, G2_BYTES),
        12: (2 * full + 1, G1_BYTES),
        13: (full, G2_BYTES),
        14: (full, G1_BYTES),
        15: (full, G1_BYTES),
    }


def _listed(numbers: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
