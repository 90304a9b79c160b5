"""What a job costs and how long it takes is told before anything is sent."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from marketplace.chain.deployment import Deployment
from marketplace.chain.devnet.accounts import dev_account
from marketplace.job.cost import cost, gas_per_round
from marketplace.job.gas import FIXED, GROWING, SETTLE, gas_of
from marketplace.job.limits import MAX_REFERENCES, MAX_TRAINERS
from marketplace.job.specification import parse_specification, terms

NOW = 1_767_225_600
OWNER = dev_account(0).address


def test_the_example_costs_what_its_file_says(tables: dict[str, Any], deployment: Deployment) -> None:
    tables["money"]["referee_fee_per_round"] = "0.01 ether"
    specification = parse_specification(tables)
    made = terms(specification, deployment, dev_account(0).address, NOW)
    job = cost(specification, made, NOW)
    assert (job.rewards, job.aggregator_fees, job.referee_fees) == (3 * 10**18, 3 * 10**17, 3 * 10**16)
    assert job.deposit == job.rewards + job.aggregator_fees + job.referee_fees == made.deposit
    assert job.earliest_end == 3 * (5 + 1), "each round waits for a challenge window"
    assert job.latest_end == 3600 + 3 * (30 + 20 + 40) + 5
    assert job.gas_of("owner") == sum(FIXED[step] for step in ("create", "complete", "withdraw")) + gas_of(
        "start", 10
    ) + 3 * gas_of("submitReference", 10), "the owner is the referee"
    assert job.gas_of("referee") == 0


def test_another_referee_pays_its_own_gas(tables: dict[str, Any], deployment: Deployment) -> None:
    tables["parties"]["referee"] = dev_account(2).address
    specification = parse_specification(tables)
    job = cost(specification, terms(specification, deployment, dev_account(0).address, NOW), NOW)
    assert job.gas_of("referee") == 3 * FIXED["submitReference"]


@pytest.mark.parametrize("step", [*GROWING, "settle"])
@pytest.mark.parametrize("references", [0, 1, 2, 5, MAX_REFERENCES])
def test_gas_grows_with_the_trainers_and_stays_under_the_limit(step: str, references: int) -> None:
    figures = [gas_of(step, trainers, references) for trainers in range(1, MAX_TRAINERS + 1)]
    assert all(less <= more for less, more in pairwise(figures))
    assert figures[-1] < 2**24


def test_what_was_measured_is_what_is_told() -> None:
    for step, figures in GROWING.items():
        assert all(gas_of(step, trainers) == measured for trainers, measured in figures.items())
    for references, figures in SETTLE.items():
        assert all(gas_of("settle", trainers, references) == measured for trainers, measured in figures.items())


def test_each_curvature_vector_adds_to_a_settlement_and_to_nothing_else() -> None:
    for trainers in (3, 10, MAX_TRAINERS):
        figures = [gas_of("settle", trainers, references) for references in range(2, MAX_REFERENCES + 1)]
        assert all(less < more for less, more in pairwise(figures))
        assert gas_of("settle", trainers, 0) == gas_of("settle", trainers)
        assert gas_of("start", trainers, MAX_REFERENCES) == gas_of("start", trainers)
    added = gas_per_round("aggregator", 10, 3) - gas_per_round("aggregator", 10)
    assert added == gas_of("settle", 10, 3) - gas_of("settle", 10)


def test_what_the_file_says_of_vectors_is_in_the_terms_and_in_the_cost(
    tables: dict[str, Any], deployment: Deployment
) -> None:
    tables["parties"]["reference_vectors"] = 1
    plain = cost(specification := parse_specification(tables), terms(specification, deployment, OWNER, NOW), NOW)
    tables["parties"]["reference_vectors"] = 9
    made = terms(specification := parse_specification(tables), deployment, OWNER, NOW)
    assert made.references == 9
    further = cost(specification, made, NOW)
    assert further.gas_of("aggregator") - plain.gas_of("aggregator") == 3 * (
        gas_of("settle", 10, 9) - gas_of("settle", 10)
    )
    assert further.gas_of("owner") == plain.gas_of("owner")


def test_gas_of_a_round_is_told_by_party() -> None:
    assert gas_per_round("trainer") == FIXED["submit"]
    assert gas_per_round("aggregator", 10) == gas_of("settle", 10) + gas_of("closeSubmissions", 10)
