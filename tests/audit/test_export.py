"""A model is given out only after it was checked, with where it comes from."""

from __future__ import annotations

import hashlib
import json

import pytest
from safetensors.numpy import load_file

from marketplace.audit.export import ExportError, ModelRefusedError, export_model
from marketplace.audit.job import Options
from marketplace.chain.structs import NATIVE_COIN
from tests.audit.conftest import Audited, altered_event, failing
from tests.audit.scenarios import flagged, publishing
from tests.audit.test_model import plus_one


def test_a_model_comes_with_its_provenance(plain, tmp_path):
    written = export_model(plain.sources(), plain.small.job, tmp_path / "out")
    assert load_file(written.model)
    assert failing(plain.audit("model", Options(file=written.model))) == set()
    provenance = json.loads(written.provenance.read_text())
    assert provenance["model_sha256"] == hashlib.sha256(written.model.read_bytes()).hexdigest()
    assert provenance["audit"]["digest"] == plain.audit("model").digest
    assert (provenance["job"], provenance["market"]) == (plain.small.job, plain.market.deployment.market)
    assert [entry["round"] for entry in provenance["rounds"]] == [1, 2, 3]
    assert provenance["server_momentum"] == 0
    record = plain.record(2)
    for place, entry in enumerate(provenance["rounds"][1]["trainers"]):
        assert entry["address"] == record.trainers[place]
        assert entry["commitment"] == "0x" + record.commitments[64 * place : 64 * place + 64].hex()
        assert (entry["weight"], int(entry["contribution"])) == (record.weights[place], record.contributions[place])
    assert provenance["rounds"][2]["model_commitment"] == "0x" + plain.record(3).model_commitment.hex()


def test_a_model_twice_is_the_same_bytes(plain, tmp_path):
    first = export_model(plain.sources(), plain.small.job, tmp_path / "a")
    second = export_model(plain.sources(), plain.small.job, tmp_path / "b")
    assert first.model.read_bytes() == second.model.read_bytes()
    assert first.provenance.read_bytes() == second.provenance.read_bytes()


def test_a_model_that_is_not_the_committed_one_is_not_written(tmp_path, monkeypatch):
    small = publishing(tmp_path / "job", monkeypatch, plus_one)
    with pytest.raises(ModelRefusedError, match="the model is not theirs") as refused:
        export_model(Audited(small).sources(), small.job, tmp_path / "out")
    assert any(fault.startswith("model, final model") for fault in refused.value.faults)
    assert not (tmp_path / "out").exists()


def test_a_model_by_a_rule_that_was_not_followed_is_not_written(plain, tmp_path):
    def heavier(arguments):
        return {**arguments, "weights": [weight + 1 for weight in arguments["weights"]]}

    liar = plain.lying(altered_event(plain, "RoundScored", heavier))
    with pytest.raises(ModelRefusedError, match="weights and contributions"):
        export_model(plain.sources(market=liar), plain.small.job, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_of_a_flagged_job_the_model_before_is_written(tmp_path):
    small = flagged(tmp_path / "job")
    written = export_model(Audited(small).sources(), small.job, tmp_path / "out")
    assert [entry["round"] for entry in written.document["rounds"]] == [1]
    assert written.document["job_state"] == "aborted"
    assert small.view.terms.referee == NATIVE_COIN


def test_a_directory_that_can_not_be_written_is_told(plain, tmp_path):
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(ExportError, match="name another directory"):
        export_model(plain.sources(), plain.small.job, tmp_path / "out")
