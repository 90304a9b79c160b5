"""What pages ask beyond lists: a job's money and history, and what has changed, alike in both databases."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import Engine, select, text

from marketplace.chain.history import HistoryReader
from marketplace.index.columns import AMOUNT_LIMIT, amount_text, sums_of, total_of
from marketplace.index.database import open_database, reading, writing
from marketplace.index.queries.accounts import trainer_profile
from marketplace.index.queries.answers import QueryError, Reader
from marketplace.index.queries.changes import changed_jobs
from marketplace.index.queries.history import decided_rounds, job_milestones, round_gram, track_records
from marketplace.index.queries.jobs import JobFilter, job_page, list_jobs
from marketplace.index.queries.money import job_money
from marketplace.index.queries.rounds import round_page
from marketplace.index.rows import replace_rows, table_named
from marketplace.index.schema import upgrade
from marketplace.storage.cid import raw_cid
from tests.index.play import AGGREGATOR, OWNER, TRAINERS, Play


@pytest.fixture
def reader(play: Play, engine: Engine) -> Reader:
    play.act(50, among=2)
    play.indexer(engine).step()
    return Reader(engine, play.deployment.chain_id, play.deployment.market)


def test_the_money_of_a_job_is_what_the_contract_says(reader: Reader, play: Play) -> None:
    held = 0
    for job in range(1, play.market.job_count() + 1):
        money = job_money(reader, job).value
        page = job_page(reader, job).value
        ledger = play.market.ledger(job)
        found = (money.held("escrow"), money.held("bond"), money.held("burned"))
        assert found == (ledger.escrow, ledger.bond, ledger.burned) == (page.escrow, page.bond, page.burned)
        pots = sum(money.held(pot) for pot in ("escrow", "bond", "burned", "stake", "credit"))
        assert money.paid_in == pots + money.paid_out
        assert all(flow.gained >= 0 <= flow.lost for flow in money.flows)
        withdrawn = list(HistoryReader(play.market, job).read().named("Withdrawn"))
        assert money.paid_out == sum(event.arguments["amount"] for event in withdrawn)
        held += pots
    assert held == play.w3.eth.get_balance(play.deployment.market)
    assert job_money(reader, 99).value.flows == ()
    with pytest.raises(QueryError):
        job_money(reader, 0)


def test_the_server_looks_at_its_tables_after_many_events(
    play: Play, server_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.index.indexer._MANY_EVENTS", 40)
    engine = open_database(server_database)
    upgrade(engine)
    looked_at = text("SELECT count(*) FROM pg_stats WHERE schemaname = 'public' AND tablename = 'events'")
    indexer = play.indexer(engine)
    counts = []
    for acts in (2, 60):
        play.act(acts, among=2)
        indexer.step()
        with reading(engine) as connection:
            counts.append(connection.execute(looked_at).scalar_one())
    engine.dispose()
    assert counts[0] == 0 < counts[1]


def test_sums_of_large_amounts_are_exact(engine: Engine, reader: Reader) -> None:
    amounts = [AMOUNT_LIMIT - 1, AMOUNT_LIMIT - 2, 1, 10**13 - 1, 0]
    jobs = table_named("jobs")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE amounts (stake varchar(78))"))
        for amount in amounts:
            connection.execute(text("INSERT INTO amounts VALUES (:a)"), {"a": amount_text(amount)})
    with reading(engine) as connection:
        query = select(*sums_of(jobs.c.stake)).where(jobs.c.number < 0)
        assert total_of(connection.execute(query).one()) == 0
        sums = [str(each.compile(engine, compile_kwargs={"literal_binds": True})) for each in sums_of(jobs.c.stake)]
        found = connection.execute(text(f"SELECT {', '.join(sums)} FROM amounts AS jobs")).one()  # noqa: S608
    assert total_of(found) == sum(amounts)


def test_history_tells_milestones_rounds_and_records(reader: Reader, play: Play) -> None:
    milestones = job_milestones(reader, 1).value
    assert [each.event for each in milestones][:2] == ["JobCreated", "JobAccepted"]
    assert [each.block for each in milestones] == sorted(each.block for each in milestones)
    for each in milestones:
        assert each.time == play.w3.eth.get_block(each.block)["timestamp"]
    events = HistoryReader(play.market, 1).read()
    rounds = decided_rounds(reader, 1).value
    assert [each.number for each in rounds] == sorted(each.number for each in rounds)
    assert Counter(each.outcome for each in rounds)["expired"] == len(list(events.named("RoundExpired")))
    assert decided_rounds(reader, 1, size=1).value == rounds[-1:]
    for each in rounds:
        page = round_page(reader, 1, each.number).value
        assert page is not None
        assert round_gram(reader, 1, each.number).value == page.gram
    assert round_gram(reader, 1, 999).value is None
    records = track_records(reader, [TRAINERS[0], OWNER]).value
    assert set(records) == {TRAINERS[0]}
    profile = trainer_profile(reader, TRAINERS[0]).value
    record = records[TRAINERS[0]]
    assert (record.jobs, record.submitted, record.strikes) == (profile.jobs, profile.submitted, profile.strikes)
    assert track_records(reader, []).value == {}


def test_changes_name_the_jobs_that_had_events(reader: Reader, play: Play, engine: Engine) -> None:
    before = changed_jobs(reader, -1, b"").standing
    assert changed_jobs(reader, before.block, before.block_hash).value == frozenset()
    play.mine()
    play.indexer(engine).step()
    assert changed_jobs(reader, before.block, before.block_hash).value == frozenset()
    number = play.create()
    play.indexer(engine).step()
    assert changed_jobs(reader, before.block, before.block_hash).value == {number}
    assert changed_jobs(reader, before.block, b"\1" * 32).value is None, "that block is in no chain"
    assert changed_jobs(reader, 2**62, b"\1" * 32).value is None


def test_one_state_is_seen_at_once(reader: Reader, play: Play, engine: Engine) -> None:
    with reader.at_once() as held:
        before = list_jobs(held)
        number = play.create()
        play.indexer(engine).step()
        assert list_jobs(held) == before
        assert job_page(held, number).value is None
        assert job_page(reader, number).value is not None


def test_jobs_are_filtered_by_their_model(reader: Reader, engine: Engine) -> None:
    words = {"title": "t", "description": "d", "licence": "l", "datasheet": "s", "model": "mlp", "words": "t"}
    state = {"state": "usable", "fault": None, "tried_at": 1, "missing_since": None, "next_try": None}
    with writing(engine) as connection:
        replace_rows(connection, "specifications", None, [{"cid": raw_cid(b"job 1").binary, **state, **words}])
    assert [line.number for line in list_jobs(reader, JobFilter(model="mlp")).value.items] == [1]
    for model in ("cnn", "%", "ml_", "\0"):
        assert list_jobs(reader, JobFilter(model=model)).value.items == ()
    assert list_jobs(reader, JobFilter(aggregator=AGGREGATOR)).value.items
