"""How fast, and in how much memory, a round's updates are fetched and opened from a store on the same machine."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from benchmarks.goals import Goal
from benchmarks.store_row import BITS, Task, context_of, task_as_json
from marketplace.payload.envelope import EncryptionKeyPair, seal
from marketplace.payload.update import encode_updates, encoded_update_size
from marketplace.storage.cid import Cid
from marketplace.storage.kubo import KuboStore
from marketplace.storage.locations import open_location
from marketplace.storage.store import WritableStore
from zk.polynomial_commitment import Opening, new_blinder

Row = dict[str, Any]

# Two bytes a coordinate: 2 MiB.
DIMENSION: Final = 2**20
UPDATES: Final = 16
SECONDS_LIMIT: Final = 5.0
MEMORY_LIMIT_MIB: Final = 4.0 + 2 * 2
_WARM_UP_DIMENSION: Final = 64


def run(kubo: str | None, seed: int, progress: Callable[[str], None]) -> list[Row]:
    """Measure the embedded store, and a node if there is one.

    Parameters
    ----------
    kubo
        Location of a node, such as `kubo+http://127.0.0.1:5001`; the updates are added to it and then unpinned.
    seed
        Where the updates come from.
    progress
        Called with words before each step.
    """
    with tempfile.TemporaryDirectory() as directory:
        locations = [f"dir:{directory}/store", *([] if kubo is None else [kubo])]
        return [measure(location, seed, progress) for location in locations]


def measure(location: str, seed: int, progress: Callable[[str], None]) -> Row:
    """Add sixteen updates to a store, and fetch and open them in a process of its own."""
    store = open_location(location)
    if not isinstance(store, WritableStore):
        raise TypeError(f"{store.label} keeps nothing")
    key_pair = EncryptionKeyPair.generate()
    progress(f"{store.label}: add {UPDATES} updates of {encoded_update_size(DIMENSION, BITS) / 2**20:.1f} MiB")
    with _added(store, key_pair, seed) as (warm_up, *cids):
        task = Task(
            location, key_pair.secret.hex(), DIMENSION, list(map(str, cids)), (str(warm_up), _WARM_UP_DIMENSION)
        )
        progress(f"{store.label}: fetch and open them")
        answer = subprocess.run(
            [sys.executable, "-m", "benchmarks.store_row"],
            input=task_as_json(task),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    version = store.version() if isinstance(store, KuboStore) else None
    kind = "embedded" if version is None else "node"
    return {"store": kind, "node_version": version, "updates": UPDATES, **json.loads(answer.stdout)}


def goals(rows: list[Row]) -> list[Goal]:
    """Return what is aimed at for each store that was measured."""
    return [
        goal
        for row in rows
        for goal in (
            Goal(f"{row['store']}: seconds for {row['updates']} updates of 2 MiB", row["seconds"], SECONDS_LIMIT),
            Goal(f"{row['store']}: peak MiB above the idle process", row["peak_above_idle_mib"], MEMORY_LIMIT_MIB),
        )
    ]


@contextmanager
def _added(store: WritableStore, key_pair: EncryptionKeyPair, seed: int) -> Iterator[list[Cid]]:
    """Add a small update and sixteen large ones; let go of them afterwards."""
    draws = np.random.default_rng(seed)
    cids = []
    try:
        for place in range(UPDATES + 1):
            dimension = DIMENSION if place else _WARM_UP_DIMENSION
            coordinates = draws.integers(-(2**15), 2**15, dimension, dtype=np.int16)
            content = encode_updates([Opening(coordinates, new_blinder())], BITS)
            cids.append(store.add(seal(content, key_pair.public, context_of(max(0, place - 1)))))
        yield cids
    finally:
        for cid in cids:
            store.unpin(cid)
