"""Answers -> self-contained HTML pages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from lookalike.answers.search import Answer
from lookalike.report.templating import render
from lookalike.report.thumbnails import thumbnail_url
from lookalike.report.wording import count_duplicates
from lookalike.settings import Settings

if TYPE_CHECKING:
    from lookalike.duplicates.records import DuplicatesReport


def search_html(answers: Sequence[Answer], queries: Sequence[Any], settings: Settings) -> str:
    """Return a page that shows each query with its matches.

    `queries` are what was asked with, in the order of `answers`; their pictures are shown where they can be
    read again (standard input cannot).
    """
    return render(
        "search.html",
        asked=list(zip(answers, queries, strict=True)),
        thumbnail_url=partial(thumbnail_url, settings=settings),
    )


def duplicates_html(report: DuplicatesReport, settings: Settings) -> str:
    """Return a page with every group side by side, the overlap drawn."""
    return render(
        "duplicates.html",
        counted=count_duplicates(report),
        n_bytes_saved=sum(group.n_bytes_saved for group in report.groups),
        groups=report.groups,
        thumbnail_url=partial(thumbnail_url, settings=settings),
    )
