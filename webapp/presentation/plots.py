"""Plots as SVG within a page: drawn by pygal, coloured by our own style sheet, with neither script nor inline style."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

import pygal  # type: ignore[import-untyped]
from markupsafe import Markup

WIDTH: Final = 480
HEIGHT: Final = 210
# So many labels of rounds stand beside each other without touching.
MOST_LABELS: Final = 12
# What pygal puts in for its own script and style; the page's policy lets neither run.
_UNWANTED: Final = ("style", "script", "desc", "defs", "title")

# pygal looks for its plugins in every later import, in a way that Python warns of; we have none.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]


@dataclass(frozen=True)
class Point:
    """A point of a line: a round's number, a value, and what is said of it when it is pointed at."""

    round: int
    value: float
    words: str


def line_plot(points: Sequence[Point], words: str) -> Markup:
    """Return a line over the rounds.

    Parameters
    ----------
    points
        By round; at least one.
    words
        What is shown, for those who don't see it; the page has the numbers in a table too.
    """
    chart = pygal.XY(
        js=[],
        css=[],
        no_prefix=True,
        explicit_size=False,
        width=WIDTH,
        height=HEIGHT,
        show_legend=False,
        x_title="Round",
        dots_size=4,
        max_scale=6,
        x_labels=_labels([point.round for point in points]),
        xrange=(points[0].round - 0.5, points[-1].round + 0.5),
        range=_range([point.value for point in points]),
        truncate_label=-1,
        margin=6,
    )
    chart.add(None, [(point.round, point.value) for point in points])
    drawing = chart.render_tree()
    _strip(drawing)
    for dot, point in zip((each for each in drawing.iter() if _has(each, "dots")), points, strict=True):
        SubElement(dot[0], "title").text = point.words
    drawing.attrib.pop("id", None)
    drawing.set("role", "img")
    drawing.set("aria-label", words)
    drawing.set("class", "drawing")
    return Markup(tostring(drawing, encoding="unicode"))  # noqa: S704 - an element tree escapes what it holds


def _labels(rounds: Sequence[int]) -> list[int]:
    step = -(-len(rounds) // MOST_LABELS)
    return [number for number in range(rounds[0], rounds[-1] + 1) if (number - rounds[0]) % step == 0]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Return values a little beyond the least and the largest, so that one alone stands in the middle."""
    least, largest = min(values), max(values)
    room = max(0.1 * (largest - least), 1.0)
    return least - room, largest + room


def _strip(element: Element) -> None:
    for child in list(element):
        if not isinstance(child.tag, str) or child.tag.rsplit("}")[-1] in _UNWANTED or _has(child, "tooltip-overlay"):
            element.remove(child)
            continue
        child.attrib.pop("style", None)
        _strip(child)


def _has(element: Element, name: str) -> bool:
    return name in element.get("class", "").split()
