"""The ranges of a job's terms, as `TermsCheck.sol` enforces them; amounts in smallest units, times in seconds."""

from typing import Final

from contribution.reward_schedule import round_reward

MAX_AMOUNT: Final = 2**94
MAX_WINDOW: Final = 30 * 86_400
MAX_TIME_TO_START: Final = 365 * 86_400
MAX_ROUNDS: Final = 10_000
MAX_TRAINERS: Final = 128
MAX_REFERENCES: Final = 9
MAX_TOLERATED: Final = (MAX_TRAINERS - 3) // 2
MIN_BITS: Final = 2
MAX_BITS: Final = 16
MAX_SCALE_EXPONENT: Final = 48
MAX_STRIKE_LIMIT: Final = 255
MAX_STRIKE_TOLERANCE_BPS: Final = 2**16 - 1

# Whoever takes part in every round learns, of each round, as many exact inner products with an update as there are
# other trainers and vectors of the referee; a model this many times larger keeps them a small part of what there is to
# know.
PRIVACY_FACTOR: Final = 1_024


def quorum(tolerated: int) -> int:
    """Return the trainers without whom a round is void, 2f + 3."""
    return 2 * tolerated + 3


def least_penalty(reward_per_round: int, reward_decay: int, rounds: int) -> int:
    """Return what a skipped settlement must cost at least: a tenth more than the first round pays, rounded up.

    No round pays more than the first that is settled.
    """
    return (11 * round_reward(reward_per_round, reward_decay, rounds, 0) + 9) // 10
