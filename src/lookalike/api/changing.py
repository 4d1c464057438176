"""What changes what a gallery holds and remembers; no file of a person is touched."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lookalike.records.progress import ignore_progress

if TYPE_CHECKING:
    from lookalike.adding.add import AddReport
    from lookalike.records.people import Rating
    from lookalike.records.places import Gone
    from lookalike.records.progress import ProgressCallback


class Changing(ABC):
    """The verbs that change what a gallery holds and remembers."""

    @abstractmethod
    def add(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        only: str = "all",
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        hidden: bool = False,
        follow_symlinks: bool = False,
        retry_failed: bool = False,
        on_progress: ProgressCallback = ignore_progress,
    ) -> AddReport:
        """Add the pictures under some files and folders; what is unchanged since costs next to nothing.

        Parameters
        ----------
        paths : path or several
            Files and folders, see `lookalike.media.walk.iter_files`; of a served gallery, on the server.
        only : str
            ``all`` features, or just the ``hashes`` (several times faster).
        include, exclude : sequence of str
            Globs of the files to take, and to leave out.
        hidden, follow_symlinks : bool
            Take hidden files and folders; follow symbolic links inside folders.
        retry_failed : bool
            Try unchanged files again that failed before.
        on_progress : callable
            Called with `Progress` now and then.

        Returns
        -------
        AddReport
            A picture that fails is a row in `failed`, never an exception.

        Examples
        --------
        >>> report = gallery.add("Pictures")
        >>> report.added, report.unchanged
        (0, 4)
        """

    @abstractmethod
    def remove(self, paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> int:
        """Forget files, and everything below folders; return how many. The pictures are not touched.

        Parameters
        ----------
        paths : path or several

        Returns
        -------
        int

        Examples
        --------
        >>> gallery.remove(["Pictures/boat.png"])
        1
        """

    @abstractmethod
    def add_again(
        self, *, retry_failed: bool = False, on_progress: ProgressCallback = ignore_progress
    ) -> AddReport:
        """Bring up to date the folders that were named to `add` before, each walked as it was named last.

        Parameters
        ----------
        retry_failed : bool
            As of `add`.
        on_progress : callable
            As of `add`.

        Returns
        -------
        AddReport

        Raises
        ------
        InputError
            No folder was ever named.

        Examples
        --------
        >>> gallery.add_again().unchanged
        4
        """

    @abstractmethod
    def find_gone(self) -> Gone:
        """Return the known files that are not there.

        Where a folder that was named, or a disk that files were found on, holds no known file any more, it is away
        as a whole: a disk that is not connected, perhaps. Its files are told apart from those that are gone one
        by one.

        Returns
        -------
        Gone

        Examples
        --------
        >>> Path("Pictures/boat.png").unlink()
        >>> [Path(path).name for path in gallery.find_gone().files]
        ['boat.png']
        """

    @abstractmethod
    def prune(self, *, with_away: bool = False) -> list[str]:
        """Forget the files that are gone one by one; return their paths.

        Parameters
        ----------
        with_away : bool
            Forget also the files of places that are away as a whole, see `find_gone`.

        Returns
        -------
        list of str
            By path.

        Examples
        --------
        >>> Path("Pictures/boat.png").unlink()
        >>> [Path(path).name for path in gallery.prune()]
        ['boat.png']
        """

    @abstractmethod
    def mark(self, first: Any, second: Any, is_duplicate: bool | None) -> None:
        """Remember for ever that two pictures are duplicates, or are not; None forgets it.

        What is remembered is their content, so it holds wherever the files are moved.

        Parameters
        ----------
        first, second : path, bytes or ``id:N``
        is_duplicate : bool or None

        Raises
        ------
        InputError
            Both have the same bytes.
        PictureError
            One of them cannot be read.

        Examples
        --------
        >>> gallery.mark("Pictures/lake.jpg", "Pictures/lake-small.jpg", False)
        >>> gallery.duplicates().groups
        ()
        """

    @abstractmethod
    def rate(self, query: Any, content_id: int, is_liked: bool | None) -> None:
        """Remember whether a picture was what a person meant by a query; None forgets it.

        This is no verdict on duplicates: one may well like a picture that is no copy.

        Parameters
        ----------
        query : path, bytes or ``id:N``
        content_id : int
            Of the picture that answered.
        is_liked : bool or None

        Raises
        ------
        QueryError
            There is no such id.
        PictureError
            The query cannot be read.

        Examples
        --------
        >>> gallery.rate("Pictures/lake.jpg", 1, False)
        >>> gallery.rate("Pictures/lake.jpg", 1, None)
        """

    @abstractmethod
    def ratings(self) -> list[Rating]:
        """Return what people said of answers, see `rate`; for learning from it.

        Returns
        -------
        list of Rating

        Examples
        --------
        >>> gallery.rate("Pictures/lake.jpg", 1, True)
        >>> [rating.is_liked for rating in gallery.ratings()]
        [True]
        """
