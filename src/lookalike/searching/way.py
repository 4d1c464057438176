"""What a way of searching is: what it needs, what it says, and how it ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.queries.query import Query
from lookalike.records.relation import Relation
from lookalike.searching.look_up import LookUp
from lookalike.storage.index.nearest import Allowed

AUTO = "auto"
"""The name of the default way."""

SHORT_LIST = 100
"""How many contents a way ranks at least: so many tell what a query scores with strangers."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Contents in the order in which they answer, best first, equal scores by id.

    Parameters
    ----------
    ids : int64 array, shape (n,)
        Content ids.
    scores : float64 array, shape (n,)
        Higher is more alike, 1 at most.
    distances : float64 array, shape (n,)
        Lower is more alike, in the unit of the way.
    relations : tuple of Relation
        What each is to the query as far as the way can tell.
    why : callable
        Called with a place in the ranking; says in words what was found there.
    """

    ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    distances: NDArray[np.float64]
    relations: tuple[Relation, ...]
    why: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.ids)


NOTHING = Ranking(np.empty(0, np.int64), np.empty(0), np.empty(0), (), lambda _: "")


class Way(Protocol):
    """A way of searching. Inherit from it, and add one entry to `lookalike.searching.ways.WAYS`."""

    @property
    def name(self) -> str:
        """What `by` calls it."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The features that a gallery must have for it."""

    @property
    def uses(self) -> tuple[str, ...]:
        """The features that it looks at besides, where the gallery has them."""
        return ()

    @property
    def describes(self) -> str:
        """What it compares, in a few words."""

    @property
    def unit(self) -> str:
        """What its distances count."""

    @property
    def is_calibrated(self) -> bool:
        """Whether `calibrate` learns what its scores are worth."""
        return True

    def rank(self, query: Query, look_up: LookUp, k: int, *, allowed: Allowed | None = None) -> Ranking:
        """Return the k best contents and, where k is small, those that follow, up to `SHORT_LIST`.

        Raises
        ------
        InputError
            The gallery lacks a feature that it needs.
        FeatureMismatchError
            The gallery has one by another recipe only.
        """

    def more_to_prove(self, query: Query, look_up: LookUp, *, allowed: Allowed | None = None) -> Ranking:  # noqa: ARG002  (nothing, as a rule)
        """Return contents that a proof may find to be copies, though they rank low: each costs a proof."""
        return NOTHING

    def rank_all(
        self, queries: Sequence[Query], look_up: LookUp
    ) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Return for each query the ids and scores of the `SHORT_LIST` best, as `rank` finds them."""
        found = (self.rank(query, look_up, 1) for query in queries)
        return [(one.ids[:SHORT_LIST], one.scores[:SHORT_LIST]) for one in found]

    def looks_at(self, look_up: LookUp) -> tuple[str, ...]:
        """Return the features that it looks at in a gallery."""
        return (*self.needs, *(feature for feature in self.uses if look_up.has(feature)))
