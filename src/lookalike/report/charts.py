"""Charts as inline SVG and HTML, in the page's own text colour: no library, light and dark, sharp at any size.

Here is where things lie; how they are drawn is in the templates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from lookalike.report.templating import render

COLORS = (
    "#3b7dd8",
    "#e07b39",
    "#2f9e5b",
    "#c94f6d",
    "#8b6fd0",
    "#a8853a",
    "#2aa6a6",
    "#7d8a97",
    "#b55fb5",
    "#6b8e23",
)
"""Ten hues of middling lightness, told apart on white and on black."""

_WIDTH, _HEIGHT = 560, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 44


class Line(NamedTuple):
    """One line of a chart: its name, its points from left to right, and the place of its color."""

    name: str
    points: Sequence[tuple[float, float]]
    color: int
    is_dashed: bool = False
    is_bold: bool = False


def line_chart(
    lines: Sequence[Line], *, x_label: str, y_label: str, x_ticks: Sequence[float], is_log: bool = False
) -> Markup:
    """Return an SVG of lines over shares from 0 to 1 (upward); `is_log` spaces x by its logarithm."""
    scale = math.log if is_log else float
    low, high = scale(x_ticks[0]), scale(x_ticks[-1])

    def x_of(value: float) -> float:
        return _LEFT + (scale(value) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    return render(
        "line_chart.html",
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        right=_WIDTH - _RIGHT,
        bottom=_HEIGHT - _BOTTOM,
        middle=(_TOP + _HEIGHT - _BOTTOM) / 2,
        x_label=x_label,
        y_label=y_label,
        shares=[(_y_of(step / 5), f"{step / 5:g}") for step in range(6)],
        ticks=[(x_of(tick), f"{tick:g}") for tick in x_ticks],
        lines=[
            (line, _color(line.color), " ".join(f"{x_of(x):.1f},{_y_of(y):.1f}" for x, y in line.points))
            for line in lines
        ],
    )


def legend(lines: Sequence[Line]) -> Markup:
    """Return the names of the lines, each with a piece of its line."""
    return render("legend.html", lines=[(line, _color(line.color)) for line in lines])


def histogram(
    bins: Sequence[float], same: Sequence[float], different: Sequence[float], *, threshold: float | None
) -> Markup:
    """Return an SVG of two distributions over the same bins, each drawn to its own sum, and a threshold's line."""
    low, high = bins[0], bins[-1]
    tallest = max((*same, *different, 1e-9))
    width, height = 360, 170
    left, bottom = 8, 24

    def x_of(value: float) -> float:
        return left + (value - low) / (high - low) * (width - 2 * left)

    def bars(shares: Sequence[float]) -> str:
        return "".join(
            f"M{x_of(start):.1f},{height - bottom}V{_bar_top(share, tallest, height - bottom):.1f}"
            f"H{x_of(end):.1f}V{height - bottom}Z"
            for start, end, share in zip(bins[:-1], bins[1:], shares, strict=True)
            if share
        )

    is_drawn = threshold is not None and low <= threshold <= high
    return render(
        "histogram.html",
        width=width,
        height=height,
        left=left,
        bottom=height - bottom,
        bars=[(bars(different), COLORS[1]), (bars(same), COLORS[0])],
        threshold_x=x_of(threshold) if threshold is not None and is_drawn else None,
        ticks=[
            (x_of(value), f"{value:.2g}", anchor)
            for value, anchor in ((low, "start"), ((low + high) / 2, "middle"), (high, "end"))
        ],
    )


def _bar_top(share: float, tallest: float, bottom: float) -> float:
    """Bars are drawn to the square root of their share: else one tall bar hides all others."""
    return bottom - math.sqrt(share / tallest) * (bottom - 8)


def heat_table(
    rows: Sequence[str], columns: Sequence[str], shares: Mapping[tuple[str, str], float], *, corner: str
) -> Markup:
    """Return a table of percentages, each cell the darker the larger its share; a missing one stays empty."""
    known = {place: share for place, share in shares.items() if not math.isnan(share)}
    return render(
        "heat_table.html",
        corner=corner,
        columns=columns,
        rows=[(row, [known.get((row, column)) for column in columns]) for row in rows],
    )


def _y_of(share: float) -> float:
    return _TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM)


def _color(place: int) -> str:
    return COLORS[place % len(COLORS)]
