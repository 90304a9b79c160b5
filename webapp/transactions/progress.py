"""What the site's node knows of a transaction that a wallet says to have sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import TransactionNotFound
from web3.logs import DISCARD

from marketplace.chain.artifacts import load_artifact
from marketplace.chain.calls import known_errors, simulate
from marketplace.chain.deployment import MARKET
from marketplace.chain.errors import ChainError, ContractRevertedError
from webapp.transactions.records import Prepared

# How many blocks are searched for what took a transaction's place.
_SEARCHED_BLOCKS: Final = 32


class Stage(StrEnum):
    """How far a transaction is."""

    UNSENT = "unsent"
    UNKNOWN = "unknown"
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    REPLACED = "replaced"
    OTHER = "other"

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come of it."""
        return self in (Stage.DONE, Stage.FAILED, Stage.REPLACED, Stage.OTHER)


@dataclass(frozen=True)
class Progress:
    """How far a transaction is.

    Attributes
    ----------
    stage
        In one word.
    sentence
        What that means, and what to do.
    hash
        Of the transaction that is meant, which may be one that took the place of the first; None before it is sent.
    block
        That holds it; None if none does.
    nonce
        That it has; None if the node has not seen it.
    job
        That it created; None if it created none.
    withdrawn
        What it paid out, in the smallest units of the job's token; None if it withdrew nothing.
    """

    stage: Stage
    sentence: str
    hash: str | None = None
    block: int | None = None
    nonce: int | None = None
    job: int | None = None
    withdrawn: int | None = None


def progress_of(w3: Web3, prepared: Prepared) -> Progress:
    """Ask the node how far a transaction is.

    Raises
    ------
    ChainError
        If the node fails.
    """
    if prepared.hash is None:
        return Progress(Stage.UNSENT, "Nothing has been sent. Your wallet has not been asked yet, or has not answered.")
    found = _transaction(w3, prepared.hash)
    if found is None:
        return _vanished(w3, prepared)
    if not _is_the_one(found, prepared):
        return Progress(
            Stage.OTHER,
            "The transaction with this hash is not the one that was prepared here: account, contract, data or value "
            "differ. Your wallet, or something between it and this page, has changed it. Look at it in your wallet.",
            prepared.hash,
        )
    return _included(w3, prepared, found)


def _included(w3: Web3, prepared: Prepared, found: Any) -> Progress:  # noqa: ANN401 - a transaction as web3 has it
    said, nonce = "0x" + bytes(found["hash"]).hex(), int(found["nonce"])
    try:
        receipt = w3.eth.get_transaction_receipt(said)  # type: ignore[arg-type]
    except TransactionNotFound:
        return Progress(Stage.PENDING, "Sent. The chain has not taken it in yet.", said, None, nonce)
    block = int(receipt["blockNumber"])
    if receipt["status"] != 1:
        sentence = f"The contract refused it in block {block}: {_reason(w3, prepared)} The gas is spent, nothing else."
        return Progress(Stage.FAILED, sentence, said, block, nonce)
    market = w3.eth.contract(prepared.unsigned.target, abi=load_artifact(MARKET).abi)
    created = market.events.JobCreated().process_receipt(receipt, errors=DISCARD)
    job = int(created[0]["args"]["jobId"]) if created else None
    paid = market.events.Withdrawn().process_receipt(receipt, errors=DISCARD)
    withdrawn = int(paid[0]["args"]["amount"]) if paid else None
    return Progress(Stage.DONE, f"Done: block {block} holds it.", said, block, nonce, job, withdrawn)


def _vanished(w3: Web3, prepared: Prepared) -> Progress:
    """Tell what became of a transaction that the node does not know."""
    unsigned, nonce = prepared.unsigned, prepared.nonce
    if nonce is not None and w3.eth.get_transaction_count(unsigned.account) > nonce:
        taken = _taker(w3, prepared, nonce)
        if taken is not None and _is_the_one(taken, prepared):
            return _included(w3, prepared, taken)
        return Progress(
            Stage.REPLACED,
            "Another transaction of your account took its place, as wallets do when you cancel one. This one will not "
            "happen; prepare it again if you still want it.",
            prepared.hash,
            None,
            nonce,
        )
    if nonce is not None:
        sentence = (
            "The node no longer knows it: it was dropped, for example because its fee was too low. Send it again from "
            "your wallet, or prepare it again; it can happen only once with the same nonce."
        )
    else:
        sentence = (
            "Sent, says your wallet; this site's node does not know it yet. That takes seconds. If it stays so, look "
            "into your wallet whether it was dropped, and prepare it again."
        )
    return Progress(Stage.UNKNOWN, sentence, prepared.hash, None, nonce)


def _taker(w3: Web3, prepared: Prepared, nonce: int) -> Any:  # noqa: ANN401 - a transaction as web3 has it
    """Return the transaction that has the nonce, from the last blocks; None if they don't hold it."""
    newest = w3.eth.block_number
    oldest = max(newest - _SEARCHED_BLOCKS + 1, prepared.sent_block or 0, 0)
    for number in range(newest, oldest - 1, -1):
        for each in w3.eth.get_block(number, full_transactions=True)["transactions"]:
            if not isinstance(each, bytes) and each["from"] == prepared.unsigned.account and each["nonce"] == nonce:
                return each
    return None


def _transaction(w3: Web3, transaction_hash: str) -> Any:  # noqa: ANN401 - a transaction as web3 has it
    try:
        return w3.eth.get_transaction(transaction_hash)  # type: ignore[arg-type]
    except TransactionNotFound:
        return None


def _is_the_one(found: Any, prepared: Prepared) -> bool:  # noqa: ANN401 - a transaction as web3 has it
    unsigned = prepared.unsigned
    said = found["from"], found.get("to"), bytes(HexBytes(found["input"])), int(found["value"])
    return said == (unsigned.account, unsigned.target, unsigned.data, unsigned.value)


def _reason(w3: Web3, prepared: Prepared) -> str:
    """Return why the contract refused, as far as trying it again tells."""
    unsigned = prepared.unsigned
    fields = {"from": unsigned.account, "to": unsigned.target, "data": "0x" + unsigned.data.hex()}
    try:
        simulate(w3, {**fields, "value": unsigned.value}, f"`{unsigned.kind}`", known_errors(), "latest")
    except ContractRevertedError as refused:
        return f"{refused.sentence}."
    except ChainError:
        return "the reason can't be told any more."
    return "tried again now it would go through; it may have run out of gas."
