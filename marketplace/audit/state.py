"""Whether the contract's storage says what its events add up to: every counter, every set of seats, every wei."""

from __future__ import annotations

from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from marketplace.audit.reading import Reading, same_fields
from marketplace.audit.replay.money import accrued, holdings
from marketplace.audit.replay.state import JobTwin
from marketplace.chain.structs import Identity, LedgerRecord, Progress, Seats, TrainerRecord


def storage_faults(twin: JobTwin, reading: Reading, specification_cid: bytes) -> list[str]:
    """Return a clause for each view that says something else than the events, money apart."""
    views = reading.views
    identity = Identity(
        twin.owner,
        bytes(keccak(specification_cid)),
        twin.encryption_key,
        twin.next_encryption_key,
        views.identity.model_hash if twin.model_hash is None else twin.model_hash,
    )
    faults = same_fields(views.terms, twin.terms, {})
    faults += same_fields(views.identity, identity, {})
    faults += same_fields(views.progress, _progress(twin), {})
    faults += same_fields(views.seats, _seats(twin), {})
    for address, record in views.trainers.items():
        expected = _record(twin, address)
        named = {
            name: f"{name} of {address}" for name in ("seat", "strikes", "status", "release_round", "pending_round")
        }
        faults += [
            fault for fault in same_fields(record, expected, named) if not fault.startswith(("credit ", "pending "))
        ]
    return faults


def ledger_faults(twin: JobTwin, reading: Reading) -> list[str]:
    """Return a clause for each amount that a view says otherwise than the events, and if the balance is too small."""
    views = reading.views
    faults = same_fields(views.ledger, LedgerRecord(twin.escrow, twin.bond, twin.burned), {})
    for address, record in views.trainers.items():
        expected = _record(twin, address)
        for name in ("credit", "pending"):
            found, due = getattr(record, name), getattr(expected, name)
            if found != due:
                faults.append(f"the {name} pay of {address} is {found} wei instead of {due} wei")
    for address, amount in views.withdrawable.items():
        due = accrued(twin, address, reading.head.timestamp)
        if amount != due:
            faults.append(f"{address} can withdraw {amount} wei instead of {due} wei")
    if views.balance < holdings(twin):
        faults.append(f"the market has {views.balance} wei and owes {holdings(twin)} wei for this job alone")
    return faults


def _progress(twin: JobTwin) -> Progress:
    return Progress(
        state=twin.state,
        outcome=twin.outcome,
        abort_requested=twin.abort_requested,
        round_open=twin.round_open,
        submissions_closed=twin.submissions_closed,
        reference_submitted=twin.reference_submitted,
        reference_missing=twin.reference_missing,
        failures_in_a_row=twin.failures_in_a_row,
        voids=twin.voids,
        round=twin.round,
        last_settled_round=twin.last_settled_round,
        settled_rounds=twin.settled_rounds,
        reference_rounds=twin.reference_rounds,
        submit_end=twin.submit_end,
        challenge_end=twin.challenge_end,
    )


def _seats(twin: JobTwin) -> Seats:
    def bits(addresses: set[ChecksumAddress]) -> int:
        return sum(1 << twin.account(address).seat for address in addresses)

    trainers = twin.missing - {twin.terms.referee}
    return Seats(
        active=bits(twin.active),
        joining=bits(twin.joining),
        leaving=bits(twin.leaving),
        submitted=bits(twin.submitted),
        missing=bits(trainers),
        absent_last=bits(twin.absent_last),
        excluded_last=bits(twin.excluded_last),
        settled_submitters=bits(twin.settled_submitters),
        flags=bits(twin.flags),
    )


def _record(twin: JobTwin, address: ChecksumAddress) -> TrainerRecord:
    account = twin.account(address)
    return TrainerRecord(
        credit=account.credit,
        pending=account.pending,
        pending_round=account.pending_round,
        release_round=account.release_round,
        seat=account.seat,
        strikes=account.strikes,
        status=account.status,
    )
