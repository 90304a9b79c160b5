"""The API answers as its description says, and as the chain stands at the block that each answer names."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from contribution.gram import unpack_gram
from marketplace.chain.history import HistoryReader
from marketplace.chain.structs import JobState
from marketplace.storage.cid import parse_cid
from tests.webapp.seed import Seeded


def ask(client: FlaskClient, path: str, status: int = 200) -> dict:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.text)
    assert answer.mimetype == "application/json"
    return answer.json


def test_the_description_is_valid_and_names_every_route(app: Flask) -> None:
    document = ask(app.test_client(), "/api/openapi.json")
    validate(document)
    routes = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
    }
    assert routes == set(document["paths"])
    for operations in document["paths"].values():
        assert set(operations) == {"get"}


def test_every_answer_says_when_it_holds(client: FlaskClient, seeded: Seeded) -> None:
    w3 = seeded.market.w3
    paths = ["/api/jobs", "/api/jobs/1", "/api/jobs/1/rounds", "/api/jobs/1/rounds/1", "/api/movements"]
    paths += [
        f"/api/{kind}/{seeded.jobs['running'].trainers[0].account.address}" for kind in ("trainers", "aggregators")
    ]
    for path in paths:
        answer = ask(client, path)
        standing = answer["standing"]
        block = w3.eth.get_block(standing["block"])
        assert standing["block_hash"] == "0x" + bytes(block["hash"]).hex()
        assert standing["block_time"] == block["timestamp"]
        assert standing["final_block"] == standing["block"] - 8
        assert standing["alarm"] is None
        assert isinstance(answer["final"], bool)
        assert answer["chain_id"] == w3.eth.chain_id
        assert answer["market"] == seeded.market.deployment.market
    assert ask(client, "/api/jobs/1")["final"] is True
    assert ask(client, f"/api/jobs/{seeded.jobs['running'].job}")["final"] is False
    assert ask(client, "/api/jobs")["final"] is False


def test_jobs_are_as_the_chain_says_at_the_stated_block(client: FlaskClient, seeded: Seeded) -> None:
    market = seeded.market
    for line in ask(client, "/api/jobs")["value"]["items"]:
        number = line["number"]
        value = ask(client, f"/api/jobs/{number}")["value"]
        terms, progress, identity = market.terms(number), market.progress(number), market.identity(number)
        assert value["line"] == line
        assert line["state"] == JobState(progress.state).name.lower()
        assert (line["round"], line["settled_rounds"]) == (progress.round, progress.settled_rounds)
        assert line["owner"] == identity.owner
        said = dict(value["terms"], allowlist_root=bytes.fromhex(value["terms"]["allowlist_root"][2:]))
        for name, found in vars(terms).items():
            assert said[name] == (str(found) if isinstance(said[name], str) and isinstance(found, int) else found), name
        ledger = market.ledger(number)
        held = (ledger.escrow, ledger.bond, ledger.burned)
        assert tuple(int(value[name]) for name in ("escrow", "bond", "burned")) == held


def test_rounds_are_as_the_chain_says(client: FlaskClient, seeded: Seeded) -> None:
    small = seeded.jobs["completed"]
    history = HistoryReader(small.market, small.job).read()
    for number, record in history.rounds.items():
        value = ask(client, f"/api/jobs/{small.job}/rounds/{number}")["value"]
        accepted = [each for each in value["decided"] if each["weight"] is not None]
        by_address = {each["account"]: each for each in accepted}
        assert list(record.trainers) == sorted(by_address, key=lambda account: int(account, 16))
        for place, account in enumerate(record.trainers):
            each = by_address[account]
            found = (int(each["weight"]), int(each["contribution"]), int(each["payout"]))
            assert found == (record.weights[place], record.contributions[place], record.payouts[place])
        rows = len(record.trainers) + small.view.terms.references
        assert (unpack_gram(bytes.fromhex(value["gram"][2:]), rows) == unpack_gram(record.gram, rows)).all()
        assert parse_cid(value["aggregate_cid"]).binary == record.aggregate_cid
        assert value["settled_before"] == history.settled_before(number)
        excluded = {each["account"]: each["reason"] for each in value["decided"] if each["verdict"] == "excluded"}
        assert excluded == {account: reason.name.lower() for account, reason in record.exclusions.items()}


def test_pages_show_everything_once(client: FlaskClient) -> None:
    for path in ("/api/jobs", "/api/movements", "/api/jobs/1/rounds"):
        whole = ask(client, f"{path}?size=200")["value"]["items"]
        seen, after = [], ""
        while after is not None:
            page = ask(client, f"{path}?size=2{after and '&after=' + after}")["value"]
            assert len(page["items"]) <= 2
            seen += page["items"]
            after = page["next"]
            if len(seen) > 400:
                break
        assert seen[: len(whole)] == whole


@pytest.mark.parametrize(
    "question",
    ["size=0", "size=201", "size=x", "size=1&size=2", "unknown=1", "state=NONE", "after=x", "reward=-1", "reward=1e9",
     "reward=" + "9" * 78, "owner=0x12", "order=random", "q=" + "x" * 201],
)  # fmt: skip
def test_what_is_no_question_is_refused(client: FlaskClient, question: str) -> None:
    error = ask(client, f"/api/jobs?{question}", 400)["error"]
    assert error["status"] == 400
    assert error["message"]


def test_failures_are_json(client: FlaskClient) -> None:
    assert ask(client, "/api/jobs/99", 404)["error"]["status"] == 404
    assert ask(client, "/api/nothing", 404)["error"]["title"]
    assert ask(client, "/api/jobs?q=" + "x" * 5_000, 414)["error"]["status"] == 414
    answer = client.post("/api/jobs")
    assert (answer.status_code, answer.mimetype) == (405, "application/json")
    assert "GET" in answer.headers["Allow"]


def test_strangers_words_are_no_markup(client: FlaskClient, seeded: Seeded) -> None:
    answer = client.get(f"/api/jobs/{seeded.jobs['hostile'].job}")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "application/json"
    assert "<script>" in answer.json["value"]["line"]["title"]


def test_nothing_that_the_description_allows_breaks_it(app: Flask) -> None:
    """Questions made up from the description, right and wrong ones, are answered as it says."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    # Too long a question is refused as such.
    refused = schema.config.checks.negative_data_rejection
    refused.expected_statuses = [*refused.expected_statuses, "414"]
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 7
    profile = settings(
        max_examples=25, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None
    )
    for operation in operations:
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            try:
                cases = operation.as_strategy(generation_mode=mode)
            except schemathesis.errors.SchemathesisError:
                continue

            @profile
            @given(case=st.just(None).flatmap(lambda _, cases=cases: cases))
            def hold(case: schemathesis.Case) -> None:
                # Otherwise it asks for compressed answers, and takes them for text.
                case.call_and_validate(headers={"Accept-Encoding": "identity"})

            hold()
