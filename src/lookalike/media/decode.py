"""From bytes to pixels: the only place that opens image files.

Importing this module lifts Pillow's own pixel limit (``PIL.Image.MAX_IMAGE_PIXELS = None``) for the whole
process; `Settings.max_pixels` takes its place and is checked before anything is decoded. Nothing else of
Pillow's is changed.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from lookalike.errors import DecodeError, InputError, LimitError, PictureError
from lookalike.media.color_management import flatten, to_srgb
from lookalike.media.extras import Opened, SizeCheck, is_camera_raw, open_heif, open_jxl, open_raw
from lookalike.media.files import read_file
from lookalike.media.formats import HEAD_BYTES, describe_stranger, sniff_format
from lookalike.media.quiet import QUIET_STDERR, QUIET_WARNINGS
from lookalike.records.arrays import UInt8Array
from lookalike.records.picture import Picture
from lookalike.settings import Settings

__all__ = [
    "MAY_HOLD_SEVERAL",
    "count_frames",
    "decode",
    "open_native",
    "orientation_of",
    "sniff_format",
    "turn_upright",
]

Image.MAX_IMAGE_PIXELS = None

_PILLOW_PLUGINS = {
    "jpeg": ("JPEG", "JpegImagePlugin"),
    "png": ("PNG", "PngImagePlugin"),
    "gif": ("GIF", "GifImagePlugin"),
    "webp": ("WEBP", "WebPImagePlugin"),
    "bmp": ("BMP", "BmpImagePlugin"),
    "tiff": ("TIFF", "TiffImagePlugin"),
    "ppm": ("PPM", "PpmImagePlugin"),
    "ico": ("ICO", "IcoImagePlugin"),
    "cur": ("CUR", "CurImagePlugin"),
    "psd": ("PSD", "PsdImagePlugin"),
    "jpeg2000": ("JPEG2000", "Jpeg2KImagePlugin"),
    "avif": ("AVIF", "AvifImagePlugin"),
    "tga": ("TGA", "TgaImagePlugin"),
}
_OTHER_OPENERS: dict[str, Callable[[bytes, SizeCheck], Opened]] = {
    "heif": open_heif,
    "jxl": open_jxl,
    "raw": open_raw,
}
_NOT_DECODED = {
    "svg": "this is SVG, a drawing, which is not decoded; export it as PNG",
    "hdr": "this is Radiance HDR, which is not decoded; export it as PNG or TIFF",
    "exr": "this is OpenEXR, which is not decoded; export it as PNG or TIFF",
}
_TITLES = {"jpeg": "JPEG", "jpeg2000": "JPEG 2000", "webp": "WebP", "jxl": "JPEG XL", "raw": "camera RAW"}

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
MAX_CAMERA_LENGTH = 100
_EXIF_HOLDERS = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
_DATE_PATTERN = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")

MAY_HOLD_SEVERAL = frozenset(("gif", "png", "webp", "tiff", "heif", "avif", "jxl"))
"""Formats of animations, sequences and pages. A JPEG holds more only as previews and maps of its one picture."""

_ARRAY_SHAPES = "(height, width), (height, width, 3) or (height, width, 4)"
_DEFAULT_SETTINGS = Settings()


def decode(
    source: bytes | str | Path | Image.Image | UInt8Array,
    *,
    min_side_px: int | None = None,
    settings: Settings = _DEFAULT_SETTINGS,
) -> Picture:
    """Decode one picture to upright, opaque, 8-bit sRGB; of an animation its first or default frame.

    The orientation of EXIF is applied, colour profiles are converted to sRGB, and transparent parts lie
    over white. An ordinary picture keeps exactly the pixels that Pillow's ``convert("RGB")`` gives.

    Parameters
    ----------
    source : bytes, str or path, PIL image, or uint8 array
        the content of a file; the path of one; or pixels in memory: an image of any mode, which is not
        changed, or an array of shape (h, w), (h, w, 3) in RGB or (h, w, 4) in RGBA order
    min_side_px : int or None
        the picture may come back smaller, as long as no side falls below this; much faster for large
        pictures. None decodes in full
    settings : Settings
        `max_pixels` and, for paths, `max_bytes` limit what is decoded

    Returns
    -------
    Picture    its image shares no memory with `source`

    Raises
    ------
    InputError     `source` or `min_side_px` is of no kind that can be used
    ReadError      the path cannot be read
    DecodeError    the bytes are damaged, no picture, or of a format that is not decoded here
    LimitError     the picture exceeds a limit of `settings`, or the memory
    """
    if min_side_px is not None and min_side_px < 1:
        raise InputError(f"min_side_px = {min_side_px} must be at least 1, or None to decode in full.")
    if isinstance(source, str | Path):
        source = read_file(source, max_bytes=settings.max_bytes).data
    if isinstance(source, bytes):
        name = sniff_format(source[:HEAD_BYTES]) or "tga"
        with QUIET_WARNINGS, _translated_errors(name, source):
            return _decode_file(source, name, min_side_px, settings)
    image = _take_pixels(source)
    with QUIET_WARNINGS, _translated_errors("pixels", b""):
        _check_size(image.size, settings)
        image.load()
        return _finish(image, image.size, None, name="pixels", min_side_px=min_side_px)


def count_frames(data: bytes, *, settings: Settings = _DEFAULT_SETTINGS) -> int:
    """Return how many pictures a file holds: frames of an animation, pages, pictures of a sequence.

    Only the formats of `MAY_HOLD_SEVERAL` are looked into; all others hold 1.

    Raises
    ------
    DecodeError    the bytes are damaged or no picture
    LimitError     the picture exceeds a limit of `settings`, or the memory
    """
    name = sniff_format(data[:HEAD_BYTES])
    if name not in MAY_HOLD_SEVERAL or (name == "tiff" and is_camera_raw(data)):
        return 1

    def check_size(size: tuple[int, int]) -> None:
        _check_size(size, settings)

    quiet = QUIET_STDERR if name == "tiff" else nullcontext()
    with QUIET_WARNINGS, quiet, _translated_errors(name, data):
        opener = _OTHER_OPENERS.get(name)
        image = opener(data, check_size)[0] if opener else _open_with_pillow(data, name, check_size)[0]
        return int(getattr(image, "n_frames", 1))


@contextlib.contextmanager
def open_native(data: bytes, *, settings: Settings = _DEFAULT_SETTINGS) -> Iterator[tuple[Image.Image, str]]:
    """Open a file's first picture as it is stored, and name its format; pixels are decoded when asked for.

    Whatever fails inside is raised as a PictureError.

    Raises
    ------
    DecodeError    the bytes are damaged or no picture
    LimitError     the picture exceeds a limit of `settings`, or the memory
    """
    name = sniff_format(data[:HEAD_BYTES]) or "tga"

    def check_size(size: tuple[int, int]) -> None:
        _check_size(size, settings)

    quiet = QUIET_STDERR if name == "tiff" else nullcontext()
    with QUIET_WARNINGS, quiet, _translated_errors(name, data):
        if name in _NOT_DECODED:
            raise DecodeError(_NOT_DECODED[name])
        if name == "tiff" and is_camera_raw(data):
            name = "raw"
        opener = _OTHER_OPENERS.get(name)
        yield (opener(data, check_size) if opener else _open_with_pillow(data, name, check_size))[0], name


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF tag by which an image that was loaded is to be turned, 1 to 8."""
    return _read_exif(image, None)[0]


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return an image turned as an EXIF tag says."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _decode_file(data: bytes, name: str, min_side_px: int | None, settings: Settings) -> Picture:
    if name in _NOT_DECODED:
        raise DecodeError(_NOT_DECODED[name])

    def check_size(size: tuple[int, int]) -> None:
        _check_size(size, settings)

    if name == "tiff" and is_camera_raw(data):
        name = "raw"
    opener = _OTHER_OPENERS.get(name)
    image, size, exif = opener(data, check_size) if opener else _open_with_pillow(data, name, check_size)
    if min_side_px is not None and image.format in ("JPEG", "MPO"):
        # The decoder leaves out high frequencies: halves, quarters, eighths at a fraction of the time.
        # Pillow takes the smallest of them that is not below this size, and rounds sides up.
        image.draft(None, (min_side_px, min_side_px))
    with QUIET_STDERR if name == "tiff" else nullcontext():
        image.load()
    return _finish(image, size, exif, name=name, min_side_px=min_side_px)


