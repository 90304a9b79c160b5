"""What parties do in the twin: each action checked as the market checks it, by block time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from marketplace.audit.replay.money import credit_end, end, withdraw
from marketplace.audit.replay.state import JobTwin, Matter
from marketplace.chain.structs import JobState, TrainerStatus

Values = Mapping[str, Any]


def _accepted(twin: JobTwin, values: Values) -> None:
    open_ = twin.state is JobState.OPEN and not any(twin.next_encryption_key)
    twin.expect(Matter.ORDER, open_, "the aggregator accepted a job that was accepted or not open")
    twin.expect(Matter.TIME, twin.now <= twin.terms.start_deadline, "the aggregator accepted after the start deadline")
    twin.next_encryption_key = values["encryptionKey"]
    twin.bond = twin.totals.bonded = twin.terms.bond


def _key_rotated(twin: JobTwin, values: Values) -> None:
    twin.expect(Matter.ORDER, any(twin.next_encryption_key), "a key was rotated before the aggregator accepted")
    twin.next_encryption_key = values["encryptionKey"]


def _joined(twin: JobTwin, values: Values) -> None:
    address = values["trainer"]
    account = twin.account(address)
    running = twin.state is JobState.RUNNING
    twin.expect(
        Matter.ORDER,
        account.status is TrainerStatus.NONE and any(twin.next_encryption_key) and twin.outcome is JobState.NONE,
        f"{address} joined a second time, before the aggregator accepted, or after the last round",
    )
    twin.expect(
        Matter.ORDER,
        values["fromRound"] == twin.round + 1,
        f"{address} joined from round {values['fromRound']} on, where round {twin.round + 1} is the next",
    )
    taken = {twin.account(other).seat for other in twin.active | twin.joining}
    free = values["seat"] not in taken and values["seat"] < twin.terms.max_trainers
    twin.expect(Matter.ORDER, free, f"{address} took the seat {values['seat']}, which is not free")
    (twin.joining if running else twin.active).add(address)
    account.seat, account.status = values["seat"], TrainerStatus.STAKED
    twin.totals.staked += twin.terms.stake


def _left(twin: JobTwin, values: Values) -> None:
    address, last = values["trainer"], values["lastRound"]
    account = twin.account(address)
    twin.expect(Matter.ORDER, account.status is TrainerStatus.STAKED, f"{address} left and holds no stake")
    takes_part = twin.state is JobState.RUNNING and address in twin.active
    expected = twin.round if takes_part else 0
    twin.expect(Matter.ORDER, last == expected, f"{address} leaves after round {last} instead of {expected}")
    if takes_part:
        twin.leaving.add(address)
        account.status, account.release_round = TrainerStatus.LEAVING, twin.round
        return
    twin.active.discard(address)
    twin.joining.discard(address)
    account.status = TrainerStatus.NONE
    twin.credits[address] += twin.terms.stake


def _abort_requested(twin: JobTwin, _values: Values) -> None:
    running = twin.state is JobState.RUNNING and twin.outcome is JobState.NONE and not twin.abort_requested
    twin.expect(Matter.ORDER, running, "an abort was requested of a job that was not running, or twice")
    twin.abort_requested = True


def _submitted(twin: JobTwin, values: Values) -> None:
    address, number = values["trainer"], values["round"]
    _expect_submitting(twin, number, address)
    twin.expect(Matter.ORDER, address in twin.active, f"{address} submitted in round {number} and is not active in it")
    twin.expect(Matter.ORDER, address not in twin.submitted, f"{address} submitted twice in round {number}")
    twin.submitted.add(address)


def _reference_submitted(twin: JobTwin, values: Values) -> None:
    address, number = values["referee"], values["round"]
    _expect_submitting(twin, number, address)
    fits = address == twin.terms.referee and not twin.reference_submitted
    twin.expect(Matter.ORDER, fits, f"{address} posted a reference in round {number}, as another or a second time")
    twin.reference_submitted = True


def _expect_submitting(twin: JobTwin, number: int, address: str) -> None:
    twin.expect_open(number, f"{address} submitted in")
    in_time = not twin.submissions_closed and twin.now <= twin.submit_end
    twin.expect(
        Matter.TIME,
        in_time,
        f"{address} submitted in round {number} at {twin.now}, submissions ended at {twin.submit_end}",
    )


def _closed(twin: JobTwin, values: Values) -> None:
    twin.expect_open(values["round"], "submissions were closed of")
    awaited = twin.terms.has_referee and not twin.reference_submitted
    everyone = twin.submitted == twin.active and not awaited
    twin.expect(Matter.ORDER, everyone, f"submissions of round {values['round']} were closed while some were awaited")
    twin.submissions_closed, twin.submit_end = True, twin.now
    twin.expect(
        Matter.TIME,
        values["deliverEnd"] == twin.deliver_end,
        f"delivery of round {values['round']} ends at {values['deliverEnd']} instead of {twin.deliver_end}",
    )


def _missing(twin: JobTwin, values: Values) -> None:
    address, number = values["account"], values["round"]
    twin.expect_open(number, f"{address} was reported missing in")
    is_referee = address == twin.terms.referee
    known = twin.reference_submitted if is_referee else address in twin.submitted
    twin.expect(Matter.ORDER, known, f"{address} was reported missing in round {number} and had submitted nothing")
    over = twin.submissions_closed or twin.now > twin.submit_end
    latest = twin.submit_end + twin.terms.deliver_window // 2
    twin.expect(
        Matter.TIME,
        over and twin.now <= latest,
        f"{address} was reported missing in round {number} at {twin.now}, after {latest} or during submissions",
    )
    if is_referee:
        twin.reference_missing = True
    twin.missing.add(address)


def _withdrawn(twin: JobTwin, values: Values) -> None:
    withdraw(twin, values["account"], values["amount"])


def _burned(twin: JobTwin, values: Values) -> None:
    amount = values["amount"]
    twin.expect(Matter.ORDER, twin.ended, "slashed money was burned before the job ended")
    twin.expect(
        Matter.MONEY, amount == twin.burned, f"{amount} wei were burned of the {twin.burned} wei that waited for it"
    )
    twin.totals.burned += amount
    twin.burned = 0


def _ending(twin: JobTwin, values: Values) -> None:
    twin.outcome = JobState(values["outcome"])


def _ended(twin: JobTwin, values: Values) -> None:
    told = {name: values[name] for name in end(twin)}
    twin.expect(Matter.MONEY, told == end(twin), f"the job's end credited {told} where {end(twin)} was due, in wei")
    outcome = JobState(values["outcome"])
    if twin.state is JobState.OPEN:
        twin.expect(Matter.ORDER, outcome is JobState.ABORTED, "a job that never ran ended as completed")
    else:
        twin.expect(
            Matter.ORDER,
            twin.outcome in (outcome, JobState.NONE),
            f"the job ended as {outcome.name.lower()} after announcing {twin.outcome.name.lower()}",
        )
    credit_end(twin)
    twin.state = twin.outcome = outcome
    twin.round_open = False


HANDLERS: Final[Mapping[str, Callable[[JobTwin, Values], None]]] = {
    "JobAccepted": _accepted,
    "KeyRotated": _key_rotated,
    "TrainerJoined": _joined,
    "TrainerLeft": _left,
    "AbortRequested": _abort_requested,
    "Submitted": _submitted,
    "ReferenceSubmitted": _reference_submitted,
    "SubmissionsClosed": _closed,
    "Missing": _missing,
    "Withdrawn": _withdrawn,
    "Burned": _burned,
    "JobEnding": _ending,
    "JobEnded": _ended,
}
