"""The rows and look-up structures of one gallery, kept open and brought up to date by what changed since."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from lookalike.features.registry import kind_of
from lookalike.records.recipe import Recipe
from lookalike.settings import Settings
from lookalike.storage.index.cache import cache_path, read_rows, write_rows
from lookalike.storage.index.choose import TIERS, Place, choose_tier
from lookalike.storage.index.nearest import Nearest
from lookalike.storage.index.rows import RowArray, Rows
from lookalike.storage.records import Stamp
from lookalike.storage.store import Store

_REWRITE_SHARE = 0.1  # a file of rows is written anew once so much of it would be out of date
_NOTHING_READ = Stamp(0, 0)
_log = logging.getLogger("lookalike")


@dataclass
class _Open:
    """The rows of a recipe, how far they have followed the store, and the tiers over them by metric.

    Of the rows `n_in_file` came from the file; `n_changed` were added or removed since.
    """

    rows: Rows
    stamp: Stamp
    n_in_file: int = 0
    n_changed: int = 0
    tiers: dict[str | None, Nearest] = field(default_factory=dict)


class KeptIndexes:
    """Opens the rows of a gallery's recipes once, and from then on follows what is added and removed.

    What the cache file has is mapped from it; what was added since is read from the store. The file is (re)written
    where it is absent, damaged or far behind; a folder that cannot be written costs only speed. Any number of
    threads may ask.

    Parameters
    ----------
    store : Store
        The truth.
    settings : Settings
        Which tier to take.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._open: dict[str, _Open] = {}
        self._lock = RLock()

    def rows(self, recipe: Recipe) -> Rows:
        """Return the rows of a recipe, as the store has them now."""
        return self._follow(recipe).rows

    def nearest(self, recipe: Recipe, metric: str | None = None) -> Nearest:
        """Return the look-up structure of a recipe by a metric, as the store has its rows now.

        Raises
        ------
        InputError
            A metric that does not suit the rows, or a setting that names no tier.
        """
        with self._lock:
            kept = self._follow(recipe)
            if metric not in kept.tiers:
                name = choose_tier(kept.rows.kind, len(kept.rows), self._settings)
                place = Place(cache_path(self._store, recipe).parent, recipe, kept.stamp)
                kept.tiers[metric] = TIERS[name].open(kept.rows, metric, place)
            return kept.tiers[metric]

    def _follow(self, recipe: Recipe) -> _Open:
        with self._lock:
            stamp = self._store.features.stamp(recipe)
            kept = self._open.get(recipe.text)
            if kept is None:
                kept = self._open_file(recipe)
            if kept.stamp != stamp:
                kept = self._catch_up(kept, recipe, stamp)
            self._open[recipe.text] = kept
            return kept

    def _open_file(self, recipe: Recipe) -> _Open:
        cached = read_rows(cache_path(self._store, recipe), recipe, self._store)
        if cached is None:
            return _Open(Rows(kind_of(recipe.feature)), _NOTHING_READ)
        ids, rows, stamp = cached
        return _Open(Rows(kind_of(recipe.feature), ids, rows), stamp, len(ids))

    def _catch_up(self, kept: _Open, recipe: Recipe, stamp: Stamp) -> _Open:
        """Return rows that have followed the store to a stamp; a row that is newer does no harm."""
        removed = kept.rows.known(self._store.features.removed_after(kept.stamp.last_removal))
        kept.rows.update(removed=removed)
        n_there = self._store.features.recipes(recipe.feature).get(recipe.text, 0)
        n_behind = kept.n_changed + len(removed) + max(0, n_there - len(kept.rows))
        if n_behind > _REWRITE_SHARE * kept.n_in_file:
            rewritten = self._rewrite(kept, recipe, stamp)
            if rewritten is not None:
                return rewritten
        added = self._add_new(kept, recipe)
        for tier in kept.tiers.values():
            tier.update(added, removed)
        n_changed = kept.n_changed + len(removed) + len(added)
        return _Open(kept.rows, stamp, kept.n_in_file, n_changed, kept.tiers)

    def _add_new(self, kept: _Open, recipe: Recipe) -> NDArray[np.int64]:
        parts = [np.empty(0, np.int64)]
        for ids, rows in self._new_blocks(kept, recipe):
            kept.rows.update(ids, rows)
            parts.append(ids)
        return np.concatenate(parts)

    def _new_blocks(self, kept: _Open, recipe: Recipe) -> Iterator[tuple[NDArray[np.int64], RowArray]]:
        dtype = kind_of(recipe.feature).stored_dtype
        for ids, rows in self._store.features.iter_blocks(recipe, dtype, after=kept.stamp.last_number):
            is_new = ~np.isin(ids, kept.rows.known(ids))  # a row may be newer than the stamp says
            if is_new.any():
                yield ids[is_new], kind_of(recipe.feature).index_rows(rows[is_new])

    def _rewrite(self, kept: _Open, recipe: Recipe, stamp: Stamp) -> _Open | None:
        """Write the file anew and map it: it takes no memory of our own, and other processes share it."""

        def all_blocks() -> Iterator[tuple[NDArray[np.int64], RowArray]]:
            yield from kept.rows.blocks()
            yield from self._new_blocks(kept, recipe)

        path = cache_path(self._store, recipe)
        try:
            write_rows(path, recipe, stamp, all_blocks(), self._store)
        except OSError as error:
            _log.info("the cache %s was not written: %s", path, error)
            return None
        rewritten = self._open_file(recipe)
        return rewritten if rewritten.stamp == stamp else None
