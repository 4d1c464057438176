"""Pictures in full size, with what is transparent, as two of them are laid over each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import DecodeError
from lookalike.media.beyond import have_equal_pixels, opacity_of
from lookalike.media.decode import decode
from lookalike.records.arrays import UInt8Array
from lookalike.settings import Settings


@dataclass(frozen=True, eq=False)
class Sight:
    """A picture in full size, as it is looked at.

    Parameters
    ----------
    pixels : uint8 array of shape (h, w, 3)    RGB, transparent parts over white
    opacity : uint8 array of shape (h, w)      255 for opaque; None where all of it is
    file : bytes                               what it was decoded from; None where that is not known
    """

    pixels: UInt8Array
    opacity: UInt8Array | None = None
    file: bytes | None = None

    def on(self, ground: float | NDArray[np.float64]) -> UInt8Array:
        """Return the pixels over another ground, grey or RGB in levels of 255."""
        if self.opacity is None:
            return self.pixels
        clear = 1 - self.opacity[..., None].astype(np.float32) / 255
        laid = self.pixels - clear * (255 - np.asarray(ground, np.float32))
        return np.asarray(np.clip(np.rint(laid), 0, 255), np.uint8)

    def cut(self, corners: tuple[int, int, int, int]) -> Sight:
        """Return the part between left, top, right and bottom, in pixels."""
        left, top, right, bottom = corners
        part = slice(top, bottom), slice(left, right)
        return Sight(self.pixels[part], None if self.opacity is None else self.opacity[part])

    def equals(self, other: Sight, settings: Settings) -> bool:
        """Whether all pixels are equal, in all that the files hold of them; raise PictureError."""
        if self.pixels.shape != other.pixels.shape or not np.array_equal(self.pixels, other.pixels):
            return False
        if self.file is None or other.file is None:
            return True
        return have_equal_pixels(self.file, other.file, settings=settings)


def see(data: bytes, settings: Settings) -> Sight:
    """Decode a file in full, with its opacity; raise PictureError."""
    pixels, opacity = decode(data, settings=settings).rgb, opacity_of(data, settings=settings)
    if opacity is not None and opacity.shape != pixels.shape[:2]:
        raise DecodeError("the transparency of the picture has another size than its colours")
    return Sight(pixels, opacity, data)
