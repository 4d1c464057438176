"""A calibration -> a self-contained HTML page: promises, checks, histograms, and pairs either side of the cut."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.calibration.fitting import held_out_probabilities
from lookalike.calibration.workers import make_copy
from lookalike.errors import LookalikeError
from lookalike.report import charts
from lookalike.report.calibration_notes import calibration_notes, mark
from lookalike.report.charts import Line
from lookalike.report.thumbnails import small_image
from lookalike.settings import Settings

if TYPE_CHECKING:
    from lookalike.calibration.calibrate import CalibrationReport, Example
    from lookalike.calibration.fitting import Sample
    from lookalike.records.calibration import WayCalibration

CUT = 0.99  # the promise whose cut is drawn, and from either side of which pairs are shown
_N_BINS = 50
_N_EXAMPLES = 6  # on each side, true and false
_PICTURE_PX = 200
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

_STYLE = (
    """
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; } h3 { font-size: .95rem; margin: .4rem 0; }
p { max-width: 60rem; margin: .3rem 0; } .quiet { opacity: .75; font-size: .9rem; } .scroll { overflow-x: auto; }
table.promises { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
table.promises th, table.promises td { padding: .25rem .7rem; text-align: right;
  white-space: nowrap; border-bottom: 1px solid var(--line); }
table.promises th:first-child { text-align: left; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr));
  gap: 1rem 1.5rem; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(16rem, 100%), 1fr));
  gap: .8rem; padding: 0; list-style: none; }
