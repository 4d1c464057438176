"""Answer "what looks like this?": a query and a way -> ranked matches, and what their scores are worth."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import InputError
from lookalike.features.extract import Extractor
from lookalike.queries.query import Query
from lookalike.records.arrays import Float32Array
from lookalike.records.calibration import Origin, WayCalibration
from lookalike.records.proof import Proof
from lookalike.records.relation import Relation
from lookalike.searching.look_up import LookUp
from lookalike.searching.paging import PAGED_DEPTH, KeptRankings, check_k
from lookalike.searching.way import AUTO, Ranking, Way
from lookalike.searching.ways import find_way, ways
from lookalike.searching.worth import Worth, choose_way, not_calibrated, weigh
from lookalike.storage.filters import Filter
from lookalike.storage.index.choose import choose_tier
from lookalike.storage.index.kept import KeptIndexes
from lookalike.storage.index.nearest import Allowed
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store

_MAX_ID = 2**63 - 1


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


class Searcher:
    """Searches one gallery, for any number of threads; keeps its rows open and up to date between queries.

    Parameters
    ----------
    store : Store
        The gallery.
    extractor : callable
        Gives the extractor when it is first needed, for it may load a model.
    """

    def __init__(self, store: Store, extractor: Callable[[], Extractor]) -> None:
        self._store = store
        self._extractor = extractor
        self._rankings = KeptRankings()
        self._kept: KeptIndexes | None = None
        self._lock = Lock()

    def look_up(self) -> LookUp:
        """Return the gallery as it is now."""
        extractor = self._extractor()
        with self._lock:
            if self._kept is None:
                self._kept = KeptIndexes(self._store, extractor.settings)
        return LookUp(self._store, self._kept, extractor.recipes)

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
        k = check_k(k)
        way = self.find_way(by)
        for limit in (min_score, max_distance):
            _check_limit(limit)
        allowed = self._allowed(where)
        n_wanted = (k if offset is None else PAGED_DEPTH) + (query.digest is not None) + len(query.left_out)
        look_up = self.look_up()
        ranking = self._rank(query, way, look_up, n_wanted, allowed)
        worth = self._worth(query, way, look_up, ranking, allowed)
        is_kept = ~np.isin(ranking.ids, list(query.left_out))
        is_kept[n_wanted:] = False
        if precision is not None:
            if query.is_refined:
                raise InputError("a precision is promised for copies of the query: leave out what was liked.")
            if worth is None:
                raise not_calibrated(by)
            is_same = np.array([relation == "same_file" for relation in ranking.relations], bool)
            is_kept &= is_same | worth.keeps(ranking.scores, precision)
        if min_score is not None:
            is_kept &= ranking.scores >= min_score
        if max_distance is not None:
            is_kept &= ranking.distances <= max_distance
        places = self._places(query, ranking, np.flatnonzero(is_kept), where)[offset or 0 :][:k]
        return self._matches(ranking, places, way, by, worth)

    def more_to_prove(self, query: Query, *, by: str = AUTO, where: Filter | None = None) -> list[Match]:
        """Return matches beyond the best ranked that may prove to be copies; see `Way.more_to_prove`."""
        way, look_up = self.find_way(by), self.look_up()
        ranking = way.more_to_prove(query, look_up, allowed=self._allowed(where))
        is_kept = ~np.isin(ranking.ids, list(query.left_out))
        places = self._places(query, ranking, np.flatnonzero(is_kept), where)
        return self._matches(ranking, places, way, by, None)

    def _allowed(self, where: Filter | None) -> Allowed | None:
        if where is not None and not isinstance(where, Filter):
            raise InputError(
                f"where = {where!r} is no filter: give a lookalike.Filter, such as Filter(folder=...)."
            )
        if where is None or where.is_empty:
            return None
        ids = self._store.passing.ids(where)
        if not len(ids) and where.folder is not None:
            self._check_folder(where.folder)
        return Allowed(ids, where)

    def _check_folder(self, folder: str) -> None:
        if not (self._store.files.has_any_below(folder) or os.path.isdir(folder)):
            raise InputError(
                f"there is no folder {folder!r}, and no picture of the gallery was in it: check its name."
            )

    def _rank(self, query: Query, way: Way, look_up: LookUp, k: int, allowed: Allowed | None) -> Ranking:
        state = self._store.generation(), *map(look_up.stamp, way.looks_at(look_up))
        key = query, way.name, k, None if allowed is None else allowed.where, state
        return self._rankings.get(key, lambda: way.rank(query, look_up, k, allowed=allowed))

    def _places(
        self, query: Query, ranking: Ranking, kept: NDArray[np.intp], where: Filter | None
    ) -> list[tuple[int, FoundPicture]]:
        """Return the files that answer, without the queried one itself, and where their contents are ranked."""
        files = self._store.files.of(ranking.ids[kept].tolist())
        return [
            (int(place), picture)
            for place in kept
            for picture in files.get(int(ranking.ids[place]), [])
            if picture.path != query.path and (where is None or where.passes(picture))
        ]

    def _matches(
        self,
        ranking: Ranking,
        places: Sequence[tuple[int, FoundPicture]],
        way: Way,
        by: str,
        worth: Worth | None,
    ) -> list[Match]:
        scores = ranking.scores[[place for place, _ in places]] if places else np.empty(0)
        probabilities = [None] * len(places) if worth is None else worth.probabilities(scores)
        return [
            Match(
                picture,
                float(ranking.scores[place]),
                float(ranking.distances[place]),
                way.unit,
                ranking.relations[place],
                by,
                ranking.why(place),
                probability=1.0
                if worth is not None and ranking.relations[place] == "same_file"
                else probability,
            )
            for (place, picture), probability in zip(places, probabilities, strict=True)
        ]

    def find_way(self, by: str) -> Way:
        """Return a way of searching by its name, as the settings have it; InputError for an unknown one."""
        return find_way(by, self._extractor().settings)

    # What scores are worth

    def rank(self, queries: Sequence[Query], by: str) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Return for each query the ids and scores of the `SHORT_LIST` best, best first, as `search` ranks them."""
        return self.find_way(by).rank_all(queries, self.look_up())

    def calibrated_ways(self) -> list[str]:
        """Return the ways that can be calibrated: those whose features the gallery has."""
        recipes = self._extractor().recipes
        present = {
            name
            for name, recipe in recipes.items()
            if recipe.text in self._store.features.recipes(recipe.feature)
        }
        look_up = self.look_up()
        return [
            name
            for name in ways(self._extractor().settings)
            if (way := self.find_way(name)).is_calibrated and set(way.looks_at(look_up)) <= present
        ]

    def recipes_of(self, by: str) -> tuple[str, ...]:
        """Return the recipes of the features that a way looks at in this gallery."""
        return tuple(self._extractor().recipes[name].text for name in self.features_of(by))

    def features_of(self, by: str) -> tuple[str, ...]:
        """Return the features that a way looks at in this gallery."""
        return self.find_way(by).looks_at(self.look_up())

    def calibration_of(self, by: str) -> tuple[WayCalibration, Origin] | None:
        """Return what the scores of a way are worth: by the gallery's own calibration, else the shipped one.

        None where neither fits: another metric than the default, or features of another recipe.
        """
        way = self.find_way(by)
        if not way.is_calibrated:
            return None
        return choose_way(way.name, self.recipes_of(by), self._store.notes.calibration())

    def _worth(
        self, query: Query, way: Way, look_up: LookUp, ranking: Ranking, allowed: Allowed | None
    ) -> Worth | None:
        chosen = None if query.is_refined else self.calibration_of(way.name)
        if chosen is None:
            return None
        n_contents = len(look_up.rows(way.needs[0])) if allowed is None else len(allowed)
        return weigh(chosen[0], ranking.scores, n_contents)

    def tiers(self) -> dict[str, str]:
        """Return by which tier the nearest rows of each feature of the gallery are found."""
        extractor, found = self._extractor(), {}
        for name, recipe in extractor.recipes.items():
            n_rows = self._store.features.recipes(recipe.feature).get(recipe.text)
            if n_rows:
                found[name] = choose_tier(extractor.features[name].kind, n_rows, extractor.settings)
        return found

    def embeddings_of(self, feature: str, content_ids: Sequence[int]) -> Float32Array:
        """Return one embedding of each content, shape (n, d), rows of length 1; those without one are left out.

        Raises
        ------
        InputError
            What is no id.
        """
        for content_id in content_ids:
            if not isinstance(content_id, int | np.integer) or not 0 <= content_id <= _MAX_ID:
                raise InputError(f"{content_id!r} is no id of a picture: take ids that a search gave.")
        if not len(content_ids):
            return np.empty((0, 0), np.float32)
        rows: Float32Array
        _, rows = self.look_up().rows(feature).take(np.array(content_ids, np.int64))
        return rows


def _check_limit(limit: object) -> None:
    if limit is None:
        return
    if not isinstance(limit, int | float | np.number):
        raise InputError(f"a threshold of {limit!r} is no number: give one, such as 0.8.")
    if math.isnan(limit):
        raise InputError("a threshold that is not a number (nan) lets nothing through: give a number.")
