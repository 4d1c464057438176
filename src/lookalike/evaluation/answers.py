"""A data set and ways of searching -> predictions: index the pictures, ask every query, keep the answers."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike import __version__
from lookalike.errors import InputError, PictureError
from lookalike.evaluation.datasets import DataSet
from lookalike.evaluation.predictions import Configuration, Predictions, PredictionsFolder
from lookalike.features.extract import recipes_of
from lookalike.features.hashes import HASHES
from lookalike.gallery.local import LocalGallery
from lookalike.media.decode import decode
from lookalike.queries.query import Query
from lookalike.queries.source import Box
from lookalike.records.failure import Failure
from lookalike.records.progress import Progress, ProgressCallback
from lookalike.searching.ways import find_way
from lookalike.settings import Settings
from lookalike.storage.records import FoundPicture

QUERIES_IN_A_PART = 256  # what a kill may cost: some seconds of work


@dataclass(frozen=True)
class IndexedData:
    """A data set whose pictures are in a gallery.

    Parameters
    ----------
    data : DataSet
    gallery : LocalGallery
        Holds the data set's gallery pictures and nothing else.
    paths : tuple of str
        Absolute paths of `data.gallery`, in its order.
    digests : mapping
        Of each path that was read, the digest of its bytes.
    failed : tuple of Failure
        Gallery pictures that could not be read.
    """

    data: DataSet
    gallery: LocalGallery
    paths: tuple[str, ...]
    digests: Mapping[str, bytes]
    failed: tuple[Failure, ...]


@contextmanager
def index_data(
    data: DataSet, folder: Path, ways: Sequence[str], settings: Settings, on_progress: ProgressCallback
) -> Iterator[IndexedData]:
    """Bring a gallery in a folder up to date with a data set, and open it.

    Raises
    ------
    InputError
        Not one of the gallery's pictures can be read.
    """
    paths = tuple(data.path_of(name) for name in data.gallery)
    only_hashes = all(set(features_of(by, settings)) <= set(HASHES) for by in ways)

    def tell(now: Progress) -> None:
        if now.stage == "add":
            on_progress(Progress("index", now.n_done, now.n_total or len(paths)))

    with LocalGallery(folder, create=True, settings=settings) as gallery:
        report = gallery.add(paths, only="hashes" if only_hashes else "all", on_progress=tell)
        if report.interrupted:
            raise KeyboardInterrupt
        wanted = set(paths)
        gallery.remove([p.path for p in _all_pictures(gallery) if p.path not in wanted])
        digests = {picture.path: picture.digest for picture in _all_pictures(gallery)}
        if not digests:
            raise InputError(
                f"not one of the {len(paths)} gallery pictures of {data.root!r} can be read: "
                f"{report.failed[0].reason if report.failed else 'there are none'}"
            )
        yield IndexedData(data, gallery, paths, digests, gallery.info().failures)


def _all_pictures(gallery: LocalGallery) -> list[FoundPicture]:
    return gallery.pictures(limit=2**53)[0]


def features_of(by: str, settings: Settings) -> tuple[str, ...]:
    """Return the features that a way of searching needs of each picture."""
    way = find_way(by, settings)
    return (*way.needs, *way.uses)


def answer_all(
    indexed: IndexedData, ways: Sequence[str], folder: Path, *, depth: int, on_progress: ProgressCallback
) -> dict[str, Predictions]:
    """Ask every query in every way, keep the answers in files, and return what the files hold.

    What is kept already is not asked again. Each query is decoded once for all ways.

    Raises
    ------
    InputError
        There are predictions of another configuration in the folder.
    OutputError
        They cannot be written.
    """
    digest = _digest_of_data(indexed)
    kept = {
        by: PredictionsFolder(folder, _configuration(by, depth, digest, indexed.gallery.settings))
        for by in ways
    }
    n_queries = len(indexed.data.queries)
    place_of = {path: place for place, path in enumerate(indexed.paths)}
    start = min((one.n_done for one in kept.values()), default=0)
    while start < n_queries:
        asked = [by for by, one in kept.items() if one.n_done == start]
        # All parts start at multiples of one number, so that ways added later fall into step.
        names = indexed.data.queries[start : start + QUERIES_IN_A_PART]
        blocks = {by: _Block(len(names), depth, place_of) for by in asked}
        for row, name in enumerate(names):
            on_progress(Progress("search", start + row, n_queries))
            _answer_one(indexed, name, row, blocks)
        for by in asked:
            kept[by].write(blocks[by].predictions())
        start = min(one.n_done for one in kept.values())
    on_progress(Progress("search", n_queries, n_queries))
    return {by: one.load() for by, one in kept.items()}


class _Block:
    """The answers of one way to some queries, while they come in."""

    def __init__(self, n_queries: int, depth: int, place_of: Mapping[str, int]) -> None:
        self._place_of = place_of
        self._items = np.full((n_queries, depth), -1, np.int32)
        self._scores = np.full((n_queries, depth), -np.inf)
        self._failed = np.zeros(n_queries, bool)

    def ask(self, row: int, gallery: LocalGallery, query: Query, by: str) -> None:
        matches = gallery.search_loaded(query, k=self._items.shape[1], by=by)
        self._items[row, : len(matches)] = [self._place_of[match.picture.path] for match in matches]
        self._scores[row, : len(matches)] = [match.score for match in matches]

    def fail(self, row: int) -> None:
        self._failed[row] = True

    def predictions(self) -> Predictions:
        return Predictions(self._items, self._scores, self._failed)


def _answer_one(indexed: IndexedData, name: str, row: int, blocks: Mapping[str, _Block]) -> None:
    try:
        query = load(indexed, name)
    except PictureError:
        for block in blocks.values():
            block.fail(row)
        return
    for by, block in blocks.items():
        block.ask(row, indexed.gallery, query, by)


def load(indexed: IndexedData, name: str) -> Query:
    """Read and decode a query, or the part of it that is asked about; raise PictureError."""
    path = Path(indexed.data.path_of(name))
    edges = indexed.data.boxes.get(name)
    if edges is None:
        return indexed.gallery.load(path)
    size = decode(path, min_side_px=1, settings=indexed.gallery.settings)
    left, upper = edges[0] / size.width_px, edges[1] / size.height_px
    width, height = (edges[2] - edges[0]) / size.width_px, (edges[3] - edges[1]) / size.height_px
    inside = Box(max(left, 0), max(upper, 0), min(width, 1 - max(left, 0)), min(height, 1 - max(upper, 0)))
    return indexed.gallery.load(path, box=inside)


def _configuration(by: str, depth: int, data_digest: str, settings: Settings) -> Configuration:
    recipes = recipes_of(settings, features_of(by, settings))
    return Configuration(
        by,
        depth,
        data_digest,
        json.dumps({name: recipe.text for name, recipe in sorted(recipes.items())}),
        json.dumps({"max_pixels": settings.max_pixels, "max_bytes": settings.max_bytes}),
        __version__,
    )


def _digest_of_data(indexed: IndexedData) -> str:
    """Return a digest of all that the answers depend on: which pictures lie where and what they hold.

    Queries outside the gallery are told by size and time, so that they need not be read for it.
    """
    digest = hashlib.sha256()
    for path in indexed.paths:
        digest.update(_line(path, indexed.digests.get(path, b"failed").hex()))
    for name in indexed.data.queries:
        path = indexed.data.path_of(name)
        state = indexed.digests.get(path, b"").hex()
        if not state and os.path.exists(path):
            status = os.stat(path)
            state = f"{status.st_size} {status.st_mtime_ns}"
        digest.update(_line(path, f"{state} {indexed.data.boxes.get(name, '')}"))
    return digest.hexdigest()


def _line(path: str, state: str) -> bytes:
    return os.fsencode(path) + b"\0" + state.encode() + b"\n"
