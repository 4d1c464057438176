"""A report on duplicates in one file, of which a page of groups is read without the rest.

One JSON document a line: the head, a line for each group, where each of these begins, and where that line
begins, in `TAIL_BYTES` digits.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from lookalike.web.problems import Refusal

TAIL_BYTES = 20


def write_whole(path: Path, lines: Iterator[bytes]) -> None:
    """Write a file whole or not at all, readable by its owner alone; raise Refusal (507) where that fails."""
    unfinished = path.with_suffix(f".{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines(lines)
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise Refusal(507, f"{path.name} could not be kept beside the gallery: {error.strerror}.") from error


def write_report(path: Path, head: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> None:
    """Keep a report in place of the last one.

    Parameters
    ----------
    path : Path
    head : mapping
        What is said of the whole report; the number of groups and of bytes saved are put in.
    groups : sequence of mappings
    """
    totals = {"n_groups": len(groups), "saved_bytes": sum(group["saved_bytes"] for group in groups)}

    def lines() -> Iterator[bytes]:
        place, starts = 0, []
        for number, document in enumerate([{**head, **totals}, *groups]):
            line = json.dumps(document).encode("ascii") + b"\n"
            if number:
                starts.append(place)
            place += len(line)
            yield line
        yield json.dumps([*starts, place]).encode() + b"\n"
        yield b"%0*d" % (TAIL_BYTES, place)

    write_whole(path, lines())


class KeptReport:
    """A report that was kept.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError       there is none, or it cannot be read
    ValueError    it is no such file
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            self._state = _state_of(file)
            file.seek(-TAIL_BYTES, os.SEEK_END)
            file.seek(int(file.read(TAIL_BYTES)))
            self._starts: list[int] = json.loads(file.readline())
            file.seek(0)
            self.head: dict[str, Any] = json.loads(file.readline())

    @property
    def n_groups(self) -> int:
        """How many groups it has."""
        return len(self._starts) - 1

    def groups(self, numbers: Iterable[int]) -> list[dict[str, Any]]:
        """Return the groups of these numbers, counted from 1, as far as there are such.

        Raises
        ------
        Refusal    409: another report took its place, or someone removed it
        """
        found = []
        try:
            with self._path.open("rb") as file:
                if _state_of(file) != self._state:
                    raise FileNotFoundError
                for number in numbers:
                    if 1 <= number <= self.n_groups:
                        file.seek(self._starts[number - 1])
                        found.append(json.loads(file.readline()))
        except OSError as error:
            raise Refusal(409, "duplicates were looked for again since: load the groups anew.") from error
        return found


def _state_of(file: BinaryIO) -> tuple[int, int, int]:
    status = os.fstat(file.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns
