"""What was given -> where its bytes are, and the picture in them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from lookalike.errors import InputError, PictureError, QueryError, ReadError
from lookalike.media.files import absolute_path, read_stream
from lookalike.records.picture import Picture
from lookalike.settings import Settings

if TYPE_CHECKING:
    from lookalike.storage.records import FoundPicture
    from lookalike.storage.store import Store

STDIN = "-"
MAX_ID_DIGITS = 18  # all of these fit into the 63 bits of an id
BOX_ROUNDING = 1e-6  # by which a box may stick out: fractions are rounded


class Box(NamedTuple):
    """A part of an upright picture, as fractions of its width and height from its top left corner."""

    left: float
    top: float
    width: float
    height: float

    def corner_px(self, size_px: tuple[int, int]) -> tuple[float, float]:
        """Return where the box begins in an upright picture of this size."""
        return self.left * size_px[0], self.top * size_px[1]

    def corners_px(self, size_px: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom in whole pixels of a picture of this size; one pixel at the least."""
        width, height = size_px
        left, top = min(width - 1, round(self.left * width)), min(height - 1, round(self.top * height))
        right = min(width, max(left + 1, round((self.left + self.width) * width)))
        return left, top, right, min(height, max(top + 1, round((self.top + self.height) * height)))


def parse_box(text: str) -> Box:
    """Return the box of a text such as ``0.25,0.1,0.5,0.5``: left, top, width, height.

    Raises
    ------
    InputError
        No four numbers, or a box that does not lie in the picture.
    """
    try:
        parts = tuple(float(part) for part in text.split(","))
    except (ValueError, AttributeError) as error:
        raise _no_box(text) from error
    return _checked(parts, text)


def check_box(box: Any) -> Box | None:
    """Return a box that was given as four numbers, in whichever sequence; None where none was given.

    Raises
    ------
    InputError
        No four numbers, or a box that does not lie in the picture.
    """
    if box is None:
        return None
    if isinstance(box, str):
        return parse_box(box)
    try:
        parts = tuple(float(part) for part in box)
    except (ValueError, TypeError) as error:
        raise _no_box(box) from error
    return _checked(parts, box)


def _checked(parts: tuple[float, ...], given: Any) -> Box:
    if len(parts) != len(Box._fields):
        raise _no_box(given)
    box = Box(*parts)
    inside = box.left >= 0 and box.top >= 0 and box.width > 0 and box.height > 0
    if not inside or box.left + box.width > 1 + BOX_ROUNDING or box.top + box.height > 1 + BOX_ROUNDING:
        raise InputError(
            f"the box {given!r} does not lie in the picture: fractions go from 0 to 1, from the top left corner."
        )
    return box


def _no_box(given: Any) -> InputError:
    return InputError(
        f"the box {given!r} is not left,top,width,height: write four fractions, such as 0.25,0.1,0.5,0.5."
    )


@dataclass(frozen=True)
class Source:
    """Where a query's bytes are, before they are read.

    Exactly one of `data`, `pixels` and `path` is set; `content_id` where an indexed picture was named, and
    `digest` where the file must have it.
    """

    label: str
    path: str | None = None
    data: bytes | None = None
    pixels: Any = None
    content_id: int | None = None
    digest: bytes | None = None

    @contextmanager
    def named(self) -> Iterator[None]:
        """Have the label said before the reason of any PictureError that arises."""
        try:
            yield
        except PictureError as error:
            raise type(error)(f"{self.label}: {error}") from error


