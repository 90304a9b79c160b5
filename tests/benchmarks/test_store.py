"""The benchmark of content stores: what it measures, and that its goals were met."""

from __future__ import annotations

import json

from benchmarks import store
from benchmarks.environment import RESULTS
from marketplace.storage.directory import DirectoryStore


def test_the_largest_updates_are_opened_within_the_stated_memory(monkeypatch, tmp_path):
    """Two of full size, in a process of its own; more of them need no more, because each is let go of."""
    monkeypatch.setattr(store, "UPDATES", 2)
    row = store.measure(f"dir:{tmp_path}", 1, lambda words: None)
    assert row["store"] == "embedded"
    assert row["updates"] == 2
    assert row["seconds"] > 0
    assert 2 < row["peak_above_idle_mib"] <= store.MEMORY_LIMIT_MIB
    assert DirectoryStore(tmp_path).pins() == []


def test_a_missed_goal_is_seen():
    good = {"store": "embedded", "updates": 16, "seconds": 4.9, "peak_above_idle_mib": 7.9}
    assert all(goal.met for goal in store.goals([good]))
    assert [goal.met for goal in store.goals([good | {"seconds": 5.1}])] == [False, True]
    assert [goal.met for goal in store.goals([good, good | {"peak_above_idle_mib": 8.1}])] == [True, True, True, False]


def test_the_committed_results_are_of_both_stores_and_meet_the_goals():
    document = json.loads((RESULTS / "store.json").read_text("utf-8"))
    assert [row["store"] for row in document["results"]] == ["embedded", "node"]
    assert all(goal.met for goal in store.goals(document["results"]))
