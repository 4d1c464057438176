"""The one façade: open a gallery, add to it, search it, close it."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from lookalike.adding.add import AddReport, ProgressCallback, add_files, ignore_progress
from lookalike.comparing import Comparison
from lookalike.duplicates.find import find_duplicates
from lookalike.duplicates.keeper import DEFAULT_RULES
from lookalike.duplicates.records import (
    DuplicatesReport,
    Member,
    Question,
    StageCallback,
    ignore_stage,
)
from lookalike.errors import InputError, LookalikeError, PictureError, QueryError, ReadError
from lookalike.extras import require_extra
from lookalike.features.extract import EMBEDDING, FEATURES, Extractor
from lookalike.features.hashes import HASHES
from lookalike.features.keypoints import RECIPE as KEYPOINT_RECIPE
from lookalike.media.files import FoundFile, absolute_path, digest_of, is_own_file, iter_files, read_file
from lookalike.media.folders import gather_folders
from lookalike.queries.picture import Query, load_query
from lookalike.queries.reader import IsolatedReader, LocalReader, PictureReader
from lookalike.queries.source import Box, Source, decode_source, parse_source, path_of_url
from lookalike.records.calibration import (
    N_PICTURES,
    PROOF,
    CalibrationState,
    Origin,
    Promised,
    WayCalibration,
)
from lookalike.records.failure import Failure
from lookalike.records.relation import Relation, is_at_least
from lookalike.searching.searcher import AUTO, HASH_THEN_EMBEDDING, Match, Searcher, parse_way
from lookalike.searching.worth import choose_way, describe_calibration, not_calibrated, parse_precision
from lookalike.settings import Settings
from lookalike.storage.filters import Filter
from lookalike.storage.store import FoundPicture, Store

if TYPE_CHECKING:
    from types import TracebackType

    from PIL.Image import Image

    from lookalike.acting.apply import ActProgressCallback, ApplyReport, Remark
    from lookalike.acting.plan import Plan, Removal
    from lookalike.acting.undo import UndoReport
    from lookalike.calibration.calibrate import Ask, CalibrationReport
    from lookalike.duplicates.choices import Choice

_BLANK_PICTURE = b"P6 1 1 255\n\0\0\0"
_MAX_LOADED = 64  # queries remembered, at 0.4 MB each
ONLY = {"all": FEATURES, "hashes": tuple(HASHES)}
"""What `Gallery.add` may be told to compute."""


@dataclass(frozen=True)
class Page:
    """Some of the matches of a search: those after the first `offset`, and whether there are more."""

    matches: tuple[Match, ...]
    offset: int
    has_more: bool


@dataclass(frozen=True)
class GalleryInfo:
    """What a gallery holds and what it costs."""

    folder: str
    n_files: int
    n_contents: int
    failures: tuple[Failure, ...]
    formats: dict[str, int]
    recipes: dict[str, int]
    store_bytes: int
    cache_bytes: int
    calibration: CalibrationState | None = None


class Gallery:
    """A set of pictures that one can add to and search. Open it with `Gallery.open`.

    One object serves one thread. Several processes may use one gallery at the same time.
    """

    def __init__(self, store: Store, settings: Settings, *, isolate: bool = False) -> None:
        self._store = store
        self.settings = settings
        self._isolate = isolate
        self._loaded: OrderedDict[tuple[str | None, bytes | None, Box | None], Query] = OrderedDict()
        self._searcher = Searcher(store, lambda: self._extractor)

    @classmethod
    def open(
        cls,
        place: str | os.PathLike[str],
        *,
        create: bool = False,
        settings: Settings | None = None,
        isolate: bool = False,
        token: str | None = None,
    ) -> Gallery:
        """Open the gallery in a folder, or one that is served; one that cannot be written can still be searched.

        Parameters
        ----------
        place : path        the gallery's folder, or its ``file:`` URL, or the ``http:`` address of a server
        create : bool       make an empty gallery where there is none
        settings : Settings or None    None takes the defaults and the environment
        isolate : bool      decode what is asked with in a process of its own, under the limits of the settings:
                            for servers, which must outlive any picture that they are sent
        token : str or None    of the server; None takes ``LOOKALIKE_TOKEN`` of the environment, if it is set

        Raises
        ------
        GalleryNotFoundError    there is none, and `create` is false
        StoreError              it cannot be opened, is damaged, or was written by a newer version
        """
        if str(place).startswith("file:"):
            place = path_of_url(str(place))
        if str(place).startswith(("http://", "https://")):
            require_extra("serve", "a gallery at an address")
            from lookalike.gallery.served import RemoteGallery

            return RemoteGallery(str(place), token=token, settings=settings)
        if "://" in str(place):
            raise InputError(f"{place!r} is no address of a gallery: give its folder, or http://HOST:PORT.")
        folder = Path(os.path.expanduser(place))
        return cls(Store(folder, create=create), settings or Settings.from_environment(), isolate=isolate)

    def close(self) -> None:
        """Close the gallery."""
        if "_reader" in self.__dict__:
            self._reader.close()
        self._store.close()

    def __enter__(self) -> Gallery:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @cached_property
    def _extractor(self) -> Extractor:
        return Extractor(self.settings, n_threads=1 if self._isolate else self.settings.n_workers)

    @cached_property
    def _reader(self) -> PictureReader:
        if self._isolate:
            return IsolatedReader(self.settings, self._store.folder)
        return LocalReader(self.settings, lambda: self._extractor)

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
        """Add the pictures under some files and folders; what is unchanged since costs next to nothing.

        Parameters
        ----------
        paths : path or several    files and folders, see `lookalike.media.files.iter_files`
        only : str                 ``all`` features, or just the ``hashes`` (several times faster)
        include, exclude, hidden, follow_symlinks    which files, see `iter_files`
        retry_failed : bool        try unchanged files again that failed before
        on_progress : callable     called with `Progress` now and then

        Returns
        -------
        AddReport    a picture that fails is a row in `failed`, never an exception
        """
        if only not in ONLY:
            raise InputError(f"only = {only!r} is not known; choose from {', '.join(ONLY)}.")
        paths = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
        if "" in paths:
            raise InputError("an empty path names nothing: give the file or folder to add.")
        problems: list[Failure] = []
        files = _each_once(
            iter_files(
                paths,
                include=include,
                exclude=exclude,
                hidden=hidden,
                follow_symlinks=follow_symlinks,
                on_problem=lambda path, reason: problems.append(Failure(path, "find", reason)),
            )
        )
        recipes = recipes_of(self.settings, ONLY[only])
        report = add_files(
            self._store,
            files,
            self.settings,
            recipes,
            retry_failed=retry_failed,
            on_progress=on_progress,
        )
        report.failed.extend(problems)
        return report

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
        """Return the pictures that look most like the query, best first.

        Parameters
        ----------
        query : path, bytes, PIL image, uint8 array, ``file:`` URL, ``-`` (standard input) or ``id:N``
        k : int                      how many matches at most
        by : str                     a way of searching, see `lookalike.searching.searcher.ways`
        min_score : float or None    leave out matches below this score
        max_distance : float or None leave out matches beyond this distance, in the way's own unit
        where : Filter or None       which pictures may answer
        verify : bool                prove the matches with local features, and rank the proven first
        box : Box or None            ask with this part of the picture only
        liked, disliked : ids        what a person said of earlier answers: the query moves towards the ones, and
                                     away from the others, which are left out
        precision : float or None    only copies of the query, so that of all that is returned this share is right
                                     (see `Gallery.promise`); with `verify` it is the proof that decides

        Raises
        ------
        PictureError            the query cannot be read or decoded
        InputError              a way, id or number that makes no sense, or a gallery without the feature
        FeatureMismatchError    the gallery's features were made by another recipe
        """
        loaded = self.load(query, box=box)
        if liked or disliked:
            loaded = self.refine(loaded, liked, disliked, by=by)
        matches = self.search_loaded(
            loaded,
            k=k,
            by=by,
            min_score=min_score,
            max_distance=max_distance,
            where=where,
            precision=None if verify else precision,
        )
        if not verify:
            return matches
        return self.verify(loaded, matches, precision=precision)

    def verify(
        self, query: Query, matches: Sequence[Match], *, precision: float | None = None
    ) -> list[Match]:
        """Prove the matches of a query with local features, and rank the proven first.

        With a `precision`, only those are kept whose proof is sure enough for it.
        """
        from lookalike.proving.prove import proof_score, verify_matches

        proven = verify_matches(query, matches, self._store, self.settings, self._calibrated(PROOF))
        if precision is None:
            return proven
        threshold = self.promise(PROOF, precision).promise.least
        return [
            match for match in proven if match.proof is not None and proof_score(match.proof) >= threshold
        ]

    def promise(self, by: str = AUTO, precision: float = 0.99) -> Promised:
        """Return what a precision is worth here: the threshold, the recall to expect, and how sure both are.

        Parameters
        ----------
        by : str              a way of searching, or ``duplicates`` for the proof of duplicates
        precision : float     share of copies among what is returned, 0.95 to 0.999; the next stricter of 0.95,
                              0.99 and 0.999 is taken

        Raises
        ------
        InputError    the way is not calibrated for what this gallery holds, or the precision makes no sense
        """
        kept = parse_precision(precision)
        chosen = self._calibrated(by)
        if chosen is None:
            raise not_calibrated(by)
        return Promised(by, chosen[0].promise(kept), chosen[1])

    def _calibrated(self, by: str) -> tuple[WayCalibration, Origin] | None:
        if by == PROOF:
            return choose_way(PROOF, (KEYPOINT_RECIPE.text,), self._store.calibration())
        return self._searcher.calibration_of(by)

    def calibrate(
        self,
        *,
        n_pictures: int = N_PICTURES,
        seed: int = 0,
        ask: Ask | None = None,
        on_stage: StageCallback = ignore_stage,
    ) -> CalibrationReport:
        """Learn from this gallery's own pictures what scores are worth, and keep it with the gallery.

        Parameters
        ----------
        n_pictures : int       how many pictures to make edited copies of
        seed : int             of the choice of pictures and of the edits
        ask : callable or None    called with a `Doubt`: two different pictures that score like copies; returns
                               whether they are duplicates, None where nobody knows. Answers are kept as verdicts.
        on_stage : callable    called with a stage's name, how much of it is done, and its total

        Raises
        ------
        InputError    too few pictures
        """
        from lookalike.calibration.calibrate import calibrate_gallery

        report = calibrate_gallery(
            self._store,
            self.settings,
            self._searcher,
            n_pictures=n_pictures,
            seed=seed,
            ask=ask,
            on_stage=on_stage,
        )
        self._store.put_calibration(report.calibration.to_text())
        return report

    def search_page(
        self,
        query: Query,
        *,
        k: int,
        offset: int | None = None,
        by: str = AUTO,
        min_score: float | None = None,
        max_distance: float | None = None,
        where: Filter | None = None,
        verify: bool = False,
        relation: Relation | None = None,
        precision: float | None = None,
    ) -> Page:
        """Return k of the matches after the first `offset`; pages neither repeat nor miss a match.

        Without an `offset` it is what `search` returns. Only the matches of the page are verified and ranked
        anew, and only those of the asked relation, or closer, are kept; so a page can be short though more
        follows.
        """
        matches = self._searcher.search(
            query,
            k=k if offset is None else k + 1,
            by=by,
            min_score=min_score,
            max_distance=max_distance,
            where=where,
            offset=offset,
            precision=None if verify else precision,
        )
        page = matches[:k]
        if verify:
            page = self.verify(query, page, precision=precision)
        if relation is not None:
            page = [match for match in page if is_at_least(match.relation, relation)]
        has_more = len(matches) > k or (offset is None and len(matches) == k)
        return Page(tuple(page), offset or 0, has_more)

    def refine(self, query: Query, liked: Sequence[int], disliked: Sequence[int], *, by: str = AUTO) -> Query:
        """Return the query moved towards the pictures that were liked and away from those that were not.

        Raises
        ------
        InputError    a way that does not look at the embedding
        """
        from lookalike.queries.refined import Refinement

        if parse_way(by)[0] not in (AUTO, HASH_THEN_EMBEDDING, EMBEDDING):
            raise InputError(f"likes cannot refine a search by {by}: take auto or embedding.")
        rows = [self._searcher.embeddings_of(ids) for ids in (liked, disliked)]
        return query.refined(Refinement(rows[0], rows[1], frozenset(disliked)))

    def search_loaded(
        self,
        query: Query,
        *,
        k: int = 10,
        by: str = AUTO,
        min_score: float | None = None,
        max_distance: float | None = None,
        where: Filter | None = None,
        precision: float | None = None,
    ) -> list[Match]:
        """Search with a query that `load` has prepared, such as to ask it in several ways."""
        return self._searcher.search(
            query,
            k=k,
            by=by,
            min_score=min_score,
            max_distance=max_distance,
            where=where,
            precision=precision,
        )

    def load(self, query: Any, *, box: Box | None = None, keep: bool = False) -> Query:
        """Read, decode and prepare a query; see `search` for what it may be.

        With `keep`, the last few are remembered; for queries that always name the same picture.
        """
        source = self._source(query)
        key = (source.path, source.digest, box)
        if keep and key in self._loaded:
            self._loaded.move_to_end(key)
            return self._loaded[key]
        loaded = load_query(source, self._extractor, self.settings, box=box, reader=self._reader)
        if keep:
            self._loaded[key] = loaded
            if len(self._loaded) > _MAX_LOADED:
                self._loaded.popitem(last=False)
        return loaded

    def compare(self, first: Any, second: Any) -> Comparison:
        """Compare two pictures, which may be ``id:N``, by every measure; see `lookalike.compare`."""
        return self._reader.compare(self._source(first), self._source(second))

    def show(self, query: Any, longer_side_px: int) -> bytes:
        """Return a picture as an upright JPEG, at most so large; raise PictureError."""
        return self._reader.show(self._source(query), longer_side_px)

    def folders(self) -> list[tuple[str, int]]:
        """Return the folders that the gallery's files lie in, gathered near the top, with how many in each."""
        return gather_folders(self._store.iter_paths())

    def id_of(self, digest: bytes) -> int | None:
        """Return the id of the content with this digest, if it is in the gallery."""
        return self._store.content_id(digest)

    def failures(self, *, offset: int = 0, limit: int = 100) -> tuple[list[Failure], int]:
        """Return some of the files that failed, by path, and how many there are."""
        rows = islice(self._store.iter_failures(), offset, offset + limit)
        found = [Failure(row.path, row.stage or "", row.reason or "") for row in rows]
        return found, self._store.counts()["failed"]

    def warm_up(self) -> None:
        """Load what the default search needs, so that the first one is as quick as the others."""
        if self._store.has_feature(EMBEDDING):
            self._searcher.index(EMBEDDING)
        for name in ("phash", "dhash"):
            if self._store.has_feature(name):
                self._searcher.index(name)
        if self._store.has_feature(EMBEDDING):
            self.load(_BLANK_PICTURE).feature(EMBEDDING)

    def picture(self, content_id: int) -> list[FoundPicture]:
        """Return the files that have this content, oldest first.

        Raises
        ------
        QueryError    there is no such id
        """
        found = self._store.pictures([content_id]).get(content_id)
        if found is None:
            raise QueryError(
                f"'id:{content_id}' is no picture of this gallery: take an id that a search gave."
            )
        return found

    def pictures(
        self, *, offset: int = 0, limit: int = 100, folder: str | None = None
    ) -> tuple[list[FoundPicture], int]:
        """Return some of the gallery's files by id, and how many there are, maybe only those below a folder."""
        below = None if folder is None else absolute_path(folder)
        return self._store.picture_page(offset, limit, below)

    def open_picture(self, content_id: int) -> tuple[BinaryIO, FoundPicture]:
        """Open the file of a picture for reading, after checking that it still has the bytes it was indexed with.

        Raises
        ------
        QueryError    there is no such id
        ReadError     none of its files is there unchanged
        """
        from lookalike.media.files import open_unchanged

        reason = ReadError("none of its files is there any more.")
        for picture in self.picture(content_id):
            try:
                return open_unchanged(picture.path, picture.digest), picture
            except ReadError as error:
                reason = error
        raise reason

    def duplicates(
        self,
        *,
        relation: Relation = "copy",
        against: str | os.PathLike[str] | None = None,
        protect: Sequence[str | os.PathLike[str]] = (),
        rules: Sequence[str] = DEFAULT_RULES,
        precision: float | None = None,
        on_stage: StageCallback = ignore_stage,
    ) -> DuplicatesReport:
        """Find the files that are the same picture, each proven against the one to keep.

        Parameters
        ----------
        relation : Relation    report this relation or closer on the ladder
        against : folder       only groups that join a file below this folder with files elsewhere
        protect : folders      whose files are never proposed to go
        rules : names          how to choose the keeper, in order; see `lookalike.duplicates.keeper.RULES`
        precision : float or None    only copies whose proof is sure enough for it, see `Gallery.promise`
        on_stage : callable    called with a stage's name, how much of it is done, and its total

        Returns
        -------
        DuplicatesReport    records; `write_plan` plans what to do with them
        """
        for folder in (*protect, *([] if against is None else [against])):
            if not os.path.isdir(folder):
                raise InputError(
                    f"there is no folder {os.fspath(folder)!r}: check its name; nothing was done."
                )
        question = Question(
            relation,
            None if against is None else absolute_path(against),
            tuple(absolute_path(folder) for folder in protect),
            tuple(rules),
            0.0 if precision is None else self.promise(PROOF, precision).promise.least,
        )
        has_embeddings = self._store.has_feature(EMBEDDING)
        return find_duplicates(
            self._store,
            self.settings,
            question,
            hashes=lambda: self._searcher.index("phash"),
            embeddings=(lambda: self._searcher.index(EMBEDDING)) if has_embeddings else None,
            on_stage=on_stage,
        )

    def check_plan(
        self,
        path: str | os.PathLike[str],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
    ) -> None:
        """Make sure, before a long search, that `write_plan` can make such a plan and write it there.

        Raises
        ------
        InputError    as `write_plan` would, or the file cannot be written
        """
        from lookalike.acting.plan import check_plan

        check_plan(path, act=act, quarantine=quarantine)

    def write_plan(
        self,
        report: DuplicatesReport,
        path: str | os.PathLike[str],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
    ) -> Plan:
        """Write what would be done with the members that may go, as a file to read, edit and apply.

        Links can only stand in for files of equal bytes, and only such files may be deleted; other members are
        left out of a plan that does so.

        Raises
        ------
        InputError    an unknown act, or a quarantine without its folder
        """
        from lookalike.acting.plan import make_plan, save_plan

        removals = [
            _removal(group.keeper, member, group.why)
            for group in report.groups
            for member in group.members
            if not member.note and (act in ("trash", "quarantine") or member.relation == "same_file")
        ]
        plan = make_plan(
            removals,
            act=act,  # type: ignore[arg-type]  # checked there
            gallery=str(self._store.folder),
            quarantine=None if quarantine is None else absolute_path(quarantine),
        )
        save_plan(plan, Path(path))
        return plan

    def plan_choices(
        self,
        choices: Sequence[Choice],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
        protect: Sequence[str] = (),
    ) -> tuple[Plan, list[Remark]]:
        """Plan what a person has chosen, group by group; return what is left out, too, with the reason.

        Every file is proven against the chosen keeper again, and no plan takes a last copy.

        Raises
        ------
        InputError    an unknown act, a quarantine without its folder, or a file that is named twice
        """
        from lookalike.acting.apply import Remark, find_conflicts
        from lookalike.acting.plan import make_plan
        from lookalike.duplicates.choices import prove_choices

        going, refused = prove_choices(self._store, self.settings, choices, act=act, protect=protect)
        removals = [_removal(keeper, member, "chosen by a person") for keeper, member in going]
        left_out = [Remark(path, reason) for path, reason in refused]

        def plan_of(these: Sequence[Removal]) -> Plan:
            return make_plan(
                these,
                act=act,  # type: ignore[arg-type]  # checked above
                gallery=str(self._store.folder),
                quarantine=None if quarantine is None else absolute_path(quarantine),
            )

        conflicts = find_conflicts(plan_of(removals).acts)
        left_out += [Remark(removals[number].path, why) for number, why in conflicts.items()]
        kept = [removal for number, removal in enumerate(removals) if number not in conflicts]
        return plan_of(kept), left_out

    def apply(
        self,
        plan: Plan,
        *,
        allow_delete: bool = False,
        allow_trash_without_undo: bool = False,
        on_progress: ActProgressCallback | None = None,
    ) -> ApplyReport:
        """Do what a plan says, and forget the files that it put away, so that no search lists them.

        Parameters and errors are those of `lookalike.acting.apply.apply_plan`.
        """
        from lookalike.acting.apply import apply_plan, report_to_nobody

        report = apply_plan(
            plan,
            self.journal_folder,
            allow_delete=allow_delete,
            allow_trash_without_undo=allow_trash_without_undo,
            on_progress=on_progress or report_to_nobody,
        )
        self._store.remove(path for path in report.done if not is_own_file(path))
        return report

    def undo(self, *, run: int | None = None, on_progress: ActProgressCallback | None = None) -> UndoReport:
        """Undo a run of `apply`, and add the files that came back to the gallery again.

        Parameters and errors are those of `lookalike.acting.undo.undo`; where nothing was ever applied there is
        nothing to undo. What comes back but cannot be added is told in the report's `remarks`.
        """
        from lookalike.acting.apply import Remark, report_to_nobody
        from lookalike.acting.undo import UndoReport, undo

        if run is None and not self.journal_folder.is_dir():
            return UndoReport()
        report = undo(self.journal_folder, run=run, on_progress=on_progress or report_to_nobody)
        if not report.restored:
            return report
        try:
            added = self.add(report.restored, only="all" if self._store.has_feature(EMBEDDING) else "hashes")
            failures = [(failure.path, failure.reason) for failure in added.failed]
        except LookalikeError as error:
            failures = [(path, str(error)) for path in report.restored]
        report.remarks += [
            Remark(path, f"it is back, but not in the gallery: {why}") for path, why in failures
        ]
        return report

    @property
    def folder(self) -> Path:
        """The folder that the gallery is."""
        return self._store.folder

    @property
    def journal_folder(self) -> Path:
        """Where what was done to files is written down, so that it can be undone."""
        return self._store.folder / "journal"

    def mark(self, first: Any, second: Any, is_duplicate: bool | None) -> None:
        """Remember for ever that two pictures are duplicates, or are not; None forgets it.

        What is remembered is their content, so it holds wherever the files are moved.

        Raises
        ------
        InputError      both have the same bytes
        PictureError    one of them cannot be read
        """
        digests = [self._digest_of(picture) for picture in (first, second)]
        if digests[0] == digests[1]:
            raise InputError(f"{first} and {second} have the same bytes: there is nothing to say of them.")
        self._store.put_verdict(digests[0], digests[1], is_duplicate)

    def _source(self, picture: Any) -> Source:
        return parse_source(picture, self._store, max_bytes=self.settings.max_bytes)

    def _digest_of(self, picture: Any) -> bytes:
        source = self._source(picture)
        if source.data is not None:
            return digest_of(source.data)
        if source.path is None:
            raise InputError("pixels have no bytes to remember: give a file.")
        try:
            return read_file(source.path, max_bytes=self.settings.max_bytes).digest
        except PictureError as error:
            raise type(error)(f"{source.label}: {error}") from error

    def rate(self, query: Any, content_id: int, is_liked: bool | None) -> None:
        """Remember whether a picture was what a person meant by a query; None forgets it.

        This is no verdict on duplicates: one may well like a picture that is no copy.

        Raises
        ------
        QueryError      there is no such id
        PictureError    the query cannot be read
        """
        self._store.put_rating(self._digest_of(query), self.picture(content_id)[0].digest, is_liked)

    def remove(self, paths: Iterable[str | os.PathLike[str]]) -> int:
        """Forget files, and everything below folders; return how many. The pictures are not touched."""
        given = [os.fspath(path) for path in paths]
        if "" in given:
            raise InputError("an empty path names nothing: give the file or folder to forget.")
        places = [absolute_path(path) for path in given]
        inside = tuple(place.rstrip(os.sep) + os.sep for place in places)
        known = [p for p in self._store.iter_paths() if p in places or p.startswith(inside)]
        return self._store.remove(known)

    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Whether a file is one of the gallery's."""
        place = absolute_path(path)
        return place in self._store.known_files([place])

    def find_gone(self) -> list[str]:
        """Return the paths of the gallery where no file is any more."""
        return [path for path in self._store.iter_paths() if not os.path.lexists(path)]

    def prune(self) -> list[str]:
        """Forget the files that are gone; return their paths."""
        gone = self.find_gone()
        self._store.remove(gone)
        return gone

    def info(self) -> GalleryInfo:
        """Return what the gallery holds and what it costs."""
        counts = self._store.counts()
        formats: dict[str, int] = {}
        for picture in self._store.iter_pictures():
            formats[picture.format] = formats.get(picture.format, 0) + 1
        recipes = {text: n for feature in FEATURES for text, n in self._store.recipes(feature).items()}
        cache = self._store.folder / "cache"
        return GalleryInfo(
            str(self._store.folder),
            counts["files"],
            counts["contents"],
            tuple(Failure(f.path, f.stage or "", f.reason or "") for f in self._store.iter_failures()),
            formats,
            recipes,
            counts["store_bytes"],
            sum(file.stat().st_size for file in cache.glob("*.index")) if cache.is_dir() else 0,
            self._calibration_state(counts["contents"]),
        )

    def _calibration_state(self, n_contents: int) -> CalibrationState:
        recipes = {way: self._searcher.recipes_of(way) for way in self._searcher.calibrated_ways()}
        recipes[PROOF] = (KEYPOINT_RECIPE.text,)
        return describe_calibration(self._store.calibration(), n_contents, recipes)


