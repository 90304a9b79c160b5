"""Running the twin over a job's events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from contribution.errors import RuleInputError
from marketplace.audit.replay import parties, settling
from marketplace.audit.replay.state import Due, JobTwin, Matter
from marketplace.chain.history import Event
from marketplace.chain.structs import JobState, Terms

Handler = Callable[[JobTwin, Mapping[str, Any]], None]

_HANDLERS: Final[Mapping[str, Handler]] = {**parties.HANDLERS, **settling.HANDLERS}


def replay(events: Sequence[Event], times: Mapping[int, int]) -> JobTwin:
    """Run the market's state machine over a job's events.

    Parameters
    ----------
    events
        All events of one job in order, the first its creation.
    times
        Time of each block that holds one, in seconds since the Unix epoch.

    Returns
    -------
    JobTwin
        The job as it stands after them, with every event that does not follow from those before it as a fault. After a
        fault the twin goes on from what the event says.
    """
    twin = begin(events[0])
    for event in events[1:]:
        advance(twin, event, times[event.block])
    finish(twin)
    return twin


def begin(event: Event) -> JobTwin:
    """Return the twin of a job from the event of its creation."""
    created = event.arguments
    twin = JobTwin(terms=terms_of(created), owner=created["owner"])
    twin.escrow = twin.totals.deposited = twin.terms.deposit
    twin.expect(Matter.ORDER, created["aggregator"] == twin.terms.aggregator, "the creation names two aggregators")
    return twin


def advance(twin: JobTwin, event: Event, now: int) -> None:
    """Run the twin over the job's next event, which happened at the time `now`."""
    twin.now = now
    _meet_due(twin, event)
    _handle(twin, event)


def finish(twin: JobTwin) -> None:
    """Note what the last events call for and what has not followed; what one transaction brings lies in one block."""
    for due in twin.due:
        twin.fault(Matter.ORDER, f"{_words(due)} had to follow and is missing")
    twin.due.clear()


def terms_of(created: Mapping[str, Any]) -> Terms:
    """Return the terms from the arguments of a job's creation."""
    return Terms.from_abi(tuple(created["terms"].values()))


def _handle(twin: JobTwin, event: Event) -> None:
    handler = _HANDLERS.get(event.name)
    if handler is None:
        twin.fault(Matter.ORDER, f"{event.name} in block {event.block} does not happen after a job's creation")
        return
    try:
        handler(twin, event.arguments)
    except (RuleInputError, ValueError) as fault:
        twin.fault(Matter.ORDER, f"{event.name} in block {event.block} says what no market can ({fault})")


def _must_be_due(twin: JobTwin, event: Event) -> bool:
    """Whether nobody's action brings about this event by itself."""
    match event.name:
        case "JobEnding" | "TrainerRemoved":
            return True
        case "RoundOpened":
            return twin.state is not JobState.OPEN
        case "RoundVoided":
            return event.arguments["cause"] in settling.CHALLENGED
        case "JobEnded":
            over = twin.outcome is not JobState.NONE and twin.now > twin.challenge_end
            return twin.state is not JobState.OPEN and not over
    return False


def _meet_due(twin: JobTwin, event: Event) -> None:
    """Compare an event with the one that is due, if any."""
    if not twin.due:
        if _must_be_due(twin, event):
            twin.fault(Matter.ORDER, f"{event.name} in block {event.block} follows from nothing before it")
        return
    due = twin.due.popleft()
    told = {name: event.arguments.get(name) for name in due.arguments}
    if event.name == due.name and told == due.arguments:
        return
    if event.name != due.name:
        twin.fault(Matter.ORDER, f"{_words(due)} had to follow, and block {event.block} tells of {event.name}")
        twin.due.clear()
        return
    differing = [name for name in due.arguments if told[name] != due.arguments[name]]
    matter = Matter.MONEY if set(differing) & _AMOUNTS else Matter.ORDER
    shown = ", ".join(f"{name} {_value(told[name])} instead of {_value(due.arguments[name])}" for name in differing)
    twin.fault(matter, f"{event.name} in block {event.block} says {shown}")


_AMOUNTS: Final = frozenset({"aggregatorFees", "refereeFees", "bond", "refund", "burned"})


def _words(due: Due) -> str:
    return f"{due.name}({', '.join(f'{name} {_value(value)}' for name, value in due.arguments.items())})"


def _value(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
