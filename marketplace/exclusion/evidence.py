"""The evidence of an exclusion as bytes: what the aggregator publishes, so that nobody has to believe its reason.

Canonical JSON (sorted keys, no spaces, ASCII) with exactly these keys:

    format           "cairn-exclusion-evidence-1"
    chain_id, contract, job, round, account
                     whose update was left out of which round
    reason           "undecryptable", "mismatch" or "out of range"
    envelope         CID of the envelope, as submitted
    commitment_hash  as submitted, hexadecimal
    disclosure       what opens the envelope for everybody, base64; null where its fault is seen without
    first_block      the first block of content that is too large for the job, base64; null otherwise

There is none for "unavailable": nobody can show that something was not to be had, the notice on chain counts.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Final

from marketplace.chain.structs import ExclusionReason
from marketplace.errors import MalformedPayloadError, PayloadError, StorageError
from marketplace.payload.context import EnvelopeContext
from marketplace.storage.cid import Cid, parse_cid
from marketplace.storage.unixfs import MAXIMUM_BLOCK_BYTES
from marketplace.strict_json import parse_json

FORMAT: Final = "cairn-exclusion-evidence-1"
# Base64 of the largest block, and ample room for the rest.
LARGEST_EVIDENCE_BYTES: Final = 4 * MAXIMUM_BLOCK_BYTES // 3 + 4096

_DOCUMENT: Final = "evidence"
_REASONS: Final = {
    reason.words: reason
    for reason in (ExclusionReason.UNDECRYPTABLE, ExclusionReason.MISMATCH, ExclusionReason.OUT_OF_RANGE)
}


@dataclass(frozen=True)
class Evidence:
    """What the aggregator states about an exclusion, and what shows it.

    Attributes
    ----------
    context
        The round, and whose update was left out.
    reason
        Any but unavailable.
    envelope
        CID of the envelope.
    commitment_hash
        As submitted, 32 bytes.
    disclosure
        From `marketplace.payload.disclosure.disclose`, or None.
    first_block
        Of content that is too large, or None.
    """

    context: EnvelopeContext
    reason: ExclusionReason
    envelope: Cid
    commitment_hash: bytes
    disclosure: bytes | None = None
    first_block: bytes | None = field(default=None, repr=False)


def encode_evidence(evidence: Evidence) -> bytes:
    """Encode evidence in its one canonical form."""
    context = evidence.context
    document = {
        "format": FORMAT,
        "chain_id": context.chain_id,
        "contract": context.contract,
        "job": context.job,
        "round": context.round,
        "account": context.trainer,
        "reason": evidence.reason.words,
        "envelope": str(evidence.envelope),
        "commitment_hash": "0x" + evidence.commitment_hash.hex(),
        "disclosure": _to_base64(evidence.disclosure),
        "first_block": _to_base64(evidence.first_block),
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def decode_evidence(data: bytes) -> Evidence:
    """Convert untrusted bytes to evidence, refusing every encoding but the one that `encode_evidence` gives.

    Raises
    ------
    MalformedPayloadError
        If they are not the canonical bytes of evidence.
    """
    if len(data) > LARGEST_EVIDENCE_BYTES:
        raise MalformedPayloadError(_DOCUMENT, f"it has {len(data)} bytes, at most {LARGEST_EVIDENCE_BYTES} fit")
    try:
        evidence = _from_document(parse_json(data, max_depth=1))
    except (ValueError, PayloadError, StorageError) as error:
        raise MalformedPayloadError(_DOCUMENT, str(error).rstrip(".")) from error
    if encode_evidence(evidence) != data:
        raise MalformedPayloadError(_DOCUMENT, "it is not written in its canonical form")
    return evidence


def _from_document(document: Any) -> Evidence:  # noqa: ANN401 - any JSON value
    """Read the fields; what they leave open, the comparison of the encoding settles."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}")
    reason = _text(document, "reason")
    if reason not in _REASONS:
        raise ValueError(f"its reason is {reason[:80]!r}, not one of {', '.join(_REASONS)}")
    commitment_hash = bytes.fromhex(_text(document, "commitment_hash").removeprefix("0x"))
    if len(commitment_hash) != 32:
        raise ValueError(f"its commitment hash has {len(commitment_hash)} bytes, not 32")
    context = EnvelopeContext(
        chain_id=_number(document, "chain_id"),
        contract=_text(document, "contract"),
        job=_number(document, "job"),
        round=_number(document, "round"),
        trainer=_text(document, "account"),
    )
    return Evidence(
        context,
        _REASONS[reason],
        parse_cid(_text(document, "envelope")),
        commitment_hash,
        _from_base64(document, "disclosure"),
        _from_base64(document, "first_block"),
    )


def _text(document: dict[str, Any], key: str) -> Any:  # noqa: ANN401 - text, which address types narrow
    value = document.get(key)
    if not isinstance(value, str):
        raise ValueError(f"its {key} is no text")
    return value


def _number(document: dict[str, Any], key: str) -> int:
    value = document.get(key)
    if type(value) is not int:
        raise ValueError(f"its {key} is no integer")
    return value


def _to_base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode("ascii")


def _from_base64(document: dict[str, Any], key: str) -> bytes | None:
    return None if document.get(key) is None else base64.b64decode(_text(document, key), validate=True)
