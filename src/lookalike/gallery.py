"""The one façade: open a gallery, add to it, search it, close it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.adding.add import AddReport, Failure, ProgressCallback, add_files, ignore_progress
from lookalike.errors import InputError
from lookalike.features.extract import EMBEDDING, FEATURES, Extractor
from lookalike.features.hashes import HASHES
from lookalike.matching.compare import Comparison, compare_queries
from lookalike.matching.duplicates import (
    DuplicatesReport,
    Question,
    StageCallback,
    find_duplicates,
    ignore_stage,
)
from lookalike.matching.keeper import DEFAULT_RULES
from lookalike.matching.query import Query, decode_source, load_query, parse_source, path_of_url
from lookalike.matching.search import AUTO, Filter, Match, Searcher
from lookalike.media.files import FoundFile, digest_of, iter_files, read_file
from lookalike.records import Relation
from lookalike.settings import Settings
from lookalike.storage.store import Store

if TYPE_CHECKING:
    from types import TracebackType

    from PIL.Image import Image

    from lookalike.acting.plan import Plan

ONLY = {"all": FEATURES, "hashes": tuple(HASHES)}
"""What `Gallery.add` may be told to compute."""


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


class Gallery:
    """A set of pictures that one can add to and search. Open it with `Gallery.open`.

    One object serves one thread. Several processes may use one gallery at the same time.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self.settings = settings
        self._searcher = Searcher(store, lambda: self._extractor)

    @classmethod
    def open(
        cls, place: str | os.PathLike[str], *, create: bool = False, settings: Settings | None = None
    ) -> Gallery:
        """Open the gallery in a folder; one that cannot be written can still be searched.

        Parameters
        ----------
        place : path        the gallery's folder, or its ``file:`` URL
        create : bool       make an empty gallery where there is none
        settings : Settings or None    None takes the defaults and the environment

        Raises
        ------
        GalleryNotFoundError    there is none, and `create` is false
        StoreError              it cannot be opened, is damaged, or was written by a newer version
        """
        if str(place).startswith("file:"):
            place = path_of_url(str(place))
        if "://" in str(place):
            raise InputError(f"{place!r} is an address, not a folder: give the folder of a gallery.")
        folder = Path(place).expanduser()
        is_read_only = folder.is_dir() and not create and not os.access(folder, os.W_OK)
        store = Store(folder, create=create, read_only=is_read_only)
        return cls(store, settings or Settings.from_environment())

    def close(self) -> None:
        """Close the gallery."""
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
        return Extractor(self.settings, n_threads=self.settings.n_workers)

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
        report.seen += len(problems)
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
    ) -> list[Match]:
        """Return the pictures that look most like the query, best first.

        Parameters
        ----------
        query : path, bytes, PIL image, uint8 array, ``file:`` URL, ``-`` (standard input) or ``id:N``
        k : int                      how many matches at most
        by : str                     a way of searching, see `lookalike.matching.search.ways`
        min_score : float or None    leave out matches below this score
        max_distance : float or None leave out matches beyond this distance, in the way's own unit
        where : Filter or None       which pictures may answer
        verify : bool                prove the matches with local features, and rank the proven first

        Raises
        ------
        PictureError            the query cannot be read or decoded
        InputError              a way, id or number that makes no sense, or a gallery without the feature
        FeatureMismatchError    the gallery's features were made by another recipe
        """
        loaded = self.load(query)
        matches = self.search_loaded(
            loaded, k=k, by=by, min_score=min_score, max_distance=max_distance, where=where
        )
        if not verify:
            return matches
        from lookalike.matching.proving import verify_matches

        return verify_matches(loaded, matches, self._store, self.settings)

    def search_loaded(
        self,
        query: Query,
        *,
        k: int = 10,
        by: str = AUTO,
        min_score: float | None = None,
        max_distance: float | None = None,
        where: Filter | None = None,
    ) -> list[Match]:
        """Search with a query that `load` has prepared, such as to ask it in several ways."""
        return self._searcher.search(
            query, k=k, by=by, min_score=min_score, max_distance=max_distance, where=where
        )

    def load(self, query: Any) -> Query:
        """Read, decode and prepare a query; see `search` for what it may be."""
        return load_query(parse_source(query, self._store), self._extractor, self.settings)

    def duplicates(
        self,
        *,
        relation: Relation = "copy",
        against: str | os.PathLike[str] | None = None,
        protect: Sequence[str | os.PathLike[str]] = (),
        rules: Sequence[str] = DEFAULT_RULES,
        on_stage: StageCallback = ignore_stage,
    ) -> DuplicatesReport:
        """Find the files that are the same picture, each proven against the one to keep.

        Parameters
        ----------
        relation : Relation    report this relation or closer on the ladder
        against : folder       only groups that join a file below this folder with files elsewhere
        protect : folders      whose files are never proposed to go
        rules : names          how to choose the keeper, in order; see `lookalike.matching.keeper.RULES`
        on_stage : callable    called with a stage's name, how much of it is done, and its total

        Returns
        -------
        DuplicatesReport    records; what to do with them is planned by `plan_removals`
        """
        for folder in (*protect, *([] if against is None else [against])):
            if not os.path.isdir(folder):
                raise InputError(
                    f"there is no folder {os.fspath(folder)!r}: check its name; nothing was done."
                )
        question = Question(
            relation,
            None if against is None else os.path.abspath(against),
            tuple(os.path.abspath(folder) for folder in protect),
            tuple(rules),
        )
        has_embeddings = bool(self._store.recipes(EMBEDDING))
        return find_duplicates(
            self._store,
            self.settings,
            question,
            hashes=lambda: self._searcher.index("phash"),
            embeddings=(lambda: self._searcher.index(EMBEDDING)) if has_embeddings else None,
            on_stage=on_stage,
        )

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
        from lookalike.acting.plan import Removal, make_plan, save_plan

        removals = [
            Removal(
                path=member.picture.path,
                digest=member.picture.digest,
                size_bytes=member.picture.size_bytes,
                keeper=group.keeper.path,
                keeper_digest=group.keeper.digest,
                relation=member.relation,
                why=group.why,
            )
            for group in report.groups
            for member in group.members
            if not member.note and (act in ("trash", "quarantine") or member.relation == "same_file")
        ]
        plan = make_plan(
            removals,
            act=act,  # type: ignore[arg-type]  # checked there
            gallery=str(self._store.folder),
            quarantine=None if quarantine is None else os.path.abspath(quarantine),
        )
        save_plan(plan, Path(path))
        return plan

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
        digests = []
        for picture in (first, second):
            source = parse_source(picture, self._store)
            if source.path is not None:
                digests.append(read_file(source.path, max_bytes=self.settings.max_bytes).digest)
            elif source.data is not None:
                digests.append(digest_of(source.data))
            else:
                raise InputError("pixels have no bytes to remember: give a file.")
        if digests[0] == digests[1]:
            raise InputError(f"{first} and {second} have the same bytes: there is nothing to say of them.")
        self._store.put_verdict(digests[0], digests[1], is_duplicate)

    def remove(self, paths: Iterable[str | os.PathLike[str]]) -> int:
        """Forget files, and everything below folders; return how many. The pictures are not touched."""
        given = [os.fspath(path) for path in paths]
        if "" in given:
            raise InputError("an empty path names nothing: give the file or folder to forget.")
        places = [os.path.abspath(path) for path in given]
        inside = tuple(place.rstrip(os.sep) + os.sep for place in places)
        known = [p for p in self._store.iter_paths() if p in places or p.startswith(inside)]
        return self._store.remove(known)

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
        )


