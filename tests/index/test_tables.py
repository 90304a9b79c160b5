"""What the tables say of whole jobs, played by the real parties, is what the contract says."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine

from marketplace.chain.history import HistoryReader
from marketplace.chain.structs import NATIVE_COIN, JobState, TrainerStatus
from marketplace.index.dump import first_difference
from marketplace.index.queries.accounts import EntryLine, aggregator_profile, list_entries, trainer_profile
from marketplace.index.queries.answers import Reader
from marketplace.index.queries.jobs import job_page
from marketplace.index.queries.rounds import list_rounds, round_page
from marketplace.index.texts import fetch_texts
from tests.audit.scenarios import aborted, completed, eventful, flagged, in_tokens, refuted
from tests.index.play import Play

JOBS = [completed, flagged]
SLOW = [eventful, refuted]
DEEP = [in_tokens, aborted]


def entries(reader: Reader) -> list[EntryLine]:
    found, after = [], None
    while True:
        page = list_entries(reader, size=40, after=after).value
        found += page.items
        if page.next is None:
            return found
        after = page.next


@pytest.fixture(
    scope="module",
    params=[
        *JOBS,
        *(pytest.param(job, marks=pytest.mark.slow) for job in SLOW),
        *(DEEP if os.environ.get("CAIRN_DEEP") else []),
    ],
)
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    return request.param(tmp_path_factory.mktemp("job"))


@pytest.fixture
def reader(small, engine: Engine) -> Reader:
    deployment = small.market.deployment
    Play(small.market.w3, deployment).indexer(engine).step()
    return Reader(engine, deployment.chain_id, deployment.market)


def test_money_adds_up_to_what_the_contract_holds(small, reader: Reader) -> None:
    moved = entries(reader)
    by_event: Counter[tuple[int, int]] = Counter()
    pots: Counter[tuple[str, str | None]] = Counter()
    for entry in moved:
        by_event[entry.block, entry.log_index] += entry.amount
        pots[entry.pot, entry.account] += entry.amount
    assert set(by_event.values()) == {0}
    held = small.market.ledger(small.job)
    assert (pots["escrow", None], pots["bond", None]) == (held.escrow, held.bond)
    assert pots["burned", None] == held.burned
    outside = -sum(amount for (pot, _), amount in pots.items() if pot == "outside")
    terms = small.view.terms
    if terms.token == NATIVE_COIN:
        assert outside == small.market.w3.eth.get_balance(small.market.deployment.market)
    assert all(amount >= 0 for (pot, _), amount in pots.items() if pot != "outside")
    if small.market.progress(small.job).job_state.ended:
        for account in {entry.account for entry in moved if entry.account}:
            free = pots["credit", account] + pots["stake", account]
            assert free == small.market.withdrawable(small.job, account)


def test_rounds_and_contributions_are_those_of_the_events(small, reader: Reader) -> None:
    history = HistoryReader(small.market, small.job).read()
    listed = list_rounds(reader, small.job, size=200).value.items
    assert [line.number for line in listed] == sorted(history.rounds, reverse=True)
    for number, record in history.rounds.items():
        page = round_page(reader, small.job, number).value
        assert page is not None
        trainers = {each.account: each for each in page.submissions if not each.is_reference}
        assert {a: (s.commitment_hash, s.cid) for a, s in record.submissions.items()} == {
            a: (s.commitment_hash, s.cid) for a, s in trainers.items()
        }
        assert any(each.is_reference for each in page.submissions) == (record.reference is not None)
        scored = {each.account: each for each in page.decided if each.verdict != "excluded"}
        assert tuple(scored) == tuple(sorted(record.trainers))
        for account, *values in zip(record.trainers, record.weights, record.contributions, record.payouts, strict=True):
            found = scored[account]
            assert [found.weight, found.contribution, found.payout] == values
            assert (found.verdict == "kept") == (values[0] > 0)
        excluded = {each.account: each.reason for each in page.decided if each.verdict == "excluded"}
        assert excluded == record.exclusions
        assert set(page.missing) == record.missing
        assert (page.gram, page.aggregate_cid) == (record.gram, record.aggregate_cid)
        assert page.line.void_cause == record.void
        assert (page.line.overturned == "refuted") == record.refuted
        assert (page.line.penalty, page.line.penalty_share) == (record.penalty, record.penalty_share)


def test_the_jobs_page_is_what_the_views_say(small, reader: Reader, engine: Engine) -> None:
    assert fetch_texts(engine, small.view.store).usable == 1
    answer = job_page(reader, small.job)
    page, progress = answer.value, small.market.progress(small.job)
    assert page is not None
    assert answer.standing.block == small.market.w3.eth.block_number
    assert page.terms == small.view.terms
    assert (page.line.state, page.line.round) == (progress.job_state, progress.round)
    assert page.line.settled_rounds == progress.settled_rounds
    assert (page.line.title, page.description) == ("small", "a job for tests")
    for seat in page.seats:
        record = small.market.trainer(small.job, seat.account)
        assert (seat.status, seat.strikes, seat.seat) == (TrainerStatus(record.status), record.strikes, record.seat)


def test_profiles_sum_up_what_happened(small, reader: Reader) -> None:
    history = HistoryReader(small.market, small.job).read()
    settled = [record for record in history.rounds.values() if record.settled]
    token = small.view.terms.token
    for trainer in small.trainers:
        account = trainer.account.address
        profile = trainer_profile(reader, account).value
        assert profile.submitted == sum(account in record.submissions for record in history.rounds.values())
        weights = [dict(zip(r.trainers, r.weights, strict=True)).get(account) for r in settled]
        assert profile.kept == sum(bool(weight) for weight in weights)
        assert profile.excluded == sum(account in record.exclusions for record in history.rounds.values())
        paid = sum(
            dict(zip(r.trainers, r.payouts, strict=True)).get(account, 0) for r in settled if not r.refuted
        ) + sum(r.penalty_share for r in history.rounds.values() if r.penalty_share and account in r.submissions)
        assert profile.earned.get(token, 0) == paid
    aggregator = aggregator_profile(reader, small.view.terms.aggregator).value
    assert aggregator.states == {small.market.progress(small.job).job_state: 1}
    assert aggregator.outcomes.get("settled", 0) == len(settled)
    assert sum(aggregator.penalties.values()) == sum(r.penalty or 0 for r in history.rounds.values())


def test_however_it_is_read_the_dump_is_the_same(small, reader: Reader, tmp_path: Path) -> None:
    play = Play(small.market.w3, small.market.deployment)
    first = list(play.lines(reader.engine))
    play.indexer(reader.engine, depth=3, believes=True).rebuild()
    assert first_difference(iter(first), play.lines(reader.engine)) is None
    play.assert_fresh(reader.engine, tmp_path)


def test_a_state_is_what_the_contract_calls_it(small, reader: Reader) -> None:
    page = job_page(reader, small.job).value
    assert page is not None
    assert page.line.state in (JobState.COMPLETED, JobState.ABORTED, JobState.RUNNING)
