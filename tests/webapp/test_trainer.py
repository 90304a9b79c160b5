"""Trainers: told before they join, join what they were shown, get a command that runs, see their own part alone."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from marketplace.chain.deployment import parse_deployment
from marketplace.configuration import read_configuration
from marketplace.index.queries.jobs import job_page
from tests.webapp.quiet import ETHER, Quiet
from tests.webapp.test_transactions import open_transaction, send
from tests.webapp.wallets import Browser, shown_transaction
from webapp.trainer.agreement import ChangedJobError, agreed_digest


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


def test_everybody_can_read_what_joining_means(quiet: Quiet, quiet_app: Flask) -> None:
    client, job = quiet_app.test_client(), quiet.jobs["open"]
    answer = client.get(f"/jobs/{job}/join")
    assert "Set-Cookie" not in answer.headers
    shown = text_of(answer.text)
    for words in (
        f"The aggregator, {quiet.aggregator.address}, opens each of your updates and reads it in clear",
        "The inner products of all updates of a round",
        "You put down 0.5 ether",
        "0.05 ether of it burn if you miss two rounds running",
        "you can leave at once, with your whole stake",
        "Gas to join 125 583",
        "CC-BY-4.0",
        "SHA-256 of the datasheet",
        "Sign in to join",
        f"cairn --config cairn-job-{job}/config.toml trainer run {job} --data mine.npz --dev-account 3 --yes",
    ):
        assert words.replace(" ", "") in shown.replace("\u202f", "").replace(" ", ""), words
    assert client.get("/jobs/999/join").status_code == 404


def test_joining_carries_what_the_page_showed(quiet: Quiet, quiet_app: Flask) -> None:
    trainer, job = quiet.trainers[2], quiet.jobs["open"]
    browser = Browser(quiet_app.test_client(), trainer).sign_in()
    assert browser.post(f"/jobs/{job}/join").status_code == 422
    answer = browser.post(f"/jobs/{job}/join", understood="yes")
    place = answer.headers["Location"]
    shown, request = shown_transaction(open_transaction(browser, answer))
    request = json.loads(request)
    assert shown["Digest of what you agree to"][1] == "0x" + quiet.market.join_digest(job).hex()
    assert int(request["value"], 16) == ETHER // 2
    assert shown["Coins that are sent along"][1] == str(ETHER // 2)
    browser.post_json(f"{place}/sent", {"hash": send(quiet, trainer, request)})
    assert "Go on: start your trainer" in browser.client.get(place).text
    assert "the index has not read its block yet" in browser.client.get(f"/jobs/{job}/trainer").text
    quiet.index()
    seat = text_of(browser.client.get(f"/jobs/{job}/trainer").text)
    assert "Your account: takes part." in seat
    assert f"cairn --config cairn-job-{job}/config.toml trainer run {job} --data mine.npz --key trainer" in seat
    assert "cairn key import trainer" in seat
    left = browser.post(f"/jobs/{job}/leave")
    shown, request = shown_transaction(open_transaction(browser, left))
    assert shown["Function"][1] == "leaveJob"
    send(quiet, trainer, json.loads(request))
    assert quiet.market.withdrawable(job, trainer.address) == ETHER // 2


def test_a_job_that_changed_is_not_joined(quiet: Quiet, quiet_app: Flask) -> None:
    job = quiet.jobs["open"]
    page = job_page(quiet_app.extensions["cairn"].reader, job).value
    assert agreed_digest(quiet.market, job, page) == quiet.market.join_digest(job)
    for other in (
        replace(page, terms=replace(page.terms, stake=1)),
        replace(page, specification_cid=b"\1" * 36),
        replace(page, line=replace(page.line, owner=quiet.trainers[0].address)),
    ):
        with pytest.raises(ChangedJobError):
            agreed_digest(quiet.market, job, other)


def test_who_cannot_join_is_told_why(quiet: Quiet, quiet_app: Flask) -> None:
    trainer = Browser(quiet_app.test_client(), quiet.trainers[7]).sign_in()
    refused = trainer.post(f"/jobs/{quiet.jobs['unaccepted']}/join", understood="yes")
    assert (refused.status_code, "has not accepted job" in refused.text) == (409, True)
    owner = Browser(quiet_app.test_client(), quiet.owner).sign_in()
    assert "You are a party of this job" in owner.client.get(f"/jobs/{quiet.jobs['open']}/join").text
    party = owner.post(f"/jobs/{quiet.jobs['open']}/join", understood="yes")
    assert (party.status_code, "join with another account" in party.text) == (409, True)
    ended = trainer.client.get(f"/jobs/{quiet.jobs['aborted']}/join").text
    assert "nobody can join any more" in ended


def test_a_list_admits_those_on_it(quiet: Quiet, quiet_app: Flask) -> None:
    job, listed = quiet.jobs["listed"], "\n".join(quiet.list())
    path = f"/jobs/{job}/join"
    trainer = Browser(quiet_app.test_client(), quiet.trainers[1]).sign_in()
    assert 'name="allowlist"' in trainer.client.get(path).text
    shown, _ = shown_transaction(open_transaction(trainer, trainer.post(path, understood="yes", allowlist=listed)))
    assert shown["Proof that you are on the owner's list"][0].endswith("hashes")
    for wrong in ("", "nonsense", listed.replace(quiet.list()[5], quiet.trainers[7].address), quiet.list()[0]):
        assert trainer.post(path, understood="yes", allowlist=wrong).status_code == 422
    stranger = Browser(quiet_app.test_client(), quiet.trainers[7]).sign_in()
    assert stranger.post(path, understood="yes", allowlist=listed).status_code == 422


def test_the_files_are_settings_that_commands_read(quiet: Quiet, quiet_app: Flask, tmp_path: Path) -> None:
    answer = quiet_app.test_client().get(f"/jobs/{quiet.jobs['open']}/trainer.zip")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        assert packed.testzip() is None
        packed.extractall(tmp_path)
    folder = tmp_path / f"cairn-job-{quiet.jobs['open']}"
    settings = read_configuration(folder / "config.toml", {})
    assert parse_deployment(Path(str(settings["deployment"])).read_bytes()) == quiet.market.deployment
    assert settings["store"] == str(quiet.directory / "store")


def test_an_operators_addresses_stay_secret_off_local_chains(quiet: Quiet, tmp_path: Path) -> None:
    from webapp.site import attach
    from webapp.trainer.configuration import configuration, start_of

    app = quiet.app(tmp_path, rpc="https://node.example/key-of-the-operator")
    shared = app.extensions["cairn"]
    public = replace(shared, deployment=replace(shared.deployment, chain_id=1))
    attach(app, public)
    assert "key-of-the-operator" not in configuration(public, 1)
    assert str(quiet.directory) not in configuration(public, 1)
    assert start_of(public, 1).development_command is None


def test_a_seat_is_its_holders_alone(quiet: Quiet, quiet_app: Flask) -> None:
    job = quiet.jobs["open"]
    other = Browser(quiet_app.test_client(), quiet.trainers[7]).sign_in()
    assert other.client.get(f"/jobs/{job}/trainer").status_code == 404
    assert other.client.get("/jobs/999/trainer").status_code == 404
    assert quiet_app.test_client().get(f"/jobs/{job}/trainer").status_code == 303
    mine = Browser(quiet_app.test_client(), quiet.trainers[0]).sign_in()
    assert mine.client.get(f"/jobs/{job}/trainer").status_code == 200


def test_an_account_shows_what_is_its_own(quiet: Quiet, quiet_app: Flask) -> None:
    job = quiet.jobs["open"]
    trainer = text_of(Browser(quiet_app.test_client(), quiet.trainers[0]).sign_in().client.get("/me").text)
    assert f"Job {job}" in trainer
    assert "0.5 ether" in trainer
    assert "You have no job." in trainer
    owner = text_of(Browser(quiet_app.test_client(), quiet.owner).sign_in().client.get("/me").text)
    assert "The open job" in owner
    assert "The listed job" in owner
    aggregator = text_of(Browser(quiet_app.test_client(), quiet.aggregator).sign_in().client.get("/me").text)
    assert "Jobs that name you as aggregator" in aggregator
    nobody = text_of(Browser(quiet_app.test_client()).sign_in().client.get("/me").text)
    assert "The market holds nothing of yours." in nobody
