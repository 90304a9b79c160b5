"""What the words on these pages mean."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

pages: Final = Blueprint("glossary", __name__)

GLOSSARY: Final = (
    ("Job", "What an owner wants trained, and what it pays: fixed when the job is created, and never changed after."),
    ("Owner", "Whoever created the job and paid the deposit. What is not spent goes back to it."),
    ("Trainer", "Whoever trains on its own data. The data never leave it; each round it hands in an update."),
    ("Update", "How a trainer's data would change the model: a list of integers, one for each parameter."),
    (
        "Aggregator",
        "Named by the owner. It opens the updates, computes the round and proves it. It reads each update in clear; it "
        "can't change what anybody is paid.",
    ),
    (
        "Referee",
        "By default the owner. It keeps samples back and posts vectors that tell how much an update helps on them.",
    ),
    ("Round", "One step of training: trainers commit, hand over, and the aggregator settles, each within its window."),
    ("Commitment", "A short number that fixes an update before anybody sees it. Another update does not fit it."),
    ("Envelope", "An update, encrypted so that the aggregator alone can open it."),
    (
        "Gram matrix",
        "The inner products of a round's updates, each with each. Everything that is decided follows from it, and the "
        "proof shows that it belongs to the committed updates.",
    ),
    (
        "Cosine",
        "An inner product divided by both lengths: 1 for updates in the same direction, 0 for unrelated ones, −1 for "
        "opposite ones.",
    ),
    ("Proof", "What the contract checks before it pays. Without it no round is settled."),
    (
        "Rule",
        "A contract that decides, from the matrix alone, who is kept in the average, with what weight, and what each "
        "is paid.",
    ),
    ("Kept", "In the round's average, with a weight."),
    ("Dropped", "Accepted, and left out of the average by the rule: a copy, an outlier, or no gain. It is not paid."),
    (
        "Excluded",
        "Left out before the rule, by the aggregator, with a reason and evidence that anybody can check.",
    ),
    (
        "Contribution",
        "The exact Shapley value of an update: what it adds to the round, averaged over all orders in which the others "
        "could have come. Pay is by its share of the positive ones.",
    ),
    ("Settled", "The proof was checked, pay was credited, the model moved on."),
    ("Void", "A round without a result, because too little came in or was kept. Nobody is paid or punished."),
    ("Expired", "The aggregator did not settle in time; it loses a penalty, which goes to those who submitted."),
    (
        "Stake",
        "What a trainer puts down to take part. It gets it back unless it stays away or does harm again and again.",
    ),
    ("Bond", "What the aggregator puts down. It loses from it by rounds that expire and by publishing what is wrong."),
    ("Strike", "Counts an update that did more harm than the job tolerates. At the job's limit the stake is lost."),
    ("Challenge window", "The time after a settlement in which it can be flagged or refuted. Pay is drawn after it."),
    ("Flagged", "More than half of a round's submitters say that what was published does not open the commitment."),
    ("Refuted", "Somebody showed by arithmetic that no real updates have the matrix that was settled."),
    ("Escrow", "Rewards and fees of rounds to come, held by the contract."),
    ("Credit", "What belongs to somebody and has not been withdrawn yet."),
    ("Final", "Below so many blocks that a reorganisation of the chain is not expected to undo it."),
)


@pages.get("/glossary")
def terms() -> ResponseReturnValue:
    """Show the glossary."""
    return render_template("public/glossary.html", glossary=GLOSSARY)
