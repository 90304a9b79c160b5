"""How fast the web app's pages are, how many it serves at once, and what they weigh, over a market of a thousand jobs.

The market goes into an index through the indexer, and `cairn web` serves that. "Made" is a page that the server makes
for the request, "kept" one that it has made before; goals for a page's time are for those that are made.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from benchmarks.goals import Goal
from benchmarks.http_client import Reply, Visit, hammer, request
from benchmarks.postgresql import serve_postgresql
from benchmarks.serving import MeasurementError
from benchmarks.synthetic_market import deployment, index_market, make_market, visitor
from benchmarks.web_server import Served, busy_seconds, serve
from benchmarks.web_visits import OF_OWNER, OF_TRAINER, PAGES, Draw, Inventory, draw_mix, take_inventory
from marketplace.chain.deployment import write_deployment
from marketplace.index.database import open_database, sqlite_url
from marketplace.index.schema import upgrade
from marketplace.index.store import count_rows, pointer_of
from marketplace.storage.directory import DirectoryStore

Row = dict[str, Any]

JOBS: Final = 1_000
SUBMISSIONS: Final = 100_000
MILLISECONDS: Final = {"sqlite": 200.0, "postgresql": 100.0}
READS_PER_SECOND: Final = 500
CONNECTIONS: Final = 50
KILOBYTES: Final = 200.0
_NEW: Final = {"Cache-Control": "no-cache"}
_WEIGHED: Final = 5
_MIXED: Final = 400
WARM_SECONDS: Final = 6.0
_VISITORS: Final = 2_000
_GZIP: Final = {"Accept-Encoding": "gzip"}
_STATIC: Final = re.compile(r'(?:src|href)="(/static/[^"]+)"')
_SCRIPT: Final = re.compile(r"<script ([^>]*)>")


@dataclass(frozen=True)
class Effort:
    """How much is measured: requests of each kind, seconds that many visitors ask for, and how often all of it."""

    draws: int = 40
    seconds: float = 10.0
    repeats: int = 3


def run(
    jobs: int,
    seed: int,
    effort: Effort,
    databases: tuple[str, ...] = ("sqlite", "postgresql"),
    say: Callable[[str], None] = print,
) -> list[Row]:
    """Measure with each database; return a row for each.

    Raises
    ------
    NoPostgresqlError
        If PostgreSQL is asked for and there is none.
    MeasurementError
        If a page answers with another status than it should.
    """
    say(f"making a market of {jobs:,} jobs")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        store = DirectoryStore(directory / "store")
        chain = make_market(jobs, store)
        write_deployment(directory / "deployment.json", deployment())
        for database in databases:
            with _database(database, directory) as url:
                engine = open_database(url)
                upgrade(engine)
                say(f"{database}: indexing it")
                index_market(engine, chain, store)
                there = take_inventory(engine, seed)
                market = pointer_of(engine, deployment().chain_id, deployment().market)
                counts = count_rows(engine, market.market_id)
                engine.dispose()
                with serve(url, directory / "deployment.json", directory / f"home-{database}") as served:
                    rows.append({"database": database, **counts, **_measured(served, there, seed, effort, say)})
            say(line(rows[-1]))
    return rows


def goals(rows: Sequence[Row]) -> list[Goal]:
    """Compare with what is aimed at, for a market of at least the size that is judged."""
    found = []
    for row in rows:
        if row["jobs"] < JOBS or row["submissions"] < SUBMISSIONS:
            continue
        database = row["database"]
        slowest = max(row["pages"], key=lambda kind: row["pages"][kind]["made_p95_ms"])
        p95 = row["pages"][slowest]["made_p95_ms"]
        many, heaviest = row["many_visitors"]["kept"], max(row["bytes"], key=lambda page: page["first_visit_kb"])
        most = 1_000 / READS_PER_SECOND
        found += [
            Goal(f"{database}: ms at p95 of the slowest page ({slowest})", p95, MILLISECONDS[database]),
            Goal(f"{database}: ms a read on {CONNECTIONS} connections", 1_000 / many["reads_per_second"], most),
            Goal(f"{database}: reads that failed", many["failed"], 0),
            Goal(f"{database}: kB of the largest page ({heaviest['page']})", heaviest["first_visit_kb"], KILOBYTES),
        ]
    return found


def line(row: Row) -> str:
    """Return a row in words."""
    pages, many = row["pages"], row["many_visitors"]
    slowest = max(pages, key=lambda kind: pages[kind]["made_p95_ms"])
    return (
        f"{row['database']}: {row['jobs']:,} jobs, {row['submissions']:,} submissions; slowest page {slowest} "
        f"{pages[slowest]['made_p95_ms']} ms at p95; {many['kept']['reads_per_second']} reads/s, "
        f"{many['made']['reads_per_second']} if every page is made; largest page "
        f"{max(page['first_visit_kb'] for page in row['bytes'])} kB; {row['peak_mib']} MiB"
    )


def _measured(served: Served, there: Inventory, seed: int, effort: Effort, say: Callable[[str], None]) -> Row:
    visits: list[tuple[str, Draw, dict[str, str]]] = [(kind, draw, {}) for kind, draw in PAGES.items()]
    for role, draws in (("trainer", OF_TRAINER), ("owner", OF_OWNER)):
        cookie = {"Cookie": _sign_in(served, visitor(role))}
        visits += [(kind, draw, cookie) for kind, draw in draws.items()]
    timed: dict[str, list[Row]] = {kind: [] for kind, _, _ in visits}
    asked: dict[str, list[Row]] = {"kept": [], "made": []}
    for repeat in range(effort.repeats):
        say(f"repeat {repeat + 1} of {effort.repeats}: each page by itself")
        for kind, draw, more in visits:
            rng = random.Random(f"{seed} {repeat} {kind}")  # noqa: S311 - nothing is hidden
            timed[kind].append(_one_at_a_time(served, kind, draw, more, there, rng, effort.draws))
        for name, more in (("kept", {}), ("made", _NEW)):
            say(f"repeat {repeat + 1} of {effort.repeats}: {CONNECTIONS} connections, pages {name}")
            rng = random.Random(f"{seed} {repeat} mix")  # noqa: S311
            asked[name].append(_many_at_once(served, draw_mix(rng, there, _MIXED), more, effort.seconds))
    return {
        "pages": {kind: _medians(found) for kind, found in timed.items()},
        "many_visitors": {name: _medians(found) for name, found in asked.items()},
        "bytes": _heaviest(_weight(served, kind, path) for kind, path in _looked_at(there, seed)),
        "visitors": _VISITORS,
        "processes": len(served.processes()),
        "peak_mib_of_each": [round(mib) for mib in served.peak_mib()],
        "peak_mib": round(sum(served.peak_mib())),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }


def _one_at_a_time(
    served: Served,
    kind: str,
    draw: Draw,
    more: Mapping[str, str],
    there: Inventory,
    rng: random.Random,
    count: int,
) -> Row:
    """Ask for pages of a kind, one after the other: first such that are made for it, then those again."""
    visit = Visit(served.address, served.port)
    paths = [draw(rng, there) for _ in range(count)]
    expected = 404 if kind == "no such page" else 200

    def ask(path: str, fresh: Mapping[str, str]) -> Reply:
        reply = visit.ask(request(served.host, path, {**_GZIP, **_visitor(rng), **more, **fresh}))
        if reply.status != expected:
            raise MeasurementError(f"{path} answered {reply.status}, not {expected}.")
        return reply

    try:
        before = served.cpu_seconds()
        made = [ask(path, _NEW) for path in paths]
        cpu = served.cpu_seconds() - before
        again = [ask(path, {}) for path in paths]
    finally:
        visit.close()
    row = {**_times("made", made), "made_cpu_ms": round(1_000 * cpu / count, 1)}
    # Those within a session are never kept.
    kept = [reply for reply in again if reply.header("Cache-Status").endswith("hit")]
    return row | (_times("kept", kept) if kept else {})


def _times(name: str, replies: Sequence[Reply]) -> Row:
    milliseconds = [1_000 * reply.seconds for reply in replies]
    return {f"{name}_p50_ms": _quantile(milliseconds, 0.5), f"{name}_p95_ms": _quantile(milliseconds, 0.95)}


def _many_at_once(served: Served, paths: Sequence[str], more: Mapping[str, str], seconds: float) -> Row:
    """Let many visitors ask for pages at once, over connections that are kept."""
    requests = [
        request(served.host, path, {**_GZIP, **_address(visitor_number), **more})
        for visitor_number, path in zip(range(_VISITORS), cycle(paths), strict=False)
    ]
    if not more:
        hammer(served.address, served.port, CONNECTIONS, requests, min(seconds, WARM_SECONDS))
    server, mine, all_of_it = served.cpu_seconds(), time.process_time(), busy_seconds()
    tally = hammer(served.address, served.port, CONNECTIONS, requests, seconds)
    server, mine = served.cpu_seconds() - server, time.process_time() - mine
    others = max(0.0, busy_seconds() - all_of_it - server - mine)
    answered = len(tally.latencies)
    return {
        "reads_per_second": round(answered / tally.seconds),
        "failed": tally.failures + answered - tally.statuses.get(200, 0),
        "addresses": len(set(paths)),
        "hits": round(tally.hits / answered, 3),
        "p50_ms": _quantile([1_000 * each for each in tally.latencies], 0.5),
        "p95_ms": _quantile([1_000 * each for each in tally.latencies], 0.95),
        "mb_per_second": round(tally.transferred / tally.seconds / 1e6, 1),
        "server_cores": round(server / tally.seconds, 2),
        "client_cores": round(mine / tally.seconds, 2),
        "other_cores": round(others / tally.seconds, 2),
    }


def _heaviest(pages: Iterable[Row]) -> list[Row]:
    """Return the heaviest page of each kind."""
    found: dict[str, Row] = {}
    for page in pages:
        if page["page"] not in found or page["first_visit_kb"] > found[page["page"]]["first_visit_kb"]:
            found[page["page"]] = page
    return list(found.values())


def _looked_at(there: Inventory, seed: int) -> Iterator[tuple[str, str]]:
    """Yield some pages of each kind that people look at, and of the largest jobs all."""
    rng = random.Random(f"{seed} bytes")  # noqa: S311 - nothing is hidden
    for kind, draw in PAGES.items():
        if not kind.startswith(("API: ", "health", "ready", "no such")):
            yield from ((kind, draw(rng, there)) for _ in range(_WEIGHED))
    for number in there.largest:
        yield "job of 128 trainers", f"/jobs/{number}"
        for job, round_number in there.rounds:
            if job == number:
                yield "round of 128 trainers", f"/jobs/{job}/rounds/{round_number}"


def _weight(served: Served, kind: str, path: str) -> Row:
    """Return what a first visit to a page transfers, its headers included, by kind; and what holds its display up."""
    visit = Visit(served.address, served.port)

    def get(address: str) -> Reply:
        return visit.ask(request(served.host, address, {**_GZIP, **_address(1)}))

    page = get(path)
    text = (gzip.decompress(page.body) if page.header("Content-Encoding") == "gzip" else page.body).decode()
    files = {address.replace("&amp;", "&"): 0 for address in _STATIC.findall(text)}
    for address in files:
        files[address] = get(address).transferred
    visit.close()
    by_kind = {
        name: round(sum(size for address, size in files.items() if f".{name}" in address) / 1_000, 1)
        for name in ("js", "css", "svg")
    }
    # Modules and deferred scripts don't hold a page up.
    scripts = [script for script in _SCRIPT.findall(text) if "src=" in script]
    blocking = [script for script in scripts if not re.search(r'type="module"|\bdefer\b|\basync\b', script)]
    return {
        "page": kind,
        "path": path,
        "first_visit_kb": round((page.transferred + sum(files.values())) / 1_000, 1),
        "html_kb": round(page.transferred / 1_000, 1),
        "html_uncompressed_kb": round(len(text.encode()) / 1_000, 1),
        **{f"{name}_kb": size for name, size in by_kind.items()},
        "requests": 1 + len(files),
        "blocking_scripts": len(blocking),
        "blocking_styles": len(re.findall(r'<link rel="stylesheet"', text)),
    }


def _sign_in(served: Served, signer: LocalAccount) -> str:
    """Sign in as a wallet does; return the cookie."""
    visit = Visit(served.address, served.port)
    held, token = "", ""

    def tell(path: str, body: Mapping[str, str] | None = None) -> Reply:
        nonlocal held
        headers = {"Content-Type": "application/json", "X-CSRF-Token": token, "Cookie": held, **_address(1)}
        sent = b"" if body is None else json.dumps(body).encode()
        reply = visit.ask(request(served.host, path, headers, "POST" if sent else "GET", sent))
        if reply.status != 200:
            raise MeasurementError(f"{path} answered {reply.status}: {reply.body.decode()}")
        held = reply.header("Set-Cookie").partition(";")[0] or held
        return reply

    token = tell("/sign-in").body.decode().partition('data-token="')[2].partition('"')[0]
    message = json.loads(tell("/sign-in/message", {"account": signer.address}).body)["message"]
    signature = "0x" + bytes(signer.sign_message(encode_defunct(text=message)).signature).hex()
    tell("/sign-in", {"message": message, "signature": signature})
    visit.close()
    return held


def _visitor(rng: random.Random) -> dict[str, str]:
    return _address(rng.randrange(_VISITORS))


def _address(number: int) -> dict[str, str]:
    """Return the header by which a proxy tells of a visitor."""
    return {"X-Forwarded-For": f"10.1.{number // 250}.{1 + number % 250}"}


def _quantile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 1)


def _medians(rows: Sequence[Row]) -> Row:
    """Return the median of each figure, and of failures all together."""
    found = {name: round(statistics.median(row[name] for row in rows), 3) for name in rows[0]}
    return found | ({"failed": sum(row["failed"] for row in rows)} if "failed" in found else {})


@contextmanager
def _database(name: str, directory: Path) -> Iterator[str]:
    """Yield the URL of an empty database on this machine's disk."""
    with ExitStack() as stack:
        if name == "postgresql":
            yield stack.enter_context(serve_postgresql(durable=True))
        else:
            yield sqlite_url(directory / "index.sqlite")
