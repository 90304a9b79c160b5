"""One sentence for each reason under both rules, with the numbers that decided; the two parts of a Shapley value."""

from __future__ import annotations

import re
from fractions import Fraction
from math import sqrt

import numpy as np
import pytest

from contribution import mixture_rule, rule
from contribution.errors import RuleInputError
from contribution.explanation import explain, told_apart
from contribution.gram import gram_matrix
from contribution.mixture import WHOLE
from contribution.outcome import Reason
from contribution.readable import clip
from contribution.readable import game as readable_game
from contribution.readable_mixture import mixture as readable_mixture
from contribution.rules import RULES
from contribution.shapley import PublicSums, exact_shapley, fixed_point_error
from contribution.value_parts import value_parts

FIRST, MIXTURE = rule.NAME, mixture_rule.NAME
KEPT = re.compile(
    r"kept with weight (?P<weight>\S+) % \((?P<why>.*)\): Shapley value (?P<value>\S+) = linear part (?P<linear>\S+) "
    r"\+ redundancy part (?P<redundancy>\S+); (?P<pay>.*)"
)
UNIT = 2**32


def explained(name, gram, trainers, references, tolerated):
    outcome = RULES[name](gram, trainers, references, tolerated)
    names = [f"trainer {place + 1}" for place in range(trainers)]
    return outcome, explain(name, gram, references, outcome, names)


def orthogonal(norms, *products):
    """Updates at right angles, and their inner products with the referee's vectors."""
    trainers, vectors = len(norms), len(products)
    gram = np.diag([*norms, *[10**12] * vectors]).astype(np.int64)
    for vector, row in enumerate(products):
        gram[trainers + vector, :trainers] = gram[:trainers, trainers + vector] = row
    return gram


def related(i, j, cosine, gram):
    gram[i, j] = gram[j, i] = int(cosine * sqrt(gram[i, i]) * sqrt(gram[j, j]))
    return gram


def near(text: str, exact: float) -> bool:
    return float(text) == pytest.approx(exact, rel=6e-3, abs=1e-12)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("references", [0, 1, 2, 3])
def test_every_number_of_a_kept_trainers_sentence_is_the_rules(name, references, matrix_makers, rng) -> None:
    for _ in range(10):
        gram = matrix_makers["honest"](rng, 8 + references, 8)
        outcome, sentences = explained(name, gram, 8, references, 2)
        parts = value_parts(name, gram.tolist(), 8, references, outcome)
        positive = sum(max(value, 0) for value in outcome.contributions)
        for place, (decision, sentence) in enumerate(zip(outcome.decisions, sentences, strict=True)):
            if decision.reason is not Reason.KEPT:
                assert not sentence.startswith("kept")
                continue
            said = KEPT.fullmatch(sentence)
            assert said is not None, sentence
            value = outcome.contributions[place]
            assert near(said["weight"], 100 * outcome.weights[place] / WHOLE)
            assert near(said["value"], value / UNIT)
            assert near(said["linear"], parts[place].linear / UNIT)
            assert near(said["redundancy"], parts[place].redundancy / UNIT)
            if value > 0:
                share = said["pay"].removesuffix(" % of the round's pay")
                assert near(share, 100 * value / positive)
            else:
                assert said["pay"] == "no pay, as that is not positive"
            by_mixture = name == MIXTURE and references > 1
            assert said["why"].startswith("limit 33.3 %" if by_mixture else "multi-Krum score ")
            if not by_mixture:
                score, cut = re.findall(r"score (\S+) [<=] cut ([^,]+)", said["why"])[0]
                assert near(score, decision.measured)
                assert near(cut, decision.limit)


@pytest.mark.parametrize("name", RULES)
def test_a_zero_update_has_no_norm(name) -> None:
    gram = orthogonal([0] + [10**8] * 6, [0] + [10**5] * 6, [0] + [10**4] * 6)
    outcome, sentences = explained(name, gram, 7, 2, 2)
    assert outcome.reasons[0] is Reason.ZERO_UPDATE
    assert sentences[0] == "dropped as a zero update: squared norm 0"


@pytest.mark.parametrize(
    ("name", "references", "cosine", "threshold"),
    [(FIRST, 2, "0.9995", "0.999"), (MIXTURE, 1, "0.9995", "0.999"), (MIXTURE, 2, "0.995", "0.99")],
)
def test_a_copy_is_named_with_its_cosine_and_the_rules_threshold(name, references, cosine, threshold) -> None:
    products = [[10**5] * 8, [10**4] * 8][:references]
    gram = related(2, 5, float(cosine), orthogonal([10**12] * 8, *products))
    outcome, sentences = explained(name, gram, 8, references, 1)
    assert outcome.reasons[5] is Reason.DUPLICATE
    assert sentences[5] == f"dropped as a copy: cosine {cosine} above {threshold} with trainer 3"


