"""A calibration: what a score is worth, for each way of searching and for the proof of duplicates.

The record that `lookalike.calibration` fits, that is kept with a gallery, and that searches and duplicates go by.
Scores in it are relative to the query's background (see `lookalike.searching.worth`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from lookalike.errors import InputError, StoreError

PRECISIONS = (0.999, 0.99, 0.95)
"""The precisions that thresholds are kept for, the strictest first."""

N_PICTURES = 200
"""How many pictures of a gallery are edited to calibrate it, if nothing else is said."""

PROOF = "duplicates"
"""The name, among the ways, of the final decision of duplicates: the proof by local features."""

Origin = Literal["gallery", "shipped"]
AgainstShipped = Literal["", "kept", "stricter"]


@dataclass(frozen=True)
class ScoreMap:
    """A monotone map from relative score to the probability of being a copy, linear between its knots.

    Parameters
    ----------
    scores : ascending floats
    probabilities : as many floats, 0 to 1, none below the one before
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.scores) != len(self.probabilities) or not self.scores:
            raise InputError("a map needs as many probabilities as scores, and at least one.")
        if (np.diff(self.scores) <= 0).any() or (np.diff(self.probabilities) < 0).any():
            raise InputError("the scores of a map must rise, and its probabilities must not fall.")

    def probability(self, score: float) -> float:
        """Return the probability that a pair with this relative score is a copy."""
        return float(np.interp(score, self.scores, self.probabilities))


@dataclass(frozen=True)
class Promise:
    """What a threshold keeps: at this precision it finds so much.

    Parameters
    ----------
    precision : float
        Asked for: the share of copies among what is returned, in searches of which half have something to find.
    threshold : float or None
        Relative score from which a match is returned; None where nothing can be.
    recall : float
        Share of the edited copies whose source is returned.
    bound : float
        What the precision is at least, with 95 % confidence.
    is_supported : bool
        Whether the sample was large enough for the bound to reach the precision.
    silence : float
        Share of queries without a relative in the gallery that get no answer.
    recall_by_edit : mapping
        `recall`, for each edit.
    against_shipped : str
        Beside the shipped threshold: ``kept`` where that one stands, because it held here and the gallery's own
        would find much less; ``stricter`` where the own one stands although it finds much less; else empty.
    """

    precision: float
    threshold: float | None
    recall: float
    bound: float
    is_supported: bool
    silence: float
    recall_by_edit: Mapping[str, float]
    against_shipped: AgainstShipped = ""

    @property
    def least(self) -> float:
        """The threshold; infinite where there is none."""
        return np.inf if self.threshold is None else self.threshold


@dataclass(frozen=True)
class Check:
    """How a promise held for pictures that its threshold was not fitted on.

    `achieved` is nan where nothing was returned; `bound` is what it is at least, with 95 % confidence.
    """

    precision: float
    achieved: float
    bound: float
    n_true: int
    n_false: int
    recall: float
    silence: float


@dataclass(frozen=True)
class WayCalibration:
    """One way of searching, calibrated.

    Parameters
    ----------
    recipes : tuple of str
        Recipes of the features that the scores were computed from.
    background : float
        The usual background, for galleries too small to have one of their own.
    map : ScoreMap
    promises, checks : one for each of `PRECISIONS`, in its order
    n_queries, n_false : int
        Edited copies asked with, and false pairs looked at.
    """

    recipes: tuple[str, ...]
    background: float
    map: ScoreMap
    promises: tuple[Promise, ...]
    checks: tuple[Check, ...]
    n_queries: int
    n_false: int

    def promise(self, precision: float) -> Promise:
        """Return the promise of one of `PRECISIONS`."""
        return next(one for one in self.promises if one.precision == precision)


@dataclass(frozen=True)
class Calibration:
    """All ways of one gallery, calibrated, and what it was learned from.

    Parameters
    ----------
    ways : mapping
        By way of searching, and `PROOF`.
    made_at : str
        When, ``YYYY-MM-DDTHH:MM:SS+00:00``.
    made_from : str
        The gallery's folder, or what pictures the shipped one was made from.
    n_contents : int
        Pictures in the gallery then.
    n_pictures : int
        Pictures of the sample.
    edits : tuple of str
        The edits that were made.
    seed : int
    n_left_out : int
        Pairs of different files that are copies, so that they are no strangers.
    n_doubtful : int
        Strangers that score like copies, of which nobody was asked.
    n_untelling : int
        Pictures left out because they are too small or too plain to tell anything.
    n_unsettled : int
        Pairs left out because nothing can tell whether they are copies.
    """

    ways: Mapping[str, WayCalibration]
    made_at: str
    made_from: str
    n_contents: int
    n_pictures: int
    edits: tuple[str, ...]
    seed: int
    n_left_out: int
    n_doubtful: int
    n_untelling: int = 0
    n_unsettled: int = 0

    def to_text(self) -> str:
        """Return the calibration as one line of JSON, from which `from_text` makes it again."""
        return json.dumps(_rounded(asdict(self)), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Calibration:
        """Return the calibration that `to_text` wrote.

        Raises
        ------
        StoreError
            It is damaged.
        """
        try:
            values = json.loads(text)
            ways = {name: _way_from(way) for name, way in values.pop("ways").items()}
            return cls(ways=ways, edits=tuple(values.pop("edits")), **values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(
                "the gallery's calibration is damaged: run `lookalike calibrate` again."
            ) from error


def _way_from(values: dict[str, Any]) -> WayCalibration:
    return WayCalibration(
        recipes=tuple(values["recipes"]),
        background=values["background"],
        map=ScoreMap(tuple(values["map"]["scores"]), tuple(values["map"]["probabilities"])),
        promises=tuple(Promise(**promise) for promise in values["promises"]),
        checks=tuple(
            Check(**{**check, "achieved": float("nan") if check["achieved"] is None else check["achieved"]})
            for check in values["checks"]
        ),
        n_queries=values["n_queries"],
        n_false=values["n_false"],
    )


def _rounded(value: Any) -> Any:
    """Return JSON values: no number has more than 12 digits, and what is no number is null."""
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    if isinstance(value, float):
        return None if np.isnan(value) else float(f"{value:.12g}")
    return value


@dataclass(frozen=True)
class CalibrationState:
    """Which calibration a gallery goes by.

    Parameters
    ----------
    origin : str
        ``gallery`` for its own, ``shipped`` where it was never calibrated.
    made_at, made_from, n_contents, n_pictures, seed
        As in `Calibration`.
    stale : str
        Why it should be made anew; empty where it fits.
    ways : mapping
        For each way, the recall to expect at each precision; the ways that it fits.
    """

    origin: Origin
    made_at: str
    made_from: str
    n_contents: int
    n_pictures: int
    seed: int
    stale: str
    ways: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Promised:
    """The promise that a search or a search for duplicates was given: by which calibration, and for which way."""

    by: str
    promise: Promise
    origin: Origin
