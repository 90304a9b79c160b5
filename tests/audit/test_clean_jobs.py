"""Jobs that went as they should, or in which every fault was dealt with as it should: none raises an alarm."""

from __future__ import annotations

import pytest

from marketplace.audit.job import Options
from marketplace.chain.structs import JobState, VoidCause
from tests.audit.conftest import Audited, detail, failing
from tests.audit.scenarios import aborted, flagged, in_tokens, refuted


def test_a_job_without_incidents(plain):
    report = plain.audit()
    assert failing(report) == set()
    assert report.holds
    assert "3330000000000000000 deposited" in detail(report, "money", "every wei")
    assert "0 held, in wei" in detail(report, "money", "every wei")


def test_the_plain_verifier_and_rule_agree(plain):
    report = plain.audit(options=Options(reference=True))
    assert failing(report) == set()
    assert "the plain verifier" in detail(report, "round 2", "proof")
    assert "the plain version" in detail(report, "round 2", "weights and contributions")


@pytest.mark.parametrize("scope", [1, 2, 3, "model"])
def test_its_rounds_and_its_model_alone(plain, scope):
    assert failing(plain.audit(scope)) == set()


def test_a_job_with_exclusions_absence_a_strike_void_and_expired_rounds(rich):
    history = rich.small.view.history()
    happened = {event.name for event in history.events}
    assert {
        "Excluded",
        "Missing",
        "Strike",
        "TrainerRemoved",
        "TrainerLeft",
        "RoundVoided",
        "RoundExpired",
        "Burned",
    } <= (happened)
    assert history.rounds[8].void is VoidCause.TOO_FEW_KEPT
    report = rich.audit()
    assert failing(report) == set()
    assert "fewer than three with a weight" in detail(report, "round 8", "void")


def test_it_raises_none_at_any_block_of_its_life(rich):
    """An audit can be made while a job runs: at every block the events so far follow from each other."""
    blocks = sorted({event.block for event in rich.small.view.history().events})
    for number in blocks[::6]:
        head = bytes(rich.market.w3.eth.get_block(number)["hash"])
        assert failing(rich.audit(block_hash=head)) == set(), number


def test_a_job_in_tokens_without_a_referee(tmp_path):
    small = in_tokens(tmp_path)
    report = Audited(small).audit()
    assert failing(report) == set()
    assert small.view.history().rounds[1].exclusions


def test_a_job_that_its_owner_aborted(tmp_path):
    small = aborted(tmp_path)
    assert small.market.progress(small.job).job_state is JobState.ABORTED
    assert failing(Audited(small).audit()) == set()


def test_a_job_whose_trainers_flagged_a_wrong_model(tmp_path):
    small = flagged(tmp_path)
    assert small.market.progress(small.job).job_state is JobState.ABORTED
    report = Audited(small).audit()
    assert failing(report) == set()
    assert "as its flags say" in detail(report, "round 2", "flags")
    assert "over 1 rounds" in detail(report, "model", "final model")


def test_a_job_whose_matrix_was_refuted(tmp_path):
    small = refuted(tmp_path)
    assert small.market.progress(small.job).job_state is JobState.ABORTED
    report = Audited(small).audit()
    assert failing(report) == set()
    assert "as the challenger said" in detail(report, "round 1", "matrix")


def test_a_matrix_of_no_vectors_that_nobody_refuted_is_an_alarm(tmp_path):
    report = Audited(refuted(tmp_path, by_nobody=True)).audit()
    assert ("round 1", "matrix") in failing(report)
    assert "no vectors have this matrix: x' G x < 0 for x = [" in detail(report, "round 1", "matrix")
