"""The soak's own parts do what they say, and a small soak loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from marketplace.chain.connect import connect
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.server import serve_devnet
from marketplace.chain.errors import NotANodeError, UnreachableNodeError
from marketplace.errors import StorageError
from marketplace.storage.directory import DirectoryStore
from marketplace.storage.http import Patience
from marketplace.storage.locations import open_location
from tests.soak.network import EVERYBODY, HONEST, start_network
from tests.soak.plan import TRAINER_NAMES, Fate, OutageKind, Trouble, draw_plan

IMPATIENT = Patience(silence_seconds=0.5, attempts=1)


def test_a_seed_draws_one_plan_with_everything_in_it():
    plan = draw_plan(1, 20, 14, 3600.0)
    assert plan == draw_plan(1, 20, 14, 3600.0)
    assert plan != draw_plan(2, 20, 14, 3600.0)
    faults = [fault for job in plan.jobs for fault in job.faults]
    assert {fault.trouble for fault in faults} == set(Trouble)
    assert {fault.kind for fault in faults} == {None, *OutageKind}
    assert {outage.kind for outage in plan.outages} == set(OutageKind)
    assert all(1 <= outage.seconds <= 60 for outage in plan.outages)
    assert Counter(job.fate for job in plan.jobs) == {
        Fate.ORDINARY: 12,
        Fate.AGGREGATOR_NEVER_COMES: 1,
        Fate.AGGREGATOR_DESERTS: 2,
        Fate.TRAINER_DESERTS: 2,
        Fate.TRAINER_LEAVES: 1,
        Fate.OWNER_ABORTS: 2,
    }
    assert {job.fate_trainer for job in plan.jobs} <= set(TRAINER_NAMES)


@pytest.fixture
def network(tmp_path):
    with serve_devnet(Ledger(), port=0, heartbeat=None) as server:
        started, process = start_network(server.url, [tmp_path / "one", tmp_path / "two"], seed=1)
        yield started
        process.end()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (OutageKind.REFUSED, UnreachableNodeError),
        (OutageKind.SILENT, UnreachableNodeError),
        (OutageKind.OVERLOADED, UnreachableNodeError),
        (OutageKind.NONSENSE, NotANodeError),
    ],
)
def test_who_is_cut_off_hears_nothing_of_the_chain_and_the_others_do(network, kind, error):
    assert connect(network.node("trainer-1")).eth.block_number == 0
    network.cut_off("trainer-1", kind, 1.0)
    with pytest.raises(error):
        connect(network.node("trainer-1"))
    assert connect(network.node("trainer-2")).eth.block_number == 0
    network.cut_off("trainer-1", kind, 0.0)
    network.cut_off(EVERYBODY, kind, 1.0)
    with pytest.raises(error):
        connect(network.node("trainer-2"))
    assert connect(network.node(HONEST)).eth.block_number == 0


def test_the_gateway_serves_what_anybody_published_and_now_and_then_does_not(network, tmp_path):
    contents = {DirectoryStore(tmp_path / name).add(name.encode()): name.encode() for name in ("one", "two")}
    honest, trainer = (open_location(network.gateway(party), IMPATIENT) for party in (HONEST, "trainer-1"))
    failed = 0
    for _ in range(100):
        for cid, content in contents.items():
            assert honest.get(cid, 100) == content
            try:
                assert trainer.get(cid, 100) == content
            except StorageError:
                failed += 1
    counts = network.counts()
    misdeeds = [counts[f"the gateway {deed}"] for deed in ("lied", "sent half", "stalled", "answered 503")]
    assert min(misdeeds) > 0
    # A client asks again by itself where a connection that it has used before is closed.
    assert 0 < failed <= sum(misdeeds)


@pytest.mark.slow
@pytest.mark.skipif("not os.environ.get('CAIRN_DEEP')", reason="takes minutes, most of which pass in waiting")
def test_a_small_soak_loses_nothing(tmp_path):
    page = tmp_path / "soak.md"
    command = [sys.executable, "-m", "tests.soak.run", "--seed", "3", "--jobs", "1", "--rounds", "2"]
    ended = subprocess.run(
        [*command, "--page", str(page)], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False
    )
    if ended.returncode == 2 and not os.environ.get("CI"):
        pytest.skip(ended.stderr)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    report = json.loads(ended.stdout)
    assert report["faults"] == []
    assert [job["state"] for job in report["jobs_ended"]] == ["completed"]
    assert report["rounds_ended"] == 2
    assert report["money_wei"]["left"] == 0
    assert sum(report["troubles"].values()) > 0
    assert report["jobs_ended"][0]["audit"]["holds"] > 20
    assert "Every job ended (1 completed, 0 aborted) after 2 rounds in all." in page.read_text()
