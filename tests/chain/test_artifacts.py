"""The compiled contracts in the package are those of the sources."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.chain.artifacts import Artifact, ArtifactError, load_artifact, parse_artifact, read_artifact

ROOT = Path(__file__).parents[2]
PROBE = Path(__file__).parent / "contracts" / "Probe.json"


@pytest.mark.slow
def test_sources_compile_to_what_is_committed() -> None:
    command = [sys.executable, ROOT / "scripts" / "build_contracts.py", "--check"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_contracts_that_users_need_are_carried() -> None:
    for name in ("TrainingMarket", "MultiKrumShapleyRule", "GramVerifier", "Errors"):
        artifact = load_artifact(name)
        assert artifact.name == name
        assert artifact.compiler["version"] == "0.8.37"
        assert artifact.compiler["settings"]["evmVersion"] == "prague"


def test_code_fits_on_chain() -> None:
    for name in ("TrainingMarket", "MultiKrumShapleyRule", "GramVerifier"):
        assert 0 < len(load_artifact(name).deployed_bytecode) <= 24_576
        assert len(load_artifact(name).bytecode) <= 49_152


def test_unknown_contract_names_those_that_are_there() -> None:
    for name in ("Nonsense", "../errors", ""):
        with pytest.raises(ArtifactError, match=r"carries: .*GramVerifier"):
            load_artifact(name)


@pytest.mark.parametrize("change", [{"abi": None}, {"bytecode": "60"}, {"bytecode": "0x6"}, {"immutableRanges": [[1]]}])
def test_damaged_file_is_told(change: dict) -> None:
    content = json.loads(PROBE.read_text()) | change
    with pytest.raises(ArtifactError, match=r"Probe\.json is damaged"):
        parse_artifact(json.dumps(content), "Probe.json")
    with pytest.raises(ArtifactError, match="damaged"):
        parse_artifact("{", "Probe.json")


def test_code_on_chain_matches_whatever_its_immutables_hold(probe_artifact: Artifact) -> None:
    assert read_artifact(PROBE) == probe_artifact
    code = bytearray(probe_artifact.deployed_bytecode)
    ((start, length), *_) = probe_artifact.immutable_ranges
    code[start : start + length] = b"\x07" * length
    assert probe_artifact.matches(bytes(code))
    code[0] ^= 1
    assert not probe_artifact.matches(bytes(code))
    assert not probe_artifact.matches(probe_artifact.deployed_bytecode[:-1])
    assert replace(probe_artifact, bytecode=b"\x00").digest() != probe_artifact.digest()
