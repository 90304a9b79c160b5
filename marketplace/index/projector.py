"""From events to rows: each event moves its job's state on and leaves rows, a pure function of the events before it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from marketplace.audit.logs import Log
from marketplace.audit.replay.run import advance, begin, finish
from marketplace.chain.history import Event
from marketplace.chain.structs import Terms
from marketplace.index.columns import amount_text, signed_text
from marketplace.index.errors import ContradictionError
from marketplace.index.ledger import CREDIT, MOVES_MONEY, STAKE, Movement, movements, pots
from marketplace.index.state import JobState, Tally

Row = dict[str, Any]
# Largest number of a job that a column holds; the market counts from 1.
MOST_JOBS: Final = 2**63 - 1
_PAYS_TRAINERS: Final = frozenset({"RoundScored", "RoundExpired", "GramRefuted"})
_RETURNS_STAKE: Final = frozenset({"TrainerJoined", "TrainerLeft", "Withdrawn"})


@dataclass
class Rows:
    """Rows to be written, values as the database stores them, the market's key left out.

    Attributes
    ----------
    new
        By table.
    rounds
        Rounds of this batch by job and number, which later events of it change.
    changes
        What changes in rounds of earlier batches, by job and number.
    """

    new: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    rounds: dict[tuple[int, int], Row] = field(default_factory=dict)
    changes: dict[tuple[int, int], Row] = field(default_factory=lambda: defaultdict(dict))

    def change_round(self, job: int, number: int, values: Row) -> None:
        """Set values of a round, whenever it was opened."""
        row = self.rounds.get((job, number))
        (self.changes[job, number] if row is None else row).update(values)


@dataclass
class Projector:
    """Follows the events of a market.

    Attributes
    ----------
    states
        Of jobs, by number; one that is missing is asked of `restore`.
    restore
        Returns the state of a job that the database knows.
    rows
        What is to be written.
    touched
        Jobs whose state has changed.
    """

    restore: Callable[[int], JobState]
    states: dict[int, JobState]
    rows: Rows = field(default_factory=Rows)
    touched: set[int] = field(default_factory=set)

    def follow(self, event: Event, log: Log, now: int) -> None:
        """Take an event in, which happened at the time `now`.

        Raises
        ------
        ContradictionError
            If it can't be the market's next event of its job.
        """
        job = event.arguments["jobId"]
        if not 0 < job <= MOST_JOBS:
            raise ContradictionError(job, event.block, [f"there is no job {job}"])
        self.rows.new["events"].append(_event_row(event, log, job))
        state = self._advance(job, event, now)
        self.touched.add(job)
        handler = _HANDLERS.get(event.name)
        if handler is not None:
            handler(self.rows, state, event, now)

    def end_block(self, number: int) -> None:
        """Check that nothing is left to follow from the events of a block.

        Raises
        ------
        ContradictionError
            If something is.
        """
        for job in self.touched:
            state = self.states[job]
            if state.block == number:
                finish(state.twin)
                _refuse_faults(state, job, number)

    def _advance(self, job: int, event: Event, now: int) -> JobState:
        """Move a job's state on, and note what money moved."""
        if event.name == "JobCreated":
            if job in self.states:
                raise ContradictionError(job, event.block, [f"job {job} was created twice"])
            state = self.states[job] = JobState(begin(event), event.block)
            before: dict[Any, int] | None = {}
        else:
            state = self.states.get(job) or self._restored(job)
            before = pots(state.twin) if event.name in MOVES_MONEY else None
            advance(state.twin, event, now)
        state.block = event.block
        _refuse_faults(state, job, event.block)
        if before is not None:
            moved = movements(before, state.twin, event)
            self.rows.new["entries"] += _entry_rows(moved, event, job, state.twin.round)
            _tally_money(state, event, moved)
        return state

    def _restored(self, job: int) -> JobState:
        state = self.states[job] = self.restore(job)
        return state


