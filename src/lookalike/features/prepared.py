"""What the features of one picture are computed from: one thumbnail, and what other models see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.features.color import Pixels
from lookalike.records.arrays import UInt8Array

if TYPE_CHECKING:
    from PIL.Image import Image

THUMBNAIL_PX = 224
ORIENTATIONS = 8
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
"""For each orientation of EXIF, whether rows and columns are reversed, after swapping them for the last four."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture made small; it is kept, and sent to other processes, in place of the picture.

    Parameters
    ----------
    thumbnail : PIL image of mode RGB
        The whole picture squeezed to 224 x 224: what the bundled model sees, and more than hashes and histograms
        need.
    views : uint8 arrays by name, shape (h, h, 3), RGB
        What models see that take another size, or a part of the picture.
    """

    thumbnail: Image
    views: Mapping[str, UInt8Array] = field(default_factory=dict)

    @cached_property
    def small(self) -> Pixels:
        """The thumbnail at half its size, for the histograms."""
        return Pixels(self.thumbnail.reduce(2))

    @cached_property
    def _greys(self) -> dict[int, Image]:
        return {}

    def grey(self, side_px: int) -> Image:
        """Return the luma of the thumbnail, reduced to at least `side_px` a side."""
        if side_px not in self._greys:
            self._greys[side_px] = self.thumbnail.reduce(THUMBNAIL_PX // side_px).convert("L")
        return self._greys[side_px]

    def view(self, name: str) -> UInt8Array:
        """Return what a model sees: a view of its own, else the thumbnail; uint8, shape (h, h, 3), RGB."""
        return self.views[name] if name in self.views else np.asarray(self.thumbnail)

    def turned(self, orientation: int) -> Prepared:
        """Return the same picture laid in one of the eight orientations of EXIF, 0 (upright) to 7."""
        if orientation == 0:
            return self
        from PIL.Image import fromarray

        views = {name: turn_pixels(view, orientation) for name, view in self.views.items()}
        return Prepared(fromarray(turn_pixels(np.asarray(self.thumbnail), orientation)), views)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is sent to another process: what it cannot compute itself."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def turn_pixels(pixels: UInt8Array, orientation: int) -> UInt8Array:
    """Return square pixels, (h, h) or (h, h, 3), laid in one of the eight orientations of EXIF, 0 to 7."""
    swapped = pixels.swapaxes(0, 1) if orientation >= 4 else pixels
    rows, columns = _FLIPS[orientation]
    return np.ascontiguousarray(swapped[:: -1 if rows else 1, :: -1 if columns else 1])


def make_thumbnail(image: Image) -> Image:
    """Return the whole picture squeezed to 224 x 224, whatever its shape, without aliasing."""
    from PIL.Image import Resampling

    if image.size == (THUMBNAIL_PX, THUMBNAIL_PX):
        return image
    return image.resize((THUMBNAIL_PX, THUMBNAIL_PX), Resampling.BILINEAR)
