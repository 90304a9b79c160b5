"""What became of an account's transactions: looked up on the chain until it can't change any more.

A reorganisation takes blocks out of the chain, and what was done is undone. So a record stays in the journal, and is
looked up whenever the chain has changed, until its block is final.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, cast

from eth_typing import BlockNumber
from web3 import Web3
from web3.exceptions import BlockNotFound, ContractLogicError, Web3RPCError
from web3.types import TxParams, TxReceipt

from marketplace.chain.calls import Errors, known_errors, node_message, reverted_error
from marketplace.chain.errors import ContractRevertedError
from marketplace.chain.journal import Seen
from marketplace.chain.local_chains import LOCAL_CHAIN_IDS
from marketplace.chain.sender import Head, Sender, find_receipt
from marketplace.chain.transaction_record import MAX_TEXT, Attempt, Place, Record, State

# Two epochs of Ethereum, after which a block is finalised. A local chain goes back only if somebody makes it.
FINAL_DEPTH: Final = 64
LOCAL_FINAL_DEPTH: Final = 8
# A nonce counts as taken by a foreign transaction when it is used so many blocks below the last: behind one address may
# be several nodes, and the one that is asked for the receipt may lag behind the one that was asked for the nonce.
TAKEN_DEPTH: Final = 3


def look_up(sender: Sender, head: Head) -> list[str]:
    """Bring every record up to what the chain says; return what changed, in words.

    Parameters
    ----------
    head : Head
        The chain's last block.
    """
    trusted = _still_settled(sender)
    lines = []
    for record in sender.journal.records():
        if record.block is not None and ((record.nonce, record.block) in trusted or _is_in(sender.w3, record.block)):
            continue
        found = judge(sender, record, head)
        if found != record:
            sender.journal.write(found)
            lines += _tell(record, found)
    settled = frozenset((record.nonce, record.block) for record in sender.journal.records() if record.block is not None)
    sender.journal.seen = Seen(head.place, settled)
    return lines


def judge(sender: Sender, record: Record, head: Head) -> Record:
    """Return a record as the chain shows it now."""
    # In this order: a block that comes in between shows the receipt to the second question.
    used = _is_used(sender, head, record.nonce)
    found = find_receipt(sender.w3, record)
    if found is not None:
        return include(sender, record, *found)
    if used:
        reason = f"another transaction of the account has nonce {record.nonce}"
        return replace(record, state=State.TAKEN, block=head.place, wanted=False, reason=reason)
    if record.state is State.PENDING:
        return record
    return replace(record, state=State.PENDING, block=None, since=head.timestamp)


def include(sender: Sender, record: Record, attempt: Attempt, receipt: TxReceipt) -> Record:
    """Return a record one of whose transactions a block holds."""
    block = Place(int(receipt["blockNumber"]), receipt["blockHash"].to_0x_hex())
    if attempt.cancels:
        return replace(record, state=State.CANCELLED, block=block, wanted=False)
    if receipt["status"] == 1:
        return replace(record, state=State.DONE, block=block, reason="")
    reason = failure(sender.w3, attempt, receipt, record.action, known_errors()).sentence[:MAX_TEXT]
    return replace(record, state=State.REVERTED, block=block, wanted=False, reason=reason)


def forget_final(sender: Sender) -> None:
    """Remove the records that no reorganisation can change any more, as of the last look."""
    seen = sender.journal.seen
    depth = LOCAL_FINAL_DEPTH if sender.journal.chain_id in LOCAL_CHAIN_IDS else FINAL_DEPTH
    for record in sender.journal.records():
        if seen is not None and record.block is not None and seen.head.number - record.block.number >= depth:
            sender.journal.remove(record.nonce)


def failure(w3: Web3, attempt: Attempt, receipt: TxReceipt, action: str, errors: Errors) -> ContractRevertedError:
    """Run a transaction that failed in its block once more to learn why; return that as an error."""
    if receipt["gasUsed"] >= attempt.gas:
        sentence = f"it used up its {attempt.gas} gas; the chain changed since it was tried, try again"
        return ContractRevertedError(action, "", {}, sentence)
    call = {"from": attempt.sender, "to": attempt.to, "data": attempt.data, "value": attempt.value}
    fields = {name: field for name, field in call.items() if field}
    try:
        w3.eth.call(cast(TxParams, fields), receipt["blockNumber"])
    except ContractLogicError as reverted:
        return reverted_error(action, reverted, errors)
    except Web3RPCError as refused:
        sentence = f"it failed in block {receipt['blockNumber']}, and the node can't tell why ({node_message(refused)})"
        return ContractRevertedError(action, "", {}, sentence)
    return ContractRevertedError(action, "", {}, "the chain changed since it was tried; try again")


def _still_settled(sender: Sender) -> frozenset[tuple[int, Place]]:
    """Return what needs no look: if the last block of the last look is in the chain, so is all that was below it."""
    seen = sender.journal.seen
    return seen.settled if seen is not None and _is_in(sender.w3, seen.head) else frozenset()


def _is_in(w3: Web3, block: Place) -> bool:
    try:
        return w3.eth.get_block(block.number)["hash"].to_0x_hex() == block.hash
    except BlockNotFound:
        return False


def _is_used(sender: Sender, head: Head, nonce: int) -> bool:
    depth = 0 if sender.journal.chain_id in LOCAL_CHAIN_IDS else TAKEN_DEPTH
    try:
        return sender.transaction_count(BlockNumber(max(0, head.place.number - depth))) > nonce
    except Web3RPCError:
        # The block fell out of the chain since, or this node lags behind; the next look tells.
        return False


def _tell(before: Record, after: Record) -> list[str]:
    what = f"{after.action} with nonce {after.nonce}"
    if after.state is State.PENDING:
        return [f"A reorganisation took {what} out of the chain."]
    if after.state is State.TAKEN:
        return [f"Another transaction of the account took the place of {what}; was its key used elsewhere?"]
    if before.state is not State.PENDING and after.state is not before.state:
        return [f"A reorganisation changed {what} from {before.state} to {after.state}."]
    return []
