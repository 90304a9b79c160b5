"""The demonstration's plots, drawn from its report alone: accuracy by round, contribution by trainer, money flow."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from marketplace.training.scenario import Role

ETHER: Final = 10**18
DOTS_PER_INCH: Final = 150
# Okabe and Ito's palette, which people with any colour vision tell apart; every mark also differs in form or words.
BLUE, ORANGE, GREEN, VERMILION, GREY, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666", "#56B4E9"
ROLE_LABELS: Final = {
    Role.HONEST: "honest",
    Role.SIGN_FLIP: "sign flip",
    Role.LABEL_FLIP: "label flip",
    Role.FREE_RIDER: "free rider",
}

Report = dict[str, Any]


def draw_plots(report: Report, directory: Path) -> list[Path]:
    """Write `accuracy.png`, `contribution.png` and `money.png` into a directory; return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    drawings = {"accuracy": accuracy_figure, "contribution": contribution_figure, "money": money_figure}
    paths = []
    with mpl.rc_context({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}):
        for name, draw in drawings.items():
            path = directory / f"{name}.png"
            draw(report).savefig(path, dpi=DOTS_PER_INCH)
            paths.append(path)
    return paths


def accuracy_figure(report: Report) -> Figure:
    """Draw the test accuracy after each round against federated averaging over the honest trainers."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    rounds = [entry["round"] for entry in report["rounds"]]
    market = [100 * entry["accuracy"] for entry in report["rounds"]]
    averaged = [100 * value for value in report["fedavg_honest_by_round"]]
    axes.plot(rounds, market, color=BLUE, marker="o", linewidth=2, label=_market_label(report))
    axes.plot(
        range(1, len(averaged) + 1),
        averaged,
        color=ORANGE,
        marker="s",
        linestyle="--",
        linewidth=2,
        label="size-weighted FedAvg, honest trainers alone",
    )
    axes.set(xlabel="Round", ylabel=f"Accuracy on {report['test_samples']} test samples (%)")
    axes.set_title(f"Test accuracy by round: {_dataset(report)}, seed {report['seed']}", loc="left")
    axes.set_xticks(_ticks(max(*rounds, len(averaged))))
    axes.margins(x=0.04, y=0.1)
    axes.grid(axis="y", color="#dddddd")
    axes.legend(loc="lower right", frameon=False)
    return figure


def contribution_figure(report: Report) -> Figure:
    """Draw each trainer's Shapley share in each round as a table of shaded cells, every cell with its number."""
    trainers = report["trainers"]
    shares, reasons = _shares(report), _reasons(report)
    rounds, count = len(report["rounds"]), len(trainers)
    figure = Figure(figsize=(3.2 + 0.95 * max(rounds, 4), 1.9 + 0.42 * count), layout="constrained")
    axes = figure.subplots()
    limit = max(1.0, float(np.nanmax(np.abs(shares)))) if np.isfinite(shares).any() else 1.0
    image = axes.imshow(np.ma.masked_invalid(shares), cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        text, style = _cell(float(share), reasons[row][column], image)
        axes.text(column, row, text, ha="center", va="center", **style)
    axes.set_xticks(range(rounds), [str(entry["round"]) for entry in report["rounds"]])
    axes.set_yticks(range(count), [f"{t['number']}  {ROLE_LABELS[Role(t['role'])]}" for t in trainers])
    axes.set(xlabel="Round", ylabel="Trainer")
    axes.set_title("Contribution by trainer and round: Shapley share (%)", loc="left")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="Share of the round's positive contributions (%)")
    return figure


