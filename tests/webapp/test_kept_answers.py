"""Answers that are kept: never those of a session, never those of another block, and never more than fit."""

from __future__ import annotations

import gzip
import threading
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, update

from marketplace.index.database import open_database, writing
from marketplace.index.rows import table_named
from tests.webapp.quiet import Quiet
from tests.webapp.wallets import Browser
from webapp import kept_answers
from webapp.accuracy.records import Accuracy, Samples, keep_accuracy
from webapp.kept_answers import LOOK_SECONDS, MAKERS, KeptAnswer, KeptAnswers
from webapp.security.headers import HEADERS

GZIP = {"Accept-Encoding": "gzip, br"}


@pytest.fixture
def visitor(quiet_app: Flask) -> FlaskClient:
    return quiet_app.test_client()


def status(client: FlaskClient, path: str, **headers: str) -> str:
    with client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()}) as answer:
        assert answer.status_code == 200
        return answer.headers.get("Cache-Status", "none")


def pages(quiet: Quiet) -> list[str]:
    open_ = quiet.jobs["open"]
    account = quiet.trainers[0].address
    return ["/", f"/jobs/{open_}", f"/trainers/{account}", "/glossary", "/api", "/api/jobs", "/static/css/cairn.css"]


def test_a_kept_answer_is_the_one_that_was_made(quiet: Quiet, visitor: FlaskClient) -> None:
    for path in pages(quiet):
        first, again = visitor.get(path), visitor.get(path)
        assert [answer.headers["Cache-Status"] for answer in (first, again)] == ["cairn; fwd=miss", "cairn; hit"]
        assert first.data == again.data
        assert first.content_type == again.content_type
        for name in (*HEADERS, "Cache-Control", "ETag", "Vary"):
            assert first.headers[name] == again.headers[name], (path, name)


def test_the_next_block_ends_what_was_kept(quiet: Quiet, visitor: FlaskClient) -> None:
    assert [status(visitor, "/api/jobs") for _ in range(2)] == ["cairn; fwd=miss", "cairn; hit"]
    before = visitor.get("/api/jobs").json
    quiet.create("later")
    quiet.index()
    time.sleep(LOOK_SECONDS)
    answer = visitor.get("/api/jobs")
    assert answer.headers["Cache-Status"] == "cairn; fwd=miss"
    assert answer.json["standing"]["block"] > before["standing"]["block"]
    assert len(answer.json["value"]["items"]) == len(before["value"]["items"]) + 1
    # What says nothing of the chain stays.
    assert status(visitor, "/glossary") == "cairn; fwd=miss"
    quiet.create("latest")
    quiet.index()
    time.sleep(LOOK_SECONDS)
    assert status(visitor, "/glossary") == "cairn; hit"


def test_what_the_app_measures_itself_ends_it(quiet: Quiet, quiet_app: Flask, visitor: FlaskClient) -> None:
    """A page that hears of a new accuracy fetches itself in the same block."""
    job, other = quiet.jobs["open"], quiet.jobs["listed"]
    for number in (job, other):
        assert [status(visitor, f"/jobs/{number}") for _ in range(2)] == ["cairn; fwd=miss", "cairn; hit"]
    shared = quiet_app.extensions["cairn"]
    for accuracy in (0.5, 0.6):
        keep_accuracy(shared.state, shared.deployment, job, Accuracy(1, b"model", accuracy, 1.0, Samples(10, "digest")))
        assert [status(visitor, f"/jobs/{job}") for _ in range(2)] == ["cairn; fwd=miss", "cairn; hit"]
    assert status(visitor, f"/jobs/{other}") == "cairn; hit"


def test_a_text_that_comes_in_ends_it(quiet: Quiet, visitor: FlaskClient) -> None:
    """Specifications are fetched after the block that names them."""
    table = table_named("specifications")
    engine = open_database(quiet.database)

    def come_in(change) -> str:
        with writing(engine) as connection:
            connection.execute(update(table).values(title=change, tried_at=table.c.tried_at + 60))
        time.sleep(LOOK_SECONDS)
        return visitor.get("/api/jobs").json["value"]["items"][0]["title"]

    before = visitor.get("/api/jobs").json["value"]["items"][0]["title"]
    assert status(visitor, "/api/jobs") == "cairn; hit"
    assert come_in(table.c.title + " anew") == f"{before} anew"
    assert status(visitor, "/api/jobs") == "cairn; hit"
    # As it was, for the other tests.
    assert come_in(func.replace(table.c.title, " anew", "")) == before
    engine.dispose()


