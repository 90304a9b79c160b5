"""What names a structured reference string: the hash of its verification key."""

from typing import Final

from eth_hash.auto import keccak

# Identity of the key that `zk.srs.development` makes: its secrets are public, so whoever accepts it accepts forgeries.
DEVELOPMENT_IDENTITY: Final = bytes.fromhex("8b3f5e79fb7cc1fb3deeda3f7874097fb318c40dec9b4207a18dba1cf75a330d")

_TAG: Final = b"cairn/gram-proof/1/srs".ljust(32, b"\0")


def identity_of(encoded_key: bytes) -> bytes:
    """Return `keccak256("cairn/gram-proof/1/srs" || [tau] || [beta] || [tau]_2 || [tau^2]_2)`, the proof's `srs`.

    Parameters
    ----------
    encoded_key
        The four points one after the other, 384 bytes; whether they are points is not looked at.
    """
    return bytes(keccak(_TAG + encoded_key))
