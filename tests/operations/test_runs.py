"""Run files tell what runs and what became of it, and never take a stranger for a process of ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.operations.runs import (
    NoSuchRunError,
    Run,
    State,
    StillRunningError,
    find_run,
    find_runs,
    record_run,
    stop_run,
)

RUN = Run("", "trainer", 31_337, "0x" + "1" * 40, 7, "0x" + "2" * 40, os.getpid(), 1_767_225_600, "log.jsonl")

# Records itself, ends on SIGTERM if it listens, and forks a child that outlives it if it is told to.
PROCESS = """
import os, signal, sys, threading
from dataclasses import replace
from pathlib import Path
from marketplace.operations.runs import Run, State, record_run
directory, behaviour = Path(sys.argv[1]), sys.argv[2]
run = Run("", "trainer", 1, "0x", 7, "0x", os.getpid(), 0, "log.jsonl")
stop = threading.Event()
signal.signal(signal.SIGTERM, (lambda *_: None) if behaviour == "deaf" else (lambda *_: stop.set()))
with record_run(directory, lambda name: replace(run, name=name), "trainer-7") as record:
    child = os.fork() if behaviour == "fork" else None
    if child == 0:
        print("running", flush=True)
        sys.stdin.read()
        os._exit(0)
    if child is None:
        print("running", flush=True)
    stop.wait()
    record.finish(State.STOPPED)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def start(directory: Path) -> Iterator[object]:
    started: list[subprocess.Popen[str]] = []

    def begin(behaviour: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROCESS, str(directory), behaviour]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_a_run_is_running_until_it_ends(directory):
    assert find_runs(directory) == []
    with record_run(directory, lambda name: replace(RUN, name=name), "trainer-7") as record:
        [found] = find_runs(directory)
        assert (found.run, found.state) == (replace(RUN, name="trainer-7"), State.RUNNING)
        record.finish(State.ENDED)
    assert find_run(directory, "trainer-7").state is State.ENDED
    assert {file.stat().st_mode & 0o777 for file in directory.iterdir()} == {0o600}


def test_a_name_that_is_in_use_gets_a_number(directory):
    with record_run(directory, lambda name: replace(RUN, name=name), "trainer-7"):
        with record_run(directory, lambda name: replace(RUN, name=name), "trainer-7") as second:
            assert second.run.name == "trainer-7-2"
        assert [found.state for found in find_runs(directory)] == [State.RUNNING, State.KILLED]


def test_a_step_leaves_a_mark(directory):
    with record_run(directory, lambda name: replace(RUN, name=name), "trainer-7") as record:
        os.utime(directory / "trainer-7.lock", (0, 0))
        assert find_run(directory, "trainer-7").last_step == 0
        record.note_step()
        assert find_run(directory, "trainer-7").last_step >= int(time.time()) - 60


def test_a_process_stops_when_it_is_asked_to(directory, start):
    process = start("listening")
    assert stop_run(directory, find_run(directory, "trainer-7"), timeout=30)
    assert process.wait(30) == 0
    assert find_run(directory, "trainer-7").state is State.STOPPED
    assert not stop_run(directory, find_run(directory, "trainer-7"), timeout=30)


def test_a_process_that_goes_on_is_told(directory, start):
    process = start("deaf")
    with pytest.raises(StillRunningError, match=f"process {process.pid}"):
        stop_run(directory, find_run(directory, "trainer-7"), timeout=0.3)


@pytest.mark.parametrize("behaviour", ["listening", "fork"])
def test_a_process_that_was_killed_is_told_apart(directory, start, behaviour):
    process = start(behaviour)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert find_run(directory, "trainer-7").state is State.KILLED
    assert not stop_run(directory, find_run(directory, "trainer-7"), timeout=1)


def test_a_pid_that_was_given_to_another_process_is_left_alone(directory, start):
    start("listening").kill()
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        while find_run(directory, "trainer-7").state is State.RUNNING:
            time.sleep(0.05)
        file = directory / "trainer-7.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"pid": bystander.pid}))
        assert find_run(directory, "trainer-7").state is State.KILLED
        assert not stop_run(directory, find_run(directory, "trainer-7"), timeout=1)
        assert bystander.poll() is None
    finally:
        bystander.communicate(b"\n")


def test_names_that_are_not_there_are_told_with_those_that_are(directory):
    with (
        record_run(directory, lambda name: replace(RUN, name=name), "trainer-7"),
        pytest.raises(NoSuchRunError, match="there are: trainer-7"),
    ):
        find_run(directory, "../trainer-8")


@pytest.mark.parametrize("content", ["", "[]", '{"name": "trainer-7"}', '{"name": "other"}', "{" * 10_000])
def test_a_damaged_record_is_left_out(directory, content):
    directory.mkdir()
    (directory / "trainer-7.json").write_text(content)
    (directory / "trainer-7.lock").touch()
    assert find_runs(directory) == []