def _open_with_pillow(data: bytes, name: str, check_size: SizeCheck) -> Opened:
    """Open with the one plugin that the first bytes announce: quicker, and no other can be fooled."""
    format_name, module = _PILLOW_PLUGINS[name]
    importlib.import_module(f"PIL.{module}")
    if name == "ico":
        _check_icon_sizes(data, check_size)
    image = Image.open(io.BytesIO(data), formats=(format_name,))
    check_size(image.size)
    return image, image.size, None


def _check_icon_sizes(data: bytes, check_size: SizeCheck) -> None:
    """Check the pictures inside an icon: Pillow decodes one while it opens the icon, whatever its size."""
    n_entries = int.from_bytes(data[4:6], "little")
    for entry in range(6, 6 + 16 * n_entries, 16):
        start = int.from_bytes(data[entry + 12 : entry + 16], "little")
        inner = data[start : start + 24]
        if inner.startswith(b"\x89PNG") and len(inner) == 24:
            width_px, height_px = struct.unpack(">II", inner[16:24])
        elif len(inner) == 24:
            width_px, height_px = struct.unpack("<ii", inner[4:12])
        else:
            continue  # cut short: Pillow will say so
        check_size((abs(width_px) or 1, abs(height_px) or 1))


def _check_size(size: tuple[int, int], settings: Settings) -> None:
    width_px, height_px = size
    if width_px < 1 or height_px < 1:
        raise DecodeError(f"the picture is empty: its size is {width_px} x {height_px} pixels")
    if width_px * height_px > settings.max_pixels:
        raise LimitError(
            f"the picture has {width_px:,} x {height_px:,} = {width_px * height_px:,} pixels, "
            f"more than the limit of {settings.max_pixels:,} (setting max_pixels)"
        )


