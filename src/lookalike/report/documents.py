"""Answers -> JSON and CSV."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lookalike.records.codec import to_document

if TYPE_CHECKING:
    from lookalike.acting.apply import ApplyReport
    from lookalike.acting.plan import Plan
    from lookalike.acting.undo import UndoReport
    from lookalike.adding.add import AddReport
    from lookalike.api import GalleryInfo, Page
    from lookalike.calibration.calibrate import CalibrationReport
    from lookalike.comparing import Comparison
    from lookalike.duplicates.records import DuplicatesReport, Member
    from lookalike.evaluation.euclidean import EuclideanExperiment
    from lookalike.evaluation.evaluate import Evaluation, WayResult
    from lookalike.evaluation.experiments import Comparison as MeasureComparison
    from lookalike.queries.picture import Query
    from lookalike.records.calibration import Promised, WayCalibration
    from lookalike.records.failure import Failure, Remark
    from lookalike.searching.searcher import Match
    from lookalike.storage.store import FoundPicture


@dataclass(frozen=True)
class Answer:
    """The answer to one query of a search: its matches, or why there are none, and what was promised of them."""

    query: str
    matches: Sequence[Match] = ()
    error: str | None = None
    promised: Promised | None = None


def add_document(report: AddReport) -> dict[str, Any]:
    """Return what `index --json` prints."""
    document = {**asdict(report), "seconds": round(report.seconds, 3)}
    del document["n_failed_before"]  # only what is printed for a person is told apart by it
    return document


def match_document(match: Match) -> dict[str, Any]:
    """Return one match as `search --json` prints it."""
    picture = match.picture
    return {
        "path": picture.path,
        "score": round(match.score, 6),
        "distance": round(match.distance, 6),
        "unit": match.unit,
        "relation": match.relation,
        "by": match.by,
        "why": match.why,
        "id": picture.content_id,
        "format": picture.format,
        "width_px": picture.width_px,
        "height_px": picture.height_px,
        "size_bytes": picture.size_bytes,
        "date": picture.date,
        "probability": None if match.probability is None else round(match.probability, 4),
        **({} if match.proof is None else {"proof": to_document(match.proof)}),
    }


def search_document(answer: Answer) -> dict[str, Any]:
    """Return what `search --json` prints for one query."""
    if answer.error is not None:
        return {"query": answer.query, "error": answer.error}
    return {
        "query": answer.query,
        "matches": [match_document(match) for match in answer.matches],
        **({} if answer.promised is None else {"promise": promise_document(answer.promised)}),
    }


def promise_document(promised: Promised) -> dict[str, Any]:
    """Return what a search with a precision was promised, and by which calibration."""
    promise = promised.promise
    return {
        "by": promised.by,
        "calibration": promised.origin,
        "precision": promise.precision,
        "threshold": promise.threshold,
        "recall": round(promise.recall, 4),
        "precision_at_least": round(promise.bound, 5),
        "supported": promise.is_supported,
        "nothing_found": round(promise.silence, 4),
    }


def full_promise_document(promised: Promised) -> dict[str, Any]:
    """Return a `promise_document` with the recall of each edit, and how the threshold came about."""
    promise = promised.promise
    return {
        **promise_document(promised),
        "against_shipped": promise.against_shipped,
        "recall_by_edit": {edit: round(share, 4) for edit, share in promise.recall_by_edit.items()},
    }


def calibration_document(report: CalibrationReport) -> dict[str, Any]:
    """Return what `calibrate --json` prints; docs/calibration.md explains the fields."""
    found = report.calibration
    return {
        "made_at": found.made_at,
        "contents": found.n_contents,
        "pictures": found.n_pictures,
        "edits": list(found.edits),
        "seed": found.seed,
        "left_out": found.n_left_out,
        "doubtful": found.n_doubtful,
        "too_small_or_plain": found.n_untelling,
        "unsettled": found.n_unsettled,
        "asked": report.n_asked,
        "ways": {name: _calibrated_document(name, way) for name, way in found.ways.items()},
        "failed": [asdict(failure) for failure in report.failed],
        "seconds": round(report.seconds, 1),
    }


def _calibrated_document(name: str, way: WayCalibration) -> dict[str, Any]:
    from lookalike.records.calibration import Promised

    return {
        "queries": way.n_queries,
        "strangers": way.n_false,
        "background": round(way.background, 4),
        "promises": [full_promise_document(Promised(name, promise, "gallery")) for promise in way.promises],
        "checks": [
            {
                "precision": check.precision,
                "achieved": None if math.isnan(check.achieved) else round(check.achieved, 5),
                "achieved_at_least": round(check.bound, 5),
                "true": check.n_true,
                "false": check.n_false,
                "recall": round(check.recall, 4),
                "nothing_found": round(check.silence, 4),
            }
            for check in way.checks
        ],
        "map": [
            [round(score, 6), round(probability, 6)]
            for score, probability in zip(way.map.scores, way.map.probabilities, strict=True)
        ],
    }


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
    present = [file for file in files if os.path.isfile(file.path)]
    first = (present or files)[0]
    return {
        "id": first.content_id,
        "path": first.path,
        "paths": [file.path for file in files],
        "format": first.format,
        "width_px": first.width_px,
        "height_px": first.height_px,
        "size_bytes": first.size_bytes,
        "date": first.date,
        "digest": first.digest.hex(),
        "bytes_per_pixel": round(first.size_bytes / max(1, first.width_px * first.height_px), 3),
        "exists": bool(present),
    }


def compare_document(comparison: Comparison) -> dict[str, Any]:
    """Return what `compare --json` prints."""
    return {
        "measures": {one.name: round(one.value, 6) for one in comparison.measures},
        "relation": comparison.relation,
        "verdict": comparison.verdict,
        "proof": to_document(comparison.proof),
    }


def info_document(info: GalleryInfo) -> dict[str, Any]:
    """Return what `info --json` prints."""
    return asdict(info)


def library_document(info: GalleryInfo, folders: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Return what `info --json` prints, with the folders that the files lie in."""
    return {
        **info_document(info),
        "folders": [{"path": path, "n_files": n_files} for path, n_files in folders],
    }


