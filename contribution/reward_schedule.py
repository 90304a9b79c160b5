"""What each settled round of a job pays: fixed by the job's terms, so that nobody can withhold it."""

from __future__ import annotations

from typing import Final

from contribution.errors import RuleInputError

# The steepest fall, and the one of a job whose owner does not say.
MAX_DECAY: Final = 2
DEFAULT_DECAY: Final = 2


def round_reward(average: int, decay: int, rounds: int, settled: int) -> int:
    """Return a round's reward, which falls in the power `decay` of what is left of the job.

    With R on average over T rounds and `l = T - s`, of which s were settled before:

        decay 0:  R
        decay 1:  floor(2 R l / (T + 1))
        decay 2:  floor(6 R l^2 / ((T + 1) (2T + 1)))

    that is the part `l^decay / sum_(k <= T) k^decay` of R T, by Faulhaber's formulas for the sums. T settled rounds sum
    to at most R T, and to more than R T - T. A void or expired round takes no place in the schedule: it leaves the last
    and smallest reward unpaid. `RewardSchedule.sol` computes the same.

    Parameters
    ----------
    average
        R, in the token's smallest unit.
    decay
        0 to `MAX_DECAY`.
    rounds
        T, 1 or more.
    settled
        s, from 0 to T - 1.

    Returns
    -------
    int
        In the same unit as `average`, rounded down.

    Raises
    ------
    RuleInputError
        If a number is out of its range.
    """
    if average < 0:
        raise RuleInputError(f"the reward is {average} a round; a job can only pay what is in escrow, 0 or more")
    if not 0 <= decay <= MAX_DECAY:
        raise RuleInputError(f"the decay of the reward is {decay}; it must be from 0 to {MAX_DECAY}")
    if not 0 <= settled < rounds:
        raise RuleInputError(
            f"after {settled} settled rounds of {rounds} nothing is left to be paid; ask for 0 to {rounds - 1}"
        )
    left = rounds - settled
    match decay:
        case 0:
            return average
        case 1:
            return 2 * average * left // (rounds + 1)
        case _:
            return 6 * average * left**2 // ((rounds + 1) * (2 * rounds + 1))