def test_time_ends_it_too(visitor: FlaskClient, monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(kept_answers.time, "monotonic", lambda: now[0])
    assert [status(visitor, "/") for _ in range(2)] == ["cairn; fwd=miss", "cairn; hit"]
    now[0] = kept_answers.KEPT_SECONDS
    assert status(visitor, "/") == "cairn; fwd=miss"


def test_nothing_of_a_session_is_kept_or_served_or_compressed(quiet: Quiet, quiet_app: Flask) -> None:
    stranger = quiet_app.test_client()
    mine = Browser(quiet_app.test_client(), quiet.trainers[0]).sign_in().client
    me = quiet.trainers[0].address
    for path in pages(quiet)[:-1]:
        # First the one who is signed in, then a stranger, and the other way round.
        for _ in range(2):
            with mine.get(path, headers=GZIP) as own:
                assert "Cache-Status" not in own.headers
                assert "Content-Encoding" not in own.headers
                assert own.headers["Cache-Control"] == (
                    "private, no-store" if own.mimetype == "text/html" else "no-cache"
                )
                assert me[:6] in own.text or own.mimetype != "text/html"
            with stranger.get(path) as theirs:
                assert "Sign out" not in theirs.text
                assert theirs.headers["Cache-Control"] == "no-cache"
    assert status(stranger, "/") == "cairn; hit"


def test_pages_that_write_a_session_are_not_kept(visitor: FlaskClient, quiet_app: Flask) -> None:
    for client in (visitor, quiet_app.test_client()):
        with client.get("/sign-in", headers=GZIP) as answer:
            assert "Set-Cookie" in answer.headers
            assert "Cache-Status" not in answer.headers
            assert "Content-Encoding" not in answer.headers


def test_failures_and_other_methods_are_not_kept(visitor: FlaskClient) -> None:
    for _ in range(2):
        assert "Cache-Status" not in visitor.get("/jobs/999999").headers
        assert "Cache-Status" not in visitor.get("/?reward=x").headers
        assert "Cache-Status" not in visitor.get("/health").headers
        assert "Cache-Status" not in visitor.post("/").headers


def test_other_questions_and_hosts_have_other_answers(visitor: FlaskClient) -> None:
    assert status(visitor, "/?q=open") == "cairn; fwd=miss"
    assert status(visitor, "/?q=listed") == "cairn; fwd=miss"
    assert status(visitor, "/?q=open", Host="127.0.0.1") == "cairn; fwd=miss"
    assert status(visitor, "/?q=open", Accept_Encoding="gzip") == "cairn; fwd=miss"
    assert status(visitor, "/?q=open") == "cairn; hit"
    assert visitor.get("/?q=open", headers={"Host": "evil.example"}).status_code == 400


def test_who_wants_it_anew_gets_it(visitor: FlaskClient) -> None:
    assert status(visitor, "/") == "cairn; fwd=miss"
    assert status(visitor, "/", Cache_Control="no-cache") == "cairn; fwd=request"
    # A reload, which only wants to know whether it is the newest.
    assert status(visitor, "/", Cache_Control="max-age=0") == "cairn; hit"


def test_an_answer_is_compressed_for_those_who_take_it(quiet: Quiet, visitor: FlaskClient) -> None:
    for path in pages(quiet):
        plain = visitor.get(path).data
        for _ in range(2):
            with visitor.get(path, headers=GZIP) as answer:
                assert answer.headers["Content-Encoding"] == "gzip"
                assert "Accept-Encoding" in answer.headers["Vary"]
                assert len(answer.data) == int(answer.headers["Content-Length"]) < len(plain)
                assert gzip.decompress(answer.data) == plain
        with visitor.get(path, headers={"Accept-Encoding": "gzip;q=0"}) as answer:
            assert "Content-Encoding" not in answer.headers


def test_what_a_browser_has_is_not_sent_again(quiet: Quiet, visitor: FlaskClient) -> None:
    for path in pages(quiet):
        tag = visitor.get(path, headers=GZIP).headers["ETag"]
        for extra in ({}, {"Cache-Control": "no-cache"}):
            with visitor.get(path, headers={**GZIP, "If-None-Match": tag, **extra}) as answer:
                assert answer.status_code == 304
                assert answer.data == b""
                assert answer.headers["ETag"] == tag
        assert visitor.get(path, headers={**GZIP, "If-None-Match": '"other"'}).status_code == 200


def test_a_head_request_says_what_a_get_would(visitor: FlaskClient) -> None:
    got = visitor.get("/", headers=GZIP)
    for _ in range(2):
        with visitor.head("/", headers=GZIP) as head:
            assert head.headers["Content-Length"] == got.headers["Content-Length"]
            assert head.data == b""


def test_a_part_of_a_static_file_is_a_part_of_the_file(visitor: FlaskClient) -> None:
    whole = visitor.get("/static/css/cairn.css").data
    with visitor.get("/static/css/cairn.css", headers={"Range": "bytes=0-9", **GZIP}) as part:
        assert part.status_code == 206
        assert part.data == whole[:10]


def test_few_make_pages_at_a_time_and_what_many_ask_for_is_made_once(quiet_app: Flask) -> None:
    under_way, most, made = [0], [0], []

    def page() -> str:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        made.append(1)
        time.sleep(0.05)
        under_way[0] -= 1
        return "a page"

    quiet_app.view_functions["glossary.terms"] = page
    answers: list[str] = []

    def ask(path: str) -> None:
        answers.append(quiet_app.test_client().get(path).text)

    threads = [threading.Thread(target=ask, args=(path,)) for path in ["/glossary"] * 6 + ["/glossary?other"] * 6]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["a page"] * 12
    assert most[0] <= MAKERS
    # Two of each may have had their turns at once.
    assert 2 <= len(made) <= 2 * MAKERS


def test_a_turn_ends_with_a_failure_too(quiet_app: Flask) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    quiet_app.view_functions["glossary.terms"] = fail
    client = quiet_app.test_client()
    began = time.monotonic()
    assert [client.get("/glossary").status_code for _ in range(2 * MAKERS + 1)] == [500] * (2 * MAKERS + 1)
    assert client.get("/").status_code == 200
    assert time.monotonic() - began < 5


def test_only_so_much_is_kept() -> None:
    kept = KeptAnswers(most_bytes=10 * 2_048)
    for number in range(100):
        kept.put(number, KeptAnswer(b"x" * 1_024, "text/html", None, "tag", None, None, None, (), float("inf")))
        kept.put(number, KeptAnswer(b"y" * 1_024, "text/html", None, "tag", None, None, None, (), float("inf")))
        assert kept.size <= 10 * 2_048
    assert kept.get(99).body == b"y" * 1_024
    assert kept.get(50) is None
    kept.put("large", KeptAnswer(b"x" * 10**6, "text/html", None, "tag", None, None, None, (), float("inf")))
    assert kept.get("large") is None
    assert kept.size == 0
