"""Makers of small synthetic and bundled pictures for the tests; nothing is downloaded."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image
from skimage import data

WRITABLE_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "ICO", "TGA", "JPEG2000", "AVIF")
"""Formats that Pillow itself can write."""


@lru_cache
def photo(width_px: int = 96, height_px: int = 64, name: str = "astronaut") -> Image.Image:
    """Return one of scikit-image's bundled photos in RGB; do not change it, it is shared."""
    return Image.fromarray(getattr(data, name)()).convert("RGB").resize((width_px, height_px))


def noise(width_px: int = 64, height_px: int = 64, seed: int = 0) -> Image.Image:
    """Return RGB noise."""
    levels = np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)
    return Image.fromarray(levels)


def encode(image: Image.Image, format_name: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a file of that format."""
    file = io.BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def exif(orientation: int | None = None, taken_at: str | None = None, original: str | None = None) -> bytes:
    """Return an EXIF block; times are in EXIF's own writing, ``2020:01:31 12:00:00``."""
    block = Image.Exif()
    if orientation is not None:
        block[0x0112] = orientation
    if taken_at is not None:
        block[0x0132] = taken_at
    if original is not None:
        block.get_ifd(0x8769)[0x9003] = original
    return block.tobytes()


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean absolute difference of two RGB pictures of one size, in levels of 0-255."""
    assert one.size == other.size
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean())