.pairs li { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem; font-size: .8rem; }
.pairs div { display: grid; grid-template-columns: 1fr 1fr; gap: .4rem; }
.pairs img { width: 100%; height: 7rem; object-fit: contain; }
.pairs p { overflow-wrap: anywhere; margin: .2rem 0 0; }
"""
    + charts.STYLE
)


def calibration_html(report: CalibrationReport, settings: Settings) -> str:
    """Return the page of a calibration; it loads nothing from elsewhere."""
    found = report.calibration
    main = found.ways[report.example_way]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>lookalike: calibration</title><style>{_STYLE}</style><h1>What a score is worth here</h1>",
        f"<p>{_escape(found.made_from)}, {found.made_at[:10]}: {found.n_pictures:,} of {found.n_contents:,} "
        f"pictures were edited in {len(found.edits)} ways, and every copy was searched for.</p>",
        "<h2>What each way finds at each precision</h2>"
        "<p class=quiet>Precision is the share of copies among what is returned, in searches of which half have "
        "something to find. In brackets: what it is at least, with 95 % confidence, where the sample is too small "
        "to be sure of what was asked. The check is on pictures that the thresholds were not fitted on.</p>",
        _promises(found.ways),
        *(f"<p class=quiet>{_escape(note)}</p>" for note in calibration_notes(found)),
        "<h2>Scores of copies and of strangers</h2>"
        "<p class=quiet>Blue: edited copies with their source; orange: with the nearest other pictures, of which "
        "the ten highest of each query are counted. Heights are square roots of shares. The dashed line is the "
        f"threshold for {CUT:.0%}.</p>",
        _histograms(report),
        f"<h2>By {_escape(report.example_way)}: sources found, by edit and precision</h2>",
        _by_edit(main, found.edits),
        f"<h2>By {_escape(report.example_way)}: is a probability what it says?</h2>"
        "<p class=quiet>Pairs are put in ten groups by their probability, by a map that was fitted on the other "
        "half of the pictures; the line should lie on the diagonal.</p>",
        f'<div style="max-width:36rem">{_reliability(report.samples[report.example_way], found.seed)}</div>',
        *_pairs_at_the_cut(report, main, settings),
    ]
    return "\n".join(parts)


def _promises(ways: Any) -> str:
    precisions = [promise.precision for promise in next(iter(ways.values())).promises]
    head = "".join(f"<th>found at {one:.1%}</th>" for one in precisions)
    head += f"<th>no answer for strangers</th><th>check of {CUT:.0%}</th>"
    rows = []
    for name, way in ways.items():
        cells = [
            f"<td>{mark(one)}{'' if one.is_supported or one.threshold is None else f' (≥ {one.bound:.2%})'}</td>"
            for one in way.promises
        ]
        check = next(one for one in way.checks if one.precision == CUT)
        held = (
            "-"
            if not check.n_true + check.n_false
            else f"{check.achieved:.2%}, {check.n_true:,} right, {check.n_false:,} wrong"
        )
        rows.append(
            f"<tr><th scope=row>{_escape(name)}</th>{''.join(cells)}"
            f"<td>{way.promise(CUT).silence:.1%}</td><td>{held}</td></tr>"
        )
    return f"<div class=scroll><table class=promises><tr><th>by</th>{head}</tr>{''.join(rows)}</table></div>"


def _histograms(report: CalibrationReport) -> str:
    parts = []
    for name, sample in report.samples.items():
        bins = np.linspace(min(0.0, _lowest(sample)), 1, _N_BINS + 1)
        shares = [
            np.histogram(scores[np.isfinite(scores)], bins)[0] / max(1, np.isfinite(scores).sum())
            for scores in (sample.true, sample.false)
        ]
        threshold = report.calibration.ways[name].promise(CUT).threshold
        drawn = charts.histogram(bins.tolist(), shares[0].tolist(), shares[1].tolist(), threshold=threshold)
        parts.append(f"<div><h3>{_escape(name)}</h3>{drawn}</div>")
    return f"<div class=charts>{''.join(parts)}</div>"


def _lowest(sample: Sample) -> float:
    scores = np.concatenate([sample.true, sample.false.ravel()])
    scores = scores[np.isfinite(scores)]
    return float(np.percentile(scores, 0.5)) if len(scores) else 0.0


def _by_edit(way: WayCalibration, order: Sequence[str]) -> str:
    edits = [edit for edit in order if edit in way.promises[0].recall_by_edit]
    columns = [f"{promise.precision:.1%}" for promise in way.promises]
    shares = {
        (edit, column): promise.recall_by_edit[edit]
        for column, promise in zip(columns, way.promises, strict=True)
        for edit in edits
    }
    return f"<div class=scroll>{charts.heat_table(edits, columns, shares, corner='edit')}</div>"


def _reliability(sample: Sample, seed: int) -> str:
    """Draw, for groups of pairs by their held-out probability, what share are copies."""
    given, is_copy, weights = held_out_probabilities(sample, seed=seed)
    if not len(given):
        return ""
    group = np.minimum((given * 10).astype(int), 9)
    total, right, middle = (
        np.bincount(group, values, 10) for values in (weights, weights * is_copy, weights * given)
    )
    used = total > 0
    points = list(
        zip((middle[used] / total[used]).tolist(), (right[used] / total[used]).tolist(), strict=True)
    )
    lines = [
        Line("as it should be", [(0.0, 0.0), (1.0, 1.0)], 7, is_dashed=True),
        Line("measured", points, 0),
    ]
    drawn = charts.line_chart(lines, x_label="probability given", y_label="share of copies", x_ticks=_TICKS)
    return drawn + charts.legend(lines)


def _pairs_at_the_cut(report: CalibrationReport, way: WayCalibration, settings: Settings) -> list[str]:
    threshold = way.promise(CUT).least
    ranked = sorted(report.examples, key=lambda one: -one.score)
    above = [one for one in ranked if one.score >= threshold]
    below = [one for one in ranked if one.score < threshold]
    groups = (
        ("Strangers above the cut: wrongly returned", [one for one in above if not one.is_copy]),
        ("Copies just above the cut: found", [one for one in above if one.is_copy][::-1]),
        ("Strangers just below the cut", [one for one in below if not one.is_copy]),
        ("Copies just below the cut: missed", [one for one in below if one.is_copy]),
    )
    parts = [f"<h2>Pairs either side of the cut, by {_escape(report.example_way)} at {CUT:.0%}</h2>"]
    for title, examples in groups:
        shown = _one_a_source(examples)[:_N_EXAMPLES]
        cards = "".join(_card(one, report.calibration.seed, settings) for one in shown)
        parts.append(f"<h3>{title}</h3>" + (f"<ul class=pairs>{cards}</ul>" if cards else "<p>None.</p>"))
    return parts


def _one_a_source(examples: Sequence[Example]) -> list[Example]:
    first: dict[int, Example] = {}
    for one in examples:
        first.setdefault(one.source.content_id, one)
    return list(first.values())


def _card(example: Example, seed: int, settings: Settings) -> str:
    try:
        edited: Any = make_copy(
            example.source.path, example.source.digest, example.edit, seed=seed, settings=settings
        )
    except LookalikeError:
        edited = None
    pictures = _image(edited, example.edit) + _image(small_image(example.other.path, settings), "the other")
    words = "its source" if example.is_copy else example.other.path
    caption = f"{example.score:.3f}: {_escape(example.edit)}, and {_escape(words)}"
    return f"<li><div>{pictures}</div><p>{caption}</p></li>"


def _image(image: Any | None, alt: str) -> str:
    if image is None:
        return f"<p>({_escape(alt)} cannot be shown)</p>"
    small = image.copy()
    small.thumbnail((_PICTURE_PX, _PICTURE_PX))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return f'<img alt="{_escape(alt)}" src="data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def _escape(text: str) -> str:
    return html.escape(text.encode(errors="replace").decode())
