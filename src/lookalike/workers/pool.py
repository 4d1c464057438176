"""Worker processes that may hang or crash: a bad task costs one failed row, never the run."""

from __future__ import annotations

import math
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, cast

from lookalike.errors import LookalikeError, ModelError
from lookalike.workers.process import receive, send
from lookalike.workers.tasks import Failed, Job

_TASKS_AHEAD = 16  # tasks a worker holds, so that it never waits for the parent
_START_SECONDS = 300.0  # the first worker of a fresh installation builds the model
_MAX_START_FAILURES = 3

Task = TypeVar("Task")
Answer = TypeVar("Answer")


class WorkerPool(Generic[Task, Answer]):
    """Runs tasks in worker processes, each under a time and memory limit.

    Parameters
    ----------
    job : Job            settings, features and gallery
    n_workers : int      number of processes; they start with the first task
    make_work : callable  called with `job` in each worker; gives the function from task to answer, which may
                          raise: see `lookalike.workers.tasks.answer_to`
    are_dear : bool      whether a task takes so long that even a few are shared by all workers; else the first
                          worker takes them as they come, and their answers come in that order

    Tasks and answers travel as pickles. One run is under way at a time: a new one ends the one before.
    """

    def __init__(
        self,
        job: Job,
        n_workers: int,
        make_work: Callable[[Job], Callable[[Task], Answer]],
        *,
        are_dear: bool = False,
    ) -> None:
        self._job = job
        self._are_dear = are_dear
        self._make_work = make_work
        self._n_workers = n_workers
        self._workers: list[_Worker[Task]] = []
        self._inbox: queue.SimpleQueue[tuple[_Worker[Task], Any]] = queue.SimpleQueue()
        self._n_start_failures = 0
        self._under_way: Generator[Answer | Failed[Task], None, None] | None = None

    def __enter__(self) -> WorkerPool[Task, Answer]:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()

    def dismiss(self) -> None:
        """Let the workers go, and their memory; the next task starts others."""
        for worker in self._workers:
            worker.stop()
        self._workers = []

    def run(self, tasks: Iterable[Task]) -> Iterator[Answer | Failed[Task]]:
        """Yield one answer for each task, in the order in which they get ready.

        A worker that crashes, or takes more than `max_seconds` over a task, gives a `Failed` for that task;
        it is replaced, and what else it held is done by others. Whoever stops asking, or gets an error, never sees
        what was left of this run in the next one.
        """
        if self._under_way is not None:
            self._under_way.close()
        self._under_way = self._run(tasks)
        return self._under_way

    def _run(self, tasks: Iterable[Task]) -> Generator[Answer | Failed[Task], None, None]:
        self._forget_ended()
        try:
            yield from self._answers(_Waiting(tasks))
        finally:
            self._dismiss_busy()

    def _answers(self, waiting: _Waiting[Task]) -> Iterator[Answer | Failed[Task]]:
        while self._fill(waiting):
            worker, message = self._next_message()
            if message is None:
                if worker.started_at is not None:
                    yield self._bury(worker, waiting)
                else:
                    self._count_start_failure(worker, waiting)
            elif isinstance(message, LookalikeError):
                raise message
            elif worker.started_at is None:
                worker.started_at = time.monotonic()  # "ready"
                self._n_start_failures = 0
            else:
                worker.tasks.popleft()
                worker.started_at = time.monotonic()
                yield message

    def _forget_ended(self) -> None:
        """Let go of workers that ended with nothing to do, so that no task is blamed for it."""
        for worker in [one for one in self._workers if not one.tasks and one.process.poll() is not None]:
            self._workers.remove(worker)
            worker.stop()

    def _dismiss_busy(self) -> None:
        """Let workers go that hold tasks of a run that has ended: nobody waits for their answers."""
        for worker in [one for one in self._workers if one.tasks]:
            self._workers.remove(worker)
            worker.stop()

    def _fill(self, waiting: _Waiting[Task]) -> bool:
        """Give every worker enough to do; return whether anything is under way."""
        while len(self._workers) < self._n_workers and waiting.any():
            if not self._hire():
                break
        for worker in self._workers:
            n_ahead = waiting.share(self._n_workers) if self._are_dear else _TASKS_AHEAD
            if len(worker.tasks) > n_ahead // 2 or not waiting.any():
                continue
            if not worker.tasks and worker.started_at is not None:
                worker.started_at = time.monotonic()
            worker.give(waiting.take(n_ahead - len(worker.tasks)))
        return any(worker.tasks for worker in self._workers)

    def _hire(self) -> bool:
        """Start one more worker; where the system refuses, do with those that there are."""
        try:
            self._workers.append(_Worker(self._job, self._make_work, self._inbox))
        except (OSError, RuntimeError) as error:  # no process, or no thread to listen to it
            if not self._workers:
                reason = error.strerror if isinstance(error, OSError) else str(error)
                raise ModelError(
                    f"no worker process can be started ({reason}): close other programs, or raise the limits "
                    "of memory and processes that this one runs under."
                ) from error
            self._n_workers = len(self._workers)
            return False
        return True

    def _next_message(self) -> tuple[_Worker[Task], Any]:
        """Wait for a message, stopping workers that are over their time; None means a worker has ended."""
        while True:
            now = time.monotonic()
            busy = [worker for worker in self._workers if worker.tasks]
            deadlines = {worker: self._deadline(worker) for worker in busy}
            try:
                patience = max(0.0, min(deadlines.values()) - now) + 0.01
                worker, message = self._inbox.get(timeout=min(patience, _START_SECONDS))
                if worker in self._workers:
                    return worker, message
            except queue.Empty:
                for worker in busy:
                    if deadlines[worker] <= time.monotonic() and self._inbox.empty():
                        worker.is_overdue = True
                        worker.process.kill()  # its listener announces the end, as of any other

    def _deadline(self, worker: _Worker[Task]) -> float:
        if worker.is_overdue:
            return math.inf
        if worker.started_at is None:
            return worker.born_at + _START_SECONDS
        return worker.started_at + self._job.settings.max_seconds

    def _bury(self, worker: _Worker[Task], waiting: _Waiting[Task]) -> Failed[Task]:
        """Replace a worker that ended over a task; return that task's failure."""
        self._workers.remove(worker)
        worker.stop()
        culprit = worker.tasks.popleft()
        waiting.put_back(worker.tasks)
        if worker.is_overdue:
            seconds = self._job.settings.max_seconds
            return Failed(culprit, "limit", f"it took longer than {seconds:g} s (setting max_seconds).")
        return Failed(culprit, "decode", f"it crashed the decoder ({_exit_reason(worker.process)}).")

    def _count_start_failure(self, worker: _Worker[Task], waiting: _Waiting[Task]) -> None:
        self._workers.remove(worker)
        worker.stop()
        waiting.put_back(worker.tasks)
        self._n_start_failures += 1
        if self._n_start_failures >= _MAX_START_FAILURES:
            raise ModelError(
                f"the worker processes do not start ({_exit_reason(worker.process)}): "
                "run `lookalike doctor` to see what is missing."
            )


