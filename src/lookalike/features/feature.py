"""What a feature is: something that is computed of every picture, stored, and compared."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from lookalike.features.kinds import Kind, StoredArray
from lookalike.features.prepared import THUMBNAIL_PX
from lookalike.records.arrays import UInt8Array
from lookalike.records.picture import Picture
from lookalike.records.recipe import Recipe

Source = Literal["picture", "text", "rows"]
EMBEDDING = "embedding"
"""The embedding of the first model of the settings, and the family of all."""


class Feature(Protocol):
    """One object for each feature. A new one is a subclass of this, or an entry of a table of them.

    Attributes
    ----------
    name : str
        Such as ``phash``. Where there are several of a family, the first has the name of the family, and the others
        ``family:variant``, such as ``embedding:siglip``.
    describes : str
        What it compares, in a few words.
    kind : Kind
        How its rows are stored and compared.
    source : str
        What it is computed from: a ``picture``; a ``text``, which is asked with and not stored; or the stored
        ``rows`` of another feature, for which nothing is decoded.
    of : str
        The feature whose rows it is computed from; empty unless `source` is ``rows``.
    alias : str
        Another name that it is found by.
    """

    name: str
    describes: str
    kind: Kind
    source: Source = "picture"
    of: str = ""
    alias: str = ""

    @property
    def recipe(self) -> Recipe:
        """All that changes its numbers; stored with every row."""
        raise NotImplementedError

    @property
    def min_side_px(self) -> int:
        """The shorter side below which a decoded picture would be too small for it."""
        return THUMBNAIL_PX

    def view(self, picture: Picture) -> UInt8Array | None:
        """Return what it needs of a picture, uint8 (h, h, 3) RGB; None where the thumbnail is enough."""
        del picture
        return None

    def compute(self, given: Any) -> StoredArray:
        """Return the row, shape (d,), of a `Prepared` picture or of a text.

        Where `source` is ``rows``, it is given stored rows of `of`, shape (n, d), and returns as many, (n, d').
        """
        raise NotImplementedError
