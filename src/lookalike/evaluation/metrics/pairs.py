"""Measures of all pairs of all queries in one ranking: what one threshold on the score gives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.evaluation.metrics.arrays import BoolArray, FloatArray, IntArray, check_pairs
from lookalike.evaluation.metrics.ranked import average_precision, rank_against_ties


class RecallAtPrecision(NamedTuple):
    """What is found at a promised precision.

    Parameters
    ----------
    recall : float
        Share of all relevant pairs; 0 where the promise cannot be kept, NaN without positives.
    threshold : float
        The least score to accept; infinity where the promise cannot be kept.
    precision : float
        Reached at that threshold; NaN where nothing is accepted.
    """

    recall: float
    threshold: float
    precision: float


class PrCurve(NamedTuple):
    """Precision and recall at every distinct score, from the strictest threshold to the mildest.

    Parameters
    ----------
    precision, recall : float64 arrays, shape (t,)
    thresholds : float64 array, shape (t,)
        Falling; every pair with this score or more is accepted.
    """

    precision: FloatArray
    recall: FloatArray
    thresholds: FloatArray


class RocCurve(NamedTuple):
    """False and true positive rates, from accepting nothing to accepting all.

    Parameters
    ----------
    false_positive_rate, true_positive_rate : float64 arrays, shape (t + 1,)
        From 0 to 1.
    thresholds : float64 array, shape (t + 1,)
        Falling; the first is infinite, it accepts nothing.
    """

    false_positive_rate: FloatArray
    true_positive_rate: FloatArray
    thresholds: FloatArray


def micro_average_precision(
    scores: npt.ArrayLike, relevant: npt.ArrayLike, n_relevant: int | None = None
) -> float:
    """Return the average precision of all pairs of all queries in one ranking.

    It asks for one threshold for all queries, so a query that has no relative must score low (Douze et al.,
    The 2021 Image Similarity Dataset and Challenge, 2021). Equal scores: the irrelevant first.

    Parameters
    ----------
    scores : float array, any shape
        Of every pair returned; minus infinity for places without an answer.
    relevant : bool array, same shape
    n_relevant : int or None
        All relevant pairs, returned or not; None: those in `relevant`.

    Returns
    -------
    float
        0 to 1; NaN where there are no relevant pairs.
    """
    scores, relevant, n_relevant = _flatten_pairs(scores, relevant, n_relevant)
    return float(average_precision(rank_against_ties(scores, relevant)[None], [n_relevant])[0])


def pr_curve(scores: npt.ArrayLike, relevant: npt.ArrayLike, n_relevant: int | None = None) -> PrCurve:
    """Return precision and recall at every distinct score of the pairs.

    Parameters
    ----------
    scores, relevant, n_relevant : as of `micro_average_precision`

    Returns
    -------
    PrCurve
        Empty without answers; recall is NaN without relevant pairs.
    """
    scores, relevant, n_relevant = _flatten_pairs(scores, relevant, n_relevant)
    n_true, n_false, thresholds = _count_by_threshold(scores, relevant)
    recall = n_true / n_relevant if n_relevant else np.full(n_true.shape, np.nan)
    return PrCurve(n_true / (n_true + n_false), recall, thresholds)


def recall_at_precision(
    scores: npt.ArrayLike, relevant: npt.ArrayLike, n_relevant: int | None = None, *, min_precision: float
) -> RecallAtPrecision:
    """Return the highest recall that a single threshold reaches at a promised precision.

    Of several thresholds of that recall the highest is returned, which is also the most precise.

    Parameters
    ----------
    scores, relevant, n_relevant : as of `micro_average_precision`
    min_precision : float
        Above 0 to 1, such as 0.999.
    """
    if not 0 < min_precision <= 1:
        raise ValueError(f"min_precision must be above 0 and at most 1, not {min_precision}")
    curve = pr_curve(scores, relevant, n_relevant)
    kept = (curve.precision >= min_precision).nonzero()[0]
    if not kept.size:
        has_positives = bool(np.any(relevant)) if n_relevant is None else n_relevant > 0
        return RecallAtPrecision(0.0 if has_positives else float("nan"), float("inf"), float("nan"))
    best = kept[np.argmax(curve.recall[kept])]
    return RecallAtPrecision(
        float(curve.recall[best]), float(curve.thresholds[best]), float(curve.precision[best])
    )


def roc_curve(scores: npt.ArrayLike, relevant: npt.ArrayLike) -> RocCurve:
    """Return the false and true positive rates at every distinct score of the pairs.

    Parameters
    ----------
    scores : float array, any shape
        Of pairs judged; all of them must be given, also the unlikely ones.
    relevant : bool array, same shape

    Returns
    -------
    RocCurve
        A rate is NaN where there is no pair of its kind.
    """
    scores, relevant, _ = _flatten_pairs(scores, relevant, None)
    n_true, n_false, thresholds = _count_by_threshold(scores, relevant)
    rates = [
        np.concatenate(([0], counts)) / counts[-1]
        if counts.size and counts[-1]
        else np.full(counts.size + 1, np.nan)
        for counts in (n_false, n_true)
    ]
    return RocCurve(rates[0], rates[1], np.concatenate(([np.inf], thresholds)))


def _count_by_threshold(scores: FloatArray, relevant: BoolArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return true and false pairs at or above each distinct finite score, and those scores, falling."""
    answered = scores > -np.inf
    scores, relevant = scores[answered], relevant[answered]
    order = np.argsort(-scores, kind="stable")
    scores, relevant = scores[order], relevant[order]
    last_of_score = np.flatnonzero(np.append(np.diff(scores) != 0, True)[: scores.size])
    n_true = np.cumsum(relevant, dtype=np.int64)[last_of_score]
    return n_true, last_of_score + 1 - n_true, scores[last_of_score]


def _flatten_pairs(
    scores: npt.ArrayLike, relevant: npt.ArrayLike, n_relevant: int | None
) -> tuple[FloatArray, BoolArray, int]:
    scores, relevant = check_pairs(scores, relevant)
    n_ranked = int(relevant.sum())
    if n_relevant is not None and n_relevant < n_ranked:
        raise ValueError(f"n_relevant is {n_relevant}, but {n_ranked} relevant pairs are given")
    return scores.ravel(), relevant.ravel(), n_ranked if n_relevant is None else n_relevant
