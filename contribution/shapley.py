"""The exact Shapley value of the quadratic game in closed form.

The game among n trainers with real `b_i` and symmetric `K_ij` is

    U(T) = 2 b(T) / t - K(T, T) / t^2,   t = |T|,   U({}) = 0,

where `b(T)` and `K(T, T)` sum over the coalition: how much the mean of the coalition's updates lowers a quadratic model
of the loss. Averaging marginal contributions over coalitions of each size gives a closed form; it is known in the
literature as CHG-Shapley (Cai 2024, "CHG Shapley: Efficient Data Valuation and Selection towards Trustworthy Machine
Learning", arXiv 2406.11730).

A trainer's value needs three numbers of its own (`b_i`, `K_ii`, `R_i`) and three sums over all (`PublicSums`); with
updates that only their holder and public vectors can be multiplied with, it could still be computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Final, Generic, TypeVar

from contribution.errors import RuleInputError

# Coefficients are floor(rational * 2^96); contributions are returned in units of 2^-32 of the unit of b.
COEFFICIENT_BITS: Final = 96
CONTRIBUTION_BITS: Final = 32

Number = TypeVar("Number", int, Fraction)


@dataclass(frozen=True)
class Coefficients(Generic[Number]):
    """Absolute values of what the six terms of a trainer's value are multiplied with, for one number of trainers.

    Attributes
    ----------
    own_gain
        Of `b_i`.
    other_gains
        Of `B_i`, the sum of the others' `b_j`.
    own_curvature
        Of `K_ii`.
    cross_curvature
        Of `R_i`, the sum of `K_ij` over the others.
    other_curvatures
        Of `D_i`, the sum of the others' `K_jj`.
    other_pairs
        Of `O_i`, the sum of `K_jk` over ordered pairs of others.
    """

    own_gain: Number
    other_gains: Number
    own_curvature: Number
    cross_curvature: Number
    other_curvatures: Number
    other_pairs: Number


@dataclass(frozen=True)
class PublicSums(Generic[Number]):
    """Sums over all trainers of the game.

    Attributes
    ----------
    gain
        Sum of all `b_i`.
    trace
        Sum of all `K_ii`.
    total
        Sum of all `K_ij`.
    """

    gain: Number
    trace: Number
    total: Number


@cache
def exact_coefficients(n: int) -> Coefficients[Fraction]:
    """Return the coefficients for n trainers as rationals.

    With `H1 = sum_{s<=n} 1/s` and `H2 = sum_{s<=n} 1/s^2`:

        phi_i = (2/n) [ H1 b_i - (H1 - 1)/(n-1) B_i ]
              - (1/n) [ H2 K_ii + 2 (H1 - H2)/(n-1) R_i + (1/n - H2)/(n-1) D_i
                        + (1 - 1/n - 2 H1 + 2 H2)/((n-1)(n-2)) O_i ]

    Terms with n - 1 or n - 2 in the denominator vanish for n = 1 or n = 2. The coefficients are the absolute values:
    those of `b_i`, `D_i` and `O_i` are added, the others subtracted.

    Raises
    ------
    RuleInputError
        If n < 1.
    """
    if n < 1:
        raise RuleInputError(f"a game needs at least 1 trainer, not {n}; ask for one with trainers")
    # Over a common denominator, because adding up fractions reduces every sum on the way.
    common = lcm(*range(1, n + 1))
    square = common**2
    h1 = Fraction(sum(common // s for s in range(1, n + 1)), common)
    h2 = Fraction(sum(square // s**2 for s in range(1, n + 1)), square)
    pairs = n * (n - 1)
    triples = pairs * (n - 2)
    nothing = Fraction(0)
    return Coefficients(
        own_gain=2 * h1 / n,
        other_gains=2 * (h1 - 1) / pairs if pairs else nothing,
        own_curvature=h2 / n,
        cross_curvature=2 * (h1 - h2) / pairs if pairs else nothing,
        other_curvatures=(h2 - Fraction(1, n)) / pairs if pairs else nothing,
        other_pairs=(2 * h1 - 2 * h2 - 1 + Fraction(1, n)) / triples if triples else nothing,
    )


@cache
def fixed_coefficients(n: int) -> Coefficients[int]:
    """Return each coefficient for n trainers times 2^96, rounded down."""
    exact = exact_coefficients(n)
    scale = 2**COEFFICIENT_BITS
    return Coefficients(
        own_gain=exact.own_gain * scale // 1,
        other_gains=exact.other_gains * scale // 1,
        own_curvature=exact.own_curvature * scale // 1,
        cross_curvature=exact.cross_curvature * scale // 1,
        other_curvatures=exact.other_curvatures * scale // 1,
        other_pairs=exact.other_pairs * scale // 1,
    )


def value_of(
    own_gain: Number, own_curvature: Number, cross_curvature: Number, sums: PublicSums[Number], c: Coefficients[Number]
) -> Number:
    """Return one trainer's value, in the scale of the coefficients.

    Parameters
    ----------
    own_gain, own_curvature, cross_curvature
        `b_i`, `K_ii` and `R_i`: all that concerns this trainer alone.
    sums
        Sums over all trainers, this one included.
    c
        Coefficients for the number of trainers.
    """
    others_gain = sums.gain - own_gain
    others_curvature = sums.trace - own_curvature
    # All ordered pairs of different trainers, without those that this trainer is part of.
    others_pairs = sums.total - sums.trace - 2 * cross_curvature
    return (
        c.own_gain * own_gain
        - c.other_gains * others_gain
        - c.own_curvature * own_curvature
        - c.cross_curvature * cross_curvature
        + c.other_curvatures * others_curvature
        + c.other_pairs * others_pairs
    )


def exact_shapley(gains: Sequence[int], curvature: Sequence[Sequence[int]]) -> list[Fraction]:
    """Return the Shapley values as rationals: the specification.

    Parameters
    ----------
    gains
        `b_i`, length n.
    curvature
        `K_ij`, n x n, symmetric.
    """
    n = len(gains)
    sums = PublicSums(
        gain=Fraction(sum(gains)),
        trace=Fraction(sum(curvature[i][i] for i in range(n))),
        total=Fraction(sum(sum(row) for row in curvature)),
    )
    c = exact_coefficients(n)
    return [
        value_of(Fraction(gains[i]), Fraction(curvature[i][i]), Fraction(sum(curvature[i]) - curvature[i][i]), sums, c)
        for i in range(n)
    ]


def fixed_shapley(gains: Sequence[int], own_curvatures: Sequence[int], row_sums: Sequence[int]) -> list[int]:
    """Return `floor(2^32 phi_i)` up to the rounding of the coefficients: what the contract computes.

    Parameters
    ----------
    gains
        `b_i`, length n.
    own_curvatures
        `K_ii`, length n.
    row_sums
        `sum_j K_ij`, j = i included, length n.

    Returns
    -------
    list of int
        Values in units of 2^-32 of the unit of `gains`; each is within `fixed_point_error` of the exact one.
    """
    sums = PublicSums(gain=sum(gains), trace=sum(own_curvatures), total=sum(row_sums))
    c = fixed_coefficients(len(gains))
    return [
        value_of(gain, own, row - own, sums, c) >> (COEFFICIENT_BITS - CONTRIBUTION_BITS)
        for gain, own, row in zip(gains, own_curvatures, row_sums, strict=True)
    ]


def fixed_point_error(own_gain: int, own_curvature: int, cross_curvature: int, sums: PublicSums[int]) -> Fraction:
    """Bound `|fixed / 2^32 - exact|` for one trainer, in the unit of b.

    Each coefficient is off by less than 2^-96, and the last shift rounds down by less than 2^-32:

        2^-96 (|b_i| + |B_i| + |K_ii| + |R_i| + |D_i| + |O_i|) + 2^-32.
    """
    terms = (
        own_gain,
        sums.gain - own_gain,
        own_curvature,
        cross_curvature,
        sums.trace - own_curvature,
        sums.total - sums.trace - 2 * cross_curvature,
    )
    return Fraction(sum(abs(term) for term in terms), 2**COEFFICIENT_BITS) + Fraction(1, 2**CONTRIBUTION_BITS)
