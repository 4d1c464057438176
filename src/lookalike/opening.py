"""A place -> the gallery there: in a folder of this machine, or served by another process."""

from __future__ import annotations

import os

from lookalike.api import Gallery as Gallery
from lookalike.errors import InputError
from lookalike.extras import require_extra
from lookalike.gallery.local import LocalGallery
from lookalike.queries.source import path_of_url
from lookalike.settings import Settings


def open_gallery(
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
    if is_address(place):
        require_extra("serve", "a gallery at an address")
        from lookalike.gallery.served import ServedGallery

        return ServedGallery(str(place), token=token, settings=settings)
    return open_folder(place, create=create, settings=settings, isolate=isolate)


def open_folder(
    place: str | os.PathLike[str],
    *,
    create: bool = False,
    settings: Settings | None = None,
    isolate: bool = False,
) -> LocalGallery:
    """Open the gallery in a folder of this machine, or its ``file:`` URL.

    Raises
    ------
    InputError
        It is an address on the network.
    GalleryNotFoundError, StoreError
        As of `LocalGallery`.
    """
    if is_address(place):
        raise InputError(f"{place} is served by another process: give the folder of a gallery.")
    if str(place).startswith("file:"):
        place = path_of_url(str(place))
    elif "://" in str(place):
        raise InputError(f"{place!r} is no address of a gallery: give its folder, or http://HOST:PORT.")
    return LocalGallery(place, create=create, settings=settings, isolate=isolate)


def is_address(place: str | os.PathLike[str]) -> bool:
    """Whether a gallery is served at an address rather than in a folder."""
    return str(place).startswith(("http://", "https://"))


Gallery.open = staticmethod(open_gallery)
