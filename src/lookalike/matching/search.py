"""Answer "what looks like this?" by hashes, colour, the embedding, or all of them joined."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import FeatureMismatchError, InputError
from lookalike.features.distances import Metric, metrics_of
from lookalike.features.extract import EMBEDDING, FEATURES, Extractor, for_cache, kind_of
from lookalike.features.hashes import HASHES
from lookalike.matching.ladder import guess_relation
from lookalike.matching.query import ORIENTATIONS, Query
from lookalike.records import Recipe, Relation
from lookalike.storage.index.cache import open_exact_index
from lookalike.storage.index.exact import ExactIndex
from lookalike.storage.store import FoundPicture, Stamp, Store

AUTO = "auto"
HASH_THEN_EMBEDDING = "hash-then-embedding"
SHORT_LIST = 100  # candidates of each way that `auto` and `hash-then-embedding` look at
LIFT_BITS = 12.0  # of 64: the mean of pHash and dHash distance from which they say nothing (docs/ways.md)
MAX_LIFT = 0.9  # equal hashes close nine tenths of what the embedding leaves open; only equal bytes score 1
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d)?)?)?)?)?")
ALIASES = {"color": "hsv", "colour": "hsv"}


@dataclass(frozen=True)
class Filter:
    """Which pictures of a gallery may answer; the empty filter lets all through.

    Parameters
    ----------
    folder : str or None          only files below this folder
    formats : tuple of str        only these formats, such as ``("jpeg", "png")``; empty means all
    min_side_px : int             the shorter side of the original, at least
    min_bytes, max_bytes : int or None    size of the file
    since, until : str or None    date taken (or, unknown, of the file), ``YYYY-MM-DD``, shorter or longer;
                                  inclusive
    """

    folder: str | None = None
    formats: tuple[str, ...] = ()
    min_side_px: int = 0
    min_bytes: int | None = None
    max_bytes: int | None = None
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        known = {"jpg": "jpeg", "tif": "tiff", "heic": "heif"}
        formats = tuple(known.get(name.lower(), name.lower()) for name in self.formats)
        object.__setattr__(self, "formats", formats)
        for date in (self.since, self.until):
            if date is not None and not _DATE.fullmatch(date):
                raise InputError(f"{date!r} is no date: write YYYY-MM-DD, or less (YYYY-MM, YYYY).")

    @property
    def is_empty(self) -> bool:
        """Whether every picture passes."""
        return self == Filter()

    def passes(self, picture: FoundPicture) -> bool:
        """Whether this picture may answer."""
        if self.folder is not None:
            root = os.path.abspath(self.folder).rstrip(os.sep) + os.sep
            if not picture.path.startswith(root):
                return False
        if self.formats and picture.format not in self.formats:
            return False
        if min(picture.width_px, picture.height_px) < self.min_side_px:
            return False
        if self.min_bytes is not None and picture.size_bytes < self.min_bytes:
            return False
        if self.max_bytes is not None and picture.size_bytes > self.max_bytes:
            return False
        date = picture.date
        if self.since is not None and date < self.since:
            return False
        return self.until is None or date[: len(self.until)] <= self.until


@dataclass(frozen=True)
class Match:
    """One picture of the answer.

    `score` is higher, `distance` lower for what is more alike; `unit` says what the distance counts, `by`
    which way found it, and `why` says it in words. Without a `proof` (see `verify_matches`) the `relation` is
    an opinion, but for ``same_file``.
    """

    picture: FoundPicture
    score: float
    distance: float
    unit: str
    relation: Relation
    by: str
    why: str
    proof: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _Ranked:
    """One content of an answer, before its files are looked up."""

    content_id: int
    score: float
    distance: float
    why: str
    relation: Relation


def parse_way(by: str) -> tuple[str, str | None]:
    """Split a way of searching into its name and metric: ``hsv:intersection`` -> (hsv, intersection).

    Raises
    ------
    InputError    an unknown way or metric; the message lists the known ones
    """
    name, _, metric = by.partition(":")
    name = ALIASES.get(name, name)
    if name in (AUTO, HASH_THEN_EMBEDDING) and not metric:
        return name, None
    if name not in FEATURES:
        raise InputError(f"there is no way {by!r} to search; choose from {', '.join(ways())}.")
    metrics = metrics_of(kind_of(name))
    if metric and metric not in metrics:
        raise InputError(f"{name} has no metric {metric!r}; choose from {', '.join(metrics)}.")
    return name, metric or next(iter(metrics))


def ways() -> list[str]:
    """Return every way of searching, the default first."""
    single = [
        feature if position == 0 else f"{feature}:{metric}"
        for feature in FEATURES
        for position, metric in enumerate(metrics_of(kind_of(feature)))
    ]
    return [AUTO, HASH_THEN_EMBEDDING, *single]


class Searcher:
    """Searches one gallery; keeps its indexes open and up to date between queries.

    Parameters
    ----------
    store : Store
    extractor : callable    gives the extractor when it is first needed, for it may load a model
    """

    def __init__(self, store: Store, extractor: Callable[[], Extractor]) -> None:
        self._store = store
        self._extractor = extractor
        self._indexes: dict[str, tuple[ExactIndex, Stamp]] = {}

    def search(
        self,
        query: Query,
        *,
        k: int = 10,
        by: str = AUTO,
        min_score: float | None = None,
        max_distance: float | None = None,
        where: Filter | None = None,
    ) -> list[Match]:
        """Return the k best matches, best first, equal scores by id.

        The queried file itself is left out; other files with the same bytes are not. With a threshold,
        fewer than k may come. Raises InputError and FeatureMismatchError.
        """
        if k < 1:
            raise InputError(f"k = {k} makes no sense: ask for at least one match.")
        name, metric = parse_way(by)
        where = where or Filter()
        among = self._passing_ids(where)
        n_wanted = k + self._n_other_files(query)
        if name == AUTO:
            ranked = self._by_all(query, n_wanted, among)
        elif name == HASH_THEN_EMBEDDING:
            ranked = self._by_hash_then_embedding(query, n_wanted, among)
        else:
            ranked = self._by_one(query, name, metric, n_wanted, among)
        unit = self._unit(name, metric)
        kept = [
            one
            for one in ranked
            if (min_score is None or one.score >= min_score)
            and (max_distance is None or one.distance <= max_distance)
        ]
        return self._with_files(query, kept, by=by, unit=unit, where=where)[:k]

    def _unit(self, name: str, metric: str | None) -> str:
        if name in (AUTO, HASH_THEN_EMBEDDING) or metric is None:
            return "1 - score" if name == AUTO else "1 - cosine"
        return metrics_of(kind_of(name))[metric].unit

    def _n_other_files(self, query: Query) -> int:
        """One more than asked for, where the query's own file takes a place that it does not get."""
        return 1 if query.digest is not None else 0

    def _passing_ids(self, where: Filter) -> NDArray[np.int64] | None:
        if where.is_empty:
            return None
        passing = sorted({p.content_id for p in self._store.iter_pictures() if where.passes(p)})
        return np.array(passing, np.int64)

    # The ways

    def _by_one(
        self, query: Query, name: str, metric_name: str | None, k: int, among: NDArray[np.int64] | None
    ) -> list[_Ranked]:
        index = self.index(name)
        row = for_cache(name, query.feature(name))
        found = index.search(row, k, metric=metric_name, among=among)
        metric = self._metric(index, name, metric_name)
        digest_id = self._id_of_same_bytes(query)
        return [
            _Ranked(
                int(content_id),
                metric.score(float(distance)),
                float(distance),
                _why_one(name, metric, float(distance)),
                "same_file" if content_id == digest_id else "similar",
            )
            for content_id, distance in zip(found.ids[0], found.distances[0], strict=True)
            if content_id >= 0
        ]

    def _by_hash_then_embedding(self, query: Query, k: int, among: NDArray[np.int64] | None) -> list[_Ranked]:
        hashes = self.index("phash")
        short_list = hashes.search(query.feature("phash"), SHORT_LIST, among=among)
        ids = short_list.ids[0][: short_list.counts[0]]
        bits = short_list.distances[0][: short_list.counts[0]]
        row = for_cache(EMBEDDING, query.feature(EMBEDDING))
        distances = self.index(EMBEDDING).distances_to(row, ids)
        digest_id = self._id_of_same_bytes(query)
        order = [place for place in np.lexsort((ids, distances)) if np.isfinite(distances[place])]
        return [
            _Ranked(
                int(ids[place]),
                1 - float(distances[place]),
                float(distances[place]),
                f"embedding cosine {1 - distances[place]:.3f}, short-listed by pHash at {bits[place]:.0f} bits",
                "same_file" if ids[place] == digest_id else "similar",
            )
            for place in order[:k]
        ]

    def _by_all(self, query: Query, k: int, among: NDArray[np.int64] | None) -> list[_Ranked]:
        has_embedding = self._store.recipes(EMBEDDING) != {}
        ids = self._candidates(query, max(SHORT_LIST, 4 * k), among, has_embedding)
        if not len(ids):
            return []
        bits, orientation = self._hash_distances(query, ids)
        lift = np.clip(1 - bits.mean(axis=0) / LIFT_BITS, 0, 1) * MAX_LIFT
        orientation[lift == 0] = 0  # hashes that far apart say nothing of how the picture was turned
        cosines = self._cosines(query, ids, orientation) if has_embedding else np.zeros(len(ids))
        scores = cosines + (1 - cosines) * lift
        digest_id = self._id_of_same_bytes(query)
        scores[ids == digest_id] = 1
        return [
            _Ranked(
                int(ids[place]),
                float(scores[place]),
                float(1 - scores[place]),
                _why_all(cosines[place] if has_embedding else None, bits[:, place], int(orientation[place])),
                "same_file"
                if ids[place] == digest_id
                else guess_relation(float(max(cosines[place], scores[place]))),
            )
            for place in np.lexsort((ids, -scores))[:k]
        ]

    def _cosines(
        self, query: Query, ids: NDArray[np.int64], orientation: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return the cosine to each id with the query laid as the hashes say; 0 where it has no embedding."""
        index = self.index(EMBEDDING)
        cosines = np.zeros(len(ids))
        for turn in np.unique(orientation):
            these = orientation == turn
            distances = index.distances_to(query.turned_embedding(int(turn)), ids[these])
            cosines[these] = np.where(np.isfinite(distances), 1 - distances, 0)
        return cosines

    def _candidates(
        self, query: Query, n: int, among: NDArray[np.int64] | None, has_embedding: bool
    ) -> NDArray[np.int64]:
        """Return the nearest n by pHash in any orientation, and by the embedding."""
        found = self.index("phash").search(query.turned_hashes("phash"), n, among=among)
        distances = np.where(found.ids >= 0, found.distances, np.inf).ravel()
        nearest = found.ids.ravel()[np.argsort(distances, kind="stable")]
        unique, first = np.unique(nearest, return_index=True)
        by_hash = unique[np.argsort(first)][:n]
        parts = [by_hash[by_hash >= 0]]
        if has_embedding:
            row = for_cache(EMBEDDING, query.feature(EMBEDDING))
            by_embedding = self.index(EMBEDDING).search(row, n, among=among).ids[0]
            parts.append(by_embedding[by_embedding >= 0])
        return np.unique(np.concatenate(parts))

    def _hash_distances(
        self, query: Query, ids: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return pHash and dHash distances in bits of 64, (2, n), in the closest orientation, (n,)."""
        bits = np.stack(
            [
                np.stack([self.index(name).distances_to(row[None], ids) for row in query.turned_hashes(name)])
                for name in ("phash", "dhash")
            ]
        )
        best = bits.sum(axis=0).argmin(axis=0)
        per_64 = 64.0 / self._extractor().settings.hash_size ** 2
        return np.take_along_axis(bits, best[None, None], axis=1)[:, 0].astype(np.float64) * per_64, best

    # Indexes and files

    def index(self, feature: str) -> ExactIndex:
        """Return the index of a feature, brought up to date with the store.

        Raises
        ------
        InputError              no picture of the gallery has the feature
        FeatureMismatchError    the gallery has it by another recipe only
        """
        recipe = self._extractor().recipes[feature]
        kept = self._indexes.get(feature)
        if kept is not None and kept[1] == self._store.stamp(recipe):
            return kept[0]
        self._check_recipe(recipe)
        index, stamp = open_exact_index(self._store, recipe)
        self._indexes[feature] = (index, stamp)
        return index

    def _check_recipe(self, recipe: Recipe) -> None:
        present = self._store.recipes(recipe.feature)
        if recipe.text in present:
            return
        if not present:
            if not self._store.counts()["contents"]:
                raise InputError(f"the gallery {self._store.folder} holds no picture yet: run `index` first.")
            raise InputError(
                f"no picture of the gallery {self._store.folder} has the feature {recipe.feature}: run "
                "`lookalike index` over your folders without --only, or search --by another way."
            )
        raise FeatureMismatchError(
            f"the gallery {self._store.folder} has {recipe.feature} by the recipe {next(iter(present))}, but "
            f"your settings give {recipe.text}: use the settings that it was indexed with, or run "
            "`lookalike index` over your folders again to add the new features."
        )

    def _metric(self, index: ExactIndex, name: str, metric: str | None) -> Metric:
        metrics = metrics_of(kind_of(name), 8 * index.n_dimensions)
        return metrics[metric or next(iter(metrics))]

    def _id_of_same_bytes(self, query: Query) -> int | None:
        return None if query.digest is None else self._store.content_id(query.digest)

    def _with_files(
        self, query: Query, ranked: list[_Ranked], *, by: str, unit: str, where: Filter
    ) -> list[Match]:
        """Turn contents into the files that have them, without the queried file itself."""
        files: dict[int, list[FoundPicture]] = self._store.pictures([one.content_id for one in ranked])
        return [
            Match(picture, one.score, one.distance, unit, one.relation, by, one.why)
            for one in ranked
            for picture in files.get(one.content_id, [])
            if picture.path != query.path and where.passes(picture)
        ]


def _why_one(name: str, metric: Metric, distance: float) -> str:
    if name in HASHES:
        return f"{name} differs in {distance:.0f} of {metric.span:.0f} bits"
    return f"{name} {metric.name} distance {distance:.3f}"


def _why_all(cosine: Any | None, bits: NDArray[np.float64], orientation: int) -> str:
    parts = [] if cosine is None else [f"embedding cosine {cosine:.3f}"]
    if bits.mean() < LIFT_BITS:
        turned = "" if orientation == 0 else f" when {ORIENTATIONS[orientation]}"
        parts.append(f"pHash {bits[0]:.0f} and dHash {bits[1]:.0f} of 64 bits apart{turned}")
    else:
        parts.append("hashes far apart")
    return ", ".join(parts)
