"""Which picture of a group to keep: named rules, asked in order, and the reason in words."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lookalike.errors import InputError
from lookalike.media.files import absolute_path
from lookalike.storage.store import FoundPicture

# Formats that a camera or scanner writes first, before those that are made from them.
_ORIGINAL_FORMATS = ("raw", "heif", "tiff", "psd")


@dataclass(frozen=True)
class Candidate:
    """A picture that could be kept, and how many of its pixels lie inside its plain frame, if it has one."""

    picture: FoundPicture
    n_content_px: int

    @property
    def n_frame_px(self) -> int:
        """How many of its pixels are nothing but a frame."""
        return _n_pixels(self.picture) - self.n_content_px


@dataclass(frozen=True)
class Rule:
    """One rule: the picture with the largest `value` is kept; `say` puts that value in words."""

    name: str
    value: Callable[[Candidate], Any]
    say: Callable[[Candidate], str]


def _n_pixels(picture: FoundPicture) -> int:
    return picture.width_px * picture.height_px


def bytes_per_pixel(picture: FoundPicture) -> float:
    """Return the size of the file over its pixels: the less, the more compressed."""
    return round(picture.size_bytes / max(1, _n_pixels(picture)), 2)


def _written_s(picture: FoundPicture) -> int:
    """Return when the file was last written, in whole seconds: less is no difference that a person would mean."""
    return picture.mtime_ns // 10**9


def _rule(name: str, value: Callable[[FoundPicture], Any], say: Callable[[FoundPicture], str]) -> Rule:
    """Return a rule that asks for nothing but the picture's own facts."""
    return Rule(name, lambda candidate: value(candidate.picture), lambda candidate: say(candidate.picture))


def _say_pixels(candidate: Candidate) -> str:
    picture = candidate.picture
    text = f"{picture.width_px} x {picture.height_px} pixels"
    if candidate.n_frame_px:
        share = f"{candidate.n_frame_px / _n_pixels(picture):.0%}".replace("%", " %")
        text += f" of which {share} are a plain frame"
    return text


RULES = {
    rule.name: rule
    for rule in (
        Rule("most-pixels", lambda c: (c.n_content_px, -c.n_frame_px), _say_pixels),
        _rule("original-format", lambda p: p.format in _ORIGINAL_FORMATS, lambda p: p.format),
        _rule("least-compressed", bytes_per_pixel, lambda p: f"{bytes_per_pixel(p):.2f} bytes a pixel"),
        _rule("richest-metadata", lambda p: p.taken_at is not None, lambda p: f"taken {p.taken_at}"),
        _rule(
            "oldest", lambda p: -_written_s(p), lambda p: f"file of {datetime.fromtimestamp(_written_s(p))}"
        ),
        _rule("shortest-path", lambda p: -len(p.path), lambda _: "shortest path"),
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
    places = [absolute_path(folder).rstrip(os.sep) for folder in folders]
    return any(path == place or path.startswith(place + os.sep) for place in places)


def choose_keeper(
    pictures: Sequence[FoundPicture],
    rules: Sequence[Rule],
    protected: Sequence[str] = (),
    *,
    n_content_px: Callable[[FoundPicture], int] = _n_pixels,
) -> tuple[FoundPicture, str]:
    """Return the picture to keep and why: the first rule that tells it from the runner-up.

    A picture in a protected folder goes before all rules; the last resort is the order of paths. Pixels of a
    plain frame do not count: `n_content_px` says how many are left.
    """
    if len(pictures) == 1:
        return pictures[0], "the only one"
    in_order = (
        _rule("protected", lambda p: is_below(p.path, protected), lambda _: "in a protected folder"),
        *rules,
    )

    def rank(candidate: Candidate) -> tuple[Any, ...]:
        return tuple(rule.value(candidate) for rule in in_order)

    by_path = sorted(pictures, key=lambda picture: picture.path)
    candidates = [Candidate(picture, n_content_px(picture)) for picture in by_path]
    best, runner_up = sorted(candidates, key=rank, reverse=True)[:2]
    for rule in in_order:
        if rule.value(best) != rule.value(runner_up):
            if rule.name == "protected":
                return best.picture, rule.say(best)
            return best.picture, f"{rule.name}: {rule.say(best)}, against {rule.say(runner_up)}"
    return best.picture, "all rules alike; first by path"
