"""Globs over the paths of a walk: they do not care about case, and only ``**`` crosses a ``/``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_GLOB_PARTS = re.compile(
    r"(?P<folders>\*\*/)|(?P<deep>\*\*)|(?P<any>\*)|(?P<one>\?)|(?P<set>\[!?\]?[^\]]*\])"
)


def compile_globs(globs: Sequence[str]) -> re.Pattern[str] | None:
    """Return a pattern that whatever one of the globs matches, matches in full; None where there is no glob."""
    if not globs:
        return None
    return re.compile("|".join(_translate_glob(glob) for glob in globs), re.IGNORECASE | re.DOTALL)


@lru_cache(maxsize=256)
def _translate_glob(glob: str) -> str:
    """Write a glob as a regular expression; fnmatch would let ``*`` cross a ``/``."""
    pieces, end = [], 0
    for part in _GLOB_PARTS.finditer(glob):
        pieces.append(re.escape(glob[end : part.start()]))
        pieces.append(_translate_part(part))
        end = part.end()
    return "".join(pieces) + re.escape(glob[end:])


def _translate_part(part: re.Match[str]) -> str:
    if part.lastgroup == "set":
        return _translate_set(part[0][1:-1])
    return {"folders": "(?:.*/)?", "deep": ".*", "any": "[^/]*", "one": "[^/]"}[part.lastgroup or ""]


def _translate_set(characters: str) -> str:
    """Escape all that a regular expression would read in its own way, and drop ranges that run backwards."""
    negated = characters.startswith("!")
    pieces = []
    for first, last, single in re.findall(r"(.)-(.)|(.)", characters[negated:], re.DOTALL):
        if single:
            pieces.append(re.escape(single))
        elif first <= last:
            pieces.append(f"{re.escape(first)}-{re.escape(last)}")
    if negated:
        return f"[^/{''.join(pieces)}]"
    return f"[{''.join(pieces)}]" if pieces else "(?!)"
