"""Undo a run: every file it acted on gets its bytes, name, mode and times back."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field

from lookalike.acting.carry import Carry, take_back
from lookalike.acting.files import RefusedError, explain
from lookalike.acting.journal import Entry, Journal, Run, RunWriter
from lookalike.acting.restore import put_back
from lookalike.errors import InputError
from lookalike.records.failure import Remark
from lookalike.records.progress import Progress, ProgressCallback, ignore_progress


@dataclass
class UndoReport:
    """What an undo did.

    Parameters
    ----------
    run : int or None       the run that was undone; None where there was nothing to undo
    restored : list of str  paths that are again as they were, last act first
    skipped : list of Remark    paths that are not, and why; undo again once the reason is gone
    remarks : list of Remark    what else to know of a path
    seconds : float
    interrupted : bool      stopped by Ctrl-C; undo again to go on
    """

    run: int | None = None
    restored: list[str] = field(default_factory=list)
    skipped: list[Remark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False


def undo(
    journal_folder: str | os.PathLike[str],
    *,
    run: int | None = None,
    on_progress: ProgressCallback = ignore_progress,
) -> UndoReport:
    """Put the files of a run back, last act first. Undoing twice, or after a kill, does no harm.

    Parameters
    ----------
    journal_folder : path    as given to `apply_plan`
    run : int or None        its number; None takes the last that is not undone
    on_progress : callable   called after each file with `Progress`

    Returns
    -------
    UndoReport    a file that cannot be put back is a row in `skipped`, never an exception

    Raises
    ------
    InputError    there is no journal, or no such run
    StoreError    the journal cannot be used, or is in use
    """
    started = time.monotonic()
    report = UndoReport()
    with Journal(journal_folder, create=False) as journal:
        chosen = _choose(journal.load_runs(), run)
        if chosen is not None:
            report.run = chosen.number
            for line in chosen.unreadable_lines:
                report.skipped.append(Remark(chosen.path, f"line {line} of the journal cannot be read"))
            with journal.resume_run(chosen) as writer:
                _undo_all(chosen, writer, report, on_progress)
    report.seconds = time.monotonic() - started
    return report


def _choose(runs: list[Run], number: int | None) -> Run | None:
    if number is None:
        return next((run for run in reversed(runs) if run.is_open), None)
    for run in runs:
        if run.number == number:
            return run
    known = ", ".join(str(run.number) for run in runs) or "none"
    raise InputError(f"there is no run {number} in the journal; the runs are: {known}.")


def _undo_all(run: Run, writer: RunWriter, report: UndoReport, on_progress: ProgressCallback) -> None:
    entries = list(reversed(run.open_entries))
    try:
        for n_done, entry in enumerate(entries, start=1):
            _undo_one(entry, writer, report)
            on_progress(Progress("undo", n_done, len(entries), len(report.skipped)))
        for carry in reversed(run.open_carries):
            _undo_carry(carry, writer, report)
    except KeyboardInterrupt:
        report.interrupted = True


def _undo_carry(carry: Carry, writer: RunWriter, report: UndoReport) -> None:
    """Give a keeper its own bytes back."""
    try:
        take_back(carry)
    except RefusedError as error:
        report.skipped.append(Remark(carry.path, str(error)))
    except OSError as error:
        report.skipped.append(Remark(carry.path, explain(error)))
    else:
        report.restored.append(carry.path)
        with suppress(OSError):  # the next undo would find it as it was
            writer.write({"event": "carry undone", "token": carry.token})


def _undo_one(entry: Entry, writer: RunWriter, report: UndoReport) -> None:
    number, path = entry.intent.number, entry.intent.planned.path
    try:
        writer.note("undoing", number)
        put_back(entry)
    except RefusedError as error:
        report.skipped.append(Remark(path, str(error)))
    except OSError as error:
        report.skipped.append(Remark(path, explain(error)))
    else:
        report.restored.append(path)
        with suppress(OSError):  # the next undo would find it in place
            writer.note("undone", number)
