"""Answers -> JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lookalike.acting.apply import ApplyReport
    from lookalike.acting.undo import UndoReport
    from lookalike.adding.add import AddReport
    from lookalike.gallery import GalleryInfo
    from lookalike.matching.compare import Comparison
    from lookalike.matching.duplicates import DuplicatesReport, Member
    from lookalike.matching.search import Match


@dataclass(frozen=True)
class Answer:
    """The answer to one query of a search: its matches, or why there are none."""

    query: str
    matches: Sequence[Match] = ()
    error: str | None = None


def to_json(document: Any) -> str:
    """Return one line of JSON, readable where the text allows it; undecodable names are escaped."""
    text = json.dumps(document, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(document)
    return text


def add_document(report: AddReport) -> dict[str, Any]:
    """Return what `index --json` prints."""
    return {**asdict(report), "seconds": round(report.seconds, 3)}


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
        **({} if match.proof is None else {"proof": dict(match.proof)}),
    }


def search_document(answer: Answer) -> dict[str, Any]:
    """Return what `search --json` prints for one query."""
    if answer.error is not None:
        return {"query": answer.query, "error": answer.error}
    return {"query": answer.query, "matches": [match_document(match) for match in answer.matches]}


def compare_document(comparison: Comparison) -> dict[str, Any]:
    """Return what `compare --json` prints."""
    return {
        "measures": {one.name: round(one.value, 6) for one in comparison.measures},
        "relation": comparison.relation,
        "verdict": comparison.verdict,
        "proof": dict(comparison.proof),
    }


def info_document(info: GalleryInfo) -> dict[str, Any]:
    """Return what `info --json` prints."""
    return asdict(info)


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
        "proof": dict(member.proof),
        "removable": not member.note,
        "note": member.note,
        "size_bytes": member.picture.size_bytes,
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
            transform = member.proof.get("transform", "")
            row = {**_member_document(member), "transform": transform}
            writer.writerow({"group": number, "role": "member", **row})
    return text.getvalue()


def apply_document(report: ApplyReport) -> dict[str, Any]:
    """Return what `apply --json` prints."""
    return {**asdict(report), "seconds": round(report.seconds, 3)}


def undo_document(report: UndoReport) -> dict[str, Any]:
    """Return what `undo --json` prints."""
    return {**asdict(report), "seconds": round(report.seconds, 3)}