def recipes_of(settings: Settings, features: Sequence[str]) -> dict[str, Any]:
    """Return the recipe of each feature under these settings."""
    return Extractor(settings, features).recipes


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
    sources = [parse_source(source, None) for source in (first, second)]
    queries = [load_query(source, extractor, settings) for source in sources]
    first_picture, second_picture = (decode_source(source, settings)[0] for source in sources)
    return compare_queries(queries[0], queries[1], (first_picture, second_picture))


def draw_comparison(
    first: Any, second: Any, comparison: Comparison, *, settings: Settings | None = None
) -> Image:
    """Return a PIL image of both pictures side by side, with the overlap and the agreeing points."""
    from lookalike.matching.verify import draw_proof

    settings = settings or Settings.from_environment()
    images = [decode_source(parse_source(source, None), settings)[0].image for source in (first, second)]
    return draw_proof(images[0], images[1], comparison.verification)


def hash_picture(source: Any, *, settings: Settings | None = None) -> dict[str, str]:
    """Return the four hashes of a fully decoded picture as ImageHash's hex text.

    Raises
    ------
    PictureError    it cannot be read or decoded
    """
    from lookalike.features.hashes import to_hex

    settings = settings or Settings.from_environment()
    picture, _ = decode_source(parse_source(source, None), settings)
    size = settings.hash_size
    return {name: to_hex(hash_(picture.image, size), size) for name, hash_ in HASHES.items()}