def _shares(report: Report) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return shares in percent, shape (trainers, rounds); NaN where a trainer was not selected."""
    shares = np.full((len(report["trainers"]), len(report["rounds"])), np.nan)
    for column, entry in enumerate(report["rounds"]):
        for row, trainer in enumerate(entry["trainers"]):
            if trainer["selected"]:
                shares[row, column] = 100 * trainer["shapley"]
    return shares


def _reasons(report: Report) -> list[list[str]]:
    """Return why each trainer was dropped or kept in each round, by trainer and round."""
    by_round = [[trainer["reason"] for trainer in entry["trainers"]] for entry in report["rounds"]]
    return [list(reasons) for reasons in zip(*by_round, strict=True)]


def _cell(share: float, reason: str, image: AxesImage) -> tuple[str, dict[str, Any]]:
    """Return what is written in a cell and how, legible on the cell's colour."""
    if np.isnan(share):
        return f"dropped:\n{reason}", {"color": GREY, "fontsize": 7.5}
    red, green, blue, _ = image.to_rgba(np.array([share]))[0]
    # Relative luminance as displays and eyes weigh the three.
    bright = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45
    return f"{share:.1f}", {"color": "black" if bright else "white", "fontsize": 10}


def money_figure(report: Report) -> Figure:
    """Draw where the deposit went: one bar of its parts, and one bar a trainer, with every amount in words."""
    figure = Figure(figsize=(9, 2.6 + 0.36 * len(report["trainers"])), layout="constrained")
    whole, each = figure.subplots(2, 1, height_ratios=[1.3, 0.36 * len(report["trainers"]) + 0.6])
    _draw_deposit(whole, report["money"])
    _draw_pay(each, report)
    figure.suptitle(f"Where the deposit went: {_dataset(report)}, seed {report['seed']}", x=0.01, ha="left")
    return figure


def _draw_deposit(axes: Axes, money: dict[str, int]) -> None:
    parts = (
        ("pay", "paid_wei", BLUE, ""),
        ("fees", "fees_wei", ORANGE, "//"),
        ("refunded", "refunded_wei", GREEN, ".."),
        ("dust", "dust_wei", GREY, "xx"),
    )
    left = 0.0
    for name, key, colour, hatch in parts:
        amount = money[key] / ETHER
        label = f"{name}: {money[key]} wei" if money[key] < 10**14 else f"{name}: {amount:.4f} ETH"
        axes.barh(0, amount, left=left, color=colour, hatch=hatch, edgecolor="white", label=label)
        left += amount
    axes.set_title(f"Deposit of {money['deposited_wei'] / ETHER:.4f} ETH", loc="left", fontsize=11)
    axes.set_xlim(0, 1.01 * max(left, 1e-9))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("ETH")
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.75), ncols=4, frameon=False, borderaxespad=0, fontsize=10)


def _draw_pay(axes: Axes, report: Report) -> None:
    trainers = report["trainers"]
    honest = [Role(trainer["role"]) is Role.HONEST for trainer in trainers]
    pay = [trainer["paid_wei"] / ETHER for trainer in trainers]
    colours = [BLUE if is_honest else VERMILION for is_honest in honest]
    bars = axes.barh(range(len(trainers)), pay, color=colours, hatch=["" if h else "xx" for h in honest])
    rounds = len(report["rounds"])
    axes.bar_label(
        bars,
        [f"{p:.4f} ETH, kept in {t['rounds_selected']} of {rounds} rounds" for p, t in zip(pay, trainers, strict=True)],
        padding=4,
        fontsize=9,
    )
    axes.set_yticks(range(len(trainers)), [f"{t['number']}  {ROLE_LABELS[Role(t['role'])]}" for t in trainers])
    axes.invert_yaxis()
    axes.set(xlabel="ETH", ylabel="Trainer")
    axes.set_xlim(0, 1.5 * max(max(pay), 1e-9))
    axes.set_title("Pay of each trainer", loc="left", fontsize=11)


def _ticks(last: int) -> list[int]:
    step = max(1, -(-last // 16))
    return list(range(1, last + 1, step))


def _market_label(report: Report) -> str:
    cheats = sum(Role(trainer["role"]) is not Role.HONEST for trainer in report["trainers"])
    return f"market, {len(report['trainers'])} trainers of whom {cheats} cheat"


def _dataset(report: Report) -> str:
    return Path(report["dataset"]).stem
