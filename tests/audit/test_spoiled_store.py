"""What is found when content was changed, lost or swapped."""

from __future__ import annotations

import shutil

import pytest

from marketplace.job.document import fetch_document
from marketplace.storage.cid import parse_binary_cid
from marketplace.storage.directory import DirectoryStore
from tests.audit.conftest import block_of, detail, failing, flip

SUMS = {("model", "published sums"), ("model", "every round's sum"), ("model", "final model")}


@pytest.fixture
def spoil(tmp_path):
    """Copy a job's store, change the copy, and audit with it."""

    def run(audited, change, **options):
        store = audited.store_copy(tmp_path)
        change(store)
        return audited.audit(store=DirectoryStore(store), **options)

    return run


def test_a_copy_of_the_store_raises_no_alarm(plain, spoil):
    assert failing(spoil(plain, lambda store: None)) == set()


def test_a_changed_aggregate_is_named_by_its_cid(plain, spoil):
    cid = parse_binary_cid(plain.record(2).aggregate_cid)
    report = spoil(plain, lambda store: flip(block_of(store, cid)))
    assert failing(report) == SUMS
    words = detail(report, "model", "published sums")
    assert "round 2" in words
    assert str(cid) in words


def test_a_lost_aggregate_is_named_by_its_cid(plain, spoil):
    cid = parse_binary_cid(plain.record(3).aggregate_cid)
    report = spoil(plain, lambda store: block_of(store, cid).unlink())
    assert failing(report) == SUMS
    assert f"round 3: Content {cid} is not in" in detail(report, "model", "published sums")


def test_an_aggregate_swapped_with_that_of_another_round_is_not_what_its_cid_names(plain, spoil):
    first, second = (parse_binary_cid(plain.record(number).aggregate_cid) for number in (1, 2))
    report = spoil(plain, lambda store: shutil.copy(block_of(store, first), block_of(store, second)))
    assert failing(report) == SUMS
    assert f"Content {second} is not usable" in detail(report, "model", "published sums")


@pytest.mark.parametrize("how", ["changed", "lost"])
def test_a_specification_that_is_changed_or_lost_is_named(plain, spoil, how):
    cid = parse_binary_cid(plain.small.view.history().specification_cid)
    report = spoil(
        plain, lambda store: flip(block_of(store, cid)) if how == "changed" else block_of(store, cid).unlink()
    )
    assert failing(report) == {("model", "specification and initial model")}
    assert str(cid) in detail(report, "model", "specification and initial model")


def test_a_changed_initial_model_is_named(plain, spoil):
    view = plain.small.view
    cid = fetch_document(view.store, view.history().specification_cid).initial_model
    report = spoil(plain, lambda store: flip(block_of(store, cid)))
    assert failing(report) == {("model", "specification and initial model")}
    assert str(cid) in detail(report, "model", "specification and initial model")


def test_a_changed_envelope_is_named(plain, spoil):
    (cid, *_) = [parse_binary_cid(entry.cid) for entry in plain.record(1).submissions.values()]
    report = spoil(plain, lambda store: flip(block_of(store, cid)))
    assert failing(report) == {("content", "envelopes")}
    assert str(cid) in detail(report, "content", "envelopes")


def test_envelopes_that_are_gone_harm_nothing(plain, spoil):
    def lose(store):
        for entry in plain.record(1).submissions.values():
            block_of(store, parse_binary_cid(entry.cid)).unlink()

    report = spoil(plain, lose)
    assert failing(report) == set()
    assert "6 are no longer to be had" in detail(report, "content", "envelopes")


def evidence_of(rich):
    (excluded, *_) = [e for e in rich.small.view.history().named("Excluded") if e.arguments["round"] == 1]
    return parse_binary_cid(excluded.arguments["evidence"])


def test_an_exclusion_whose_evidence_is_lost_is_false(rich, spoil):
    report = spoil(rich, lambda store: block_of(store, evidence_of(rich)).unlink())
    assert failing(report) == {("round 1", "exclusions")}
    excluded = rich.small.trainers[2].account.address
    assert f"FALSE is the exclusion of {excluded} as undecryptable" in detail(report, "round 1", "exclusions")


def test_evidence_that_is_not_what_its_cid_names_is_named(rich, spoil):
    report = spoil(rich, lambda store: flip(block_of(store, evidence_of(rich))))
    assert failing(report) == {("round 1", "exclusions")}
    assert str(evidence_of(rich)) in detail(report, "round 1", "exclusions")


def test_an_empty_store_shows_nothing_of_the_model_and_leaves_the_chain_as_it_is(plain, tmp_path):
    report = plain.audit(store=DirectoryStore(tmp_path / "empty"))
    assert failing(report) == SUMS | {("model", "specification and initial model")}


def test_one_round_is_audited_with_its_own_sum(plain, spoil):
    cid = parse_binary_cid(plain.record(2).aggregate_cid)
    report = spoil(plain, lambda store: flip(block_of(store, cid)), scope=2)
    assert failing(report) == {("round 2", "published sum")}
    assert failing(plain.audit(1)) == set()
