"""Answer "what looks like this?" by hashes, colour, the embedding, or all of them joined."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import FeatureMismatchError, InputError
from lookalike.features.distances import Metric, metrics_of
from lookalike.features.extract import EMBEDDING, FEATURES, Extractor, for_cache, kind_of, stored_dtype
from lookalike.features.hashes import HASHES
from lookalike.queries.picture import ORIENTATIONS, Query
from lookalike.records.arrays import Float32Array
from lookalike.records.calibration import Origin, WayCalibration
from lookalike.records.proof import Proof
from lookalike.records.recipe import Recipe
from lookalike.records.relation import Relation, guess_relation
from lookalike.searching.worth import (
    LAST_RANK,
    choose_way,
    find_background,
    not_calibrated,
    parse_precision,
    relative_score,
)
from lookalike.storage.filters import Filter
from lookalike.storage.index.cache import open_exact_index
from lookalike.storage.index.exact import ExactIndex
from lookalike.storage.records import FoundPicture, Stamp
from lookalike.storage.store import Store

AUTO = "auto"
HASH_THEN_EMBEDDING = "hash-then-embedding"
PAGED_DEPTH = 1000  # how deep an answer can be scrolled; every page is cut from one ranking of this depth
MAX_K = 1_000_000  # matches that fit into memory; a gallery has fewer
MORE_CANDIDATES = 300  # than asked for, of each way; four times as many for short answers
SHORT_LIST = 100  # candidates of each way that `auto` and `hash-then-embedding` look at
LIFT_BITS = 12.0  # of 64: the mean of pHash and dHash distance from which they say nothing (docs/ways.md)
MAX_LIFT = 0.9  # equal hashes close nine tenths of what the embedding leaves open; only equal bytes score 1
ALIASES = {"color": "hsv", "colour": "hsv"}


@dataclass(frozen=True)
class Match:
    """One picture of the answer.

    `score` is higher, `distance` lower for what is more alike; `unit` says what the distance counts, `by`
    which way found it, and `why` says it in words. Without a `proof` (see `verify_matches`) the `relation` is
    an opinion, but for ``same_file``. `probability` is that of being a copy of the query (see docs/calibration.md);
    None where the way is not calibrated for what the gallery holds.
    """

    picture: FoundPicture
    score: float
    distance: float
    unit: str
    relation: Relation
    by: str
    why: str
    proof: Proof | None = None
    probability: float | None = None


@dataclass(frozen=True)
class _Ranked:
    """One content of an answer, before its files are looked up."""

    content_id: int
    score: float
    distance: float
    why: str
    relation: Relation


@dataclass(frozen=True)
class _Ruler:
    """What the scores of one query are worth: its background, and the calibration of the way."""

    calibrated: WayCalibration
    background: float

    def relative(self, one: _Ranked) -> float:
        return float(relative_score(one.score, self.background))

    def probability(self, one: _Ranked) -> float:
        return 1.0 if one.relation == "same_file" else self.calibrated.map.probability(self.relative(one))

    def passes(self, one: _Ranked, min_relative: float) -> bool:
        return one.relation == "same_file" or self.relative(one) >= min_relative


_COMPARED = {
    AUTO: "hashes in all eight orientations and the embedding, joined; the default",
    HASH_THEN_EMBEDDING: "the nearest by pHash, ordered by the embedding",
    "ahash": "which parts are brighter than the mean",
    "dhash": "which parts are brighter than their left neighbour",
    "phash": "the coarsest frequencies of the picture",
    "whash": "the coarsest wavelets of the picture",
    "rgb": "shares of the colours, in RGB",
    "hsv": "shares of the colours, in HSV",
    "texture": "shares of the small patterns of light and dark, and as much of the colours, in HSV",
    EMBEDDING: "what a neural network sees in the picture",
}


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


def describe_way(by: str) -> str:
    """Return what a way of searching compares, and by which measure, in a few words."""
    name, metric = parse_way(by)
    return _COMPARED[name] if metric is None else f"{_COMPARED[name]}, by {metric}"


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
        offset: int | None = None,
        precision: float | None = None,
    ) -> list[Match]:
        """Return the k best matches, best first, equal scores by id.

        The queried file itself is left out; other files with the same bytes are not. With a threshold,
        fewer than k may come. With an `offset`, the matches after so many of one ranking of `PAGED_DEPTH`, so that
        pages neither repeat nor miss a match. Raises InputError and FeatureMismatchError.
        """
        if not 1 <= k <= MAX_K:
            raise InputError(f"k = {k} makes no sense: ask for at least one match, and at most {MAX_K:,}.")
        if any(limit is not None and math.isnan(limit) for limit in (min_score, max_distance)):
            raise InputError("a threshold that is not a number (nan) lets nothing through: give a number.")
        name, metric = parse_way(by)
        where = where or Filter()
        among = self._passing_ids(where)
        left_out = frozenset() if query.refinement is None else query.refinement.disliked_ids
        n_wanted = (k if offset is None else PAGED_DEPTH) + self._n_other_files(query) + len(left_out)
        ranked = self._rank(query, name, metric, n_wanted, among)
        unit = self._unit(name, metric)
        ruler = None if query.refinement is not None else self._ruler(name, metric, ranked, among)
        min_relative = None if precision is None else self._min_relative(query, ruler, by, precision)
        kept = [
            one
            for one in ranked[:n_wanted]
            if one.content_id not in left_out
            and (ruler is None or min_relative is None or ruler.passes(one, min_relative))
            and (min_score is None or one.score >= min_score)
            and (max_distance is None or one.distance <= max_distance)
        ]
        found = self._with_files(query, kept, by=by, unit=unit, where=where, ruler=ruler)
        return found[offset or 0 :][:k]

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
        passing = self._store.passing.ids(where)
        folder = where.folder
        if not (
            len(passing) or folder is None or self._store.files.has_any_below(folder) or os.path.isdir(folder)
        ):
            raise InputError(
                f"there is no folder {folder!r}, and no picture of the gallery was in it: check its name."
            )
        return passing

    # The ways

    def _rank(
        self, query: Query, name: str, metric: str | None, k: int, among: NDArray[np.int64] | None
    ) -> list[_Ranked]:
        """Return the k best contents and, where k is small, those that follow up to `SHORT_LIST`."""
        if name == AUTO:
            return self._by_all(query, k, among)
        if name == HASH_THEN_EMBEDDING:
            return self._by_hash_then_embedding(query, k, among)
        return self._by_one(query, name, metric, k, among)

    def _by_one(
        self, query: Query, name: str, metric_name: str | None, k: int, among: NDArray[np.int64] | None
    ) -> list[_Ranked]:
        index = self.index(name)
        row = for_cache(name, query.feature(name))
        n = min(max(k, SHORT_LIST), max(1, len(index)))
        found = index.search(row, n, metric=metric_name, among=among)
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
            for place in order[: max(k, SHORT_LIST)]
        ]

    def _by_all(self, query: Query, k: int, among: NDArray[np.int64] | None) -> list[_Ranked]:
        has_embedding = self._store.features.has(EMBEDDING)
        ids = self._candidates(query, max(SHORT_LIST, min(4 * k, k + MORE_CANDIDATES)), among, has_embedding)
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
            for place in np.lexsort((ids, -scores))[: max(k, SHORT_LIST)]
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
        hashes = self.index("phash")
        n = min(n, max(1, len(hashes)))  # an answer has room for all that is asked for
        found = hashes.search(query.turned_hashes("phash"), n, among=among)
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

    # What scores are worth

    def rank(self, queries: Sequence[Query], by: str) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Return for each query the ids and scores of the `SHORT_LIST` best, best first, as `search` ranks them."""
        name, metric_name = parse_way(by)
        if metric_name is None:
            ranked = [self._rank(query, name, None, 1, None)[:SHORT_LIST] for query in queries]
            return [
                (np.array([one.content_id for one in some], np.int64), np.array([one.score for one in some]))
                for some in ranked
            ]
        index = self.index(name)
        rows = np.concatenate([for_cache(name, query.feature(name)) for query in queries])
        found = index.search(rows, SHORT_LIST, metric=metric_name)
        span = self._metric(index, name, metric_name).span
        return [
            (ids[:count], 1 - distances[:count].astype(np.float64) / span)
            for ids, distances, count in zip(found.ids, found.distances, found.counts, strict=True)
        ]

    def calibrated_ways(self) -> list[str]:
        """Return the ways that can be calibrated: those whose features the gallery has, in the default metric."""
        present = {
            name
            for name in FEATURES
            if self._extractor().recipes[name].text in self._store.features.recipes(name)
        }
        return [way for way in ways() if ":" not in way and set(self.features_of(way)) <= present]

    def recipes_of(self, by: str) -> tuple[str, ...]:
        """Return the recipes of the features that a way looks at in this gallery."""
        return tuple(self._extractor().recipes[name].text for name in self.features_of(parse_way(by)[0]))

    def features_of(self, name: str) -> tuple[str, ...]:
        """Return the features that a way looks at in this gallery."""
        if name == AUTO:
            has_embedding = self._store.features.has(EMBEDDING)
            return ("phash", "dhash", EMBEDDING) if has_embedding else ("phash", "dhash")
        return ("phash", EMBEDDING) if name == HASH_THEN_EMBEDDING else (name,)

    def calibration_of(self, by: str) -> tuple[WayCalibration, Origin] | None:
        """Return what the scores of a way are worth: by the gallery's own calibration, else the shipped one.

        None where neither fits: another metric than the default, or features of another recipe.
        """
        name, metric = parse_way(by)
        if metric is not None and metric != next(iter(metrics_of(kind_of(name)))):
            return None
        return choose_way(name, self.recipes_of(by), self._store.notes.calibration())

    def _ruler(
        self, name: str, metric: str | None, ranked: list[_Ranked], among: NDArray[np.int64] | None
    ) -> _Ruler | None:
        chosen = self.calibration_of(name if metric is None else f"{name}:{metric}")
        if chosen is None:
            return None
        n_contents = len(self.index(self.features_of(name)[0])) if among is None else len(among)
        background = find_background(np.array([one.score for one in ranked[:LAST_RANK]]), n_contents)
        return _Ruler(chosen[0], chosen[0].background if np.isnan(background) else background)

    def _min_relative(self, query: Query, ruler: _Ruler | None, by: str, precision: float) -> float:
        """Return the relative score that keeps a precision; infinite where none does."""
        if query.refinement is not None:
            raise InputError("a precision is promised for copies of the query: leave out what was liked.")
        if ruler is None:
            raise not_calibrated(by)
        return ruler.calibrated.promise(parse_precision(precision)).least

    # Indexes and files

    def embeddings_of(self, content_ids: Sequence[int]) -> Float32Array:
        """Return the embeddings of contents, shape (n, d), rows of length 1; those without one are left out."""
        recipe = self._extractor().recipes[EMBEDDING]
        kept = [self._store.features.of(content_id, [recipe]).get(EMBEDDING) for content_id in content_ids]
        rows = [np.frombuffer(data, stored_dtype(EMBEDDING)) for data in kept if data is not None]
        if not rows:
            return np.empty((0, 0), np.float32)
        return np.asarray(for_cache(EMBEDDING, np.stack(rows)), np.float32)

    def index(self, feature: str) -> ExactIndex:
        """Return the index of a feature, brought up to date with the store.

        Raises
        ------
        InputError              no picture of the gallery has the feature
        FeatureMismatchError    the gallery has it by another recipe only
        """
        recipe = self._extractor().recipes[feature]
        kept = self._indexes.get(feature)
        if kept is not None and kept[1] == self._store.features.stamp(recipe):
            return kept[0]
        self._check_recipe(recipe)
        index, stamp = open_exact_index(self._store, recipe)
        self._indexes[feature] = (index, stamp)
        return index

    def _check_recipe(self, recipe: Recipe) -> None:
        present = self._store.features.recipes(recipe.feature)
        if recipe.text in present:
            return
        if not present:
            if not self._store.contents.count():
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
        return None if query.digest is None else self._store.contents.id_of(query.digest)

    def _with_files(
        self,
        query: Query,
        ranked: list[_Ranked],
        *,
        by: str,
        unit: str,
        where: Filter,
        ruler: _Ruler | None,
    ) -> list[Match]:
        """Turn contents into the files that have them, without the queried file itself."""
        files: dict[int, list[FoundPicture]] = self._store.files.of([one.content_id for one in ranked])
        return [
            Match(
                picture,
                one.score,
                one.distance,
                unit,
                one.relation,
                by,
                one.why,
                probability=None if ruler is None else ruler.probability(one),
            )
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
