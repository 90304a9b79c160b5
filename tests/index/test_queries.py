"""Lists are filtered, searched and paged alike in both databases, whatever is typed into them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from marketplace.chain.structs import JobState
from marketplace.index.database import writing
from marketplace.index.errors import UnknownMarketError
from marketplace.index.queries.accounts import aggregator_profile, list_entries, trainer_profile
from marketplace.index.queries.answers import LARGEST_PAGE, QueryError, Reader
from marketplace.index.queries.jobs import JobFilter, Order, job_page, list_jobs
from marketplace.index.queries.rounds import list_rounds, round_page
from marketplace.index.rows import replace_rows
from marketplace.index.text_forms import search_form
from marketplace.index.texts import fetch_texts
from marketplace.storage.cid import raw_cid
from marketplace.storage.directory import DirectoryStore
from tests.index.play import AGGREGATOR, OWNER, TRAINERS, Play
from tests.parties.conftest import small_document

TITLES = ("50% of wheat", "Straße_und_Weg", "plain wheat", "O'Brien; DROP TABLE jobs --", "<b>bold</b> \\ slash")


@pytest.fixture
def reader(play: Play, engine: Engine) -> Reader:
    for _ in TITLES:
        play.create()
    play.act(30, among=1)
    play.indexer(engine).step()
    rows = []
    for number, title in enumerate(TITLES, 1):
        words = {"title": title, "description": "d", "licence": "l", "datasheet": "s", "model": "m"}
        state = {"state": "usable", "fault": None, "tried_at": 1, "missing_since": None, "next_try": None}
        cid = raw_cid(b"job %d" % number).binary
        rows.append({"cid": cid, **state, **words, "words": search_form(title)})
    with writing(engine) as connection:
        replace_rows(connection, "specifications", None, rows)
        for number in range(1, len(TITLES) + 1):
            connection.execute(
                text("UPDATE jobs SET reward_per_round = :reward WHERE number = :number"),
                {"reward": f"{10 ** (number * 7 % 30):078d}", "number": number},
            )
    return Reader(engine, play.deployment.chain_id, play.deployment.market)


def numbers(reader: Reader, wanted: JobFilter, **more) -> list[int]:
    return [line.number for line in list_jobs(reader, wanted, **more).value.items]


TYPED = {
    "wheat": [3, 1],
    "WHEAT 50%": [1],
    "%": [1],
    "_": [2],
    "STRASSE": [2],
    "\\": [5],
    "'": [4],
    "O'Brien; DROP TABLE jobs --": [4],
    "<b>": [5],
    "w_eat": [],
    "\0": [],
    "\ud800": [],
}


def test_what_is_typed_is_searched_for_as_it_is(reader: Reader) -> None:
    assert {typed: numbers(reader, JobFilter(text=typed)) for typed in TYPED} == TYPED
    assert numbers(reader, JobFilter(text="   ")) == numbers(reader, JobFilter())


def test_jobs_are_filtered(reader: Reader, play: Play) -> None:
    everything = numbers(reader, JobFilter())
    assert everything == sorted(everything, reverse=True)
    assert numbers(reader, JobFilter(states=frozenset())) == []
    opened = numbers(reader, JobFilter(states=frozenset({JobState.OPEN})))
    assert opened
    assert set(opened) < set(everything)
    assert numbers(reader, JobFilter(owner=AGGREGATOR)) == []
    assert numbers(reader, JobFilter(owner=OWNER, aggregator=AGGREGATOR)) == everything
    stake = play.market.terms(1).stake
    assert numbers(reader, JobFilter(most_stake=stake)) == everything
    assert numbers(reader, JobFilter(most_stake=stake - 1)) == []
    assert numbers(reader, JobFilter(least_reward=10**21)) == [4, 3]


def test_pages_show_everything_once_in_order(reader: Reader) -> None:
    for order, size in itertools.product(Order, (1, 2, 5)):
        whole = list_jobs(reader, order=order, size=LARGEST_PAGE).value
        assert whole.next is None
        key = {Order.NEWEST: "number", Order.REWARD: "reward_per_round", Order.STAKE: "stake"}[order]
        values = [getattr(line, key) for line in whole.items]
        assert values == sorted(values, reverse=True)
        seen, after = [], None
        while True:
            page = list_jobs(reader, order=order, size=size, after=after).value
            seen += page.items
            if page.next is None:
                break
            after = page.next
        assert tuple(seen) == whole.items


def test_questions_that_are_none_are_refused(reader: Reader) -> None:
    for mark in ("", "x", "-1", "1-2", "1;2", "9" * 79, str(2**63), "1 OR 1=1", "\0"):
        with pytest.raises(QueryError, match="marks no page"):
            list_jobs(reader, after=mark)
        with pytest.raises(QueryError):
            list_entries(reader, after=mark)
    for size in (0, -1, LARGEST_PAGE + 1):
        for ask in (list_jobs, list_entries):
            with pytest.raises(QueryError):
                ask(reader, size=size)
    for amount in (-1, 2**256):
        for wanted in (JobFilter(least_reward=amount), JobFilter(most_stake=amount)):
            with pytest.raises(QueryError):
                list_jobs(reader, wanted)


def test_what_does_not_exist_is_nothing(reader: Reader) -> None:
    for number in (0, -1, 99, 2**64):
        assert job_page(reader, number).value is None
        assert round_page(reader, 1, number).value is None
        assert round_page(reader, number, 1).value is None
    assert trainer_profile(reader, OWNER).value.jobs == 0
    assert aggregator_profile(reader, OWNER).value.states == {}
    with pytest.raises(QueryError):
        list_rounds(reader, 2**64)
    with pytest.raises(UnknownMarketError):
        list_jobs(replace(reader, chain_id=1))


def test_answers_say_when_they_hold(reader: Reader, play: Play) -> None:
    standing = list_jobs(reader).standing
    assert standing.block == play.height
    assert standing.block_hash == bytes(play.w3.eth.get_block(play.height)["hash"])
    assert standing.final_block < standing.block
    assert not any(line.is_final for line in list_jobs(reader).value.items)


def test_an_accounts_money_is_listed_newest_first(reader: Reader) -> None:
    mine = list_entries(reader, account=TRAINERS[0], size=LARGEST_PAGE).value.items
    assert mine
    assert all(entry.account == TRAINERS[0] for entry in mine)
    places = [(entry.block, entry.log_index, entry.place) for entry in mine]
    assert places == sorted(places, reverse=True)


def test_missing_specifications_are_tried_again_later_and_change_no_dump(play: Play, engine: Engine, tmp_path) -> None:
    play.create()
    play.indexer(engine).step()
    before = list(play.lines(engine))
    store, now = DirectoryStore(tmp_path / "store"), 1_000.0
    assert fetch_texts(engine, store, lambda: now).missing == 1
    assert fetch_texts(engine, store, lambda: now).missing == 0, "not due yet"
    now += 61
    assert fetch_texts(engine, store, lambda: now).missing == 1
    store.add(b"job 1")
    now += 200
    assert fetch_texts(engine, store, lambda: now).refused == 1, "what is there is no job document"
    assert fetch_texts(engine, store, lambda: now + 10**6).refused == 0
    assert list(play.lines(engine)) == before


def test_texts_that_a_database_can_not_hold_are_held_otherwise(play: Play, engine: Engine, tmp_path) -> None:
    store = DirectoryStore(tmp_path / "store")
    document = replace(small_document(raw_cid(b"model")), title="nul \0 and \ud800 half")
    cid = store.add(document.encode())
    play.create()
    play.indexer(engine).step()
    with writing(engine) as connection:
        connection.execute(text("UPDATE jobs SET specification_cid = :cid"), {"cid": cid.binary})
    fetched = fetch_texts(engine, store)
    assert fetched.usable + fetched.refused == 1
