"""The page of a report: whole in itself, no script, strangers' words escaped."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest

from marketplace.audit.check import Check, Verdict
from marketplace.audit.page import page
from marketplace.audit.plots import plots
from tests.audit.conftest import altered_event, failing


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(html):
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader.tags


@pytest.fixture(scope="module")
def rich_page(rich):
    return page(rich.audit())


def test_it_needs_nothing_from_elsewhere_and_runs_nothing(rich_page):
    tags = read(rich_page)
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "embed", "form", "base"}
    for tag, attributes in tags:
        assert not any(name.startswith("on") for name in attributes), tag
        for name in ("src", "href", "action", "srcset", "poster", "data"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, name)
    assert "url(" not in rich_page
    assert "@import" not in rich_page


def test_it_says_first_what_is_trusted(rich, rich_page):
    trust = rich.audit().trust[0]
    assert rich_page.index(trust) < rich_page.index("Every check holds")


def test_it_has_a_plot_of_pay_of_contributions_and_of_cosines_each_with_words(rich_page):
    images = [attributes for tag, attributes in read(rich_page) if tag == "img"]
    assert [image["alt"] for image in images] == ["Pay by trainer", "Contributions by round", "Cosines of the updates"]
    for image in images:
        svg = base64.b64decode(image["src"].removeprefix("data:image/svg+xml;base64,"))
        assert svg.startswith(b"<?xml")
        assert b"<script" not in svg
    assert rich_page.count("<figcaption>") == 3


def test_it_says_of_every_trainer_and_round_what_decided(rich, rich_page):
    explained = [entry for entry in rich.audit().facts["rounds"] if entry["explanations"] is not None]
    assert explained
    for entry in explained:
        assert f"<summary>Why, round {entry['round']}</summary>" in rich_page
        assert all(escape(sentence) in rich_page for sentence in entry["explanations"])


def test_it_is_made_for_a_narrow_screen(rich_page):
    assert 'name="viewport"' in rich_page
    assert re.search(r"figure img \{[^}]*max-width: 100%", rich_page)


def test_the_same_report_gives_the_same_page(rich, rich_page):
    assert page(rich.audit()) == rich_page


def test_what_does_not_hold_comes_before_everything_else(plain):
    lie = altered_event(plain, "JobEnded", lambda a: {**a, "refund": a["refund"] + 1})
    report = plain.audit(market=plain.lying(lie))
    assert failing(report) == {("money", "every wei")}
    html = page(report)
    assert html.index("What does not hold") < html.index("The job") < html.index("Every check")
    assert "NOT every check holds" in html


def test_a_report_of_a_job_that_could_not_be_read_is_a_page_too(plain):
    report = plain.audit(market=plain.lying(lambda method, params, result: None if method == "eth_getLogs" else result))
    assert report.facts is None
    assert "NOT every check holds" in page(report)
    read(page(report))


def test_strangers_words_stay_words(plain):
    evil = '<script>alert(1)</script><img src=x onerror="y">&\'"'
    check = Check(evil, evil, Verdict.FAILS, evil, evil)
    report = replace(plain.audit(), checks=(check,), trust=(evil,))
    report.facts["rule"] = report.facts["specification_cid"] = evil
    html = page(report)
    assert "<script" not in html
    assert "onerror=" not in html.replace("onerror=&quot;", "")
    read(html)


def test_many_rounds_and_trainers_are_drawn_within_bounds(plain):
    facts = plain.audit().facts
    entry = facts["rounds"][0]
    facts["rounds"] = [{**entry, "round": number} for number in range(1, 101)]
    drawn = plots(facts)
    assert all(len(svg) < 3_000_000 for _, svg in drawn.values())
    assert "The first 12 of 100 settled rounds" in drawn["Cosines of the updates"][0]


def test_a_job_without_a_settled_round_has_no_plots(plain):
    assert plots({**plain.audit().facts, "rounds": []}) == {}
