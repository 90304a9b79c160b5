"""Who contributed what to a round, as shares of it."""

from __future__ import annotations

from collections.abc import Iterable

from eth_typing import ChecksumAddress

from contribution.payout import positive_sum
from marketplace.index.queries.history import DecidedPart, DecidedRound


def shares_of(decided: Iterable[DecidedPart]) -> dict[ChecksumAddress, float]:
    """Return each trainer's Shapley value as a share of the round's positive ones; those excluded are left out."""
    parts = [part for part in decided if part.contribution is not None]
    positive = positive_sum([part.contribution or 0 for part in parts])
    return {part.account: (part.contribution or 0) / positive if positive else 0.0 for part in parts}


def numbered(accounts: Iterable[ChecksumAddress]) -> dict[ChecksumAddress, int]:
    """Return a number for each trainer of a job, from 1 in ascending order of address, as the market orders them."""
    return {account: place for place, account in enumerate(sorted(accounts, key=lambda each: int(each, 16)), 1)}


def settled(rounds: Iterable[DecidedRound]) -> list[DecidedRound]:
    """Return the rounds that were settled and stand."""
    return [each for each in rounds if each.outcome == "settled" and each.overturned is None]