def _take_pixels(source: object) -> Image.Image:
    """Return pixels in memory as an image of our own, so that the caller's stays as it is."""
    if isinstance(source, Image.Image):
        return source
    if not isinstance(source, np.ndarray):
        raise InputError(
            f"a {type(source).__name__} is no picture: give bytes, a path, a PIL image or a uint8 array."
        )
    layout = source.shape[2:]
    if source.dtype != np.uint8 or source.ndim not in (2, 3) or layout not in ((), (3,), (4,)):
        raise InputError(
            f"an array of {source.dtype} of shape {source.shape} is no picture: "
            f"it must be uint8 of shape {_ARRAY_SHAPES}."
        )
    if source.size == 0:
        raise InputError(f"an array of shape {source.shape} holds no pixels.")
    return Image.fromarray(np.ascontiguousarray(source))


def _finish(
    image: Image.Image,
    size: tuple[int, int],
    exif: Image.Exif | None,
    *,
    name: str,
    min_side_px: int | None,
) -> Picture:
    """Turn loaded pixels into a picture; the size shrinks first, so that the rest has less to do."""
    orientation, taken_at, camera = _read_exif(image, exif)
    profile = image.info.get("icc_profile")
    finished = to_srgb(_reduce(flatten(image), min_side_px), profile)
    if orientation in _UPRIGHT:
        finished = turn_upright(finished, orientation)
    elif name == "pixels" and finished is image:
        finished = image.copy()
    finished.info = {}  # else Pillow would write the old profile and orientation into what is saved of it
    width_px, height_px = reversed(size) if orientation >= 5 else size
    return Picture(finished, width_px, height_px, name, taken_at, camera)


