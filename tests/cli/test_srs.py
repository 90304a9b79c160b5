"""A structured reference string is imported, made, shown and checked from the command line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.conftest import answer, cairn, ok, refused
from tests.zk.srs.powers_file import assemble, sections
from zk.srs.identity import DEVELOPMENT_IDENTITY


def refused_in_the_end(*arguments: object) -> str:
    """Run a command that must fail after it has shown how far it is; return its last line."""
    result = cairn(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    *progress, last = result.stderr.splitlines()
    assert all(" of " in line for line in progress)
    assert last.startswith("cairn: ")
    return str(last)


@pytest.fixture(scope="module")
def honest() -> bytes:
    return assemble(sections())


@pytest.fixture
def ptau(tmp_path: Path, honest: bytes) -> Path:
    path = tmp_path / "powers.ptau"
    path.write_bytes(honest)
    return path


def test_a_ceremonys_file_is_imported_shown_and_checked(ptau: Path) -> None:
    made = answer("srs", "import", ptau, "--out", "out.srs")
    assert (made["kind"], made["powers"], made["largest_dimension"], made["ceremony_powers"]) == ("ceremony", 15, 3, 15)
    assert made["provenance"] == hashlib.sha256(ptau.read_bytes()).hexdigest()
    assert made["provenance_blake2b"] == hashlib.blake2b(ptau.read_bytes()).hexdigest()
    assert answer("srs", "show", "out.srs") == made == answer("srs", "check", "out.srs")
    shown = ok("srs", "show", "out.srs")
    for name in ("identity", "provenance", "provenance_blake2b", "digest", "powers", "largest_dimension"):
        assert str(made[name]) in shown.stdout
    assert "INSECURE" not in shown.stderr


def test_progress_goes_to_standard_error(ptau: Path) -> None:
    result = ok("srs", "import", ptau, "--out", "out.srs", "--json")
    assert next(iter(json.loads(result.stdout))) == "file"
    for step in ("bytes hashed", "alphaTauG1", "betaTauG1", "tauG2", "tauG1: 15 of 15"):
        assert step in result.stderr


def test_fewer_powers_are_kept_if_that_is_asked(ptau: Path) -> None:
    assert answer("srs", "import", ptau, "--out", "out.srs", "--powers", 13)["largest_dimension"] == 1
    assert "needs 16 powers and there are 15" in refused("srs", "import", ptau, "--out", "out.srs", "--powers", 16)
    assert cairn("srs", "import", ptau, "--out", "out.srs", "--powers", 12).exit_code == 2


def test_the_one_for_development_says_what_it_is() -> None:
    result = ok("srs", "dev", "--out", "dev.srs", "--dimension", 20, "--json")
    made = json.loads(result.stdout)
    assert "INSECURE" in result.stderr
    assert (made["kind"], made["powers"], made["largest_dimension"], made["provenance"]) == (
        "development",
        32,
        20,
        None,
    )
    assert made["identity"] == DEVELOPMENT_IDENTITY.hex()
    assert answer("srs", "dev", "--out", "other.srs", "--powers", 32)["digest"] == made["digest"]
    for command in ("show", "check"):
        assert "INSECURE" in ok("srs", command, "dev.srs").stderr


def test_how_many_powers_must_be_said_once() -> None:
    assert cairn("srs", "dev", "--out", "dev.srs").exit_code == 2
    assert cairn("srs", "dev", "--out", "dev.srs", "--powers", 32, "--dimension", 20).exit_code == 2
    assert cairn("srs", "dev", "--out", "dev.srs", "--dimension", 0).exit_code == 2


def test_a_spoilt_ceremonys_file_is_told(ptau: Path, tmp_path: Path) -> None:
    data = bytearray(ptau.read_bytes())
    data[80 + 64 * 9 : 80 + 64 * 10] = data[80 + 64 * 10 : 80 + 64 * 11]
    ptau.write_bytes(data)
    said = refused_in_the_end("srs", "import", ptau, "--out", "out.srs")
    assert "is not a usable powers-of-tau file: tauG1 are not powers of one secret" in said
    assert "compare its hash with the one that its ceremony published" in said
    assert not (tmp_path / "out.srs").exists()
    ptau.write_bytes(data[:1000])
    assert "section 2 says it has 960 bytes, and 920 are left" in refused("srs", "import", ptau, "--out", "out.srs")


def test_spoilt_and_missing_files_are_told(tmp_path: Path) -> None:
    ok("srs", "dev", "--out", "dev.srs", "--powers", 20)
    data = bytearray((tmp_path / "dev.srs").read_bytes())
    data[-1] ^= 1
    (tmp_path / "dev.srs").write_bytes(data)
    ok("srs", "show", "dev.srs")
    assert "its SHA-256 is" in refused_in_the_end("srs", "check", "dev.srs")
    (tmp_path / "dev.srs").write_bytes(data[:-1])
    for command in ("show", "check"):
        assert "must have 5376" in refused("srs", command, "dev.srs")
        assert "Can't read none.srs" in refused("srs", command, "none.srs")
    assert "Can't read none.ptau" in refused("srs", "import", "none.ptau", "--out", "out.srs")
    assert "Can't write none/out.srs" in refused("srs", "dev", "--out", "none/out.srs", "--powers", 20)
