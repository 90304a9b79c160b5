"""Powers-of-tau files that snarkjs makes, and structured reference strings of several kinds."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.zk.srs.powers_file import assemble, sections
from zk.srs import powers

NODE_MODULES = Path(__file__).parents[3] / "contracts" / "node_modules"
SNARKJS_POWER = 8
TRUNCATED_POWER = 5


def silent(step: str, done: int, total: int) -> None:
    """Take progress and say nothing."""


@dataclass(frozen=True)
class Ceremony:
    """Files of one small ceremony, by snarkjs.

    Attributes
    ----------
    fresh
        Before any contribution.
    contributed
        After a contribution and a beacon.
    prepared
        The same, prepared for Groth16.
    truncated
        The same, cut to power 5.
    """

    fresh: Path
    contributed: Path
    prepared: Path
    truncated: Path


@pytest.fixture(scope="session")
def ceremony(tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    node = shutil.which("node")
    program = NODE_MODULES / "snarkjs" / "build" / "cli.cjs"
    assert node, "node is missing: run scripts/check once, which installs it"
    assert program.is_file(), f"{program} is missing: run scripts/check once, which installs it"
    directory = tmp_path_factory.mktemp("ceremony")

    def run(*arguments: str) -> None:
        command = [node, str(program), "powersoftau", *arguments]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run("new", "bn128", str(SNARKJS_POWER), "new.ptau")
    run("contribute", "new.ptau", "first.ptau", "--name=first", "-e=some text")
    run("beacon", "first.ptau", "beacon.ptau", "0102030405060708090a0b0c0d0e0f10", "10", "--name=beacon")
    run("prepare", "phase2", "beacon.ptau", "prepared.ptau")
    run("truncate", "prepared.ptau")
    names = ("new", "beacon", "prepared", f"prepared_{TRUNCATED_POWER:02}")
    return Ceremony(*(directory / f"{name}.ptau" for name in names))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let chunks end within even the smallest file."""
    monkeypatch.setattr(powers, "CHUNK", 4)
    return 4


@pytest.fixture(scope="session")
def honest() -> dict[int, bytes]:
    """Sections of a file of power 3 with known secrets."""
    return sections()


@pytest.fixture
def honest_file(tmp_path: Path, honest: dict[int, bytes]) -> Path:
    path = tmp_path / "honest.ptau"
    path.write_bytes(assemble(honest))
    return path
