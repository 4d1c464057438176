"""Long runs: one at a time, in a thread and with a gallery of its own; they can be watched and stopped."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from lookalike.errors import LookalikeError, StopRequested
from lookalike.gallery.local import LocalGallery
from lookalike.web.problems import Refusal

MAX_REMEMBERED = 20
State = Literal["running", "done", "stopped", "failed"]
Report = Callable[[str, int, int | None], None]
"""Told the stage, how much of it is done, and its total where that is known."""


@dataclass
class Job:
    """One run, and how far it is."""

    id: str
    kind: str
    state: State = "running"
    stage: str = "start"
    n_done: int = 0
    n_total: int | None = None
    error: str | None = None
    report: dict[str, Any] | None = None
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    started: float = field(default_factory=time.monotonic)
    stage_started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    stop_asked: bool = False

    def document(self) -> dict[str, Any]:
        """Return the job as the API gives it."""
        now = self.ended or time.monotonic()
        rate = self.n_done / max(0.001, now - self.stage_started)
        left = None
        if self.state == "running" and self.n_total is not None and rate > 0:
            left = round((self.n_total - self.n_done) / rate, 1)
        document = {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "stage": self.stage,
            "n_done": self.n_done,
            "n_total": self.n_total,
            "rate_per_s": round(rate, 2),
            "seconds_left": left,
            "started_at": self.started_at,
            "seconds": round(now - self.started, 2),
            "error": self.error,
        }
        return document if self.report is None else {**document, "report": self.report}


class Jobs:
    """The runs of one server.

    Parameters
    ----------
    open_gallery : callable    opens a gallery that can be written
    """

    def __init__(self, open_gallery: Callable[[], LocalGallery]) -> None:
        self._open_gallery = open_gallery
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, kind: str, work: Callable[[LocalGallery, Report], tuple[dict[str, Any], bool]]) -> Job:
        """Start a run; `work` returns its report and whether it was whole.

        Raises
        ------
        Refusal    409: another one is at work
        """
        with self._lock:
            if any(job.state == "running" for job in self._jobs.values()):
                raise Refusal(409, "a job is at work already: wait for it, or stop it.")
            job = Job(secrets.token_hex(8), kind)
            self._jobs[job.id] = job
            while len(self._jobs) > MAX_REMEMBERED:
                self._jobs.popitem(last=False)
            self._thread = threading.Thread(target=self._run, args=(job, work), daemon=True)
            self._thread.start()
        return job

    def _run(self, job: Job, work: Callable[[LocalGallery, Report], tuple[dict[str, Any], bool]]) -> None:
        def report(stage: str, n_done: int, n_total: int | None) -> None:
            if job.stop_asked:
                raise StopRequested
            if stage != job.stage:
                job.stage_started = time.monotonic()
            job.stage, job.n_done, job.n_total = stage, n_done, n_total

        state: State = "failed"
        try:
            with self._open_gallery() as gallery:
                job.report, is_whole = work(gallery, report)
            state = "done" if is_whole else "stopped"
        except StopRequested:
            state = "stopped"
        except LookalikeError as error:
            job.error = str(error)
        except Exception as error:
            job.error = f"unexpected {type(error).__name__}: {error}"
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
        """Ask the run at work to end, and wait for it a little."""
        for job in self._jobs.values():
            job.stop_asked = True
        if self._thread is not None:
            self._thread.join(timeout=5)