def recipes_of(settings: Settings, features: Sequence[str]) -> dict[str, Any]:
    """Return the recipe of each feature under these settings."""
    return Extractor(settings, features).recipes


def _removal(keeper: FoundPicture, member: Member, why: str) -> Removal:
    from lookalike.acting.plan import Removal

    picture = member.picture
    return Removal(
        path=picture.path,
        digest=picture.digest,
        size_bytes=picture.size_bytes,
        keeper=keeper.path,
        keeper_digest=keeper.digest,
        relation=member.relation,
        why=why,
    )


def _each_once(files: Iterator[FoundFile]) -> Iterator[FoundFile]:
    seen: set[str] = set()
    for file in files:
        if file.path not in seen:
            seen.add(file.path)
            yield file


def compare(first: Any, second: Any, *, settings: Settings | None = None) -> Comparison:
    """Compare two pictures by every measure, and say what they are to each other.

    Parameters
    ----------
    first, second : path, bytes, PIL image, uint8 array, ``file:`` URL or ``-``

    Raises
    ------
    PictureError    one of them cannot be read or decoded
    """
    settings = settings or Settings.from_environment()
    extractor = Extractor(settings)
    reader = LocalReader(settings, lambda: extractor)
    sources = [parse_source(source, None, max_bytes=settings.max_bytes) for source in (first, second)]
    return reader.compare(sources[0], sources[1])


def draw_comparison(
    first: Any, second: Any, comparison: Comparison, *, settings: Settings | None = None
) -> Image:
    """Return a PIL image of both pictures side by side, with the overlap and the agreeing points."""
    from lookalike.proving.verify import draw_proof

    settings = settings or Settings.from_environment()
    sources = [parse_source(source, None, max_bytes=settings.max_bytes) for source in (first, second)]
    images = [decode_source(source, settings)[0].image for source in sources]
    return draw_proof(images[0], images[1], comparison.verification)


def hash_picture(source: Any, *, settings: Settings | None = None) -> dict[str, str]:
    """Return the four hashes of a fully decoded picture as ImageHash's hex text.

    Raises
    ------
    PictureError    it cannot be read or decoded
    """
    from lookalike.features.hashes import to_hex

    settings = settings or Settings.from_environment()
    picture, _ = decode_source(parse_source(source, None, max_bytes=settings.max_bytes), settings)
    size = settings.hash_size
    return {name: to_hex(hash_(picture.image, size), size) for name, hash_ in HASHES.items()}
