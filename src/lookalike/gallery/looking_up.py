"""Look up what a local gallery holds: its files and their facts, what failed, and what it all costs."""

from __future__ import annotations

import os
from typing import BinaryIO

from lookalike.errors import InputError, QueryError, ReadError
from lookalike.features.keypoints import RECIPE as KEYPOINT_RECIPE
from lookalike.gallery.opened import Opened
from lookalike.gallery.places import WhereFilesAre
from lookalike.media.files import absolute_path, given_paths, open_unchanged
from lookalike.records.calibration import PROOF, CalibrationState
from lookalike.records.failure import Failure
from lookalike.records.info import GalleryInfo
from lookalike.records.people import Rating
from lookalike.searching.worth import describe_calibration
from lookalike.storage.records import FoundPicture

_MAX_OFFSET = 2**53  # what every number of JSON and of SQLite can hold


class LookingUp:
    """What an open gallery knows of its pictures."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._store = opened.store
        self._where = WhereFilesAre(opened)

    def info(self) -> GalleryInfo:
        """Return what the gallery holds and what it costs."""
        families = dict.fromkeys(recipe.feature for recipe in self._opened.extractor.recipes.values())
        recipes = {text: n for family in families for text, n in self._store.features.recipes(family).items()}
        cache = self._store.folder / "cache"
        return GalleryInfo(
            str(self._store.folder),
            self._store.files.counts()["files"],
            self._store.contents.count(),
            tuple(Failure(f.path, f.stage or "", f.reason or "") for f in self._store.files.failures()),
            self._store.files.formats(),
            recipes,
            self._store.size_bytes(),
            sum(file.stat().st_size for file in cache.glob("*.index")) if cache.is_dir() else 0,
            self._calibration_state(self._store.contents.count()),
            tuple(self._where.roots()),
            tuple(self._where.away()),
            self._opened.searcher.tiers(),
        )

    def _calibration_state(self, n_contents: int) -> CalibrationState:
        searcher = self._opened.searcher
        recipes = {way: searcher.recipes_of(way) for way in searcher.calibrated_ways()}
        recipes[PROOF] = (KEYPOINT_RECIPE.text,)
        return describe_calibration(self._store.notes.calibration(), n_contents, recipes)

    def ratings(self) -> list[Rating]:
        """Return what people said of answers."""
        kept = self._store.people.ratings().items()
        return [Rating(query, picture, is_liked) for (query, picture), is_liked in kept]

    def folders(self) -> list[tuple[str, int]]:
        """Return the folders that the files lie in, gathered near the top, with how many in each."""
        return self._store.files.folders()

    def failures(self, *, offset: int, limit: int) -> tuple[list[Failure], int]:
        """Return some of the files that failed, by path, and how many there are."""
        _check_page(offset, limit)
        rows = self._store.files.failures(offset, limit)
        found = [Failure(row.path, row.stage or "", row.reason or "") for row in rows]
        return found, self._store.files.counts()["failed"]

    def picture(self, content_id: int) -> list[FoundPicture]:
        """Return the files that have this content, oldest first."""
        is_number = isinstance(content_id, int)  # of what was handed over, in whatever way
        found = self._store.files.of([content_id]).get(content_id) if is_number else None
        if found is None:
            raise QueryError(
                f"'id:{content_id}' is no picture of this gallery: take an id that a search gave."
            )
        return found

    def pictures(self, *, offset: int, limit: int, folder: str | None) -> tuple[list[FoundPicture], int]:
        """Return some of the files by id, and how many there are, maybe only those below a folder."""
        _check_page(offset, limit)
        below = None if folder is None else absolute_path(given_paths([folder])[0])
        return self._store.files.page(offset, limit, below)

    def open_picture(self, content_id: int) -> tuple[BinaryIO, FoundPicture]:
        """Open the first of a picture's files that still has the bytes it was indexed with."""
        reason = ReadError("none of its files is there any more.")
        for picture in self.picture(content_id):
            try:
                return open_unchanged(picture.path, picture.digest), picture
            except ReadError as error:
                reason = error
        raise reason

    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Whether a file is one of the gallery's."""
        place = absolute_path(given_paths([path])[0])
        return place in self._store.files.known([place])


def _check_page(offset: int, limit: int) -> None:
    for name, value in (("offset", offset), ("limit", limit)):
        if not (isinstance(value, int) and 0 <= value <= _MAX_OFFSET):
            raise InputError(f"{name} = {value!r} makes no sense: give a whole number from 0 on.")
