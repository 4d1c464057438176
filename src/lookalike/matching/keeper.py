"""Which picture of a group to keep: named rules, asked in order, and the reason in words."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lookalike.errors import InputError
from lookalike.storage.store import FoundPicture

# Formats that a camera or scanner writes first, before those that are made from them.
_ORIGINAL_FORMATS = ("raw", "heif", "tiff", "psd")


@dataclass(frozen=True)
class Rule:
    """One rule: the picture with the largest `value` is kept; `say` puts that value in words."""

    name: str
    value: Callable[[FoundPicture], Any]
    say: Callable[[FoundPicture], str]


def _n_pixels(picture: FoundPicture) -> int:
    return picture.width_px * picture.height_px


def bytes_per_pixel(picture: FoundPicture) -> float:
    """Return the size of the file over its pixels: the less, the more compressed."""
    return round(picture.size_bytes / max(1, _n_pixels(picture)), 2)


RULES = {
    rule.name: rule
    for rule in (
        Rule("most-pixels", _n_pixels, lambda p: f"{p.width_px} x {p.height_px} pixels"),
        Rule("original-format", lambda p: p.format in _ORIGINAL_FORMATS, lambda p: p.format),
        Rule("least-compressed", bytes_per_pixel, lambda p: f"{bytes_per_pixel(p):.2f} bytes a pixel"),
        Rule("richest-metadata", lambda p: p.taken_at is not None, lambda p: f"taken {p.taken_at}"),
        Rule("oldest", lambda p: -p.mtime_ns, lambda p: f"file of {p.date[:10]}"),
        Rule("shortest-path", lambda p: -len(p.path), lambda _: "shortest path"),
    )
}
DEFAULT_RULES = tuple(RULES)


def parse_rules(names: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules of these names, in this order.

    Raises
    ------
    InputError    an unknown name; the message lists the known ones
    """
    unknown = [name for name in names if name not in RULES]
    if unknown:
        raise InputError(f"there is no rule {unknown[0]!r}; choose from {', '.join(RULES)}.")
    return tuple(RULES[name] for name in names)


def is_below(path: str, folders: Sequence[str]) -> bool:
    """Whether a path lies in one of these folders (or is one of them)."""
    places = [os.path.abspath(folder).rstrip(os.sep) for folder in folders]
    return any(path == place or path.startswith(place + os.sep) for place in places)


def choose_keeper(
    pictures: Sequence[FoundPicture], rules: Sequence[Rule], protected: Sequence[str] = ()
) -> tuple[FoundPicture, str]:
    """Return the picture to keep and why: the first rule that tells it from the runner-up.

    A picture in a protected folder goes before all rules; the last resort is the order of paths.
    """
    if len(pictures) == 1:
        return pictures[0], "the only one"
    in_order = (
        Rule("protected", lambda p: is_below(p.path, protected), lambda _: "in a protected folder"),
        *rules,
    )

    def rank(picture: FoundPicture) -> tuple[Any, ...]:
        return tuple(rule.value(picture) for rule in in_order)

    best, runner_up = sorted(sorted(pictures, key=lambda p: p.path), key=rank, reverse=True)[:2]
    for rule in in_order:
        if rule.value(best) != rule.value(runner_up):
            if rule.name == "protected":
                return best, rule.say(best)
            return best, f"{rule.name}: {rule.say(best)}, against {rule.say(runner_up)}"
    return best, "all rules alike; first by path"
