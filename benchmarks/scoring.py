"""What scoring a round costs, against ByzFL's multi-Krum on the same updates and against reading them twice."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from benchmarks.byzfl_environment import byzfl_python
from benchmarks.environment import usable_cores
from benchmarks.goals import Goal
from benchmarks.serving import Seconds, serving
from benchmarks.simulation.scorers import quadratic_shapley
from contribution import rule
from contribution.mixture import WHOLE, Mixture, contributions_of
from contribution.rules import DEFAULT_RULE
from contribution.shapley import exact_coefficients, fixed_shapley
from marketplace.payload.quantise import dequantise, quantise
from marketplace.training.reference import integer_references

Row = dict[str, Any]

FIRST_RULE: Final = rule.NAME
READ: Final = "read twice"
SUM: Final = "weighted sum"
OURS: Final = (DEFAULT_RULE, FIRST_RULE, SUM, READ)
BYZFL: Final = ("numpy float32", "numpy float64", "torch float32")

CURVATURE_VECTORS: Final = 8
BITS: Final = 16
SCALE_EXPONENT: Final = 12
# The largest update whose coordinates fit 16 bits at that scale.
WHOLE_RANGE: Final = 2.0 ** (BITS - 1 - SCALE_EXPONENT)

SHAPLEY_TRAINERS: Final = 1000
COEFFICIENTS: Final = "coefficients"
GROWING: Final = (10, 20, 40, 80, 128)
# Goals: a share of the time of ByzFL's multi-Krum, a multiple of that of reading the data twice, and milliseconds.
LARGEST_SHARE: Final = 1 / 8
LARGEST_MULTIPLE: Final = 4.0
LARGEST_SHAPLEY_MS: Final = 2.0


@dataclass(frozen=True)
class Size:
    """A round: its trainers and coordinates, and how often each measurement of it is repeated."""

    trainers: int
    dimension: int
    repetitions: int

    @property
    def tolerated(self) -> int:
        """Faulty trainers: three of ten."""
        return 3 * self.trainers // 10


JUDGED: Final = Size(trainers=20, dimension=10**6, repetitions=15)


def run(size: Size, seed: int, progress: Callable[[str], None], growing: Sequence[int] = GROWING) -> dict[str, Any]:
    """Measure rounds of one size, rounds with more and more trainers, and Shapley values of a thousand.

    Parameters
    ----------
    size
        Of the rounds that are compared with ByzFL, on one core and on all.
    seed
        Where updates come from.
    progress
        Told what is measured, before it is.
    growing
        Numbers of trainers.

    Returns
    -------
    dict
        Rows as `measure` returns them: `compared` with ByzFL, one for each number of cores; `whole_range`, the same
        without ByzFL for the largest coordinates; `growing`, one for each number of trainers. `shapley` as
        `shapley_seconds` returns it. `load_average`: of the last minute before, what others did on the machine.

    Raises
    ------
    MissingByzflError
        If ByzFL is not installed.
    MeasurementError
        If a measuring process fails.
    """
    byzfl, load = byzfl_python(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_vectors(directory, size, seed, whole_range=False)
        compared = []
        for cores in core_counts():
            progress(f"{size.trainers} trainers on {in_words(cores)}, and ByzFL")
            compared.append(measure(directory, size, cores, byzfl))
        write_vectors(directory, size, seed, whole_range=True)
        progress("coordinates of the whole range")
        whole_range = [measure(directory, size, cores) for cores in core_counts()]
        write_vectors(directory, replace(size, trainers=max(growing)), seed, whole_range=False)
        progress(f"{min(growing)} to {max(growing)} trainers")
        grown = [measure(directory, replace(size, trainers=trainers), 1) for trainers in growing]
    progress(f"exact Shapley values of {SHAPLEY_TRAINERS} trainers")
    shapley = shapley_seconds(SHAPLEY_TRAINERS, seed, size.repetitions)
    return {
        "load_average": load,
        "compared": compared,
        "whole_range": whole_range,
        "growing": grown,
        "shapley": shapley,
    }


def core_counts() -> list[int]:
    """Return the numbers of cores to measure with: one, and all that there are."""
    return sorted({1, usable_cores()})


def write_vectors(directory: Path, size: Size, seed: int, whole_range: bool) -> None:
    """Write a round's vectors as the codec and the referee make them, and the updates as floats.

    Updates are a common direction and as much noise, 0.02 in size, as the updates of the models that we train are; or
    uniform over the whole range of 16 bits, which is the most work that anybody can make. The gradient has norm 1, and
    the eigenvalues of the curvature are 25 / k.
    """
    draws = np.random.default_rng([seed, size.dimension, size.trainers])
    gradient = draws.standard_normal(size.dimension)
    updates = []
    for _ in range(size.trainers):
        noise = draws.standard_normal(size.dimension)
        delta = draws.uniform(-WHOLE_RANGE, WHOLE_RANGE, size.dimension) if whole_range else 0.02 * (gradient + noise)
        updates.append(quantise(delta, bits=BITS, scale_exponent=SCALE_EXPONENT, generator=draws).coordinates)
    unit = np.sqrt(size.dimension)
    vectors = draws.standard_normal((CURVATURE_VECTORS, size.dimension)) / unit
    values = 25 / np.arange(1, CURVATURE_VECTORS + 1)
    references = integer_references(gradient / unit, values, vectors, BITS, SCALE_EXPONENT)
    np.save(directory / "updates.npy", np.array(updates))
    np.save(directory / "references.npy", np.array(references))
    np.save(directory / "twins.npy", dequantise(np.array(updates), SCALE_EXPONENT).astype(np.float32))


def measure(directory: Path, size: Size, cores: int, byzfl: Path | None = None) -> Row:
    """Measure scoring, reading and, if there is an interpreter for it, ByzFL; they take turns.

    Returns
    -------
    dict
        `trainers`, `dim`, `cores`, `repetitions`; `seconds`: by measurement the medians of its parts; `extra_mib`: the
        memory that scoring takes beyond its vectors; with ByzFL `byzfl_extra_mib` and `byzfl`, its versions.
    """
    with ExitStack() as stack:
        ours = stack.enter_context(serving(_our_command(directory, size, cores)))
        turns = [(ours, name) for name in OURS]
        if byzfl is not None:
            theirs = stack.enter_context(serving(_byzfl_command(byzfl, directory, size, cores)))
            turns += [(theirs, name) for name in BYZFL]
        # The first lap loads and compiles.
        laps = [{name: server.measure(name) for server, name in turns} for _ in range(size.repetitions + 1)][1:]
    row: Row = {
        "trainers": size.trainers,
        "dim": size.dimension,
        "cores": cores,
        "repetitions": size.repetitions,
        "seconds": {name: _medians([lap[name] for lap in laps]) for _, name in turns},
        "extra_mib": ours.extra_mib,
    }
    return row if byzfl is None else row | {"byzfl": theirs.about, "byzfl_extra_mib": theirs.extra_mib}


def _our_command(directory: Path, size: Size, cores: int) -> list[str | Path]:
    numbers = map(str, (cores, size.trainers, size.tolerated))
    return [sys.executable, "-m", "benchmarks.scoring_side", directory, *numbers]


def _byzfl_command(byzfl: Path, directory: Path, size: Size, cores: int) -> list[str | Path]:
    """Return a command whose own packages come before what lies beside ours."""
    place = str(Path(__file__).parents[1])
    program = (
        f"import runpy, sys; sys.path.append({place!r}); runpy.run_module('benchmarks.byzfl_side', None, '__main__')"
    )
    return [byzfl, "-c", program, directory, str(cores), str(size.tolerated)]


def _medians(laps: Sequence[Seconds]) -> Seconds:
    return {part: median(lap[part] for lap in laps) for part in laps[0]}


def shapley_seconds(trainers: int, seed: int, repetitions: int) -> Seconds:
    """Return how long exact Shapley values take once the matrix is there, medians in seconds.

    Of three: the game of the mean on floats, the same in the contract's integers, and the default rule's game in
    integers. Coefficients depend on the number of trainers alone and are listed by themselves.
    """
    draws = np.random.default_rng([seed, trainers])
    projections = draws.integers(-(2**24), 2**24, (trainers, CURVATURE_VECTORS)).astype(np.float64)
    curvature = projections @ projections.T
    gains = draws.integers(-(2**40), 2**40, trainers)
    whole_gains, own, sums = (
        [int(entry) for entry in entries] for entries in (gains, curvature.diagonal(), curvature.sum(axis=1))
    )
    slopes = tuple(int(slope) << 32 for slope in draws.permutation(gains))
    mixture = Mixture((WHOLE // trainers,) * trainers, slopes)
    work: dict[str, Callable[[], object]] = {
        "game of the mean, floats": lambda: quadratic_shapley(gains.astype(np.float64), curvature),
        "game of the mean, integers": lambda: fixed_shapley(whole_gains, own, sums),
        "game of the aggregate, integers": lambda: contributions_of(mixture, whole_gains),
        COEFFICIENTS: lambda: exact_coefficients.__wrapped__(trainers),
    }
    laps = [{name: _timed(function) for name, function in work.items()} for _ in range(repetitions + 1)][1:]
    return _medians(laps)


def _timed(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def in_words(cores: int) -> str:
    """Return "1 core", "2 cores" and so on."""
    return f"{cores} core" if cores == 1 else f"{cores} cores"


def total(row: Row, name: str) -> float:
    """Return the seconds of a measurement, all parts together."""
    return float(row["seconds"][name]["total"])


def fastest_byzfl(row: Row) -> str:
    """Return the kind of arrays on which ByzFL was fastest."""
    return min(BYZFL, key=lambda name: total(row, name))


def goals(compared: Sequence[Row], shapley: Mapping[str, float]) -> list[Goal]:
    """Return what is aimed at: issue "Fair pay and robust training", line 4; of rounds, for the judged size alone."""
    found = []
    for row in compared:
        if (row["trainers"], row["dim"]) != (JUDGED.trainers, JUDGED.dimension):
            continue
        ours, cores = total(row, DEFAULT_RULE), in_words(row["cores"])
        found += [
            Goal(
                f"{cores}: scoring, in times of ByzFL's multi-Krum",
                ours / total(row, fastest_byzfl(row)),
                LARGEST_SHARE,
            ),
            Goal(f"{cores}: scoring, in times of reading the data twice", ours / total(row, READ), LARGEST_MULTIPLE),
        ]
    slowest = max(seconds for name, seconds in shapley.items() if name != COEFFICIENTS)
    found.append(Goal(f"ms for exact Shapley values of {SHAPLEY_TRAINERS} trainers", 1e3 * slowest, LARGEST_SHAPLEY_MS))
    return found
