"""What a settlement's proof is bound to: the hash that `Settling.sol` computes, from the same items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_abi.abi import encode
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from marketplace.chain.structs import Exclusion, Settlement, Terms

_ADDRESS_TERMS: Final = ("aggregator", "rule", "token", "referee")
_BYTES_TERMS: Final = ("allowlist_root",)
# Every member of the terms is one word, whatever its width.
_TERM_TYPES: Final = ",".join(
    "address" if name in _ADDRESS_TERMS else "bytes32" if name in _BYTES_TERMS else "uint256"
    for name in Terms.__dataclass_fields__
)


@dataclass(frozen=True)
class JobIdentity:
    """What tells a job from every other on any chain.

    Attributes
    ----------
    chain_id, market, job, owner, terms
        Where it is, its number, whose it is, and everything that was fixed at its creation.
    specification_hash
        keccak256 of the specification's binary CID.
    """

    chain_id: int
    market: ChecksumAddress
    job: int
    owner: ChecksumAddress
    terms: Terms
    specification_hash: bytes

    @property
    def digest(self) -> bytes:
        """`keccak256(abi.encode(chain id, market, job, owner, terms, specification hash))`."""
        types = ["uint256", "address", "uint256", "address", f"({_TERM_TYPES})", "bytes32"]
        values = [self.chain_id, self.market, self.job, self.owner, self.terms.to_abi(), self.specification_hash]
        return bytes(keccak(encode(types, values)))


def exclusions_hash(exclusions: tuple[Exclusion, ...]) -> bytes:
    """Chain the exclusions in their order: `h' = keccak256(abi.encode(h, account, reason, keccak256(evidence)))`."""
    digest = bytes(32)
    for exclusion in exclusions:
        items = [digest, exclusion.account, exclusion.reason, keccak(exclusion.evidence)]
        digest = bytes(keccak(encode(["bytes32", "address", "uint8", "bytes32"], items)))
    return digest


def settlement_context(
    identity: JobIdentity, settler: ChecksumAddress, settlement: Settlement, references: int
) -> bytes:
    """Return the context of a settlement's proof, 32 bytes.

    Parameters
    ----------
    identity
        The job's.
    settler
        The account that sends the settlement; nobody else can use the proof.
    settlement
        The settlement; its commitments, matrix and proof are not part of the context, the proof itself covers them.
    references
        How many of the last commitments are the referee's.
    """
    types = ["bytes32", "uint256", "address", "address[]", "bytes32", "uint256", "bytes32", "bytes"]
    values = [
        identity.digest,
        settlement.round,
        settler,
        list(settlement.trainers),
        exclusions_hash(settlement.exclusions),
        references,
        keccak(settlement.model_commitment),
        settlement.aggregate_cid,
    ]
    return bytes(keccak(encode(types, values)))
