"""Long runs of a server, and what came of them, as JSON has them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from lookalike.acting.apply import ApplyReport
from lookalike.acting.history import AppliedRun
from lookalike.acting.undo import UndoReport
from lookalike.adding.add import AddReport
from lookalike.answers.calibration import CalibratedAnswer

State = Literal["running", "done", "stopped", "failed"]


@dataclass(frozen=True)
class DuplicatesFound:
    """What a search for duplicates came to; the groups are the last report's, see `ReviewAnswer`."""

    report_id: str
    total_groups: int
    total_saved_bytes: int
    compared: int
    seconds: float


JobReport = DuplicatesFound | AddReport | CalibratedAnswer | ApplyReport | UndoReport
"""What comes of a run."""


@dataclass(frozen=True)
class JobAnswer:
    """One run, and how far it is.

    Parameters
    ----------
    id : str
    kind : str
        ``index``, ``duplicates``, ...
    state : str
        ``running``, ``done``, ``stopped`` or ``failed``.
    stage : str
        What it is at.
    n_done, n_total : int, int or None
        How much of the stage is done, and of how much, where that is known.
    rate_per_s : float
    seconds_left : float or None
        Of the stage, at that rate.
    started_at : str
    seconds : float
        Since it was started, or that it took.
    error, error_kind : str or None
        Why it failed, and the name of the error (see `lookalike.errors`).
    report : JobReport
        What came of it; left out until it ends, and where it came to nothing.
    """

    id: str
    kind: str
    state: State
    stage: str
    n_done: int
    n_total: int | None
    rate_per_s: float
    seconds_left: float | None
    started_at: str
    seconds: float
    error: str | None
    error_kind: str | None = None
    report: JobReport | None = None

    @property
    def not_written(self) -> tuple[str, ...]:
        """The fields that are not written."""
        return ("report",) if self.report is None else ()


@dataclass(frozen=True)
class JobsAnswer:
    """The runs of a server, the last one first."""

    jobs: tuple[JobAnswer, ...]


@dataclass(frozen=True)
class RunsAnswer:
    """Some of the runs of `apply`, the last one first, and how many there are."""

    runs: tuple[AppliedRun, ...]
    total: int
    offset: int = 0


Report = TypeVar("Report", AddReport, ApplyReport, UndoReport)


def with_short_seconds(report: Report) -> Report:
    """Return a report as it is printed: its seconds to the millisecond."""
    return replace(report, seconds=round(report.seconds, 3))
