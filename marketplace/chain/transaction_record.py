"""The record of one transaction of an account: what was signed for a nonce and what became of it, as a file.

Files come from a disk that others may have written to. `parse_record` is the one place that reads them: it accepts what
`record_text` writes and nothing else, and everything that matters (sender, nonce, chain, call, fees) is taken from the
signed transactions themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys.exceptions import BadSignature
from eth_typing import ChecksumAddress
from eth_utils.address import is_checksum_address, to_checksum_address
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from hexbytes import HexBytes
from rlp.exceptions import RLPException  # type: ignore[import-untyped]

from marketplace.chain.fees import Fees
from marketplace.strict_json import parse_json

FORMAT: Final = "cairn-transaction-1"
MAX_FILE_SIZE: Final = 16 * 2**20
# Nodes take transactions of up to 128 KiB; as many as this fit a file in hexadecimal.
MAX_ATTEMPTS: Final = 60
MAX_TEXT: Final = 2000
_FEE_MARKET_TYPE: Final = 2
_HASH: Final = re.compile(r"0x[0-9a-f]{64}")
_DATA: Final = re.compile(r"0x(?:[0-9a-f]{2})+")


class State(StrEnum):
    """What became of a nonce."""

    PENDING = "pending"
    """In no block yet."""
    DONE = "done"
    """The call is in a block and succeeded."""
    REVERTED = "reverted"
    """The call is in a block and failed."""
    CANCELLED = "cancelled"
    """An empty transaction is in a block instead of the call."""
    TAKEN = "taken"
    """A transaction that is not in this journal has the nonce."""


@dataclass(frozen=True)
class Place:
    """A block: its number and its hash, 0x and 64 hex digits."""

    number: int
    hash: str


@dataclass(frozen=True)
class Attempt:
    """A signed transaction.

    Attributes
    ----------
    raw
        As it is sent to a node (EIP-2718).
    cancels
        Whether it is the empty transaction that uses up the nonce of a call that is not wanted any more.
    hash
        keccak256 of `raw`, 0x and 64 hex digits.
    sender, chain_id, nonce, to, data, value, gas, fees
        What it says; `to` is None for the creation of a contract, `value` in wei.
    """

    raw: bytes
    cancels: bool
    hash: str = field(init=False)
    sender: ChecksumAddress = field(init=False)
    chain_id: int = field(init=False)
    nonce: int = field(init=False)
    to: ChecksumAddress | None = field(init=False)
    data: bytes = field(init=False)
    value: int = field(init=False)
    gas: int = field(init=False)
    fees: Fees = field(init=False)

    def __post_init__(self) -> None:
        """Read the transaction.

        Raises
        ------
        ValueError
            If it is no signed transaction of type 2, or a cancellation that is not empty.
        """
        try:
            said = TypedTransaction.from_bytes(HexBytes(self.raw)).as_dict()
            sender = Account.recover_transaction(self.raw)
        except (RLPException, BadSignature, ValidationError, ValueError, TypeError) as fault:
            raise ValueError(f"a signed transaction does not decode ({fault})") from fault
        if said["type"] != _FEE_MARKET_TYPE:
            raise ValueError(f"a signed transaction has type {said['type']}, not {_FEE_MARKET_TYPE}")
        to = to_checksum_address(said["to"]) if said["to"] else None
        read: dict[str, Any] = {
            "hash": "0x" + keccak(self.raw).hex(),
            "sender": sender,
            "to": to,
            "data": bytes(said["data"]),
            "fees": Fees(said["maxFeePerGas"], said["maxPriorityFeePerGas"]),
            "chain_id": said["chainId"],
            "nonce": said["nonce"],
            "value": said["value"],
            "gas": said["gas"],
        }
        for name, value in read.items():
            object.__setattr__(self, name, value)
        if self.cancels and (self.to != self.sender or self.data or self.value):
            raise ValueError("a cancellation is not an empty transaction of the account to itself")

    @property
    def call(self) -> tuple[ChecksumAddress | None, bytes, int]:
        """What it does: receiver, data and value."""
        return self.to, self.data, self.value


@dataclass(frozen=True)
class Record:
    """One nonce of one account.

    Attributes
    ----------
    action
        What the transaction is called in messages.
    attempts
        Every transaction that was signed with this nonce, oldest first: at most one of them can enter the chain.
    since
        Chain time, in seconds, from which on it is being waited for a block.
    state, block
        What became of it, and the block that shows it; None while it is pending.
    wanted
        Whether the call is sent again if it falls out of the chain; not after it failed, lost its nonce or was
        cancelled, because whoever asked was told so and may have asked anew.
    reported
        Whether whoever asked for the call was told its outcome.
    reason
        Why it reverted, was cancelled or is not taken by the node; "" if there is nothing to say.
    """

    action: str
    attempts: tuple[Attempt, ...]
    since: int
    state: State = State.PENDING
    block: Place | None = None
    wanted: bool = True
    reported: bool = False
    reason: str = ""

    @property
    def last(self) -> Attempt:
        """What was signed last."""
        return self.attempts[-1]

    @property
    def nonce(self) -> int:
        """The nonce."""
        return self.last.nonce

    @property
    def call(self) -> Attempt | None:
        """The last transaction that makes the call; None if there is none, because the nonce only had to be used up."""
        return next((attempt for attempt in reversed(self.attempts) if not attempt.cancels), None)


def record_text(record: Record) -> str:
    """Return the one text that stands for a record."""
    block = record.block and {"number": record.block.number, "hash": record.block.hash}
    fields = {
        "format": FORMAT,
        "account": record.last.sender,
        "chain_id": record.last.chain_id,
        "nonce": record.nonce,
        "action": record.action,
        "attempts": [
            {"hash": attempt.hash, "cancels": attempt.cancels, "raw": "0x" + attempt.raw.hex()}
            for attempt in record.attempts
        ],
        "since": record.since,
        "state": record.state.value,
        "block": block,
        "wanted": record.wanted,
        "reported": record.reported,
        "reason": record.reason,
    }
    return json.dumps(fields, indent=2, ensure_ascii=True) + "\n"


def parse_record(content: bytes) -> Record:
    """Turn the bytes of a file into a `Record`.

    Raises
    ------
    ValueError
        If they are not the canonical text of one; the message names the first fault.
    """
    if len(content) > MAX_FILE_SIZE:
        raise ValueError(f"it has more than {MAX_FILE_SIZE} bytes")
    fields = parse_json(content)
    _check_fields(fields, _FIELDS)
    for attempt in fields["attempts"]:
        _check_fields(attempt, _ATTEMPT_FIELDS)
    if fields["block"] is not None:
        _check_fields(fields["block"], _BLOCK_FIELDS)
    if (fields["block"] is None) != (fields["state"] == State.PENDING):
        raise ValueError(f"its state is {fields['state']} and its block {json.dumps(fields['block'])}")
    attempts = tuple(Attempt(bytes.fromhex(raw["raw"][2:]), raw["cancels"]) for raw in fields["attempts"])
    _check_attempts(attempts)
    record = Record(
        action=fields["action"],
        attempts=attempts,
        since=fields["since"],
        state=State(fields["state"]),
        block=fields["block"] and Place(**fields["block"]),
        wanted=fields["wanted"],
        reported=fields["reported"],
        reason=fields["reason"],
    )
    if record_text(record).encode() != content:
        raise ValueError("its fields disagree with its signed transactions, or are not written as Cairn writes them")
    return record


def _check_fields(found: object, wanted: dict[str, tuple[Callable[[Any], bool], str]]) -> None:
    if not isinstance(found, dict) or set(found) != set(wanted):
        raise ValueError(f"an object must have these fields and no others: {', '.join(wanted)}")
    for name, (fits, what) in wanted.items():
        if not fits(found[name]):
            raise ValueError(f"{name} is {json.dumps(found[name])[:80]} and must be {what}")


def _check_attempts(attempts: tuple[Attempt, ...]) -> None:
    """Refuse signed transactions that can't belong to one record."""
    owners = {(attempt.sender, attempt.chain_id, attempt.nonce) for attempt in attempts}
    calls = {attempt.call for attempt in attempts if not attempt.cancels}
    if len(owners) != 1 or len(calls) > 1:
        raise ValueError("its signed transactions differ in sender, chain, nonce or call")


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


