"""The default way: hashes in all orientations and the embedding, joined."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.features.feature import EMBEDDING
from lookalike.queries.picture import ORIENTATIONS
from lookalike.queries.query import Query, turned_rows
from lookalike.records.relation import Relation, guess_relation
from lookalike.searching.look_up import LookUp
from lookalike.searching.way import AUTO, SHORT_LIST, Ranking, Way
from lookalike.storage.index.nearest import Allowed

MORE_CANDIDATES = 300  # than asked for, of each feature; four times as many for short answers
LIFT_BITS = 12.0  # of 64: the mean of pHash and dHash distance from which they say nothing (docs/ways.md)
MAX_LIFT = 0.9  # equal hashes close nine tenths of what the embedding leaves open; only equal bytes score 1
_CANDIDATES, _WITNESS = "phash", "dhash"
_COLORS = ("texture", "rgb")  # crops, borders and screenshots keep the colours when they lose the layout
_N_BY_COLOR = 5


class JoinedWay(Way):
    """The embedding's cosine, lifted where the hashes nearly agree in one of the eight orientations.

    A gallery may lack the embedding; then the hashes alone decide.
    """

    name = AUTO
    needs = (_CANDIDATES, _WITNESS)
    uses = (EMBEDDING,)
    describes = "hashes in all eight orientations and the embedding, joined; the default"
    unit = "1 - score"

    def rank(self, query: Query, look_up: LookUp, k: int, *, allowed: Allowed | None = None) -> Ranking:
        """See `Way.rank`."""
        has_embedding = query.has(EMBEDDING) and look_up.has(EMBEDDING)
        n_candidates = max(SHORT_LIST, min(4 * k, k + MORE_CANDIDATES))
        ids = _candidates(query, look_up, n_candidates, allowed, has_embedding=has_embedding)
        bits, orientation = _hash_distances(query, look_up, ids)
        lift = np.clip(1 - bits.mean(axis=0) / LIFT_BITS, 0, 1) * MAX_LIFT
        orientation[lift == 0] = 0  # hashes that far apart say nothing of how the picture was turned
        cosines = _cosines(query, look_up, ids, orientation) if has_embedding else np.zeros(len(ids))
        scores = cosines + (1 - cosines) * lift
        same = look_up.id_of(query)
        scores[ids == same] = 1
        order = np.lexsort((ids, -scores))[: max(k, SHORT_LIST)]
        relations: tuple[Relation, ...] = tuple(
            "same_file" if ids[place] == same else guess_relation(float(max(cosines[place], scores[place])))
            for place in order
        )

        def why(n: int) -> str:
            place = order[n]
            cosine = cosines[place] if has_embedding else None
            return _why(cosine, bits[:, place], int(orientation[place]))

        return Ranking(ids[order], scores[order], 1 - scores[order], relations, why)

    def more_to_prove(self, query: Query, look_up: LookUp, *, allowed: Allowed | None = None) -> Ranking:
        """Return the nearest in colour, and what parts of the query are nearest to; see `Way.more_to_prove`."""
        by_color = [
            look_up.nearest(name).search(query.row(name), _N_BY_COLOR, allowed=allowed).ids[0]
            for name in _COLORS
            if query.has(name) and look_up.has(name)
        ]
        by_part = []
        if look_up.has(EMBEDDING) and (parts := query.parts):
            rows = np.concatenate([part.row(EMBEDDING) for part in parts])
            by_part.append(look_up.nearest(EMBEDDING).search(rows, 1, allowed=allowed).ids[:, 0])
        ids = np.unique(np.concatenate([np.empty(0, np.int64), *by_color, *by_part]))
        ids = ids[ids >= 0]
        has_embedding = query.has(EMBEDDING) and look_up.has(EMBEDDING)
        upright = np.zeros(len(ids), np.intp)
        scores = _cosines(query, look_up, ids, upright) if has_embedding else np.zeros(len(ids))
        in_parts = np.isin(ids, by_part)

        def why(n: int) -> str:
            return "a part of the query looks like it" if in_parts[n] else "among the nearest in colour"

        relations = tuple(guess_relation(float(score)) for score in scores)
        return Ranking(ids, scores, 1 - scores, relations, why)


def _candidates(
    query: Query, look_up: LookUp, n: int, allowed: Allowed | None, *, has_embedding: bool
) -> NDArray[np.int64]:
    """Return the nearest n by pHash in any orientation, and by the embedding, ascending."""
    n = min(n, max(1, len(look_up.rows(_CANDIDATES))))  # an answer has room for all that is asked for
    parts = [np.empty(0, np.int64)]
    if query.has(_CANDIDATES):
        parts.append(_nearest_in_any_orientation(query, look_up, n, allowed))
    if has_embedding:
        by_embedding = look_up.nearest(EMBEDDING).search(query.row(EMBEDDING), n, allowed=allowed).ids[0]
        parts.append(by_embedding[by_embedding >= 0])
    return np.unique(np.concatenate(parts))


def _nearest_in_any_orientation(
    query: Query, look_up: LookUp, n: int, allowed: Allowed | None
) -> NDArray[np.int64]:
    found = look_up.nearest(_CANDIDATES).search(turned_rows(query, _CANDIDATES), n, allowed=allowed)
    distances = np.where(found.ids >= 0, found.distances, np.inf).ravel()
    nearest = found.ids.ravel()[np.argsort(distances, kind="stable")]
    unique, first = np.unique(nearest, return_index=True)
    by_hash = unique[np.argsort(first)][:n]
    return by_hash[by_hash >= 0]


def _hash_distances(
    query: Query, look_up: LookUp, ids: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return pHash and dHash distances in bits of 64, (2, n), in the closest orientation, (n,)."""
    if not query.has(_CANDIDATES):
        return np.full((2, len(ids)), np.inf), np.zeros(len(ids), np.intp)
    bits = np.stack(
        [look_up.rows(name).distances(turned_rows(query, name), ids) for name in (_CANDIDATES, _WITNESS)]
    )
    best = bits.sum(axis=0).argmin(axis=0)
    per_64 = 64.0 / look_up.rows(_CANDIDATES).metric(None).span
    return np.take_along_axis(bits, best[None, None], axis=1)[:, 0].astype(np.float64) * per_64, best


def _cosines(
    query: Query, look_up: LookUp, ids: NDArray[np.int64], orientation: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the cosine to each id with the query laid as the hashes say; 0 where it has no embedding."""
    rows = look_up.rows(EMBEDDING)
    cosines = np.zeros(len(ids))
    for turn in np.unique(orientation):
        these = orientation == turn
        distances = rows.distances(query.row(EMBEDDING, int(turn)), ids[these])[0]
        cosines[these] = np.where(np.isfinite(distances), 1 - distances, 0)
    return cosines


def _why(cosine: Any | None, bits: NDArray[np.float64], orientation: int) -> str:
    parts = [] if cosine is None else [f"embedding cosine {cosine:.3f}"]
    if bits.mean() < LIFT_BITS:
        turned = "" if orientation == 0 else f" when {ORIENTATIONS[orientation]}"
        parts.append(f"pHash {bits[0]:.0f} and dHash {bits[1]:.0f} of 64 bits apart{turned}")
    elif np.isfinite(bits).all():
        parts.append("hashes far apart")
    return ", ".join(parts)
