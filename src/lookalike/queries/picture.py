"""A picture as a query: a label, what is known of it, and its features, computed when first wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from lookalike.errors import InputError
from lookalike.features.extract import Extractor
from lookalike.features.prepared import Prepared
from lookalike.queries.source import Box, Source, check_box

if TYPE_CHECKING:
    from lookalike.features.keypoints import Keypoints
    from lookalike.queries.reader import PictureReader

ORIENTATIONS = (
    "upright",
    "mirrored",
    "turned 180°",
    "flipped top to bottom",
    "mirrored, turned 90° left",
    "turned 90° right",
    "mirrored, turned 90° right",
    "turned 90° left",
)
"""The eight ways to lay a picture, in the order of EXIF orientation; what was done to reach the match."""


@dataclass(eq=False)
class PictureQuery:
    """A picture that is asked about, whole or the part of it in a box; see `lookalike.queries.query.Query`."""

    source: Source
    extractor: Extractor
    prepared: Prepared
    reader: PictureReader | None = None
    digest: bytes | None = None
    size_px: tuple[int, int] = (0, 0)
    camera: str | None = None
    box: Box | None = None
    _turned: dict[int, Prepared] = field(default_factory=dict)
    _rows: dict[tuple[str, int], NDArray[Any]] = field(default_factory=dict)

    n_orientations = len(ORIENTATIONS)
    left_out: frozenset[int] = frozenset()
    is_refined = False

    @property
    def path(self) -> str | None:
        """The file that was asked about, if it is one."""
        return self.source.path

    @cached_property
    def keypoints(self) -> Keypoints:
        """The local features; the picture is decoded again for them, larger than the thumbnail needs."""
        if self.reader is None:
            raise InputError("this query has no reader, so that its local features cannot be computed.")
        return self.reader.keypoints(self.source, self.box)

    @cached_property
    def parts(self) -> list[PictureQuery]:
        """See `Query.parts`; the picture is decoded again for them."""
        from lookalike.queries.parts import prepare_parts

        if self.reader is None or self.box is not None:
            return []
        cut = self.reader.run(prepare_parts, self.source)
        return [PictureQuery(self.source, self.extractor, one) for one in cut]

    def has(self, feature: str) -> bool:
        """See `Query.has`."""
        return feature in self.extractor.features

    def row(self, feature: str, orientation: int = 0) -> NDArray[Any]:
        """See `Query.row`."""
        key = feature, orientation
        if key not in self._rows:
            stored = self.extractor.extract_one(feature, self._laid(orientation))
            self._rows[key] = self.extractor.features[feature].kind.index_rows(stored[None])
        return self._rows[key]

    def _laid(self, orientation: int) -> Prepared:
        if orientation not in self._turned:
            self._turned[orientation] = self.prepared.turned(orientation)
        return self._turned[orientation]


def load_query(
    source: Source, extractor: Extractor, reader: PictureReader, *, box: Box | None = None
) -> PictureQuery:
    """Read, decode and prepare a query, or the part of it in the box.

    Raises
    ------
    PictureError
        The picture cannot be read or decoded, or exceeds a limit.
    InputError
        A box that does not lie in the picture.
    """
    box = check_box(box)
    with source.named():
        read = reader.read(source, box)
    size_px = (read.width_px, read.height_px)
    return PictureQuery(source, extractor, read.prepared, reader, read.digest, size_px, read.camera, box)
