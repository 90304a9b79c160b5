"""Owners: the form finds what a file is told, its file says the same, and nobody sees another's job or draft."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from marketplace.job.document import fetch_document
from marketplace.job.specification import SpecificationError, load_specification, parse_specification
from tests.webapp.quiet import ETHER, Quiet
from tests.webapp.test_transactions import open_transaction, send
from tests.webapp.wallets import Browser, shown_transaction, token_of
from webapp.owner.entries import ENTRIES
from webapp.owner.form import empty_form, read_form
from webapp.owner.toml import toml_text

HOSTILE = (
    """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}</textarea></title>javascript:alert(4)\u202e"""
)


def typed(quiet: Quiet) -> dict[str, str]:
    return {
        **empty_form().typed,
        "job.title": "Iris",
        "job.description": "Three species.\n\nBy their leaves.",
        "job.licence": "CC-BY-4.0",
        "job.datasheet": "Four lengths in cm.",
        "data.inputs": "64",
        "data.classes": "10",
        "model.parameters.hidden": "32",
        "round.rounds": "3",
        "round.submit": "2 min",
        "round.accept_small_model": "on",
        "money.reward_per_round": "0.1 ether",
        "parties.aggregator": quiet.aggregator.address,
        "parties.referee": quiet.referee.address,
    }


def test_every_entry_of_a_jobs_file_has_a_field_and_no_other() -> None:
    from marketplace.job.sections import SECTIONS

    known = {f"{name}.{entry}" for name, section in SECTIONS.items() for entry in section.model_fields}
    fields = {path if path.count(".") == 1 else "model.parameters" for path in ENTRIES}
    assert fields == known


def test_the_form_and_its_file_say_the_same(quiet: Quiet, tmp_path: Path) -> None:
    form = read_form(typed(quiet))
    assert form.specification is not None, (form.faults, form.further)
    file = tmp_path / "job.toml"
    file.write_text(form.text, "utf-8")
    assert load_specification(file) == form.specification


FAULTY = {
    "job.title": "",
    "data.inputs": "many",
    "round.rounds": "0",
    "round.submit": "soon",
    "money.reward_per_round": "1 dollar",
    "money.bond": "1 wei",
    "parties.aggregator": "0x1234",
    "training.learning_rate": "-1",
    "trainers.maximum": "2",
    "model.parameters.hidden": "32, x",
    "start.deadline": "2030-01-01T00:00:00",
}


@pytest.mark.parametrize(("path", "value"), FAULTY.items())
def test_each_fault_is_a_files_and_stands_beside_its_field(quiet: Quiet, path: str, value: str) -> None:
    form = read_form({**typed(quiet), path: value})
    with pytest.raises(SpecificationError) as told:
        parse_specification(form.tables, source="the form")
    assert [*sum(form.faults.values(), ()), *form.further] == sorted(told.value.faults, key=_order(form))
    field = "model.name" if path.startswith("model.") else path
    assert field in form.faults


def _order(form):
    told = [*sum(form.faults.values(), ()), *form.further]
    return told.index


def test_an_empty_form_misses_each_entry_by_its_name() -> None:
    form = read_form({})
    for path in ("job.title", "job.description", "data.inputs", "money.reward_per_round", "parties.aggregator"):
        assert form.faults[path], path


@given(
    st.dictionaries(
        st.sampled_from(["title", "description", "rounds"]),
        st.one_of(st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False), st.lists(st.integers())),
    )
)
def test_what_is_written_as_toml_is_read_back(section) -> None:
    try:
        read = tomllib.loads(toml_text({"job": section}))
    except tomllib.TOMLDecodeError:
        # TOML has no surrogates; what comes from a form is UTF-8 and has none either.
        assert re.search("[\ud800-\udfff]", str(section))
        return
    assert read == ({"job": section} if section else {})


def test_a_job_from_the_form_to_the_chain(quiet: Quiet, quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client(), quiet.trainers[3]).sign_in()
    checked = browser.post("/jobs/new", action="check", **typed(quiet))
    assert checked.status_code == 200, checked.text
    assert "0.33" in re.search(r"Deposit, paid at once.*?</dd>", checked.text, re.DOTALL)[0]
    file = browser.post("/jobs/new", action="file", **typed(quiet))
    assert file.headers["Content-Disposition"] == 'attachment; filename="job.toml"'
    assert tomllib.loads(file.text)["money"]["reward_per_round"] == "0.1 ether"
    answer = browser.post("/jobs/new", action="create", **typed(quiet))
    place = answer.headers["Location"]
    shown, request = shown_transaction(open_transaction(browser, answer))
    request = json.loads(request)
    assert int(request["value"], 16) == 33 * ETHER // 100
    assert shown["Coins that are sent along"][1] == str(33 * ETHER // 100)
    assert shown["Rounds"] == ("3", "3")
    browser.post_json(f"{place}/sent", {"hash": send(quiet, quiet.trainers[3], request)})
    done = browser.client.get(place).text
    assert 'data-stage="done"' in done
    job = quiet.market.job_count()
    assert f"To your job {job}" in done
    assert quiet.market.identity(job).owner == quiet.trainers[3].address
    assert "the index has not read its block yet" in browser.client.get(f"/jobs/{job}/owner").text
    quiet.index()
    page = browser.client.get(f"/jobs/{job}/owner").text
    assert "Iris" in page
    assert "Prepare the end of job" in page
    (_, cid) = shown["Specification"]
    assert fetch_document(quiet.store, bytes.fromhex(cid[2:])).title == "Iris"
    ended = open_transaction(browser, browser.post(f"/jobs/{job}/abort"))
    assert shown_transaction(ended)[0]["Function"][1] == "abort"


def test_a_token_is_let_first_and_for_exactly_the_deposit(quiet: Quiet, quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client(), quiet.owner).sign_in()
    fields = {
        **typed(quiet),
        "money.token": quiet.token,
        "money.decimals": str(_decimals(quiet)),
        "money.reward_per_round": "1",
        "money.aggregator_fee_per_round": "0",
    }
    answer = browser.post("/jobs/new", action="create", **fields)
    place = answer.headers["Location"]
    shown, request = shown_transaction(open_transaction(browser, answer))
    request = json.loads(request)
    assert shown["Function"][1] == "approve"
    assert request["to"] == quiet.token
    assert shown["How much at most"][1] == str(3 * 10 ** _decimals(quiet))
    browser.post_json(f"{place}/sent", {"hash": send(quiet, quiet.owner, request)})
    assert "Go on: create the job" in browser.client.get(place).text
    assert 'value="Iris"' in browser.client.get("/jobs/new").text
    shown, request = shown_transaction(open_transaction(browser, browser.post("/jobs/new", action="create", **fields)))
    assert (shown["Function"][1], shown["Paid in"][0]) == ("create", f"token {quiet.token}")
    assert json.loads(request)["value"] == "0x0"
    wrong = browser.post("/jobs/new", action="create", **{**fields, "money.decimals": "3", "money.stake": "1"})
    assert wrong.status_code == 422
    assert "as the token&#39;s contract says" in wrong.text


def _decimals(quiet: Quiet) -> int:
    from marketplace.chain.token import token_decimals

    return token_decimals(quiet.w3, quiet.token)


def test_faults_are_beside_their_fields_without_a_script(quiet: Quiet, quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client(), quiet.owner).sign_in()
    answer = browser.post("/jobs/new", action="create", **{**typed(quiet), "money.bond": "1 wei"})
    assert answer.status_code == 422
    beside = re.search(r'id="fault-money-bond"[^>]*>(.*?)</span></span>', answer.text, re.DOTALL)[1]
    assert "the bond must cover two penalties" in beside
    assert re.search(r'id="money-bond"[^>]*aria-invalid="true"', answer.text)


def test_strangers_words_in_a_form_stay_words(quiet: Quiet, quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client(), quiet.owner).sign_in()
    fields = dict.fromkeys(ENTRIES, HOSTILE)
    for action in ("check", "create", "file"):
        page = browser.post("/jobs/new", action=action, **fields).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "</textarea></title>" not in page
        assert "49" not in page.split("<main")[1].split("</main")[0].replace("&#49;", "")
    assert "<script>alert" not in browser.client.get("/jobs/new").text


def test_drafts_and_jobs_are_their_owners_alone(quiet: Quiet, quiet_app: Flask) -> None:
    mine = Browser(quiet_app.test_client(), quiet.trainers[4]).sign_in()
    mine.post("/jobs/new", action="check", **{**typed(quiet), "job.title": "A secret plan"})
    assert "A secret plan" in mine.client.get("/jobs/new").text
    other = Browser(quiet_app.test_client(), quiet.trainers[5]).sign_in()
    assert "A secret plan" not in other.client.get("/jobs/new").text
    job = quiet.jobs["open"]
    for path in (f"/jobs/{job}/owner", f"/jobs/{job}/model/model.safetensors", "/jobs/999/owner"):
        assert other.client.get(path).status_code == 404, path
    for path in (f"/jobs/{job}/abort", f"/jobs/{job}/model"):
        assert other.post(path).status_code == 404, path
    mine.post("/jobs/new", action="clear")
    assert "A secret plan" not in mine.client.get("/jobs/new").text
    stranger = quiet_app.test_client()
    assert stranger.get("/jobs/new").status_code == 303


def test_downloads_stay_in_their_folder(quiet: Quiet, quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client(), quiet.owner).sign_in()
    job = quiet.jobs["open"]
    for name in ("../secret-key", "..%2f..%2fsecret-key", "secret-key", "model.safetensors%00", "."):
        assert browser.client.get(f"/jobs/{job}/model/{name}").status_code == 404


def test_publishing_is_limited_in_size_and_rate(quiet: Quiet, quiet_app: Flask, monkeypatch) -> None:
    from webapp.owner import publishing

    browser = Browser(quiet_app.test_client(), quiet.trainers[6]).sign_in()
    monkeypatch.setattr(publishing, "MOST_MODEL_BYTES", 100)
    monkeypatch.setattr(publishing, "MOST_AN_HOUR", 1)
    refused = browser.post("/jobs/new", action="create", **typed(quiet))
    assert refused.status_code == 413
    assert "cairn job create job.toml" in refused.text
    assert browser.post("/jobs/new", action="create", **typed(quiet)).status_code == 429


def test_without_a_store_the_file_is_given_instead(quiet: Quiet, tmp_path: Path) -> None:
    browser = Browser(quiet.app(tmp_path, store=None).test_client(), quiet.owner).sign_in()
    assert "This site has no content store" in browser.client.get("/jobs/new").text
    assert browser.post("/jobs/new", action="create", **typed(quiet)).status_code == 503


def test_the_form_carries_a_token(quiet: Quiet, quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client(), quiet.owner).sign_in()
    assert token_of(browser.client.get("/jobs/new").text)
