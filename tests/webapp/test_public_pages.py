"""Pages show what the chain says, and every failure has a page of its own."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from contribution.gram import unpack_gram
from marketplace.chain.history import HistoryReader
from marketplace.chain.structs import JobState
from tests.webapp.seed import XSS, Seeded
from webapp.presentation.amounts import grouped, shown_amount
from webapp.public.job import read_job


def text_of(page: str) -> str:
    """The page without its tags, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def numbers_of(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'href="/jobs/(\d+)"', page)]


def test_the_market_lists_jobs_newest_first(client: FlaskClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert numbers_of(answer.text) == [5, 4, 3, 2, 1]
    shown = text_of(answer.text)
    assert "Early warning of sepsis No. 5 · logistic-regression" in shown
    assert "running 1 ether 1 ether 4 of 8 6" in shown


FILTERS = {
    "state=open": [4, 3],
    "state=completed": [1],
    "q=hospitals": [4],
    "q=SEPSIS": [5],
    "q=%25": [],
    "task=mlp": [],
    "task=logistic-regression&state=aborted": [2],
    "reward=0.5": [5, 4, 2, 1],
    "reward=0.50000000000000001": [5, 2, 1],
    "stake=0.2": [3],
    "order=reward": [5, 2, 1, 4, 3],
    "q=' OR 1=1 --": [],
    "q=_": [],
}


@pytest.mark.parametrize("query", FILTERS)
def test_the_market_is_searched_and_filtered(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/?{query}")
    assert answer.status_code == 200
    assert numbers_of(answer.text) == FILTERS[query]


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("reward=much", "Write a number of ether, such as 0.5."),
        ("stake=-1", "Write a number of ether, such as 0.5."),
        ("stake=1" + "0" * 60, "No amount is as large."),
        ("state=sleeping", "There is no such state."),
        ("task=oracle", "There is no such model."),
    ],
)
def test_what_can_not_be_asked_is_said_at_its_field(client: FlaskClient, query: str, fault: str) -> None:
    answer = client.get(f"/?{query}")
    assert answer.status_code == 400
    assert fault in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_a_page_mark_that_no_page_gave_is_refused(client: FlaskClient) -> None:
    for mark in ("x", "-1", "1-2", "9" * 80, "1 OR 1=1"):
        answer = client.get("/", query_string={"after": mark})
        assert answer.status_code == 404
        assert "marks no page" in text_of(answer.text)


def test_an_empty_answer_says_what_to_do(client: FlaskClient) -> None:
    assert "No job fits." in client.get("/?q=unicorns").text


def test_a_job_says_where_every_wei_is(client: FlaskClient, seeded: Seeded) -> None:
    small = seeded.jobs["running"]
    shown = text_of(client.get(f"/jobs/{small.job}").text)
    ledger = small.market.ledger(small.job)
    held = small.market.w3.eth.get_balance(small.market.deployment.market)
    assert held > 0
    terms = small.view.terms
    paid_in = terms.deposit + terms.bond + 6 * terms.stake
    assert f"Paid in {shown_amount(paid_in)}" in shown
    assert f"Escrow: rewards and fees of the rounds to come ≈ {shown_amount(ledger.escrow)}" in shown
    assert f"Bond of the aggregator {shown_amount(ledger.bond)}" in shown


def test_a_job_says_who_stood_out_and_why(client: FlaskClient, seeded: Seeded) -> None:
    shown = text_of(client.get(f"/jobs/{seeded.jobs['running'].job}").text)
    assert re.search(r"Trainer \d stands out: no gain: at the margin its weight would raise the loss by", shown)
    assert "cosines of the updates" in shown


def test_a_job_tells_its_rounds_and_participants(client: FlaskClient, seeded: Seeded) -> None:
    shown = text_of(client.get(f"/jobs/{seeded.jobs['running'].job}").text)
    assert "5 settled" in shown
    assert "4 expired" in shown
    assert "6 under way" in shown
    aborted = text_of(client.get(f"/jobs/{seeded.jobs['aborted'].job}").text)
    assert "It ended early." in aborted
    completed = text_of(client.get(f"/jobs/{seeded.jobs['completed'].job}").text)
    assert "Withdrawn by those it was credited to" in completed


def test_a_job_tells_who_contributed_what(client: FlaskClient, seeded: Seeded) -> None:
    small = seeded.jobs["completed"]
    page = client.get(f"/jobs/{small.job}").text
    section = page.split('id="contributions"')[1].split("</section>")[0]
    rows = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in section.split("<tbody>")[1].split("</tr>")[:-1]]
    accounts = sorted((t.account.address for t in small.trainers), key=lambda account: int(account, 16))
    history = HistoryReader(small.market, small.job).read()
    for row, account in zip(rows, accounts, strict=True):
        for cell, record in zip(row, history.rounds.values(), strict=True):
            if account not in record.trainers:
                assert cell == "excluded"
                continue
            place = record.trainers.index(account)
            positive = sum(value for value in record.contributions if value > 0)
            share = 100 * record.contributions[place] / positive
            assert cell == (f"{share:.1f}".replace("-", "−") if record.weights[place] else "dropped")


