"""The accuracy of a job's model over its rounds, as a plot."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from webapp.accuracy.records import Accuracy
from webapp.presentation.filters import percent
from webapp.presentation.plots import Point, line_plot


def accuracy_plot(found: Sequence[Accuracy]) -> Markup:
    """Return a plot of accuracies, at least one, in percent."""
    points = [Point(each.round, 100 * each.accuracy, f"Round {each.round}: {percent(each.accuracy)}") for each in found]
    first, last = found[0], found[-1]
    words = f"Accuracy after round {first.round}: {percent(first.accuracy)}"
    if last is not first:
        words += f", after round {last.round}: {percent(last.accuracy)}"
    return line_plot(points, words)
