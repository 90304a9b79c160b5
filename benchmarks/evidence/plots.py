"""The plots of the pages of evidence, as SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

# The colour-blind safe palette of Okabe and Ito.
COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")


def attack_plot(names: Sequence[str], lost: Sequence[float], paid: Sequence[float], limit: float, fair: float) -> bytes:
    """Draw what attacks cost and earn.

    Parameters
    ----------
    names
        Of the attacks, from the top.
    lost
        Share of the accuracy that each takes, in percent.
    paid
        Share of the pay that each earns, in percent.
    limit
        What may be lost, in percent.
    fair
        What the same trainers earn by working honestly, in percent.
    """
    figure = Figure(figsize=(9, 1.2 + 0.19 * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    places = range(len(names))
    left.barh(places, lost, color=COLOURS[0])
    left.axvline(limit, color="black", linestyle="--", linewidth=1, label="goal")
    left.set_xlabel("Accuracy lost, % of the plain mean's without attack")
    left.set_yticks(places, names, fontsize=8)
    left.set_ylim(len(names) - 0.4, -0.6)
    left.legend(loc="lower right", bbox_to_anchor=(1, 1))
    right.barh(places, paid, color=COLOURS[1])
    right.axvline(fair, color="black", linestyle=":", linewidth=1, label="the same trainers, honest")
    right.set_xlabel("Attackers' share of the pay, %")
    right.legend(loc="lower right", bbox_to_anchor=(1, 1))
    return _svg(figure)


def scorer_plot(values: Mapping[str, Mapping[str, float]]) -> bytes:
    """Draw the mean rank correlation with the exact Shapley value: by preset, a bar for each scorer."""
    scorers = list(next(iter(values.values())))
    figure = Figure(figsize=(2.5 + 2.2 * len(values), 3.6), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(scorers)
    for place, scorer in enumerate(scorers):
        found = [values[preset][scorer] for preset in values]
        at = [k + (place - (len(scorers) - 1) / 2) * width for k in range(len(values))]
        bars = axes.bar(at, found, width, label=scorer, color=COLOURS[place % len(COLOURS)])
        axes.bar_label(bars, [f"{value:.2f}" for value in found], fontsize=7)
    axes.set_xticks(range(len(values)), list(values))
    axes.set_ylim(0, 1)
    axes.set_ylabel("Mean Spearman correlation with the truth")
    figure.legend(loc="outside right upper", fontsize=8)
    return _svg(figure)


def _svg(figure: Figure) -> bytes:
    # With a fixed salt and without a date the same figure gives the same bytes.
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "cairn"}):
        target = io.BytesIO()
        figure.savefig(target, format="svg", metadata={"Date": None})
    return target.getvalue()
