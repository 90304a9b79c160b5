"""Commands load no library that takes seconds to load unless they need it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import OWNER, answer

# Runs commands one after the other, and prints which of the libraries whose names it is given were loaded.
SCRIPT = """
import io, json, sys
from contextlib import redirect_stdout
from marketplace.cli import app
asked = json.loads(sys.argv[1])
for words in asked["commands"]:
    with redirect_stdout(io.StringIO()):
        try:
            app(words)
        except SystemExit as ended:
            assert ended.code in (None, 0), (words, ended.code)
for module in asked["modules"]:
    __import__(module)
print(json.dumps(sorted(set(asked["libraries"]) & sys.modules.keys())))
"""
# What trains and draws; what else whoever only looks has no use for.
NEVER_WITHOUT_TRAINING = ["torch", "sklearn", "matplotlib"]
NEVER_WITHOUT_A_CHAIN = [*NEVER_WITHOUT_TRAINING, "web3", "numba", "scipy", "sqlalchemy"]
NEVER_FOR_HELP = [*NEVER_WITHOUT_A_CHAIN, "numpy", "pydantic", "eth_account"]


def loaded(libraries: list[str], *commands: list[str], modules: tuple[str, ...] = ()) -> list[str]:
    """Return which of these libraries a process has loaded after these commands, and these modules of the project."""
    asked = json.dumps({"libraries": libraries, "commands": commands, "modules": modules})
    done = subprocess.run([sys.executable, "-c", SCRIPT, asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_help_loads_nothing_heavy() -> None:
    assert loaded(NEVER_FOR_HELP, ["--help"], ["--version"]) == []
    # Of the help of commands with arguments, the library of the command line itself loads one of them.
    others = ["job", "create", "--help"], ["trainer", "check", "--help"], ["simulate", "--help"]
    assert loaded(NEVER_FOR_HELP, *others) in ([], ["pydantic"])


def test_keys_are_listed_without_a_chain(passphrase: Path) -> None:
    answer("key", "new", "owner", "--passphrase-file", passphrase)
    assert loaded(NEVER_WITHOUT_A_CHAIN, ["key", "list"], ["key", "show", "owner"], ["config", "show"]) == []


def test_whoever_trains_nothing_does_not_load_what_trains(job_file: Path) -> None:
    signed = ["--dev-account", str(OWNER)]
    number = str(answer("job", "create", job_file, *signed)["job"])
    commands = [
        ["job", "example"],
        ["job", "create", str(job_file), "--dry-run", *signed],
        ["job", "create", str(job_file), *signed],
        ["job", "list"],
        ["job", "show", number],
        ["job", "payments", number],
        ["job", "abort", number, *signed],
        ["withdraw", number, *signed],
        ["audit", "job", number],
    ]
    assert loaded(NEVER_WITHOUT_TRAINING, *commands, modules=("aggregator.worker", "marketplace.index.following")) == []


def test_whoever_trains_does() -> None:
    assert loaded(["torch"], modules=("marketplace.training.local",)) == ["torch"]
