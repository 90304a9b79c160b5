"""Transactions from an account whose key this process holds: tried first, paid for within a cap, awaited.

Each is kept in the account's journal before it is sent, so that a process that ends at any moment leaves behind what
the next one needs to go on: see docs/transactions.md.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import cast

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3 import Web3
from web3.types import TxParams, TxReceipt

from marketplace.chain.calls import Call, Errors, Fields, action_name, errors_of, known_errors, simulate
from marketplace.chain.errors import (
    ContractRevertedError,
    FeeCapError,
    InsufficientFundsError,
    JournalBusyError,
    TransactionRejectedError,
    UnconfirmedError,
)
from marketplace.chain.fees import DEFAULT_FEE_CAP, going_fees, next_base_fee
from marketplace.chain.journal import Journals
from marketplace.chain.outcomes import failure, forget_final, include, look_up
from marketplace.chain.sender import Answer, Sender, broadcast, find_head, find_receipt, is_known, sign
from marketplace.chain.tending import tend
from marketplace.chain.transaction_record import MAX_TEXT, Record, State

CONFIRM_SECONDS = 180.0
POLL_SECONDS = 0.1
LOOK_SECONDS = 2.0
# Gas that is estimated now may not suffice in the next block, whose state others change: more of it to do, or two
# words of storage that have become zero meanwhile, which makes writing them dearer. What is not used is not paid.
GAS_MARGIN_PERCENT = 20
GAS_HEADROOM = 40_000
NONCE_ATTEMPTS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """What is to be done by one transaction.

    Attributes
    ----------
    fields
        "from", "to", "data" and "value" as nodes take them; without those that are empty.
    action
        What it is called in messages.
    errors
        ABI of the errors that it can end in.
    """

    fields: Fields
    action: str
    errors: Errors

    @property
    def call(self) -> tuple[ChecksumAddress | None, bytes, int]:
        """Receiver, data and value."""
        return self.fields.get("to"), bytes(HexBytes(self.fields.get("data", b""))), self.fields.get("value", 0)


def transact(
    w3: Web3,
    account: LocalAccount,
    call: Call,
    *,
    value: int = 0,
    fee_cap: int = DEFAULT_FEE_CAP,
    journals: Journals | None = None,
) -> TxReceipt:
    """Send a call of a contract, or the creation of one, and wait until a block holds it.

    What the account has sent before is brought to its end first. If the same call is among it, and nobody was told its
    outcome, that one is awaited and nothing else is sent.

    Parameters
    ----------
    w3 : Web3
        The chain.
    account : LocalAccount
        Who sends and pays.
    call : ContractFunction or ContractConstructor
        What to call, with its arguments.
    value : int
        Wei to be sent along.
    fee_cap : int
        Wei per gas that may be paid at most, tip included.
    journals : Journals, optional
        Where transactions are kept; by default they are forgotten when this function returns.

    Raises
    ------
    ContractRevertedError
        If the contract refuses; nothing was sent unless the chain changed between the trial and the block.
    InsufficientFundsError
        If the account can't pay; nothing was sent.
    FeeCapError
        If the chain asks more than `fee_cap`; what was sent before that waits for a cheaper block.
    TransactionRejectedError
        If the node does not take it for another reason; nothing was sent.
    UnconfirmedError
        If it was sent, or one before it, and no block holds it after `CONFIRM_SECONDS`.
    JournalError
        If the journal can't be used; nothing was sent.
    """
    wish = Wish(_fill(account, call, value), action_name(call), errors_of(call))
    return _perform(w3, account, wish, fee_cap, journals)


def transfer(
    w3: Web3, account: LocalAccount, to: ChecksumAddress, value: int, *, journals: Journals | None = None
) -> TxReceipt:
    """Send coins, in wei, and wait until a block holds the transaction; raises as `transact`."""
    fields = {"from": account.address, "to": to, "value": value}
    wish = Wish(fields, f"the transfer to {to}", known_errors())
    return _perform(w3, account, wish, DEFAULT_FEE_CAP, journals)


def tend_account(w3: Web3, account: LocalAccount, journals: Journals, fee_cap: int = DEFAULT_FEE_CAP) -> list[str]:
    """Look once after what an account has sent; return what happened, in words.

    Does nothing while another thread or process sends from the account, which looks after it then.

    Raises
    ------
    JournalError
        If the journal can't be used.
    """
    journal = journals.of(w3, account.address)
    sender = Sender(w3, account, journal, fee_cap)
    try:
        with journal.turn(patience=0):
            lines = tend(sender)
            forget_final(sender)
            return lines
    except JournalBusyError:
        return []


def _perform(w3: Web3, account: LocalAccount, wish: Wish, fee_cap: int, journals: Journals | None) -> TxReceipt:
    journal = (journals or Journals()).of(w3, account.address)
    sender = Sender(w3, account, journal, fee_cap)
    with journal.turn():
        record = _find(sender, wish)
        if record is None:
            _finish_pending(sender)
            record = _send(sender, wish)
        else:
            _check_resumed(sender, record, wish)
        while True:
            record = _await(sender, record.nonce)
            if record.state is not State.TAKEN:
                return _outcome(sender, record, wish)
            # None of what was signed for the nonce can enter the chain any more.
            record = _send(sender, wish)


def _find(sender: Sender, wish: Wish) -> Record | None:
    """Return the record of the same call, if it is under way or nobody was told that it succeeded."""
    if not sender.journal.records():
        return None
    _log(look_up(sender, find_head(sender.w3)))
    for record in sender.journal.records():
        open_ended = record.state is State.PENDING or (record.state is State.DONE and not record.reported)
        if record.wanted and open_ended and record.call is not None and record.call.call == wish.call:
            return record
    forget_final(sender)
    return None


def _check_resumed(sender: Sender, record: Record, wish: Wish) -> None:
    """Refuse to wait for what the node does not have and the contract would refuse by now."""
    waits = record.state is State.PENDING and not is_known(sender.w3, record.last)
    if waits and sender.transaction_count("latest") == record.nonce:
        simulate(sender.w3, wish.fields, wish.action, wish.errors)


def _finish_pending(sender: Sender) -> None:
    """Wait until blocks hold everything that was sent before: whatever comes after it has to wait anyway."""
    while True:
        pending = [record for record in sender.journal.records() if record.state is State.PENDING]
        if not pending:
            return
        _log(tend(sender, patient=False))
        _await(sender, pending[0].nonce, patient=False)


def _send(sender: Sender, wish: Wish) -> Record:
    """Try, sign, keep and send a new transaction."""
    w3, value = sender.w3, wish.call[2]
    _check_funds(sender, value)
    gas = simulate(w3, wish.fields, wish.action, wish.errors)
    limit, fees = gas * (100 + GAS_MARGIN_PERCENT) // 100 + GAS_HEADROOM, going_fees(next_base_fee(w3), sender.fee_cap)
    _check_funds(sender, value + limit * fees.most)
    least = said = None
    for _ in range(NONCE_ATTEMPTS):
        nonce = max(sender.transaction_count("pending"), least or 0)
        attempt = sign(sender, wish.call, nonce=nonce, gas=limit, fees=fees)
        record = Record(wish.action, (attempt,), find_head(w3).timestamp)
        sender.journal.write(record)
        answer, said = broadcast(w3, attempt)
        if answer is Answer.ACCEPTED or is_known(w3, attempt):
            return record
        sender.journal.remove(nonce)
        if answer is Answer.REFUSED:
            break
        # A foreign transaction of the account has this nonce: in a block, or waiting for one.
        least = nonce + 1 if answer is Answer.UNDERPRICED else None
    raise TransactionRejectedError(f"The node refused the transaction: {said}")


def _await(sender: Sender, nonce: int, *, patient: bool = True) -> Record:
    """Wait until a block decides about a nonce, and do meanwhile what brings it there."""
    started = looked = time.monotonic()
    while True:
        record = sender.journal.record(nonce)
        found = find_receipt(sender.w3, record) if record.state is State.PENDING else None
        if found is not None:
            record = include(sender, record, *found)
            sender.journal.write(record)
        if record.state is not State.PENDING:
            return record
        now = time.monotonic()
        if now - looked >= LOOK_SECONDS:
            _log(tend(sender, patient=patient))
            looked = time.monotonic()
        elif now - started >= CONFIRM_SECONDS:
            raise _unconfirmed(sender, record)
        else:
            time.sleep(POLL_SECONDS)


def _outcome(sender: Sender, record: Record, wish: Wish) -> TxReceipt:
    """Return the receipt of what succeeded; raise what the contract said otherwise."""
    if record.state is State.CANCELLED:
        raise ContractRevertedError(wish.action, "", {}, record.reason)
    found = find_receipt(sender.w3, record)
    if found is None:
        # A reorganisation came in between.
        raise UnconfirmedError(record.last.hash, 0)
    attempt, receipt = found
    if record.state is State.DONE:
        sender.journal.write(replace(record, reported=True))
        return receipt
    error = failure(sender.w3, attempt, receipt, wish.action, wish.errors)
    sender.journal.write(replace(record, reported=True, reason=error.sentence[:MAX_TEXT]))
    raise error


def _unconfirmed(sender: Sender, record: Record) -> Exception:
    """Return why a transaction is in no block yet."""
    base_fee = next_base_fee(sender.w3)
    if base_fee > sender.fee_cap:
        return FeeCapError(base_fee, sender.fee_cap)
    last = record.last
    balance, needed = sender.w3.eth.get_balance(last.sender), last.value + last.gas * last.fees.most
    if balance < needed:
        return InsufficientFundsError(last.sender, balance, needed)
    return UnconfirmedError(last.hash, CONFIRM_SECONDS)


def _fill(account: LocalAccount, call: Call, value: int) -> Fields:
    # Every field that web3 would ask the node for is given, so that building costs no request.
    unknown = {"gas": 1, "chainId": 1, "nonce": 0, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
    built = call.build_transaction(cast(TxParams, {"from": account.address, "value": value, **unknown}))
    return {key: field for key, field in built.items() if key in ("from", "to", "data", "value") and field}


def _check_funds(sender: Sender, needed: int) -> None:
    balance = sender.w3.eth.get_balance(sender.account.address)
    if balance < needed:
        raise InsufficientFundsError(sender.account.address, balance, needed)


def _log(lines: list[str]) -> None:
    for line in lines:
        logger.warning("%s", line)