def parse_source(source: Any, store: Store | None, *, max_bytes: int = Settings.max_bytes) -> Source:
    """Tell what a query is: a path, a ``file:`` URL, ``-`` for standard input, ``id:N``, bytes or pixels.

    Of standard input at most `max_bytes` are read.

    Raises
    ------
    QueryError
        An address on the network, an id that is not in the gallery.
    InputError
        An empty name.
    LimitError
        There is more on standard input.
    """
    if isinstance(source, Source):
        return source
    if isinstance(source, bytes | bytearray | memoryview):
        return Source("bytes", data=bytes(source))
    if isinstance(source, os.PathLike):
        source = os.fspath(source)
    if not isinstance(source, str):
        return Source("pixels", pixels=source)
    if not source:
        raise InputError("an empty name names no picture: give a path, file: URL, - or id:N.")
    if source == STDIN:
        return Source(STDIN, data=read_stream(sys.stdin.buffer, max_bytes=max_bytes))
    scheme = source.split(":", 1)[0].lower() if ":" in source else ""
    if scheme == "file":
        return Source(source, path=path_of_url(source))
    if scheme == "id":
        return _indexed_source(source, store)
    if scheme in ("http", "https", "ftp", "data", "s3"):
        raise QueryError(
            f"{source!r} is not on this machine: save the picture and give its path (nothing is fetched)."
        )
    return Source(source, path=absolute_path(source))


def path_of_url(url: str) -> str:
    """Return the path that a ``file:`` URL names; InputError where it is on another machine."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise QueryError(f"{url!r} names another machine: give a file: URL of this one.")
    # The path of a file: URL is bytes in disguise; undecodable ones must come through.
    return absolute_path(os.fsdecode(unquote(parts.path, encoding="latin-1").encode("latin-1")))


def _indexed_source(text: str, store: Store | None) -> Source:
    files = _indexed_files(text, store)
    existing = next((file for file in files if Path(file.path).is_file()), None)
    if existing is None:
        raise QueryError(f"{text!r} is gone: none of its files is there any more, such as {files[0].path!r}.")
    return Source(text, path=existing.path, content_id=existing.content_id, digest=existing.digest)


def _indexed_files(text: str, store: Store | None) -> list[FoundPicture]:
    number = text[3:]
    is_number = number.isdecimal() and len(number) <= MAX_ID_DIGITS
    pictures = store.files.of([int(number)]) if store is not None and is_number else {}
    if not pictures:
        raise QueryError(f"{text!r} is no picture of this gallery: take an id that a search has printed.")
    return pictures[int(number)]


def find_absent(source: Any, store: Store) -> FoundPicture | None:
    """Return the picture that ``id:N`` names if none of its files is there; None for all else.

    Raises
    ------
    QueryError
        An id that is not in the gallery.
    """
    if not isinstance(source, str) or not source.lower().startswith("id:"):
        return None
    files = _indexed_files(source, store)
    return None if any(Path(file.path).is_file() for file in files) else files[0]


def cut_box(picture: Picture, box: Box) -> Picture:
    """Return the part of a decoded picture in the box; its sizes are those of that part of the original."""
    width, height = picture.image.size
    left, top, right, bottom = box.corners_px((width, height))
    return replace(
        picture,
        image=picture.image.crop((left, top, right, bottom)),
        width_px=max(1, round((right - left) * picture.width_px / width)),
        height_px=max(1, round((bottom - top) * picture.height_px / height)),
    )


def decode_source(
    source: Source, settings: Settings, *, min_side_px: int | None = None
) -> tuple[Picture, bytes | None]:
    """Return the decoded picture, in full unless `min_side_px` is given, and the digest of its bytes.

    The digest is None for pixels. Raises PictureError.
    """
    from lookalike.media.decode import decode

    read = read_source(source, settings)
    if read is None:
        return decode(source.pixels, min_side_px=min_side_px, settings=settings), None
    data, digest = read
    return decode(data, min_side_px=min_side_px, settings=settings), digest


def read_source(source: Source, settings: Settings) -> tuple[bytes, bytes] | None:
    """Return the bytes of a source and their digest; None for pixels. Raises PictureError."""
    from lookalike.media.files import digest_of, read_file

    if source.path is not None:
        file = read_file(source.path, max_bytes=settings.max_bytes)
        if source.digest is not None and file.digest != source.digest:
            raise ReadError("the file was changed since it was indexed: run index again.")
        return file.data, file.digest
    return None if source.data is None else (source.data, digest_of(source.data))
