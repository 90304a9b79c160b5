import json
import random
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from benchmarks import gas, gram_gas
from benchmarks.contract_on_revm import calldata_cost
from benchmarks.gram_gas import HEADING, Row
from benchmarks.market_on_evm import BenchmarkError
from marketplace.cli import app

ROW = Row(trainers=8, calldata_bytes=1380, calldata_gas=20_000, execution_gas=250_000, gas=291_000, limit=330_000)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return gram_gas.run(sizes=(1, 8, 16))


def test_every_part_of_the_transaction_is_counted(rows):
    for row in rows:
        n = row.trainers
        assert row.gas == 21_000 + row.calldata_gas + row.execution_gas
        # Selector, context, three places and lengths; commitments, matrix and proof, the matrix filled to whole words.
        assert row.calldata_bytes == 4 + 32 * 7 + 64 * n + -(-4 * n * (n + 1) // 32) * 32 + 352
        # Three pairings; a multiplication and an addition for each commitment.
        assert row.execution_gas > 147_000 + 6_150 * (n + 5)


def test_the_dearest_matrix_has_hardly_a_zero_byte(rows):
    for row in rows:
        matrix = 4 * row.trainers * (row.trainers + 1)
        # The encoding itself has some three hundred zero bytes.
        assert row.calldata_gas > 16 * row.calldata_bytes - 12 * (320 + matrix // 32)


def test_the_goals_are_met(rows):
    found = gram_gas.goals(rows)
    assert [goal.limit for goal in found] == [330_000, 480_000]
    assert all(goal.met for goal in found)


def test_a_missed_goal_is_told():
    (goal,) = gram_gas.goals([replace(ROW, gas=330_001)])
    assert not goal.met
    assert "8" in goal.name


def test_calldata_is_charged_by_its_bytes():
    assert calldata_cost(b"\0\x01\xff\0") == 4 + 16 + 16 + 4


def test_the_floor_counts_where_execution_is_cheap():
    setup = gram_gas.make_setup(random.Random(0))
    verifier = gram_gas.deploy(setup.key)
    call = gram_gas.call_of(setup, 1, random.Random(0)) + b"\xff" * 20_000
    row = gram_gas.measure(verifier, call, 1)
    assert row.gas == 21_000 + row.calldata_gas * 10 // 4 > 21_000 + row.calldata_gas + row.execution_gas


def test_a_refused_proof_stops_the_benchmark():
    rng = random.Random(0)
    setup = gram_gas.make_setup(rng)
    verifier = gram_gas.deploy(setup.key)
    call = bytearray(gram_gas.call_of(setup, 1, rng))
    call[4] ^= 1
    with pytest.raises(BenchmarkError, match="1 vectors"):
        gram_gas.measure(verifier, bytes(call), 1)


def test_the_section_is_replaced_and_the_rest_of_the_page_stays(tmp_path):
    page, results = tmp_path / "gas.md", tmp_path / "gram-gas.json"
    page.write_text("# Gas\n\nThe market.\n")
    gram_gas.write([ROW], 0, results, page)
    once = page.read_text()
    assert once.startswith(f"# Gas\n\nThe market.\n\n{HEADING}\n")
    assert "| 8 | 1,380 | 20,000 | 250,000 | 291,000 | 330,000 |" in once
    gram_gas.write([ROW], 0, results, page)
    assert page.read_text() == once
    assert json.loads(results.read_text())["results"] == [vars(ROW)]


def test_the_markets_benchmark_keeps_the_section(tmp_path):
    page, results = tmp_path / "gas.md", tmp_path / "gas.json"
    figures = {row: {"8": 1000} for row in gas.ROWS}
    document = {"seed": 0, "results": {"limit": 1, "sizes": [8], "references": 4, "gas": figures, "rule": {}}}
    gas.write(document, results, page)
    alone = page.read_text()
    assert HEADING not in alone
    gram_gas.write([ROW], 0, tmp_path / "gram-gas.json", page)
    gas.write(document, results, page)
    assert page.read_text() == alone + "\n" + gram_gas.table([ROW])


@pytest.mark.parametrize(("limit", "status"), [(330_000, 0), (200_000, 1)])
def test_the_command_ends_with_1_if_a_goal_is_missed(limit, status, tmp_path, monkeypatch):
    monkeypatch.setattr(gram_gas, "run", lambda progress: [replace(ROW, limit=limit)])
    target = tmp_path / "gas.json"
    outcome = CliRunner().invoke(app, ["bench", "zk-gas", "--json", str(target)])
    assert outcome.exit_code == status
    assert f"gas at 8 vectors: 291,000, goal at most {limit:,}: {'MISSED' if status else 'met'}" in outcome.output
    assert json.loads(target.read_text())["results"][0]["gas"] == 291_000
