"""The page that says how fast the web app is and what its pages weigh, from the measurements of `benchmarks.web`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.goals import Goal
from benchmarks.web import CONNECTIONS, KILOBYTES, MILLISECONDS, READS_PER_SECOND, WARM_SECONDS, Row

PAGE: Final = Path("docs/web-performance.md")
# What a page of this site may take; pages are judged by the command where it says so.
MOST_REQUESTS: Final = 10
MOST_SCRIPT_KB: Final = 30.0
MOST_STYLE_KB: Final = 15.0
MOST_BLOCKING: Final = 1

_INTRODUCTION: Final = """\
# How fast the web app is

Written by `cairn bench web`; machine, versions and seed are in `benchmarks/results/web.json`. The command puts a market
of a thousand jobs into an index, serves it with `cairn web` as that is by default, on this machine, and asks. Every
figure is the median of {repeats}.

"Made" is a page that the server makes for the request, "kept" one that a process has made before and the index has not
moved since. Times are from a request's first byte to the answer's last over loopback, one request at a time. Client,
server, database and whatever else the machine does share its {cores} cores: CPU is the processor time of the server for
a page that is made, without the database's if that is PostgreSQL, and says more than the time does on a busy machine.
"""
_KEEPING: Final = """\
A process keeps what a public page or the API says to somebody without a session, 32 MiB at most, and answers from it
only while the index stands at the same block, with the same hash, finality, alarm and texts; a page that shows what the
site itself measured, only while that stays too. Nothing of a session is kept, shared or compressed. Every answer says
in `Cache-Status` (RFC 9211) where it comes from; `Cache-Control: no-cache` in a request gets one that is made. An
`ETag` spares browsers what they have.

Each block begins anew: the first visitors after it wait for pages that are made, at the rate of the lines that say so.

The {connections} connections ask as soon as they are answered, for visitors of {visitors:,} addresses behind a proxy,
each within the default rate limit. The mix is fixed, {addresses} addresses of pages and API without static files: the
newest jobs and the busiest accounts most, as Zipf's law has it (Breslau et al., Web caching and Zipf-like
distributions, INFOCOM 1999). What is kept is kept from {warm:g} s before on.
"""
_BUDGET: Final = """\
Budget of a page's first visit, in the manner of Lighthouse. Transfer sizes are as sent, headers included; a second
visit fetches the page alone, since static files are named by their content and stay for a year. There is no font, no
picture but the icon, and no request to another site. The script that holds the display up sets light or dark before
anything is painted.

| what | budget |
|---|---|
| page with its files, besides a plot library | {kilobytes:.0f} kB, judged by the command |
| time of the page, made, at p95 | {sqlite:.0f} ms on SQLite, {postgresql:.0f} ms on PostgreSQL, judged too |
| requests | {requests} |
| scripts | {script:.0f} kB |
| style | {style:.0f} kB |
| scripts that hold the display up | {blocking} |
"""


def write_page(rows: Sequence[Row], found: Sequence[Goal], cores: int, repeats: int, page: Path = PAGE) -> None:
    """Write the page.

    Parameters
    ----------
    rows
        As `benchmarks.web.run` returns them.
    found
        The goals.
    cores, repeats
        Of the machine, and of the measurements.
    page
        Where it goes.
    """
    budget = {"sqlite": MILLISECONDS["sqlite"], "postgresql": MILLISECONDS["postgresql"], "kilobytes": KILOBYTES}
    limits = {"requests": MOST_REQUESTS, "script": MOST_SCRIPT_KB, "style": MOST_STYLE_KB, "blocking": MOST_BLOCKING}
    times = "one measurement" if repeats == 1 else f"{repeats} measurements"
    text = [
        _INTRODUCTION.format(repeats=times, cores=cores),
        *(f"{_size(row)}\n" for row in rows[:1]),
        "## Goals\n",
        *_goals(found),
        "",
        f"## {CONNECTIONS} connections at once\n",
        *_many(rows),
        "",
        _KEEPING.format(connections=CONNECTIONS, visitors=rows[0]["visitors"], **_mix(rows[0])),
        "## What pages weigh\n",
        _BUDGET.format(**budget, **limits),
        *_weights(rows[0]["bytes"]),
        "",
        "## Each page by itself, milliseconds\n",
        *(part for row in rows for part in _times(row)),
    ]
    page.write_text("\n".join(text).rstrip() + "\n", "utf-8")


def _mix(row: Row) -> dict[str, float]:
    return {"addresses": round(row["many_visitors"]["kept"]["addresses"]), "warm": WARM_SECONDS}


def _size(row: Row) -> str:
    names = ("jobs", "rounds", "submissions", "entries", "events")
    counted = ", ".join(f"{row[name]:,} {'movements of money' if name == 'entries' else name}" for name in names)
    return f"The market: {counted}; trainers by job from 8 to the most that the market allows, 128."


def _goals(found: Sequence[Goal]) -> list[str]:
    lines = ["| goal | measured | at most | |", "|---|---|---|---|"]
    for goal in found:
        lines.append(f"| {goal.name} | {goal.measured:.3g} | {goal.limit:g} | {'met' if goal.met else '**missed**'} |")
    return lines


def _many(rows: Sequence[Row]) -> list[str]:
    lines = [
        f"The goal is {READS_PER_SECOND} reads a second. Cores are those that each took on average.\n",
        "| database | pages | reads/s | failed | kept | p50 ms | p95 ms | server's cores | client's | others' |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        for name, words in (("kept", "kept while they hold"), ("made", "all made")):
            many: dict[str, Any] = row["many_visitors"][name]
            figures = (many["failed"], f"{many['hits']:.0%}", f"{many['p50_ms']:.0f}", f"{many['p95_ms']:.0f}")
            cores = (many[f"{who}_cores"] for who in ("server", "client", "other"))
            cells = (row["database"], words, f"{many['reads_per_second']:.0f}", *figures, *cores)
            lines.append(f"| {' | '.join(map(str, cells))} |")
    memory = "; ".join(
        f"{row['database']}: {row['peak_mib']:,} MiB in {row['processes']} processes, counting what they share in each"
        for row in rows
    )
    return [*lines, "", f"The server's peak of memory, command and workers, after all of this: {memory}."]


def _weights(pages: Sequence[Row]) -> list[str]:
    lines = [
        "The heaviest of those that were looked at, of the largest jobs all; kB.\n",
        "| page | first visit | page | uncompressed | scripts | style | icon | requests | holding up |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    names = ("first_visit_kb", "html_kb", "html_uncompressed_kb", "js_kb", "css_kb", "svg_kb", "requests")
    for page in sorted(pages, key=lambda each: -each["first_visit_kb"]):
        cells = (page["page"], *(page[name] for name in names), page["blocking_scripts"])
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


def _times(row: Row) -> list[str]:
    lines = [
        f"### {row['database']}\n",
        "| page | made, p50 | made, p95 | CPU | kept, p50 | kept, p95 |",
        "|---|---|---|---|---|---|",
    ]
    names = ("made_p50_ms", "made_p95_ms", "made_cpu_ms", "kept_p50_ms", "kept_p95_ms")
    for kind, page in row["pages"].items():
        lines.append(f"| {kind} | {' | '.join(str(page.get(name, '–')) for name in names)} |")
    load = ", ".join(map(str, row["load_average"]))
    return [*lines, "", f"The machine's load average at the end: {load} (over 1, 5 and 15 minutes).", ""]
