"""What every tier of look-up can do: the few verbs that exact search, FAISS and Milvus share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.storage.filters import Filter
from lookalike.storage.index.rows import RowArray


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The answer to a batch of q queries; closest first, equal distances ordered by id.

    Parameters
    ----------
    ids : int64 array, shape (q, k)
        Content ids; -1 where there are fewer than k.
    distances : float32 array, shape (q, k)
        Infinity where there are fewer than k.
    counts : int64 array, shape (q,)
        How many of the k are there.
    """

    ids: NDArray[np.int64]
    distances: NDArray[np.float32]
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Allowed:
    """Who may answer. A tier takes whichever it can use: the ids, or the filter that chose them.

    Parameters
    ----------
    ids : int64 array, shape (n,)
        Content ids, ascending, each once.
    where : Filter or None
        What they were chosen by, where it was a filter.
    """

    ids: NDArray[np.int64]
    where: Filter | None = None

    def __len__(self) -> int:
        return len(self.ids)


class Nearest(Protocol):
    """A look-up structure over the rows of one feature, by one metric.

    It is a cache: whatever it keeps can be built again from its `Rows`. The distances that it returns are exact,
    also where it does not find every neighbour, so that scores mean the same in every tier.
    """

    @property
    def is_exact(self) -> bool:
        """Whether it always finds the true neighbours."""

    def search(self, queries: RowArray, k: int, *, allowed: Allowed | None = None) -> Neighbours:
        """Return the k nearest rows of each query.

        Parameters
        ----------
        queries : array, shape (q, d)
            In the form of the rows.
        k : int
            How many at most.
        allowed : Allowed or None
            Who may answer; None lets all.

        Raises
        ------
        FeatureMismatchError
            Queries of another length.
        InputError
            A `k` below 1.
        """

    def update(self, added: NDArray[np.int64], removed: NDArray[np.int64]) -> None:
        """Follow its rows, which have got and lost these ids already."""
