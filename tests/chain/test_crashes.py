"""Processes that are killed while they send, and several at once: each call takes effect exactly once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from marketplace.chain import tending
from marketplace.chain import transact as module
from marketplace.chain.errors import JournalBusyError
from marketplace.chain.journal import Journals
from tests.chain import sending_process
from tests.chain.pool import ACCOUNT, Pool, open_pool
from tests.chain.sending_process import BETWEEN_WRITE_AND_SEND, CRASHES, NOWHERE

# From here the process finds the tests' modules.
ROOT = Path(__file__).parents[2]

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    with open_pool() as opened:
        opened.rpc("evm_setAutomine", True)
        monkeypatch.setattr(module, "POLL_SECONDS", 0.005)
        yield opened


@pytest.fixture
def start(pool: Pool, tmp_path: Path) -> Start:
    def start_process(crash: str, *values: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", sending_process.__name__, pool.w3.provider.endpoint_uri, pool.probe.address]
        command += [str(tmp_path), crash, *map(str, values)]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)

    return start_process


def finish(process: subprocess.Popen[str]) -> int:
    said = process.communicate()[1]
    assert process.returncode in (0, -signal.SIGKILL), said
    return process.returncode


@pytest.mark.parametrize("crash", CRASHES)
def test_who_asks_again_after_a_crash_gets_one_effect(pool: Pool, start: Start, tmp_path: Path, crash: str) -> None:
    assert finish(start(crash, 7)) == -signal.SIGKILL
    assert pool.note(7, Journals(tmp_path))["status"] == 1
    assert (pool.noted(), pool.nonce()) == ([7], 1)


@pytest.mark.parametrize("crash", CRASHES)
def test_another_call_after_a_crash_comes_after_the_first(pool: Pool, start: Start, tmp_path: Path, crash: str) -> None:
    assert finish(start(crash, 7)) == -signal.SIGKILL
    assert pool.note(8, Journals(tmp_path))["status"] == 1
    assert (pool.noted(), pool.nonce()) == ([7, 8], 2)


def test_a_party_that_looks_after_its_transactions_sends_what_a_crash_left(
    pool: Pool, start: Start, tmp_path: Path
) -> None:
    finish(start(BETWEEN_WRITE_AND_SEND, 7))
    assert pool.noted() == []
    assert "again" in pool.tend(Journals(tmp_path))[0]
    assert pool.tend(Journals(tmp_path)) == []
    assert (pool.noted(), pool.nonce()) == ([7], 1)


def test_a_crash_between_keeping_and_sending_a_replacement_sends_one_of_both(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    pool.rpc("evm_setAutomine", False)
    with monkeypatch.context() as hurried:
        hurried.setattr(module, "CONFIRM_SECONDS", 0.05)
        with pytest.raises(module.UnconfirmedError):
            pool.note(7, Journals(tmp_path))
    pool.pass_time(tending.STUCK_SECONDS)
    with monkeypatch.context() as crashing:
        crashing.setattr(tending, "broadcast", die)
        with pytest.raises(Killed):
            pool.tend(Journals(tmp_path))
    pool.mining(lambda: pool.note(7, Journals(tmp_path)))
    assert (pool.noted(), pool.nonce()) == ([7], 1)


def test_two_processes_with_one_key_take_turns(pool: Pool, start: Start, tmp_path: Path) -> None:
    odd, even = [1, 3, 5, 7, 9], [2, 4, 6, 8, 10]
    processes = [start(NOWHERE, *odd), start(NOWHERE, *even)]
    assert [finish(process) for process in processes] == [0, 0]
    noted = pool.noted()
    assert ([n for n in noted if n % 2], [n for n in noted if n % 2 == 0]) == (odd, even)
    assert pool.nonce() == 10


def test_who_waits_for_its_turn_says_so(pool: Pool, start: Start, tmp_path: Path) -> None:
    with pool.journal(Journals(tmp_path)).turn():
        waiting = start(NOWHERE, 7)
        assert waiting.stderr is not None
        assert f"Another process is sending from {ACCOUNT.address}" in waiting.stderr.readline()
        assert pool.noted() == []
    assert finish(waiting) == 0
    assert pool.noted() == [7]


def test_who_waits_too_long_sends_nothing(pool: Pool, tmp_path: Path) -> None:
    with (
        pool.journal(Journals(tmp_path)).turn(),
        pytest.raises(JournalBusyError, match="nothing was sent"),
        pool.journal(Journals(tmp_path)).turn(patience=0.1),
    ):
        pass
    with pool.journal(Journals(tmp_path)).turn():
        assert pool.tend(Journals(tmp_path)) == []


@pytest.mark.slow
def test_a_process_killed_over_and_over_ends_where_a_calm_one_does(pool: Pool, start: Start, tmp_path: Path) -> None:
    values = range(1, 4)
    for value in values:
        for crash in (*CRASHES, NOWHERE):
            if finish(start(crash, value)) == 0:
                break
    assert (pool.noted(), pool.nonce()) == (list(values), len(values))
