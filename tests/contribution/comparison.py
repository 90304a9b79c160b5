"""A rule's contract against its Python twin: what every rule has to hold, and small matrices to hold it on."""

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from contribution.gram import GramMatrix
from contribution.outcome import RuleOutcome

Evaluate = Callable[[GramMatrix, int, int, int], RuleOutcome]


def assert_equal(
    evaluate: Evaluate, contract, gram: GramMatrix, trainers: int, references: int, tolerated: int
) -> RuleOutcome:
    """Compare the two, and check what the market relies on; return the twin's outcome."""
    outcome = evaluate(gram, trainers, references, tolerated)
    weights, contributions, reference_used = contract.evaluate(gram, trainers, references, tolerated)
    assert weights == outcome.weights
    assert contributions == outcome.contributions
    assert reference_used == outcome.reference_used
    assert sum(weights) <= 2**16
    assert all(abs(value) < 2**200 for value in contributions)
    assert all(weight > 0 or value == 0 for weight, value in zip(weights, contributions, strict=True))
    assert outcome.void or sum(weight > 0 for weight in weights) >= 3
    return outcome


@st.composite
def small_rounds(draw: st.DrawFn, fewest_references: int, most_references: int) -> tuple[GramMatrix, int, int, int]:
    """Rounds of 1 to 7 trainers whose entries are as large as the 2 x 2 minors allow."""
    trainers = draw(st.integers(1, 7))
    references = draw(st.integers(fewest_references, most_references))
    tolerated = draw(st.integers(0, 3))
    rows = trainers + references
    gram = np.zeros((rows, rows), dtype=np.int64)
    for i in range(rows):
        gram[i, i] = draw(st.integers(0, 30) | st.integers(0, 2**63 - 1))
        for j in range(i):
            bound = int(np.sqrt(float(gram[i, i])) * np.sqrt(float(gram[j, j])) * (1 - 2**-40))
            gram[i, j] = gram[j, i] = draw(st.integers(-bound, bound))
    return gram, trainers, references, tolerated
