"""Settings from what a command line says: names with a number, ranges of seeds, and every combination of lists."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from benchmarks.simulation.errors import SettingError
from benchmarks.simulation.partition import USUAL_SKEWS, Partition
from benchmarks.simulation.setting import Setting

NO_ATTACK: Final = "none"


def combinations(
    base: Setting,
    *,
    partitions: Sequence[tuple[str, float]],
    rules: Sequence[str],
    attacks: Sequence[str],
    attackers: int | None,
    strengths: Sequence[float],
    seeds: Sequence[int],
) -> list[Setting]:
    """Return every combination of the lists; an empty list leaves what the base has.

    Parameters
    ----------
    base
        What all settings share.
    partitions
        Names with skews.
    rules
        Names of rules.
    attacks
        Names of attacks, `none` among them for a setting without.
    attackers
        How many attack; None for as many as the setting tolerates.
    strengths
        For every attack; none for each attack's default.
    seeds
        Seeds.

    Raises
    ------
    SettingError
        If a combination can't be run.
    """
    settings = []
    for (partition, skew), rule, attack, seed in itertools.product(
        partitions or [(base.partition, base.skew)],
        rules or [base.rule],
        attacks or [base.attack or NO_ATTACK],
        seeds or [base.seed],
    ):
        calm = replace(
            base,
            partition=partition,
            skew=skew,
            rule=rule,
            seed=seed,
            attack=None,
            attackers=0,
            strength=None,
        )
        settings += [calm] if attack == NO_ATTACK else _attacked(calm, attack, attackers, strengths)
    return settings


def _attacked(calm: Setting, attack: str, attackers: int | None, strengths: Sequence[float]) -> list[Setting]:
    number = calm.tolerated if attackers is None else attackers
    chosen: Sequence[float | None] = strengths or [None]
    return [replace(calm, attack=attack, attackers=number, strength=strength) for strength in chosen]


def parse_partition(text: str) -> tuple[str, float]:
    """Read `name` or `name:skew`.

    Raises
    ------
    SettingError
        If the skew is no number, or there is no such partition.
    """
    name, _, skew = text.partition(":")
    if name not in tuple(Partition):
        raise SettingError(f"Partition {name!r} is not known; choose one of {', '.join(Partition)}.")
    try:
        return name, float(skew) if skew else USUAL_SKEWS[Partition(name)]
    except ValueError as fault:
        raise SettingError(f"The skew in {text!r} is no number; write it as dirichlet:0.3.") from fault


def parse_model(text: str) -> tuple[str, tuple[int, ...]]:
    """Read `name` or `name:width,width`.

    Raises
    ------
    SettingError
        If a width is no integer.
    """
    name, _, widths = text.partition(":")
    try:
        return name, tuple(int(width) for width in widths.split(",")) if widths else ()
    except ValueError as fault:
        raise SettingError(f"The widths in {text!r} are no integers; write them as mlp:64 or cnn:8,16.") from fault


def parse_seeds(text: str) -> list[int]:
    """Read `A` or `A-B`, both included.

    Raises
    ------
    SettingError
        If it is neither.
    """
    first, dash, last = text.partition("-")
    try:
        seeds = list(range(int(first), int(last if dash else first) + 1))
    except ValueError as fault:
        raise SettingError(f"{text!r} names no seeds; write one as 3, several as 0-4.") from fault
    if not seeds:
        raise SettingError(f"{text!r} names no seeds: {last} is below {first}.")
    return seeds


def told_seeds(seeds: Sequence[int]) -> str:
    """Return consecutive seeds in words: the one, or the first and the last."""
    return f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
