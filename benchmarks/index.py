"""How fast the index takes events in, and how fast it repairs a deep reorganisation.

A chain is made up first, of whole jobs by the market's rules. What is measured is all that the index does with it:
questions to the chain (answered in this process), checks, decoding, the market's state machine, rows, and commits to
the disk. Blocks further back than the finality depth are believed as the node tells them; the last are proven.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from web3 import Web3

from benchmarks.goals import Goal
from benchmarks.postgresql import serve_postgresql
from benchmarks.synthetic_chain import CHAIN_ID, deployment, make_chain
from marketplace.index.database import open_database, sqlite_url
from marketplace.index.dump import digest
from marketplace.index.finality import FINALITY_DEPTH
from marketplace.index.indexer import Indexer
from marketplace.index.node import Node
from marketplace.index.schema import upgrade
from marketplace.index.source import Source

Row = dict[str, Any]

EVENTS: Final = 100_000
DEPTH: Final = 64
EVENTS_PER_SECOND: Final = {"sqlite": 1_500, "postgresql": 5_000}
REPAIR_SECONDS: Final = 5.0


def run(
    events: int, seed: int, databases: tuple[str, ...] = ("sqlite", "postgresql"), say: Callable[[str], None] = print
) -> list[Row]:
    """Measure with each database; return a row for each.

    Raises
    ------
    NoPostgresqlError
        If PostgreSQL is asked for and there is none.
    """
    say(f"making a chain of {events:,} events")
    rows = []
    for name in databases:
        # Made anew for each, since the measurement changes it.
        chain, instead = make_chain(events, DEPTH, seed)
        with _database(name) as url:
            engine = open_database(url)
            upgrade(engine)
            where = deployment()
            node = Node(Web3(chain), CHAIN_ID, where.market)
            indexer = Indexer(engine, Source(node, None, FINALITY_DEPTH, believes=True), where)
            say(f"{name}: taking it in")
            began = time.perf_counter()
            step = indexer.step()
            seconds = time.perf_counter() - began
            before = digest(engine, CHAIN_ID, where.market)
            chain.replace_last(instead, DEPTH)
            began = time.perf_counter()
            repair = indexer.step()
            repair_seconds = time.perf_counter() - began
            rows.append(
                {
                    "database": name,
                    "events": step.events,
                    "blocks": step.blocks,
                    "seconds": round(seconds, 2),
                    "events_per_second": round(step.events / seconds),
                    "reorganised_blocks": repair.taken_out,
                    "reorganised_events": repair.events,
                    "repair_seconds": round(repair_seconds, 3),
                    "sha256": before,
                }
            )
            say(line(rows[-1]))
            engine.dispose()
    return rows


def goals(rows: list[Row]) -> list[Goal]:
    """Compare with what is aimed at, for a chain of at least the size that is judged."""
    found = []
    for row in rows:
        if row["events"] >= EVENTS:
            limit = 1e6 / EVENTS_PER_SECOND[row["database"]]
            found.append(
                Goal(f"{row['database']}: microseconds per event", 1e6 * row["seconds"] / row["events"], limit)
            )
            found.append(
                Goal(f"{row['database']}: seconds to repair {DEPTH} blocks", row["repair_seconds"], REPAIR_SECONDS)
            )
    return found


def line(row: Row) -> str:
    """Return a row in words."""
    return (
        f"{row['database']}: {row['events']:,} events in {row['blocks']:,} blocks, {row['seconds']} s, "
        f"{row['events_per_second']:,} events/s; {row['reorganised_blocks']} blocks replaced in "
        f"{row['repair_seconds']} s"
    )


@contextmanager
def _database(name: str) -> Iterator[str]:
    """Yield the URL of an empty database on this machine's disk."""
    with ExitStack() as stack:
        if name == "postgresql":
            yield stack.enter_context(serve_postgresql(durable=True))
        else:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            yield sqlite_url(Path(directory) / "index.sqlite")
