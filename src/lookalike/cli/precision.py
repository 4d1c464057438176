"""The option --precision, and what is said of it: by which calibration, and how sure."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lookalike.api import Gallery
    from lookalike.records.calibration import Promised

PrecisionOption = Annotated[
    float | None,
    typer.Option(help="Only copies, so that this share of them is right: 0.95, 0.99 or 0.999."),
]


def promise(gallery: Gallery, by: str, precision: float) -> Promised:
    """Return what a precision is worth, after saying on standard error what a person should know of it."""
    promised = gallery.promise(by, precision)
    given = promised.promise
    if given.precision != precision:
        _say(
            f"a precision of {precision:g} is kept as {given.precision:g}, the next stricter one that is fitted."
        )
    if promised.origin == "shipped":
        _say(
            "this gallery was never calibrated: the thresholds that come with lookalike are used "
            "(`lookalike calibrate` fits them)."
        )
    if given.threshold is None:
        _say(
            f"no score by {by} keeps a precision of {given.precision:g} here: only equal files are returned."
        )
    elif not given.is_supported:
        _say(
            f"the calibration is too small to be sure of {given.precision:g}: it is at least {given.bound:.3f}, "
            "with 95 % confidence."
        )
    return promised


def _say(sentence: str) -> None:
    print(f"lookalike: {sentence}", file=sys.stderr)
