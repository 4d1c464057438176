"""A gallery in a folder of this machine: the façade over what asks, looks up, changes and tidies."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from typing_extensions import override

from lookalike.acting.plan import check_plan
from lookalike.adding.add import AddReport
from lookalike.api import Gallery
from lookalike.duplicates.keeper import DEFAULT_RULES
from lookalike.duplicates.records import DuplicatesReport
from lookalike.gallery.changing import Changing
from lookalike.gallery.loaded import LoadedQueries
from lookalike.gallery.looking_up import LookingUp
from lookalike.gallery.opened import Opened
from lookalike.queries.source import Box
from lookalike.records.calibration import N_PICTURES, Promised
from lookalike.records.failure import Failure
from lookalike.records.info import GalleryInfo
from lookalike.records.people import Rating
from lookalike.records.places import Gone
from lookalike.records.progress import ProgressCallback, ignore_progress
from lookalike.records.relation import Relation
from lookalike.searching.searcher import Match
from lookalike.searching.way import AUTO
from lookalike.settings import Settings
from lookalike.storage.filters import Filter
from lookalike.storage.records import FoundPicture

if TYPE_CHECKING:
    from lookalike.acting.apply import ApplyReport
    from lookalike.acting.history import AppliedRun
    from lookalike.acting.plan import Plan
    from lookalike.acting.undo import UndoReport
    from lookalike.calibration.record import Ask, CalibrationReport
    from lookalike.comparing import Comparison
    from lookalike.duplicates.choices import Choice
    from lookalike.gallery.tidying import Tidying
    from lookalike.records.failure import Remark


class LocalGallery(LoadedQueries, Gallery):
    """A gallery in a folder. Beside the verbs of every `Gallery` it has those that work on loaded queries.

    Parameters
    ----------
    folder : path
    create : bool
        Make an empty gallery where there is none.
    settings : Settings or None
        None takes the defaults and the environment.
    isolate : bool
        Decode what is asked with in a process of its own.

    Raises
    ------
    GalleryNotFoundError
        There is none, and `create` is false.
    StoreError
        It cannot be opened, is damaged, or was written by a newer version.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        create: bool = False,
        settings: Settings | None = None,
        isolate: bool = False,
    ) -> None:
        self.settings = settings or Settings.from_environment()
        super().__init__(Opened(folder, create=create, settings=self.settings, isolate=isolate))
        self._store = self._opened.store
        self._searcher = self._opened.searcher
        self._looking_up = LookingUp(self._opened)
        self._changing = Changing(self._opened, self._looking_up)

    @cached_property
    def _tidying(self) -> Tidying:
        """What proves and puts away: half of all code, loaded for those who ask for it."""
        from lookalike.gallery.tidying import Tidying

        return Tidying(self._opened, self._asking, self._changing)

    @override
    def close(self) -> None:
        self._opened.close()

    @property
    def folder(self) -> Path:
        """The folder that the gallery is."""
        return self._store.folder

    @property
    def journal_folder(self) -> Path:
        """Where what was done to files is written down, so that it can be undone."""
        return self._tidying.journal_folder

    def id_of(self, digest: bytes) -> int | None:
        """Return the id of the content with this digest, if it is in the gallery."""
        return self._store.contents.id_of(digest)

    def last_file(self) -> int:
        """Return the number of the file that was added last, for `n_files_after`."""
        return self._store.files.last_id()

    def n_files_after(self, number: int, besides: Sequence[str] = ()) -> int:
        """Return how many pictures were added after that file, without those at some paths."""
        return self._store.files.n_after(number, besides)

    # Asking

    @override
    def search(
        self,
        query: Any,
        *,
        k: int = 10,
        by: str = AUTO,
        min_score: float | None = None,
        max_distance: float | None = None,
        where: Filter | None = None,
        verify: bool = False,
        box: Box | None = None,
        liked: Sequence[int] = (),
        disliked: Sequence[int] = (),
        precision: float | None = None,
    ) -> list[Match]:
        loaded = self.load(query, box=box)
        if liked or disliked:
            loaded = self.refine(loaded, liked, disliked, by=by)
        page = self.search_page(
            loaded,
            k=k,
            by=by,
            min_score=min_score,
            max_distance=max_distance,
            where=where,
            verify=verify,
            precision=precision,
        )
        return list(page.matches)

    @override
    def promise(self, by: str = AUTO, precision: float = 0.99) -> Promised:
        return self._asking.promise(by, precision)

    @override
    def calibrate(
        self,
        *,
        n_pictures: int = N_PICTURES,
        seed: int = 0,
        ask: Ask | None = None,
        on_progress: ProgressCallback = ignore_progress,
    ) -> CalibrationReport:
        return self._asking.calibrate(n_pictures=n_pictures, seed=seed, ask=ask, on_progress=on_progress)

    @override
    def compare(self, first: Any, second: Any) -> Comparison:
        return self._asking.compare(first, second)

    @override
    def show(self, query: Any, longer_side_px: int) -> bytes:
        return self._asking.show(query, longer_side_px)

    # Looking up

    @override
    def info(self) -> GalleryInfo:
        return self._looking_up.info()

    @override
    def folders(self) -> list[tuple[str, int]]:
        return self._looking_up.folders()

    @override
    def failures(self, *, offset: int = 0, limit: int = 100) -> tuple[list[Failure], int]:
        return self._looking_up.failures(offset=offset, limit=limit)

    @override
    def picture(self, content_id: int) -> list[FoundPicture]:
        return self._looking_up.picture(content_id)

    @override
    def pictures(
        self, *, offset: int = 0, limit: int = 100, folder: str | None = None
    ) -> tuple[list[FoundPicture], int]:
        return self._looking_up.pictures(offset=offset, limit=limit, folder=folder)

    @override
    def open_picture(self, content_id: int) -> tuple[BinaryIO, FoundPicture]:
        return self._looking_up.open_picture(content_id)

    @override
    def holds(self, path: str | os.PathLike[str]) -> bool:
        return self._looking_up.holds(path)

    # Changing what it holds

    @override
    def add(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        only: str = "all",
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        hidden: bool = False,
        follow_symlinks: bool = False,
        retry_failed: bool = False,
        on_progress: ProgressCallback = ignore_progress,
    ) -> AddReport:
        return self._changing.add(
            paths,
            only=only,
            include=include,
            exclude=exclude,
            hidden=hidden,
            follow_symlinks=follow_symlinks,
            retry_failed=retry_failed,
            on_progress=on_progress,
        )

    @override
    def remove(self, paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> int:
        return self._changing.remove(paths)

    @override
    def add_again(
        self, *, retry_failed: bool = False, on_progress: ProgressCallback = ignore_progress
    ) -> AddReport:
        return self._changing.add_again(retry_failed=retry_failed, on_progress=on_progress)

    @override
    def find_gone(self) -> Gone:
        return self._changing.find_gone()

    @override
    def prune(self, *, with_away: bool = False) -> list[str]:
        return self._changing.prune(with_away=with_away)

    @override
    def ratings(self) -> list[Rating]:
        return self._looking_up.ratings()

    # What a person says

    @override
    def mark(self, first: Any, second: Any, is_duplicate: bool | None) -> None:
        self._changing.mark(first, second, is_duplicate)

    @override
    def rate(self, query: Any, content_id: int, is_liked: bool | None) -> None:
        self._changing.rate(query, content_id, is_liked)

    # Duplicates

    @override
    def duplicates(
        self,
        *,
        relation: Relation = "copy",
        against: str | os.PathLike[str] | None = None,
        protect: Sequence[str | os.PathLike[str]] = (),
        prefer: Sequence[str | os.PathLike[str]] = (),
        rules: Sequence[str] = DEFAULT_RULES,
        precision: float | None = None,
        on_progress: ProgressCallback = ignore_progress,
    ) -> DuplicatesReport:
        return self._tidying.duplicates(
            relation=relation,
            against=against,
            protect=protect,
            prefer=prefer,
            rules=rules,
            precision=precision,
            on_progress=on_progress,
        )

    @override
    def check_plan(
        self,
        path: str | os.PathLike[str],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
    ) -> None:
        check_plan(path, act=act, quarantine=quarantine)

    @override
    def write_plan(
        self,
        report: DuplicatesReport,
        path: str | os.PathLike[str],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
    ) -> Plan:
        return self._tidying.write_plan(report, path, act=act, quarantine=quarantine)

    @override
    def plan_choices(
        self,
        choices: Sequence[Choice],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
        protect: Sequence[str] = (),
    ) -> tuple[Plan, list[Remark]]:
        return self._tidying.plan_choices(choices, act=act, quarantine=quarantine, protect=protect)

    @override
    def apply(
        self,
        plan: Plan,
        *,
        allow_delete: bool = False,
        allow_trash_without_undo: bool = False,
        carry_metadata: bool = False,
        on_progress: ProgressCallback = ignore_progress,
    ) -> ApplyReport:
        return self._tidying.apply(
            plan,
            allow_delete=allow_delete,
            allow_trash_without_undo=allow_trash_without_undo,
            carry_metadata=carry_metadata,
            on_progress=on_progress,
        )

    @override
    def undo(self, *, run: int | None = None, on_progress: ProgressCallback = ignore_progress) -> UndoReport:
        return self._tidying.undo(run=run, on_progress=on_progress)

    @override
    def runs(self, *, offset: int = 0, limit: int | None = None) -> tuple[list[AppliedRun], int]:
        return self._tidying.runs(offset=offset, limit=limit)
