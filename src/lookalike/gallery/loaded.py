"""Ask a local gallery several times with a query that was loaded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lookalike.api import Page
from lookalike.gallery.asking import Asking
from lookalike.gallery.opened import Opened
from lookalike.queries.query import Query
from lookalike.queries.source import Box
from lookalike.records.relation import Relation
from lookalike.searching.searcher import Match
from lookalike.searching.way import AUTO
from lookalike.storage.filters import Filter


class LoadedQueries:
    """The verbs that load a query, and those that ask with one."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._asking = Asking(opened)

    def load(self, query: Any, *, box: Box | None = None, keep: bool = False) -> Query:
        """Read, decode and prepare a query; see `Gallery.search` for what it may be.

        With `keep`, the last few are remembered; for queries that name the same picture again.
        """
        return self._asking.load(query, box=box, keep=keep)

    def refine(self, query: Query, liked: Sequence[int], disliked: Sequence[int], *, by: str = AUTO) -> Query:
        """Return the query moved towards the pictures that were liked and away from those that were not.

        Raises
        ------
        InputError
            A way that does not look at the embedding.
        """
        return self._asking.refine(query, liked, disliked, by=by)

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
        return self._opened.searcher.search(
            query,
            k=k,
            by=by,
            min_score=min_score,
            max_distance=max_distance,
            where=where,
            precision=precision,
        )

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
        return self._asking.page(
            query,
            k=k,
            offset=offset,
            by=by,
            min_score=min_score,
            max_distance=max_distance,
            where=where,
            verify=verify,
            relation=relation,
            precision=precision,
        )

    def verify(
        self, query: Query, matches: Sequence[Match], *, precision: float | None = None
    ) -> list[Match]:
        """Prove the matches of a query with local features, and rank the proven first.

        With a `precision`, only those are kept whose proof is sure enough for it.
        """
        return self._asking.verify(query, matches, precision=precision)

    def warm_up(self) -> None:
        """Load what the default search needs, so that the first one is as quick as the others."""
        self._asking.warm_up()
