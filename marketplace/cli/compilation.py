"""The first use of the proof's arithmetic on a machine, which takes a minute and says so."""

from __future__ import annotations

from threading import Timer
from typing import Final

from marketplace.cli.common import Output

# A step that takes longer is being compiled; otherwise it is loaded from disk.
SECONDS_TO_LOAD: Final = 1.0


def compile_arithmetic(output: Output) -> None:
    """Compile what the proof computes with, if it isn't on disk yet, and note each step that takes time."""
    from zk.bn254 import compile_engine

    notes: list[Timer] = []

    def begin(step: str) -> None:
        _cancel(notes)
        words = f"Compiling the arithmetic for this machine, once: {step}"
        notes.append(Timer(SECONDS_TO_LOAD, output.note, [words]))
        notes[-1].start()

    try:
        compile_engine(begin)
    finally:
        _cancel(notes)


def _cancel(notes: list[Timer]) -> None:
    for note in notes:
        note.cancel()
