"""Which pictures may answer: by folder, format, size and date; for one picture, and as a question to SQL."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import InputError
from lookalike.media.files import absolute_path, given_paths
from lookalike.media.folders import is_below, start_of
from lookalike.media.formats import FORMAT_ALIASES, FORMATS
from lookalike.storage.database import Database
from lookalike.storage.records import FoundPicture

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d)?)?)?)?)?", re.ASCII)
_FIRST_MOMENT = "0001-01-01T00:00:00"  # completes a date that is written in part
_MAX_INTEGER = 2**63 - 1  # of SQLite, and of the nanoseconds in which a file system gives times
_Condition = tuple[str, Sequence[Any]]  # of SQL, and the values of its question marks
_FEW = 5000
_MAX_KEPT = 16  # filters whose ids are kept; a million ids take 8 MB


@dataclass(frozen=True)
class Filter:
    """Which pictures of a gallery may answer; the empty filter lets all through.

    Parameters
    ----------
    folder : str or None
        Only files below this folder.
    formats : tuple of str
        Only these formats, such as ``("jpeg", "png")``; empty means all.
    min_side_px : int
        The shorter side of the original, at least.
    min_bytes, max_bytes : int or None
        Size of the file.
    since, until : str or None
        Date taken (or, unknown, of the file), ``YYYY-MM-DD``, shorter or longer; inclusive.

    Raises
    ------
    InputError
        An unknown format, a size or date that cannot be, or a range that ends before it begins.

    Examples
    --------
    >>> found = gallery.search("Pictures/lake.jpg", where=Filter(formats=("png",)))
    >>> [match.picture.format for match in found]
    ['png']
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
            object.__setattr__(self, "folder", absolute_path(given_paths([self.folder])[0]))
        for name in ("min_side_px", "min_bytes", "max_bytes"):
            value = getattr(self, name)
            if value is None:
                continue
            if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
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

    def passes(self, picture: FoundPicture) -> bool:
        """Whether this picture may answer."""
        if self.folder is not None and not is_below(picture.path, self.folder):
            return False
        if self.formats and picture.format not in self.formats:
            return False
        if min(picture.width_px, picture.height_px) < self.min_side_px:
            return False
        if self.min_bytes is not None and picture.size_bytes < self.min_bytes:
            return False
        if self.max_bytes is not None and picture.size_bytes > self.max_bytes:
            return False
        return self._passes_by_date(picture)

    def _passes_by_date(self, picture: FoundPicture) -> bool:
        if picture.taken_at is None:
            after, before = self.file_times_ns
            return (after is None or picture.mtime_ns >= after) and (
                before is None or picture.mtime_ns < before
            )
        if self.since is not None and picture.taken_at < self.since:
            return False
        return self.last_taken_at is None or picture.taken_at <= self.last_taken_at

    @property
    def last_taken_at(self) -> str | None:
        """A text that no date before the end of `until` comes after, and every later one does."""
        return None if self.until is None else self.until + "~"

    @property
    def file_times_ns(self) -> tuple[int | None, int | None]:
        """When a file of unknown date must have been written: at or after the first moment, before the second."""
        return (
            None if self.since is None else _moment_ns(_start(self.since)),
            None if self.until is None else _moment_ns(_end(self.until)),
        )


