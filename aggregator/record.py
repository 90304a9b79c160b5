"""A settlement on the aggregator's disk: proven once, it is sent as it is by whichever process comes to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from eth_utils.address import is_checksum_address

from contribution.errors import CairnError
from marketplace.chain.structs import Exclusion, Settlement
from marketplace.private_files import write_private
from marketplace.strict_json import parse_json

FORMAT: Final = "cairn-settlement-1"
_BYTES: Final = ("commitments", "gram", "model_commitment", "new_model_commitment", "aggregate_cid", "proof")


class SettlementRecordError(CairnError):
    """Thrown when a settlement that was kept on the disk can't be read or written."""


def keep_settlement(path: Path, settlement: Settlement) -> None:
    """Write a settlement, for the user alone, whole or not at all.

    Raises
    ------
    SettlementRecordError
        If it can't be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, _text(settlement).encode())
    except OSError as fault:
        raise SettlementRecordError(
            f"Can't keep the settlement of round {settlement.round} in {path} ({fault.strerror}); nothing was sent. "
            "Free some space or name another workspace."
        ) from fault


def find_settlement(path: Path) -> Settlement | None:
    """Return the settlement that was kept, or None.

    Raises
    ------
    SettlementRecordError
        If the file is not exactly what `keep_settlement` writes.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise SettlementRecordError(f"Can't read {path} ({fault.strerror}); check its permissions.") from fault
    try:
        settlement = _parse(content)
        if _text(settlement).encode() != content:
            raise ValueError("its fields are not written as this version writes them")
    except (ValueError, KeyError, TypeError) as fault:
        raise SettlementRecordError(
            f"The settlement in {path} is damaged ({fault}); delete the file, and the round is proven again."
        ) from fault
    return settlement


def _text(settlement: Settlement) -> str:
    record: dict[str, Any] = {
        "format": FORMAT,
        "job": settlement.job,
        "round": settlement.round,
        "trainers": list(settlement.trainers),
        "exclusions": [[entry.account, int(entry.reason), entry.evidence.hex()] for entry in settlement.exclusions],
    }
    record |= {name: getattr(settlement, name).hex() for name in _BYTES}
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def _parse(content: bytes) -> Settlement:
    fields = dict(parse_json(content))
    if fields.pop("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    exclusions = [
        Exclusion(_address(account), int(reason), bytes.fromhex(evidence))
        for account, reason, evidence in fields.pop("exclusions")
    ]
    trainers = tuple(_address(account) for account in fields.pop("trainers"))
    parts = {name: bytes.fromhex(fields.pop(name)) for name in _BYTES}
    job, number = int(fields.pop("job")), int(fields.pop("round"))
    if fields:
        raise ValueError(f"it has unknown fields: {', '.join(sorted(fields))}")
    return Settlement(job=job, round=number, trainers=trainers, exclusions=tuple(exclusions), **parts)


def _address(text: object) -> Any:  # noqa: ANN401 - a checksummed address, once it was looked at
    if not is_checksum_address(text):
        raise ValueError(f"{text!r} is no address with checksum")
    return text
