"""`cairn doctor` against a chain: everything fine, and one thing wrong after the other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from marketplace.chain.deployment import write_deployment
from marketplace.chain.market import Market
from tests.cli.conftest import answer, cairn


def findings(*arguments: object) -> dict[str, dict[str, str]]:
    result = cairn("doctor", "--json", *arguments)
    told = json.loads(result.stdout)
    assert result.exit_code == (1 if told["failed"] else 0), result.output
    assert all(finding["fix"] for finding in told["findings"] if finding["status"] != "fine")
    return {finding["check"]: finding for finding in told["findings"]}


def test_a_machine_that_is_ready(passphrase: Path) -> None:
    answer("key", "new", "hub", "--passphrase-file", passphrase, "--fund")
    found = findings("--key", "hub")
    # The tests' chain stands still at a day of its own.
    fine = {check for check, finding in found.items() if finding["status"] == "fine"}
    assert fine >= {
        "versions",
        "content store",
        "key",
        "deployment file",
        "node",
        "reference string",
        "market",
        "balance",
    }
    assert "checks, 0 failed" in cairn("doctor", "--key", "hub").stdout


def test_no_key_is_a_warning() -> None:
    assert findings()["key"]["status"] == "warning"


def test_a_node_that_is_gone(passphrase: Path) -> None:
    found = findings("--rpc", "http://127.0.0.1:9")
    assert (found["node"]["status"], found["node"]["code"]) == ("failed", "E0102")
    assert "market" not in found


def test_a_deployment_of_another_chain(tmp_path: Path, deployed: Market) -> None:
    other = tmp_path / "other.json"
    write_deployment(other, replace(deployed.deployment, chain_id=1_337))
    assert findings("--deployment", other)["market"]["code"] == "E0104"


def test_a_key_that_is_not_there() -> None:
    assert findings("--key", "nobody")["key"]["code"] == "E0005"


def test_an_account_without_coins(passphrase: Path) -> None:
    made = answer("key", "new", "poor", "--passphrase-file", passphrase)
    found = findings("--key", "poor")["balance"]
    assert found["status"] == "failed"
    assert made["address"] in found["fix"]


def test_a_reference_string_that_is_not_here(tmp_path: Path, deployed: Market) -> None:
    other = tmp_path / "other.json"
    write_deployment(other, replace(deployed.deployment, srs="0x" + "11" * 32))
    assert findings("--deployment", other)["reference string"]["code"] == "E0810"
