"""Small JPEGs of the gallery's pictures, remembered while they fit."""

from __future__ import annotations

from collections import OrderedDict

MAX_BYTES = 64_000_000

Key = tuple[bytes, int]


class Thumbnails:
    """The thumbnails that were asked for last, by digest and size."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._n_bytes = 0

    def get(self, key: Key) -> bytes | None:
        """Return a thumbnail that is remembered."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: Key, data: bytes) -> None:
        """Remember a thumbnail, and forget those that were not asked for longest."""
        self._n_bytes += len(data) - len(self._kept.pop(key, b""))
        self._kept[key] = data
        while self._n_bytes > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._n_bytes -= len(oldest)
