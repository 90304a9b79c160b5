"""The contributions that a powers-of-tau file names.

The section is their number (4 bytes) and for each: the five points after it (`[tau]`, `[tau]_2`, `[alpha]`, `[beta]`,
`[beta]_2`), the contributor's public key (six points of G1, three of G2), the state of a hash (216 bytes), the next
challenge (64 bytes), a type (0 contribution, 1 beacon), the length of its parameters and the parameters.

Only the form is checked here, and the last five points are handed on. Whether each contribution follows from the one
before is not: who wants to know runs `snarkjs powersoftau verify`.
"""

import struct
from dataclasses import dataclass
from typing import Final

_COUNT: Final = struct.Struct("<I")
_POINTS: Final = struct.Struct("<64s128s64s64s128s")
_KEY_AND_HASHES: Final = 6 * 64 + 3 * 128 + 216 + 64
_KIND_AND_LENGTH: Final = struct.Struct("<II")
_SMALLEST: Final = _POINTS.size + _KEY_AND_HASHES + _KIND_AND_LENGTH.size


@dataclass(frozen=True)
class Contributions:
    """How many contributions there are, and the points after the last; encoded as in the file, checked by nothing.

    Attributes
    ----------
    count
        Number of contributions, beacons included.
    tau_g1, alpha_g1, beta_g1
        64 bytes each.
    tau_g2, beta_g2
        128 bytes each.
    """

    count: int
    tau_g1: bytes
    tau_g2: bytes
    alpha_g1: bytes
    beta_g1: bytes
    beta_g2: bytes


def parse_contributions(data: memoryview) -> Contributions:
    """Parse section 7 of a powers-of-tau file.

    Raises
    ------
    ValueError
        With what is wrong, if there is no contribution, or the bytes are not exactly that many contributions.
    """
    if len(data) < _COUNT.size:
        raise ValueError(f"section 7 has {len(data)} bytes and needs at least {_COUNT.size}")
    (count,) = _COUNT.unpack_from(data)
    place, last = _COUNT.size, 0
    if count == 0:
        raise ValueError("it has 0 contributions and needs at least 1: without any its secret is known")
    for number in range(1, count + 1):
        left = len(data) - place
        if left < _SMALLEST:
            raise ValueError(f"contribution {number} of {count} has {left} bytes and needs at least {_SMALLEST}")
        last = place
        _, length = _KIND_AND_LENGTH.unpack_from(data, place + _SMALLEST - _KIND_AND_LENGTH.size)
        place += _SMALLEST + length
        if place > len(data):
            raise ValueError(f"contribution {number} of {count} ends at byte {place} of the {len(data)} of section 7")
    if place != len(data):
        raise ValueError(f"section 7 has {len(data)} bytes and its {count} contributions end at byte {place}")
    return Contributions(count, *_POINTS.unpack_from(data, last))
