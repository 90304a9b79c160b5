"""The plots of an audit's page, as SVG: pay by trainer, contributions by round, the cosines of each round's updates."""

from __future__ import annotations

import io
import math
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from marketplace.audit.report import Document

BLUE: Final = "#0072B2"
# Beyond this many rows of a matrix, and rounds of a table, a cell has no room for its number.
NUMBERED_ROWS: Final = 12
NUMBERED_ROUNDS: Final = 16
WIDEST_INCHES: Final = 15.0
# Rounds whose cosines are drawn; a page with all of a thousand would show nothing.
DRAWN_ROUNDS: Final = 12
COLUMNS: Final = 3

Numbers = npt.NDArray[np.float64]


def plots(facts: Document) -> dict[str, tuple[str, bytes]]:
    """Return the plots of a report: for each its title and, first, a sentence that says the same without a picture.

    Parameters
    ----------
    facts
        As `facts_of` returns them.

    Returns
    -------
    dict
        From title to sentence and SVG; empty if no round was settled.
    """
    settled = [entry for entry in facts["rounds"] if entry["ended"] == "settled"]
    if not settled:
        return {}
    # With a fixed salt the same figure gives the same bytes.
    with mpl.rc_context({"font.size": 10, "svg.fonttype": "path", "svg.hashsalt": "cairn"}):
        drawn = {
            "Pay by trainer": (_pay_words(facts, settled), _svg(pay_figure(facts, settled))),
            "Contributions by round": (_CONTRIBUTIONS, _svg(contribution_figure(facts, settled))),
        }
        with_cosines = [entry for entry in settled if entry["cosines"] is not None][:DRAWN_ROUNDS]
        if with_cosines:
            drawn["Cosines of the updates"] = (_cosine_words(settled), _svg(cosine_figure(facts, with_cosines)))
    return drawn


_CONTRIBUTIONS: Final = (
    "Each trainer's exact Shapley value as a share of the round's positive contributions, in percent; a dot where the "
    "trainer took part and was not kept, nothing where it did not take part."
)


def pay_figure(facts: Document, settled: list[Document]) -> Figure:
    """Draw what each trainer was paid over all rounds."""
    names = [label(facts, account) for account in facts["trainers"]]
    pay = _pay(facts, settled)
    figure = Figure(figsize=(7, 1.2 + 0.36 * len(names)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(range(len(names)), pay, color=BLUE)
    axes.bar_label(bars, [f"{value:.4g}" for value in pay], padding=3)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("Pay in units of a round's average reward")
    axes.margins(x=0.12)
    return figure


def contribution_figure(facts: Document, settled: list[Document]) -> Figure:
    """Draw each trainer's share of each round as a table of shaded cells."""
    names = [label(facts, account) for account in facts["trainers"]]
    shares, took_part = _shares(facts, settled)
    width = min(2.6 + 0.75 * max(len(settled), 4), WIDEST_INCHES)
    figure = Figure(figsize=(width, 1.6 + 0.36 * len(names)), layout="constrained")
    axes = figure.subplots()
    limit = max(1.0, float(np.nanmax(np.abs(shares), initial=0.0)))
    image = axes.imshow(np.ma.masked_invalid(shares), cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        text = f"{share:.0f}" if np.isfinite(share) else "·" if took_part[row, column] else ""
        colour = "white" if np.isfinite(share) and abs(share) > 0.6 * limit else "black"
        if len(settled) <= NUMBERED_ROUNDS:
            axes.text(column, row, text, ha="center", va="center", color=colour)
    every = math.ceil(len(settled) / NUMBERED_ROUNDS)
    ticks = range(0, len(settled), every)
    axes.set_xticks(ticks, [str(settled[place]["round"]) for place in ticks])
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("Round")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="Share (%)")
    return figure


def cosine_figure(facts: Document, settled: list[Document]) -> Figure:
    """Draw the Gram matrix of each round, each entry divided by the norms of its two updates."""
    columns = min(COLUMNS, len(settled))
    rows = math.ceil(len(settled) / columns)
    figure = Figure(figsize=(2.9 * columns + 0.9, 2.9 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    image: Any = None
    for axes, entry in zip(grid.flat, settled, strict=False):
        image = _draw_cosines(axes, facts, entry)
    for axes in list(grid.flat)[len(settled) :]:
        axes.set_axis_off()
    figure.colorbar(image, ax=grid, label="Cosine", shrink=0.8)
    return figure


def label(facts: Document, account: str) -> str:
    """Return how a plot calls a trainer: its number, and its address shortened."""
    return f"{facts['trainers'].index(account) + 1}  {account[:6]}…{account[-4:]}"


def _draw_cosines(axes: Axes, facts: Document, entry: Document) -> Any:  # noqa: ANN401 - an image
    cosines = np.array(entry["cosines"], dtype=np.float64)
    names = [str(facts["trainers"].index(account) + 1) for account in entry["trainers"]]
    names += ["ref"] * (len(cosines) - len(names))
    image = axes.imshow(cosines, cmap="RdBu", vmin=-1, vmax=1)
    if len(cosines) <= NUMBERED_ROWS:
        axes.set_xticks(range(len(names)), names)
        axes.set_yticks(range(len(names)), names)
        for (row, column), value in np.ndenumerate(cosines):
            colour = "white" if abs(value) > 0.6 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=6)
    axes.set_title(f"Round {entry['round']}", loc="left")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return image


def _pay(facts: Document, settled: list[Document]) -> list[float]:
    """Return pay by trainer in units of a round's average reward."""
    pay = dict.fromkeys(facts["trainers"], 0)
    for entry in settled:
        for account, amount in zip(entry["trainers"], entry["payouts_wei"], strict=False):
            pay[account] = pay.get(account, 0) + int(amount)
    return [pay[account] / max(facts["reward_per_round_wei"], 1) for account in facts["trainers"]]


def _shares(facts: Document, settled: list[Document]) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Return shares in percent, NaN where a trainer has no weight, and who took part; shape (trainers, rounds)."""
    shares = np.full((len(facts["trainers"]), len(settled)), np.nan)
    took_part = np.zeros(shares.shape, dtype=bool)
    for column, entry in enumerate(settled):
        values = [int(value) for value in entry["contributions"]]
        positive = sum(max(value, 0) for value in values) or 1
        for account, weight, value in zip(entry["trainers"], entry["weights"], values, strict=False):
            row = facts["trainers"].index(account)
            took_part[row, column] = True
            if weight:
                shares[row, column] = 100 * value / positive
    return shares, took_part


def _pay_words(facts: Document, settled: list[Document]) -> str:
    pay = _pay(facts, settled)
    shown = ", ".join(f"{number}: {value:.3g}" for number, value in enumerate(pay, 1))
    return (
        f"What each trainer was paid over {len(settled)} settled rounds, in units of a round's average reward: {shown}."
    )


def _cosine_words(settled: list[Document]) -> str:
    left = len(settled) - DRAWN_ROUNDS
    more = f" The first {DRAWN_ROUNDS} of {len(settled)} settled rounds are drawn." if left > 0 else ""
    return (
        "The matrix that each round was settled with, every entry divided by the norms of its two updates: 1 for "
        f'updates in the same direction, -1 for opposite ones. "ref" is the referee\'s reference.{more}'
    )


def _svg(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
