"""Sentences that several reports share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookalike.duplicates.records import DuplicatesReport


def count(number: int, name: str) -> str:
    """Return a number with its noun, as in "1 group" or "2,000 groups"."""
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def count_duplicates(report: DuplicatesReport) -> str:
    """Return how many groups and files were found, and how many of the files stay."""
    text = f"{count(len(report.groups), 'group')}, {count(report.n_members, 'file')} beside those to keep"
    if not report.n_staying:
        return text
    return f"{text}, of which {report.n_staying:,} {'stays' if report.n_staying == 1 else 'stay'}"
