"""Getting what an account has signed into the chain: sent again, replaced by dearer ones, or cancelled.

All of it keeps the nonce, so at most one of a record's transactions takes effect, however often they are sent. Chain
time tells whether one is stuck: a chain that stands still includes nothing at any price, and clocks may be wrong.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from marketplace.chain.calls import known_errors, simulate
from marketplace.chain.errors import ContractRevertedError, FeeCapError, TransactionRejectedError
from marketplace.chain.fees import Fees, going_fees, next_base_fee, raised_fees
from marketplace.chain.outcomes import look_up
from marketplace.chain.sender import Answer, Call, Head, Sender, broadcast, find_head, is_known, sign
from marketplace.chain.transaction_record import MAX_ATTEMPTS, MAX_TEXT, Attempt, Record, State

STUCK_SECONDS: Final = 45


def tend(sender: Sender, *, patient: bool = True) -> list[str]:
    """Look once after everything that the account has sent; return what happened, in words.

    What a reorganisation took out of the chain, or the node does not know, is sent again. What is in no block though
    the chain has gone on for `STUCK_SECONDS` is replaced by a dearer transaction, up to the fee cap, or cancelled if
    the contract would refuse it by now. Nonces that nothing uses are used up if something waits behind them.

    Parameters
    ----------
    sender : Sender
        The account; it must be its turn.
    patient : bool
        Whether a call that the contract would refuse now gets `STUCK_SECONDS` before it is cancelled: after a
        reorganisation it may only have to wait for somebody else's transaction. False if another call needs its nonce.
    """
    if not sender.journal.records():
        return []
    head = find_head(sender.w3)
    lines = look_up(sender, head)
    pending = [record for record in sender.journal.records() if record.state is State.PENDING]
    for position, record in enumerate(pending):
        lines += _push(sender, record, head, is_first=position == 0, patient=patient)
    return lines


def _push(sender: Sender, record: Record, head: Head, *, is_first: bool, patient: bool) -> list[str]:
    """Do what brings a pending record closer to a block."""
    stuck = head.timestamp - record.since >= STUCK_SECONDS
    overdue = stuck or not patient
    known = is_known(sender.w3, record.last)
    if not record.wanted and not record.last.cancels:
        return _cancel(sender, record, head, record.reason) if overdue else []
    if is_first and (overdue or not known):
        refusal = _refusal(sender, record)
        if refusal:
            return _cancel(sender, record, head, refusal) if overdue else []
    if not known:
        return _send_again(sender, record, head)
    if stuck and is_first:
        return _fill_gap(sender, record, head) or _raise_fees(sender, record, head)
    return []


def _refusal(sender: Sender, record: Record) -> str:
    """Return why the contract would refuse a record's call in the next block; "" if it would not."""
    attempt = record.last
    if attempt.cancels or sender.transaction_count("latest") != record.nonce:
        return ""  # what comes before it may be what it needs
    try:
        # On the last block: in the next one, as the node imagines it, the call itself may have been made already.
        _gas(sender, attempt.call, record.action)
    except ContractRevertedError as refused:
        return refused.sentence
    except TransactionRejectedError:
        return ""  # the node did not try it; it says why when the transaction is sent
    return ""


def _send_again(sender: Sender, record: Record, head: Head) -> list[str]:
    answer, said = broadcast(sender.w3, record.last)
    if answer is Answer.ACCEPTED:
        return [f"Sent {record.action} with nonce {record.nonce} again: the node did not have it."]
    if answer is Answer.UNDERPRICED:
        return _raise_fees(sender, record, head)
    if answer is Answer.REFUSED and said != record.reason:
        sender.journal.write(replace(record, reason=said[:MAX_TEXT]))
        return [f"The node does not take {record.action} with nonce {record.nonce} again: {said}"]
    return []


def _raise_fees(sender: Sender, record: Record, head: Head) -> list[str]:
    last = record.last
    fees = _next_fees(sender, record, last.value, last.gas)
    if fees is None:
        return []
    sent = _attempt(sender, record, head, _sign_again(sender, last, fees))
    return [
        f"Replaced {record.action} with nonce {record.nonce}, which was stuck: it offers {fees.most} wei per gas "
        f"instead of {last.fees.most}." + sent
    ]


def _cancel(sender: Sender, record: Record, head: Head, reason: str) -> list[str]:
    """Use up the nonce of a call that must not be made, or would fail, by an empty transaction."""
    call = _empty_call(sender)
    gas = _gas(sender, call, "a cancellation")
    fees = _next_fees(sender, record, 0, gas)
    if fees is None:
        return []
    record = replace(record, wanted=False, reason=reason[:MAX_TEXT])
    cancellation = sign(sender, call, nonce=record.nonce, gas=gas, fees=fees, cancels=True)
    sent = _attempt(sender, record, head, cancellation)
    return [f"Cancelled {record.action} with nonce {record.nonce}: {reason}." + sent]


def _fill_gap(sender: Sender, record: Record, head: Head) -> list[str]:
    """Use up the nonces that a record waits for and nothing has."""
    lines = []
    for nonce in range(sender.transaction_count("pending"), record.nonce):
        fees = _going_fees(sender)
        if fees is None:
            break
        call = _empty_call(sender)
        gas = _gas(sender, call, "an empty transaction")
        filler = sign(sender, call, nonce=nonce, gas=gas, fees=fees, cancels=True)
        reason = f"nothing had nonce {nonce}, and nonce {record.nonce} waited for it"
        action = "an empty transaction"
        sender.journal.write(Record(action, (filler,), head.timestamp, wanted=False, reason=reason))
        _, said = broadcast(sender.w3, filler)
        lines.append(f"Sent an empty transaction: {reason}." + _answered(said))
    return lines


def _attempt(sender: Sender, record: Record, head: Head, attempt: Attempt) -> str:
    """Keep a further transaction for a record's nonce, then send it; return what the node said against it."""
    sender.journal.write(replace(record, attempts=(*record.attempts, attempt), since=head.timestamp))
    return _answered(broadcast(sender.w3, attempt)[1])


def _answered(said: str) -> str:
    return f" The node said: {said}." if said else ""


def _sign_again(sender: Sender, attempt: Attempt, fees: Fees) -> Attempt:
    """Sign what an earlier transaction says, with other fees."""
    return sign(sender, attempt.call, nonce=attempt.nonce, gas=attempt.gas, fees=fees, cancels=attempt.cancels)


def _next_fees(sender: Sender, record: Record, value: int, gas: int) -> Fees | None:
    """Return what replaces a record's last transaction; None if that is above the cap or what the account has."""
    going = _going_fees(sender)
    if going is None or len(record.attempts) == MAX_ATTEMPTS:
        return None
    fees = raised_fees(record.last.fees, going, sender.fee_cap)
    if fees is None or value + gas * fees.most > sender.w3.eth.get_balance(sender.account.address):
        return None
    return fees


def _going_fees(sender: Sender) -> Fees | None:
    try:
        return going_fees(next_base_fee(sender.w3), sender.fee_cap)
    except FeeCapError:
        return None  # dearer than the cap: what is signed waits for a cheaper block


def _gas(sender: Sender, call: Call, action: str) -> int:
    to, data, value = call
    fields = {"from": sender.account.address, "to": to, "data": data, "value": value}
    given = {name: field for name, field in fields.items() if field}
    return simulate(sender.w3, given, action, known_errors(), "latest")


def _empty_call(sender: Sender) -> Call:
    """Return the call that does nothing but use up a nonce."""
    return sender.account.address, b"", 0
