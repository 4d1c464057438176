"""What the tables of a gallery hold, as records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class KnownFile:
    """What the gallery remembers of one path; `stage` and `reason` are set for a failed file only."""

    path: str
    size_bytes: int
    mtime_ns: int
    content_id: int | None
    stage: str | None
    reason: str | None


@dataclass(frozen=True)
class Content:
    """The facts of one distinct byte sequence, before it has an id."""

    digest: bytes
    size_bytes: int
    format: str
    width_px: int
    height_px: int
    taken_at: str | None


@dataclass(frozen=True)
class FoundPicture:
    """One file of the gallery with the facts of its content."""

    content_id: int
    path: str
    size_bytes: int
    mtime_ns: int
    digest: bytes
    format: str
    width_px: int
    height_px: int
    taken_at: str | None

    @property
    def date(self) -> str:
        """When the picture was taken, else when the file was last written: ``YYYY-MM-DDTHH:MM:SS``."""
        if self.taken_at is not None:
            return self.taken_at
        return datetime.fromtimestamp(self.mtime_ns / 1e9).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Stamp:
    """How far a cache has read: the last number of a feature, and of a removal, that it knew of."""

    last_number: int
    last_removal: int