def replayed(state: JobState | None, events: list[tuple[Event, Log, int]]) -> JobState:
    """Return the state after further events of its job, each with its log and time; None for a job to be created."""
    job = events[0][0].arguments["jobId"] if events else 0

    def missing(_job: int) -> JobState:
        raise ContradictionError(job, events[0][0].block, ["its creation is not among the events"])

    projector = Projector(missing, {} if state is None else {job: state})
    for event, log, now in events:
        projector.follow(event, log, now)
    return projector.states[job]


def job_row(number: int, state: JobState) -> Row:
    """Return what changes in a job's row."""
    twin = state.twin
    return {
        "number": number,
        "state": int(twin.state),
        "round": twin.round,
        "settled_rounds": twin.settled_rounds,
        "trainers": len(twin.active | twin.joining),
        "escrow": amount_text(twin.escrow),
        "bond": amount_text(twin.bond),
        "burned": amount_text(twin.burned),
        "paid": amount_text(state.paid),
        "changed_block": state.block,
    }


def seat_rows(number: int, state: JobState) -> list[Row]:
    """Return the rows of a job's trainers, by account."""
    rows = []
    for address, tally in sorted(state.tallies.items()):
        account = state.twin.accounts[address]
        rows.append(
            {
                "job": number,
                "account": address,
                **asdict(tally),
                "seat": account.seat,
                "status": int(account.status),
                "strikes": account.strikes,
                "earned": amount_text(tally.earned),
                "burned": amount_text(tally.burned),
            }
        )
    return rows


def _refuse_faults(state: JobState, job: int, block: int) -> None:
    if state.twin.faults:
        raise ContradictionError(job, block, [fault.words for fault in state.twin.faults])


def _event_row(event: Event, log: Log, job: int) -> Row:
    return {
        "block": event.block,
        "log_index": event.index,
        "job": job,
        "name": event.name,
        "transaction_hash": log.transaction,
        "topics": b"".join(log.topics),
        "data": log.data,
    }


def _entry_rows(moved: list[Movement], event: Event, job: int, number: int) -> list[Row]:
    return [
        {
            "block": event.block,
            "log_index": event.index,
            "place": place,
            "job": job,
            "round": number,
            "event": event.name,
            "pot": movement.pot,
            "account": movement.account,
            "sign": 1 if movement.change > 0 else -1,
            "amount": amount_text(abs(movement.change)),
        }
        for place, movement in enumerate(moved)
    ]


def _tally_money(state: JobState, event: Event, moved: list[Movement]) -> None:
    """Add what trainers earned by their work, and what they lost of their stakes."""
    for movement in moved:
        tally = state.tallies.get(movement.account) if movement.account else None
        if tally is None:
            continue
        if movement.pot == CREDIT and event.name in _PAYS_TRAINERS:
            earned = movement.change
            if event.name == "GramRefuted" and movement.account == event.arguments["challenger"]:
                earned -= event.arguments["reward"]
            tally.earned += earned
            state.paid += earned if event.name != "RoundExpired" else 0
        elif movement.pot == STAKE and event.name not in _RETURNS_STAKE:
            tally.burned -= movement.change


def terms_json(terms: Terms) -> str:
    """Return terms as the one JSON text that stands for them."""
    values = {name: value.hex() if isinstance(value, bytes) else value for name, value in asdict(terms).items()}
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def terms_from_json(text: str) -> Terms:
    """Read what `terms_json` wrote."""
    values = json.loads(text)
    return Terms(**{**values, "allowlist_root": bytes.fromhex(values["allowlist_root"])})


