"""A structured reference string for development, the same for everybody, whose secrets are public.

`tau` and `beta` are `keccak256("cairn/development/tau") mod r` and `keccak256("cairn/development/beta") mod r`. Whoever
reads this can forge a proof of anything with it, so its identity, `DEVELOPMENT_IDENTITY`, is refused on every chain
where coins have worth.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from eth_hash.auto import keccak

from zk.bn254 import g1_generator, g1_multiply, g1_to_bytes, g2_generator, g2_multiply, g2_to_bytes, powers_of
from zk.bn254.parameters import SCALAR_MODULUS
from zk.srs.errors import TooFewPowersError
from zk.srs.file import StructuredReferenceString, open_srs, write_srs
from zk.srs.header import MINIMUM_POWERS, Header, Kind
from zk.srs.pairings import Points
from zk.srs.verification_key import VerificationKey

# Powers that are in memory at once, 64 MiB of them.
_CHUNK: Final = 2**20


def _secret(name: str) -> int:
    return int.from_bytes(keccak(f"cairn/development/{name}".encode("ascii")), "big") % SCALAR_MODULUS


TAU: Final = _secret("tau")
BETA: Final = _secret("beta")


def development_key() -> VerificationKey:
    """Return the verification key of the public secrets."""
    tau_g1, beta_g1 = (g1_to_bytes(g1_multiply(g1_generator(), secret)) for secret in (TAU, BETA))
    tau_g2, tau_squared_g2 = (g2_to_bytes(g2_multiply(g2_generator(), power)) for power in (TAU, TAU * TAU))
    return VerificationKey(tau_g1, beta_g1, tau_g2, tau_squared_g2)


def development_srs(path: Path, powers: int) -> StructuredReferenceString:
    """Make the structured reference string for development, write it to a file and open that.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    powers
        Number of powers, D.

    Raises
    ------
    TooFewPowersError
        If there are fewer than 13 powers, those of an update with one coordinate.
    SrsFileError
        If the file can't be written.
    """
    if powers < MINIMUM_POWERS:
        raise TooFewPowersError(powers, MINIMUM_POWERS, "A structured reference string")
    header = Header(Kind.DEVELOPMENT, powers, powers, bytes(32), bytes(64), development_key().encode())
    write_srs(path, header, _chunks_of_powers(powers))
    return open_srs(path)


def _chunks_of_powers(count: int) -> Iterator[Points]:
    for start in range(0, count, _CHUNK):
        first = g1_multiply(g1_generator(), pow(TAU, start, SCALAR_MODULUS))
        yield powers_of(TAU, min(_CHUNK, count - start), first)
