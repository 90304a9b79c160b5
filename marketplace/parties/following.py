"""Following a job until it ends: one step after the other, through failures that pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final, Protocol

from eth_account.signers.local import LocalAccount
from web3.exceptions import Web3RPCError

from contribution.errors import CairnError
from marketplace.chain.errors import RpcRefusalError
from marketplace.chain.structs import Progress
from marketplace.parties.view import JobView

LONGEST_PAUSE_SECONDS: Final = 60.0


class Party(Protocol):
    """Who takes part in a job step by step."""

    view: JobView
    account: LocalAccount

    def step(self) -> list[str]:
        """Do what is due now and return it in words."""


class Witness(Protocol):
    """Who is told how a party gets on."""

    def succeeded(self, done: Sequence[str], seconds: float) -> None:
        """Hear what a step did, in words, and how long it took."""

    def failed(self, fault: CairnError, *, is_new: bool) -> None:
        """Hear that a step failed, and whether the one before did not fail in the same way."""

    def saw(self, progress: Progress) -> None:
        """Hear how far the job has come."""


def follow(party: Party, witness: Witness, *, pause: float, stop: threading.Event) -> bool:
    """Let a party do its work until the job ends or it is told to stop.

    Before each step it looks after the transactions that it has sent: what is stuck, or fell out of the chain. A step
    that fails is tried again after a pause that doubles up to a minute: nodes and stores come back, and each step is
    safe to repeat.

    Parameters
    ----------
    party
        Who works.
    witness
        Is told what was done and what failed.
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
        started = time.monotonic()
        try:
            done = [*party.view.market.tend(party.account), *party.step()]
            progress = party.view.market.progress(party.view.job)
        except (CairnError, Web3RPCError) as raised:
            fault = raised if isinstance(raised, CairnError) else RpcRefusalError(str(raised))
            witness.failed(fault, is_new=str(fault) != failure)
            failure, wait = str(fault), min(2 * wait, LONGEST_PAUSE_SECONDS)
        else:
            witness.succeeded(done, time.monotonic() - started)
            witness.saw(progress)
            if progress.job_state.ended:
                return True
            failure, wait = "", pause
        stop.wait(wait)
    return False