_Check = tuple[Callable[[Any], bool], str]
_NUMBER: Final[_Check] = (_is_number, "a number")
_FLAG: Final[_Check] = (_is_flag, "true or false")
_TEXT: Final[_Check] = (_is_text, f"a text of at most {MAX_TEXT} characters")
_FIELDS: Final[dict[str, _Check]] = {
    "format": (lambda value: value == FORMAT, FORMAT),
    "account": (lambda value: isinstance(value, str) and is_checksum_address(value), "an address with checksum"),
    "chain_id": _NUMBER,
    "nonce": _NUMBER,
    "action": _TEXT,
    "attempts": (
        lambda value: isinstance(value, list) and 0 < len(value) <= MAX_ATTEMPTS,
        f"a list of 1 to {MAX_ATTEMPTS} signed transactions",
    ),
    "since": _NUMBER,
    "state": (lambda value: isinstance(value, str) and value in list(State), f"one of {', '.join(State)}"),
    "block": (lambda value: value is None or isinstance(value, dict), "a block or null"),
    "wanted": _FLAG,
    "reported": _FLAG,
    "reason": _TEXT,
}
_ATTEMPT_FIELDS: Final[dict[str, _Check]] = {
    "hash": (lambda value: isinstance(value, str) and _HASH.fullmatch(value) is not None, "0x and 64 hex digits"),
    "cancels": _FLAG,
    "raw": (lambda value: isinstance(value, str) and _DATA.fullmatch(value) is not None, "0x and hex digits"),
}
_BLOCK_FIELDS: Final[dict[str, _Check]] = {
    "number": _NUMBER,
    "hash": (lambda value: isinstance(value, str) and _HASH.fullmatch(value) is not None, "0x and 64 hex digits"),
}
