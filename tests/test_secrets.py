"""Where secrets come from and where they must not end up: the code, the repository, the package, crash reports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Whatever makes keys, blinders, masks, salts, nonces or challenges.
SECRET_MAKERS = [
    file
    for place in ("zk", "marketplace/payload", "marketplace/exclusion", "aggregator")
    for file in sorted((ROOT / place).rglob("*.py"))
    # Which way a coordinate is rounded is no secret.
    if file.name != "quantise.py"
] + [ROOT / "marketplace" / "keystore.py", ROOT / "marketplace" / "private_files.py"]

# Whatever decides by deadlines.
DECIDERS = [
    file
    for place in ("aggregator", "marketplace/parties", "marketplace/exclusion", "marketplace/chain")
    for file in sorted((ROOT / place).rglob("*.py"))
    if "devnet" not in file.parts
]


def uses(file: Path) -> set[str]:
    """Every module and dotted name that a file mentions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute):
            found.add(ast.unparse(node))
    return found


def is_predictable(name: str) -> bool:
    return bool(re.match(r"(random(\.|$)|(np|numpy)\.random(\.|$))", name))


def is_wall_clock(name: str) -> bool:
    return name in {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.datetime.now"}


@pytest.mark.parametrize("file", SECRET_MAKERS, ids=lambda file: str(file.relative_to(ROOT)))
def test_secrets_come_from_the_operating_system(file):
    assert not [name for name in uses(file) if is_predictable(name)]


@pytest.mark.parametrize("file", DECIDERS, ids=lambda file: str(file.relative_to(ROOT)))
def test_deadlines_follow_block_time_and_no_clock_of_this_machine(file):
    assert not [name for name in uses(file) if is_wall_clock(name)]


def test_the_checks_see_what_they_should_see(tmp_path):
    file = tmp_path / "bad.py"
    file.write_text("import random, time\nimport numpy as np\nnp.random.default_rng()\ntime.time()\n")
    assert {name for name in uses(file) if is_predictable(name)} >= {"random", "np.random"}
    assert {name for name in uses(file) if is_wall_clock(name)} == {"time.time"}
    assert len(SECRET_MAKERS) > 40
    assert len(DECIDERS) > 40


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no repository")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_the_repository_holds_no_file_of_secrets():
    names = re.compile(
        r"\.env(\..*)?|.*\.(pem|key|pass|passphrase)|UTC--.*|id_(rsa|ed25519)|passphrase|\.netrc|\.pypirc"
    )
    assert [file for file in tracked() if names.fullmatch(file.name)] == []


def test_the_repository_holds_no_encrypted_or_armoured_key():
    # Built so that this file does not match itself.
    marks = (b"-----BEGIN " + b"PRIVATE", b"PRIVATE KEY" + b"-----", b'"kdf' + b'params": {')
    files = [file for file in tracked() if file.is_file() and not file.is_symlink() and file.stat().st_size < 2**20]
    assert [file for file in files if any(mark in file.read_bytes() for mark in marks)] == []


def test_the_package_carries_named_files_alone():
    with (ROOT / "pyproject.toml").open("rb") as file:
        data = tomllib.load(file)["tool"]["setuptools"]["package-data"]
    for pattern in (pattern for patterns in data.values() for pattern in patterns):
        assert pattern == "py.typed" or re.fullmatch(r"[\w/*]+\.(json|toml|html|css|js|svg)", pattern), pattern
        assert not pattern.startswith("*")


def test_a_crash_report_shows_no_values():
    script = (
        "import marketplace.cli as cli\n"
        "def app():\n"
        "    passphrase = 'canary' + '7f3a'\n"
        "    raise ZeroDivisionError('oh')\n"
        "cli.app = app\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "ZeroDivisionError: oh" in done.stderr
    assert "canary7f3a" not in done.stderr
