"""The formats that need a package beside Pillow: HEIF, JPEG XL and camera RAW.

Each package is loaded when the first such picture comes, and none is registered with Pillow: what other
code of the same process can open does not change.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PIL import ExifTags, Image

from lookalike.errors import DecodeError
from lookalike.extras import needs_extra

if TYPE_CHECKING:
    from types import ModuleType

SizeCheck = Callable[[tuple[int, int]], None]
"""Raises LimitError for a (width, height) beyond the limit; called before pixels are decoded."""

Opened = tuple[Image.Image, tuple[int, int], Image.Exif | None]
"""The picture, its original (width, height) in pixels, and its EXIF where the picture lacks it."""


def _load_extra(module: str, extra: str, format_name: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DecodeError(needs_extra(extra, f"{format_name} pictures")) from error


def open_heif(data: bytes, check_size: SizeCheck) -> Opened:
    """Open HEIC or HEIF; the library itself applies the rotation that the container asks for."""
    plugin: Any = importlib.import_module("pillow_heif")
    image: Image.Image = plugin.HeifImageFile(io.BytesIO(data))
    check_size(image.size)
    return image, image.size, None


def open_jxl(data: bytes, check_size: SizeCheck) -> Opened:
    """Open JPEG XL, whose plugin decodes all pixels at once, so that the size is checked by hand before."""
    plugin: Any = _load_extra("pillow_jxl.JpegXLImagePlugin", "jxl", "JPEG XL")
    size = _read_jxl_size(data)
    if size is not None:
        check_size(size)
    image: Image.Image = plugin.JXLImageFile(io.BytesIO(data))
    check_size(image.size)
    if not image.jpeg:  # type: ignore[attr-defined]
        # The decoder turned the picture already; only a recompressed JPEG comes back as it was.
        image.getexif()[ExifTags.Base.Orientation] = 1
    return image, image.size, None


def _read_jxl_size(data: bytes) -> tuple[int, int] | None:
    """Read (width, height) from the size header of ISO/IEC 18181-1, or None where it is not found."""
    start = 0 if data[:2] == b"\xff\x0a" else data.find(b"\xff\x0a", 0, 4096)
    if start < 0:
        return None
    bits, position = int.from_bytes(data[start + 2 : start + 18], "little"), 0

    def take(count: int) -> int:
        nonlocal position
        position += count
        return (bits >> (position - count)) & ((1 << count) - 1)

    def take_side() -> int:
        return (take(5) + 1) * 8 if is_small else take((9, 13, 18, 30)[take(2)]) + 1

    is_small = take(1)
    height = take_side()
    ratio = take(3)
    if ratio == 0:
        return take_side(), height
    across, down = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
    return height * across // down, height


def open_raw(data: bytes, check_size: SizeCheck) -> Opened:
    """Open a camera's RAW file.

    The camera's own JPEG inside is taken where it has at least half of the sensor's sides: it is what
    the photographer saw and what a RAW + JPEG pair has in common. Else the sensor data is developed at
    half size with the camera's white balance.
    """
    rawpy: Any = _load_extra("rawpy", "raw", "camera RAW")
    with rawpy.imread(io.BytesIO(data)) as raw:
        sizes = raw.sizes
        turned = sizes.flip in (5, 6)
        size = (sizes.height, sizes.width) if turned else (sizes.width, sizes.height)
        check_size(size)
        preview = _open_preview(raw, rawpy, min(size) // 2)
        if preview is not None:
            check_size(preview.size)
            # Its EXIF says how to turn it, so that the size is given as it lies in the file.
            lies_turned = (preview.width > preview.height) != (size[0] > size[1])
            return preview, (size[1], size[0]) if lies_turned else size, None
        pixels = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
    exif = read_tiff_tags(data) or Image.Exif()
    exif[ExifTags.Base.Orientation] = 1  # developed upright already
    return Image.fromarray(pixels), size, exif


def _open_preview(raw: Any, rawpy: Any, min_side_px: int) -> Image.Image | None:
    try:
        preview = raw.extract_thumb()
    except rawpy.LibRawError:
        return None
    if preview.format != rawpy.ThumbFormat.JPEG:
        return None
    try:
        image = Image.open(io.BytesIO(preview.data), formats=("JPEG",))
    except (OSError, ValueError):
        return None
    return image if min(image.size) >= min_side_px else None


def is_camera_raw(data: bytes) -> bool:
    """Tell NEF, ARW, DNG and PEF from ordinary TIFF, as which Pillow would show their thumbnail.

    Parameters
    ----------
    data : bytes    a whole file that starts like a TIFF

    Returns
    -------
    bool    its first directory is a DNG, holds sensor data, or is a small version of what lies deeper
    """
    tags = read_tiff_tags(data)
    if tags is None:
        return False
    sensor_data = tags.get(ExifTags.Base.PhotometricInterpretation) in (32803, 34892)
    is_small_version = tags.get(ExifTags.Base.NewSubfileType) == 1
    return (
        sensor_data
        or ExifTags.Base.DNGVersion in tags
        or (is_small_version and ExifTags.Base.SubIFDs in tags)
    )


def read_tiff_tags(data: bytes) -> Image.Exif | None:
    """Return the tags of a file that is a TIFF inside; None where they cannot be read."""
    tags = Image.Exif()
    try:
        tags.load(data)
        len(tags)  # broken tags fail only when they are looked at
    except Exception:  # and they fail in every way there is
        return None
    return tags
