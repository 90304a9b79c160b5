"""What a round pays, and whose contribution was harmful: integers only, as the market computes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contribution.errors import RuleInputError

BASIS_POINTS: Final = 10_000


def payouts(contributions: Sequence[int], reward: int) -> list[int]:
    """Share the reward in proportion to positive contributions.

        pay_i = floor(reward max(phi_i, 0) / sum_j max(phi_j, 0))

    Parameters
    ----------
    contributions
        `phi_i`, in any common unit.
    reward
        What is to be shared, in the token's smallest unit.

    Returns
    -------
    list of int
        Pay in the same unit as `reward`, rounded down, all 0 if no contribution is positive; what is not paid stays
        in the escrow.

    Raises
    ------
    RuleInputError
        If the reward is negative.
    """
    if reward < 0:
        raise RuleInputError(f"the reward is {reward}; a round can only share what is in escrow, 0 or more")
    positive = positive_sum(contributions)
    if positive == 0:
        return [0] * len(contributions)
    return [reward * max(contribution, 0) // positive for contribution in contributions]


def harmful(contributions: Sequence[int], tolerance_bps: int, reference_used: bool) -> list[bool]:
    """Tell whose contribution was harmful beyond the tolerance, which earns a strike.

        phi_i < -(tolerance_bps / 10^4) sum_j max(phi_j, 0)

    Parameters
    ----------
    contributions
        `phi_i`, in any common unit.
    tolerance_bps
        Tolerance in hundredths of a percent of the sum of positive contributions.
    reference_used
        Whether a referee's reference decided who was kept (`RuleOutcome.reference_used`); otherwise nobody is harmful.

    Returns
    -------
    list of bool
        Parallel to `contributions`; all False if no contribution is positive.

    Raises
    ------
    RuleInputError
        If the tolerance is negative.
    """
    if tolerance_bps < 0:
        raise RuleInputError(f"the strike tolerance is {tolerance_bps} basis points; it is 0 or more")
    positive = positive_sum(contributions)
    if positive == 0 or not reference_used:
        return [False] * len(contributions)
    return [-contribution * BASIS_POINTS > tolerance_bps * positive for contribution in contributions]


def positive_sum(contributions: Sequence[int]) -> int:
    """Return the sum of the positive contributions."""
    return sum(max(contribution, 0) for contribution in contributions)
