"""A submitter flags a round from the command line, with a reason or in spite of there being none."""

from __future__ import annotations

from collections.abc import Callable

from marketplace.chain.structs import JobState
from tests.cli.conftest import FIRST_TRAINER, TRAINERS, RunningJob, answer, cairn, refused


def test_a_round_that_published_nothing_is_flagged_by_a_majority(running_job: Callable[[], RunningJob]) -> None:
    job = running_job()
    assert "Round 1 of job" in refused("round", "flag", job.number, 1, "--dev-account", FIRST_TRAINER)
    job.settle(1)
    for place in range(3):
        told = answer("round", "flag", job.number, 1, "--dev-account", FIRST_TRAINER + place)
        assert "is not in" in told["fault"]
        assert (told["flags"], told["submitters"], told["ended"]) == (place + 1, TRAINERS, place == 2)
    assert job.market.progress(job.number).job_state is JobState.ABORTED


def test_a_flag_out_of_time_or_of_a_stranger_is_refused(running_job: Callable[[], RunningJob]) -> None:
    job = running_job()
    job.settle(1)
    stranger = cairn("round", "flag", job.number, 1, "--dev-account", 0)
    assert stranger.exit_code == 1
    assert "cairn: The contract refused `flag`" in stranger.stderr
    assert "did not submit in round 1" in stranger.stderr
    job.ledger.clock.advance(6)
    late = cairn("round", "flag", job.number, 1, "--dev-account", FIRST_TRAINER)
    assert late.exit_code == 1
    assert "cairn: The contract refused `flag`" in late.stderr
    assert job.market.seats(job.number).flags == 0


def test_an_honest_matrix_is_not_refuted(running_job: Callable[[], RunningJob]) -> None:
    job = running_job()
    assert "No settled round" in refused("round", "refute", job.number, "--dev-account", 0)
    job.settle(1)
    told = answer("round", "refute", job.number, "--dry-run")
    assert told == {"job": job.number, "round": 1, "refuted": False, "certificate": None}
    job.ledger.clock.advance(6)
    job.market.w3.provider.make_request("evm_mine", [])
    assert "challenge window is over" in refused("round", "refute", job.number, "--dev-account", 0)
