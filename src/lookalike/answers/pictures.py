"""Files of a gallery and what failed, as JSON has them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from lookalike.records.failure import Failure
from lookalike.storage.records import FoundPicture


@dataclass(frozen=True)
class PictureFacts:
    """One content, under the path of its first file that is still there.

    Parameters
    ----------
    id : int or None
        None where the gallery does not hold it any more.
    path : str
    paths : sequence of str
        Of all its files, the oldest first.
    format : str
    width_px, height_px, size_bytes : int
    date : str
        When it was taken, else when the file was last written.
    digest : str
        SHA-256 of its bytes, in hexadecimal digits.
    bytes_per_pixel : float
    exists : bool
        Whether one of its files is there.
    """

    id: int | None
    path: str
    paths: tuple[str, ...]
    format: str
    width_px: int
    height_px: int
    size_bytes: int
    date: str
    digest: str
    bytes_per_pixel: float
    exists: bool

    @classmethod
    def of(cls, files: Sequence[FoundPicture]) -> PictureFacts:
        """Return the facts of the files of one content."""
        present = [file for file in files if os.path.isfile(file.path)]
        first = (present or files)[0]
        return cls(
            id=first.content_id,
            path=first.path,
            paths=tuple(file.path for file in files),
            format=first.format,
            width_px=first.width_px,
            height_px=first.height_px,
            size_bytes=first.size_bytes,
            date=first.date,
            digest=first.digest.hex(),
            bytes_per_pixel=round(first.size_bytes / max(1, first.width_px * first.height_px), 3),
            exists=bool(present),
        )

    def found(self, path: str | None = None) -> FoundPicture:
        """Return one of its files as a gallery finds it, that of `path` unless it is the first."""
        return FoundPicture(
            content_id=self.id or 0,
            path=self.path if path is None else path,
            size_bytes=self.size_bytes,
            mtime_ns=0,  # the date tells when it was taken or written
            digest=bytes.fromhex(self.digest),
            format=self.format,
            width_px=self.width_px,
            height_px=self.height_px,
            taken_at=self.date,
        )


@dataclass(frozen=True)
class PictureAnswer(PictureFacts):
    """One content, with the camera that its file names."""

    camera: str | None = None


@dataclass(frozen=True)
class PicturesAnswer:
    """Some of the files of a gallery, and how many there are."""

    pictures: tuple[PictureFacts, ...]
    total: int
    offset: int

    @classmethod
    def of(cls, pictures: Sequence[FoundPicture], total: int, offset: int) -> PicturesAnswer:
        """Return the facts of some files."""
        return cls(tuple(PictureFacts.of([one]) for one in pictures), total, offset)


@dataclass(frozen=True)
class FailuresAnswer:
    """Some of the files that are not searchable, and how many there are."""

    failures: tuple[Failure, ...]
    total: int
    offset: int
