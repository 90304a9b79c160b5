"""A deployment file is read only if it is exactly what was written, and believed only if the chain agrees."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contribution.rules import RULES
from marketplace.chain.artifacts import load_artifact
from marketplace.chain.deployment import (
    Deployment,
    check_deployment,
    deploy,
    deployment_text,
    parse_deployment,
    read_deployment,
    write_deployment,
)
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.errors import DeploymentError, InsecureSetupError, WrongChainError
from zk.srs.development import development_key

if TYPE_CHECKING:
    from tests.chain.conftest import Chain

START = 1_767_225_600
KEY = development_key()
SAMPLE = Deployment(
    chain_id=31337,
    market=dev_account(1).address,
    rules={"multi-krum-shapley-1": dev_account(2).address},
    verifier=dev_account(3).address,
    srs="0x" + "ef" * 32,
    token=None,
    block=3,
    market_code_hash="0x" + "ab" * 32,
    artifact_digest="0x" + "cd" * 32,
)


def test_deployed_market_checks_out(chain: Chain) -> None:
    deployment = deploy(chain.w3, dev_account(0), KEY)
    check_deployment(chain.w3, deployment)
    assert deployment.chain_id == 31337
    assert deployment.block == chain.w3.eth.block_number
    assert load_artifact("TrainingMarket").matches(bytes(chain.w3.eth.get_code(deployment.market)))
    assert set(deployment.rules) == set(RULES)
    assert deployment.artifact_digest == "0x" + load_artifact("TrainingMarket").digest().hex()


def test_public_secrets_are_refused_on_other_chains_before_anything_is_sent() -> None:
    w3 = connect_in_process(Ledger(Clock(START), chain_id=5))
    with pytest.raises(InsecureSetupError, match=r"works on local chains only .* and this is chain 5"):
        deploy(w3, dev_account(0), KEY)
    assert w3.eth.get_transaction_count(dev_account(0).address) == 0


@pytest.mark.parametrize("chain_id", [1337, 31337, 131277322940537])
def test_public_secrets_are_accepted_on_local_chains(chain_id: int) -> None:
    w3 = connect_in_process(Ledger(Clock(START), chain_id=chain_id))
    assert deploy(w3, dev_account(0), KEY).chain_id == chain_id


def test_deployment_that_does_not_fit_the_chain_is_refused() -> None:
    w3 = connect_in_process(Ledger(Clock(START)))
    deployment, second = deploy(w3, dev_account(0), KEY), deploy(w3, dev_account(0), KEY)
    check_deployment(w3, deployment)
    nobody = dev_account(9).address
    for field, value, error, message in (
        ("chain_id", 1, WrongChainError, "chain with id 31337, the market is on chain 1"),
        ("market", nobody, DeploymentError, f"no contract at {nobody}, the market"),
        ("verifier", nobody, DeploymentError, f"no contract at {nobody}, the verifier"),
        ("token", nobody, DeploymentError, f"no contract at {nobody}, the token"),
        ("rules", {"odd": nobody}, DeploymentError, f"no contract at {nobody}, the rule odd"),
        ("market", deployment.verifier, DeploymentError, "it is another contract"),
        ("artifact_digest", "0x" + "00" * 32, DeploymentError, "install the version of Cairn"),
        ("verifier", deployment.market, DeploymentError, "is not the GramVerifier of this installation"),
        ("verifier", second.verifier, DeploymentError, "the market's verifier on the chain is"),
        ("rules", second.rules, DeploymentError, "the market's rules on the chain is"),
        ("srs", "0x" + "00" * 32, DeploymentError, "the market's structured reference string on the chain is"),
    ):
        with pytest.raises(error, match=message):
            check_deployment(w3, replace(deployment, **{field: value}))


def test_file_brings_the_deployment_back(tmp_path: Path) -> None:
    file = tmp_path / "deployment.json"
    write_deployment(file, SAMPLE)
    assert read_deployment(file) == SAMPLE
    write_deployment(file, replace(SAMPLE, token=dev_account(4).address, block=9))
    assert read_deployment(file) == replace(SAMPLE, token=dev_account(4).address, block=9)
    assert [entry.name for entry in tmp_path.iterdir()] == ["deployment.json"]


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match=r"can't read the deployment file .* \(No such file"):
        read_deployment(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("chain_id", "31337", 'chain_id is "31337" and must be a number'),
        ("chain_id", -1, "must be a number"),
        ("chain_id", True, "must be a number"),
        ("chain_id", 1.0, "must be a number"),
        ("market", SAMPLE.market.lower(), "market is .* and must be an address with checksum"),
        ("market", None, "must be an address"),
        ("market", SAMPLE.market[:-1], "must be an address"),
        ("rules", {}, "at least one rule"),
        ("rules", [], "at least one rule"),
        ("rules", {"": SAMPLE.market}, "at least one rule"),
        ("rules", {"rule": 5}, "at least one rule"),
        ("verifier", 7, "must be an address"),
        ("srs", "0x" + "AB" * 32, "64 hex digits"),
        ("token", "", "or null"),
        ("block", None, "must be a number"),
        ("market_code_hash", "0x" + "AB" * 32, "64 hex digits"),
        ("artifact_digest", "ab" * 32, "64 hex digits"),
        ("format", "cairn-deployment-1", "does not say that its format is cairn-deployment-2"),
        ("extra", 1, "missing or unknown: extra"),
    ],
)
def test_field_that_does_not_fit_is_refused(field: str, value: object, message: str) -> None:
    content = {**json.loads(deployment_text(SAMPLE)), field: value}
    with pytest.raises(DeploymentError, match=message):
        parse_deployment((json.dumps(content, indent=2, sort_keys=True) + "\n").encode())


def test_missing_field_is_named(tmp_path: Path) -> None:
    content = json.loads(deployment_text(SAMPLE))
    del content["verifier"]
    file = tmp_path / "deployment.json"
    file.write_text(json.dumps(content))
    with pytest.raises(DeploymentError, match=r"deployment\.json is no deployment file: .* unknown: verifier"):
        read_deployment(file)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 50_000,
        b"{" + b" " * 70_000,
        deployment_text(SAMPLE).encode() + b"\n",
        deployment_text(SAMPLE).encode()[:-1],
        deployment_text(SAMPLE).replace('"block": 3', '"block": 3, "block": 3').encode(),
        json.dumps(json.loads(deployment_text(SAMPLE))).encode(),
    ],
)
def test_bytes_that_are_not_the_canonical_text_are_refused(content: bytes) -> None:
    with pytest.raises(DeploymentError):
        parse_deployment(content)
