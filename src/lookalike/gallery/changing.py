"""Change what a local gallery holds and remembers: add and forget files, keep what a person says."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lookalike.adding.add import AddReport, ProgressCallback, add_files, ignore_progress
from lookalike.errors import InputError
from lookalike.features.extract import FEATURES, recipes_of
from lookalike.features.hashes import HASHES
from lookalike.gallery.looking_up import LookingUp
from lookalike.gallery.opened import Opened
from lookalike.media.files import FoundFile, absolute_path, iter_files
from lookalike.records.failure import Failure

ONLY = {"all": FEATURES, "hashes": tuple(HASHES)}
"""What `Gallery.add` may be told to compute."""


class Changing:
    """What changes an open gallery. No file of a person is touched."""

    def __init__(self, opened: Opened, looking_up: LookingUp) -> None:
        self._opened = opened
        self._store = opened.store
        self._looking_up = looking_up

    def add(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        only: str,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        hidden: bool = False,
        follow_symlinks: bool = False,
        retry_failed: bool = False,
        on_progress: ProgressCallback = ignore_progress,
    ) -> AddReport:
        """Add the pictures under some files and folders."""
        if only not in ONLY:
            raise InputError(f"only = {only!r} is not known; choose from {', '.join(ONLY)}.")
        paths = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
        if "" in paths:
            raise InputError("an empty path names nothing: give the file or folder to add.")
        problems: list[Failure] = []
        files = iter_files(
            paths,
            include=include,
            exclude=exclude,
            hidden=hidden,
            follow_symlinks=follow_symlinks,
            on_problem=lambda path, reason: problems.append(Failure(path, "find", reason)),
        )
        report = add_files(
            self._store,
            _each_once(files),
            self._opened.settings,
            recipes_of(self._opened.settings, ONLY[only]),
            retry_failed=retry_failed,
            on_progress=on_progress,
        )
        report.failed.extend(problems)
        return report

    def remove(self, paths: Iterable[str | os.PathLike[str]]) -> int:
        """Forget files, and everything below folders; return how many."""
        given = [os.fspath(path) for path in paths]
        if "" in given:
            raise InputError("an empty path names nothing: give the file or folder to forget.")
        return self._store.files.remove((absolute_path(path) for path in given), with_folders=True)

    def find_gone(self) -> list[str]:
        """Return the paths of the gallery where no file is any more."""
        return [path for path in self._store.files.iter_paths() if not os.path.lexists(path)]

    def prune(self) -> list[str]:
        """Forget the files that are gone; return their paths."""
        gone = self.find_gone()
        self._store.files.remove(gone)
        return gone

    def mark(self, first: Any, second: Any, is_duplicate: bool | None) -> None:
        """Remember for ever that two pictures are duplicates, or are not; None forgets it."""
        digests = [self._opened.digest_of(picture) for picture in (first, second)]
        if digests[0] == digests[1]:
            raise InputError(f"{first} and {second} have the same bytes: there is nothing to say of them.")
        self._store.people.put_verdict(digests[0], digests[1], is_duplicate)

    def rate(self, query: Any, content_id: int, is_liked: bool | None) -> None:
        """Remember whether a picture was what a person meant by a query; None forgets it."""
        answer = self._looking_up.picture(content_id)[0]
        self._store.people.put_rating(self._opened.digest_of(query), answer.digest, is_liked)


def _each_once(files: Iterator[FoundFile]) -> Iterator[FoundFile]:
    seen: set[str] = set()
    for file in files:
        if file.path not in seen:
            seen.add(file.path)
            yield file
