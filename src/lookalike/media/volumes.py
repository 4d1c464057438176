"""Disks that come and go: where a file's volume is mounted, and whether it still is."""

from __future__ import annotations

import os


def mount_point(path: str) -> str:
    """Return the highest folder above an absolute path that is on the same volume; links count as their target."""
    place = os.path.abspath(path)
    device = os.stat(place).st_dev
    while (parent := os.path.dirname(place)) != place and os.stat(parent).st_dev == device:
        place = parent
    return place


def is_mounted(place: str) -> bool:
    """Whether a folder is there and on another volume than the folder that it lies in."""
    try:
        parent = os.path.dirname(place)
        return os.path.isdir(place) and (parent == place or os.stat(place).st_dev != os.stat(parent).st_dev)
    except OSError:
        return False


def is_empty(folder: str) -> bool:
    """Whether there is nothing in a folder, or no such folder; one that may not be read is taken for full."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


def is_gone(path: str) -> bool:
    """Whether nothing is at a path. What cannot be looked at, for want of rights or by a fault, is not gone."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False
