"""What experiments find -> JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lookalike.evaluation.euclidean import EuclideanExperiment
    from lookalike.evaluation.evaluate import Evaluation, WayResult
    from lookalike.evaluation.experiments import Comparison as MeasureComparison


def evaluation_document(found: Evaluation) -> dict[str, Any]:
    """Return what `evaluate --json` prints; a figure that cannot be said is null."""
    return {
        "data": found.data.name,
        "queries": len(found.data.queries),
        "pictures": len(found.data.gallery),
        "depth": found.depth,
        "queries_without_positives": found.n_without_positives,
        "failed_queries": found.n_failed_queries,
        "failed_pictures": found.n_failed_pictures,
        "results": [_way_document(one) for one in found.results],
    }


def _way_document(one: WayResult) -> dict[str, Any]:
    scores, cost = one.scores, one.cost
    edits = {
        label: {
            "queries": figures.n_queries,
            "recall@1": _finite(figures.recall_at_1),
            "recall@P99.9": _finite(figures.recall_at_precision),
        }
        for label, figures in scores.by_edit.items()
    }
    return {
        "by": one.by,
        **{name: _finite(value) for name, value in scores.values.items()},
        **{f"{name}_interval": [_finite(end) for end in ends] for name, ends in scores.intervals.items()},
        "seconds_per_picture": _finite(cost.seconds_per_picture),
        "seconds_per_query": _finite(cost.seconds_per_query),
        "bytes_per_picture": _finite(cost.bytes_per_picture),
        **({"edits": edits} if edits else {}),
    }


def measures_document(found: MeasureComparison) -> dict[str, Any]:
    """Return what `experiment five-measures --json` and `experiment viewpoint --json` print."""
    return {
        "experiment": found.experiment,
        "data": found.data,
        "pictures": found.n_pictures,
        "groups": found.n_groups,
        "draws": found.n_draws,
        "results": [asdict(one) for one in found.results],
        "remarks": list(found.remarks),
    }


def euclidean_document(found: EuclideanExperiment) -> dict[str, Any]:
    """Return what `experiment euclidean --json` prints."""
    return {"experiment": "euclidean", **asdict(found)}


def _finite(value: float) -> float | None:
    """Return a figure with six digits behind the point, or seven digits of a small one; None where it is none."""
    if not math.isfinite(value):
        return None
    return float(f"{value:.7g}") if abs(value) < 1 else round(value, 6)
