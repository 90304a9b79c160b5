"""Model files against the job's final model, and sums that an aggregator published otherwise than it settled them."""

from __future__ import annotations

import numpy as np
import pytest

from marketplace.audit.export import ModelRefusedError, export_model
from marketplace.audit.job import Options
from marketplace.payload.aggregate_file import Aggregate, largest_cumulative
from marketplace.payload.model_file import decode_model, encode_model, flatten, unflatten
from marketplace.training.models import parameter_shapes
from tests.audit.conftest import Audited, detail, failing
from tests.audit.scenarios import publishing, settled_with_momentum

FILE = ("model", "model file")


def model_after(plain, number):
    return plain.small.view.model_after(number)


def written(plain, tmp_path, vector):
    shapes = parameter_shapes(plain.small.view.document.build_model())
    path = tmp_path / "model.safetensors"
    path.write_bytes(encode_model(unflatten(vector, shapes)))
    return path


def test_the_final_model_is_known_bit_for_bit(plain, tmp_path):
    file = written(plain, tmp_path, model_after(plain, 3))
    report = plain.audit("model", Options(file=file))
    assert failing(report) == set()
    assert "bit for bit" in detail(report, *FILE)


def test_the_aggregators_own_file_is_the_audits_model(plain):
    """Whoever computes the model from the published sum gets the same bytes as the aggregator."""
    kept = plain.small.aggregator.model_file(3)
    assert failing(plain.audit("model", Options(file=kept))) == set()


def test_one_changed_parameter_is_named(plain, tmp_path):
    vector = model_after(plain, 3).copy()
    vector[4] = np.nextafter(vector[4], np.float32(2))
    report = plain.audit("model", Options(file=written(plain, tmp_path, vector)))
    assert failing(report) == {FILE}
    assert "1 of 15 parameters" in detail(report, *FILE)
    assert "parameter 4 is" in detail(report, *FILE)


@pytest.mark.parametrize(
    ("number", "words"), [(1, "it is the model after round 1"), (2, "it is the model after round 2")]
)
def test_the_model_of_another_round_is_recognised(plain, tmp_path, number, words):
    report = plain.audit("model", Options(file=written(plain, tmp_path, model_after(plain, number))))
    assert failing(report) == {FILE}
    assert words in detail(report, *FILE)


def test_the_initial_model_is_recognised(plain, tmp_path):
    report = plain.audit("model", Options(file=written(plain, tmp_path, plain.small.view.initial_model)))
    assert "it is the model that the job began with" in detail(report, *FILE)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x10" * 400])
def test_a_file_that_is_no_model_is_refused_in_a_sentence(plain, tmp_path, content):
    file = tmp_path / "model.safetensors"
    file.write_bytes(content)
    assert failing(plain.audit("model", Options(file=file))) == {FILE}


def test_a_file_that_is_not_there_is_told(plain, tmp_path):
    report = plain.audit("model", Options(file=tmp_path / "none.safetensors"))
    assert "can't be read" in detail(report, *FILE)


def plus_one(aggregate):
    changed = aggregate.cumulative.copy()
    changed[7] += 1
    return Aggregate(changed, aggregate.blinder)


def too_large(aggregate):
    changed = aggregate.cumulative.copy()
    changed[3] = largest_cumulative(1, 16) + 1
    return Aggregate(changed, aggregate.blinder)


OPENINGS = {"one coordinate more by one": plus_one, "another blinder": lambda a: Aggregate(a.cumulative, a.blinder ^ 1)}


@pytest.mark.parametrize("change", OPENINGS.values(), ids=OPENINGS.keys())
def test_a_published_sum_that_is_not_the_committed_one_is_named(tmp_path, monkeypatch, change):
    audited = Audited(publishing(tmp_path, monkeypatch, change))
    report = audited.audit()
    assert failing(report) == {("model", "every round's sum"), ("model", "final model")}
    assert "round 1 does not open the model's commitment" in detail(report, "model", "every round's sum")
    assert "the model is not theirs" in detail(report, "model", "final model")
    assert failing(audited.audit(1)) == {("round 1", "published sum")}


def test_with_momentum_the_final_model_is_that_of_all_sums(tmp_path, monkeypatch):
    small = settled_with_momentum(tmp_path, monkeypatch, lambda aggregate: aggregate, momentum=0.75)
    audited = Audited(small)
    report = audited.audit("model", Options(file=written(audited, tmp_path, model_after(audited, 2))))
    assert failing(report) == set()
    assert "server momentum 0.75, the sums of all 2 rounds open" in detail(report, "model", "final model")
    ahead = written(audited, tmp_path, small.view.model_before(3).vector)
    assert failing(audited.audit("model", Options(file=ahead))) == {FILE}
    other = written(audited, tmp_path, model_after(audited, 1))
    assert "it is the model after round 1" in detail(audited.audit("model", Options(file=other)), *FILE)


def test_with_momentum_an_earlier_sum_that_is_not_the_committed_one_spoils_the_model(tmp_path, monkeypatch):
    small = settled_with_momentum(tmp_path, monkeypatch, plus_one, momentum=0.75)
    report = Audited(small).audit()
    assert failing(report) == {("model", "every round's sum"), ("model", "final model")}
    assert "round 1 does not open the model's commitment" in detail(report, "model", "every round's sum")
    with pytest.raises(ModelRefusedError, match="round 1 does not open"):
        export_model(Audited(small).sources(), small.job, tmp_path / "out")


def test_without_momentum_an_earlier_sum_does_not_touch_the_final_model(tmp_path, monkeypatch):
    report = Audited(settled_with_momentum(tmp_path, monkeypatch, plus_one, momentum=0.0)).audit()
    assert failing(report) == {("model", "every round's sum")}


def test_a_coordinate_that_no_rounds_can_add_up_to_is_named(tmp_path, monkeypatch):
    report = Audited(publishing(tmp_path, monkeypatch, too_large)).audit()
    assert ("model", "published sums") in failing(report)
    assert "Coordinate 3 of the aggregate file is" in detail(report, "model", "published sums")


def test_the_same_audit_twice_gives_the_same_bytes(plain):
    """Everything that is recomputed comes out alike: the reports have one digest."""
    assert plain.audit().digest == plain.audit().digest
    assert plain.audit(options=Options(reference=True)).facts == plain.audit().facts


def test_flattened_models_are_what_was_written(plain, tmp_path):
    shapes = parameter_shapes(plain.small.view.document.build_model())
    vector = model_after(plain, 2)
    assert np.array_equal(flatten(decode_model(written(plain, tmp_path, vector).read_bytes(), shapes), shapes), vector)
