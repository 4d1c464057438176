"""What was applied here, read from the journal without holding it: also while a run is at work."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

from lookalike.acting.journal import Run, list_runs, load_run

MAX_EXAMPLES = 3


@dataclass(frozen=True)
class AppliedRun:
    """One run of `apply` as the journal tells it.

    Parameters
    ----------
    run : int                  its number, for `undo`
    started_at : str or None   when it began, in UTC; None where its first line cannot be read
    acts : dict                how many files it acted on, by act
    n_files : int              how many files that is
    n_undoable : int           how many of them there is something to undo of
    n_undone : int             how many were brought back
    size_bytes : int           sizes of the files
    quarantine : str or None   the folder that the run put files into
    examples : tuple of str    some of the paths
    """

    run: int
    started_at: str | None
    acts: dict[str, int]
    n_files: int
    n_undoable: int
    n_undone: int
    size_bytes: int
    quarantine: str | None
    examples: tuple[str, ...]


def load_history(
    journal_folder: str | os.PathLike[str], *, offset: int = 0, limit: int | None = None
) -> tuple[list[AppliedRun], int]:
    """Return the runs of a journal, the last one first, and how many there are; only those asked for are read.

    Raises
    ------
    StoreError    the journal cannot be read
    """
    paths = list(reversed(list_runs(journal_folder)))
    chosen = paths[offset:] if limit is None else paths[offset : offset + limit]
    return [_summary(load_run(path)) for path in chosen], len(paths)


def _summary(run: Run) -> AppliedRun:
    entries = [entry for entry in run.entries.values() if entry.was_done or entry.is_open]
    intents = [entry.intent for entry in entries]
    return AppliedRun(
        run=run.number,
        started_at=run.started_at,
        acts=dict(Counter(intent.planned.act for intent in intents)),
        n_files=len(entries),
        n_undoable=sum(entry.is_open for entry in entries),
        n_undone=sum(entry.outcome == "undone" for entry in entries),
        size_bytes=sum(intent.planned.size_bytes for intent in intents),
        quarantine=next((intent.run_folder for intent in intents if intent.run_folder), None),
        examples=tuple(intent.planned.path for intent in intents[:MAX_EXAMPLES]),
    )
