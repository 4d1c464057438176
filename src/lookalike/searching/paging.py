"""Answers that are read page by page: each page is cut from one ranking, which is kept while it is read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from lookalike.errors import InputError
from lookalike.searching.way import Ranking

PAGED_DEPTH = 1000  # how deep an answer can be scrolled; every page is cut from one ranking of this depth
MAX_K = 1_000_000  # matches that fit into memory; a gallery has fewer
_MAX_KEPT = 8  # rankings; each also keeps its query, of about a megabyte


def check_k(k: object) -> int:
    """Return how many matches are asked for.

    Raises
    ------
    InputError
        No whole number, or none that makes sense.
    """
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise InputError(f"k = {k!r} is no whole number: say how many matches you want, such as 10.")
    number = int(k.__index__())
    if not 1 <= number <= MAX_K:
        raise InputError(f"k = {number} makes no sense: ask for at least one match, and at most {MAX_K:,}.")
    return number


class KeptRankings:
    """The last few rankings, so that the next page of an answer costs nothing. Any number of threads may ask."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Ranking] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, rank: Callable[[], Ranking]) -> Ranking:
        """Return what was ranked under a key, or else what `rank` gives now.

        The key must hold all that the ranking depends on: query, way, who may answer, and the state of the gallery.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        ranking = rank()
        with self._lock:
            self._kept[key] = ranking
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        return ranking