def failures_document(failures: Sequence[Failure], total: int, offset: int) -> dict[str, Any]:
    """Return some of the files that are not searchable."""
    return {"failures": [asdict(failure) for failure in failures], "total": total, "offset": offset}


def pictures_document(pictures: Sequence[FoundPicture], total: int, offset: int) -> dict[str, Any]:
    """Return the facts of some files."""
    return {"pictures": [picture_document([one]) for one in pictures], "total": total, "offset": offset}


def search_csv(answers: Sequence[Answer]) -> str:
    """Return all matches as CSV with a header, one a row, after the query they answer."""
    columns = ["query", "rank", "path", "score", "distance", "unit", "relation", "by", "why", "error"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for answer in answers:
        if answer.error is not None:
            writer.writerow({"query": answer.query, "error": answer.error})
        for rank, match in enumerate(answer.matches, 1):
            writer.writerow({"query": answer.query, "rank": rank, **match_document(match)})
    return text.getvalue()


def duplicates_document(report: DuplicatesReport) -> dict[str, Any]:
    """Return what `duplicates --json` prints; a group's members are the files beside its keeper."""
    return {
        "groups": [
            {
                "relation": group.relation,
                "keeper": group.keeper.path,
                "why": group.why,
                "members": [_member_document(member) for member in group.members],
                "saved_bytes": group.n_bytes_saved,
            }
            for group in report.groups
        ],
        "compared": report.n_compared,
        "failed": [asdict(failure) for failure in report.failed],
        "seconds": round(report.seconds, 3),
    }


def _member_document(member: Member) -> dict[str, Any]:
    return {
        "path": member.picture.path,
        "relation": member.relation,
        "score": round(member.score, 4),
        "proof": to_document(member.proof),
        "removable": not member.note,
        "note": member.note,
        "size_bytes": member.picture.size_bytes,
    }


def review_document(report: DuplicatesReport, report_id: str, protect: Sequence[str]) -> dict[str, Any]:
    """Return duplicates with the facts of every file, as the review of them needs: largest gain first."""
    return {
        "report_id": report_id,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "compared": report.n_compared,
        "failed": [asdict(failure) for failure in report.failed],
        "seconds": round(report.seconds, 3),
        "protect": list(protect),
        "groups": [
            {
                "number": number,
                "relation": group.relation,
                "keeper": picture_document([group.keeper]),
                "why": group.why,
                "saved_bytes": group.n_bytes_saved,
                "members": [
                    {**picture_document([member.picture]), **_member_document(member)}
                    for member in group.members
                ],
            }
            for number, group in enumerate(report.groups, 1)
        ],
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
    return {
        "id": plan_id,
        "act": plan.acts[0].act if plan.acts else None,
        "created_at": plan.created_at,
        "quarantine": plan.quarantine,
        "n_files": len(plan.acts),
        "saved_bytes": sum(act.size_bytes for act in plan.acts),
        "removals": [
            {
                "path": act.path,
                "keeper": act.keeper,
                "relation": act.relation,
                "why": act.why,
                "size_bytes": act.size_bytes,
            }
            for act in plan.acts
        ],
        "left_out": [asdict(remark) for remark in left_out],
    }


def duplicates_csv(report: DuplicatesReport) -> str:
    """Return the groups as CSV with a header: a row a file, keepers first."""
    columns = [
        "group",
        "role",
        "path",
        "relation",
        "score",
        "transform",
        "removable",
        "note",
        "size_bytes",
        "why",
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for number, group in enumerate(report.groups, 1):
        keeper = group.keeper
        writer.writerow(
            {
                "group": number,
                "role": "keep",
                "path": keeper.path,
                "size_bytes": keeper.size_bytes,
                "why": group.why,
            }
        )
        for member in group.members:
            transform = member.proof.transform
            row = {**_member_document(member), "transform": transform}
            writer.writerow({"group": number, "role": "member", **row})
    return text.getvalue()


def apply_document(report: ApplyReport) -> dict[str, Any]:
    """Return what `apply --json` prints."""
    return {**asdict(report), "seconds": round(report.seconds, 3)}


def undo_document(report: UndoReport) -> dict[str, Any]:
    """Return what `undo --json` prints."""
    return {**asdict(report), "seconds": round(report.seconds, 3)}


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
