"""The accuracy that a page shows is that of the job's models on the samples that were given, and of no other."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from typer.testing import CliRunner

from marketplace.cli import app as commands
from marketplace.parties.view import JobView
from marketplace.training.errors import DataError
from marketplace.training.evaluate import evaluate
from marketplace.training.models import set_vector
from tests.parties.conftest import held_out
from tests.webapp.seed import Seeded
from tests.webapp.test_public_pages import text_of
from webapp.accuracy.measuring import Measurer
from webapp.accuracy.records import Accuracy, Samples, accuracies_of, counts, keep_accuracy
from webapp.live.stream import _looking
from webapp.presentation.plots import Point, line_plot
from webapp.site import site

JOB = 1


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    data = held_out()
    np.savez(tmp_path / "held-out.npz", x=data.x, y=data.y)
    return tmp_path / "held-out.npz"


@pytest.fixture
def measurer(app: Flask, seeded: Seeded, samples: Path) -> Measurer:
    old = seeded.jobs["completed"].view
    assert old.job == JOB
    with app.app_context():
        return Measurer(JobView(old.market, old.store, JOB, old.srs_directory), samples, site().state)


def test_each_settled_round_is_measured_once(measurer: Measurer, samples: Path) -> None:
    found = measurer.step()
    view, data = measurer.view, held_out()
    model = view.document.build_model()
    assert [each.round for each in found] == [1, 2, 3]
    for each in found:
        set_vector(model, view.model_after(each.round))
        expected = evaluate(model, data)
        assert (each.accuracy, each.loss) == (expected.accuracy, expected.loss)
        assert each.model_commitment == view.history().rounds[each.round].model_commitment
        assert each.samples == Samples(30, hashlib.sha256(samples.read_bytes()).hexdigest())
    assert accuracies_of(measurer.state, view.market.deployment, JOB) == tuple(found)
    assert measurer.step() == []
    assert counts(measurer.state, view.market.deployment) == {JOB: (3, 3)}


def test_other_samples_replace_what_was_measured(measurer: Measurer, samples: Path) -> None:
    before = measurer.step()
    data = held_out()
    np.savez(samples, x=data.x[:20], y=data.y[:20])
    again = Measurer(measurer.view, samples, measurer.state).step()
    assert [each.samples.count for each in again] == [20] * len(before)
    assert accuracies_of(measurer.state, measurer.view.market.deployment, JOB) == tuple(again)


def test_samples_of_another_kind_measure_nothing(measurer: Measurer, samples: Path) -> None:
    np.savez(samples, x=np.zeros((3, 99)), y=np.arange(3))
    with pytest.raises(DataError, match="99"):
        measurer.step()
    samples.unlink()
    with pytest.raises(DataError, match="held-out"):
        measurer.step()
    assert accuracies_of(measurer.state, measurer.view.market.deployment, JOB) == ()


def test_a_page_shows_what_was_measured_and_nothing_else(client: FlaskClient, measurer: Measurer) -> None:
    assert "Not measured here" in client.get(f"/jobs/{JOB}").text
    found = measurer.step()
    page = client.get(f"/jobs/{JOB}").text
    last = f"After round 3 it classifies {100 * found[-1].accuracy:.1f} % of 30 held-out samples rightly."
    assert last in text_of(page)
    start = page.index('class="drawing"')
    drawing = page[start : page.index("</svg>", start)]
    assert drawing.count("<circle") == 3
    assert "style" not in drawing
    assert "script" not in drawing
    # Of a model that the chain has not, nothing is shown.
    for each in found:
        other = replace(each, model_commitment=bytes(64))
        keep_accuracy(measurer.state, measurer.view.market.deployment, JOB, other)
    assert "Not measured here" in client.get(f"/jobs/{JOB}").text


def test_what_was_measured_of_another_market_stays_there(client: FlaskClient, measurer: Measurer) -> None:
    where = replace(measurer.view.market.deployment, chain_id=5)
    keep_accuracy(measurer.state, where, JOB, Accuracy(1, bytes(64), 0.5, 1.0, Samples(30, "0" * 64)))
    assert accuracies_of(measurer.state, measurer.view.market.deployment, JOB) == ()
    assert counts(measurer.state, measurer.view.market.deployment) == {}


def test_pages_hear_of_what_was_measured(app: Flask, measurer: Measurer) -> None:
    with app.app_context():
        look = _looking(site())
    before = look(look(None))
    assert before.jobs == frozenset()
    measurer.step()
    after = look(before)
    assert after.jobs == frozenset({JOB})
    assert after.place != before.place
    assert after.measured == {JOB: (3, 3)}
    assert look(after).jobs == frozenset()


def test_a_plot_escapes_words_and_thins_its_labels() -> None:
    points = [Point(number, 50 + number % 7, f'<b>"{number}"') for number in range(3, 103)]
    drawing = line_plot(points, '"><script>')
    assert "<b>" not in drawing
    assert "<script" not in drawing
    assert drawing.count("<circle") == 100
    labels = [number for number in range(3, 103) if f">{number}</text>" in drawing]
    assert 10 <= len(labels) <= 30
    alone = line_plot([Point(1, 97.5, "one")], "one")
    assert alone.count("<circle") == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["7"], "not '7'"),
        (["x=held-out.npz"], "not 'x=held-out.npz'"),
        (["7="], "not '7='"),
        (["7=missing.npz"], "no file missing.npz"),
        (["7=pyproject.toml", "07=pyproject.toml"], "job 7 twice"),
    ],
)
def test_wrong_names_of_samples_are_refused_before_anything_starts(
    given: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    answer = CliRunner().invoke(commands, ["web", *(word for each in given for word in ("--held-out", each))])
    assert answer.exit_code != 0
    assert said in " ".join((answer.output + str(answer.exception)).split())
