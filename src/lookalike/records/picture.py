"""A decoded picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lookalike.records.arrays import UInt8Array

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Picture:
    """One decoded picture: upright, sRGB, opaque, first frame.

    Parameters
    ----------
    image : PIL image of mode RGB    maybe smaller than the original, see `decode`
    width_px, height_px : int        size of the original, upright
    format : str                     the file's format in lower case (``jpeg``, ``png``, ``heif``, ...);
                                     ``pixels`` for pictures that were handed over in memory
    taken_at : str or None           the camera's own time, ``YYYY-MM-DDTHH:MM:SS``, where it is known
    camera : str or None             its make and model, where they are known
    """

    image: Image
    width_px: int
    height_px: int
    format: str
    taken_at: str | None = None
    camera: str | None = None

    @property
    def rgb(self) -> UInt8Array:
        """The pixels as a uint8 array of shape (h, w, 3)."""
        return np.asarray(self.image)
