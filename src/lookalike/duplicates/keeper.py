"""Which picture of a group to keep: named rules, asked in order, and the reason in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lookalike.duplicates.places import rank_by_folders, say_place, standing_of_place
from lookalike.errors import InputError
from lookalike.media.folders import is_in
from lookalike.media.formats import LOSSLESS_FORMATS
from lookalike.records.metadata import NOTHING_SAID, WITNESSES, Metadata, kinds_of
from lookalike.storage.records import FoundPicture

# Formats that a camera or scanner writes first, before those that are made from them.
_ORIGINAL_FORMATS = ("raw", "heif", "tiff", "psd")
# Bytes a pixel of one picture against those of another: less is chance, or another content.
MUCH_LESS_COMPRESSED = 1.5


_USUALNESS = ("edited", "as bright, coloured and sharp as some", "as bright, coloured and sharp as most")


def _as_most() -> int:
    return 2


@dataclass(frozen=True)
class Candidate:
    """A picture that could be kept, and what speaks for it.

    Parameters
    ----------
    picture : FoundPicture
    n_shown_px : int         how many pixels it really shows: inside its plain frame, and not enlarged
    usualness : callable     tells whether it is as bright, coloured, sharp and noisy as most of its copies (2), as
                             some (1) or as none of them (0)
    made_from : words        what it was made from: enlarged, saved again, laid into something; empty if nothing
    holds : words            what it holds beyond the pixels that were compared, its raw data and film among it
    said : Metadata          what it says beside the pixels
    n_links : int            how many of the candidates are names of this one file
    """

    picture: FoundPicture
    n_shown_px: int
    usualness: Callable[[], int] = _as_most
    made_from: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    said: Metadata = NOTHING_SAID
    n_links: int = 1

    @classmethod
    def of(cls, picture: FoundPicture) -> Candidate:
        """Return a candidate of which no more is known than the gallery lists."""
        said = Metadata(dated_at=picture.taken_at or "", taken_at=picture.taken_at or "")
        return cls(picture, n_pixels(picture), said=said)


@dataclass(frozen=True)
class Rule:
    """One rule: the picture with the largest `value` is kept; `say` puts that value in words.

    With a `factor`, only what has more than so many times the value of another goes before it, and only where
    nothing but the compression tells the two apart.
    """

    name: str
    value: Callable[[Candidate], Any]
    say: Callable[[Candidate], str]
    factor: float | None = None


def n_pixels(picture: FoundPicture) -> int:
    """Return how many pixels a picture stores."""
    return picture.width_px * picture.height_px


def bytes_per_pixel(picture: FoundPicture) -> float:
    """Return the size of the file over its pixels: the less, the more compressed."""
    return round(picture.size_bytes / max(1, n_pixels(picture)), 2)


def _written_s(picture: FoundPicture) -> int:
    """Return when the file was last written, in whole seconds: less is no difference that a person would mean."""
    return picture.mtime_ns // 10**9


def _rule(name: str, value: Callable[[FoundPicture], Any], say: Callable[[FoundPicture], str]) -> Rule:
    """Return a rule that asks for nothing but the picture's own facts."""
    return Rule(name, lambda candidate: value(candidate.picture), lambda candidate: say(candidate.picture))


def _say_pixels(candidate: Candidate) -> str:
    picture = candidate.picture
    text = f"{picture.width_px} x {picture.height_px} pixels"
    n_hidden = n_pixels(picture) - candidate.n_shown_px
    if n_hidden > 1:
        share = f"{n_hidden / n_pixels(picture):.0%}".replace("%", " %")
        text += f" of which {share} show nothing"
    return text


def _say_origin(candidate: Candidate) -> str:
    return candidate.made_from[0] if candidate.made_from else "made from none of the others"


def _is_lossless(picture: FoundPicture) -> bool:
    """Whether a file keeps pixels as they were given; a GIF does not, of colours."""
    return picture.format in LOSSLESS_FORMATS and picture.format != "gif"


def _say_loss(candidate: Candidate) -> str:
    return f"{candidate.picture.format}, {'without' if _is_lossless(candidate.picture) else 'with'} loss"


def _say_metadata(candidate: Candidate) -> str:
    kinds = kinds_of(candidate.said)
    names = [kind for kind in WITNESSES if kind in kinds]
    return f"with {', '.join(names)}" if names else "without any"


def _richness(candidate: Candidate) -> tuple[int, int]:
    """Rank by what only a camera writes, then by how many kinds of things are said."""
    kinds = kinds_of(candidate.said)
    return len(kinds & {"camera", "date"}), len(kinds)


RULES = {
    rule.name: rule
    for rule in (
        Rule(
            "holds-more",
            lambda c: len(c.holds),
            lambda c: f"holds {' and '.join(c.holds)}" if c.holds else "holds nothing more",
        ),
        Rule("first-hand", lambda c: not c.made_from, _say_origin),
        Rule("most-pixels", lambda c: (c.n_shown_px, c.n_shown_px - n_pixels(c.picture)), _say_pixels),
        Rule(
            "unedited",
            lambda c: c.usualness(),
            lambda c: _USUALNESS[c.usualness()],
        ),
        _rule("original-format", lambda p: p.format in _ORIGINAL_FORMATS, lambda p: p.format),
        Rule("richest-metadata", _richness, _say_metadata),
        Rule("lossless", lambda c: _is_lossless(c.picture), _say_loss, factor=1.0),
        Rule(
            "least-compressed",
            lambda c: bytes_per_pixel(c.picture),
            lambda c: f"{bytes_per_pixel(c.picture):.2f} bytes a pixel",
            factor=MUCH_LESS_COMPRESSED,
        ),
        _rule("best-place", lambda p: standing_of_place(p.path), lambda p: say_place(p.path)),
        Rule("most-links", lambda c: c.n_links, lambda c: f"one file under {c.n_links} names"),
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


def _are_alike(_first: FoundPicture, _second: FoundPicture) -> bool:
    return True


def choose_keeper(
    candidates: Sequence[Candidate],
    rules: Sequence[Rule],
    protected: Sequence[str] = (),
    *,
    prefer: Sequence[str] = (),
    have_equal_tone: Callable[[FoundPicture, FoundPicture], bool] = _are_alike,
) -> tuple[FoundPicture, str]:
    """Return the picture to keep and why: the first rule that tells it from the runner-up.

    A picture in a protected folder goes before all rules, then one in the folders that a person prefers, the first
    of them first; the last resort is the order of paths. An edit is not less compressed but another picture:
    `have_equal_tone` says whether two pictures can be compared in that.
    """
    if len(candidates) == 1:
        return candidates[0].picture, "the only one"
    in_order = (
        _rule("protected", lambda p: is_in(p.path, protected), lambda _: "in a protected folder"),
        _rule("preferred", lambda p: rank_by_folders(p.path, prefer), lambda _: "in a preferred folder"),
        *rules,
    )
    left = sorted(candidates, key=lambda candidate: candidate.picture.path)
    for rule in in_order:
        before, left = left, _best_by(rule, left, have_equal_tone)
        if len(left) == 1:
            runner_up = max((one for one in before if one is not left[0]), key=rule.value)
            if rule.name in ("protected", "preferred"):
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
