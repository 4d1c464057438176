"""Files that belong together: a picture with its raw data, its film, its sound, and what programs wrote beside it.

A camera and a photo program write several files of one picture, and one name in common is all that joins them. Who
puts one away tears them apart.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lookalike.media.formats import FORMAT_ALIASES, PICTURE_SUFFIXES

FILM_SUFFIXES = frozenset((".mov", ".mp4", ".m4v", ".wav"))
"""A Live Photo's film, and a sound that was spoken to a picture."""

NOTE_SUFFIXES = frozenset((".xmp", ".aae", ".thm", ".lrv", ".pp3", ".dop", ".on1"))
"""What photo programs and cameras note beside a picture: its development, rating, a small preview."""

_GOOGLE = "supplemental-metadata"
_GOOGLE_LENGTH = 46  # to which an export of Google's cuts a name, before ``.json``
_NUMBER = re.compile(r"\((\d+)\)$")


@dataclass(frozen=True)
class Unit:
    """What belongs to one picture's file, beside itself; paths in order.

    Parameters
    ----------
    contents : paths    more of the picture itself: raw data, film, sound
    notes : paths       what programs wrote about it
    """

    contents: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them."""
        return self.contents + self.notes


def list_folder(folder: str) -> tuple[str, ...]:
    """Return the names in a folder, in order; none where it cannot be read."""
    try:
        return tuple(sorted(os.listdir(folder)))
    except OSError:
        return ()


class Units:
    """Finds units, looking into each folder once.

    Parameters
    ----------
    list_names : callable    gives the names in a folder
    """

    def __init__(self, list_names: Callable[[str], Iterable[str]] = list_folder) -> None:
        self._list_names = list_names
        self._by_stem: dict[str, dict[str, list[str]]] = {}

    def of(self, path: str) -> Unit:
        """Return what belongs to the picture at a path."""
        folder, name = os.path.split(path)
        stem, suffix = os.path.splitext(name)
        near = self._names_by_stem(folder)
        contents: list[str] = []
        notes: list[str] = []
        for other in near.get(stem.lower(), ()):
            kind = _kind(suffix, os.path.splitext(other)[1])
            if other != name and kind is not None:
                (contents if kind == "content" else notes).append(os.path.join(folder, other))
        notes += [  # IMG_1.JPG.xmp
            os.path.join(folder, other)
            for other in near.get(name.lower(), ())
            if os.path.splitext(other)[1].lower() in NOTE_SUFFIXES
        ]
        notes += [os.path.join(folder, other) for other in near.get("", ()) if _is_of_google(other, name)]
        return Unit(tuple(contents), tuple(notes))

    def _names_by_stem(self, folder: str) -> dict[str, list[str]]:
        """Return a folder's names by what stands before their suffix; all JSON files under the empty stem."""
        if folder not in self._by_stem:
            found: dict[str, list[str]] = {}
            for name in self._list_names(folder):
                stem, suffix = os.path.splitext(name.lower())
                found.setdefault("" if suffix == ".json" else stem, []).append(name)
            self._by_stem[folder] = found
        return self._by_stem[folder]


def _kind(own: str, other: str) -> str | None:
    """Tell what a file of the same stem is to a picture: more of its content, a note on it, or neither."""
    own, other = own.lower(), other.lower()
    if other in FILM_SUFFIXES:
        return "content"
    if other in NOTE_SUFFIXES:
        return "note"
    is_raw, other_is_raw = (FORMAT_ALIASES.get(suffix[1:]) == "raw" for suffix in (own, other))
    return "content" if other in PICTURE_SUFFIXES and is_raw != other_is_raw else None


def _is_of_google(note: str, name: str) -> bool:
    """Whether an exported JSON file is about a picture: ``a.jpg.json``, ``a.jpg(1).json``, cut or not."""
    text, name = note.lower()[: -len(".json")], name.lower()
    stem, suffix = os.path.splitext(name)
    number, of_note = _NUMBER.search(stem), _NUMBER.search(text)
    if (number[1] if number else "") != (of_note[1] if of_note else ""):
        return False
    if number and of_note:
        name, text = stem[: number.start()] + suffix, text[: of_note.start()]
    if text in (name, name[:_GOOGLE_LENGTH]):
        return True
    rest = text.removeprefix(f"{name}.")
    return rest != text and rest != "" and _GOOGLE.startswith(rest)
