"""Evaluations and experiments as tables for a person at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from lookalike.cli.terminal import out, shown

if TYPE_CHECKING:
    from lookalike.evaluation.euclidean import EuclideanExperiment
    from lookalike.evaluation.evaluate import Evaluation
    from lookalike.evaluation.experiments import Comparison


def evaluation(found: Evaluation) -> None:
    """Print how good each way is, and what it costs."""
    title = (
        f"{shown(found.data.name)}: {len(found.data.queries):,} queries, {len(found.data.gallery):,} pictures"
    )
    table = Table(title=title, title_justify="left")
    for column in ("way", "mAP", "95 %", "P@1", "R@10", "µAP", "R@P99.9", "ms/picture", "ms/query", "bytes"):
        table.add_column(column, justify="left" if column == "way" else "right", no_wrap=True)
    for one in found.results:
        values, cost = one.scores.values, one.cost
        names = ("precision@1", "recall@10", "micro_ap", "recall@P99.9")
        table.add_row(
            one.by,
            f"{values['map']:.3f}",
            "-".join(f"{end:.3f}" for end in one.scores.intervals["map"]),
            *(f"{values[name]:.3f}" for name in names),
            f"{1000 * cost.seconds_per_picture:.1f}",
            f"{1000 * cost.seconds_per_query:.1f}",
            f"{cost.bytes_per_picture:,.0f}",
        )
    out.print(table)
    for number, text in (
        (found.n_without_positives, "queries have nothing to find and are left out of the means"),
        (found.n_failed_queries, "queries could not be read and are left out"),
        (found.n_failed_pictures, "pictures to search in could not be read and cannot be found"),
    ):
        if number:
            out.print(f"{number:,} {text}.")


def measures(found: Comparison) -> None:
    """Print the measures of an experiment with the published figures beside ours."""
    title = f"{found.n_pictures} pictures of {found.n_groups} things" + (
        f", {found.n_draws} draws" if found.n_draws > 1 else ""
    )
    table = Table(title=title, title_justify="left")
    columns = ("measure", "how", "accuracy %", "published", "ms/pair", "published", "ms/pair, kept")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < 2 else "right")
    kind = found.results[0].kind
    for one in found.results:
        if one.kind != kind:
            table.add_section()
            kind = one.kind
        span = one.accuracy_range
        table.add_row(
            one.measure,
            one.how,
            f"{100 * one.accuracy:.1f}"
            + ("" if found.n_draws == 1 else f" ({100 * span[0]:.0f}-{100 * span[1]:.0f})"),
            "" if one.published_accuracy is None else f"{100 * one.published_accuracy:.1f}",
            f"{1000 * one.seconds_per_pair:.2f}",
            "" if one.published_seconds_per_pair is None else f"{1000 * one.published_seconds_per_pair:.1f}",
            f"{1000 * one.seconds_per_kept_pair:.3f}",
        )
    out.print(table)
    for remark in found.remarks:
        out.print(f"- {escape(remark)}", soft_wrap=True)


def euclidean(found: EuclideanExperiment) -> None:
    """Print SciPy's Euclidean distance against NumPy's."""
    table = Table("work", "numbers", "NumPy, µs", "SciPy, µs", "SciPy / NumPy", "relative difference")
    for column in table.columns[2:]:
        column.justify = "right"
    for one in found.results:
        times = (f"{1e6 * seconds:,.1f}" for seconds in (one.numpy_seconds, one.scipy_seconds))
        table.add_row(
            one.case, one.dtype, *times, f"{one.scipy_by_numpy:.2f}", f"{one.relative_difference:.1e}"
        )
    out.print(table)
    pixels = Table("8-bit pixels (1, 250) and (2, 5), 245.002 apart", "says", "")
    for way in found.eight_bits:
        pixels.add_row(escape(way.way), f"{way.distance:.3f}", "right" if way.is_right else "wraps around")
    out.print(pixels)
