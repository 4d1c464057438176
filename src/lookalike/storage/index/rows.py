"""The exact rows of one feature, by content id: what every tier is built from and what answers are ranked by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import FeatureMismatchError, InputError
from lookalike.features.distances import Metric
from lookalike.features.kinds import Kind

RowArray = NDArray[Any]  # (n, d): packed bits or histograms as uint8, vectors as float32
_BLOCK_BYTES = 1 << 25  # rows brought into comparable form at once
_NO_IDS = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class _State:
    """Rows as they are at one moment. It never changes, so that a reader can keep it while others write.

    Parameters
    ----------
    ids : int64 array, shape (n,)
        In the order of adding.
    parts : tuple of arrays, shapes (m, d)
        The n rows, in the same order.
    is_live : bool array, shape (n,)
        False for what was removed.
    """

    ids: NDArray[np.int64]
    parts: tuple[RowArray, ...]
    is_live: NDArray[np.bool_]

    @cached_property
    def n_live(self) -> int:
        return int(np.count_nonzero(self.is_live))

    @cached_property
    def _by_id(self) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """The live ids, ascending, and where their rows are."""
        live = np.flatnonzero(self.is_live)
        order = live[np.argsort(self.ids[live], kind="stable")]
        return self.ids[order], order

    def places_of(self, ids: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return where the rows of these ids are; -1 for unknown ones."""
        known, order = self._by_id
        if not len(known):
            return np.full(len(ids), -1, np.intp)
        nearest = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        return np.where(known[nearest] == ids, order[nearest], -1)

    def rows_at(self, places: NDArray[np.intp]) -> RowArray:
        rows = np.empty((len(places), self.parts[0].shape[1]), self.parts[0].dtype)
        start = 0
        for part in self.parts:
            here = (places >= start) & (places < start + len(part))
            rows[here] = part[places[here] - start]
            start += len(part)
        return rows


