"""What every look-up structure can do: the few verbs that exact search, FAISS and Milvus share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[Any]  # (n, d): packed bits or histograms as uint8, vectors as float32


@dataclass(frozen=True)
class Neighbours:
    """The answer to a batch of q queries; closest first, equal distances ordered by id.

    Parameters
    ----------
    ids : int64 array, shape (q, k)          content ids; -1 where there are fewer than k
    distances : float32 array, shape (q, k)  infinity where there are fewer than k
    counts : int64 array, shape (q,)         how many of the k are there
    """

    ids: NDArray[np.int64]
    distances: NDArray[np.float32]
    counts: NDArray[np.int64]


class Index(Protocol):
    """A look-up structure over rows with int64 ids. It is a cache: the store can always rebuild it."""

    @property
    def n_dimensions(self) -> int:
        """Length of a row; 0 while the index is empty and was not told."""

    def __len__(self) -> int:
        """Return how many rows are there, removed ones not counted."""

    def add(self, ids: NDArray[np.int64], rows: Rows) -> None:
        """Add rows under new ids.

        Raises
        ------
        FeatureMismatchError    rows of another length
        InputError              an id that is there already, or twice
        """

    def remove(self, ids: NDArray[np.int64]) -> int:
        """Remove ids; unknown ones are ignored. Return how many were there."""

    def search(
        self,
        queries: Rows,
        k: int,
        *,
        metric: str | None = None,
        among: NDArray[np.int64] | None = None,
    ) -> Neighbours:
        """Return the k nearest rows of each query, by the named metric or the default one.

        Where `among` is given, only these ids are considered.

        Raises
        ------
        FeatureMismatchError    queries of another length
        InputError              k below 1, or a metric that does not suit the rows
        """

    def search_within(self, query: Rows, max_distance: float, *, metric: str | None = None) -> Neighbours:
        """Return all rows at most `max_distance` from the one query, shape (1, d); errors as `search`."""

    def distances_to(self, query: Rows, ids: NDArray[np.int64], *, metric: str | None = None) -> Rows:
        """Return the distance of the one query to each id, float32 (n,); infinity for unknown ids."""
