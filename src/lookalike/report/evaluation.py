"""An evaluation -> a self-contained HTML page: figures, curves, edits by way, scores, and mistakes as pictures."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from lookalike.evaluation.scores import RANKS
from lookalike.report import charts
from lookalike.report.charts import Line
from lookalike.report.thumbnails import small_image
from lookalike.settings import Settings

if TYPE_CHECKING:
    from lookalike.evaluation.evaluate import Evaluation, WayResult
    from lookalike.evaluation.scores import Mistake

_PICTURE_PX = 200
_N_MISTAKES = 12  # shown of the best way; of each other a few
_N_OTHER_MISTAKES = 4

_STYLE = (
    """
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
h3 { font-size: 1rem; margin: .6rem 0 .2rem; } p { margin: .3rem 0; max-width: 62rem; } .quiet { opacity: .75; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; }
table.figures { font-variant-numeric: tabular-nums; font-size: .9rem; }
table.figures th, table.figures td { padding: .25rem .7rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
table.figures th:first-child { text-align: left; } table.figures .best { font-weight: 700; }
table.figures small { opacity: .65; margin-left: .3rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1.5rem; }
.small { grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(23rem, 100%), 1fr));
  gap: 1rem; padding: 0; list-style: none; }
.mistakes > li { border: 1px solid var(--line); border-radius: .5rem; padding: .7rem; }
.three { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; }
figure { margin: 0; min-width: 0; } figure img { width: 100%; height: 8rem; object-fit: contain; }
h1, h3 { overflow-wrap: anywhere; }
figcaption { font-size: .78rem; overflow-wrap: anywhere; line-height: 1.3; }
.wrong { color: #c0392b; } .right { color: #1e8449; } summary { cursor: pointer; margin: .6rem 0; }
@media (prefers-color-scheme: dark) { .wrong { color: #ff8a75; } .right { color: #6fd08c; } }
"""
    + charts.STYLE
)


def evaluation_html(found: Evaluation, settings: Settings) -> str:
    """Return the page of an evaluation; it loads nothing from elsewhere.

    Where a feature was asked for with several metrics, the drawings show the one with the best mAP; the tables
    show all.
    """
    shown = best_of_each_feature(found.results)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>lookalike: evaluation of {_escape(found.data.name)}</title><style>{_STYLE}</style>",
        f"<h1>How well is {_escape(found.data.name)} found?</h1>{_introduction(found)}",
        f"<h2>Figures</h2>{_figures(found.results)}{_all_measures(found.results)}",
        f"<h2>Curves</h2>{_curves(shown, found.depth)}",
    ]
    if found.data.edits:
        parts.append(f"<h2>Edits</h2>{_edits(shown)}")
    parts.append(f"<h2>Scores of right and of wrong pairs</h2>{_histograms(shown)}")
    parts.append(f"<h2>The worst mistakes</h2>{_mistakes(found, shown, settings)}")
    return "\n".join(parts)


def best_of_each_feature(results: Sequence[WayResult]) -> list[WayResult]:
    """Return of each feature the result with the best mAP, in the order in which the features come first."""
    best: dict[str, WayResult] = {}
    for result in results:
        name = result.by.partition(":")[0]
        known = best.get(name)
        if known is None or result.scores.values["map"] > known.scores.values["map"]:
            best[name] = result
    return list(best.values())


def _introduction(found: Evaluation) -> str:
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
    return "".join(f"<p class=quiet>{line}</p>" for line in lines)


# Tables


def _figures(results: Sequence[WayResult]) -> str:
    columns = (
        ("map", "mAP"),
        ("precision@1", "precision@1"),
        ("recall@10", "recall@10"),
        ("micro_ap", "µAP"),
        ("recall@P99.9", "recall@P99.9"),
    )
    head = "".join(f"<th>{title}</th>" for _, title in columns)
    best = {name: max(_number(one.scores.values[name]) for one in results) for name, _ in columns}
    rows = []
    for one in results:
        cells = []
        for name, _ in columns:
            value = one.scores.values[name]
            mark = " class=best" if _number(value) == best[name] else ""
            interval = one.scores.intervals.get(name)
            span = "" if interval is None else f"<small>{_share(interval[0])}-{_share(interval[1])}</small>"
            cells.append(f"<td{mark}>{_share(value)}{span}</td>")
        cost = one.cost
        cells.append(
            f"<td>{1000 * cost.seconds_per_picture:.1f}</td><td>{1000 * cost.seconds_per_query:.1f}</td>"
            f"<td>{cost.bytes_per_picture:,.0f}</td>"
        )
        rows.append(f"<tr><th>{_escape(one.by)}</th>{''.join(cells)}</tr>")
    return (
        f"<div class=scroll><table class=figures><thead><tr><th>way</th>{head}<th>ms a picture</th>"
        f"<th>ms a query</th><th>bytes a picture</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        "<p class=quiet>recall@P99.9: share of all right pairs above the one threshold at which 99.9 % of the "
        "accepted pairs are right. A picture costs reading, decoding and this way's features, in one process; a "
        "query costs the same and the search.</p>"
    )


def _all_measures(results: Sequence[WayResult]) -> str:
    names = list(results[0].scores.values) if results else []
    head = "".join(f"<th>{_escape(name)}</th>" for name in names)
    rows = "".join(
        f"<tr><th>{_escape(one.by)}</th>"
        + "".join(f"<td>{_share(one.scores.values[name])}</td>" for name in names)
        + "</tr>"
        for one in results
    )
    return (
        "<details><summary>All measures</summary><div class=scroll><table class=figures><thead><tr><th>way</th>"
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _edits(shown: Sequence[WayResult]) -> str:
    labels = ["all", *dict.fromkeys(label for one in shown for label in one.scores.by_edit)]
    columns = [one.by for one in shown]
    first, strict = {}, {}
    for one in shown:
        first["all", one.by] = one.scores.values["hit_rate@1"]
        strict["all", one.by] = one.scores.values["recall@P99.9"]
        for label, figures in one.scores.by_edit.items():
            first[label, one.by] = figures.recall_at_1
            strict[label, one.by] = figures.recall_at_precision
    return (
        "<p>Share of the copies, in percent, whose source is the first match.</p>"
        f"<div class=scroll>{charts.heat_table(labels, columns, first, corner='edit')}</div>"
        "<details><summary>At 99.9 % precision: share whose source scores above one threshold for all edits"
        f"</summary><div class=scroll>{charts.heat_table(labels, columns, strict, corner='edit')}</div></details>"
    )


# Drawings


def _curves(shown: Sequence[WayResult], depth: int) -> str:
    ranks = [k for k in RANKS if k <= depth]
    pr_lines, recall_lines = [], []
    for place, one in enumerate(shown):
        line = partial(Line, color=place, is_dashed=one.by.endswith("hash"), is_bold=one.by == "auto")
        curve = one.scores.pr_curve
        pr_lines.append(line(one.by, curve.tolist()))
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
    return (
        f"{charts.legend(pr_lines)}<div class=charts><div><h3>Precision and recall</h3>{pr}<p class=quiet>All "
        "pairs of all queries, accepted by one threshold on the score.</p></div>"
        f"<div><h3>Recall among the first k</h3>{recall_chart}"
        "<p class=quiet>Averaged over the queries.</p></div></div>"
    )


def _histograms(shown: Sequence[WayResult]) -> str:
    parts = []
    for one in shown:
        scores = one.scores
        threshold = scores.values["threshold@P99.9"]
        chart = charts.histogram(
            scores.bins.tolist(),
            scores.same.tolist(),
            scores.different.tolist(),
            threshold=threshold if math.isfinite(threshold) else None,
        )
        limit = f"{threshold:.3f}" if math.isfinite(threshold) else "none"
        parts.append(f"<div><h3>{_escape(one.by)}</h3>{chart}<p class=quiet>threshold {limit}</p></div>")
    return (
        f"<p><span style='color:{charts.COLORS[0]}'>■</span> right pairs "
        f"<span style='color:{charts.COLORS[1]}'>■</span> wrong pairs, among the answers judged; each drawn to its "
        "own sum, heights by their square root. The dashed line is the threshold of 99.9 % precision.</p>"
        f"<div class='charts small'>{''.join(parts)}</div>"
    )


# Mistakes


def _mistakes(found: Evaluation, shown: Sequence[WayResult], settings: Settings) -> str:
    pictures = _Pictures(found, settings)
    ordered = sorted(shown, key=lambda one: -_number(one.scores.values["map"]))
    parts = [
        "<p>Queries whose first match is wrong, by how far the wrong picture scores above the right one.</p>"
    ]
    for place, one in enumerate(ordered):
        n_mistakes = _N_OTHER_MISTAKES if place else _N_MISTAKES
        mistakes = one.scores.mistakes[:n_mistakes]
        cards = "".join(_mistake_card(mistake, pictures) for mistake in mistakes)
        content = (
            f"<ol class=mistakes>{cards}</ol>" if mistakes else "<p>None: every first match is right.</p>"
        )
        if place:
            parts.append(f"<details><summary>{_escape(one.by)}</summary>{content}</details>")
        else:
            parts.append(f"<h3>{_escape(one.by)}, the best by mAP</h3>{content}")
    return "".join(parts)


class _Pictures:
    """Small pictures of the data set as tags, each read once."""

    def __init__(self, found: Evaluation, settings: Settings) -> None:
        self._data = found.data
        self._settings = settings
        self._tags: dict[str, str] = {}

    def tag(self, name: str) -> str:
        if name not in self._tags:
            self._tags[name] = self._make(name)
        return self._tags[name]

    def _make(self, name: str) -> str:
        image = small_image(self._data.path_of(name), self._settings)
        if image is None:
            return "(cannot be shown)"
        image.thumbnail((_PICTURE_PX, _PICTURE_PX))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=80)
        encoded = base64.b64encode(buffer.getvalue()).decode()
        return f'<img alt="{_escape(_short(name))}" src="data:image/jpeg;base64,{encoded}">'


def _mistake_card(mistake: Mistake, pictures: _Pictures) -> str:
    right = (
        "not among the answers"
        if mistake.positive_rank is None
        else f"place {mistake.positive_rank}, {mistake.positive_score:.3f}"
    )
    asked = _escape(mistake.edit or _short(mistake.query))
    figures = (
        (mistake.query, "query", asked),
        (mistake.wrong, "<span class=wrong>first, wrong</span>", _escape(_short(mistake.wrong))),
        (mistake.positive, f"<span class=right>right: {right}</span>", _escape(_short(mistake.positive))),
    )
    titles = {1: f" {mistake.wrong_score:.3f}"}
    return (
        "<li><div class=three>"
        + "".join(
            f"<figure>{pictures.tag(name)}<figcaption><b>{title}{titles.get(place, '')}</b><br>{text}</figcaption>"
            "</figure>"
            for place, (name, title, text) in enumerate(figures)
        )
        + "</div></li>"
    )


# Text


def _short(name: str) -> str:
    """Return the last two parts of a name: class and file."""
    return "/".join(name.split("/")[-2:])


def _number(value: float) -> float:
    return -1.0 if math.isnan(value) else value


def _share(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "-"


def _escape(text: str) -> str:
    return html.escape(text.encode(errors="replace").decode())
