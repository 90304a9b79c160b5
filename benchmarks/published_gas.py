"""Gas that others have published for paying the trainers of a round, beside ours."""

from __future__ import annotations

from collections.abc import Mapping

HEADING = "## Beside published figures"

# System, what the authors give, and what is and is not in it.
PUBLISHED = (
    (
        "SettleFL, optimistic (Liang et al. 2026, arXiv 2602.23167)",
        "62,941 a round, whatever the number of trainers",
        "commits to who is to get how much, which stands unless somebody objects in time; scores are an input. Paying "
        "out: about 74,000 a trainer, once",
    ),
    (
        "SettleFL, with a proof",
        "about 280,000 a round",
        "proves that rewards follow from scores; the scores themselves are an input. Paying out as above",
    ),
    (
        "2CP (Cai, Rueckert, Passerat-Palmbach 2020, arXiv 2011.07516)",
        "68,782 for each scored update",
        "records a score that was computed off chain, by the owner of the model or by trainers of each other; the "
        "contract does not check it",
    ),
    (
        "DIN (Nash 2024, arXiv 2407.02461)",
        "about 1,600,000 a trainer and round",
        "scores come from auditors, off chain; what a round costs on chain, divided by its trainers",
    ),
)


def section(settle: Mapping[str, int], submit: int) -> str:
    """Return the section of `docs/gas.md`.

    Parameters
    ----------
    settle
        Gas of a later settlement by number of trainers.
    submit
        Gas of one trainer's submission.
    """
    lines = [
        HEADING,
        "",
        "The figures of others are quoted, not measured again; they are of other contracts, on other chains. They do",
        "not do the same: only here does the contract itself check that the scores follow from the updates that were",
        "committed to, decide who is kept, compute the scores and move the model on.",
        "",
        "| system | gas | what is in it |",
        "|---|---:|---|",
    ]
    lines += [f"| {system} | {gas} | {scope} |" for system, gas, scope in PUBLISHED]
    for size, gas in settle.items():
        each = gas // int(size)
        lines.append(
            f"| Cairn, {size} trainers | {gas:,} a round, {each:,} a trainer | proof of the scores, selection, scores, "
            "pay credited, model commitment |"
        )
    lines += [
        "",
        f"To ours comes what each trainer spends itself: {submit:,} to submit, in every round; to theirs, what an",
        "update or a registration costs there. A settlement that nobody checks on chain will always be cheaper.",
    ]
    return "\n".join(lines) + "\n"
