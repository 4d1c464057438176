"""What lies below a folder: the one place that says so."""

from __future__ import annotations

import os
from collections.abc import Iterable


def start_of(folder: str) -> str:
    """Return what the paths of all that lies below a folder begin with: its own path and a separator."""
    return folder.rstrip(os.sep) + os.sep


def is_below(path: str, folder: str) -> bool:
    """Whether an absolute path lies below a folder, which is not below itself; links are not resolved."""
    return path.startswith(start_of(folder))


def is_in(path: str, folders: Iterable[str]) -> bool:
    """Whether an absolute path is one of these absolute folders, or lies below one."""
    return any(path == folder or is_below(path, folder) for folder in folders)
