"""From a float update to signed integers of b bits and back.

`q = round(clip(delta 2^s))`. Rounding is stochastic unless asked otherwise: the expectation of q is then exactly the
clipped `delta 2^s`, and because the generator is private, q and its norm are no fingerprint of the training data.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from marketplace.errors import NonFiniteError, PayloadError

MINIMUM_BITS: Final = 2
MAXIMUM_BITS: Final = 16
MAXIMUM_SCALE_EXPONENT: Final = 48

Coordinates = npt.NDArray[np.int16]
Rounding = Literal["stochastic", "nearest"]

# Coordinates handled at a time, so that the float64 intermediates of a large model don't multiply its memory.
_BLOCK: Final = 1 << 20


class QuantisationError(PayloadError):
    """Thrown when the bits, the scale exponent or the shape asked for is not supported.

    Attributes
    ----------
    what
        The setting.
    found, low, high
        Its value, and the range that it must lie in.
    """

    def __init__(self, what: str, found: object, low: int, high: int) -> None:
        self.what = what
        self.found = found
        self.low = low
        self.high = high
        super().__init__(f"The {what} is {found}, it must be from {low} to {high}; use the job's terms.")


@dataclass(frozen=True, eq=False)
class Quantised:
    """A quantised update.

    Attributes
    ----------
    coordinates
        int16, shape (d,), each within the b bits asked for.
    clipped
        Number of coordinates that lay outside the range; many mean that the job's scale exponent is too large.
    """

    coordinates: Coordinates
    clipped: int


def coordinate_range(bits: int) -> tuple[int, int]:
    """Return the least and the greatest signed integer of `bits` bits, `-2^(b-1)` and `2^(b-1) - 1`.

    Raises
    ------
    QuantisationError
        If `bits` is not from 2 to 16.
    """
    if not MINIMUM_BITS <= bits <= MAXIMUM_BITS:
        raise QuantisationError("number of bits", bits, MINIMUM_BITS, MAXIMUM_BITS)
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def check_scale_exponent(scale_exponent: int) -> None:
    """Raise `QuantisationError` unless the scale exponent is from 0 to 48."""
    if not 0 <= scale_exponent <= MAXIMUM_SCALE_EXPONENT:
        raise QuantisationError("scale exponent", scale_exponent, 0, MAXIMUM_SCALE_EXPONENT)


def quantise(
    delta: npt.NDArray[np.floating[Any]],
    *,
    bits: int,
    scale_exponent: int,
    rounding: Rounding = "stochastic",
    generator: np.random.Generator | None = None,
) -> Quantised:
    """Quantise an update: `q = round(clip(delta 2^s))` to signed integers of b bits.

    Parameters
    ----------
    delta
        The update, floating point, shape (d,).
    bits
        b, 2 to 16.
    scale_exponent
        s, 0 to 48.
    rounding
        "stochastic" (down or up with probabilities that make the expectation exact) or "nearest" (ties to even).
    generator
        For stochastic rounding; a new one seeded by the operating system unless a simulation has to be repeatable.

    Raises
    ------
    QuantisationError
        If bits, scale exponent or number of axes are not supported.
    NonFiniteError
        If a value is NaN or infinite, with the first one's index.
    """
    low, high = coordinate_range(bits)
    check_scale_exponent(scale_exponent)
    if delta.ndim != 1:
        raise QuantisationError("number of axes of the update", delta.ndim, 1, 1)
    refuse_non_finite(delta, "update")
    draws = (generator or np.random.default_rng()) if rounding == "stochastic" else None
    # Clipping before scaling can't overflow, and scaling by a power of two is exact.
    least, greatest = np.ldexp(float(low), -scale_exponent), np.ldexp(float(high), -scale_exponent)
    coordinates = np.empty(delta.size, dtype=np.int16)
    clipped = 0
    for start in range(0, delta.size, _BLOCK):
        block = delta[start : start + _BLOCK].astype(np.float64)
        clipped += int(np.count_nonzero((block < least) | (block > greatest)))
        scaled = np.ldexp(np.clip(block, least, greatest), scale_exponent)
        coordinates[start : start + _BLOCK] = _rounded(scaled, draws)
    return Quantised(coordinates, clipped)


def _rounded(scaled: npt.NDArray[np.float64], draws: np.random.Generator | None) -> npt.NDArray[np.float64]:
    """Round to nearest, or stochastically if a generator is given."""
    if draws is None:
        return np.rint(scaled)
    below = np.floor(scaled)
    return below + (draws.random(scaled.size) < scaled - below)


def dequantise(coordinates: Coordinates, scale_exponent: int) -> npt.NDArray[np.float64]:
    """Return `q / 2^s`, exactly, as float64 of shape (d,).

    Raises
    ------
    QuantisationError
        If the scale exponent is not from 0 to 48.
    """
    check_scale_exponent(scale_exponent)
    return np.ldexp(coordinates.astype(np.float64), -scale_exponent)


def refuse_non_finite(values: npt.NDArray[np.floating[Any]], document: str) -> None:
    """Raise `NonFiniteError`, naming `document`, if any value is NaN or infinite."""
    finite = np.isfinite(values)
    if not finite.all():
        index = int(np.argmin(finite))
        raise NonFiniteError(document, index, float(values.flat[index]), int(values.size - np.count_nonzero(finite)))