def test_a_job_that_waits_says_for_what(client: FlaskClient, seeded: Seeded) -> None:
    shown = text_of(client.get(f"/jobs/{seeded.jobs['waiting'].job}").text)
    assert "It takes 6 trainers, and the aggregator's acceptance; 3 have joined." in shown


def test_strangers_words_are_text_and_nothing_else(client: FlaskClient, seeded: Seeded) -> None:
    for path in ("/", f"/jobs/{seeded.jobs['hostile'].job}", "/?q=" + "<script>alert(1)</script>"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<svg/onload" not in page
        assert "49" not in re.findall(r"<bdi>(.*?)</bdi>", page)
        assert "\u202e" not in page
        assert "\u200b" not in page
        assert "javascript:" not in "".join(re.findall(r'(?:href|src)="([^"]*)"', page))
    page = client.get(f"/jobs/{seeded.jobs['hostile'].job}").text
    assert html.escape(XSS.split()[0]) in page.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    assert max(map(len, re.findall(r"a{100,}", page))) < 5_000


@pytest.mark.parametrize("path", ["/nothing", "/jobs/99", "/jobs/-1", "/jobs/x", f"/jobs/{2**70}"])
def test_what_is_not_there_has_a_page(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert "Traceback" not in answer.text


def test_the_glossary_explains_the_words(client: FlaskClient) -> None:
    shown = text_of(client.get("/glossary").text)
    assert "Gram matrix" in shown
    assert "exact Shapley value" in shown


def test_a_round_shows_every_number_of_its_settlement(client: FlaskClient, seeded: Seeded) -> None:
    small = seeded.jobs["completed"]
    history = HistoryReader(small.market, small.job).read()
    for number, record in history.rounds.items():
        shown = text_of(client.get(f"/jobs/{small.job}/rounds/{number}").text)
        for weight, contribution, payout in zip(record.weights, record.contributions, record.payouts, strict=True):
            exact = " ".join(grouped(str(value)) for value in (weight, contribution, payout))
            assert " ".join(exact.split()) in shown
        size = len(record.trainers) + small.view.terms.references
        for entry in unpack_gram(record.gram, size).flatten().tolist():
            assert " ".join(grouped(str(entry)).split()) in shown
        assert f"cairn audit round {small.job} {number}" in shown


def test_a_round_says_why_somebody_was_left_out(client: FlaskClient, seeded: Seeded) -> None:
    small = seeded.jobs["completed"]
    shown = text_of(client.get(f"/jobs/{small.job}/rounds/2").text)
    assert "excluded its envelope does not decrypt; evidence bafk" in shown
    expired = text_of(client.get(f"/jobs/{seeded.jobs['running'].job}/rounds/4").text)
    assert "The aggregator did not settle in time and lost a penalty." in expired
    assert "What was proved" not in expired
    assert client.get(f"/jobs/{small.job}/rounds/99").status_code == 404


def test_a_round_gives_the_browser_what_it_checks(client: FlaskClient, seeded: Seeded) -> None:
    """The transaction that the page names settles that round, and is accepted again on the block before."""
    small = seeded.jobs["running"]
    page = client.get(f"/jobs/{small.job}/rounds/1").text
    data = dict(re.findall(r'data-([a-z]+)="([^"]*)"', re.search(r'<div id="verify"[^>]*>', page)[0]))
    w3 = small.market.w3
    sent = w3.eth.get_transaction(data["transaction"])
    assert (sent["to"], sent["from"]) == (data["market"], data["aggregator"])
    assert sent["blockNumber"] == int(data["block"])
    call = {"from": sent["from"], "to": sent["to"], "data": sent["input"], "gas": sent["gas"]}
    assert w3.eth.call(call, sent["blockNumber"] - 1) == b""


def test_profiles_tell_what_accounts_have_done(client: FlaskClient, seeded: Seeded) -> None:
    small = seeded.jobs["running"]
    account = small.trainers[3].account.address
    for written in (account, account.lower(), "0x" + account[2:].upper()):
        shown = text_of(client.get(f"/trainers/{written}").text)
        assert account in shown
        assert "Jobs joined 3" in shown
    aggregator = text_of(client.get(f"/aggregators/{small.aggregator.account.address}").text)
    assert "Rounds settled 9" in aggregator
    assert "Rounds expired 1" in aggregator
    assert "has joined no job" in client.get(f"/trainers/{small.owner.address}").text
    assert "aggregator of no job" in client.get(f"/aggregators/{small.owner.address}").text
    assert client.get("/trainers/0x12").status_code == 404


def test_a_job_between_its_last_round_and_its_end_pays_nothing_next(app: Flask, seeded: Seeded) -> None:
    with app.test_request_context():
        ended = read_job(seeded.jobs["completed"].job)
        running = read_job(seeded.jobs["running"].job)
    waiting = replace(ended, page=replace(ended.page, line=replace(ended.page.line, state=JobState.RUNNING)))
    assert waiting.next_reward is None
    assert running.next_reward == running.terms.reward_after(4)
