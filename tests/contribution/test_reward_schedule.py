"""Rewards fall as the schedule says, fit into the deposit, and are the contract's to the bit."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from eth_abi import decode, encode
from eth_utils import function_signature_to_4byte_selector
from hypothesis import example, given
from hypothesis import strategies as st
from pyrevm import EVM

from contribution.errors import RuleInputError
from contribution.reward_schedule import DEFAULT_DECAY, MAX_DECAY, round_reward
from marketplace.chain.artifacts import read_artifact
from marketplace.job.limits import MAX_AMOUNT, MAX_ROUNDS

PROBE = Path(__file__).parents[1] / "chain" / "contracts" / "RewardScheduleProbe.json"
CALLER = "0x" + "11" * 20
RANDOM_JOBS = 1_500


def schedule(average: int, decay: int, rounds: int) -> list[int]:
    return [round_reward(average, decay, rounds, settled) for settled in range(rounds)]


def test_three_rounds_pay_in_parts_of_what_is_left_of_the_job() -> None:
    assert schedule(10_007, 0, 3) == [10_007, 10_007, 10_007]
    assert schedule(10_007, 1, 3) == [30_021 * part // 6 for part in (3, 2, 1)] == [15_010, 10_007, 5_003]
    assert schedule(10_007, 2, 3) == [30_021 * part // 14 for part in (9, 4, 1)] == [19_299, 8_577, 2_144]


@pytest.mark.parametrize("decay", range(MAX_DECAY + 1))
def test_a_job_of_one_round_pays_all_of_it_there(decay: int) -> None:
    assert schedule(10**18, decay, 1) == [10**18]


def test_half_of_a_long_jobs_money_is_paid_in_its_first_rounds() -> None:
    rewards = schedule(10**18, DEFAULT_DECAY, 20)
    assert sum(rewards[:4]) > 0.47 * 20 * 10**18
    assert sum(rewards[10:]) < 0.14 * 20 * 10**18
    assert rewards[0] / 10**18 == pytest.approx(6 * 400 / (21 * 41))
    assert rewards[-1] / 10**18 == pytest.approx(6 / (21 * 41))


@given(st.integers(1, MAX_AMOUNT), st.integers(0, MAX_DECAY), st.integers(1, 300))
@example(1, 2, 300)
@example(MAX_AMOUNT, 2, 300)
def test_rewards_are_their_exact_part_and_lose_less_than_a_unit_each(average: int, decay: int, rounds: int) -> None:
    rewards = schedule(average, decay, rounds)
    parts = [(rounds - settled) ** decay for settled in range(rounds)]
    exact = [Fraction(average * rounds * part, sum(parts)) for part in parts]
    assert sum(exact) == average * rounds
    assert all(0 <= due - reward < 1 for due, reward in zip(exact, rewards, strict=True))
    assert rewards == sorted(rewards, reverse=True)
    assert average * rounds - rounds < sum(rewards) <= average * rounds


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((-1, 0, 3, 0), "the reward is -1 a round"),
        ((1, 3, 3, 0), "the decay of the reward is 3; it must be from 0 to 2"),
        ((1, -1, 3, 0), "the decay of the reward is -1"),
        ((1, 0, 3, -1), "after -1 settled rounds of 3"),
        ((1, 2, 3, 3), "after 3 settled rounds of 3 nothing is left to be paid; ask for 0 to 2"),
        ((1, 1, 0, 0), "after 0 settled rounds of 0"),
    ],
)
def test_numbers_that_no_job_has_are_refused(arguments: tuple[int, int, int, int], words: str) -> None:
    with pytest.raises(RuleInputError, match=words):
        round_reward(*arguments)


@pytest.fixture(scope="module")
def contract():
    """The contract's rewards after `first` to `last` settled rounds."""
    evm = EVM(spec_id="PRAGUE")
    evm.set_balance(CALLER, 10**30)
    address = evm.deploy(CALLER, read_artifact(PROBE).bytecode)
    types = ["uint256"] * 5
    selector = function_signature_to_4byte_selector(f"rewards({','.join(types)})")

    def rewards(average: int, decay: int, rounds: int, first: int, last: int) -> list[int]:
        data = selector + encode(types, [average, decay, rounds, first, last])
        (found,) = decode(["uint256[]"], bytes(evm.message_call(CALLER, address, calldata=data, gas=2**40)))
        return list(found)

    return rewards


@pytest.mark.parametrize("decay", range(MAX_DECAY + 1))
@pytest.mark.parametrize("average", [1, 2, 10**18, MAX_AMOUNT - 1, MAX_AMOUNT, 2**96 - 1])
@pytest.mark.parametrize("rounds", [1, 2, 3, 255, 256, MAX_ROUNDS])
def test_the_contract_pays_the_same_at_the_limits(contract, average: int, decay: int, rounds: int) -> None:
    for first in {0, rounds // 2, max(0, rounds - 4)}:
        last = min(rounds - 1, first + 3)
        expected = [round_reward(average, decay, rounds, settled) for settled in range(first, last + 1)]
        assert contract(average, decay, rounds, first, last) == expected


def test_the_contract_pays_the_same_in_any_job(contract) -> None:
    draws = np.random.default_rng(list(b"reward schedule"))
    compared = 0
    for _ in range(RANDOM_JOBS):
        decay, rounds = int(draws.integers(MAX_DECAY + 1)), int(2 ** draws.uniform(0, np.log2(MAX_ROUNDS)))
        average = 1 + int.from_bytes(draws.bytes(12), "big") % 2 ** int(draws.integers(1, 95))
        first = int(draws.integers(rounds))
        last = min(rounds - 1, first + 9)
        expected = [round_reward(average, decay, rounds, settled) for settled in range(first, last + 1)]
        assert contract(average, decay, rounds, first, last) == expected
        compared += len(expected)
    assert compared > 5 * RANDOM_JOBS


def test_the_contract_pays_the_same_in_every_round_of_a_job(contract) -> None:
    for decay in range(MAX_DECAY + 1):
        for rounds in (1, 7, 40, 1_000):
            assert contract(10**18 + 1, decay, rounds, 0, rounds - 1) == schedule(10**18 + 1, decay, rounds)