def test_the_first_of_few_copies_is_dropped_with_them() -> None:
    gram = related(2, 5, 0.995, orthogonal([10**12] * 8, [10**5] * 8, [10**4] * 8))
    outcome, sentences = explained(MIXTURE, gram, 8, 2, 2)
    assert outcome.reasons[2] is outcome.reasons[5] is Reason.DUPLICATE
    assert sentences[2] == ("dropped with its copies, which may all be faulty: cosine 0.995 above 0.99 with trainer 6")
    assert sentences[5] == "dropped as a copy: cosine 0.995 above 0.99 with trainer 3"


@pytest.mark.parametrize("name", RULES)
def test_an_update_against_the_reference_is_dropped_with_its_product(name) -> None:
    gram = orthogonal([10**10] * 8, [-1_234_567_890, 0] + [10**5] * 6)
    outcome, sentences = explained(name, gram, 8, 1, 2)
    assert outcome.reasons[:2] == (Reason.REFERENCE_FILTER,) * 2
    assert sentences[0] == "dropped by the reference filter: inner product -1.23e+09 <= 0"
    assert sentences[1] == "dropped by the reference filter: inner product 0 <= 0"


@pytest.mark.parametrize("name", RULES)
def test_an_outlier_is_told_its_score_and_the_cut(name) -> None:
    outcome, sentences = explained(name, orthogonal([100, 101, 102, 103, 104, 105, 9000], [1] * 7), 7, 1, 1)
    assert outcome.reasons[6] is Reason.MULTI_KRUM
    assert sentences[6] == (
        f"not among the 6 most central of 7: multi-Krum score {outcome.decisions[6].measured:.3g} above cut "
        f"{outcome.decisions[6].limit}"
    )


def test_a_tie_at_the_cut_is_told() -> None:
    outcome, sentences = explained(FIRST, orthogonal([100] * 7), 7, 0, 1)
    assert outcome.reasons[6] is Reason.MULTI_KRUM
    assert sentences[6] == (
        "not among the 6 most central of 7: multi-Krum score 800 equal to the cut, and the tie goes to lower addresses"
    )


def test_no_gain_says_what_the_loss_would_do() -> None:
    gram = orthogonal([10**8] * 6, [900, 800, 700, 600, 100, -500], [0] * 6)
    outcome, sentences = explained(MIXTURE, gram, 6, 2, 1)
    assert outcome.reasons[4:] == (Reason.NO_GAIN,) * 2
    words = "that of those kept lowers it by at least 700"
    assert sentences[4] == f"no gain: at the margin its weight would lower the loss by 100, {words}"
    assert sentences[5] == f"no gain: at the margin its weight would raise the loss by 500, {words}"


def test_clipped_away_says_by_how_much() -> None:
    far = orthogonal([10**4] * 6 + [2_100_000**2], [10] * 6 + [2**40], [0] * 7)
    outcome, sentences = explained(MIXTURE, far, 7, 2, 1)
    assert outcome.reasons[6] is Reason.CLIPPED_AWAY
    assert sentences[6] == "clipped away: shortened to 4.58e-05 of its norm, a weight takes at least 6.1e-05"
    outcome, sentences = explained(FIRST, far, 7, 2, 0)
    assert outcome.reasons[6] is Reason.CLIPPED_AWAY
    assert sentences[6] == "clipped away: shortened to 4.58e-05 of its norm, a weight takes at least 0.000107"


@pytest.mark.parametrize("name", RULES)
def test_a_clipped_update_says_what_is_left_of_it(name) -> None:
    outcome, sentences = explained(name, orthogonal([10**4] * 6 + [4 * 10**4], [10] * 6 + [50], [0] * 7), 7, 2, 0)
    assert outcome.reasons[6] is Reason.KEPT
    assert "update shortened to 50 % of its norm" in sentences[6]
    assert "shortened" not in sentences[0]


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("references", [0, 1, 2])
def test_a_void_round_says_what_is_missing(name, references) -> None:
    gram = orthogonal([10**8] * 4, *[[5] * 4] * references)
    outcome, sentences = explained(name, gram, 4, references, 1)
    assert outcome.void
    words = "round void: 4 updates passed the filters, to tolerate 1 faulty ones takes 5"
    assert sentences == (words,) * 4


