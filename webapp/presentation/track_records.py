"""What accounts have done in a market, in sentences."""

from __future__ import annotations

from marketplace.index.queries.accounts import AggregatorRecord


def aggregator_sentence(record: AggregatorRecord) -> str:
    """Say what an aggregator has done over all jobs."""
    jobs = sum(record.states.values())
    outcomes, overturned = record.outcomes, sum(record.overturned.values())
    parts = [f"{outcomes.get(name, 0)} {words}" for name, words in _OUTCOMES.items() if outcomes.get(name)]
    rounds = f"; of its rounds {', '.join(parts)}" if parts else "; none of its rounds has ended"
    wrong = f", and {overturned} were overturned" if overturned else ", and none was overturned" if parts else ""
    return f"The aggregator has {jobs} job{'s' if jobs != 1 else ''} in this market{rounds}{wrong}."


_OUTCOMES = {"settled": "were settled", "void": "were void", "expired": "expired"}
