import random

import pytest

from benchmarks import gas
from benchmarks.gas_jobs import GasJob, Shape, usual_gram, worst_gram
from benchmarks.market_on_evm import GAS_LIMIT, BenchmarkError, deploy_market

DOCUMENT = {
    "machine": {},
    "versions": {},
    "seed": 0,
    "results": {"limit": GAS_LIMIT, "sizes": [8], "references": 4, "gas": {row: {"8": 1000} for row in gas.ROWS}},
}


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


def test_matrices_have_the_packed_length_and_entries_in_range():
    for make in (usual_gram, worst_gram):
        shape = Shape(trainers=8, references=4, tolerated=1)
        packed = make(shape, random.Random(0))
        assert len(packed) == 4 * 12 * 13
        assert int.from_bytes(packed[:8], "big", signed=True) > 0


def test_what_exceeds_a_transaction_is_named():
    assert gas.over_limit(DOCUMENT) == []
    figures = {**DOCUMENT["results"]["gas"], "burn": {"8": GAS_LIMIT + 1}}
    over = {**DOCUMENT, "results": {**DOCUMENT["results"], "gas": figures}}
    (fault,) = gas.over_limit(over)
    assert "burn" in fault
    assert str(GAS_LIMIT) in fault


def test_the_page_has_a_line_for_every_row():
    page = gas.table(DOCUMENT)
    assert all(title in page for title in gas.ROWS.values())
