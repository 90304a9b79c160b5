"""How a refutation of a settled matrix is encoded, and sealed so that nobody can take it for its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_abi.abi import encode
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from marketplace.chain.errors import CertificateRangeError

_LIMIT: Final = 2**63


def encode_certificate(x: Sequence[int]) -> bytes:
    """Return the integers of a certificate as the market takes them: 8 bytes each, big-endian, two's complement.

    Parameters
    ----------
    x
        Integers of 64 bits, one for each row of the matrix, as `zk.definiteness.find_short_refutation` finds them.

    Raises
    ------
    CertificateRangeError
        If one does not fit 64 bits.
    """
    for index, entry in enumerate(x):
        if not -_LIMIT <= entry < _LIMIT:
            raise CertificateRangeError(index, entry)
    return b"".join(entry.to_bytes(8, "big", signed=True) for entry in x)


def sealed_refutation(challenger: ChecksumAddress, job: int, number: int, x: Sequence[int]) -> bytes:
    """Return what a challenger announces: `keccak256(abi.encode(challenger, job, round, certificate))`.

    Parameters
    ----------
    challenger
        The account that will show the refutation.
    job, number
        The job and the round.
    x
        The certificate.

    Raises
    ------
    CertificateRangeError
        If an integer of the certificate does not fit 64 bits.
    """
    types = ["address", "uint256", "uint256", "bytes"]
    return bytes(keccak(encode(types, [challenger, job, number, encode_certificate(x)])))
