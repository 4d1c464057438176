"""A picture -> a small one to show."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.errors import LookalikeError
from lookalike.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

THUMBNAIL_PX = 224
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def thumbnail_url(source: Any, settings: Settings) -> str | None:
    """Return a small JPEG of a picture, in its own shape, as a ``data:`` URL; None where it cannot be read."""
    image = small_image(source, settings)
    return None if image is None else data_url(image)


def data_url(image: Image, side_px: int = 2 * THUMBNAIL_PX, quality: int = 85) -> str:
    """Return a picture as a JPEG of at most `side_px` a side, in a ``data:`` URL."""
    small = image.copy()
    small.thumbnail((side_px, side_px))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=quality)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def picture_bytes(image: Image, suffix: str) -> bytes:
    """Return a PIL image as a file of the format that a suffix names, such as ``.png``."""
    buffer = io.BytesIO()
    image.save(buffer, _FORMATS[suffix.lower()])
    return buffer.getvalue()


def small_image(source: Any, settings: Settings) -> Any | None:
    """Return a small PIL image of a picture, in its own shape, or None where it cannot be read."""
    from lookalike.media.decode import decode
    from lookalike.queries.source import STDIN, parse_source

    if source == STDIN:
        return None
    try:
        place = parse_source(source, None) if isinstance(source, str) else None
        where: Any = Path(place.path) if place is not None and place.path is not None else source
        image = decode(where, min_side_px=THUMBNAIL_PX, settings=settings).image
    except LookalikeError:
        return None
    image = image.copy()
    image.thumbnail((2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX))
    return image
