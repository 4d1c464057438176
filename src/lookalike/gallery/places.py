"""What of a gallery's pictures is there: single files that are gone, and whole places that are away."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator

from lookalike.gallery.opened import Opened
from lookalike.media.volumes import is_empty, is_gone, is_mounted, mount_point
from lookalike.media.walk import FoundFile
from lookalike.records.places import Away, Gone, Root


class WhereFilesAre:
    """The places of an open gallery: the folders that were named, and the volumes that files were found on."""

    def __init__(self, opened: Opened) -> None:
        self._store = opened.store

    def roots(self) -> list[Root]:
        """Return the folders that were named, by path, each as it was named last."""
        return self._store.places.roots()

    def remember(self, roots: Iterable[Root], files: Iterable[FoundFile]) -> Iterator[FoundFile]:
        """Pass files on, and remember the roots at once and the volumes once all files were passed."""
        volumes: dict[int, str] = {}
        self._store.places.put(roots, ())
        for file in files:
            if file.device not in volumes:
                volumes[file.device] = _volume_of(file.path)
            yield file
        self._store.places.put((), {place for place in volumes.values() if place != os.sep})

    def away(self) -> list[str]:
        """Return the places that are away: roots that are gone or empty, and volumes not mounted; by path.

        Only those of which the gallery knows a file. No file is looked at, so that it costs next to nothing.
        """
        places = {root.path for root in self.roots() if is_empty(root.path)}
        places |= {volume for volume in self._store.places.volumes() if not is_mounted(volume)}
        return sorted(place for place in places if self._store.files.has_any_below(place))

    def find_gone(self) -> Gone:
        """Return the known files that are not there, those of places away as a whole apart."""
        gone, n_there = self._look()
        away = [Away(place, tuple(paths)) for place, paths in sorted(gone.items()) if not n_there[place]]
        files = (path for place, paths in gone.items() if n_there[place] for path in paths)
        return Gone(tuple(sorted(files)), tuple(away))

    def _look(self) -> tuple[dict[str, list[str]], Counter[str]]:
        """Return the files that are gone, and how many are there, by place.

        A file belongs to the innermost root or volume above it. Files below none are gathered by the folders
        at which their paths branch.
        """
        place_of = _Placing({root.path for root in self.roots()} | set(self._store.places.volumes()))
        gone: dict[str, list[str]] = {}
        n_there: Counter[str] = Counter()
        outside: dict[str, list[str]] = {}
        n_outside: Counter[str] = Counter()
        for path in self._store.files.iter_paths():
            folder = os.path.dirname(path)
            place = place_of(folder)
            lists, counts = (outside, n_outside) if place is None else (gone, n_there)
            if is_gone(path):
                lists.setdefault(place or folder, []).append(path)
            else:
                counts[place or folder] += 1
        branch_of = _branches([*outside, *n_outside])
        for folder, paths in outside.items():
            gone.setdefault(branch_of[folder], []).extend(paths)
        for folder, n in n_outside.items():
            n_there[branch_of[folder]] += n
        return gone, n_there


class _Placing:
    """Finds the innermost of some places that a folder is, or lies below."""

    def __init__(self, places: set[str]) -> None:
        self._known: dict[str, str | None] = {place: place for place in places}

    def __call__(self, folder: str) -> str | None:
        passed = []
        place = folder
        while place not in self._known:
            passed.append(place)
            parent = os.path.dirname(place)
            if parent == place:
                self._known[place] = None
                break
            place = parent
        found = self._known[place]
        self._known.update(dict.fromkeys(passed, found))
        return found


def _branches(folders: Iterable[str]) -> dict[str, str]:
    """Return for each folder the one below what all have in common that it lies in, or is."""
    every = set(folders)
    if not every:
        return {}
    try:
        top = os.path.commonpath(every)
    except ValueError:  # they lie on several drives of Windows
        top = ""
    branches = {}
    for folder in every:
        name = folder[len(top) :].lstrip(os.sep).split(os.sep)[0]
        branches[folder] = os.path.join(top, name) if name else top
    return branches


def _volume_of(path: str) -> str:
    try:
        return mount_point(os.path.dirname(path))
    except OSError:  # it went while it was looked at
        return os.sep
