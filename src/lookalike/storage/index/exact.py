"""Exact search: every row is compared with the query, block by block."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import FeatureMismatchError, InputError
from lookalike.features.distances import Metric, metrics_of
from lookalike.features.extract import Kind, for_kind
from lookalike.storage.index.protocol import Neighbours, Rows

_BLOCK_BYTES = 1 << 25  # rows brought into comparable form at once


class ExactIndex:
    """Rows in one array (which may be mapped from a file), scanned in full by every search.

    Parameters
    ----------
    kind : Kind        how rows are compared: ``bits``, ``histogram`` or ``vector``
    ids, rows          what is there from the start: (n,) and (n, d)
    """

    def __init__(self, kind: Kind, ids: NDArray[np.int64] | None = None, rows: Rows | None = None) -> None:
        self.kind: Kind = kind
        self._ids = np.empty(0, np.int64) if ids is None else ids
        self._parts: list[Rows] = [] if rows is None or not len(rows) else [rows]
        self._is_live = np.ones(len(self._ids), bool)

    @property
    def n_dimensions(self) -> int:
        """Length of a row; 0 while there is none."""
        return int(self._parts[0].shape[1]) if self._parts else 0

    def __len__(self) -> int:
        return int(np.count_nonzero(self._is_live))

    def add(self, ids: NDArray[np.int64], rows: Rows) -> None:
        """See `Index.add`."""
        if len(ids) != len(rows):
            raise InputError(f"{len(ids)} ids do not fit {len(rows)} rows: give one id a row.")
        if not len(ids):
            return
        if self._parts:
            self._check_length(rows)
        if len(np.unique(ids)) < len(ids) or np.isin(ids, self._ids[self._is_live]).any():
            raise InputError("an id was added twice: remove the old row first.")
        self._parts.append(rows)
        self._ids = np.concatenate([self._ids, ids])
        self._is_live = np.concatenate([self._is_live, np.ones(len(ids), bool)])

    def remove(self, ids: NDArray[np.int64]) -> int:
        """See `Index.remove`."""
        gone = np.isin(self._ids, ids) & self._is_live
        self._is_live &= ~gone
        return int(np.count_nonzero(gone))

    def keep_only(self, ids: NDArray[np.int64]) -> None:
        """Remove every row whose id is not among these."""
        self._is_live &= np.isin(self._ids, ids)

    def contents(self) -> tuple[NDArray[np.int64], Rows]:
        """Return (ids, rows) of what is there, in the order of adding; for writing a cache file."""
        if not self._parts:
            return np.empty(0, np.int64), np.empty((0, 0), np.uint8)
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        if self._is_live.all():
            return self._ids, self._parts[0]
        return self._ids[self._is_live], self._parts[0][self._is_live]

    def search(
        self,
        queries: Rows,
        k: int,
        *,
        metric: str | None = None,
        among: NDArray[np.int64] | None = None,
    ) -> Neighbours:
        """See `Index.search`."""
        if k < 1:
            raise InputError(f"k = {k} makes no sense: ask for at least one neighbour.")
        distances = self._all_distances(queries, self._metric(metric))
        ids = self._ids[self._is_live]
        if among is not None:
            wanted = np.isin(ids, among)
            distances, ids = distances[:, wanted], ids[wanted]
        found = Neighbours(
            np.full((len(queries), k), -1, np.int64),
            np.full((len(queries), k), np.inf, np.float32),
            np.full(len(queries), min(k, len(ids)), np.int64),
        )
        for row in range(len(queries)):
            best = _nearest(distances[row], ids, k)
            found.ids[row, : len(best)] = ids[best]
            found.distances[row, : len(best)] = distances[row, best]
        return found

    def search_within(self, query: Rows, max_distance: float, *, metric: str | None = None) -> Neighbours:
        """See `Index.search_within`."""
        distances = self._all_distances(query[:1], self._metric(metric))[0]
        ids = self._ids[self._is_live]
        inside = np.flatnonzero(distances <= max_distance)
        inside = inside[np.lexsort((ids[inside], distances[inside]))]
        return Neighbours(ids[inside][None], distances[inside][None], np.array([len(inside)], np.int64))

    def distances_to(self, query: Rows, ids: NDArray[np.int64], *, metric: str | None = None) -> Rows:
        """See `Index.distances_to`."""
        self._check_length(query)
        result = np.full(len(ids), np.inf, np.float32)
        live = np.flatnonzero(self._is_live)
        if not len(live):
            return result
        order = live[np.argsort(self._ids[live], kind="stable")]
        place = np.searchsorted(self._ids[order], ids)
        position = order[np.minimum(place, len(order) - 1)]
        known = np.flatnonzero(self._ids[position] == ids)
        rows = for_kind(self.kind, self._rows_at(position[known]))
        result[known] = self._metric(metric).distance(for_kind(self.kind, query[:1]), rows)[0]
        return result

    def _rows_at(self, positions: NDArray[np.intp]) -> Rows:
        rows = np.empty((len(positions), self.n_dimensions), self._parts[0].dtype)
        start = 0
        for part in self._parts:
            here = (positions >= start) & (positions < start + len(part))
            rows[here] = part[positions[here] - start]
            start += len(part)
        return rows

    def _all_distances(self, queries: Rows, metric: Metric) -> NDArray[np.float32]:
        """Distances of every query to every live row, shape (q, n)."""
        self._check_length(queries)
        distances = np.empty((len(queries), len(self._ids)), np.float32)
        comparable = for_kind(self.kind, queries)
        for start, rows in self._blocks():
            distances[:, start : start + len(rows)] = metric.distance(comparable, for_kind(self.kind, rows))
        return distances if self._is_live.all() else distances[:, self._is_live]

    def _blocks(self) -> Iterator[tuple[int, Rows]]:
        start = 0
        for part in self._parts:
            step = max(1, _BLOCK_BYTES // (part.shape[1] * 4))
            for first in range(0, len(part), step):
                yield start + first, part[first : first + step]
            start += len(part)

    def _metric(self, name: str | None) -> Metric:
        metrics = metrics_of(self.kind, 8 * self.n_dimensions)
        if name is None:
            return next(iter(metrics.values()))
        if name not in metrics:
            raise InputError(f"there is no metric {name!r} here; choose from {', '.join(metrics)}.")
        return metrics[name]

    def _check_length(self, rows: Rows) -> None:
        if self._parts and rows.shape[1] != self.n_dimensions:
            raise FeatureMismatchError(
                f"rows of length {rows.shape[1]} do not fit an index of length {self.n_dimensions}: "
                "compute them by the same recipe."
            )


def _nearest(distances: NDArray[np.float32], ids: NDArray[np.int64], k: int) -> NDArray[np.intp]:
    """Return the positions of the k smallest distances, closest first, ties by id."""
    if k < len(distances):
        limit = np.partition(distances, k - 1)[k - 1]
        candidates = np.flatnonzero(distances <= limit)
    else:
        candidates = np.arange(len(distances))
    return candidates[np.lexsort((ids[candidates], distances[candidates]))][:k]
