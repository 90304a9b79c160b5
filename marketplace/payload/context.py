"""Which chain, market, job, round and account a document was made for, as bytes that can't mean anything else."""

import struct
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, Self

from eth_typing import ChecksumAddress
from eth_utils.address import is_address, to_canonical_address, to_checksum_address

from marketplace.errors import MalformedPayloadError, WrongOriginError

_ROUND: Final = struct.Struct(">32s20s32sQ")
_WORD_LIMIT: Final = 1 << 256
_ROUND_LIMIT: Final = 1 << 64


@dataclass(frozen=True)
class RoundContext:
    """One round of one job.

    Encoded as chain id (32 bytes), contract (20), job (32) and round (8), integers big-endian.

    Attributes
    ----------
    chain_id
        Of the chain.
    contract
        Address of the market.
    job, round
        Numbers of the job and of the round.

    Raises
    ------
    MalformedPayloadError
        If a number is negative or too large for its field, or an address is none.
    """

    SIZE: ClassVar[int] = _ROUND.size

    chain_id: int
    contract: ChecksumAddress
    job: int
    round: int

    def __post_init__(self) -> None:
        for name, limit in (("chain_id", _WORD_LIMIT), ("job", _WORD_LIMIT), ("round", _ROUND_LIMIT)):
            value = getattr(self, name)
            if not 0 <= value < limit:
                raise MalformedPayloadError("context", f"{name} is {value}, it must be from 0 to {limit - 1}")
        _normalise_address(self, "contract")

    def encode(self) -> bytes:
        """Return the canonical bytes, `SIZE` of them."""
        return _ROUND.pack(
            self.chain_id.to_bytes(32, "big"),
            to_canonical_address(self.contract),
            self.job.to_bytes(32, "big"),
            self.round,
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Convert `SIZE` bytes to a context; every value of them is one."""
        return cls(**_round_fields(data))

    def require(self, expected: Self, document: str) -> None:
        """Raise `WrongOriginError`, naming `document`, at the first field that differs from the expected context."""
        for each in fields(self):
            found, wanted = getattr(self, each.name), getattr(expected, each.name)
            if found != wanted:
                raise WrongOriginError(document, each.name.replace("_", " "), found, wanted)


@dataclass(frozen=True)
class EnvelopeContext(RoundContext):
    """One account's submission in one round; encoded as its round followed by the account's 20 bytes.

    Attributes
    ----------
    trainer
        Address of the trainer, or of the referee for a reference vector.
    """

    SIZE: ClassVar[int] = _ROUND.size + 20

    trainer: ChecksumAddress

    def __post_init__(self) -> None:
        super().__post_init__()
        _normalise_address(self, "trainer")

    def encode(self) -> bytes:
        """Return the canonical bytes, `SIZE` of them."""
        return super().encode() + to_canonical_address(self.trainer)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Convert `SIZE` bytes to a context; every value of them is one."""
        return cls(**_round_fields(data[:-20]), trainer=to_checksum_address(data[-20:]))


def _round_fields(data: bytes) -> dict[str, Any]:
    """Split the bytes of a round's context into its fields."""
    chain_id, contract, job, round_number = _ROUND.unpack(data)
    return {
        "chain_id": int.from_bytes(chain_id, "big"),
        "contract": to_checksum_address(contract),
        "job": int.from_bytes(job, "big"),
        "round": round_number,
    }


def _normalise_address(context: RoundContext, name: str) -> None:
    """Replace an address by its checksummed form, so that equal contexts compare equal."""
    value = getattr(context, name)
    if not is_address(value):
        raise MalformedPayloadError("context", f"{name} is {value!r}, it must be an address")
    object.__setattr__(context, name, to_checksum_address(value))
