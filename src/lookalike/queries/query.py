"""What every query can be asked for, whatever a person gave: a picture, words, or either with what they liked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lookalike.features.keypoints import Keypoints
    from lookalike.queries.reader import PictureReader
    from lookalike.queries.source import Box, Source


class Query(Protocol):
    """What a gallery is asked with.

    A way asks for rows of the features that it compares; where a query has none of a feature (words have no
    hash), the way does without.
    """

    @property
    def path(self) -> str | None:
        """The file that was asked about, if it is one: it is left out of the answer."""

    @property
    def digest(self) -> bytes | None:
        """The digest of the bytes that were asked about as a whole, if there are any."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the whole picture that was given; zeros where it is none."""

    @property
    def camera(self) -> str | None:
        """What the picture was taken with, where its file says so."""

    @property
    def box(self) -> Box | None:
        """The part of the picture that is asked about; None for all of it."""

    @property
    def reader(self) -> PictureReader | None:
        """Who decodes the pictures that this query is proven against; None where nothing can be proven."""

    @property
    def source(self) -> Source | None:
        """Where the picture that is asked with is; None for a query without pixels."""

    @property
    def keypoints(self) -> Keypoints:
        """The local features; raises InputError for a query without pixels."""

    @property
    def parts(self) -> Sequence[Query]:
        """Parts of the picture, each as a query; none of a query that is a part, or that has no pixels."""

    @property
    def n_orientations(self) -> int:
        """How many ways there are to lay it: 8 for a picture (see `ORIENTATIONS`), 1 for what has no pixels."""

    @property
    def left_out(self) -> frozenset[int]:
        """Ids of contents that must not answer."""

    @property
    def is_refined(self) -> bool:
        """Whether a person has moved it, so that it does not ask for copies any more."""

    def has(self, feature: str) -> bool:
        """Whether it has this feature."""

    def row(self, feature: str, orientation: int = 0) -> NDArray[Any]:
        """Return a feature as gallery rows have it, shape (1, d), in one of the orientations."""


def turned_rows(query: Query, feature: str) -> NDArray[Any]:
    """Return a feature of a query in all its orientations, shape (n_orientations, d)."""
    return np.concatenate([query.row(feature, number) for number in range(query.n_orientations)])
