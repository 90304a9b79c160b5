"""Who contributed what to a round, as shares of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from contribution.payout import positive_sum
from marketplace.index.queries.history import DecidedPart, DecidedRound
from webapp.presentation.matrix import SHADES


def shares_of(decided: Iterable[DecidedPart]) -> dict[ChecksumAddress, float]:
    """Return each trainer's Shapley value as a share of the round's positive ones; those excluded are left out."""
    parts = [part for part in decided if part.contribution is not None]
    positive = positive_sum([part.contribution or 0 for part in parts])
    return {part.account: (part.contribution or 0) / positive if positive else 0.0 for part in parts}


def numbered(accounts: Iterable[ChecksumAddress]) -> dict[ChecksumAddress, int]:
    """Return a number for each trainer of a job, from 1 in ascending order of address, as the market orders them."""
    return {account: place for place, account in enumerate(sorted(accounts, key=lambda each: int(each, 16)), 1)}


@dataclass(frozen=True)
class ShareCell:
    """What one round made of one trainer: in words, and the shade of its cell, from -5 to 5; None without a share."""

    text: str
    shade: int | None


def share_rows(
    rounds: Sequence[DecidedRound], numbers: Mapping[ChecksumAddress, int]
) -> list[tuple[int, list[ShareCell]]]:
    """Return, for each trainer by number, a cell for each round."""
    if not rounds:
        return []
    shares = [shares_of(each.decided) for each in rounds]
    parts = [{part.account: part for part in each.decided} for each in rounds]
    return [
        (number, [_cell(part.get(account), share.get(account)) for part, share in zip(parts, shares, strict=True)])
        for account, number in sorted(numbers.items(), key=lambda item: item[1])
    ]


def _cell(part: DecidedPart | None, share: float | None) -> ShareCell:
    if part is None:
        return ShareCell("–", None)
    if part.verdict != "kept" or share is None:
        return ShareCell(part.verdict, None)
    shade = max(-SHADES, min(SHADES, round(share * SHADES)))
    return ShareCell(f"{100 * share:.1f}".replace("-", "\N{MINUS SIGN}"), shade)


def settled(rounds: Iterable[DecidedRound]) -> list[DecidedRound]:
    """Return the rounds that were settled and stand."""
    return [each for each in rounds if each.outcome == "settled" and each.overturned is None]
