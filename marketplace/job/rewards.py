"""What the rounds of a job pay, in words."""

from __future__ import annotations

from typing import Final

from contribution.reward_schedule import round_reward
from marketplace.job.quantities import Currency, format_amount

_SHOWN_DIGITS: Final = 4
# decay -> what it follows, of what the rounds left are.
_FALLS: Final = {1: "the rounds left", 2: "the square of the rounds left"}


def reward_words(reward_per_round: int, reward_decay: int, rounds: int, currency: Currency) -> str:
    """Say what trainers share in a round, and how that falls: the rewards of the first and the last round.

    Parameters
    ----------
    reward_per_round, reward_decay, rounds
        As in the job's terms; amounts in the currency's smallest unit.
    currency
        What amounts are written in; those that are not round, to four digits.
    """
    average = format_amount(reward_per_round, currency)
    if reward_decay == 0 or rounds == 1:
        return f"{average} a round"
    first, last = (
        _about(round_reward(reward_per_round, reward_decay, rounds, settled), currency) for settled in (0, rounds - 1)
    )
    return (
        f"{average} a round on average, falling with {_FALLS[reward_decay]}: {first} in the first, {last} in the last"
    )


def _about(units: int, currency: Currency) -> str:
    step: int = 10 ** max(len(str(units)) - _SHOWN_DIGITS, 0)
    rounded = (units + step // 2) // step * step
    return ("" if rounded == units else "about ") + format_amount(rounded, currency)
