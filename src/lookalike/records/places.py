"""Where pictures lie: the folders that a person named, and what of them is away."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Root:
    """A folder that a person named, with how it was to be walked.

    Parameters
    ----------
    path : str
        Absolute.
    only : str
        What was to be computed, see `Gallery.add`.
    include, exclude : tuple of str
        Globs.
    hidden, follow_symlinks : bool
    """

    path: str
    only: str = "all"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    follow_symlinks: bool = False


@dataclass(frozen=True)
class Away:
    """A place of which no known file is there: a disk that is not connected, or a folder moved or deleted.

    Parameters
    ----------
    place : str
        A folder.
    files : tuple of str
        The known files that belong to it, by path.
    """

    place: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Gone:
    """The known files that are not there.

    Parameters
    ----------
    files : tuple of str
        Those that are gone one by one, from places where others still are; by path.
    away : tuple of Away
        Places that are away as a whole; their files are not among `files`.
    """

    files: tuple[str, ...]
    away: tuple[Away, ...]

    def paths(self, *, with_away: bool) -> list[str]:
        """Return the files that are gone one by one and, if asked for, those of places away as a whole; by path."""
        away = (path for one in self.away for path in one.files)
        return sorted([*self.files, *(away if with_away else ())])
