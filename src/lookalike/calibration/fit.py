"""Scores of pairs that are known to be copies or not -> probabilities, thresholds and a check of both.

What is counted are the pairs that searches return. Every query is asked twice: with its source in the gallery,
and with its source and all copies of it removed. So half of the searches have something to find, and a false
pair, which comes either way, counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.records.calibration import PRECISIONS, Check, Promise, ScoreMap, WayCalibration

CONFIDENCE = 0.95  # one-sided, of every bound
N_FALSE = 10  # false pairs of a query that are looked at, the highest first: as many as a search returns
SCORE_DIGITS = 6  # of a map's scores: nothing hangs on more, and the record stays small
_FALSE_WEIGHT = 2.0

Counts = int | NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sample:
    """What the queries of a calibration scored in one way, relative to their backgrounds.

    Parameters
    ----------
    true : float64 array, shape (n,)
        With the query's own source; nan where it was not found at all.
    false : float64 array, shape (n, f)
        With the nearest different pictures; nan where there are fewer.
    sources : int64 array, shape (n,)
        Which picture each query was made of.
    edits : tuple of str, length n
        How.
    background : float
        The usual one, for galleries too small to have their own.
    recipes : tuple of str
        What the scores were computed from.
    """

    true: NDArray[np.float64]
    false: NDArray[np.float64]
    sources: NDArray[np.int64]
    edits: tuple[str, ...]
    background: float
    recipes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.true)

    def of_sources(self, chosen: NDArray[np.int64]) -> Sample:
        """Return the queries made of these sources only."""
        here = np.isin(self.sources, chosen)
        edits = tuple(edit for edit, is_here in zip(self.edits, here, strict=True) if is_here)
        return Sample(
            self.true[here], self.false[here], self.sources[here], edits, self.background, self.recipes
        )

    def count(self, threshold: float) -> tuple[int, int]:
        """Return how many true and false pairs reach a threshold; false ones are counted once."""
        return int(np.sum(self.true >= threshold)), int(np.sum(self.false >= threshold))


def fit(sample: Sample, *, seed: int, at_least: Mapping[float, float] | None = None) -> WayCalibration:
    """Fit the map and the thresholds of one way, and check the thresholds on pictures that they have not seen.

    Parameters
    ----------
    sample : Sample
    seed : int
        How the sources are split in halves for the check.
    at_least : mapping
        Thresholds by precision that hold where the sample is too small for its own.
    """
    return WayCalibration(
        sample.recipes,
        sample.background,
        fit_map(sample),
        tuple(_promise(sample, precision, (at_least or {}).get(precision)) for precision in PRECISIONS),
        tuple(_check(sample, precision, seed, at_least or {}) for precision in PRECISIONS),
        len(sample),
        int(np.sum(np.isfinite(sample.false))),
    )


def fit_map(sample: Sample) -> ScoreMap:
    """Return the monotone map from score to probability that fits best (isotonic regression).

    Adjacent violators are pooled (Ayer et al., "An empirical distribution function for sampling with incomplete
    information", 1955). From n true pairs no probability beyond n / (n + 1) can be learned.
    """
    from scipy.optimize import isotonic_regression

    true, false = _present(sample.true), _present(sample.false)
    scores = np.round(np.concatenate([true, false]), SCORE_DIGITS)
    if not len(scores):
        return ScoreMap((0.0,), (0.0,))
    order = np.argsort(scores, kind="stable")
    is_true = np.concatenate([np.ones(len(true)), np.zeros(len(false))])[order]
    weights = np.where(is_true == 1, 1.0, _FALSE_WEIGHT)
    # Equal scores get one probability.
    levels, place = np.unique(scores[order], return_inverse=True)
    total = np.bincount(place, weights)
    share = np.bincount(place, weights * is_true) / total
    fitted = isotonic_regression(share, weights=total).x
    fitted = np.minimum(fitted, len(true) / (len(true) + 1))
    starts = np.flatnonzero(np.diff(fitted, prepend=-1))
    ends = np.append(starts[1:] - 1, len(fitted) - 1)
    knots = np.unique(np.stack([starts, ends], axis=1).ravel())
    return ScoreMap(tuple(levels[knots].tolist()), tuple(fitted[knots].tolist()))


def precision_bound(n_true: Counts, n_false: Counts) -> NDArray[np.float64]:
    """Return what the precision is at least, with 95 % confidence, after so many pairs; 0 where none is true.

    The rate of false pairs is bounded as that of a Poisson process (F. Garwood, "Fiducial limits for the
    Poisson distribution", Biometrika 28, 1936): none among n still allows for 3.
    """
    from scipy.special import chdtri

    most_false = chdtri(2 * np.asarray(n_false) + 2, 1 - CONFIDENCE) / 2
    return np.asarray(n_true / (n_true + _FALSE_WEIGHT * most_false), np.float64)


def measured_precision(n_true: int, n_false: int) -> float:
    """Return the share of true pairs among those returned; nan where nothing is."""
    n_returned = n_true + _FALSE_WEIGHT * n_false
    return n_true / n_returned if n_returned else float("nan")


def find_threshold(sample: Sample, precision: float, at_least: float | None) -> tuple[float | None, bool]:
    """Return the lowest threshold that keeps a precision, and whether the sample is large enough to say so.

    Where it is not, the threshold lies above every false score that was seen, and not below `at_least`. It
    is None where no true pair lies there.
    """
    true, false = np.sort(_present(sample.true)), np.sort(_present(sample.false))
    n_true = len(true) - np.arange(len(true))
    n_false = len(false) - np.searchsorted(false, true)
    bounds = np.array(
        [precision_bound(*pair) for pair in zip(n_true.tolist(), n_false.tolist(), strict=True)]
    )
    sure = np.flatnonzero(bounds >= precision)
    if len(sure):
        return float(true[sure[0]]), True
    clear = true[n_false == 0]
    if not len(clear):
        return None, False
    return max(float(clear[0]), -np.inf if at_least is None else at_least), False


def _promise(sample: Sample, precision: float, at_least: float | None) -> Promise:
    threshold, is_supported = find_threshold(sample, precision, at_least)
    if threshold is None:
        return Promise(precision, None, 0.0, 0.0, is_supported, 1.0, dict.fromkeys(sample.edits, 0.0))
    return promise_at(sample, precision, threshold, is_supported=is_supported)


def promise_at(sample: Sample, precision: float, threshold: float, *, is_supported: bool) -> Promise:
    """Return what a threshold keeps on a sample."""
    found = sample.true >= threshold
    return Promise(
        precision,
        threshold,
        float(found.mean()),
        float(precision_bound(*sample.count(threshold))),
        is_supported,
        _share_of_silence(sample, threshold),
        _by_edit(sample.edits, found),
    )


def _by_edit(edits: Sequence[str], found: NDArray[np.bool_]) -> dict[str, float]:
    names = np.array(edits)
    return {name: float(found[names == name].mean()) for name in dict.fromkeys(edits)}


def _share_of_silence(sample: Sample, threshold: float) -> float:
    """Return the share of queries without a relative that get no answer."""
    return 1 - float((sample.false >= threshold).any(axis=1).mean())


def _check(sample: Sample, precision: float, seed: int, at_least: Mapping[float, float]) -> Check:
    """Fit on half of the sources, count on the other half, and the other way round."""
    parts = []
    for half, rest in _halves(sample, seed):
        threshold, _ = find_threshold(half, precision, at_least.get(precision))
        parts.append((rest, np.inf if threshold is None else threshold))
    return tally(precision, parts)


def tally(precision: float, parts: Iterable[tuple[Sample, float]]) -> Check:
    """Return how a promise held: what each sample returns at a threshold that was not fitted on it, in sum."""
    n_true = n_false = n_silent = n_queries = 0
    for rest, threshold in parts:
        counted = rest.count(threshold)
        n_true, n_false = n_true + counted[0], n_false + counted[1]
        n_silent += len(rest) - int((rest.false >= threshold).any(axis=1).sum())
        n_queries += len(rest)
    n_queries = max(1, n_queries)
    return Check(
        precision,
        measured_precision(n_true, n_false),
        float(precision_bound(n_true, n_false)),
        n_true,
        n_false,
        n_true / n_queries,
        n_silent / n_queries,
    )


def held_out_probabilities(
    sample: Sample, *, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the probability of every pair by a map that was not fitted on its source.

    Returns
    -------
    three float64 arrays, shape (p,)
        Probabilities, 1 for copies and 0 for others, and what each pair counts.
    """
    parts = []
    for half, rest in _halves(sample, seed):
        fitted = fit_map(half)
        for scores, is_copy, weight in ((rest.true, 1.0, 1.0), (rest.false, 0.0, _FALSE_WEIGHT)):
            present = _present(scores)
            given = np.interp(present, fitted.scores, fitted.probabilities)
            parts.append(np.stack([given, np.full_like(given, is_copy), np.full_like(given, weight)]))
    given, is_copy, weights = np.concatenate(parts, axis=1)
    return given, is_copy, weights


def _halves(sample: Sample, seed: int) -> Iterator[tuple[Sample, Sample]]:
    """Yield the queries of half of the sources and those of the others, then the other way round."""
    shuffled = np.random.default_rng(seed).permutation(np.unique(sample.sources))
    halves = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
    for fitted, held_out in (halves, halves[::-1]):
        yield sample.of_sources(fitted), sample.of_sources(held_out)


def _present(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return scores[np.isfinite(scores)]
