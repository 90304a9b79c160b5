"""Fetching and opening a round's updates, in a process of its own so that its peak of memory is its own.

`python -m benchmarks.store_row` reads a `Task` as JSON from standard input and prints what it measured as JSON. Each
update is fetched, its blocks and its CID checked, decrypted and decoded, as the aggregator's collection does; the
commitment, which is not the store's matter, is measured by `cairn bench round`.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from eth_utils.address import to_checksum_address

from benchmarks.memory import peak_mib
from marketplace.payload.context import EnvelopeContext
from marketplace.payload.envelope import EncryptionKeyPair, envelope_size, open_envelope, parse_envelope
from marketplace.payload.update import decode_updates, encoded_update_size
from marketplace.storage.cid import parse_cid
from marketplace.storage.locations import open_location
from marketplace.storage.store import ContentReader

BITS: Final = 16


@dataclass(frozen=True)
class Task:
    """What to fetch.

    Attributes
    ----------
    location
        URL of the store.
    secret
        The key that the envelopes are encrypted to, 32 bytes in hexadecimal digits.
    dimension
        Coordinates of an update.
    envelopes
        CIDs by sender's number.
    warm_up
        CID and dimension of a small one, sent by number 0, that is opened before the clock starts.
    """

    location: str
    secret: str
    dimension: int
    envelopes: list[str]
    warm_up: tuple[str, int]


def context_of(sender: int) -> EnvelopeContext:
    """Return what a sender's envelope is bound to."""
    market, account = to_checksum_address("0x" + "c0" * 20), to_checksum_address(f"0x{sender + 1:040x}")
    return EnvelopeContext(31337, market, 1, 1, account)


def measure(task: Task) -> dict[str, Any]:
    """Return seconds for all updates, and the peak of memory above the idle process in MiB."""
    store, key_pair = open_location(task.location), EncryptionKeyPair.from_secret(bytes.fromhex(task.secret))
    _open(store, key_pair, *task.warm_up, 0)
    gc.collect()
    idle = _restart_peak()
    started = time.perf_counter()
    for sender, cid in enumerate(task.envelopes):
        _open(store, key_pair, cid, task.dimension, sender)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "idle_mib": idle, "peak_above_idle_mib": peak_mib() - idle}


def _open(store: ContentReader, key_pair: EncryptionKeyPair, cid: str, dimension: int, sender: int) -> None:
    """Fetch, decrypt and decode one update."""
    size = encoded_update_size(dimension, BITS)
    envelope = store.get(parse_cid(cid), envelope_size(size))
    content = open_envelope(parse_envelope(envelope, context_of(sender)), key_pair)
    decode_updates(content, dimension, BITS, 1)


def _restart_peak() -> float:
    """Let the peak of memory begin anew, where the system can, and return what this process has, in MiB."""
    # Elsewhere what was used to get ready hides part of what follows.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    return peak_mib()


def task_as_json(task: Task) -> str:
    """Return what `main` reads."""
    return json.dumps(asdict(task))


def main() -> None:
    """Measure what standard input says."""
    values = json.loads(sys.stdin.read())
    values["warm_up"] = tuple(values["warm_up"])
    sys.stdout.write(json.dumps(measure(Task(**values))) + "\n")


if __name__ == "__main__":
    main()
