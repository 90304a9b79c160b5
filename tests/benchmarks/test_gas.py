import json
import random

import pytest

from benchmarks import gas, gas_jobs, rule_gas
from benchmarks.gas_jobs import GasJob, Shape, usual_gram, worst_gram
from benchmarks.market_on_evm import GAS_LIMIT, BenchmarkError, deploy_market
from benchmarks.published_gas import PUBLISHED
from contribution.gram import check_gram, unpack_gram
from marketplace.job.limits import MAX_REFERENCES, MAX_TRAINERS

DOCUMENT = {
    "machine": {},
    "versions": {},
    "seed": 0,
    "results": {
        "limit": GAS_LIMIT,
        "sizes": [16],
        "references": 4,
        "gas": {row: {"16": 1000} for row in gas.ROWS},
        "rule": {"16": {"matrices": 60, "usual": 1000, "worst": 1000, "dearest": "calm"}},
    },
}


def changed(row: str, figure: int) -> dict:
    figures = {**DOCUMENT["results"]["gas"], row: {"16": figure}}
    return {**DOCUMENT, "results": {**DOCUMENT["results"], "gas": figures}}


@pytest.mark.slow
def test_every_row_is_measured_and_fits_into_a_transaction():
    figures = gas.measure(8, random.Random(0))
    assert list(figures) == list(gas.ROWS)
    assert all(21_000 < used < GAS_LIMIT for used in figures.values())


@pytest.mark.slow
def test_the_worst_matrix_strikes_out_all_that_are_kept_but_one():
    shape = Shape(trainers=8, references=4, tolerated=1)
    job = GasJob(deploy_market(), shape)
    job.begin()
    job.submit()
    job.close()
    job.settle(worst_gram(shape, random.Random(0)))
    out = 4
    statuses = [job.market.ask("trainerOf", [job.number, trainer])[0][6] for trainer in job.trainers]
    kept = shape.trainers - shape.tolerated
    assert statuses.count(out) == kept - 1


def test_a_refused_call_stops_the_benchmark():
    job = GasJob(deploy_market(), Shape(trainers=8, references=0, tolerated=1))
    job.create()
    with pytest.raises(BenchmarkError, match="refused"):
        job.start()


def test_the_usual_matrix_pays_everybody_who_is_kept():
    shape = Shape(trainers=8, references=1, tolerated=1)
    job = GasJob(deploy_market(), shape)
    job.begin()
    job.submit()
    job.close()
    job.settle(usual_gram(shape, random.Random(0)))
    pending = [job.market.ask("trainerOf", [job.number, trainer])[0][1] for trainer in job.trainers]
    assert sum(pay > 0 for pay in pending) == shape.trainers - shape.tolerated


def test_a_settlement_with_another_proof_is_refused(monkeypatch):
    """So what is measured is the gas of a verified proof."""
    real = gas_jobs.simulate_proof
    monkeypatch.setattr(gas_jobs, "simulate_proof", lambda context, *rest: real(bytes(32), *rest))
    shape = Shape(trainers=8, references=1, tolerated=1)
    job = GasJob(deploy_market(), shape)
    job.begin()
    job.submit()
    job.close()
    with pytest.raises(BenchmarkError, match="refused"):
        job.settle(usual_gram(shape, random.Random(0)))


def test_matrices_have_the_packed_length_and_entries_in_range():
    for make in (usual_gram, worst_gram):
        shape = Shape(trainers=8, references=4, tolerated=1)
        packed = make(shape, random.Random(0))
        assert len(packed) == 4 * 12 * 13
        check_gram(unpack_gram(packed, 12), gas_jobs.DIMENSION, gas_jobs.COORDINATE_BITS)


def test_what_exceeds_a_transaction_is_named():
    assert gas.over_limit(DOCUMENT) == []
    (fault,) = gas.over_limit(changed("burn", GAS_LIMIT + 1))
    assert "burn" in fault
    assert str(GAS_LIMIT) in fault


def test_goals_are_judged_by_the_later_settlement_and_what_the_first_adds():
    assert all(goal.met for goal in gas.goals(DOCUMENT))
    limit = gas.SETTLE_LIMITS[16]
    assert all(goal.met for goal in gas.goals(changed("settle later", limit)))
    assert [goal.met for goal in gas.settlement_goals(changed("settle later", limit + 1))] == [False, True]
    first = 1000 + 16 * gas.FIRST_LIMIT
    assert all(goal.met for goal in gas.goals(changed("settle first", first)))
    assert [goal.met for goal in gas.settlement_goals(changed("settle first", first + 16))] == [True, False]


def test_the_page_has_a_line_for_every_row():
    page = gas.table(DOCUMENT)
    assert all(title in page for title in gas.ROWS.values())
    assert all(goal.name in page for goal in gas.settlement_goals(DOCUMENT))
    assert rule_gas.HEADING in page
    assert all(system in page for system, _, _ in PUBLISHED)


def test_the_committed_figures_fit_into_a_transaction():
    """With as many trainers as a job may have, and as many vectors of its referee."""
    committed = json.loads(gas.RESULTS.read_text("utf-8"))
    assert committed["results"]["sizes"][-1] == MAX_TRAINERS
    assert committed["results"]["references"] == MAX_REFERENCES
    assert gas.over_limit(committed) == []
    assert all(goal.met for goal in gas.goals(committed))
