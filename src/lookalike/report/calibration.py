"""A calibration -> a self-contained HTML page: promises, checks, histograms, and pairs either side of the cut."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from lookalike.calibration.copies import make_copy
from lookalike.calibration.fit import held_out_probabilities
from lookalike.errors import LookalikeError
from lookalike.report import charts
from lookalike.report.calibration_notes import calibration_notes, mark
from lookalike.report.charts import Line
from lookalike.report.templating import render
from lookalike.report.thumbnails import data_url, small_image
from lookalike.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.calibration.fit import Sample
    from lookalike.calibration.record import CalibrationReport, Example
    from lookalike.records.calibration import WayCalibration

CUT = 0.99  # the promise whose cut is drawn, and from either side of which pairs are shown
_N_BINS = 50
_N_EXAMPLES = 6  # on each side, true and false
_PICTURE_PX = 200
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def calibration_html(report: CalibrationReport, settings: Settings) -> str:
    """Return the page of a calibration."""
    found, by = report.calibration, report.example_way
    main = found.ways[by]
    return render(
        "calibration.html",
        found=found,
        by=by,
        cut=CUT,
        precisions=[promise.precision for promise in next(iter(found.ways.values())).promises],
        checks={
            name: next(one for one in way.checks if one.precision == CUT) for name, way in found.ways.items()
        },
        mark=mark,
        notes=calibration_notes(found),
        histograms=[(name, _histogram(report, name)) for name in report.samples],
        edits=_by_edit(main, found.edits),
        reliability=_reliability(report.samples[by], found.seed),
        at_the_cut=_pairs_at_the_cut(report, main),
        copy_url=partial(_copy_url, seed=found.seed, settings=settings),
        other_url=lambda example: _url(small_image(example.other.path, settings)),
    )


def _histogram(report: CalibrationReport, way: str) -> Markup:
    sample = report.samples[way]
    bins = np.linspace(min(0.0, _lowest(sample)), 1, _N_BINS + 1)
    shares = [
        np.histogram(scores[np.isfinite(scores)], bins)[0] / max(1, np.isfinite(scores).sum())
        for scores in (sample.true, sample.false)
    ]
    threshold = report.calibration.ways[way].promise(CUT).threshold
    return charts.histogram(bins.tolist(), shares[0].tolist(), shares[1].tolist(), threshold=threshold)


def _lowest(sample: Sample) -> float:
    scores = np.concatenate([sample.true, sample.false.ravel()])
    scores = scores[np.isfinite(scores)]
    return float(np.percentile(scores, 0.5)) if len(scores) else 0.0


def _by_edit(way: WayCalibration, order: Sequence[str]) -> Markup:
    edits = [edit for edit in order if edit in way.promises[0].recall_by_edit]
    columns = [f"{promise.precision:.1%}" for promise in way.promises]
    shares = {
        (edit, column): promise.recall_by_edit[edit]
        for column, promise in zip(columns, way.promises, strict=True)
        for edit in edits
    }
    return charts.heat_table(edits, columns, shares, corner="edit")


def _reliability(sample: Sample, seed: int) -> Markup:
    """Draw, for groups of pairs by their held-out probability, what share are copies."""
    given, is_copy, weights = held_out_probabilities(sample, seed=seed)
    if not len(given):
        return Markup()
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


def _pairs_at_the_cut(report: CalibrationReport, way: WayCalibration) -> list[tuple[str, list[Example]]]:
    """Return four groups of pairs, each with a title: strangers and copies, above and below the threshold."""
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
    return [(title, _one_a_source(examples)[:_N_EXAMPLES]) for title, examples in groups]


def _one_a_source(examples: Sequence[Example]) -> list[Example]:
    first: dict[int, Example] = {}
    for one in examples:
        first.setdefault(one.source.content_id, one)
    return list(first.values())


def _copy_url(example: Example, *, seed: int, settings: Settings) -> str | None:
    source = example.source
    try:
        return _url(make_copy(source.path, source.digest, example.edit, seed=seed, settings=settings))
    except LookalikeError:
        return None


def _url(image: Image | None) -> str | None:
    return None if image is None else data_url(image, _PICTURE_PX, quality=80)
