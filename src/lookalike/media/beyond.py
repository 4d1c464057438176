"""Files -> what they hold beyond the opaque 8-bit sRGB picture that `decode` makes of them.

`decode` lays transparency over white, drops low bytes, clips colours and passes over all but the first picture.
That serves comparing; but "every pixel is equal" may only be said of what the files themselves hold.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.media.color_management import exceeds_srgb
from lookalike.media.decode import count_frames, decode, open_native, orientation_of, turn_upright
from lookalike.media.extras import is_camera_raw
from lookalike.media.formats import HEAD_BYTES, sniff_format
from lookalike.media.quiet import QUIET_STDERR
from lookalike.records.arrays import UInt8Array
from lookalike.records.beyond import Beyond
from lookalike.settings import Settings

MIN_MORE_BYTES = 4096
"""Fewer bytes behind a picture are padding and notes of the camera's maker."""

SENSOR_BITS = 14
"""What camera RAW counts as; its sensors have 12 to 16."""

_DEFAULT_SETTINGS = Settings()
_WITH_ALPHA = frozenset(("LA", "La", "PA", "RGBA", "RGBa"))
_MAY_HOLD_GAIN_MAP = frozenset(("jpeg", "heif", "avif", "jxl"))
_GAIN_MAP_MARKS = (b"hdrgm:Version", b"hdr-gain-map", b"hdrgainmap", b"iso:21496")
_SAMSUNG_FILM = b"MotionPhoto_Data"
_FILM_IN_HEIF = b"mpvd"
_JPEG_START = b"\xff\xd8\xff"
_PREVIEW = "Large Thumbnail"
_BITS_PER_SAMPLE = 258

Samples = NDArray[np.generic]


def find_beyond(data: bytes, *, settings: Settings = _DEFAULT_SETTINGS) -> Beyond:
    """Return what a file holds beyond its first picture in opaque 8-bit sRGB.

    Parameters
    ----------
    data : bytes    the content of a file

    Raises
    ------
    PictureError    it cannot be decoded
    """
    if _is_raw(data):
        return Beyond(depth_bits=SENSOR_BITS)
    with open_native(data, settings=settings) as (image, name):
        behind = _behind_jpeg(data) if name == "jpeg" else b""
        n_pictures = _count_views(image) if name == "jpeg" else count_frames(data, settings=settings)
        has_film = _holds_film(behind) or (name == "heif" and _FILM_IN_HEIF in data)
        is_explained = has_film or hasattr(image, "mpinfo") or _JPEG_START in behind
        return Beyond(
            has_transparency=_opacity(image) is not None,
            depth_bits=_depth_bits(image, data, name),
            has_wide_colors=exceeds_srgb(image.info.get("icc_profile")),
            n_pictures=n_pictures,
            n_layers=len(getattr(image, "layers", ())) if name == "psd" else 0,
            has_gain_map=name in _MAY_HOLD_GAIN_MAP and any(mark in data for mark in _GAIN_MAP_MARKS),
            has_film=has_film,
            has_more=not is_explained and len(behind.strip(b"\0")) >= MIN_MORE_BYTES,
        )


def have_equal_pixels(first: bytes, second: bytes, *, settings: Settings = _DEFAULT_SETTINGS) -> bool:
    """Whether the first pictures of two files are equal in all that the files hold of each pixel.

    Colours, opacity, and every bit of channels deeper than 8 bits; where those cannot be read, it is not
    claimed. Both upright, so that a tag for turning does not count.

    Raises
    ------
    PictureError    one of them cannot be decoded
    """
    if first == second:
        return True
    pictures = [decode(data, settings=settings) for data in (first, second)]
    if pictures[0].image.size != pictures[1].image.size:
        return False
    if not np.array_equal(pictures[0].rgb, pictures[1].rgb):
        return False
    beneath = [_beneath(data, settings) for data in (first, second)]
    depths = [depth_bits for _, depth_bits, _ in beneath]
    if depths[0] != depths[1] or not _are_equal(beneath[0][0], beneath[1][0]):
        return False
    samples = [deep for _, _, deep in beneath]
    return depths[0] == 8 or (samples[0] is not None and _are_equal(*samples))


