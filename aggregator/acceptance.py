"""What an aggregator looks at before it bonds for a job: whether it will be able to settle it."""

from __future__ import annotations

from typing import Final

from aggregator.settlement import rule_of
from contribution.errors import CairnError
from marketplace.parties.view import JobView

# Between the last submission and the deadline lie fetching, proving and a block or two.
LEAST_WINDOW_SECONDS: Final = 10


class UnsettleableJobError(CairnError):
    """Thrown when this software could not settle a job's rounds, which would cost the aggregator its bond."""


def require_settleable(view: JobView) -> None:
    """Refuse a job whose rounds can't be settled from here; nothing was sent.

    What its rounds need is fetched and checked, so that it is at hand later whoever takes it away.

    Raises
    ------
    UnsettleableJobError
        If it has windows that are too short.
    CairnError
        If the rule is unknown, the structured reference string is not here, or document or initial model can't be had.
    """
    terms = view.terms
    for name, seconds in (("deliver", terms.deliver_window), ("settle", terms.settle_window)):
        if seconds < LEAST_WINDOW_SECONDS:
            raise UnsettleableJobError(
                f"The job's {name} window has {seconds} s, and fetching and proving a round takes at least "
                f"{LEAST_WINDOW_SECONDS} s; ask the owner for a longer one."
            )
    rule_of(view)
    # Each is fetched, checked and then remembered by the view.
    _ = (view.srs, view.document, view.initial_model)
