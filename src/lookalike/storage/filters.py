"""Which pictures may answer: by folder, format, size and date."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from datetime import datetime

from lookalike.errors import InputError
from lookalike.media.files import absolute_path
from lookalike.media.formats import FORMAT_ALIASES, FORMATS
from lookalike.storage.store import FoundPicture

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d)?)?)?)?)?", re.ASCII)
_FIRST_MOMENT = "0001-01-01T00:00:00"  # completes a date that is written in part


@dataclass(frozen=True)
class Filter:
    """Which pictures of a gallery may answer; the empty filter lets all through.

    Parameters
    ----------
    folder : str or None          only files below this folder
    formats : tuple of str        only these formats, such as ``("jpeg", "png")``; empty means all
    min_side_px : int             the shorter side of the original, at least
    min_bytes, max_bytes : int or None    size of the file
    since, until : str or None    date taken (or, unknown, of the file), ``YYYY-MM-DD``, shorter or longer;
                                  inclusive

    Raises
    ------
    InputError    an unknown format, a size or date that cannot be, or a range that ends before it begins
    """

    folder: str | None = None
    formats: tuple[str, ...] = ()
    min_side_px: int = 0
    min_bytes: int | None = None
    max_bytes: int | None = None
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "formats", tuple(_parse_format(name) for name in self.formats))
        if self.folder is not None:
            if not os.fspath(self.folder):
                raise InputError("an empty path names no folder: give the folder to search in.")
            object.__setattr__(self, "folder", absolute_path(self.folder))
        for name in ("min_side_px", "min_bytes", "max_bytes"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError(f"{name} = {value} makes no sense: give a number from 0 on.")
        for date in (self.since, self.until):
            if date is not None:
                _check_date(date)
        if self.min_bytes is not None and self.max_bytes is not None and self.min_bytes > self.max_bytes:
            raise InputError(f"no file has at least {self.min_bytes} and at most {self.max_bytes} bytes.")
        if self.since is not None and self.until is not None and not self._begins_before_it_ends():
            raise InputError(
                f"no picture was taken since {self.since} and until {self.until}: exchange them."
            )

    def _begins_before_it_ends(self) -> bool:
        return self.since is None or self.until is None or self.since[: len(self.until)] <= self.until

    @property
    def is_empty(self) -> bool:
        """Whether every picture passes."""
        return self == Filter()

    def is_inside(self, picture: FoundPicture) -> bool:
        """Whether this picture lies below the folder."""
        return self.folder is None or picture.path.startswith(self.folder.rstrip(os.sep) + os.sep)

    def passes(self, picture: FoundPicture) -> bool:
        """Whether this picture may answer."""
        if not self.is_inside(picture):
            return False
        if self.formats and picture.format not in self.formats:
            return False
        if min(picture.width_px, picture.height_px) < self.min_side_px:
            return False
        if self.min_bytes is not None and picture.size_bytes < self.min_bytes:
            return False
        if self.max_bytes is not None and picture.size_bytes > self.max_bytes:
            return False
        if self.since is None and self.until is None:
            return True
        date = picture.date
        if self.since is not None and date < self.since:
            return False
        return self.until is None or date[: len(self.until)] <= self.until


def _parse_format(text: str) -> str:
    name = text.lower().removeprefix(".")
    name = FORMAT_ALIASES.get(name, name)
    if name not in FORMATS:
        raise InputError(f"there is no format {text!r}; choose from {', '.join(FORMATS)}.")
    return name


def _check_date(date: str) -> None:
    """Refuse what is not written as a date, and days that no calendar has."""
    try:
        if not _DATE.fullmatch(date):
            raise ValueError(date)
        datetime.fromisoformat(date + _FIRST_MOMENT[len(date) :])
    except ValueError as error:
        raise InputError(
            f"{date!r} is no date: write YYYY-MM-DD, or less (YYYY-MM, YYYY), of a day that there is."
        ) from error
