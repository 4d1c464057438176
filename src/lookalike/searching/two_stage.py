"""A way in two stages: the nearest by a hash, ordered by the embedding."""

from __future__ import annotations

import numpy as np

from lookalike.features.feature import EMBEDDING
from lookalike.queries.query import Query
from lookalike.records.relation import Relation
from lookalike.searching.look_up import LookUp
from lookalike.searching.way import SHORT_LIST, Ranking, Way
from lookalike.storage.index.nearest import Allowed

_HASH = "phash"


class TwoStageWay(Way):
    """The nearest by pHash, ordered by the embedding."""

    name = "hash-then-embedding"
    needs = (_HASH, EMBEDDING)
    describes = "the nearest by pHash, ordered by the embedding"
    unit = "1 - cosine"

    def rank(self, query: Query, look_up: LookUp, k: int, *, allowed: Allowed | None = None) -> Ranking:
        """See `Way.rank`."""
        short_list = look_up.nearest(_HASH).search(query.row(_HASH), SHORT_LIST, allowed=allowed)
        ids = short_list.ids[0][: short_list.counts[0]]
        bits = short_list.distances[0][: short_list.counts[0]]
        distances = look_up.rows(EMBEDDING).distances(query.row(EMBEDDING), ids)[0]
        order = [place for place in np.lexsort((ids, distances)) if np.isfinite(distances[place])]
        order = order[: max(k, SHORT_LIST)]
        same = look_up.id_of(query)
        relations: tuple[Relation, ...] = tuple(
            "same_file" if ids[place] == same else "similar" for place in order
        )
        ranked = distances[order].astype(np.float64)

        def why(n: int) -> str:
            cosine, its_bits = 1 - distances[order[n]], bits[order[n]]
            return f"embedding cosine {cosine:.3f}, short-listed by pHash at {its_bits:.0f} bits"

        return Ranking(ids[order], 1 - ranked, ranked, relations, why)
