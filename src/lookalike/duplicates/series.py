"""Two shots of one series, which no comparing tells from one picture saved twice: tripod, turntable, burst."""

from __future__ import annotations

import os
import re
from datetime import datetime

from lookalike.records.metadata import Metadata

MAX_APART = 10  # numbers: every tenth frame may have been kept of a film
_NUMBER = re.compile(r"(\d+)")
_SHOT_NUMBER = re.compile(r"\d{4,}")  # as cameras count


def taken_apart(keeper: str, path: str, said_of_keeper: Metadata, said: Metadata) -> str:
    """Say how two files of one camera are two shots, by what they say of themselves; empty where they do not."""
    if not said_of_keeper.camera or said_of_keeper.camera != said.camera:
        return ""
    if not said_of_keeper.taken_at or not said.taken_at:
        return ""
    seconds = abs((_moment(said_of_keeper.taken_at) - _moment(said.taken_at)).total_seconds())
    if seconds > 0:
        return f"was taken {_duration(seconds)} from the keeper, by the same camera: another shot"
    if _shot_number(keeper) != _shot_number(path):
        return "has another number of the same camera and second: another shot of a series"
    return ""


def numbered_apart(keeper: str, path: str) -> str:
    """Say that two files of one folder are frames of a series by their names; empty where they are not.

    Their names are equal but for one number, and the numbers are near each other.
    """
    if os.path.dirname(keeper) != os.path.dirname(path):
        return ""
    parts = [_NUMBER.split(os.path.basename(one)) for one in (keeper, path)]
    if len(parts[0]) != len(parts[1]):
        return ""
    differing = [(one, other) for one, other in zip(*parts, strict=True) if one != other]
    if len(differing) != 1 or not all(one.isdecimal() for one in differing[0]):
        return ""
    one, other = map(int, differing[0])
    if not 0 < abs(one - other) <= MAX_APART:
        return ""
    return "has a number next to the keeper's, and nothing tells it from another shot of a series"


def _moment(text: str) -> datetime:
    whole, _, fraction = text.partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}" if fraction else whole)


def _duration(seconds: float) -> str:
    for unit_s, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {name}"
    return f"{seconds:.2g} s"


def _shot_number(path: str) -> str:
    """Return the last run of four or more digits in a name; empty without one."""
    numbers = _SHOT_NUMBER.findall(os.path.splitext(os.path.basename(path))[0])
    return numbers[-1] if numbers else ""