class Rows:
    """Rows in one array, which may be mapped from a file, and in a few small ones that were added since.

    Any thread may read while another updates.

    Parameters
    ----------
    kind : Kind
        How rows are compared: ``bits``, ``histogram`` or ``vector``.
    ids : int64 array, shape (n,), or None
        What is there from the start.
    rows : array, shape (n, d), or None
        The rows of `ids`: uint8, or float32 of length 1 for vectors.
    """

    def __init__(
        self, kind: Kind, ids: NDArray[np.int64] | None = None, rows: RowArray | None = None
    ) -> None:
        self.kind: Kind = kind
        self._state = _State(_NO_IDS, (), np.empty(0, bool))
        if ids is not None and rows is not None:
            self.update(ids, rows)

    @property
    def n_dimensions(self) -> int:
        """Length of a row; 0 while there was none."""
        parts = self._state.parts
        return int(parts[0].shape[1]) if parts else 0

    def __len__(self) -> int:
        return self._state.n_live

    def update(
        self,
        added: NDArray[np.int64] = _NO_IDS,
        rows: RowArray | None = None,
        *,
        removed: NDArray[np.int64] = _NO_IDS,
    ) -> None:
        """Remove some ids, of which unknown ones are ignored, then add others; a known id gets its new row.

        Raises
        ------
        FeatureMismatchError
            Rows of another length.
        InputError
            An id that is added twice, or not one row for each.
        """
        state = self._state
        ids, parts, is_live = state.ids, state.parts, state.is_live
        gone = state.places_of(np.concatenate([removed, added]))
        gone = gone[gone >= 0]
        if len(gone):
            is_live = is_live.copy()
            is_live[gone] = False
        if len(added):
            new = np.empty((0, 0)) if rows is None else rows
            self._check_added(added, new)
            ids, parts = np.concatenate([ids, added]), _joined(parts, new)
            is_live = np.concatenate([is_live, np.ones(len(added), bool)])
        self._state = _State(ids, parts, is_live)

    def _check_added(self, ids: NDArray[np.int64], rows: RowArray) -> None:
        if len(ids) != len(rows):
            raise InputError(f"{len(ids)} ids do not fit {len(rows)} rows: give one id a row.")
        in_order = np.sort(ids)  # np.unique, which hashes, takes many times as long
        if np.any(in_order[1:] == in_order[:-1]):
            raise InputError("an id was added twice: give one row for each.")
        self._check_length(rows)

    def known(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of the ids that are there, in their order."""
        return ids[self._state.places_of(ids) >= 0]

    def take(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], RowArray]:
        """Return those of the ids that are there, in their order, and their rows."""
        state = self._state
        places = state.places_of(ids)
        is_known = places >= 0
        return ids[is_known], self._rows_at(state, places[is_known])

    def _rows_at(self, state: _State, places: NDArray[np.intp]) -> RowArray:
        if state.parts:
            return state.rows_at(places)
        return self.kind.index_rows(np.empty((0, 0), self.kind.stored_dtype))

    def distances(
        self, queries: RowArray, ids: NDArray[np.int64], *, metric: str | None = None
    ) -> NDArray[np.float32]:
        """Return the distance of each query to each id.

        Parameters
        ----------
        queries : array, shape (q, d)
            In the form of the rows.
        ids : int64 array, shape (m,)
            Content ids, in any order.
        metric : str or None
            One of those that suit the kind; None takes the first.

        Returns
        -------
        float32 array, shape (q, m)
            Infinity for unknown ids.

        Raises
        ------
        FeatureMismatchError
            Queries of another length.
        """
        chosen = self.metric(metric)
        self._check_length(queries)
        state = self._state
        places = state.places_of(ids)
        is_known = places >= 0
        found = np.full((len(queries), len(ids)), np.inf, np.float32)
        if is_known.any():
            rows = self.kind.comparable_rows(state.rows_at(places[is_known]))
            found[:, is_known] = chosen.distance(self.kind.comparable_rows(queries), rows)
        return found

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], RowArray]]:
        """Yield (ids, rows) of all that is there, in the order of adding, some megabytes at a time.

        It is what is there when the first block is asked for, whatever is added meanwhile.
        """
        state = self._state
        is_whole = state.n_live == len(state.ids)
        start = 0
        for part in state.parts:
            step = max(1, _BLOCK_BYTES // (part.shape[1] * 4))
            for first in range(0, len(part), step):
                rows = part[first : first + step]
                here = slice(start + first, start + first + len(rows))
                if is_whole:
                    yield state.ids[here], rows
                else:
                    is_live = state.is_live[here]
                    yield state.ids[here][is_live], rows[is_live]
            start += len(part)

    def contents(self) -> tuple[NDArray[np.int64], RowArray]:
        """Return what `blocks` yields in one piece; without a copy where nothing was added or removed."""
        state = self._state
        if len(state.parts) == 1 and state.n_live == len(state.ids):
            return state.ids, state.parts[0]
        return self.take(state.ids[state.is_live])

    def metric(self, name: str | None) -> Metric:
        """Return a metric for these rows by its name; None gives the default one.

        Raises
        ------
        InputError
            A metric that does not suit the kind of rows.
        """
        metrics = self.kind.metrics(8 * self.n_dimensions)
        if name is None:
            return next(iter(metrics.values()))
        if name not in metrics:
            raise InputError(f"there is no metric {name!r} here; choose from {', '.join(metrics)}.")
        return metrics[name]

    def _check_length(self, rows: RowArray) -> None:
        if self.n_dimensions and rows.shape[1] != self.n_dimensions:
            raise FeatureMismatchError(
                f"rows of length {rows.shape[1]} do not fit rows of length {self.n_dimensions}: "
                "compute them by the same recipe."
            )


def _joined(parts: Sequence[RowArray], rows: RowArray) -> tuple[RowArray, ...]:
    """Return the parts with one more. The first may be a mapped file and stays; the others double in size."""
    kept = list(parts)
    while len(kept) > 1 and len(kept[-1]) < 2 * len(rows):
        rows = np.concatenate([kept.pop(), rows])
    return (*kept, rows)
