"""Ask a local gallery: load a query, search, prove, compare, and say what a score is worth."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.api import Page
from lookalike.errors import InputError
from lookalike.features.feature import EMBEDDING
from lookalike.features.keypoints import RECIPE as KEYPOINT_RECIPE
from lookalike.features.kinds import VECTOR
from lookalike.gallery.opened import Opened
from lookalike.media.files import digest_of
from lookalike.queries.picture import PictureQuery, load_query
from lookalike.queries.query import Query
from lookalike.queries.source import Box, Source, find_absent
from lookalike.queries.stored import StoredQuery
from lookalike.records.calibration import PROOF, Origin, Promised, WayCalibration
from lookalike.records.progress import ProgressCallback
from lookalike.records.relation import Relation, is_at_least
from lookalike.searching.searcher import Match
from lookalike.searching.way import AUTO
from lookalike.searching.worth import choose_way, not_calibrated, parse_precision
from lookalike.storage.filters import Filter
from lookalike.storage.records import FoundPicture

if TYPE_CHECKING:
    from lookalike.calibration.record import Ask, CalibrationReport
    from lookalike.comparing import Comparison

_BLANK_PICTURE = b"P6 1 1 255\n\0\0\0"
_MAX_LOADED = 64  # queries remembered, at 0.4 MB each


class Asking:
    """What is asked of an open gallery."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._loaded: OrderedDict[tuple[Hashable, Box | None], PictureQuery] = OrderedDict()
        self._lock = Lock()  # of what is remembered

    def load(self, picture: Any, *, box: Box | None, keep: bool) -> Query:
        """Read, decode and prepare a query; with `keep`, from the last few that are remembered."""
        absent = find_absent(picture, self._opened.store) if box is None else None
        if absent is not None:
            return self._stored(absent)
        source = self._opened.source(picture)
        identity = _identity(source) if keep else None
        with self._lock:
            if identity is not None and (identity, box) in self._loaded:
                self._loaded.move_to_end((identity, box))
                return self._loaded[identity, box]
        loaded = load_query(source, self._opened.extractor, self._opened.reader, box=box)
        if identity is not None:
            with self._lock:
                self._loaded[identity, box] = loaded
                if len(self._loaded) > _MAX_LOADED:
                    self._loaded.popitem(last=False)
        return loaded

    def _stored(self, picture: FoundPicture) -> StoredQuery:
        """Return what was kept of a picture as a query."""
        from lookalike.proving.prove import load_keypoints

        look_up, content_ids = self._opened.searcher.look_up(), np.array([picture.content_id], np.int64)

        def take(feature: str) -> NDArray[Any] | None:
            if not look_up.has(feature):
                return None
            known, rows = look_up.rows(feature).take(content_ids)
            return rows if len(known) else None

        store, reader = self._opened.store, self._opened.reader
        return StoredQuery(picture, take, lambda: load_keypoints(picture, store, reader), reader)

    def refine(self, query: Query, liked: Sequence[int], disliked: Sequence[int], *, by: str) -> Query:
        """Return the query moved towards the pictures that were liked and away from those that were not."""
        from lookalike.queries.refined import RefinedQuery, Refinement

        searcher, features = self._opened.searcher, self._opened.extractor.features
        way = searcher.find_way(by)
        vectors = [name for name in (*way.needs, *way.uses) if features[name].kind is VECTOR]
        if not vectors:
            raise InputError(f"likes cannot refine a search by {by}: take auto or embedding.")
        rows = [searcher.embeddings_of(vectors[0], ids) for ids in (liked, disliked)]
        return RefinedQuery(query, Refinement(vectors[0], rows[0], rows[1], frozenset(disliked)))

    def page(
        self,
        query: Query,
        *,
        k: int,
        offset: int | None,
        by: str,
        min_score: float | None,
        max_distance: float | None,
        where: Filter | None,
        verify: bool,
        relation: Relation | None,
        precision: float | None,
    ) -> Page:
        """Return k of the matches after the first `offset`; see `LocalGallery.search_page`."""
        matches = self._opened.searcher.search(
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
            is_open = not offset and min_score is None and max_distance is None
            more = self._opened.searcher.more_to_prove(query, by=by, where=where) if is_open else []
            page = self._verify_with(query, page, more, precision=precision)
            page = page if offset is not None else page[:k]
        if relation is not None:
            page = [match for match in page if is_at_least(match.relation, relation)]
        has_more = len(matches) > k or (offset is None and len(matches) == k)
        return Page(tuple(page), offset or 0, has_more)

    def verify(self, query: Query, matches: Sequence[Match], *, precision: float | None) -> list[Match]:
        """Prove the matches of a query with local features, and rank the proven first."""
        from lookalike.proving.prove import verify_matches

        proven = verify_matches(query, matches, self._opened.store, self._calibrated(PROOF))
        if precision is None:
            return proven
        least = self.promise(PROOF, precision).promise.least
        return [match for match in proven if match.proof is not None and match.proof.score >= least]

    def _verify_with(
        self, query: Query, matches: Sequence[Match], more: Sequence[Match], *, precision: float | None
    ) -> list[Match]:
        """Prove the matches, and others that are answers only where they are proven."""
        ranked = {match.picture.path for match in matches}
        others = [match for match in more if match.picture.path not in ranked]
        proven = self.verify(query, [*matches, *others], precision=precision)
        return [
            match
            for match in proven
            if match.picture.path in ranked or is_at_least(match.relation, "same_scene")
        ]

    def promise(self, by: str, precision: float) -> Promised:
        """Return what a precision is worth here."""
        kept = parse_precision(precision)
        chosen = self._calibrated(by)
        if chosen is None:
            raise not_calibrated(by)
        return Promised(by, chosen[0].promise(kept), chosen[1])

    def _calibrated(self, by: str) -> tuple[WayCalibration, Origin] | None:
        if by == PROOF:
            return choose_way(PROOF, (KEYPOINT_RECIPE.text,), self._opened.store.notes.calibration())
        return self._opened.searcher.calibration_of(by)

    def calibrate(
        self, *, n_pictures: int, seed: int, ask: Ask | None, on_progress: ProgressCallback
    ) -> CalibrationReport:
        """Learn what scores are worth, and keep it with the gallery."""
        from lookalike.calibration.calibrate import calibrate_gallery

        opened = self._opened
        report = calibrate_gallery(
            opened.store,
            opened.settings,
            opened.searcher,
            n_pictures=n_pictures,
            seed=seed,
            ask=ask,
            on_progress=on_progress,
        )
        opened.store.notes.put_calibration(report.calibration.to_text())
        return report

    def compare(self, first: Any, second: Any) -> Comparison:
        """Compare two pictures by every measure."""
        from lookalike.comparing import compare

        return compare(self._opened.source(first), self._opened.source(second), self._opened.reader)

    def show(self, picture: Any, longer_side_px: int) -> bytes:
        """Return a picture as an upright JPEG, at most so large."""
        return self._opened.reader.show(self._opened.source(picture), longer_side_px)

    def warm_up(self) -> None:
        """Load what the default search needs."""
        opened = self._opened
        look_up = opened.searcher.look_up()
        for name in opened.searcher.find_way(AUTO).looks_at(look_up):
            if look_up.has(name):
                look_up.nearest(name)
        if opened.has_embeddings:
            self.load(_BLANK_PICTURE, box=None, keep=False).row(EMBEDDING)


def _identity(source: Source) -> Hashable | None:
    """Return what tells a picture from every other without decoding it; None where nothing does."""
    if source.digest is not None:
        return source.path, source.digest
    if source.data is not None:
        return digest_of(source.data)
    if source.path is None:
        return None
    try:
        status = os.stat(source.path)
    except OSError:
        return None
    return source.path, status.st_ino, status.st_size, status.st_mtime_ns
