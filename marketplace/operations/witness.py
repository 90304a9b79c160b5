"""What is made of a party's work: a line for people, a record of the log, metrics, and a mark that it gets on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contribution.errors import CairnError
from marketplace.chain.structs import Progress
from marketplace.error_codes import error_of
from marketplace.operations.log import Log
from marketplace.operations.metrics import Metrics
from marketplace.operations.runs import RunRecord


class PartyWitness:
    """Tells people, log, metrics and run file how a party gets on; see `marketplace.parties.following.Witness`.

    Parameters
    ----------
    say
        Gets a line for people at a time.
    log, metrics, record
        Of this run.
    balance
        Returns the account's coins in wei; asked after each step that did something, and at first.
    """

    def __init__(
        self, say: Callable[[str], None], log: Log, metrics: Metrics, record: RunRecord, balance: Callable[[], int]
    ) -> None:
        self._say = say
        self._log = log
        self._metrics = metrics
        self._record = record
        self._balance = balance
        self._balance_is_known = False

    def succeeded(self, done: Sequence[str], seconds: float) -> None:
        """Note what a step did and how long it took."""
        for line in done:
            self._say(line)
            self._log.write("did", line)
        self._metrics.succeeded(seconds, len(done))
        self._record.note_step()
        if done or not self._balance_is_known:
            self._ask_balance()

    def failed(self, fault: CairnError, *, is_new: bool) -> None:
        """Note a step that failed; in words only if it is another failure than before."""
        code = error_of(fault).code
        if is_new:
            self._say(f"{fault} [{code}] Trying again.")
            self._log.write("step-failed", str(fault), level="warning", code=code)
        self._metrics.failed(code)
        self._record.note_step()

    def saw(self, progress: Progress) -> None:
        """Note how far the job has come."""
        self._metrics.saw(progress.round, progress.settled_rounds)

    def _ask_balance(self) -> None:
        try:
            self._metrics.has_coins(self._balance())
        except CairnError as fault:
            self._log.write("step-failed", str(fault), level="warning", code=error_of(fault).code)
        else:
            self._balance_is_known = True
