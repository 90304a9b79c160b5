"""The matrix that a page shows is the settled one, and of a large one those who matter."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from flask.testing import FlaskClient

from contribution.gram import pack_gram
from contribution.rules import DEFAULT_RULE, RULES
from tests.webapp.seed import Seeded
from webapp.presentation.matrix import MOST_SHOWN, SHADES, ShownMatrix, shown_matrix


def shown(updates: np.ndarray, references: int, tolerated: int = 1) -> tuple[ShownMatrix, np.ndarray]:
    gram = (updates @ updates.T).astype(np.int64)
    count = len(updates) - references
    outcome = RULES[DEFAULT_RULE](gram, count, references, tolerated)
    accounts = [f"0x{place:040x}" for place in range(count)]
    names = [f"trainer {place + 1}" for place in range(count)]
    return shown_matrix(DEFAULT_RULE, pack_gram(gram), accounts, names, tolerated, outcome.weights), gram


def round_of(count: int, seed: int) -> np.ndarray:
    """Updates that agree but for one that points the other way, and the referee's vectors."""
    draws = np.random.default_rng(seed)
    direction = draws.integers(-900, 900, 300)
    updates = direction + draws.integers(-600, 600, (count, 300))
    updates[count // 2] = -updates[count // 2]
    # Curvature so small that only gains decide.
    return np.vstack([updates, direction, draws.integers(-2, 3, (2, 300))])


@pytest.mark.parametrize("seed", range(3))
def test_cosines_are_those_of_the_matrix(seed: int) -> None:
    updates = round_of(6, seed)
    updates[1] = 0
    matrix, gram = shown(updates, 3)
    assert matrix.places == tuple(range(6))
    assert matrix.cosines.shape == (7, 7)
    for i, row in enumerate(matrix.cosines):
        for j, cosine in enumerate(row):
            norms = sqrt(int(gram[i, i])) * sqrt(int(gram[j, j]))
            assert cosine == pytest.approx(int(gram[i, j]) / norms if norms else 0.0, abs=1e-12)
            shade, written = round(cosine * SHADES), f"{cosine:.2f}".replace("-", "\N{MINUS SIGN}")
            style = f"shade-minus{-shade}" if shade < 0 else f"shade{shade}"
            assert matrix.rows[i].split("</td>")[j] == f'<td class="{style}">{written}'
    assert matrix.outlier == 3
    assert matrix.sentences is not None


def test_of_many_those_are_shown_who_matter() -> None:
    matrix, gram = shown(round_of(128, 1), 3)
    assert len(matrix.accounts) == len(matrix.sentences or ()) == 128
    assert len(matrix.places) == MOST_SHOWN
    assert matrix.outlier == 64
    assert 64 in matrix.places
    norms = np.sqrt(np.diagonal(gram).astype(float))[:128]
    likeness = (gram[:128, :128] / np.outer(norms, norms)).sum(axis=1)
    left_out = [place for place in range(128) if place not in matrix.places]
    assert max(likeness[list(matrix.places)]) <= min(likeness[left_out])
    assert matrix.cosines.shape == (MOST_SHOWN + 1, MOST_SHOWN + 1)
    assert matrix.shown == [matrix.accounts[place] for place in matrix.places]


def test_another_rules_decision_is_not_explained() -> None:
    updates = round_of(6, 0)
    gram = (updates @ updates.T).astype(np.int64)
    accounts, names = [f"0x{place:040x}" for place in range(6)], [f"trainer {place}" for place in range(6)]
    matrix = shown_matrix(DEFAULT_RULE, pack_gram(gram), accounts, names, 1, (65_536, 0, 0, 0, 0, 0))
    assert matrix.sentences is None


def test_a_large_jobs_page_leaves_the_reasons_to_the_rounds(
    client: FlaskClient, seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = seeded.jobs["completed"].job
    assert "in brackets what each did in all jobs" in client.get(f"/jobs/{job}").text
    monkeypatch.setattr("webapp.public.job.MOST_SHOWN", 3)
    monkeypatch.setattr("webapp.public.job.SHOWN_ROUNDS_OF_MANY", 2)
    page = client.get(f"/jobs/{job}", headers={"Cache-Control": "no-cache"}).text
    assert f'href="/jobs/{job}/rounds/3#matrix">What the rule made of each trainer</a>' in page
    assert "stands out most" in page
    assert "what each did in all jobs of this market stands on its own page" in page
    assert "no gain" not in page
    assert "The rule computed here" not in page
    assert f"/jobs/{job}/rounds/2" in page
    assert f"/jobs/{job}/rounds/1" not in page
    assert "no gain" in client.get(f"/jobs/{job}/rounds/3").text
