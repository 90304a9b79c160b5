"""What an audit says: one verdict for each thing that it looked at, with what that verdict does not show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from contribution.errors import CairnError

# How many faults of one check are told; one change can unsettle all that follows it.
SHOWN_FAULTS: Final = 4

Found = TypeVar("Found")


class Verdict(StrEnum):
    """How a check came out."""

    HOLDS = "holds"
    FAILS = "FAILS"
    NOT_SHOWN = "not shown"


class DiscrepancyError(CairnError):
    """Thrown when something is not what it should be.

    Attributes
    ----------
    faults
        Each difference, a clause with both values.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        more = len(faults) - SHOWN_FAULTS
        shown = "; ".join(faults[:SHOWN_FAULTS])
        super().__init__(shown + (f"; and {more} more" if more > 0 else ""))


class NotShownError(CairnError):
    """Thrown when something can't be decided from what there is; the message says what is missing."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    subject
        What it is about: "chain", "job", "round 3", "model", "money".
    name
        What was checked, as a short noun phrase.
    verdict
        How it came out.
    detail
        With which numbers, or what is wrong.
    does_not_show
        What a reader might take it for and must not.
    """

    subject: str
    name: str
    verdict: Verdict
    detail: str
    does_not_show: str


def examine(subject: str, name: str, does_not_show: str, look: Callable[[], str]) -> Check:
    """Make one check; whatever can be wrong with what strangers wrote becomes its verdict.

    Parameters
    ----------
    subject, name, does_not_show
        As in `Check`.
    look
        Returns the detail of a check that holds; raises `NotShownError` if it can't be decided, and any other
        `CairnError` if it fails.
    """
    return attempt(subject, name, does_not_show, lambda: (None, look()))[1]


def attempt(
    subject: str, name: str, does_not_show: str, look: Callable[[], tuple[Found, str]]
) -> tuple[Found | None, Check]:
    """Make one check that also finds something; as `examine`, `look` returning what was found before the detail."""
    try:
        found, detail = look()
    except NotShownError as fault:
        return None, Check(subject, name, Verdict.NOT_SHOWN, str(fault), does_not_show)
    except CairnError as fault:
        return None, Check(subject, name, Verdict.FAILS, str(fault), does_not_show)
    except (ArithmeticError, LookupError, ValueError) as fault:
        # A node can tell numbers that no market lets happen, such as a matrix with a negative square or terms of no
        # bits; what can't even be computed from them does not hold, and the other checks go on.
        told = f"it can't be computed from what the chain is said to hold ({type(fault).__name__}: {fault})"
        return None, Check(subject, name, Verdict.FAILS, told, does_not_show)
    return found, Check(subject, name, Verdict.HOLDS, detail, does_not_show)


def require(faults: Sequence[str]) -> None:
    """Raise `DiscrepancyError` if there is any fault."""
    if faults:
        raise DiscrepancyError(faults)


def all_hold(checks: Sequence[Check]) -> bool:
    """Whether every check holds."""
    return all(check.verdict is Verdict.HOLDS for check in checks)
