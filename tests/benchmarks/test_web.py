"""The web app's benchmark: the market it makes is one that the index takes, it measures, and its goals are judged."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from benchmarks import web
from benchmarks.environment import RESULTS
from benchmarks.evidence import web_performance
from benchmarks.http_client import AnswerError, Visit, hammer, request
from benchmarks.synthetic_market import account_of, deployment, index_market, make_market
from benchmarks.web_visits import MIX, PAGES
from contribution.rules import RULES
from marketplace.chain.structs import JobState
from marketplace.index.database import open_database, sqlite_url
from marketplace.index.queries.answers import Reader
from marketplace.index.queries.history import decided_rounds
from marketplace.index.queries.jobs import JobFilter, list_jobs
from marketplace.index.schema import upgrade
from marketplace.storage.directory import DirectoryStore


def test_the_market_is_one_that_the_index_takes_and_that_pages_can_explain(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    engine = open_database(sqlite_url(tmp_path / "index.sqlite"))
    upgrade(engine)
    index_market(engine, make_market(24, store), store)
    where = deployment()
    reader = Reader(engine, where.chain_id, where.market)
    jobs = list_jobs(reader, size=50).value.items
    assert len(jobs) == 24
    assert {job.state for job in jobs} >= {JobState.OPEN, JobState.RUNNING, JobState.COMPLETED}
    assert all(job.title and job.title.endswith(f"study {job.number}") for job in jobs)
    assert len(list_jobs(reader, JobFilter(text="study")).value.items) == 24
    decided = [each for job in jobs for each in decided_rounds(reader, job.number).value]
    verdicts = {part.verdict for each in decided for part in each.decided}
    assert verdicts == {"kept", "dropped", "excluded"}
    assert set(where.rules.values()) == {account_of(name, 0) for name in RULES}


def test_a_small_market_is_measured_over_a_real_server(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(web, "_MIXED", 50)
    monkeypatch.setattr(web, "CONNECTIONS", 4)
    row = web.run(20, 0, web.Effort(2, 0.5, 1), ("sqlite",), lambda words: None)[0]
    assert row["jobs"] == 20
    assert set(PAGES) < set(row["pages"])
    assert len(row["pages"]) == len(PAGES) + 7
    assert all(0 < page["made_p50_ms"] <= page["made_p95_ms"] for page in row["pages"].values())
    kept, made = (row["many_visitors"][name] for name in ("kept", "made"))
    assert kept["failed"] == made["failed"] == 0
    assert kept["hits"] > made["hits"] == 0
    assert kept["reads_per_second"] > 0
    job = next(page for page in row["bytes"] if page["page"] == "job")
    assert job["html_kb"] < job["html_uncompressed_kb"]
    assert job["html_kb"] < job["first_visit_kb"]
    assert job["requests"] > 3
    assert row["peak_mib"] > 50
    # Goals are for another size.
    assert web.goals([row]) == []


def test_what_is_asked_at_once_adds_up() -> None:
    assert sum(MIX.values()) == 100
    assert set(MIX) <= set(PAGES)


def judged(**changed: float) -> list[bool]:
    pages = {"market": {"made_p95_ms": 9.0}, "job": {"made_p95_ms": changed.get("p95", 99.0)}}
    kept = {"reads_per_second": changed.get("reads", 501), "failed": changed.get("failed", 0)}
    weights = [{"page": "job", "first_visit_kb": changed.get("kb", 199.0)}]
    size = {"jobs": 1_000, "submissions": changed.get("submissions", 100_000)}
    row = {"database": "postgresql", **size, "pages": pages, "many_visitors": {"kept": kept}, "bytes": weights}
    return [goal.met for goal in web.goals([row])]


def test_a_missed_goal_is_seen() -> None:
    assert judged() == [True] * 4
    assert judged(p95=101.0) == [False, True, True, True]
    assert judged(reads=499) == [True, False, True, True]
    assert judged(failed=1) == [True, True, False, True]
    assert judged(kb=201.0) == [True, True, True, False]
    assert judged(submissions=99_999) == []


def test_the_client_counts_what_fails() -> None:
    """A server that answers every third request with 500, and closes every fourth connection within an answer."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def serve(connection: socket.socket, number: int) -> None:
        with connection:
            answered = 0
            while connection.recv(65_536):
                answered += 1
                if number % 4 == 3:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal")
                    return
                status = b"500 No" if answered % 3 == 0 else b"200 OK"
                connection.sendall(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\nok")

    def accept() -> None:
        for number in range(1_000):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection, number), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sent = request("127.0.0.1", "/", {})
    visit = Visit("127.0.0.1", port)
    assert [visit.ask(sent).status for _ in range(3)] == [200, 200, 500]
    assert visit.ask(sent).body == b"ok"
    visit.close()
    more = [Visit("127.0.0.1", port) for _ in range(3)]
    with pytest.raises(AnswerError, match="closed"):
        more[-1].ask(sent)
    for each in more:
        each.close()
    tally = hammer("127.0.0.1", port, 4, [sent], 0.2)
    assert tally.failures > 0
    assert tally.statuses[500] > 0
    assert tally.statuses[200] > tally.statuses[500]
    assert len(tally.latencies) == sum(tally.statuses.values())
    listener.close()


def test_the_committed_results_are_of_the_judged_size_and_meet_every_goal(tmp_path: Path) -> None:
    rows = json.loads((RESULTS / "web.json").read_text("utf-8"))["results"]
    assert [row["database"] for row in rows] == ["sqlite", "postgresql"]
    found = web.goals(rows)
    assert len(found) == 8
    assert [goal.name for goal in found if not goal.met] == []
    web_performance.write_page(rows, found, 2, 3, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text("utf-8")
    assert page.count("| met |") + page.count("| **missed** |") == 8
    assert page == Path("docs/web-performance.md").read_text("utf-8")