def test_a_round_void_for_want_of_weights_says_so() -> None:
    outcome, sentences = explained(FIRST, orthogonal([10**4] * 2 + [2**62], [10] * 3), 3, 1, 0)
    assert outcome.reasons == (Reason.ROUND_VOID, Reason.ROUND_VOID, Reason.CLIPPED_AWAY)
    assert sentences[0] == "round void: 2 of 3 updates would have a weight, it takes 3"
    assert sentences[2].startswith("clipped away: shortened to 0 of its norm")


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("makers", ["honest", "ties", "zero rows", "rank one", "near int64", "negative b"])
def test_whatever_the_matrix_everybody_gets_a_sentence_and_two_parts(name, makers, matrix_makers, rng) -> None:
    for index in range(60):
        trainers, references, tolerated = int(rng.integers(1, 14)), index % 4, int(rng.integers(0, 4))
        gram = matrix_makers[makers](rng, trainers + references, trainers)
        outcome, sentences = explained(name, gram, trainers, references, tolerated)
        assert len(sentences) == trainers
        assert all(re.search(r"\d", sentence) for sentence in sentences)
        assert not any("nan" in sentence or "inf" in sentence for sentence in sentences)
        parts = value_parts(name, gram.tolist(), trainers, references, outcome)
        assert tuple(part.linear + part.redundancy for part in parts) == outcome.contributions


@pytest.mark.parametrize("references", [0, 1, 2, 4])
def test_the_first_rules_parts_are_the_values_of_two_games(references, matrix_makers, rng) -> None:
    for _ in range(10):
        gram = matrix_makers["honest"](rng, 8 + references, 8).tolist()
        outcome = rule.evaluate(gram, 8, references, 2)
        kept = [i for i, weight in enumerate(outcome.weights) if weight]
        gain, curvature = readable_game(gram, kept, clip(gram, kept), 8, references)
        gains = [gain[i] for i in kept]
        square = [[curvature[i, j] for j in kept] for i in kept]
        linear = exact_shapley(gains, [[0] * len(kept)] * len(kept))
        redundancy = exact_shapley([0] * len(kept), square)
        sums = PublicSums(sum(gains), sum(square[k][k] for k in range(len(kept))), sum(map(sum, square)))
        parts = value_parts(FIRST, gram, 8, references, outcome)
        for k, i in enumerate(kept):
            bound = fixed_point_error(gains[k], square[k][k], sum(square[k]) - square[k][k], sums)
            assert abs(Fraction(parts[i].linear, UNIT) - linear[k]) <= bound
            assert abs(Fraction(parts[i].redundancy, UNIT) - redundancy[k]) <= 2 * bound


@pytest.mark.parametrize("references", [2, 3, 9])
def test_the_mixtures_parts_are_its_linear_and_its_quadratic_terms(references, rng) -> None:
    for _ in range(10):
        gram = gram_matrix(rng.integers(-1000, 1001, (9 + references, 24)).astype(np.int16)).tolist()
        outcome = mixture_rule.evaluate(gram, 9, references, 2)
        everyone = list(range(9))
        factor = clip(gram, everyone)
        project = [[int(gram[i][9 + v] * factor[i] // 1) for i in everyone] for v in range(references)]
        gain = dict(enumerate(project[0]))
        curvature = {(i, j): Fraction(sum(c[i] * c[j] for c in project[1:]), 2**16) for i in everyone for j in everyone}
        share = readable_mixture(everyone, gain, curvature)
        for i, parts in enumerate(value_parts(MIXTURE, gram, 9, references, outcome)):
            if outcome.weights[i] == 0:
                continue
            common = share[i] * sum((curvature[i, j] * share[j] for j in everyone), Fraction(0))
            assert Fraction(parts.linear, UNIT) == 2 * share[i] * gain[i]
            assert -1 < parts.redundancy + UNIT * common <= 0
            assert parts.linear + parts.redundancy == outcome.contributions[i]


def test_an_unknown_rule_is_refused() -> None:
    gram = orthogonal([10**8] * 5)
    with pytest.raises(RuleInputError, match="best-of-luck/1"):
        explain("best-of-luck/1", gram, 0, rule.evaluate(gram, 5, 0, 1), ["a"] * 5)


def test_numbers_that_differ_are_written_differently() -> None:
    assert told_apart(1234567, 1234568) == ("1234567", "1234568")
    assert told_apart(2.0, 3.0) == ("2", "3")
    assert told_apart(5, 5) == ("5", "5")
    assert told_apart(123456, 99) == ("1.23e+05", "99")
