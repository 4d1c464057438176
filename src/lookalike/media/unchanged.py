"""Files that must still be what they were when they were indexed."""

from __future__ import annotations

from lookalike.errors import ReadError
from lookalike.media.decode import decode
from lookalike.media.files import read_file
from lookalike.media.sight import Sight, see
from lookalike.records.picture import Picture
from lookalike.settings import Settings


def read_unchanged(path: str, digest: bytes, settings: Settings, *, min_side_px: int | None) -> Picture:
    """Decode a file that must still have the digest it was indexed with; raise PictureError."""
    return decode(read_unchanged_bytes(path, digest, settings), min_side_px=min_side_px, settings=settings)


def see_unchanged(path: str, digest: bytes, settings: Settings) -> Sight:
    """Decode such a file in full, with its opacity; raise PictureError."""
    return see(read_unchanged_bytes(path, digest, settings), settings)


def read_unchanged_bytes(path: str, digest: bytes, settings: Settings) -> bytes:
    """Read a file that must still have the digest it was indexed with; raise PictureError."""
    file = read_file(path, max_bytes=settings.max_bytes)
    if file.digest != digest:
        raise ReadError("the file was changed since it was indexed: run index again.")
    return file.data
