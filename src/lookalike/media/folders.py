"""What lies below a folder, and the few folders that a person would name many paths by."""

from __future__ import annotations

import os
from collections.abc import Iterable

MAX_FOLDERS = 50


def start_of(folder: str) -> str:
    """Return what the paths of all that lies below a folder begin with: its own path and a separator."""
    return folder.rstrip(os.sep) + os.sep


def is_below(path: str, folder: str) -> bool:
    """Whether an absolute path lies below a folder, which is not below itself; links are not resolved."""
    return path.startswith(start_of(folder))


def gather_folders(paths: Iterable[str], *, most: int = MAX_FOLDERS) -> list[tuple[str, int]]:
    """Return folders that hold all these files, each with how many, largest first.

    What all have in common is left away, down to the first folder that branches; there its folders are
    listed, and the folder itself for the files that lie in it directly.

    Parameters
    ----------
    paths : absolute paths of files
    most : int    of more folders than this only the largest are given
    """
    counts: dict[str, int] = {}
    for path in paths:
        folder = os.path.dirname(path)
        counts[folder] = counts.get(folder, 0) + 1
    if not counts:
        return []
    top = os.path.commonpath(counts)
    gathered: dict[str, int] = {}
    for folder, n_files in counts.items():
        below = folder[len(top) :].lstrip(os.sep).split(os.sep)[0]
        place = os.path.join(top, below) if below else top
        gathered[place] = gathered.get(place, 0) + n_files
    return sorted(gathered.items(), key=lambda one: (-one[1], one[0]))[:most]
