"""Long runs, each in a thread and with a gallery of its own; they can be watched and stopped.

One run at a time looks at pictures, and one at a time acts on files: neither waits for the other.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from lookalike.answers.jobs import JobAnswer, JobReport, State
from lookalike.errors import LookalikeError, StopRequested
from lookalike.gallery.local import LocalGallery
from lookalike.records.progress import Progress, ProgressCallback
from lookalike.web.problems import Refusal

MAX_REMEMBERED = 20
CLOSING_SECONDS = 5.0
MAX_ERROR_LENGTH = 2000
Kind = Literal["index", "duplicates", "calibrate", "apply", "undo"]
_ACTING: tuple[Kind, ...] = ("apply", "undo")
Work = Callable[[LocalGallery, ProgressCallback], tuple[JobReport, bool]]
"""Does a run, saying how far it is; returns its report, and whether it was whole."""


@dataclass
class Job:
    """One run, and how far it is."""

    id: str
    kind: Kind
    state: State = "running"
    stage: str = "start"
    n_done: int = 0
    n_total: int | None = None
    error: str | None = None
    failure: Exception | None = None
    report: JobReport | None = None
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    started: float = field(default_factory=time.monotonic)
    stage_started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    stop_asked: bool = False

    def answer(self) -> JobAnswer:
        """Return the job as the API gives it."""
        now = self.ended or time.monotonic()
        rate = self.n_done / max(0.001, now - self.stage_started)
        left = None
        if self.state == "running" and self.n_total is not None and rate > 0:
            left = round((self.n_total - self.n_done) / rate, 1)
        is_known = isinstance(self.failure, LookalikeError)
        return JobAnswer(
            id=self.id,
            kind=self.kind,
            state=self.state,
            stage=self.stage,
            n_done=self.n_done,
            n_total=self.n_total,
            rate_per_s=round(rate, 2),
            seconds_left=left,
            started_at=self.started_at,
            seconds=round(now - self.started, 2),
            error=self.error,
            error_kind=type(self.failure).__name__ if is_known else None,
            report=self.report,
        )


class Jobs:
    """The runs of one server.

    Parameters
    ----------
    open_gallery : callable    opens a gallery that can be written
    """

    def __init__(self, open_gallery: Callable[[], LocalGallery]) -> None:
        self._open_gallery = open_gallery
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def start(self, kind: Kind, work: Work) -> Job:
        """Start a run.

        Raises
        ------
        Refusal    409: another one of its sort is at work
        """
        with self._lock:
            for other in self._jobs.values():
                if other.state == "running" and (other.kind in _ACTING) == (kind in _ACTING):
                    raise Refusal(409, _busy_with(other.kind))
            job = Job(secrets.token_hex(8), kind)
            self._jobs[job.id] = job
            self._forget_oldest()
            thread = threading.Thread(target=self._run, args=(job, work), daemon=True)
            self._threads[job.id] = thread
            thread.start()
        return job

    def _forget_oldest(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.state != "running"]
        for job_id in ended[: max(0, len(self._jobs) - MAX_REMEMBERED)]:
            del self._jobs[job_id]
            self._threads.pop(job_id, None)

    def _run(self, job: Job, work: Work) -> None:
        def on_progress(now: Progress) -> None:
            if now.stage != job.stage:
                job.stage_started = time.monotonic()
            job.stage, job.n_done, job.n_total = now.stage, now.n_done, now.n_total
            if job.stop_asked:
                raise StopRequested

        state: State = "failed"
        try:
            with self._open_gallery() as gallery:
                job.report, is_whole = work(gallery, on_progress)
            state = "done" if is_whole else "stopped"
        except StopRequested:
            state = "stopped"
        except Exception as error:
            is_known = isinstance(error, LookalikeError)
            text = str(error) if is_known else f"unexpected {type(error).__name__}: {error}"
            job.failure, job.error = error, text[:MAX_ERROR_LENGTH]
        job.ended = time.monotonic()
        job.state = state

    def list(self) -> list[Job]:
        """Return the runs, the last one first."""
        return list(reversed(self._jobs.values()))

    def get(self, job_id: str) -> Job:
        """Return a run; raise Refusal (404) where it is not known."""
        if job_id not in self._jobs:
            raise Refusal(404, "there is no such job; the server may have been started anew since.")
        return self._jobs[job_id]

    def stop(self, job_id: str) -> Job:
        """Ask a run to end soon; what it has done is kept."""
        job = self.get(job_id)
        job.stop_asked = True
        return job

    def close(self) -> None:
        """Ask the runs at work to end, and wait for them a little."""
        for job in self._jobs.values():
            job.stop_asked = True
        ends = time.monotonic() + CLOSING_SECONDS
        for thread in self._threads.values():
            thread.join(timeout=max(0.0, ends - time.monotonic()))


def _busy_with(kind: Kind) -> str:
    if kind in _ACTING:
        return "files are being put away or brought back just now: wait for that, or stop it."
    return "a job is at work already: wait for it, or stop it."
