"""What one can look up in a gallery."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from lookalike.records.failure import Failure
    from lookalike.records.info import GalleryInfo
    from lookalike.storage.records import FoundPicture


class LookingUp(ABC):
    """The verbs that look up what a gallery holds."""

    @abstractmethod
    def info(self) -> GalleryInfo:
        """Return what the gallery holds and what it costs.

        Returns
        -------
        GalleryInfo

        Examples
        --------
        >>> gallery.info().formats
        {'jpeg': 3, 'png': 1}
        """

    @abstractmethod
    def folders(self) -> list[tuple[str, int]]:
        """Return the folders that the gallery's files lie in, gathered near the top, with how many in each.

        Returns
        -------
        list of (str, int)

        Examples
        --------
        >>> [(Path(folder).name, n_files) for folder, n_files in gallery.folders()]
        [('Pictures', 4)]
        """

    @abstractmethod
    def failures(self, *, offset: int = 0, limit: int = 100) -> tuple[list[Failure], int]:
        """Return some of the files that failed, by path, and how many there are.

        Parameters
        ----------
        offset, limit : int
            Leave out the first so many, and return so many at most.

        Returns
        -------
        list of Failure, int

        Examples
        --------
        >>> gallery.failures()
        ([], 0)
        """

    @abstractmethod
    def picture(self, content_id: int) -> list[FoundPicture]:
        """Return the files that have this content, oldest first.

        Parameters
        ----------
        content_id : int
            As a match of a search has it.

        Returns
        -------
        list of FoundPicture

        Raises
        ------
        QueryError
            There is no such id.

        Examples
        --------
        >>> match, *_ = gallery.search("Pictures/lake.jpg")
        >>> [Path(picture.path).name for picture in gallery.picture(match.picture.content_id)]
        ['lake-small.jpg']
        """

    @abstractmethod
    def pictures(
        self, *, offset: int = 0, limit: int = 100, folder: str | None = None
    ) -> tuple[list[FoundPicture], int]:
        """Return some of the gallery's files by id, and how many there are, maybe only those below a folder.

        Parameters
        ----------
        offset, limit : int
            Leave out the first so many, and return so many at most.
        folder : str or None
            Only files below it.

        Returns
        -------
        list of FoundPicture, int

        Examples
        --------
        >>> pictures, n_pictures = gallery.pictures(limit=2)
        >>> len(pictures), n_pictures
        (2, 4)
        """

    @abstractmethod
    def open_picture(self, content_id: int) -> tuple[BinaryIO, FoundPicture]:
        """Open the file of a picture for reading, after checking that it still has the bytes it was indexed with.

        Parameters
        ----------
        content_id : int
            As a match of a search has it.

        Returns
        -------
        binary file, FoundPicture

        Raises
        ------
        QueryError
            There is no such id.
        ReadError
            None of its files is there unchanged.

        Examples
        --------
        >>> file, picture = gallery.open_picture(1)
        >>> with file:
        ...     len(file.read()) == picture.size_bytes
        True
        """

    @abstractmethod
    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Whether a file of this machine is one of the gallery's.

        Parameters
        ----------
        path : path

        Returns
        -------
        bool

        Examples
        --------
        >>> gallery.holds("Pictures/lake.jpg"), gallery.holds("Pictures/sea.jpg")
        (True, False)
        """