def _beneath(data: bytes, settings: Settings) -> tuple[Samples | None, int, Samples | None]:
    """Return opacity, depth, and the deep levels of a picture."""
    if _is_raw(data):
        return None, SENSOR_BITS, None
    with open_native(data, settings=settings) as (image, name):
        depth_bits = _depth_bits(image, data, name)
        return _opacity(image), depth_bits, _deep_samples(image, data, name) if depth_bits > 8 else None


def _are_equal(first: Samples | None, second: Samples | None) -> bool:
    if first is None or second is None:
        return first is second
    return bool(np.array_equal(first, second))


def opacity_of(data: bytes, *, settings: Settings = _DEFAULT_SETTINGS) -> UInt8Array | None:
    """Return how opaque each pixel of a file's first picture is, upright: (h, w), 255 for opaque.

    None where all of it is opaque.

    Raises
    ------
    PictureError    it cannot be decoded
    """
    if _is_raw(data):
        return None
    with open_native(data, settings=settings) as (image, _):
        return _opacity(image)


def _is_raw(data: bytes) -> bool:
    name = sniff_format(data[:HEAD_BYTES])
    return name == "raw" or (name == "tiff" and is_camera_raw(data))


def _opacity(image: Image.Image) -> UInt8Array | None:
    if image.mode not in _WITH_ALPHA and "transparency" not in image.info:
        return None
    layered = image if image.mode in ("LA", "RGBA") else image.convert("LA" if image.mode == "La" else "RGBA")
    alpha = layered.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return None
    return np.asarray(turn_upright(alpha, orientation_of(image)))


def _count_views(image: Image.Image) -> int:
    """Count the pictures of a JPEG file: stereo views and panorama parts, but no previews."""
    entries = getattr(image, "mpinfo", {}).get(0xB002, ())
    if not entries:
        return 1
    return 1 + sum(_PREVIEW not in entry["Attribute"]["MPType"] for entry in entries[1:])


def _behind_jpeg(data: bytes) -> bytes:
    """Return the bytes behind the end of a JPEG's own picture."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xD9:
            return data[at + 2 :]
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD7:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            following = _NEXT_MARKER.search(data, at)
            if following is None:
                return b""
            at = following.start()
    return b""


_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _holds_film(behind: bytes) -> bool:
    return b"ftyp" in behind or _SAMSUNG_FILM in behind


def _depth_bits(image: Image.Image, data: bytes, name: str) -> int:
    """Return the bits of a channel as far as its levels use them; 8 for what is 8 bit in a deeper box."""
    declared = _declared_depth_bits(image, data, name)
    if declared <= 8:
        return 8
    samples = _deep_samples(image, data, name)
    if samples is None or samples.dtype != np.uint16:
        return declared
    levels = samples.astype(np.uint16, copy=False)
    low, high = levels & 255, levels >> 8
    return 8 if bool(np.all(low == 0)) or bool(np.all(low == high)) else declared


def _declared_depth_bits(image: Image.Image, data: bytes, name: str) -> int:
    if name == "png":
        return data[24]
    if name == "tiff":
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, 8)
        return max(bits) if isinstance(bits, tuple) else int(bits)
    if name == "heif":
        return int(image.info.get("bit_depth", 8))
    if name == "avif":
        box = data.find(b"av1C")
        flags = data[box + 6] if 0 <= box < len(data) - 6 else 0
        return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    if image.mode.startswith("I;16"):
        return 16
    return 32 if image.mode in ("I", "F") else 8


def _deep_samples(image: Image.Image, data: bytes, name: str) -> Samples | None:
    """Return the numbers of the file as they are, upright, where there is a way to read them."""
    if image.mode.startswith("I") or image.mode == "F":
        return np.asarray(image)
    if name in ("png", "tiff"):
        import cv2

        # A TIFF turns itself while Pillow loads it, and here not at all: both are compared as they are stored.
        flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
        with QUIET_STDERR:
            found = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        return found if found is not None and found.dtype == np.uint16 else None
    return None