def _reduce(image: Image.Image, min_side_px: int | None) -> Image.Image:
    factor = min(image.size) // min_side_px if min_side_px else 1
    return image.reduce(factor) if factor >= 2 else image


def _read_exif(image: Image.Image, exif: Image.Exif | None) -> tuple[int, str | None, str | None]:
    """Return orientation, time and camera. Only after the pixels are loaded: a TIFF turns itself while it loads."""
    if exif is None and not hasattr(image, "tag_v2") and not any(key in image.info for key in _EXIF_HOLDERS):
        return 1, None, None
    try:
        found = image.getexif() if exif is None else exif
        orientation = found.get(ExifTags.Base.Orientation, 1)
        return orientation if orientation in _UPRIGHT else 1, _read_time(found), read_camera(found)
    except Exception:  # broken EXIF fails in every way there is, and is no reason to lose the picture
        return 1, None, None


def read_camera(exif: Image.Exif) -> str | None:
    """Return make and model of the camera, in one line; the make is often part of the model's name."""
    texts = (exif.get(tag) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    make, model = (" ".join(text.split("\0")[0].split()) if isinstance(text, str) else "" for text in texts)
    name = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    printable = "".join(letter for letter in name if letter.isprintable()).strip()
    return printable[:MAX_CAMERA_LENGTH] or None


def _read_time(exif: Image.Exif) -> str | None:
    original = None
    if ExifTags.IFD.Exif in exif:
        original = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
    for text in (original, exif.get(ExifTags.Base.DateTime)):
        found = _DATE_PATTERN.match(text) if isinstance(text, str) else None
        if found:
            with contextlib.suppress(ValueError):  # cameras without a set clock write 0000:00:00
                return datetime(*map(int, found.groups())).isoformat()  # type: ignore[arg-type]
    return None


@contextlib.contextmanager
def _translated_errors(name: str, data: bytes) -> Iterator[None]:
    """Turn whatever a decoder raises into a PictureError that a person understands.

    Damaged files make decoders fail in every way there is (OSError, SyntaxError, struct.error, ...), so
    that all of them are taken here, at the one border to the decoders.
    """
    try:
        yield
    except PictureError:
        raise
    except MemoryError as error:
        raise LimitError("there is not enough memory to decode the picture") from error
    except Exception as error:
        raise DecodeError(_explain(name, data, error)) from error
    except BaseException as error:
        # Decoders written in Rust panic with an exception that is not an Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise DecodeError(_explain(name, data, error)) from error


_CUT_SHORT = ("truncated", "not enough image data", "end of file", "failed to read next frame")
_DAMAGED = (
    "broken data stream",
    "unrecognized data stream",
    "decoding error",
    "decoder error",
    "Generic Error",
)


def _explain(name: str, data: bytes, error: BaseException) -> str:
    title = _TITLES.get(name, name.upper())
    text = str(error)
    if name == "tga" and isinstance(error, UnidentifiedImageError):
        return describe_stranger(data)  # TGA has no magic number: it was only the last guess
    if any(words in text.lower() for words in _CUT_SHORT):
        return f"the file is cut short: its {title} data ends early"
    if any(words in text for words in _DAMAGED):
        return f"the {title} data is damaged or cut short"
    if isinstance(error, UnidentifiedImageError) or "not identified" in text:
        return f"the {title} header is damaged or cut short"
    if "not available" in text:
        return f"the Pillow installed here was built without a decoder for this {title} file ({text})"
    if "Decompressed data too large" in text or "Too much memory used" in text:
        return f"the {title} file holds text or a profile that unpacks to far more than is sensible"
    if isinstance(error, OSError | SyntaxError | ValueError | NotImplementedError) and text:
        return f"the {title} file is damaged or of a kind that is not decoded here ({text})"
    return f"the {title} data is damaged ({type(error).__name__}: {text})"
