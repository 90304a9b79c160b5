"""An account that sends: signing, broadcasting, and what nodes answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import TransactionIndexingInProgress, TransactionNotFound, Web3RPCError
from web3.types import BlockIdentifier, TxReceipt

from marketplace.chain.calls import node_message
from marketplace.chain.fees import Fees
from marketplace.chain.journal import Journal
from marketplace.chain.transaction_record import Attempt, Place, Record

# Each client has its own words: geth, reth, Erigon and anvil; Nethermind; Besu.
_KNOWN: Final = ("already known", "already imported", "alreadyknown", "known transaction", "existing tx with same hash")
_NONCE_USED: Final = ("nonce too low", "oldnonce", "nonce is too low")
_UNDERPRICED: Final = (
    "underpriced",
    "less than block base fee",
    "below current base fee",
    "replacementnotallowed",
    "feetoolow",
)

Call = tuple[ChecksumAddress | None, bytes, int]


@dataclass(frozen=True)
class Sender:
    """Who sends, where, and how dear it may be.

    Attributes
    ----------
    w3
        The chain.
    account
        Who signs and pays.
    journal
        What the account has sent.
    fee_cap
        Wei per gas that may be paid at most, tip included.
    """

    w3: Web3
    account: LocalAccount
    journal: Journal
    fee_cap: int

    def transaction_count(self, block: BlockIdentifier) -> int:
        """Return the first nonce that the account has not used as of a block."""
        return self.w3.eth.get_transaction_count(self.account.address, block)


@dataclass(frozen=True)
class Head:
    """The chain's last block: where it stands, and its time in seconds since the Unix epoch."""

    place: Place
    timestamp: int


class Answer(Enum):
    """What a node says to a transaction."""

    ACCEPTED = auto()
    """It keeps it, or kept it already."""
    NONCE_USED = auto()
    """The chain has a transaction with this nonce."""
    UNDERPRICED = auto()
    """It wants higher fees."""
    REFUSED = auto()
    """It does not take it for another reason."""


def sign(sender: Sender, call: Call, *, nonce: int, gas: int, fees: Fees, cancels: bool = False) -> Attempt:
    """Sign a transaction."""
    to, data, value = call
    fields: dict[str, Any] = {
        "type": 2,
        "chainId": sender.journal.chain_id,
        "nonce": nonce,
        "gas": gas,
        "maxFeePerGas": fees.most,
        "maxPriorityFeePerGas": fees.tip,
        "value": value,
        "data": data,
    }
    signed = sender.account.sign_transaction(fields if to is None else fields | {"to": to})
    return Attempt(bytes(signed.raw_transaction), cancels)


def broadcast(w3: Web3, attempt: Attempt) -> tuple[Answer, str]:
    """Hand a signed transaction to a node; return what it answers, and in which words."""
    try:
        w3.eth.send_raw_transaction(attempt.raw)
    except Web3RPCError as refused:
        said = node_message(refused)
        return _understand(said.lower()), said
    return Answer.ACCEPTED, ""


def is_known(w3: Web3, attempt: Attempt) -> bool:
    """Tell whether a node has a transaction, in a block or waiting for one."""
    try:
        w3.eth.get_transaction(HexBytes(attempt.hash))
    except TransactionNotFound:
        return False
    return True


def find_receipt(w3: Web3, record: Record) -> tuple[Attempt, TxReceipt] | None:
    """Return which of a record's transactions is in a block, with its receipt."""
    for attempt in reversed(record.attempts):
        try:
            return attempt, w3.eth.get_transaction_receipt(HexBytes(attempt.hash))
        except (TransactionNotFound, TransactionIndexingInProgress):
            continue
    return None


def find_head(w3: Web3) -> Head:
    """Return the chain's last block."""
    block = w3.eth.get_block("latest")
    return Head(Place(int(block["number"]), block["hash"].to_0x_hex()), int(block["timestamp"]))


def _understand(said: str) -> Answer:
    kinds = ((_KNOWN, Answer.ACCEPTED), (_NONCE_USED, Answer.NONCE_USED), (_UNDERPRICED, Answer.UNDERPRICED))
    return next((answer for words, answer in kinds if any(word in said for word in words)), Answer.REFUSED)