class _Waiting(Generic[Task]):
    """The tasks that no worker holds yet, drawn from an iterable when needed."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._iterator = iter(tasks)
        self._front: deque[Task] = deque()

    def any(self) -> bool:
        if not self._front:
            self._front.extend(islice(self._iterator, 1))
        return bool(self._front)

    def share(self, n_workers: int) -> int:
        """Return how many tasks each worker may hold: fewer near the end, where one would wait for another."""
        enough = _TASKS_AHEAD * n_workers
        self._front.extend(islice(self._iterator, max(0, enough - len(self._front))))
        return min(_TASKS_AHEAD, math.ceil(len(self._front) / n_workers))

    def take(self, n: int) -> list[Task]:
        """Return up to n tasks."""
        taken = [self._front.popleft() for _ in range(min(n, len(self._front)))]
        return taken + list(islice(self._iterator, n - len(taken)))

    def put_back(self, tasks: Iterable[Task]) -> None:
        self._front.extend(tasks)


class _Worker(Generic[Task]):
    """One worker process, and the thread that listens to it."""

    def __init__(
        self,
        job: Job,
        make_work: Callable[[Job], Callable[[Task], object]],
        inbox: queue.SimpleQueue[tuple[_Worker[Task], Any]],
    ) -> None:
        self.tasks: deque[Task] = deque()
        self.born_at = time.monotonic()
        self.started_at: float | None = None  # when it began its first task; None until it is ready
        self.is_overdue = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lookalike.workers.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_worker_environment(),
            process_group=0,  # Ctrl-C goes to the parent alone, from the very start of a worker
        )
        self._listener = threading.Thread(target=self._listen, args=(inbox,), daemon=True)
        try:
            self._listener.start()
        except RuntimeError:
            self._let_go()
            raise
        self._send((make_work, job))

    def give(self, tasks: list[Task]) -> None:
        self.tasks.extend(tasks)
        self._send(tasks)

    def _send(self, message: object) -> None:
        with suppress(OSError):  # it has ended; the listener says so
            send(cast("BinaryIO", self.process.stdin), message)

    def _listen(self, inbox: queue.SimpleQueue[tuple[_Worker[Task], Any]]) -> None:
        try:
            while True:
                inbox.put((self, receive(cast("BinaryIO", self.process.stdout))))
        except Exception:  # the end of the stream as a rule; whatever else it is, nobody must wait for ever
            inbox.put((self, None))

    def stop(self) -> None:
        self.process.kill()
        self._listener.join()
        self._let_go()

    def _let_go(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            with suppress(OSError):  # what was left to send has no reader any more
                cast("BinaryIO", stream).close()


def _worker_environment() -> dict[str, str]:
    """One thread for the linear algebra of each worker: there is a worker for every core."""
    source = str(Path(__file__).parents[2])
    paths = [source, os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }


def _exit_reason(process: subprocess.Popen[bytes]) -> str:
    code = process.wait()
    if code < 0:
        return f"signal {-code}" + (", perhaps for lack of memory" if code == -9 else "")
    return f"exit status {code}"
