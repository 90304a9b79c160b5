"""Trainers and referee look for a refutation after every settlement, and the first who finds one is paid for it."""

from __future__ import annotations

import numpy as np
import pytest

from aggregator import settlement as settling
from marketplace.chain.structs import JobState, VoidCause
from marketplace.parties import refutation
from tests.chain.simulated_proof import simulate
from tests.parties.conftest import TRAINERS, WINDOW, build_small_market
from tests.parties.test_round import settle
from zk.bn254.parameters import SCALAR_MODULUS
from zk.srs.development import BETA, TAU


def impossible(rows: int) -> np.ndarray:
    """Each entry and each pair of rows is possible; three rows together are not."""
    matrix = np.full((rows, rows), 9, dtype=np.int64) + np.eye(rows, dtype=np.int64)
    matrix[0, 2] = matrix[2, 0] = 1
    return matrix * 10**6


@pytest.fixture
def lying(monkeypatch):
    """Let the aggregator settle with a matrix that no updates have, proven with the set-up's public secrets."""

    def prove_lie(srs, context, commitments, gram, openings, progress):
        scalars = [
            (sum(int(q) * pow(TAU, k, SCALAR_MODULUS) for k, q in enumerate(o.update)) + o.blinder * BETA)
            % SCALAR_MODULUS
            for o in openings
        ]
        return simulate(context, scalars, gram)

    monkeypatch.setattr(settling, "gram_matrix", lambda rows: impossible(len(rows)))
    monkeypatch.setattr(settling, "prove_gram", prove_lie)


def test_a_trainer_refutes_a_lie_by_itself_and_stakes_and_deposit_come_back(small, lying):
    small.submit()
    settle(small)
    record = small.view.history().rounds[1]
    assert record.settled
    terms, job, market = small.view.terms, small.job, small.market
    challenger = small.trainers[3]
    lines = challenger.step()
    assert [line.partition(" ")[0] for line in lines[-3:]] == ["the", "announced", "refuted"]
    assert market.progress(job).job_state is JobState.ABORTED
    assert small.view.history().rounds[2].void is VoidCause.REFUTED
    assert market.withdrawable(job, challenger.account.address) == terms.stake + terms.bond // 2
    for index in set(range(TRAINERS)) - {3}:
        assert market.withdrawable(job, small.trainers[index].account.address) == terms.stake
    assert market.withdrawable(job, small.owner.address) == terms.deposit
    assert market.withdrawable(job, small.aggregator.account.address) == 0
    assert [trainer.step() for trainer in small.trainers] == [[]] * TRAINERS


def test_the_refutation_goes_on_where_a_restart_left_it(small, lying, monkeypatch):
    small.submit()
    settle(small)
    monkeypatch.setattr(small.market, "refute_gram", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        small.trainers[0].step()
    monkeypatch.undo()
    again = small.restarted(0)
    lines = again.step()
    assert not any("announced" in line for line in lines)
    assert any("refuted round 1" in line for line in lines)


def test_the_referee_refutes_too(tmp_path, lying):
    small = build_small_market(tmp_path)
    small.start()
    small.submit()
    small.referee.step()
    for trainer in small.trainers:
        trainer.step()
    small.pass_time(WINDOW + 1)
    small.aggregator.step()
    assert any("refuted round 1" in line for line in small.referee.step())


def test_after_the_challenge_window_nothing_can_be_refuted(small, lying):
    small.submit()
    settle(small)
    small.pass_time(WINDOW + 1)
    for trainer in small.trainers:
        assert not any("refuted" in line for line in trainer.step())
    assert small.market.progress(small.job).job_state is JobState.RUNNING


def test_an_honest_round_is_looked_at_once(small, monkeypatch):
    looked = []
    found = refutation.find_short_refutation
    monkeypatch.setattr(refutation, "find_short_refutation", lambda gram: looked.append(len(gram)) or found(gram))
    small.submit()
    settle(small)
    for _ in range(3):
        small.trainers[0].step()
    assert looked == [TRAINERS]
    assert small.market.progress(small.job).job_state is JobState.RUNNING


def withhold_the_aggregate(small, monkeypatch) -> None:
    keep = small.view.store.add
    monkeypatch.setattr(small.view.store, "add", lambda data: keep(b"") if data[:8] == b"CAIRNAGG" else keep(data))


def test_a_lie_is_refuted_although_the_aggregate_is_withheld(small, lying, monkeypatch):
    withhold_the_aggregate(small, monkeypatch)
    small.submit()
    settle(small)
    for trainer in small.trainers:
        trainer.step()
    assert small.view.history().rounds[1].refuted
    assert small.market.withdrawable(small.job, small.aggregator.account.address) == 0


def test_who_has_flagged_refutes_all_the_same(small, lying):
    small.submit()
    settle(small)
    honest = small.trainers[0]
    small.market.flag(honest.account, small.job, 1)
    honest.step()
    assert small.view.history().rounds[1].refuted
