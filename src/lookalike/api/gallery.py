"""A gallery: every verb of it, and how it is opened and closed."""

from __future__ import annotations

import os
from abc import abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from lookalike.settings import Settings
from lookalike.api.asking import Asking
from lookalike.api.changing import Changing
from lookalike.api.looking_up import LookingUp
from lookalike.api.tidying import Tidying


class Gallery(Asking, LookingUp, Changing, Tidying):
    """A set of pictures that one can add to and search. Open it with `Gallery.open`.

    It lies in a folder of this machine, or a server serves it. Several threads may use one object, and several
    processes one gallery, at the same time; from asyncio, call it by `asyncio.to_thread`.

    In the examples, `gallery` holds the four pictures of the folder ``Pictures``: lake.jpg, a smaller copy of it,
    hill.jpg and boat.png.

    Examples
    --------
    >>> with Gallery.open("my.gallery", create=True) as opened:
    ...     report = opened.add("Pictures")
    ...     match = opened.search("Pictures/lake.jpg", k=1)[0]
    >>> Path(match.picture.path).name
    'lake-small.jpg'
    """

    @staticmethod
    def open(
        place: str | os.PathLike[str],
        *,
        create: bool = False,
        settings: Settings | None = None,
        isolate: bool = False,
        token: str | None = None,
    ) -> Gallery:
        """Open the gallery in a folder, or one that is served; one that cannot be written can still be searched.

        Parameters
        ----------
        place : path
            The gallery's folder, or its ``file:`` URL, or the ``http:`` address of a server.
        create : bool
            Make an empty gallery where there is none.
        settings : Settings or None
            None takes the defaults and the environment.
        isolate : bool
            Decode what is asked with in a process of its own, under the limits of the settings: for servers, which
            must outlive any picture that they are sent.
        token : str or None
            Of the server; None takes ``LOOKALIKE_TOKEN`` of the environment, if it is set.

        Raises
        ------
        GalleryNotFoundError
            There is none, and `create` is false.
        StoreError
            It cannot be opened, is damaged, or was written by a newer version.

        Examples
        --------
        >>> with Gallery.open("my.gallery", create=True) as opened:
        ...     opened.add("Pictures").added
        4
        """
        opening = import_module(
            "lookalike.opening"
        )  # by name, for it stands above: it knows every kind of gallery
        opened: Gallery = opening.open_gallery(
            place, create=create, settings=settings, isolate=isolate, token=token
        )
        return opened

    @abstractmethod
    def close(self) -> None:
        """Close the gallery."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
