import numpy as np
import pytest

from benchmarks import rule_gas, rule_rounds
from benchmarks.market_on_evm import BenchmarkError
from benchmarks.rule_rounds import ATTACKS, CALM, RANDOM, random_round, rounds_of, tolerated_of
from contribution.gram import check_gram
from contribution.mixture_rule import evaluate
from marketplace.job.limits import MAX_REFERENCES, MAX_TRAINERS

TRAINERS = 8
# The largest matrix that the widest job accepts.
DIMENSION, BITS = 2**32, 16


@pytest.fixture(scope="module")
def rounds():
    return rounds_of(TRAINERS, seed=0, rounds=2)


def test_there_are_rounds_of_every_kind_that_a_market_accepts_and_the_rule_settles(rounds):
    assert list(rounds) == [CALM, *ATTACKS, RANDOM]
    for matrices in rounds.values():
        assert len(matrices) == 2
        for gram in matrices:
            assert gram.shape == (TRAINERS + MAX_REFERENCES, TRAINERS + MAX_REFERENCES)
            check_gram(gram, DIMENSION, BITS)
            assert not evaluate(gram, TRAINERS, MAX_REFERENCES, tolerated_of(TRAINERS)).void


def test_honest_updates_of_a_simulated_round_agree_and_those_of_a_random_one_hardly_do(rounds):
    def mean_cosine(gram):
        updates = gram[:TRAINERS, :TRAINERS].astype(float)
        lengths = np.sqrt(np.diag(updates))
        cosines = updates / np.outer(lengths, lengths)
        return (cosines.sum() - TRAINERS) / (TRAINERS * (TRAINERS - 1))

    calm, random = (np.mean([mean_cosine(gram) for gram in rounds[kind]]) for kind in (CALM, RANDOM))
    assert calm > 0.2 > abs(random)


def test_rounds_follow_from_the_seed():
    first, again, other = (random_round(np.random.default_rng(seed), TRAINERS) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_dearest_of_all_kinds_is_what_counts(rounds):
    rule = rule_gas.deploy()
    figures = rule_gas.judge(rule, rounds)
    all_gas = {kind: [rule_gas.gas_of(rule, gram, tolerated_of(TRAINERS)) for gram in rounds[kind]] for kind in rounds}
    assert figures.matrices == 2 * len(rounds)
    assert figures.worst == max(map(max, all_gas.values())) == max(all_gas[figures.dearest])
    assert min(all_gas[CALM]) <= figures.usual <= max(all_gas[CALM])
    assert figures.worst > 20_000


def test_a_contract_that_decides_otherwise_stops_the_benchmark(rounds, monkeypatch):
    other = evaluate(rounds[RANDOM][0], TRAINERS, MAX_REFERENCES, 1)
    monkeypatch.setattr(rule_gas, "RULES", {rule_gas.DEFAULT_RULE: lambda *_: other})
    with pytest.raises(BenchmarkError, match="otherwise"):
        rule_gas.gas_of(rule_gas.deploy(), rounds[RANDOM][1], 1)


def test_goals_are_judged_by_the_worst():
    limit = rule_gas.LIMITS[16]
    figures = {"matrices": 60, "usual": 1, "worst": limit, "dearest": CALM}
    (goal,) = rule_gas.goals({"16": figures, "32": figures})
    assert goal.met
    (goal,) = rule_gas.goals({"16": {**figures, "worst": limit + 1}})
    assert not goal.met


def test_the_section_has_a_line_for_every_size():
    row = {"matrices": 60, "usual": 200_000, "worst": 201_000, "dearest": CALM}
    section = rule_gas.section({"8": row, "16": row})
    assert "| 8 | 60 | 200,000 | 201,000 | calm |  |" in section
    assert "| 16 | 60 | 200,000 | 201,000 | calm | 250,000 |" in section


def test_rounds_are_made_at_every_size_up_to_the_maximum_of_trainers():
    assert max(rule_rounds.ROUNDS) == MAX_TRAINERS
    assert set(rule_gas.LIMITS) <= set(rule_rounds.ROUNDS)
