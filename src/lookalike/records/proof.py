"""How it is known what two pictures are to each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from lookalike.records.geometry import Matrix
from lookalike.records.relation import Relation
from lookalike.records.transform import describe_transform

Containment = Literal["equal", "first", "second", "neither"]
"""Which of two pictures shows the other one whole; ``equal`` where each does."""

Method = Literal["digest", "keypoints", "pixels", "verdict", "embedding"]
"""What tells: equal bytes, local features, pixels, a person, or the embedding (which proves nothing)."""

Polygon = tuple[tuple[float, float], ...]
Rows = tuple[tuple[float, float, float], ...]

_WRITTEN: dict[Method, tuple[str, ...]] = {
    "digest": ("method", "digest", "contains"),
    "verdict": ("method", "contains", "transform"),
    "embedding": ("method", "cosine", "contains"),
}
_PLACED = (
    "relation",
    "method",
    "inliers",
    "transform",
    "agreement",
    "residual",
    "contains",
    "overlap_first",
    "overlap_second",
    "matrix",
    "note",
    "differs_first",
    "differs_second",
)


@dataclass(frozen=True)
class Proof:
    """What the first of two pictures is to the second, and how that is known.

    Parameters
    ----------
    relation : Relation
        ``different`` says that nothing was proven.
    method : Method
        What tells.
    inliers : int
        Pairs of points, at different places, that agree with the placement.
    transform : str
        What was done to the first to get the second, in words; empty where nothing is proven.
    agreement : float
        Share of the overlap's textured parts in which the pixels agree, 0 to 1.
    residual : float
        Mean difference of grey inside the overlap, after the best gain and offset, as a share of white, 0 to 1.
    contains : Containment
    overlap_first, overlap_second : tuple of (float, float)
        Corners (x, y) of the overlap in each picture's own pixels; empty without a placement.
    matrix : tuple of three rows, or None
        From the first's pixels to the second's; pixel centres are integers.
    note : str
        What a closer look in full size found that keeps it from being simply a copy; empty where nothing.
    differs_first, differs_second : tuple of polygons
        Outlines of what either picture shows and the other one does not, in each one's own pixels.
    digest : str
        Of the bytes that both have, in hexadecimal digits; for ``digest`` only.
    cosine : float
        Of the embeddings; for ``embedding`` only.
    """

    relation: Relation = "different"
    method: Method = "pixels"
    inliers: int = 0
    transform: str = ""
    agreement: float = 0.0
    residual: float = 1.0
    contains: Containment = "neither"
    overlap_first: Polygon = ()
    overlap_second: Polygon = ()
    matrix: Rows | None = None
    note: str = ""
    differs_first: tuple[Polygon, ...] = ()
    differs_second: tuple[Polygon, ...] = ()
    digest: str = ""
    cosine: float = 0.0

    @property
    def not_written(self) -> frozenset[str]:
        """The fields that say nothing where the method is this one, and are not written."""
        written = _WRITTEN.get(self.method, _PLACED)
        if self.method == "digest" and not self.digest:
            written = ("relation", "method")
        return frozenset(self.__dataclass_fields__).difference(written)

    @property
    def placement(self) -> Matrix | None:
        """The matrix as a float64 array of shape (3, 3)."""
        return None if self.matrix is None else np.array(self.matrix, np.float64)

    @property
    def is_copy(self) -> bool:
        """Whether one is proven to be the other one, edited or not."""
        return self.relation in ("same_file", "same_pixels", "copy")

    @property
    def score(self) -> float:
        """How sure it is that the two are copies: 1 for equal pixels, 0 where no copy is proven.

        Copies score above a half, the higher the more of the overlap agrees. Another shot of the scene is proven
        not to be a copy, however much of it agrees.
        """
        if self.relation in ("same_file", "same_pixels"):
            return 1.0
        return 0.5 + 0.499 * self.agreement if self.relation == "copy" else 0.0

    def turned(self, first_size: tuple[int, int], second_size: tuple[int, int]) -> Proof:
        """Return what the second is to the first.

        Parameters
        ----------
        first_size, second_size : (int, int)
            Width and height in pixels, of the first and the second before they are exchanged.

        Returns
        -------
        Proof
        """
        swapped: dict[Containment, Containment] = {"first": "second", "second": "first"}
        turned = replace(
            self,
            contains=swapped.get(self.contains, self.contains),
            overlap_first=self.overlap_second,
            overlap_second=self.overlap_first,
            differs_first=self.differs_second,
            differs_second=self.differs_first,
        )
        if self.placement is None:
            return turned
        inverse = np.asarray(np.linalg.inv(self.placement), np.float64)
        words = describe_transform(inverse, second_size, first_size)
        return replace(turned, matrix=rounded_rows(inverse / inverse[2, 2]), transform=words)

    def moved(self, corner_px: tuple[float, float]) -> Proof:
        """Return the proof in the pixels of the whole picture, where the first was a part of it.

        Parameters
        ----------
        corner_px : (float, float)
            Where the part begins in the whole: x and y.

        Returns
        -------
        Proof
        """
        left, top = corner_px
        overlap = tuple((x + left, y + top) for x, y in self.overlap_first)
        differs = tuple(tuple((x + left, y + top) for x, y in part) for part in self.differs_first)
        moved = replace(self, overlap_first=overlap, differs_first=differs)
        if self.placement is None:
            return moved
        matrix = self.placement @ np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]])
        return replace(moved, matrix=rounded_rows(matrix / matrix[2, 2]))


def rounded_rows(matrix: Matrix) -> Rows:
    """Return a 3 x 3 matrix to 7 significant digits, as a `Proof` has it."""
    first, second, third = ([float(f"{value:.7g}") for value in row] for row in matrix.tolist())
    return (first[0], first[1], first[2]), (second[0], second[1], second[2]), (third[0], third[1], third[2])


def rounded_polygon(points: Iterable[Any]) -> Polygon:
    """Return corners to a tenth of a pixel, as a `Proof` has them."""
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in points)