def _created(rows: Rows, state: JobState, event: Event, now: int) -> None:
    terms = state.twin.terms
    rows.new["jobs"].append(
        {
            "created_block": event.block,
            "created_time": now,
            "owner": state.twin.owner,
            "aggregator": terms.aggregator,
            "referee": terms.referee,
            "token": terms.token,
            "rule": terms.rule,
            "specification_cid": event.arguments["specificationCid"],
            "reward_per_round": amount_text(terms.reward_per_round),
            "stake": amount_text(terms.stake),
            "rounds": terms.rounds,
            "terms": terms_json(terms),
            # Set again with the rest of the job's state at the end of the batch.
            **job_row(event.arguments["jobId"], state),
        }
    )


def _joined(_rows: Rows, state: JobState, event: Event, now: int) -> None:
    values = event.arguments
    tally = state.tallies.setdefault(values["trainer"], Tally(event.block, now, values["fromRound"]))
    # Who left before taking part may join again.
    tally.joined_block, tally.joined_time, tally.from_round = event.block, now, values["fromRound"]
    tally.left_round = None


def _left(_rows: Rows, state: JobState, event: Event, _now: int) -> None:
    state.tallies[event.arguments["trainer"]].left_round = event.arguments["lastRound"]


def _removed(_rows: Rows, state: JobState, event: Event, _now: int) -> None:
    tally = state.tallies[event.arguments["trainer"]]
    tally.left_round, tally.removed = event.arguments["round"], int(event.arguments["removal"])


def _opened(rows: Rows, _state: JobState, event: Event, now: int) -> None:
    values = event.arguments
    row = dict.fromkeys(_LATER)
    row |= {
        "job": values["jobId"],
        "number": values["round"],
        "opened_block": event.block,
        "opened_time": now,
        "submit_end": values["submitEnd"],
        "encryption_key": values["encryptionKey"],
        "model_hash": values["modelHash"],
    }
    rows.rounds[values["jobId"], values["round"]] = row


def _submitted(rows: Rows, state: JobState, event: Event, _now: int) -> None:
    state.tallies[event.arguments["trainer"]].submitted += 1
    _add_submission(rows, event, event.arguments["trainer"], is_reference=False)


def _reference_submitted(rows: Rows, _state: JobState, event: Event, _now: int) -> None:
    _add_submission(rows, event, event.arguments["referee"], is_reference=True)


def _add_submission(rows: Rows, event: Event, account: str, *, is_reference: bool) -> None:
    values = event.arguments
    rows.new["submissions"].append(
        {
            "job": values["jobId"],
            "round": values["round"],
            "account": account,
            "is_reference": is_reference,
            "commitment_hash": values["commitmentHash"],
            "cid": values["cid"],
            "transaction_hash": bytes(event.transaction),
            "block": event.block,
            "log_index": event.index,
        }
    )


def _closed(rows: Rows, _state: JobState, event: Event, _now: int) -> None:
    values = event.arguments
    changed = {"closed_block": event.block, "deliver_end": values["deliverEnd"]}
    rows.change_round(values["jobId"], values["round"], changed)


def _missing(rows: Rows, _state: JobState, event: Event, _now: int) -> None:
    values = event.arguments
    place = {"block": event.block, "log_index": event.index, "job": values["jobId"], "round": values["round"]}
    rows.new["notices"].append({**place, "account": values["account"]})


def _contribution(event: Event, account: str, verdict: str, **more: object) -> Row:
    none = {"weight": None, "contribution": None, "payout": None, "reason": None, "evidence": None}
    place = {"job": event.arguments["jobId"], "round": event.arguments["round"], "block": event.block}
    return {**place, "account": account, "verdict": verdict, **none, **more}


def _excluded(rows: Rows, state: JobState, event: Event, _now: int) -> None:
    values = event.arguments
    tally = state.tallies.get(values["account"])
    if tally is not None:
        tally.excluded += 1
    row = _contribution(event, values["account"], "excluded", reason=int(values["reason"]), evidence=values["evidence"])
    rows.new["contributions"].append(row)


