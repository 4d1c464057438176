"""A gallery: every verb of it, and how it is opened and closed."""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Protocol

from lookalike.api.asking import Asking
from lookalike.api.changing import Changing
from lookalike.api.looking_up import LookingUp
from lookalike.api.tidying import Tidying

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from lookalike.settings import Settings


class OpenGallery(Protocol):
    """How a gallery is opened, see `lookalike.opening.open_gallery`."""

    def __call__(
        self,
        place: str | os.PathLike[str],
        *,
        create: bool = False,
        settings: Settings | None = None,
        isolate: bool = False,
        token: str | None = None,
    ) -> Gallery:
        """Open the gallery at a place."""


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

    open: ClassVar[OpenGallery]
    """Open the gallery at a place: `lookalike.opening.open_gallery`, which stands above and knows every kind."""

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
