"""What a person asks with -> a query: a label, what is known of it, and its features."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import InputError, PictureError
from lookalike.features.extract import EMBEDDING, Extractor, Prepared, for_cache
from lookalike.features.hashes import HASHES
from lookalike.queries.source import Box, Source
from lookalike.records.arrays import UInt8Array
from lookalike.settings import Settings

if TYPE_CHECKING:
    from lookalike.features.keypoints import Keypoints
    from lookalike.queries.reader import PictureReader
    from lookalike.queries.refined import Refinement

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

_FLIPS = (
    (False, False),
    (False, True),
    (True, True),
    (True, False),
    (False, False),
    (False, True),
    (True, True),
    (True, False),
)
"""For each orientation, whether rows and columns are reversed, after swapping them for the last four."""


@dataclass
class Query:
    """A picture that is asked about; features are computed when first wanted."""

    source: Source
    extractor: Extractor
    prepared: Prepared
    digest: bytes | None = None
    reader: PictureReader | None = None
    size_px: tuple[int, int] = (0, 0)
    camera: str | None = None
    box: Box | None = None
    refinement: Refinement | None = None
    _features: dict[str, NDArray[Any]] = field(default_factory=dict)

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

    def refined(self, refinement: Refinement) -> Query:
        """Return the query with what a person said of some answers taken into account."""
        return replace(self, refinement=refinement, _features=dict(self._features))

    def feature(self, name: str) -> NDArray[Any]:
        """Return one stored-form feature as a row, shape (1, d)."""
        if name not in self._features:
            self._features[name] = self.extractor.extract_one(name, self.prepared)[None]
        if name == EMBEDDING and self.refinement is not None:
            return self.refinement.apply(np.asarray(for_cache(EMBEDDING, self._features[name]), np.float32))
        return self._features[name]

    def turned_embedding(self, orientation: int) -> NDArray[np.float32]:
        """Return the embedding of the picture in one of the eight orientations, shape (1, d)."""
        key = f"embedding {orientation}"
        if key not in self._features:
            turned = np.ascontiguousarray(_turn(self.prepared.model_input, orientation))
            self._features[key] = self.extractor.embed(turned[None])
        row = np.asarray(for_cache(EMBEDDING, self._features[key]), np.float32)
        return row if self.refinement is None else self.refinement.apply(row)

    def turned_hashes(self, name: str) -> UInt8Array:
        """Return one hash of the picture in all eight orientations, shape (8, b)."""
        key = f"{name} turned"
        if key not in self._features:
            from PIL import Image

            size, grey = self.extractor.settings.hash_size, np.asarray(self.prepared.grey)
            turned = [Image.fromarray(_turn(grey, orientation)) for orientation in range(len(ORIENTATIONS))]
            self._features[key] = np.stack([HASHES[name](image, size) for image in turned])
        return self._features[key]


def _turn(pixels: UInt8Array, orientation: int) -> UInt8Array:
    """Return square pixels, (h, w) or (h, w, 3), in one of the eight orientations of `ORIENTATIONS`."""
    swapped = pixels.swapaxes(0, 1) if orientation >= 4 else pixels
    rows, columns = _FLIPS[orientation]
    return swapped[:: -1 if rows else 1, :: -1 if columns else 1]


def load_query(
    source: Source,
    extractor: Extractor,
    settings: Settings,
    *,
    box: Box | None = None,
    reader: PictureReader | None = None,
) -> Query:
    """Read, decode and prepare a query, or the part of it in the box; by this process if no reader is given.

    Raises
    ------
    PictureError    the picture cannot be read or decoded, or exceeds a limit
    """
    if reader is None:
        from lookalike.queries.reader import LocalReader

        reader = LocalReader(settings, lambda: extractor)
    try:
        read = reader.read(source, box)
    except PictureError as error:
        raise type(error)(f"{source.label}: {error}") from error
    size_px = (read.width_px, read.height_px)
    return Query(source, extractor, read.prepared, read.digest, reader, size_px, read.camera, box)
