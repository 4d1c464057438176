"""Which picture of a group to keep: named rules, asked in order, and the reason in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from lookalike.errors import InputError
from lookalike.media.files import absolute_path
from lookalike.media.folders import is_in
from lookalike.storage.records import FoundPicture

# Formats that a camera or scanner writes first, before those that are made from them.
_ORIGINAL_FORMATS = ("raw", "heif", "tiff", "psd")
# Bytes a pixel of one picture against those of another: less is chance, or another content.
MUCH_LESS_COMPRESSED = 1.5


@dataclass(frozen=True)
class Candidate:
    """A picture that could be kept.

    Parameters
    ----------
    picture : FoundPicture
    n_content_px : int       how many of its pixels lie inside its plain frame, if it has one
    is_usual : callable      tells whether it is as bright, coloured, sharp and noisy as most of its copies
    """

    picture: FoundPicture
    n_content_px: int
    is_usual: Callable[[], bool]

    @property
    def n_frame_px(self) -> int:
        """How many of its pixels are nothing but a frame."""
        return _n_pixels(self.picture) - self.n_content_px


@dataclass(frozen=True)
class Rule:
    """One rule: the picture with the largest `value` is kept; `say` puts that value in words.

    With a `factor`, only what has so many times the value of another goes before it, and only where nothing
    but the compression tells the two apart.
    """

    name: str
    value: Callable[[Candidate], Any]
    say: Callable[[Candidate], str]
    factor: float | None = None


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
        Rule(
            "unedited",
            lambda c: c.is_usual(),
            lambda c: "as bright, coloured and sharp as most" if c.is_usual() else "edited",
        ),
        _rule("original-format", lambda p: p.format in _ORIGINAL_FORMATS, lambda p: p.format),
        Rule(
            "least-compressed",
            lambda c: bytes_per_pixel(c.picture),
            lambda c: f"{bytes_per_pixel(c.picture):.2f} bytes a pixel",
            factor=MUCH_LESS_COMPRESSED,
        ),
        _rule("richest-metadata", lambda p: p.taken_at is not None, lambda p: f"taken {p.taken_at}"),
        _rule(
            "oldest", lambda p: -_written_s(p), lambda p: f"file of {datetime.fromtimestamp(_written_s(p))}"
        ),
        _rule("shortest-path", lambda p: -len(p.path), lambda p: f"{len(p.path)} characters"),
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
    return is_in(path, [absolute_path(folder) for folder in folders])


def _is_usual(_picture: FoundPicture) -> bool:
    return True


def _are_alike(_first: FoundPicture, _second: FoundPicture) -> bool:
    return True


def choose_keeper(
    pictures: Sequence[FoundPicture],
    rules: Sequence[Rule],
    protected: Sequence[str] = (),
    *,
    n_content_px: Callable[[FoundPicture], int] = _n_pixels,
    is_usual: Callable[[FoundPicture], bool] = _is_usual,
    have_equal_tone: Callable[[FoundPicture, FoundPicture], bool] = _are_alike,
) -> tuple[FoundPicture, str]:
    """Return the picture to keep and why: the first rule that tells it from the runner-up.

    A picture in a protected folder goes before all rules; the last resort is the order of paths. Pixels of a
    plain frame do not count: `n_content_px` says how many are left. Of equally large pictures those are kept that
    look as most do: `is_usual` says which. An edit is not less compressed but another picture: `have_equal_tone`
    says whether two pictures can be compared in that.
    """
    if len(pictures) == 1:
        return pictures[0], "the only one"
    in_order = (
        _rule("protected", lambda p: is_below(p.path, protected), lambda _: "in a protected folder"),
        *rules,
    )
    by_path = sorted(pictures, key=lambda picture: picture.path)
    left = [Candidate(picture, n_content_px(picture), partial(is_usual, picture)) for picture in by_path]
    for rule in in_order:
        before, left = left, _best_by(rule, left, have_equal_tone)
        if len(left) == 1:
            runner_up = max((one for one in before if one is not left[0]), key=rule.value)
            if rule.name == "protected":
                return left[0].picture, rule.say(left[0])
            return left[0].picture, f"{rule.name}: {rule.say(left[0])}, against {rule.say(runner_up)}"
    return left[0].picture, "all rules alike; first by path"


def _best_by(
    rule: Rule,
    candidates: Sequence[Candidate],
    have_equal_tone: Callable[[FoundPicture, FoundPicture], bool],
) -> list[Candidate]:
    """Return the candidates before which no other one goes by this rule, in their order."""
    values = [rule.value(candidate) for candidate in candidates]
    best = max(values)
    if rule.factor is None:
        return [one for one, value in zip(candidates, values, strict=True) if value == best]
    return [
        one
        for one, value in zip(candidates, values, strict=True)
        if best <= rule.factor * value
        or not any(
            other_value > rule.factor * value and have_equal_tone(other.picture, one.picture)
            for other, other_value in zip(candidates, values, strict=True)
        )
    ]
