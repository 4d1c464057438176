"""The exact tier: every row is compared with the query, block by block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import FeatureMismatchError, InputError
from lookalike.storage.index.nearest import Allowed, Neighbours
from lookalike.storage.index.rows import RowArray, Rows

_ANSWER_BYTES = 1 << 28  # distances that are held at once
_FEW = 0.25  # of the rows: so few are picked out and compared, more are compared with all and then picked out


class ExactNearest:
    """Scans all rows in every search; it keeps nothing of its own.

    Parameters
    ----------
    rows : Rows
        What to search.
    metric : str or None
        By which distance; None takes the default of the kind of rows.
    """

    is_exact = True

    def __init__(self, rows: Rows, metric: str | None = None) -> None:
        rows.metric(metric)
        self._rows = rows
        self._metric = metric

    def update(self, added: NDArray[np.int64], removed: NDArray[np.int64]) -> None:
        """Do nothing: the rows are all that it has."""

    def search(self, queries: RowArray, k: int, *, allowed: Allowed | None = None) -> Neighbours:
        """See `Nearest.search`."""
        if k < 1:
            raise InputError(f"k = {k} makes no sense: ask for at least one neighbour.")
        if self._rows.n_dimensions and queries.shape[1] != self._rows.n_dimensions:
            raise FeatureMismatchError(
                f"queries of length {queries.shape[1]} do not fit rows of length {self._rows.n_dimensions}: "
                "compute them by the same recipe."
            )
        found = Neighbours(
            np.full((len(queries), k), -1, np.int64),
            np.full((len(queries), k), np.inf, np.float32),
            np.zeros(len(queries), np.int64),
        )
        step = max(1, _ANSWER_BYTES // (4 * max(1, len(self._rows))))
        for start in range(0, len(queries), step):
            ids, distances = self._compare(queries[start : start + step], allowed)
            for row, its_distances in enumerate(distances, start):
                best = _closest(its_distances, ids, k)
                found.counts[row] = len(best)
                found.ids[row, : len(best)] = ids[best]
                found.distances[row, : len(best)] = its_distances[best]
        return found

    def _compare(
        self, queries: RowArray, allowed: Allowed | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the ids that may answer, shape (n,), and the distance of each query to each, shape (q, n)."""
        if allowed is not None and len(allowed) < _FEW * len(self._rows):
            known = self._rows.known(allowed.ids)
            return known, self._rows.distances(queries, known, metric=self._metric)
        metric = self._rows.metric(self._metric)
        comparable = self._rows.kind.comparable_rows(queries)
        ids, distances = [np.empty(0, np.int64)], [np.empty((len(queries), 0), np.float32)]
        for some_ids, rows in self._rows.blocks():
            ids.append(some_ids)
            distances.append(metric.distance(comparable, self._rows.kind.comparable_rows(rows)))
        all_ids, all_distances = np.concatenate(ids), np.concatenate(distances, axis=1, dtype=np.float32)
        if allowed is None:
            return all_ids, all_distances
        may_answer = _is_among(all_ids, allowed.ids)
        return all_ids[may_answer], all_distances[:, may_answer]


def _is_among(ids: NDArray[np.int64], ascending: NDArray[np.int64]) -> NDArray[np.bool_]:
    if not len(ascending):
        return np.zeros(len(ids), bool)
    nearest = np.minimum(np.searchsorted(ascending, ids), len(ascending) - 1)
    return np.asarray(ascending[nearest] == ids)


def _closest(distances: NDArray[np.float32], ids: NDArray[np.int64], k: int) -> NDArray[np.intp]:
    """Return the places of the k smallest distances, closest first, ties by id."""
    if k < len(distances):
        limit = np.partition(distances, k - 1)[k - 1]
        candidates = np.flatnonzero(distances <= limit)
    else:
        candidates = np.arange(len(distances))
    return candidates[np.lexsort((ids[candidates], distances[candidates]))][:k]
