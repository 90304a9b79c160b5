"""`cairn` as its users run it: processes with a home of their own, started, awaited and ended by a test."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from eth_account.signers.local import LocalAccount

CAIRN = [sys.executable, "-c", "from marketplace.cli import main; main()"]
PASSPHRASE = "correct horse battery"
STOP_SECONDS = 60


@dataclass
class Party:
    """Somebody with a folder and a home, in which commands are run.

    Attributes
    ----------
    directory
        The folder; the home is in it.
    settings
        Further environment variables.
    """

    directory: Path
    settings: dict[str, str] = field(default_factory=dict)
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CAIRN_")}
        return {**inherited, "CAIRN_HOME": str(self.directory / "home"), **self.settings}

    def run(self, *arguments: str) -> str:
        """Run a command to its end, which must be a good one; return what it says."""
        ended = subprocess.run(
            [*CAIRN, *arguments],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert ended.returncode == 0, f"cairn {' '.join(arguments)}: {ended.stdout}"
        return ended.stdout

    def start(self, *arguments: str, name: str) -> Path:
        """Start a command; return the file with what it says."""
        log = self.directory / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*CAIRN, *arguments],
                cwd=self.directory,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._started.append(process)
        return log

    def started(self, *arguments: str, name: str, says: str, seconds: float = 120) -> str:
        """Start a command and wait until it says something; return the line."""
        log = self.start(*arguments, name=name)
        return until(lambda: next((line for line in log.read_text().splitlines() if says in line), None), seconds, log)

    def has_key(self, account: LocalAccount, name: str) -> None:
        """Import the key of an account, as the pages say."""
        for file, text in (("passphrase", PASSPHRASE), ("key.hex", account.key.hex())):
            (self.directory / file).write_text(text)
            (self.directory / file).chmod(0o600)
        self.settings["CAIRN_PASSPHRASE_FILE"] = str(self.directory / "passphrase")
        self.run("key", "import", name, "--private-key-file", "key.hex")

    def unpack(self, archive: Path) -> None:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(self.directory)

    def stop(self) -> None:
        """End everything that was started, the last first."""
        for process in reversed(self._started):
            process.terminate()
        for process in self._started:
            process.wait(STOP_SECONDS)


def words_of(command: str) -> list[str]:
    """Return the arguments of a command that a page hands out."""
    cairn, *arguments = command.split()
    assert cairn == "cairn"
    return arguments


def until(found: Callable[[], str | None], seconds: float, log: Path) -> str:
    deadline = time.monotonic() + seconds
    while (value := found()) is None:
        assert time.monotonic() < deadline, f"not in {seconds:g} s: {log.read_text()}"
        time.sleep(0.2)
    return value
