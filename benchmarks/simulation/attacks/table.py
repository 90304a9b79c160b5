"""The library as a table for the documentation."""

from __future__ import annotations

from benchmarks.simulation.attacks.attack import Attack
from benchmarks.simulation.attacks.library import ATTACKS


def markdown_table() -> str:
    """Return one line an attack, in the library's order: name, knowledge, aim, strengths and source."""
    head = ["| attack | knows | wants | strength: default (tuned among) | source |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(_row(attack) for attack in ATTACKS.values())])


def _row(attack: Attack) -> str:
    """Return one attack's line."""
    grid = ", ".join(f"{strength:g}" for strength in attack.grid)
    strengths = f"{attack.strength:g} ({grid})" if len(attack.grid) > 1 else f"{attack.strength:g}"
    return f"| `{attack.name}` | {attack.knowledge} | {attack.aim} | {strengths} | {attack.source} |"
