"""Change what a local gallery holds and remembers: add and forget files, keep what a person says."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from lookalike.adding.add import AddReport, add_files
from lookalike.errors import InputError
from lookalike.features.extract import recipes_of
from lookalike.features.hashes import HASHES
from lookalike.gallery.looking_up import LookingUp
from lookalike.gallery.opened import Opened
from lookalike.gallery.places import WhereFilesAre
from lookalike.media.files import absolute_path, given_paths
from lookalike.media.folders import is_below
from lookalike.media.volumes import is_gone
from lookalike.media.walk import FoundFile, iter_files
from lookalike.records.failure import Failure
from lookalike.records.places import Gone, Root
from lookalike.records.progress import ProgressCallback, ignore_progress

ONLY: dict[str, tuple[str, ...] | None] = {"all": None, "hashes": tuple(HASHES)}
"""What `Gallery.add` may be told to compute."""


class Changing:
    """What changes an open gallery. No file of a person is touched."""

    def __init__(self, opened: Opened, looking_up: LookingUp) -> None:
        self._opened = opened
        self._store = opened.store
        self._looking_up = looking_up
        self._where = WhereFilesAre(opened)

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
        paths = given_paths(paths)
        options = (only, tuple(include), tuple(exclude), hidden, follow_symlinks)
        folders = [absolute_path(path) for path in paths if os.path.isdir(path)]
        problems: list[Failure] = []
        seen: set[str] = set()
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
            self._where.remember([Root(folder, *options) for folder in folders], _each_once(files, seen)),
            self._opened.settings,
            recipes_of(self._opened.settings, ONLY[only]),
            retry_failed=retry_failed,
            on_progress=on_progress,
        )
        report.failed.extend(problems)
        report.gone = 0 if report.interrupted else self._count_gone(folders, seen)
        return report

    def add_again(
        self, *, retry_failed: bool = False, on_progress: ProgressCallback = ignore_progress
    ) -> AddReport:
        """Bring up to date the folders that were named before, each walked as it was named last."""
        by_options: dict[Root, list[str]] = {}
        for root in self._where.roots():
            by_options.setdefault(replace(root, path=""), []).append(root.path)
        if not by_options:
            raise InputError("no folder was ever named here: name the folders to index.")
        report = AddReport()
        for options, folders in by_options.items():
            report += self.add(
                folders,
                only=options.only,
                include=options.include,
                exclude=options.exclude,
                hidden=options.hidden,
                follow_symlinks=options.follow_symlinks,
                retry_failed=retry_failed,
                on_progress=on_progress,
            )
            if report.interrupted:
                break
        return report

    def _count_gone(self, folders: Sequence[str], seen: set[str]) -> int:
        """Return how many files that are known below these folders are not there any more."""
        tops = {folder for folder in folders if not any(is_below(folder, other) for other in folders)}
        return sum(
            path not in seen and is_gone(path) for top in tops for path in self._store.files.iter_paths(top)
        )

    def remove(self, paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> int:
        """Forget files, and everything below folders; return how many."""
        places = [absolute_path(path) for path in given_paths(paths)]
        self._store.places.forget(places)
        return self._store.files.remove(places, with_folders=True)

    def find_gone(self) -> Gone:
        """Return the known files that are not there, those of places away as a whole apart."""
        return self._where.find_gone()

    def prune(self, *, with_away: bool) -> list[str]:
        """Forget the files that are gone; return their paths."""
        gone = self._where.find_gone().paths(with_away=with_away)
        if gone:
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


def _each_once(files: Iterator[FoundFile], seen: set[str]) -> Iterator[FoundFile]:
    for file in files:
        if file.path not in seen:
            seen.add(file.path)
            yield file
