"""What is asked -> what is sent to a server: parameters of a search, and the bytes of pictures."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from lookalike.errors import InputError, PictureError
from lookalike.media.files import absolute_path, digest_of, read_file
from lookalike.queries.source import Box, Source, parse_source
from lookalike.settings import Settings
from lookalike.storage.filters import Filter

_MAX_ID_DIGITS = 18


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that have a value."""
    return {name: value for name, value in values.items() if value is not None}


def search_parameters(
    *,
    k: int,
    by: str,
    min_score: float | None,
    max_distance: float | None,
    where: Filter | None,
    verify: bool,
    box: Box | None,
    liked: Sequence[int],
    disliked: Sequence[int],
    precision: float | None,
) -> dict[str, Any]:
    """Return the options of a search as the server takes them."""
    return present(
        {
            "k": k,
            "by": by,
            "verify": str(verify).lower(),
            "min_score": min_score,
            "max_distance": max_distance,
            "precision": precision,
            "box": None if box is None else ",".join(map(str, box)),
            "liked": ",".join(map(str, liked)) or None,
            "disliked": ",".join(map(str, disliked)) or None,
            **_filter_parameters(where or Filter()),
        }
    )


def _filter_parameters(where: Filter) -> dict[str, Any]:
    return {
        "folder": None if where.folder is None else absolute_path(where.folder),
        "format": list(where.formats) or None,
        "min_side": where.min_side_px or None,
        "min_bytes": where.min_bytes,
        "max_bytes": where.max_bytes,
        "since": where.since,
        "until": where.until,
    }


def id_of(picture: Any) -> int | None:
    """Return the number of ``id:N``; None for any other picture."""
    if not isinstance(picture, str) or not picture.startswith("id:"):
        return None
    number = picture[3:]
    if not number.isdecimal() or len(number) > _MAX_ID_DIGITS:
        raise InputError(f"{picture!r} is no id: give id:N.")
    return int(number)


def source_of(picture: Any, settings: Settings) -> Source:
    """Return where a picture of this machine is."""
    return parse_source(picture, None, max_bytes=settings.max_bytes)


def picture_file(picture: Any, settings: Settings) -> tuple[str, bytes]:
    """Return the name and the bytes of a picture of this machine, to send them.

    Raises
    ------
    PictureError
        It cannot be read.
    """
    source = source_of(picture, settings)
    if source.path is not None:
        data = _read(source.path, source.label, settings)
        return os.fsencode(source.label).decode(errors="replace"), data
    return source.label, source.data if source.data is not None else _as_png(source)


def picture_digest(picture: Any, settings: Settings) -> str:
    """Return the digest of a file's or text's bytes in hexadecimal digits, by which a server may know them.

    Raises
    ------
    InputError
        Pixels, which have no bytes.
    PictureError
        It cannot be read.
    """
    source = source_of(picture, settings)
    if source.data is not None:
        return digest_of(source.data).hex()
    if source.path is None:
        raise InputError("pixels have no bytes to remember: give a file.")
    return digest_of(_read(source.path, source.label, settings)).hex()


def _read(path: str, label: str, settings: Settings) -> bytes:
    try:
        return read_file(path, max_bytes=settings.max_bytes).data
    except PictureError as error:
        raise type(error)(f"{label}: {error}") from error


def _as_png(source: Source) -> bytes:
    pixels = source.pixels
    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    if not isinstance(image, Image.Image):
        raise InputError(f"a {type(pixels).__name__} is no picture: give a path, bytes, image or array.")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
