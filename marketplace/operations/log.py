"""Structured logs of the long-running parties: a JSON object a line, in files that rotate, and the same for people.

A record has these fields, and no others:

- ``time``: when, in UTC, as ``2026-01-01T00:00:00.000Z``
- ``level``: one of `LEVELS`
- ``event``: what kind of thing happened, one of `EVENTS`
- ``run``: name of the run, as `cairn status` shows it
- ``job``: number of the job, an integer
- ``message``: what happened, in a sentence for people
- ``code``: code of the error; only where a step failed

What is logged are the sentences that the parties say and errors tell; none of them holds a key, a passphrase, an update
or what an address holds behind its host.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final

from contribution.errors import CairnError
from marketplace.strict_json import parse_json

EVENTS: Final = ("started", "did", "step-failed", "ended", "stopped", "failed")
LEVELS: Final = ("info", "warning", "error")
MAX_FILE_BYTES: Final = 8 * 2**20
OLD_FILES: Final = 5
MAX_MESSAGE_CHARACTERS: Final = 4096


class LogError(CairnError):
    """Thrown when a log can't be opened."""


@dataclass(frozen=True)
class Record:
    """A line of a log; the module's docstring says what its fields mean."""

    time: str
    level: str
    event: str
    run: str
    job: int
    message: str
    code: str | None = None

    def encode(self) -> str:
        """Return the record as a line of JSON, without its end."""
        present = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(present, ensure_ascii=True)

    def for_people(self) -> str:
        """Return the record as people read it."""
        mark = "" if self.level == "info" else f"{self.level.upper()} "
        code = "" if self.code is None else f" [{self.code}]"
        return f"{self.time}  {self.run}  {mark}{self.message}{code}"


class Log:
    """The log of one run; see `open_log`."""

    def __init__(self, handler: logging.Handler, run: str, job: int) -> None:
        self._handler = handler
        self._run = run
        self._job = job

    def write(self, event: str, message: str, *, level: str = "info", code: str | None = None) -> None:
        """Write a record; a disk that is full stops the log, not the party.

        Parameters
        ----------
        event, message, level, code
            See the module's docstring; a message is cut after 4,096 characters.
        """
        now = datetime.now(UTC)
        time = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
        record = Record(time, level, event, self._run, self._job, message[:MAX_MESSAGE_CHARACTERS], code)
        self._handler.handle(logging.makeLogRecord({"msg": record.encode()}))


class _RotatingFile(logging.handlers.RotatingFileHandler):
    """A rotating file for the user alone, whose failure is told once."""

    def __init__(self, path: Path) -> None:
        self._failed = False
        super().__init__(path, maxBytes=MAX_FILE_BYTES, backupCount=OLD_FILES, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        """Open the file, for the user alone if it is new; the base class calls it at first and after each rotation."""
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - as in the base class
        """Tell that the log can't be written."""
        self._tell(sys.exc_info()[1])

    def close(self) -> None:
        """Close the file; what a full disk never took is lost."""
        try:
            super().close()
        except OSError as fault:
            self._tell(fault)

    def _tell(self, fault: BaseException | None) -> None:
        if not self._failed:
            self._failed = True
            sys.stderr.write(f"cairn: The log {self.baseFilename} can't be written ({fault}).\n")


@contextmanager
def open_log(path: Path, run: str, job: int) -> Iterator[Log]:
    """Open a log for appending. At 8 MiB it is renamed to ``NAME.1``, and so on; five old files are kept.

    Raises
    ------
    LogError
        If the file can't be opened.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _RotatingFile(path)
    except OSError as fault:
        raise LogError(f"Can't log to {path} ({fault.strerror}); free some space or make it writable.") from fault
    try:
        yield Log(handler, run, job)
    finally:
        handler.close()


def read_log(path: Path, lines: int) -> list[Record]:
    """Return the last records of a log, oldest first; lines that a crash cut off are left out.

    Parameters
    ----------
    path
        The log; the file before it is read too, if that is needed.
    lines
        How many.
    """
    found: list[Record] = []
    for file in (path, path.with_name(f"{path.name}.1")):
        if len(found) < lines and file.is_file():
            parsed = [parse_record(line) for line in file.read_bytes().splitlines()]
            found = [record for record in parsed if record is not None] + found
    return found[-lines:]


def parse_record(line: bytes) -> Record | None:
    """Return the record of a line; None if it is none."""
    try:
        entry = parse_json(line)
    except ValueError:
        return None
    return Record(**entry) if isinstance(entry, dict) and _is_record(entry) else None


def _is_record(entry: dict[str, Any]) -> bool:
    known = {field.name for field in fields(Record)}
    texts = [entry.get(name) for name in ("time", "run", "message")]
    return (
        set(entry) | {"code"} == known
        and all(isinstance(text, str) for text in (*texts, entry.get("code", "")))
        and type(entry.get("job")) is int
        and entry.get("level") in LEVELS
        and entry.get("event") in EVENTS
    )
