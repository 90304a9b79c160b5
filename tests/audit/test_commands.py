"""`cairn audit` and `cairn model`, as a user runs them, against a served chain."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from marketplace.chain.deployment import write_deployment
from marketplace.chain.devnet.server import serve_devnet
from marketplace.cli import app


@pytest.fixture(scope="module")
def url(plain):
    with serve_devnet(plain.market.w3.provider.ledger, port=0, heartbeat=None) as server:
        yield server.url


@pytest.fixture
def run(plain, url, tmp_path, monkeypatch):
    write_deployment(tmp_path / "deployment.json", plain.market.deployment)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAIRN_RPC", url)
    monkeypatch.setenv("CAIRN_DEPLOYMENT", str(tmp_path / "deployment.json"))
    monkeypatch.setenv("CAIRN_HOME", str(plain.small.workspace))
    monkeypatch.delenv("CAIRN_STORE", raising=False)

    def command(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return command


def test_a_job_that_holds_ends_with_0_and_says_first_what_is_trusted(run):
    result = run("audit", "job", 1)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "Audit of job 1"
    assert lines[2].startswith("This audit trusts one node, the node at 127.0.0.1")
    assert "Every check holds." in result.stdout
    assert "round 2" in result.stderr


def test_json_is_one_document_and_its_digest_is_the_one_that_is_shown(run):
    result = run("audit", "job", 1, "--json")
    document = json.loads(result.stdout)
    assert document["holds"] is True
    assert f"Digest {document['digest']}" in result.stderr


def test_a_pinned_hash_and_a_second_node(run, plain, url):
    result = run("audit", "job", 1, "--block-hash", "0x" + plain.head().hex(), "--rpc", url, "--rpc", url, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert document["trust"][0].startswith("The logs are bound to the block hash")
    assert [check["name"] for check in document["checks"][:2]] == ["logs", "the nodes agree"]


def test_a_check_that_fails_ends_with_1_without_a_stack_trace(run, plain):
    result = run("audit", "job", 1, "--block-hash", "0x" + "12" * 32)
    assert result.exit_code == 1
    assert "NOT every check holds." in result.stdout
    assert "Traceback" not in result.output


def test_the_page_is_written(run, tmp_path):
    assert run("audit", "round", 1, 2, "--reference", "--html", "audit.html").exit_code == 0
    assert (tmp_path / "audit.html").read_text().startswith("<!DOCTYPE html>")


def test_a_round_that_is_not_there_is_told(run):
    result = run("audit", "round", 1, 9)
    assert result.exit_code == 1
    assert "has no round 9" in result.stderr


def test_a_job_that_is_not_there_is_told(run):
    result = run("audit", "job", 99)
    assert result.exit_code == 1
    assert "job 99 begins with nothing" in result.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--block-hash", "0x12"], "0x and 64 hex digits"),
        (
            ["--rpc", "http://127.0.0.1:1", "--rpc", "http://127.0.0.1:1", "--rpc", "http://127.0.0.1:1"],
            "once or twice",
        ),
        (["--rpc", "http://127.0.0.1:1"], "No node answers"),
        (["--html", "no/such/directory/audit.html"], "name another file"),
    ],
)
def test_wrong_options_are_told(run, options, words):
    result = run("audit", "job", 1, *options)
    assert result.exit_code != 0
    assert words in " ".join(result.output.replace("│", " ").split())
    assert "Traceback" not in result.output


def test_a_model_is_exported_and_known_again(run, tmp_path):
    written = run("model", "export", 1, "--out", "trained")
    assert written.exit_code == 0, written.output
    checked = run("audit", "model", 1, "--file", "trained/model.safetensors")
    assert checked.exit_code == 0
    assert "bit for bit" in checked.stdout
    other = plain_bytes(tmp_path / "trained" / "model.safetensors")
    assert run("audit", "model", 1, "--file", other).exit_code == 1


def plain_bytes(path):
    changed = bytearray(path.read_bytes())
    changed[-2] ^= 1
    path.write_bytes(bytes(changed))
    return path


def test_a_model_that_can_not_be_checked_is_not_exported(run, tmp_path):
    result = run("model", "export", 1, "--out", "trained", "--store", tmp_path / "empty")
    assert result.exit_code == 1
    assert "is not written, because not every check of it holds" in result.stderr
    assert not (tmp_path / "trained").exists()
