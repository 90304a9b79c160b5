"""The points where a process can be killed: functions of the modules under test, wrapped in that process."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import aggregator.collection
import aggregator.worker
import marketplace.chain.tending
import marketplace.chain.transact
import marketplace.parties.submission
from marketplace.chain.journal import Journal
from marketplace.chain.market import Market
from marketplace.chain.transaction_record import Record, State
from marketplace.parties.outbox import Outbox
from marketplace.parties.referee import Referee
from marketplace.parties.trainer import Trainer
from marketplace.parties.view import JobView
from marketplace.storage.directory import DirectoryStore
from tests.crash.plan import AGGREGATOR, JOURNALLED, RECORDED, SENT, UNNAMED, Kill
from tests.crash.sent import Checks

TRANSACTIONS = {
    "accept": "accept",
    "join": "join",
    "start": "start",
    "submit": "submit",
    "submit_reference": "submit",
    "close_submissions": "close",
    "settle": "settle",
    "complete": "complete",
}
# Sent by `tend`, on behalf of a process that was killed.
TENDING = "tend"


class Probe:
    """Kills this process where it is told to.

    Parameters
    ----------
    party
        Who works in this process.
    kills
        Where it is to be killed: whichever it comes to first.
    tell
        Gets the place of the kill in `kills` before it dies.
    checks
        What must be on the disk when something is sent.
    """

    def __init__(self, party: str, kills: Sequence[Kill], tell: Callable[[object], None], checks: Checks) -> None:
        self._party = party
        self._kills = kills
        self._tell = tell
        self._checks = checks
        self._seen: Counter[tuple[str, str]] = Counter()
        self._steps: list[str] = []

    def install(self) -> None:
        """Wrap every function at whose beginning, within which or after which a process can be killed."""
        for name, step in TRANSACTIONS.items():
            self._wrap(Market, name, step)
        for module in (marketplace.chain.transact, marketplace.chain.tending):
            self._wrap_broadcast(module)
        self._wrap_within(Journal, "write", lambda record: RECORDED if _is_included(record) else "")
        self._wrap_rename()
        if self._party == AGGREGATOR:
            self._install_aggregator()
        else:
            self._install_submitter()

    def _install_aggregator(self) -> None:
        worker, collection = aggregator.worker, aggregator.collection
        self._wrap(worker, "collect", "collect")
        self._wrap(DirectoryStore, "get", "fetch", within="collect")
        self._wrap(collection, "open_envelope", "open")
        self._wrap(collection, "commit", "check")
        self._wrap(worker, "score", "score")
        self._wrap(worker, "prove", "prove")
        self._wrap(DirectoryStore, "add", "store")
        self._wrap(worker, "keep_settlement", "keep")
        self._wrap(worker, "write_private", "write the model")

    def _install_submitter(self) -> None:
        self._wrap(JobView, "model_before", "check the model")
        for kind in (Trainer, Referee):
            self._wrap(kind, "_compute", "compute")
        self._wrap(marketplace.parties.submission, "commit", "commit")
        self._wrap(Outbox, "keep", "keep")
        self._wrap_within(DirectoryStore, "add", lambda _: "published", step="deliver", begin="before")
        self._wrap_within(Outbox, "mark_published", lambda _: "after", step="deliver")

    def _hit(self, step: str, when: str) -> None:
        """Die here if this is one of the places."""
        self._seen[step, when] += 1
        for place, kill in enumerate(self._kills):
            if (kill.step, kill.when, kill.occurrence) == (step, when, self._seen[step, when]):
                self._tell({"killed": place})
                os.kill(os.getpid(), signal.SIGKILL)

    def _wrap(self, owner: Any, name: str, step: str, within: str = "") -> None:
        original = getattr(owner, name)

        @wraps(original)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            if within and within not in self._steps:
                return original(*arguments, **named)
            self._hit(step, "before")
            self._steps.append(step)
            try:
                value = original(*arguments, **named)
            finally:
                self._steps.pop()
            self._hit(step, "after")
            return value

        setattr(owner, name, wrapped)

    def _wrap_within(
        self, owner: Any, name: str, end: Callable[[Any], str], *, step: str = "", begin: str = ""
    ) -> None:
        """Wrap a method that belongs to a step: `end` tells from its first argument what its return is a point of."""
        original = getattr(owner, name)

        @wraps(original)
        def wrapped(this: Any, first: Any, **named: Any) -> Any:
            if begin:
                self._hit(step, begin)
            value = original(this, first, **named)
            if when := end(first):
                self._hit(step or self._step(), when)
            return value

        setattr(owner, name, wrapped)

    def _wrap_broadcast(self, module: Any) -> None:
        original = module.broadcast

        def broadcast(w3: Any, attempt: Any) -> Any:
            self._checks.before_sending(attempt)
            self._hit(self._step(), JOURNALLED)
            answer = original(w3, attempt)
            self._hit(self._step(), SENT)
            return answer

        module.broadcast = broadcast

    def _wrap_rename(self) -> None:
        original = Path.replace

        def replace(path: Path, target: Any) -> Path:
            self._hit(self._step(), UNNAMED)
            return original(path, target)

        Path.replace = replace  # type: ignore[method-assign]

    def _step(self) -> str:
        return self._steps[-1] if self._steps else TENDING


def _is_included(record: Record) -> bool:
    return record.state is not State.PENDING
