"""The plots exist, are drawn from the report alone, and show its numbers."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import pytest

from marketplace.demo.plots import accuracy_figure, contribution_figure, draw_plots, money_figure

pytestmark = pytest.mark.slow


def words(figure) -> str:
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_plots_are_written_and_not_blank(short_demo, tmp_path: Path):
    paths = draw_plots(short_demo.report, tmp_path / "plots")
    assert [path.name for path in paths] == ["accuracy.png", "contribution.png", "money.png"]
    for path in paths:
        pixels = matplotlib.image.imread(path)
        assert min(pixels.shape[:2]) > 400
        assert pixels[..., :3].std() > 0.05


def test_accuracy_plot_shows_both_curves(short_demo):
    (axes,) = accuracy_figure(short_demo.report).axes
    market, averaged = (list(line.get_ydata()) for line in axes.lines)
    assert market == [100 * entry["accuracy"] for entry in short_demo.report["rounds"]]
    assert averaged == [100 * value for value in short_demo.report["fedavg_honest_by_round"]]
    assert {line.get_marker() for line in axes.lines} == {"o", "s"}


def test_contribution_plot_writes_every_share_or_that_it_was_dropped(short_demo):
    figure = contribution_figure(short_demo.report)
    text = words(figure)
    for entry in short_demo.report["rounds"]:
        for trainer in entry["trainers"]:
            assert (f"{100 * trainer['shapley']:.1f}" if trainer["selected"] else trainer["reason"]) in text
    assert "free rider" in text


def test_money_plot_writes_every_amount(short_demo):
    text = words(money_figure(short_demo.report))
    assert f"dust: {short_demo.report['money']['dust_wei']} wei" in text
    for trainer in short_demo.report["trainers"]:
        assert f"{trainer['paid_wei'] / 10**18:.4f} ETH" in text


def test_plots_of_a_job_that_paid_nobody_can_be_drawn(short_demo, tmp_path: Path):
    report = dict(short_demo.report)
    report["trainers"] = [{**trainer, "paid_wei": 0} for trainer in report["trainers"]]
    report["rounds"] = [
        {
            **entry,
            "trainers": [
                {**trainer, "selected": False, "reason": "void: too few kept", "shapley": 0.0, "pay_wei": 0}
                for trainer in entry["trainers"]
            ],
        }
        for entry in report["rounds"]
    ]
    assert len(draw_plots(report, tmp_path)) == 3
