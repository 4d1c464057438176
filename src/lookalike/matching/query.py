"""What a person asks with -> a query: a label, what is known of it, and its features."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import InputError, PictureError
from lookalike.features.extract import EMBEDDING, Extractor, Prepared, for_cache
from lookalike.features.hashes import HASHES
from lookalike.records import Picture, UInt8Array
from lookalike.settings import Settings

if TYPE_CHECKING:
    from lookalike.features.keypoints import Keypoints
    from lookalike.storage.store import Store

STDIN = "-"
ORIENTATIONS = (
    "upright",
    "mirrored",
    "turned 180°",
    "upside down",
    "mirrored, turned 90° left",
    "turned 90° right",
    "mirrored, turned 90° right",
    "turned 90° left",
)
"""The eight ways to lay a picture, in the order of EXIF orientation; what was done to reach the match."""

_FLIPS = (
    (False, False),
    (False, True),
    (True, True),
    (True, False),
    (False, False),
    (False, True),
    (True, True),
    (True, False),
)
"""For each orientation, whether rows and columns are reversed, after swapping them for the last four."""


@dataclass(frozen=True)
class Source:
    """Where a query's bytes are, before they are read.

    Exactly one of `data`, `pixels` and `path` is set; `content_id` where an indexed picture was named.
    """

    label: str
    path: str | None = None
    data: bytes | None = None
    pixels: Any = None
    content_id: int | None = None


@dataclass
class Query:
    """A picture that is asked about; features are computed when first wanted."""

    source: Source
    extractor: Extractor
    prepared: Prepared
    digest: bytes | None = None
    _features: dict[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def path(self) -> str | None:
        """The file that was asked about, if it is one."""
        return self.source.path

    @cached_property
    def keypoints(self) -> Keypoints:
        """The local features; the picture is decoded again for them, larger than the thumbnail needs."""
        from lookalike.features.keypoints import KEYPOINT_MIN_SIDE_PX, extract_keypoints

        settings = self.extractor.settings
        picture, _ = decode_source(self.source, settings, min_side_px=KEYPOINT_MIN_SIDE_PX)
        return extract_keypoints(picture.image, (picture.width_px, picture.height_px))

    def feature(self, name: str) -> NDArray[Any]:
        """Return one stored-form feature as a row, shape (1, d)."""
        if name not in self._features:
            self._features[name] = self.extractor.extract_one(name, self.prepared)[None]
        return self._features[name]

    def turned_embedding(self, orientation: int) -> NDArray[np.float32]:
        """Return the embedding of the picture in one of the eight orientations, shape (1, d)."""
        key = f"embedding {orientation}"
        if key not in self._features:
            turned = np.ascontiguousarray(_turn(self.prepared.model_input, orientation))
            self._features[key] = self.extractor.embed(turned[None])
        return np.asarray(for_cache(EMBEDDING, self._features[key]), np.float32)

    def turned_hashes(self, name: str) -> UInt8Array:
        """Return one hash of the picture in all eight orientations, shape (8, b)."""
        key = f"{name} turned"
        if key not in self._features:
            from PIL import Image

            size, grey = self.extractor.settings.hash_size, np.asarray(self.prepared.grey)
            turned = [Image.fromarray(_turn(grey, orientation)) for orientation in range(len(ORIENTATIONS))]
            self._features[key] = np.stack([HASHES[name](image, size) for image in turned])
        return self._features[key]


def _turn(pixels: UInt8Array, orientation: int) -> UInt8Array:
    """Return square pixels, (h, w) or (h, w, 3), in one of the eight orientations of `ORIENTATIONS`."""
    swapped = pixels.swapaxes(0, 1) if orientation >= 4 else pixels
    rows, columns = _FLIPS[orientation]
    return swapped[:: -1 if rows else 1, :: -1 if columns else 1]


def parse_source(source: Any, store: Store | None) -> Source:
    """Tell what a query is: a path, a ``file:`` URL, ``-`` for standard input, ``id:N``, bytes or pixels.

    Raises
    ------
    InputError    an address on the network, an id that is not in the gallery, or something else entirely
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return Source("bytes", data=bytes(source))
    if isinstance(source, os.PathLike):
        source = os.fspath(source)
    if not isinstance(source, str):
        return Source("pixels", pixels=source)
    if source == STDIN:
        return Source(STDIN, data=sys.stdin.buffer.read())
    scheme = source.split(":", 1)[0].lower() if ":" in source else ""
    if scheme == "file":
        return Source(source, path=path_of_url(source))
    if scheme == "id":
        return _indexed_source(source, store)
    if scheme in ("http", "https", "ftp", "data", "s3"):
        raise InputError(
            f"{source!r} is not on this machine: save the picture and give its path (nothing is fetched)."
        )
    return Source(source, path=os.path.abspath(source))


def path_of_url(url: str) -> str:
    """Return the path that a ``file:`` URL names; InputError where it is on another machine."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise InputError(f"{url!r} names another machine: give a file: URL of this one.")
    # The path of a file: URL is bytes in disguise; undecodable ones must come through.
    return os.path.abspath(os.fsdecode(unquote(parts.path, encoding="latin-1").encode("latin-1")))


def _indexed_source(text: str, store: Store | None) -> Source:
    number = text[3:]
    pictures = store.pictures([int(number)]) if store is not None and number.isdecimal() else {}
    if not pictures:
        raise InputError(f"{text!r} is no picture of this gallery: take an id that a search has printed.")
    content_id = int(number)
    paths = [picture.path for picture in pictures[content_id]]
    existing = next((path for path in paths if Path(path).is_file()), None)
    if existing is None:
        raise InputError(f"{text!r} is gone: none of its files is there any more, such as {paths[0]!r}.")
    return Source(text, path=existing, content_id=content_id)


def load_query(source: Source, extractor: Extractor, settings: Settings) -> Query:
    """Read, decode and prepare a query.

    Raises
    ------
    PictureError    the picture cannot be read or decoded, or exceeds a limit
    """
    try:
        picture, digest = decode_source(source, settings, min_side_px=extractor.min_side_px)
    except PictureError as error:
        raise type(error)(f"{source.label}: {error}") from error
    return Query(source, extractor, extractor.prepare(picture), digest)


def decode_source(
    source: Source, settings: Settings, *, min_side_px: int | None = None
) -> tuple[Picture, bytes | None]:
    """Return the decoded picture, in full unless `min_side_px` is given, and the digest of its bytes.

    The digest is None for pixels. Raises PictureError.
    """
    from lookalike.media.decode import decode
    from lookalike.media.files import digest_of, read_file

    if source.path is not None:
        file = read_file(source.path, max_bytes=settings.max_bytes)
        return decode(file.data, min_side_px=min_side_px, settings=settings), file.digest
    if source.data is not None:
        digest = digest_of(source.data)
        return decode(source.data, min_side_px=min_side_px, settings=settings), digest
    return decode(source.pixels, min_side_px=min_side_px, settings=settings), None
