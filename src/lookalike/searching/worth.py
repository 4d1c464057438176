"""What is a score worth? How far it stands out, and how sure that makes a copy, as was learned from copies.

A photo of a shelf is a little like a thousand photos of shelves, a photo of an owl like nothing else there. So
the same score means much for the one and nothing for the other. What a query scores in the middle ranks, where
no relative of it is to be expected, is its background; the relative score says which part of the way
from there to equality a match has come. docs/decisions/0009 has the measurements.

A calibration (`lookalike.records.calibration`) says what relative scores are worth: the gallery's own where it
fits, else the one that comes with lookalike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import InputError
from lookalike.records.calibration import (
    PRECISIONS,
    Calibration,
    CalibrationState,
    Origin,
    WayCalibration,
)

FIRST_RANK = 10  # relatives of a query, such as its copies, are to be expected before it
LAST_RANK = 100
MIN_CONTENTS = 20  # of fewer, the middle ranks would hold the relatives themselves
MAX_BACKGROUND = 0.99  # beyond, everything in the gallery is equal to the query
OUTGROWN = 2.0  # a gallery that grew so many times since has nearer strangers than its calibration knew


def find_background(scores: NDArray[np.float64], n_contents: int) -> float:
    """Return the mean score of the middle ranks; nan where the gallery is too small to have any.

    Parameters
    ----------
    scores : float64 array, shape (n,)
        Of one query, best first; `LAST_RANK` of them are enough.
    n_contents : int
        How many contents could answer; below 200 the ranks move down with it.
    """
    first, last = min(FIRST_RANK, n_contents // 20), min(LAST_RANK, n_contents // 2)
    middle = scores[first:last]
    if n_contents < MIN_CONTENTS or not len(middle):
        return float("nan")
    return min(float(middle.mean()), MAX_BACKGROUND)


def relative_score(
    score: NDArray[np.float64] | float, background: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return which part of the way from the background to 1 a score has come: 1 at most, below 0 beneath it."""
    return np.asarray((np.asarray(score, np.float64) - background) / (1 - background), np.float64)


@cache
def load_shipped() -> Calibration:
    """Return the calibration that comes with lookalike, made once by ``benchmarks/bench_calibration.py``."""
    text = resources.files("lookalike.searching").joinpath("shipped_calibration.json").read_text("utf-8")
    return Calibration.from_text(text)


def describe_calibration(
    own: str | None, n_contents: int, recipes: Mapping[str, tuple[str, ...]]
) -> CalibrationState:
    """Return which calibration a gallery of `n_contents` with these recipes, by way, goes by."""
    origin: Origin = "shipped" if own is None else "gallery"
    used = load_shipped() if own is None else _parse(own)
    fitting = {
        name: {f"{promise.precision:g}": promise.recall for promise in way.promises}
        for name, way in used.ways.items()
        if recipes.get(name) == way.recipes
    }
    stale = ""
    if own is not None and len(fitting) < len(recipes):
        stale = "the features were made by other recipes since"
    elif own is not None and n_contents > OUTGROWN * used.n_contents:
        stale = f"the gallery has grown from {used.n_contents} to {n_contents} pictures since"
    return CalibrationState(
        origin, used.made_at, used.made_from, used.n_contents, used.n_pictures, used.seed, stale, fitting
    )


@lru_cache(maxsize=4)
def _parse(text: str) -> Calibration:
    return Calibration.from_text(text)


def choose_way(name: str, recipes: tuple[str, ...], own: str | None) -> tuple[WayCalibration, Origin] | None:
    """Return the calibration of a way that fits these recipes: the gallery's own, else the shipped one.

    `own` is the text that the gallery keeps, None where it was never calibrated.
    """
    if own is not None:
        way = _parse(own).ways.get(name)
        if way is not None and way.recipes == recipes:
            return way, "gallery"
    way = load_shipped().ways.get(name)
    return (way, "shipped") if way is not None and way.recipes == recipes else None


def not_calibrated(by: str) -> InputError:
    """Return the error for a precision that is asked of a way without a calibration that fits."""
    return InputError(
        f"no precision can be promised for {by} in this gallery: run `lookalike calibrate` on it, or ask by a way "
        "that it calibrates, in its default metric."
    )


def parse_precision(precision: float) -> float:
    """Return the member of `PRECISIONS` that keeps a precision: the next stricter one.

    Raises
    ------
    InputError
        No share below 1, less than thresholds are kept for, or more than can be promised.
    """
    if not 0 < precision < 1:
        raise InputError(f"a precision of {precision:g} makes no sense: give a share below 1, such as 0.99.")
    if precision < PRECISIONS[-1]:
        raise InputError(
            f"no threshold is kept for a precision of {precision:g}: ask for {PRECISIONS[-1]:g} at least, "
            "or search without a precision."
        )
    kept = [one for one in PRECISIONS if one >= precision]
    if not kept:
        raise InputError(
            f"a precision of {precision:g} cannot be promised: ask for at most {PRECISIONS[0]:g}."
        )
    return min(kept)


@dataclass(frozen=True)
class Worth:
    """What the scores of one query are worth: its background, and the calibration of the way.

    Parameters
    ----------
    calibrated : WayCalibration
        Of the way.
    background : float
        What the query scores with strangers.
    """

    calibrated: WayCalibration
    background: float

    def probabilities(self, scores: NDArray[np.float64]) -> list[float]:
        """Return the probability that each is the score of a copy."""
        return [
            self.calibrated.map.probability(float(one)) for one in relative_score(scores, self.background)
        ]

    def keeps(self, scores: NDArray[np.float64], precision: float) -> NDArray[np.bool_]:
        """Return which scores keep a precision.

        Raises
        ------
        InputError
            A precision that cannot be promised.
        """
        least = self.calibrated.promise(parse_precision(precision)).least
        return np.asarray(relative_score(scores, self.background) >= least)


def weigh(calibrated: WayCalibration, scores: NDArray[np.float64], n_contents: int) -> Worth:
    """Return what the scores of one query are worth, of which the first `LAST_RANK` tell its background."""
    background = find_background(scores[:LAST_RANK], n_contents)
    return Worth(calibrated, calibrated.background if np.isnan(background) else background)
