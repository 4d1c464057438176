"""Answers -> CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from lookalike.answers.duplicates import MemberAnswer
from lookalike.answers.search import Answer, MatchAnswer
from lookalike.duplicates.records import DuplicatesReport
from lookalike.records.codec import to_document


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
            writer.writerow({"query": answer.query, "rank": rank, **to_document(MatchAnswer.of(match))})
    return text.getvalue()


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
            row = {**to_document(MemberAnswer.of(member)), "transform": transform}
            writer.writerow({"group": number, "role": "member", **row})
    return text.getvalue()
