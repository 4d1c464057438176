"""Charts as inline SVG and HTML, in the page's own text colour: no library, light and dark, sharp at any size."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

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

STYLE = """
svg.chart { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg.chart text { fill: currentColor; } svg.chart .grid { stroke: currentColor; stroke-opacity: .15; }
svg.chart .axis { stroke: currentColor; stroke-opacity: .5; }
svg.chart polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .85rem; list-style: none; padding: 0; }
.legend li { border: 0; padding: 0; } .swatch { display: inline-block; width: 1.4rem; height: 0;
  border-top: 3px solid; vertical-align: middle; margin-right: .35rem; }
table.heat { border-collapse: separate; border-spacing: 2px; font-size: .85rem; }
table.heat { table-layout: fixed; } table.heat td, table.heat thead th { width: 4.6rem; }
table.heat thead th { white-space: normal; vertical-align: bottom; line-height: 1.15; font-size: .8rem; }
table.heat th[scope=row] { width: 14rem; }
table.heat td { text-align: right; padding: .15rem .4rem; border-radius: .2rem; border: 0; }
table.heat th { font-weight: 600; padding: .15rem .4rem; border: 0; white-space: nowrap; text-align: right; }
table.heat th[scope=row] { text-align: left; font-weight: 400; }
"""

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
) -> str:
    """Return an SVG of lines over shares from 0 to 1 (upward); `is_log` spaces x by its logarithm."""
    scale = math.log if is_log else float
    low, high = scale(x_ticks[0]), scale(x_ticks[-1])

    def x_of(value: float) -> float:
        return _LEFT + (scale(value) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    parts = [_open_chart(f"{y_label} by {x_label}"), *_share_axis(y_label)]
    parts.extend(_text(x_of(tick), _HEIGHT - _BOTTOM + 16, f"{tick:g}", "middle") for tick in x_ticks)
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, x_label, "middle"))
    for line in lines:
        points = " ".join(f"{x_of(x):.1f},{_y_of(y):.1f}" for x, y in line.points)
        dash = ' stroke-dasharray="6 4"' if line.is_dashed else ""
        width = ' style="stroke-width:3.5"' if line.is_bold else ""
        parts.append(
            f'<polyline points="{points}" stroke="{_color(line.color)}"{dash}{width}>'
            f"<title>{html.escape(line.name)}</title></polyline>"
        )
    return "".join([*parts, "</svg>"])


def legend(lines: Sequence[Line]) -> str:
    """Return the names of the lines, each with a piece of its line."""
    items = "".join(
        f'<li><span class=swatch style="border-color:{_color(line.color)};'
        f'border-top-style:{"dashed" if line.is_dashed else "solid"}"></span>{html.escape(line.name)}</li>'
        for line in lines
    )
    return f"<ul class=legend>{items}</ul>"


def histogram(
    bins: Sequence[float], same: Sequence[float], different: Sequence[float], *, threshold: float | None
) -> str:
    """Return an SVG of two distributions over the same bins, each drawn to its own sum, and a threshold's line."""
    low, high = bins[0], bins[-1]
    tallest = max((*same, *different, 1e-9))
    width, height = 360, 170
    left, bottom = 8, 24

    def x_of(value: float) -> float:
        return left + (value - low) / (high - low) * (width - 2 * left)

    parts = [f'<svg class=chart viewBox="0 0 {width} {height}" role=img>']
    for shares, color in ((different, COLORS[1]), (same, COLORS[0])):
        bars = "".join(
            f"M{x_of(start):.1f},{height - bottom}V{_bar_top(share, tallest, height - bottom):.1f}"
            f"H{x_of(end):.1f}V{height - bottom}Z"
            for start, end, share in zip(bins[:-1], bins[1:], shares, strict=True)
            if share
        )
        parts.append(f'<path d="{bars}" fill="{color}" fill-opacity=".55"/>')
    if threshold is not None and low <= threshold <= high:
        x = x_of(threshold)
        parts.append(
            f'<line class=axis x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{height - bottom}" stroke-dasharray="3 3"/>'
        )
    parts.append(
        f'<line class=axis x1="{left}" x2="{width - left}" y1="{height - bottom}" y2="{height - bottom}"/>'
    )
    for value in (low, (low + high) / 2, high):
        anchor = "start" if value == low else "end" if value == high else "middle"
        parts.append(_text(x_of(value), height - 8, f"{value:.2g}", anchor))
    return "".join([*parts, "</svg>"])


def _bar_top(share: float, tallest: float, bottom: float) -> float:
    """Bars are drawn to the square root of their share: else one tall bar hides all others."""
    return bottom - math.sqrt(share / tallest) * (bottom - 8)


def heat_table(
    rows: Sequence[str], columns: Sequence[str], shares: Mapping[tuple[str, str], float], *, corner: str
) -> str:
    """Return a table of percentages, each cell the darker the larger its share; a missing one stays empty."""
    head = "".join(f"<th scope=col>{html.escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr><th scope=row>{html.escape(row)}</th>"
        + "".join(_heat_cell(shares.get((row, column))) for column in columns)
        + "</tr>"
        for row in rows
    )
    top = f"<thead><tr><th scope=row>{corner}</th>{head}</tr></thead>"
    return f"<table class=heat>{top}<tbody>{body}</tbody></table>"


def _heat_cell(share: float | None) -> str:
    if share is None or math.isnan(share):
        return "<td></td>"
    color = ";color:#fff" if share > 0.55 else ""
    return f'<td style="background:rgba(40,98,180,{0.05 + 0.95 * share:.2f}){color}">{100 * share:.0f}</td>'


def _open_chart(label: str) -> str:
    return f'<svg class=chart viewBox="0 0 {_WIDTH} {_HEIGHT}" role=img aria-label="{html.escape(label)}">'


def _share_axis(label: str) -> list[str]:
    parts = []
    for step in range(6):
        y = _y_of(step / 5)
        parts.append(f'<line class=grid x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(_LEFT - 6, y + 4, f"{step / 5:g}", "end"))
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts.append(
        f'<text x="12" y="{middle}" text-anchor=middle transform="rotate(-90 12 {middle})">'
        f"{html.escape(label)}</text>"
    )
    return parts


def _y_of(share: float) -> float:
    return _TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor={anchor}>{html.escape(text)}</text>'


def _color(place: int) -> str:
    return COLORS[place % len(COLORS)]
