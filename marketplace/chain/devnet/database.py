"""Key-value store of the embedded chain: in memory, and in one SQLite file if the chain is to outlive its process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from eth.db.backends.base import BaseDB

from marketplace.chain.errors import DevnetStateError

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class StateDatabase(BaseDB):
    """All entries in memory; `commit` writes what changed since the last one to the file, if there is one.

    One commit is one SQLite transaction, so a process that is killed leaves the state after some whole block.
    """

    def __init__(self, file: Path | None, chain_id: int) -> None:
        self._entries: dict[bytes, bytes] = {}
        self._changed: set[bytes] = set()
        self._connection = _open(file, chain_id) if file is not None else None
        if self._connection is not None:
            self._entries = dict(self._connection.execute("SELECT key, value FROM entry"))

    def __getitem__(self, key: bytes) -> bytes:
        return self._entries[key]

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._entries[key] = value
        if self._connection is not None:
            self._changed.add(key)

    def __delitem__(self, key: bytes) -> None:
        del self._entries[key]
        if self._connection is not None:
            self._changed.add(key)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def _exists(self, key: bytes) -> bool:
        return key in self._entries

    def commit(self) -> None:
        """Make everything written so far durable."""
        if self._connection is None or not self._changed:
            return
        kept = [(key, self._entries[key]) for key in self._changed if key in self._entries]
        gone = [(key,) for key in self._changed if key not in self._entries]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?)", kept)
            self._connection.executemany("DELETE FROM entry WHERE key = ?", gone)
        self._changed.clear()

    def close(self) -> None:
        """Commit, and let go of the file."""
        if self._connection is not None:
            self.commit()
            self._connection.close()
            self._connection = None


def _open(file: Path, chain_id: int) -> sqlite3.Connection:
    """Open or create the file, for this process alone and this chain only.

    Raises
    ------
    DevnetStateError
        If another process holds the file, it is no state file, or it holds another chain.
    """
    try:
        # The RPC server answers each connection on a thread of its own and lets one at a time in here.
        connection = sqlite3.connect(file, timeout=1, check_same_thread=False)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(SCHEMA)
        connection.execute("INSERT OR IGNORE INTO setting VALUES ('chain_id', ?)", (str(chain_id),))
        connection.commit()
        (held,) = connection.execute("SELECT value FROM setting WHERE name = 'chain_id'").fetchone()
    except sqlite3.Error as fault:
        raise DevnetStateError(
            f"can't use {file} as the state of a local chain ({fault}); it may be no such file, or another devnet may "
            "be using it: stop that one, or name another file"
        ) from fault
    if int(held) != chain_id:
        connection.close()
        raise DevnetStateError(
            f"{file} holds the chain with id {held}, not {chain_id}; name another file, or serve chain id {held}"
        )
    return connection
