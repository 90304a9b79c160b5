"""What an account has sent, kept on disk before it is sent, so that no crash loses a transaction or sends it twice."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from eth_typing import ChecksumAddress
from web3 import Web3

from marketplace.chain.errors import JournalBusyError, JournalError
from marketplace.chain.local_chains import LOCAL_CHAIN_IDS
from marketplace.chain.transaction_record import MAX_FILE_SIZE, Place, Record, parse_record, record_text

TURN_SECONDS: Final = 600.0
_ASK_SECONDS: Final = 0.05
_LOCK: Final = "lock"
_RECORD_NAME: Final = re.compile(r"([0-9]{20})\.json")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seen:
    """A block that was the chain's last, and the records (nonce and block) that were found in the chain then."""

    head: Place
    settled: frozenset[tuple[int, Place]]


class Journal:
    """The transactions of one account on one chain that are not final yet.

    Parameters
    ----------
    directory : Path, optional
        Where records lie, a file for each nonce; created if it is missing, for the user alone. None to keep them in
        memory.
    chain_id : int
        The chain's id (EIP-155).
    account : ChecksumAddress
        The account.

    Attributes
    ----------
    seen
        What the last look at the chain found; None before the first.
    """

    def __init__(self, directory: Path | None, chain_id: int, account: ChecksumAddress) -> None:
        self.directory = directory
        self.chain_id = chain_id
        self.account = account
        self.seen: Seen | None = None
        self._records: dict[int, Record] = {}
        self._thread = threading.Lock()

    @contextmanager
    def turn(self, patience: float = TURN_SECONDS) -> Iterator[None]:
        """Be the only one who sends from the account while the context lasts: in this process and among all others.

        Parameters
        ----------
        patience : float
            Seconds to wait for others to finish.

        Raises
        ------
        JournalBusyError
            If another still has its turn then.
        JournalError
            If the records can't be read, or are not what `write` writes.
        """
        until = time.monotonic() + patience
        if not self._thread.acquire(timeout=patience):
            raise JournalBusyError(self.account, patience)
        try:
            with _locked(self.directory, self.account, until, patience):
                self._load()
                yield
        finally:
            self._thread.release()

    def records(self) -> tuple[Record, ...]:
        """Return the records by nonce, ascending."""
        return tuple(self._records[nonce] for nonce in sorted(self._records))

    def record(self, nonce: int) -> Record:
        """Return the record of a nonce."""
        return self._records[nonce]

    def write(self, record: Record) -> None:
        """Keep a record, in place of the one that its nonce had.

        Raises
        ------
        JournalError
            If it can't be written; then nothing may be sent.
        """
        if self.directory is not None:
            try:
                _write_file(self._path(self.directory, record.nonce), record_text(record).encode())
            except OSError as fault:
                raise JournalError(
                    f"Can't keep the transaction with nonce {record.nonce} in {self.directory} ({fault.strerror}), so "
                    "it was not sent; free some space, or make the directory writable."
                ) from fault
        self._records[record.nonce] = record

    def remove(self, nonce: int) -> None:
        """Forget a record."""
        if self.directory is not None:
            self._path(self.directory, nonce).unlink(missing_ok=True)
            _sync_directory(self.directory)
        del self._records[nonce]

    def _load(self) -> None:
        if self.directory is None:
            return
        found = (_RECORD_NAME.fullmatch(path.name) for path in self.directory.iterdir())
        self._records = {int(match[1]): self._read(int(match[1])) for match in found if match}

    def _read(self, nonce: int) -> Record:
        path = self._path(self.directory or Path(), nonce)
        try:
            with path.open("rb") as file:
                record = parse_record(file.read(MAX_FILE_SIZE + 1))
            found = (record.last.sender, record.last.chain_id, record.nonce)
            if found != (self.account, self.chain_id, nonce):
                raise ValueError(f"it is of account {found[0]}, chain {found[1]} and nonce {found[2]}")
        except (OSError, ValueError) as fault:
            raise JournalError(
                f"The record {path} of a transaction can't be used ({fault}), and nothing is sent from {self.account} "
                f"without it: restore it from a backup. If there is none, look up what became of nonce {nonce} of the "
                "account; once a block holds it, the file can be moved away."
            ) from fault
        return record

    @staticmethod
    def _path(directory: Path, nonce: int) -> Path:
        return directory / f"{nonce:020d}.json"


class Journals:
    """The journals of every account that a program sends from.

    Parameters
    ----------
    directory : Path, optional
        Where they lie, a directory for each; None to keep them in memory, for programs that end with their chain.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._journals: dict[str, Journal] = {}
        self._guard = threading.Lock()

    def of(self, w3: Web3, account: ChecksumAddress) -> Journal:
        """Return the journal of an account on a node's chain."""
        chain_id = w3.eth.chain_id
        name = f"{chain_id}-{account.lower()}"
        if chain_id in LOCAL_CHAIN_IDS:
            # A local chain that starts anew keeps its id; what was signed for the old one must not enter the new.
            name = f"{chain_id}-{w3.eth.get_block(0)['hash'].hex()[:8]}-{account.lower()}"
        with self._guard:
            if name not in self._journals:
                directory = None if self._directory is None else self._directory / name
                self._journals[name] = Journal(directory, chain_id, account)
            return self._journals[name]


@contextmanager
def _locked(directory: Path | None, account: str, until: float, patience: float) -> Iterator[None]:
    """Hold the lock of a directory, which the operating system releases however a process ends."""
    if directory is None:
        yield
        return
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as fault:
        raise JournalError(
            f"Can't keep transactions in {directory} ({fault.strerror}), so nothing is sent; make the directory "
            "writable, or name another as CAIRN_HOME."
        ) from fault
    with os.fdopen(descriptor, "rb") as file:
        _lock(file, account, until, patience)
        yield


def _lock(file: BinaryIO, account: str, until: float, patience: float) -> None:
    told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise JournalBusyError(account, patience) from None
        else:
            return
        if not told:
            logger.warning("Another process is sending from %s; this one waits for its turn.", account)
            told = True
        time.sleep(_ASK_SECONDS)


def _write_file(path: Path, content: bytes) -> None:
    """Write a file for the user alone, whole or not at all, and return when the disk has it."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
