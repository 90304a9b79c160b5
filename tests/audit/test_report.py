"""The report as a document: one text for one audit, figures that say what the chain says."""

from __future__ import annotations

import hashlib
import json

from marketplace.audit.report import canonical, summary
from tests.audit.conftest import altered_event


def test_the_digest_is_that_of_the_canonical_json(plain):
    document = plain.audit().document
    digest = document.pop("digest")
    assert hashlib.sha256(canonical(document)).hexdigest() == digest
    assert json.loads(canonical(document)) == document


def test_a_nodes_address_is_in_no_report(plain, monkeypatch):
    """Addresses of nodes often hold an access key."""
    monkeypatch.setattr(
        plain.market.w3.provider, "endpoint_uri", "https://node.example.org/v3/SECRET?key=K", raising=False
    )
    report = plain.audit()
    assert "node.example.org" in report.trust[0]
    assert "SECRET" not in json.dumps(report.document)


def test_figures_are_those_of_the_chain(plain):
    facts = plain.audit().facts
    record = plain.record(2)
    entry = facts["rounds"][1]
    assert entry["trainers"] == list(record.trainers)
    assert [int(value) for value in entry["payouts_wei"]] == list(record.payouts)
    assert [int(value) for value in entry["contributions"]] == list(record.contributions)
    assert all(abs(entry["cosines"][k][k] - 1) < 1e-4 for k in range(len(entry["cosines"])))
    assert facts["state"] == "completed"


def test_each_trainer_of_a_settled_round_is_explained(plain):
    for number, entry in enumerate(plain.audit().facts["rounds"], 1):
        record = plain.record(number)
        assert len(entry["explanations"]) == len(record.trainers)
        for weight, sentence in zip(record.weights, entry["explanations"], strict=True):
            assert sentence.startswith(f"kept with weight {100 * weight / 2**16:.3g} % (") == (weight > 0)


def test_a_round_that_the_rule_decides_otherwise_is_not_explained(plain):
    lie = altered_event(plain, "RoundScored", lambda a: {**a, "weights": [w + 1 for w in a["weights"]]})
    first, *others = plain.audit(market=plain.lying(lie)).facts["rounds"]
    assert first["explanations"] is None
    assert all(entry["explanations"] for entry in others)


def test_every_check_says_what_it_does_not_show(rich):
    checks = rich.audit().checks
    assert all(check.does_not_show and check.detail for check in checks)
    assert summary(checks) == f"{len(checks)} holds"
