"""Parties that are killed anywhere and started again: the job ends as it does without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.plan import AGGREGATOR, REFEREE, SENT, draw_plan

SEED = 1
KILLS = 100 if os.environ.get("CAIRN_DEEP") else 12
STEPS = {
    AGGREGATOR: {"accept", "fetch", "open", "check", "score", "prove", "store", "keep", "settle", "write the model"},
    REFEREE: {"check the model", "compute", "commit", "keep", "submit", "deliver"},
    "trainer": {"join", "check the model", "compute", "commit", "keep", "submit", "deliver"},
}


@pytest.mark.slow
def test_a_job_whose_parties_are_killed_ends_as_the_calm_one() -> None:
    """Same settled rounds, selection, matrices, weights, scores, payouts and model; everything took effect once.

    What it prints when it fails names the seed, and each kill's party and step; the same seed kills at the same places.
    """
    command = [sys.executable, "-m", "tests.crash.run", "--kills", str(KILLS), "--seed", str(SEED)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    report = json.loads(ended.stdout)
    assert (report["kills"], report["unfired"], report["differing"]) == (KILLS, [], [])
    assert report["transactions"]["settle"] == report["rounds"] == 5


@pytest.mark.parametrize("seed", range(20))
def test_a_hundred_kills_cover_every_step_of_every_party_three_times(seed: int) -> None:
    kills = draw_plan(seed, 100)
    assert len(kills) == 100
    covered = Counter((kill.party.split("-")[0], kill.step) for kill in kills)
    assert all(covered[party, step] >= 3 for party, steps in STEPS.items() for step in steps)
    between = Counter(kill.party.split("-")[0] for kill in kills if kill.when == SENT)
    assert all(between[party] >= 3 for party in STEPS)
