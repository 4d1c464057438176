"""An evaluation -> a self-contained HTML page: figures, curves, edits by way, scores, and mistakes as pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from lookalike.evaluation.scores import RANKS
from lookalike.report import charts
from lookalike.report.charts import Line
from lookalike.report.templating import render
from lookalike.report.thumbnails import data_url, small_image
from lookalike.settings import Settings

if TYPE_CHECKING:
    from markupsafe import Markup

    from lookalike.evaluation.evaluate import Evaluation, WayResult
    from lookalike.evaluation.scores import Mistake

_PICTURE_PX = 200
_N_MISTAKES = 12  # shown of the best way; of each other a few
_N_OTHER_MISTAKES = 4
_COLUMNS = {
    "map": "mAP",
    "precision@1": "precision@1",
    "recall@10": "recall@10",
    "micro_ap": "µAP",
    "recall@P99.9": "recall@P99.9",
}
"""The measures of the first table, with their titles."""


def evaluation_html(found: Evaluation, settings: Settings) -> str:
    """Return the page of an evaluation.

    Where a feature was asked for with several metrics, the drawings show the one with the best mAP; the tables
    show all.
    """
    shown = best_of_each_feature(found.results)
    return render(
        "evaluation.html",
        name=found.data.name,
        introduction=_introduction(found),
        columns=_COLUMNS,
        best={name: max(_number(one.scores.values[name]) for one in found.results) for name in _COLUMNS},
        number=_number,
        results=found.results,
        measures=list(found.results[0].scores.values) if found.results else [],
        curves=_curves(shown, found.depth),
        edits=_edits(shown) if found.data.edits else None,
        colors=charts.COLORS,
        histograms=[_histogram(one) for one in shown],
        mistaken=_mistakes(shown),
        picture_url=_picture_url(found, settings),
    )


def best_of_each_feature(results: Sequence[WayResult]) -> list[WayResult]:
    """Return of each feature the result with the best mAP, in the order in which the features come first."""
    best: dict[str, WayResult] = {}
    for result in results:
        name = result.by.partition(":")[0]
        known = best.get(name)
        if known is None or result.scores.values["map"] > known.scores.values["map"]:
            best[name] = result
    return list(best.values())


def _introduction(found: Evaluation) -> list[str]:
    data = found.data
    kind = "edited copies ask for their sources" if data.edits else "queries"
    lines = [
        f"{len(data.queries):,} {kind}, {len(data.gallery):,} pictures to search in. The first {found.depth:,} "
        "answers of each query are judged; what lies deeper counts as not found. Equal scores are ordered "
        "against the way. Brackets are 95 % bootstrap intervals over "
        + ("the sources." if data.edits else "the queries.")
    ]
    for number, text in (
        (found.n_without_positives, "queries have nothing to find and are left out of the means"),
        (found.n_failed_queries, "queries could not be read and are left out"),
        (found.n_failed_pictures, "pictures to search in could not be read and cannot be found"),
    ):
        if number:
            lines.append(f"{number:,} {text}.")
    return lines


def _edits(shown: Sequence[WayResult]) -> dict[str, Markup]:
    """Return two tables, edits by ways: what is the first match, and what is above one threshold for all."""
    labels = ["all", *dict.fromkeys(label for one in shown for label in one.scores.by_edit)]
    columns = [one.by for one in shown]
    first, strict = {}, {}
    for one in shown:
        first["all", one.by] = one.scores.values["hit_rate@1"]
        strict["all", one.by] = one.scores.values["recall@P99.9"]
        for label, figures in one.scores.by_edit.items():
            first[label, one.by] = figures.recall_at_1
            strict[label, one.by] = figures.recall_at_precision
    return {
        "first": charts.heat_table(labels, columns, first, corner="edit"),
        "strict": charts.heat_table(labels, columns, strict, corner="edit"),
    }


def _curves(shown: Sequence[WayResult], depth: int) -> dict[str, Markup | str]:
    ranks = [k for k in RANKS if k <= depth]
    pr_lines, recall_lines = [], []
    for place, one in enumerate(shown):
        line = partial(Line, color=place, is_dashed=one.by.endswith("hash"), is_bold=one.by == "auto")
        pr_lines.append(line(one.by, one.scores.pr_curve.tolist()))
        recall = zip(ranks, one.scores.recall_by_rank.tolist(), strict=True)
        recall_lines.append(line(one.by, [(k, r) for k, r in recall if not math.isnan(r)]))
    pr = charts.line_chart(
        pr_lines, x_label="recall", y_label="precision", x_ticks=(0, 0.2, 0.4, 0.6, 0.8, 1)
    )
    recall_chart = (
        charts.line_chart(recall_lines, x_label="k", y_label="recall@k", x_ticks=ranks, is_log=True)
        if len(ranks) > 1
        else ""
    )
    return {"legend": charts.legend(pr_lines), "precision_recall": pr, "recall": recall_chart}


def _histogram(one: WayResult) -> tuple[str, Markup, float | None]:
    """Return a way, its scores drawn, and its threshold of 99.9 % precision, if it has one."""
    scores = one.scores
    threshold = scores.values["threshold@P99.9"]
    limit = threshold if math.isfinite(threshold) else None
    same, different = scores.same.tolist(), scores.different.tolist()
    return one.by, charts.histogram(scores.bins.tolist(), same, different, threshold=limit), limit


def _mistakes(shown: Sequence[WayResult]) -> list[tuple[str, Sequence[Mistake]]]:
    """Return the worst mistakes of each way, the best way first."""
    ordered = sorted(shown, key=lambda one: -_number(one.scores.values["map"]))
    return [
        (one.by, one.scores.mistakes[: _N_OTHER_MISTAKES if place else _N_MISTAKES])
        for place, one in enumerate(ordered)
    ]


def _picture_url(found: Evaluation, settings: Settings) -> Callable[[str], str | None]:
    """Return a function that gives a small picture of the data set by its name; each is read once."""

    @cache
    def picture_url(name: str) -> str | None:
        image: Any = small_image(found.data.path_of(name), settings)
        return None if image is None else data_url(image, _PICTURE_PX, quality=80)

    return picture_url


def _number(value: float) -> float:
    return -1.0 if math.isnan(value) else value
