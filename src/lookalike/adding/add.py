"""Add files to a gallery: look for what changed, have it computed, write it in small batches."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from lookalike.adding.heads import add_heads
from lookalike.adding.worker import Extracted, FileWorker
from lookalike.features.registry import features_of
from lookalike.media.files import absolute_path
from lookalike.media.volumes import is_gone
from lookalike.media.walk import FoundFile
from lookalike.records.failure import Failure
from lookalike.records.progress import Progress, ProgressCallback, ignore_progress
from lookalike.records.recipe import Recipe
from lookalike.settings import Settings
from lookalike.storage.batch import Batch
from lookalike.storage.records import KnownFile
from lookalike.storage.store import Store
from lookalike.workers.pool import WorkerPool
from lookalike.workers.tasks import Failed, Job

_LOOK_AT_ONCE = 500
_BATCH_FILES = 64
_BATCH_SECONDS = 1.0
_RETRIED_STAGES = ("read",)  # what could not be read may be readable now; what cannot be decoded stays so


@dataclass
class AddReport:
    """What a run did. `seen` is the sum of `added`, `unchanged`, `moved` and the failures of files.

    What was not found or could not be listed (stage `find`) is among the failures too, but no file that was
    seen. The first `n_failed_before` failures are those of unchanged files that failed in an earlier run and
    were not tried again. Of the added, `changed` had other bytes at the same path before, and `copied` have
    the bytes of a picture that was known already, so that nothing had to be computed. `gone` files are known below
    the folders that were walked, but not there any more; they are no part of `seen`.
    """

    seen: int = 0
    added: int = 0
    changed: int = 0
    copied: int = 0
    unchanged: int = 0
    moved: int = 0
    failed: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False
    n_failed_before: int = 0
    gone: int = 0

    def __add__(self, other: AddReport) -> AddReport:
        """Return the report of two runs as one."""
        before = [*self.failed[: self.n_failed_before], *other.failed[: other.n_failed_before]]
        after = [*self.failed[self.n_failed_before :], *other.failed[other.n_failed_before :]]
        return AddReport(
            seen=self.seen + other.seen,
            added=self.added + other.added,
            changed=self.changed + other.changed,
            copied=self.copied + other.copied,
            unchanged=self.unchanged + other.unchanged,
            moved=self.moved + other.moved,
            failed=before + after,
            seconds=self.seconds + other.seconds,
            interrupted=self.interrupted or other.interrupted,
            n_failed_before=len(before),
            gone=self.gone + other.gone,
        )

    @property
    def has_only_failures(self) -> bool:
        """Whether something failed and not one file is searchable."""
        return bool(self.failed) and not (self.added or self.unchanged or self.moved)

    def not_found(self, named: Iterable[str]) -> list[Failure]:
        """Return the failures of paths that were named themselves and are not there, or cannot be listed."""
        asked = {absolute_path(path) for path in named}
        return [failure for failure in self.failed if failure.stage == "find" and failure.path in asked]


def add_files(
    store: Store,
    files: Iterable[FoundFile],
    settings: Settings,
    recipes: dict[str, Recipe],
    *,
    retry_failed: bool = False,
    on_progress: ProgressCallback = ignore_progress,
) -> AddReport:
    """Bring the gallery up to date with these files.

    Unchanged files (same size and mtime, all features there) cost one look-up. The others are read and digested;
    only contents that are new to the gallery are decoded, and none for a feature that is computed from the rows of
    another. Results are committed about once a second. On Ctrl-C what is done is committed, and the report says
    `interrupted`.

    Parameters
    ----------
    files : iterable of FoundFile       each path once
    recipes : dict of Recipe by feature  what every content must have
    retry_failed : bool                  try files again that failed before and have not changed
    """
    run = _Run(store, settings, recipes, on_progress)
    started = time.monotonic()
    try:
        add_heads(store, {name: one for name, one in features_of(settings).items() if name in recipes})
        todo = run.look(files, retry_failed=retry_failed)
        run.process(todo)
    except KeyboardInterrupt:
        run.report.interrupted = True
    finally:
        run.flush()
    store.files.forget_left_behind()
    run.report.seconds = time.monotonic() - started
    return run.report


class _Run:
    def __init__(
        self,
        store: Store,
        settings: Settings,
        recipes: dict[str, Recipe],
        on_progress: ProgressCallback,
    ) -> None:
        self.report = AddReport()
        self._store = store
        self._settings = settings
        self._recipes = recipes
        self._on_progress = on_progress
        self._found: dict[str, tuple[FoundFile, KnownFile | None]] = {}
        self._places_left: dict[int, list[str]] = {}
        self._pending: list[Extracted | Failed[str]] = []
        self._committed_at = time.monotonic()

    def look(self, files: Iterable[FoundFile], *, retry_failed: bool) -> list[str]:
        """Compare the files with what is known; return the paths that must be read."""
        retried = None if retry_failed else _RETRIED_STAGES
        todo = []
        for chunk in _chunks(files, _LOOK_AT_ONCE):
            known = self._store.files.known([file.path for file in chunk])
            kept = {before.content_id for before in known.values() if before.content_id is not None}
            lacking = self._store.features.lacking(list(self._recipes.values()), kept)
            for file in chunk:
                before = known.get(file.path)
                if before is None or _must_be_read(file, before, lacking, retried):
                    self._found[file.path] = (file, before)
                    todo.append(file.path)
                elif before.stage is not None and before.reason is not None:
                    self.report.failed.append(Failure(file.path, before.stage, before.reason))
                    self.report.n_failed_before += 1
                else:
                    self.report.unchanged += 1
            self.report.seen += len(chunk)
            self._on_progress(Progress("look", self.report.seen, None, len(self.report.failed)))
        return todo

    def process(self, todo: list[str]) -> None:
        """Have the paths computed by worker processes, and write the results as they come."""
        job = Job(self._settings, tuple(self._recipes), self._store.folder)
        n_before = len(self.report.failed)
        n_done = 0
        self._on_progress(Progress("add", 0, len(todo), 0))
        with WorkerPool[str, Extracted](job, self._settings.n_workers, FileWorker) as pool:
            for result in pool.run(todo):
                self._pending.append(result)
                n_done += 1
                overdue = time.monotonic() - self._committed_at > _BATCH_SECONDS
                if len(self._pending) >= _BATCH_FILES or overdue:
                    self.flush()
                n_failed = len(self.report.failed) - n_before
                self._on_progress(Progress("add", n_done, len(todo), n_failed))

    def flush(self) -> None:
        """Commit what is done."""
        results, self._pending = self._pending, []
        if results:
            with self._store.batch() as batch:
                outcomes = [self._write(batch, result) for result in results]
            for outcome in outcomes:  # counted only once it is kept
                self._count(outcome)
        self._committed_at = time.monotonic()

    def _write(self, batch: Batch, result: Extracted | Failed[str]) -> _Outcome:
        file, before = self._found.pop(result.task if isinstance(result, Failed) else result.path)
        if isinstance(result, Failed):
            was_good = before is not None and before.content_id is not None
            if not (was_good and result.stage in _RETRIED_STAGES):  # unreadable today is no reason to forget
                batch.put_failure(
                    file.path, file.size_bytes, file.mtime_ns, stage=result.stage, reason=result.reason
                )
            return Failure(result.task, result.stage, result.reason)
        is_new = False
        if result.content is not None:
            content_id, is_new = batch.add_content(result.content, result.features, self._recipes)
        else:
            known = self._store.contents.id_of(result.digest)
            if known is None:  # another process removed the content since the worker saw it
                reason = "its content was removed while it was added; run index again."
                batch.put_failure(file.path, -1, 0, stage="read", reason=reason)
                return Failure(file.path, "read", reason)
            content_id = known
        left = None if is_new or before is not None else self._left_behind(content_id)
        if left is not None:
            batch.move_file(left, file.path, result.size_bytes, result.mtime_ns)
            return "moved"
        batch.put_file(file.path, result.size_bytes, result.mtime_ns, content_id=content_id)
        if before is not None and before.content_id == content_id:
            return "unchanged"  # touched, or given the features that it lacked
        if before is not None and before.content_id is not None:
            return "changed"
        return "added" if is_new else "copied"

    def _left_behind(self, content_id: int) -> str | None:
        """Return a path of this content that no longer exists: the place the file was moved from.

        The places of a content are looked at once a run, however many files have it.
        """
        if content_id not in self._places_left:
            paths = self._store.files.paths_of(content_id)
            self._places_left[content_id] = [path for path in reversed(paths) if is_gone(path)]
        left = self._places_left[content_id]
        return left.pop() if left else None

    def _count(self, outcome: _Outcome) -> None:
        if isinstance(outcome, Failure):
            self.report.failed.append(outcome)
        elif outcome == "unchanged":
            self.report.unchanged += 1
        elif outcome == "moved":
            self.report.moved += 1
        else:
            self.report.added += 1
            self.report.changed += outcome == "changed"
            self.report.copied += outcome == "copied"


_Outcome = Failure | Literal["added", "changed", "copied", "unchanged", "moved"]


def _must_be_read(
    file: FoundFile, before: KnownFile, lacking: set[int], retried: tuple[str, ...] | None
) -> bool:
    if (file.size_bytes, file.mtime_ns) != (before.size_bytes, before.mtime_ns):
        return True
    if before.stage is not None:
        return retried is None or before.stage in retried
    return before.content_id in lacking


def _chunks(files: Iterable[FoundFile], size: int) -> Iterator[list[FoundFile]]:
    iterator = iter(files)
    while chunk := list(islice(iterator, size)):
        yield chunk
