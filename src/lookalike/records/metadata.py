"""What a file says of its picture beside the pixels, and what of it a person would miss."""

from __future__ import annotations

from dataclasses import dataclass, fields

from lookalike.records.codec import from_json, to_json
from lookalike.records.recipe import Recipe

MAX_TEXT_LENGTH = 500

METADATA = Recipe("metadata", 1)
"""What it is kept under in a gallery."""


@dataclass(frozen=True)
class Metadata:
    """What a file says of its picture; texts are empty, and the rating is 0, where it says nothing.

    Parameters
    ----------
    taken_at : str       the camera's own time, ``YYYY-MM-DDTHH:MM:SS`` and a fraction where there is one
    dated_at : str       any time that is written in it: the one above, else when it was changed or scanned
    camera, lens : str   make and model
    place : str          latitude and longitude in degrees, ``48.13333, 11.56667``
    caption : str        title, description and comment, joined
    keywords : str       in order, joined by commas
    people : str         names of faces, in order, joined by commas
    rating : int         1 to 5 stars; 0 without one, negative where it was rejected
    author : str         artist or owner of the rights
    size_px : (int, int) or None    width and height that the camera or editor wrote down
    software : str       what wrote the file
    """

    taken_at: str = ""
    dated_at: str = ""
    camera: str = ""
    lens: str = ""
    place: str = ""
    caption: str = ""
    keywords: str = ""
    people: str = ""
    rating: int = 0
    author: str = ""
    size_px: tuple[int, int] | None = None
    software: str = ""

    @property
    def left_out(self) -> frozenset[str]:
        """The fields that say nothing, and are not written."""
        return frozenset(one.name for one in fields(self) if not getattr(self, one.name))

    def to_bytes(self) -> bytes:
        """Return it as it is kept in a gallery."""
        return to_json(self).encode(errors="replace")

    @classmethod
    def from_bytes(cls, data: bytes) -> Metadata:
        """Return what `to_bytes` wrote; fields that are not known any more are passed over."""
        return from_json(cls, data.decode())


NOTHING_SAID = Metadata()

WITNESSES = {
    "date": ("dated_at",),
    "camera": ("camera",),
    "place": ("place",),
    "caption": ("caption",),
    "keywords": ("keywords",),
    "people": ("people",),
    "rating": ("rating",),
    "lens": ("lens",),
    "author": ("author",),
}
"""What a person would miss, by its name, and the fields that say it."""


CARRIED_FORMATS = frozenset(("jpeg", "png", "webp"))
"""Formats that take metadata over without a pixel being written anew."""


def kinds_of(metadata: Metadata) -> frozenset[str]:
    """Return which of the `WITNESSES` a file has."""
    return frozenset(kind for kind, names in WITNESSES.items() if any(getattr(metadata, n) for n in names))


def lacking(keeper: Metadata, other: Metadata) -> tuple[str, ...]:
    """Return what another file says and a keeper does not, or says otherwise in words of a person's own.

    Two captions, lists of names or ratings may differ, and then both are someone's work; of two dates or
    cameras the keeper's counts.
    """
    own = ("caption", "keywords", "people", "rating")
    return tuple(
        kind
        for kind in WITNESSES
        if kind in kinds_of(other)
        and (kind not in kinds_of(keeper) or (kind in own and not _holds(keeper, other, kind)))
    )


def _holds(keeper: Metadata, other: Metadata, kind: str) -> bool:
    first, second = (getattr(one, WITNESSES[kind][0]) for one in (keeper, other))
    if kind == "rating":
        return bool(first == second)
    separator = ", " if kind in ("keywords", "people") else " | "
    return set(second.split(separator)) <= set(first.split(separator))
