"""Gram matrices of rounds that the default rule's gas is measured on: simulated, calm and attacked, and random ones.

In a simulated round everybody trains on a share of the digits, some attack, and the referee posts its reference and
curvature vectors; the matrix is that of the market's integers. In a random round updates have directions and lengths of
their own and random products with the referee's vectors, so that the ascent to the best mixture takes most of the steps
that it may take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from benchmarks.simulation.federation import Federation
from benchmarks.simulation.presets import preset_named
from benchmarks.simulation.round import RoundResult
from benchmarks.simulation.run import simulate
from benchmarks.simulation.setting import Setting
from contribution.gram import GramMatrix, gram_matrix
from contribution.rules import DEFAULT_RULE
from marketplace.job.limits import MAX_REFERENCES

CALM: Final = "calm"
RANDOM: Final = "random"
# Attacks that the rule has to work for in different ways: what harms, what is close to the rest, what is clipped, and
# what is looked at twice as a copy.
ATTACKS: Final = ("sign-flip", "alie", "inflated-norm", "free-rider-copy")
# Rounds of each kind, by number of trainers; fewer where each costs the machine more.
ROUNDS: Final[Mapping[int, int]] = MappingProxyType({8: 10, 16: 10, 32: 6, 64: 4, 128: 2})
_PRESET: Final = "digits-mlp"
# Of random updates. Fewer dimensions than trainers make none of them copies.
_DIMENSION: Final = 40
_LARGEST: Final = 1000
# Squared length of the referee's vectors in random rounds, and bounds of their products with updates: about those of
# simulated rounds, with gains and curvature of one size.
_VECTOR_SQUARE: Final = 2**50
_LARGEST_GAIN: Final = 2**32
_CURVATURE_BITS: Final = (19, 26)


def tolerated_of(trainers: int) -> int:
    """Return f of these rounds, which is also how many attack: a fifth."""
    return trainers // 5


def rounds_of(trainers: int, seed: int, rounds: int) -> dict[str, list[GramMatrix]]:
    """Return matrices by the kind of their round: calm, each of `ATTACKS`, random.

    Parameters
    ----------
    trainers
        n, at least 5.
    seed
        Where data, models, training and attackers come from.
    rounds
        How many of each kind.

    Returns
    -------
    dict
        Matrices, int64, shape (n + 9, n + 9): the trainers in the order of their addresses, then the referee's vectors.
    """
    generator = np.random.default_rng((seed, trainers))
    return {
        CALM: _simulated(trainers, seed, rounds, None),
        **{attack: _simulated(trainers, seed, rounds, attack) for attack in ATTACKS},
        RANDOM: [random_round(generator, trainers) for _ in range(rounds)],
    }


def random_round(generator: np.random.Generator, trainers: int) -> GramMatrix:
    """Return the matrix of a random round, int64, shape (n + 9, n + 9)."""
    updates = generator.integers(-_LARGEST, _LARGEST, (trainers, _DIMENSION)) * generator.integers(1, 4, (trainers, 1))
    rows = trainers + MAX_REFERENCES
    gram = np.zeros((rows, rows), dtype=np.int64)
    gram[:trainers, :trainers] = gram_matrix(updates.astype(np.int16))
    for vector in range(trainers, rows):
        gram[vector, vector] = _VECTOR_SQUARE
        largest = _LARGEST_GAIN if vector == trainers else 2 ** int(generator.integers(*_CURVATURE_BITS))
        products = generator.integers(-largest, 2 * largest, trainers)
        gram[vector, :trainers] = gram[:trainers, vector] = products
    return gram


def _simulated(trainers: int, seed: int, rounds: int, attack: str | None) -> list[GramMatrix]:
    """Play a job and return the matrix of each of its rounds."""
    setting: Setting = replace(
        preset_named(_PRESET),
        trainers=trainers,
        rounds=rounds,
        reference_vectors=MAX_REFERENCES,
        tolerated=tolerated_of(trainers),
        rule=DEFAULT_RULE,
        attack=attack,
        attackers=0 if attack is None else tolerated_of(trainers),
        seed=seed,
    )
    matrices: list[GramMatrix] = []

    def keep(federation: Federation, result: RoundResult) -> None:
        rows = np.concatenate([np.argsort(federation.seats), np.arange(trainers, trainers + MAX_REFERENCES)])
        matrices.append(result.gram[np.ix_(rows, rows)])

    simulate(setting, observe=keep)
    return matrices
