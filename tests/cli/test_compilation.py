"""Compiling is told when it takes time, and loading what is compiled already is not."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from marketplace.cli import compilation
from marketplace.cli.common import Output


@dataclass(frozen=True)
class Listener(Output):
    """An output that keeps its notes."""

    notes: list[str] = field(default_factory=list)
    told: threading.Event = field(default_factory=threading.Event)

    def note(self, line: str) -> None:
        self.notes.append(line)
        self.told.set()


def test_a_slow_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "SECONDS_TO_LOAD", 0.0)
    output = Listener(as_json=False)

    def compile_engine(progress) -> None:
        progress("pairing")
        assert output.told.wait(timeout=60)

    monkeypatch.setattr("zk.bn254.compile_engine", compile_engine)
    compilation.compile_arithmetic(output)
    assert output.notes == ["Compiling the arithmetic for this machine, once: pairing"]


def test_quick_steps_are_not_told_and_nothing_waits_to_tell_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "SECONDS_TO_LOAD", 3600.0)
    output, before = Listener(as_json=False), threading.active_count()

    def compile_engine(progress) -> None:
        for name in ("scalars", "points", "pairing"):
            progress(name)

    monkeypatch.setattr("zk.bn254.compile_engine", compile_engine)
    compilation.compile_arithmetic(output)
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(timeout=60)
    assert output.notes == []
    assert threading.active_count() == before


def test_nothing_waits_if_compiling_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "SECONDS_TO_LOAD", 3600.0)
    output = Listener(as_json=False)

    def compile_engine(progress) -> None:
        progress("scalars")
        raise RuntimeError

    monkeypatch.setattr("zk.bn254.compile_engine", compile_engine)
    with pytest.raises(RuntimeError):
        compilation.compile_arithmetic(output)
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(timeout=60)
            assert not thread.is_alive()