def _scored(rows: Rows, state: JobState, event: Event, _now: int) -> None:
    values = event.arguments
    parallel = (values["trainers"], values["weights"], values["contributions"], values["payouts"])
    for account, weight, contribution, payout in zip(*parallel, strict=True):
        tally = state.tallies[account]
        if weight:
            tally.kept += 1
        else:
            tally.dropped += 1
        rows.new["contributions"].append(
            _contribution(
                event,
                account,
                "kept" if weight else "dropped",
                weight=amount_text(weight),
                contribution=signed_text(contribution),
                payout=amount_text(payout),
            )
        )
    rows.change_round(values["jobId"], values["round"], {"paid": amount_text(sum(values["payouts"]))})


def _end(rows: Rows, event: Event, now: int, outcome: str, **more: object) -> None:
    ended = {"ended_block": event.block, "ended_time": now, "ended_in": bytes(event.transaction), "outcome": outcome}
    rows.change_round(event.arguments["jobId"], event.arguments["round"], {**ended, **more})


def _settled(rows: Rows, _state: JobState, event: Event, now: int) -> None:
    values = event.arguments
    settled = {"gram": values["gram"], "model_commitment": values["modelCommitment"]}
    _end(rows, event, now, "settled", **settled, aggregate_cid=values["aggregateCid"])


def _voided(rows: Rows, _state: JobState, event: Event, now: int) -> None:
    _end(rows, event, now, "void", void_cause=int(event.arguments["cause"]))


def _expired(rows: Rows, _state: JobState, event: Event, now: int) -> None:
    penalty, share = amount_text(event.arguments["penalty"]), amount_text(event.arguments["share"])
    _end(rows, event, now, "expired", penalty=penalty, penalty_share=share)


def _flagged(rows: Rows, state: JobState, event: Event, _now: int) -> None:
    _add_challenge(rows, event, event.arguments["trainer"], "flag", None)
    _overturn(rows, state, event)


def _refuted(rows: Rows, state: JobState, event: Event, _now: int) -> None:
    _add_challenge(rows, event, event.arguments["challenger"], "refutation", amount_text(event.arguments["reward"]))
    _overturn(rows, state, event)


def _add_challenge(rows: Rows, event: Event, account: str, kind: str, reward: str | None) -> None:
    place = {"job": event.arguments["jobId"], "round": event.arguments["round"], "block": event.block}
    rows.new["challenges"].append({**place, "account": account, "kind": kind, "reward": reward})


def _overturn(rows: Rows, state: JobState, event: Event) -> None:
    how = state.twin.overturned.get(event.arguments["round"])
    if how is not None:
        changed = {"overturned": how, "overturned_block": event.block}
        rows.change_round(event.arguments["jobId"], event.arguments["round"], changed)


# What a round gets after it has opened, by the event that brings it; a reorganisation takes all of a group out again.
CLOSING: Final = ("closed_block", "deliver_end")
ENDING: Final = (
    "ended_block",
    "ended_time",
    "ended_in",
    "outcome",
    "void_cause",
    "penalty",
    "penalty_share",
    "paid",
    "gram",
    "model_commitment",
    "aggregate_cid",
)
OVERTURNING: Final = ("overturned", "overturned_block")
_LATER: Final = (*CLOSING, *ENDING, *OVERTURNING)

_HANDLERS: Final[Mapping[str, Callable[[Rows, JobState, Event, int], None]]] = {
    "JobCreated": _created,
    "TrainerJoined": _joined,
    "TrainerLeft": _left,
    "TrainerRemoved": _removed,
    "RoundOpened": _opened,
    "Submitted": _submitted,
    "ReferenceSubmitted": _reference_submitted,
    "SubmissionsClosed": _closed,
    "Missing": _missing,
    "Excluded": _excluded,
    "RoundScored": _scored,
    "RoundSettled": _settled,
    "RoundVoided": _voided,
    "RoundExpired": _expired,
    "Flagged": _flagged,
    "GramRefuted": _refuted,
}
