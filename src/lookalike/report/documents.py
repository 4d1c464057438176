"""Answers -> JSON."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lookalike.answers.duplicates import DuplicatesAnswer, PlanAnswer, ReviewedGroup
from lookalike.answers.jobs import with_short_seconds
from lookalike.answers.pictures import FailuresAnswer, PictureFacts, PicturesAnswer
from lookalike.answers.search import (
    Answer,
    ComparisonAnswer,
    FullPromiseAnswer,
    PromiseAnswer,
    SearchAnswer,
)
from lookalike.records.codec import to_document

if TYPE_CHECKING:
    from lookalike.acting.apply import ApplyReport
    from lookalike.acting.plan import Plan
    from lookalike.acting.undo import UndoReport
    from lookalike.adding.add import AddReport
    from lookalike.api import Page
    from lookalike.comparing import Comparison
    from lookalike.duplicates.records import DuplicatesReport
    from lookalike.evaluation.euclidean import EuclideanExperiment
    from lookalike.evaluation.evaluate import Evaluation, WayResult
    from lookalike.evaluation.experiments import Comparison as MeasureComparison
    from lookalike.queries.query import Query
    from lookalike.records.calibration import Promised
    from lookalike.records.failure import Failure, Remark
    from lookalike.records.info import GalleryInfo
    from lookalike.storage.records import FoundPicture


def add_document(report: AddReport) -> dict[str, Any]:
    """Return what `index --json` prints."""
    return dict(to_document(with_short_seconds(report)))


def search_document(answer: Answer) -> dict[str, Any]:
    """Return what `search --json` prints for one query."""
    return dict(to_document(SearchAnswer.of(answer)))


def promise_document(promised: Promised) -> dict[str, Any]:
    """Return what a search with a precision was promised, and by which calibration."""
    return dict(to_document(PromiseAnswer.of(promised)))


def full_promise_document(promised: Promised) -> dict[str, Any]:
    """Return a promise with the recall of each edit, and how the threshold came about."""
    return dict(to_document(FullPromiseAnswer.of(promised)))


def page_document(label: str, query: Query, page: Page, promised: Promised | None = None) -> dict[str, Any]:
    """Return one page of a search: what `search --json` prints, and where the page lies."""
    return {
        **search_document(Answer(label, page.matches, promised=promised)),
        "query_width_px": query.size_px[0],
        "query_height_px": query.size_px[1],
        "offset": page.offset,
        "has_more": page.has_more,
    }


def picture_document(files: Sequence[FoundPicture]) -> dict[str, Any]:
    """Return the facts of one content, under the path of its first file that is still there."""
    return dict(to_document(PictureFacts.of(files)))


def compare_document(comparison: Comparison) -> dict[str, Any]:
    """Return what `compare --json` prints."""
    return dict(to_document(ComparisonAnswer.of(comparison)))


def library_document(info: GalleryInfo, folders: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Return what `info --json` prints, with the folders that the files lie in."""
    return {
        **to_document(info),
        "folders": [{"path": path, "n_files": n_files} for path, n_files in folders],
    }


def failures_document(failures: Sequence[Failure], total: int, offset: int) -> dict[str, Any]:
    """Return some of the files that are not searchable."""
    return dict(to_document(FailuresAnswer(tuple(failures), total, offset)))


def pictures_document(pictures: Sequence[FoundPicture], total: int, offset: int) -> dict[str, Any]:
    """Return the facts of some files."""
    return dict(to_document(PicturesAnswer.of(pictures, total, offset)))


def duplicates_document(report: DuplicatesReport) -> dict[str, Any]:
    """Return what `duplicates --json` prints; a group's members are the files beside its keeper."""
    return dict(to_document(DuplicatesAnswer.of(report)))


def review_document(report: DuplicatesReport, report_id: str, protect: Sequence[str]) -> dict[str, Any]:
    """Return duplicates with the facts of every file, as the review of them needs: largest gain first."""
    return {
        "report_id": report_id,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "compared": report.n_compared,
        "failed": to_document(report.failed),
        "seconds": round(report.seconds, 3),
        "protect": list(protect),
        "groups": [to_document(ReviewedGroup.of(group, n)) for n, group in enumerate(report.groups, 1)],
    }


def present_group(group: dict[str, Any]) -> dict[str, Any] | None:
    """Return a group of a `review_document` with the files that are still there; None for less than two."""
    members = [member for member in group["members"] if os.path.isfile(member["path"])]
    if not members or not os.path.isfile(group["keeper"]["path"]):
        return None
    saved = sum(member["size_bytes"] for member in members if member["removable"])
    return {
        **group,
        "keeper": dict(group["keeper"]),
        "members": [dict(member) for member in members],
        "saved_bytes": saved,
    }


def plan_document(plan_id: str, plan: Plan, left_out: Sequence[Remark]) -> dict[str, Any]:
    """Return what a plan would do, and what of the wishes it leaves out."""
    return dict(to_document(PlanAnswer.of(plan_id, plan, left_out)))


def apply_document(report: ApplyReport) -> dict[str, Any]:
    """Return what `apply --json` prints."""
    return dict(to_document(with_short_seconds(report)))


def undo_document(report: UndoReport) -> dict[str, Any]:
    """Return what `undo --json` prints."""
    return dict(to_document(with_short_seconds(report)))


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
