"""`cairn index` on a served local chain."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys

import pytest

from tests.cli.conftest import answer, cairn, ok, refused

pytestmark = pytest.mark.usefixtures("job_file")


def test_an_index_is_made_shown_compared_and_made_again(running_job, tmp_path) -> None:
    job = running_job()
    job.settle(1)
    synced = answer("index", "sync")
    assert synced["block"] == job.market.w3.eth.block_number
    assert synced["events"] > 10
    assert answer("index", "sync")["events"] == 0
    status = answer("index", "status")
    assert status["block_hash"] == job.market.w3.eth.get_block(synced["block"])["hash"].to_0x_hex()
    assert status["alarm"] is None
    assert status["rows"]["jobs"] >= 1
    verified = answer("index", "verify")
    assert verified["same"]
    assert verified["sha256"] == answer("index", "dump")["sha256"]
    before = ok("index", "dump").stdout
    assert json.loads(before.splitlines()[0])["block"] == synced["block"]
    again = answer("index", "rebuild", "--trust-node", "--finality", 2)
    assert again["block"] == synced["block"]
    assert ok("index", "dump").stdout == before


def test_an_index_that_was_changed_is_told_from_the_chain(running_job, tmp_path) -> None:
    running_job()
    url = f"sqlite:///{tmp_path / 'index.sqlite'}"
    ok("index", "sync", "--database", url)
    with sqlite3.connect(tmp_path / "index.sqlite") as connection:
        connection.execute("UPDATE jobs SET owner = ? WHERE number = 1", ["0x" + "11" * 20])
    connection.close()
    result = cairn("index", "verify", "--database", url, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert not document["same"]
    assert "0x" + "11" * 20 in document["difference"]["index"]


def test_what_is_not_there_is_told() -> None:
    assert "cairn index sync" in refused("index", "status")
    assert "sqlite:///PATH" in refused("index", "sync", "--database", "mysql://x/y")
    assert "give --rpc once or twice" in refused("index", "sync", *(("--rpc", "http://127.0.0.1:1") * 3))


def test_two_nodes_that_agree_are_followed(server, running_job) -> None:
    running_job()
    assert answer("index", "sync", "--rpc", server.url, "--rpc", server.url)["block"] > 0


def test_following_ends_when_it_is_told_to(running_job) -> None:
    running_job()
    process = subprocess.Popen(
        [sys.executable, "-c", "from marketplace.cli import main; main()", "index", "sync", "--follow", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if "events" in line:
            break
    process.terminate()
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(stdout)["events"] > 0
