"""What rounds pay is told in words, with the first and the last."""

from __future__ import annotations

import pytest

from marketplace.job.quantities import NATIVE, Currency
from marketplace.job.rewards import reward_words

TOKEN = Currency(6, is_token=True)


@pytest.mark.parametrize(("decay", "rounds"), [(0, 20), (1, 1), (2, 1)])
def test_rounds_that_pay_alike_are_told_so(decay: int, rounds: int) -> None:
    assert reward_words(10**18, decay, rounds, NATIVE) == "1 ether a round"


@pytest.mark.parametrize(
    ("reward", "decay", "rounds", "currency", "words"),
    [
        (
            10**18,
            1,
            3,
            NATIVE,
            "1 ether a round on average, falling with the rounds left: 1.5 ether in the first, 0.5 ",
        ),
        (10**18, 2, 3, NATIVE, "the square of the rounds left: about 1.929 ether in the first, about 0.2143 ether in "),
        (2_500_000, 2, 2, TOKEN, "2.5 tokens a round on average, falling with the square of the rounds left: 4 tokens"),
        (7, 2, 100, NATIVE, "20 wei in the first, 0 wei in the last"),
    ],
)
def test_rewards_that_fall_are_told_to_four_digits(
    reward: int, decay: int, rounds: int, currency: Currency, words: str
) -> None:
    assert words in reward_words(reward, decay, rounds, currency)
