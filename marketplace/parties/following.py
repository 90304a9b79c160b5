"""Following a job until it ends: one step after the other, through failures that pass."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol

from eth_account.signers.local import LocalAccount

from contribution.errors import CairnError
from marketplace.parties.view import JobView

LONGEST_PAUSE_SECONDS: Final = 60.0


class Party(Protocol):
    """Who takes part in a job step by step."""

    view: JobView
    account: LocalAccount

    def step(self) -> list[str]:
        """Do what is due now and return it in words."""


def follow(party: Party, report: Callable[[str], None], *, pause: float, stop: threading.Event) -> bool:
    """Let a party do its work until the job ends or it is told to stop.

    Before each step it looks after the transactions that it has sent: what is stuck, or fell out of the chain. A step
    that fails is reported once and tried again after a pause that doubles up to a minute: nodes and stores come
    back, and each step is safe to repeat.

    Parameters
    ----------
    party
        Who works.
    report
        Gets what was done and what failed, a line each.
    pause
        Seconds between two looks at the chain.
    stop
        Set to stop after the current step.

    Returns
    -------
    bool
        Whether the job has ended.
    """
    failure, wait = "", pause
    while not stop.is_set():
        try:
            for line in (*party.view.market.tend(party.account), *party.step()):
                report(line)
            if party.view.market.progress(party.view.job).job_state.ended:
                return True
            failure, wait = "", pause
        except CairnError as fault:
            if str(fault) != failure:
                report(f"{fault} Trying again.")
            failure, wait = str(fault), min(2 * wait, LONGEST_PAUSE_SECONDS)
        stop.wait(wait)
    return False