class Passing:
    """Which contents pass a filter; asked of SQL, and kept until files or contents change.

    Parameters
    ----------
    database : Database
        Of the gallery.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._kept: tuple[int, dict[Filter, NDArray[np.int64]]] = (-1, {})

    def ids(self, where: Filter) -> NDArray[np.int64]:
        """Return the contents of which at least one file passes the filter, as ids, ascending."""
        (generation,) = self._db.rows("SELECT value FROM counter WHERE name = 'generation'")[0]
        if self._kept[0] != generation:
            self._kept = (generation, {})
        kept = self._kept[1]
        found = kept.get(where)
        if found is None:
            if len(kept) >= _MAX_KEPT:
                kept.clear()
            found = kept[where] = self._ask(where)
        return found

    def _ask(self, where: Filter) -> NDArray[np.int64]:
        """Ask contents and files apart, each by an index that holds all that is asked, and join the answers."""
        of_content, of_file = _content_conditions(where), _file_conditions(where)
        if where.since is None and where.until is None:
            return self._both(of_content, of_file)
        dated = self._both(of_content + _between("taken_at", where.since, where.last_taken_at), of_file)
        after, before = where.file_times_ns
        undated = self._both(
            [*of_content, ("taken_at IS NULL", ())],
            of_file + _between("mtime_ns", after, None if before is None else before - 1),
        )
        return _ascending(np.concatenate([dated, undated]))

    def _both(self, of_content: list[_Condition], of_file: list[_Condition]) -> NDArray[np.int64]:
        if not of_file:
            return self._where("SELECT id FROM content", of_content)
        by_file = self._where("SELECT content_id AS id FROM file", of_file)
        if not of_content:
            return by_file
        if len(by_file) <= _FEW:  # looked up one by one, instead of all contents that fit
            among = ("id IN (SELECT value FROM json_each(?))", (json.dumps(by_file.tolist()),))
            return self._where("SELECT id FROM content", [among, *of_content])
        return np.intersect1d(by_file, self._where("SELECT id FROM content", of_content), assume_unique=True)

    def _where(self, question: str, conditions: list[_Condition]) -> NDArray[np.int64]:
        text = " AND ".join(condition for condition, _ in conditions)
        values = [value for _, its_values in conditions for value in its_values]
        return _ascending(self._db.ids(f"{question} WHERE {text}" if conditions else question, values))


def _ascending(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each id once, ascending; np.unique, which hashes, takes many times as long."""
    ids = np.sort(ids)
    is_first = np.ones(len(ids), bool)
    is_first[1:] = ids[1:] != ids[:-1]
    return ids[is_first]


def below(folder: str) -> tuple[bytes, bytes]:
    """Return the range of paths that lie below a folder: from the first one, and before the second."""
    start = os.fsencode(start_of(folder))
    return start, start[:-1] + bytes([start[-1] + 1])


def _content_conditions(where: Filter) -> list[_Condition]:
    conditions: list[_Condition] = []
    if where.formats:
        conditions.append((f"format IN ({','.join('?' * len(where.formats))})", where.formats))
    if where.min_side_px:
        conditions.append(("min(width_px, height_px) >= ?", (min(where.min_side_px, _MAX_INTEGER),)))
    return conditions


def _file_conditions(where: Filter) -> list[_Condition]:
    conditions: list[_Condition] = []
    if where.folder is not None:
        conditions.append(("path >= ? AND path < ?", below(where.folder)))
    least, most = (None if n is None else min(n, _MAX_INTEGER) for n in (where.min_bytes, where.max_bytes))
    return conditions + _between("size_bytes", least, most)


def _between(column: str, least: Any, most: Any) -> list[_Condition]:
    bounds = ((f"{column} >= ?", least), (f"{column} <= ?", most))
    return [(condition, (value,)) for condition, value in bounds if value is not None]


def _parse_format(text: str) -> str:
    name = str(text).lower().removeprefix(".")
    name = FORMAT_ALIASES.get(name, name)
    if name not in FORMATS:
        raise InputError(f"there is no format {text!r}; choose from {', '.join(FORMATS)}.")
    return name


def _check_date(date: str) -> None:
    """Refuse what is not written as a date, and days that no calendar has."""
    try:
        if not (isinstance(date, str) and _DATE.fullmatch(date)):
            raise ValueError(date)
        datetime.fromisoformat(date + _FIRST_MOMENT[len(date) :])
    except ValueError as error:
        raise InputError(
            f"{date!r} is no date: write YYYY-MM-DD, or less (YYYY-MM, YYYY), of a day that there is."
        ) from error


def _start(date: str) -> datetime:
    """Return the first moment of a date that may be written in part."""
    return datetime.fromisoformat(date + _FIRST_MOMENT[len(date) :])


def _end(date: str) -> datetime:
    """Return the first moment after a date that may be written in part."""
    first = _start(date)
    try:
        if len(date) == len("YYYY"):
            return first.replace(year=first.year + 1)
        if len(date) == len("YYYY-MM"):
            return (first + timedelta(days=31)).replace(day=1)
        units = {10: timedelta(days=1), 13: timedelta(hours=1), 16: timedelta(minutes=1)}
        return first + units.get(len(date), timedelta(seconds=1))
    except (OverflowError, ValueError):
        return datetime.max


def _moment_ns(moment: datetime) -> int:
    """Return a moment of local time in nanoseconds since 1970, at most so far away as a file's time can be."""
    seconds = (moment - datetime(1970, 1, 1)).total_seconds()
    if abs(seconds) < _MAX_INTEGER / 1e9 - 86400 * 2:
        seconds = moment.timestamp()
    return max(-_MAX_INTEGER, min(_MAX_INTEGER, int(seconds) * 10**9))
