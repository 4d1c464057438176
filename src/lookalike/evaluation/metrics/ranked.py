"""Measures of the list that each query returned, and of their mean over the queries."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.evaluation.metrics.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    check_pairs,
    check_same_shape,
)


class MeanOverQueries(NamedTuple):
    """A mean over the queries that have a value.

    Parameters
    ----------
    mean : float
        NaN where no query has a value.
    n_used : int
        Queries that went into it.
    n_left_out : int
        Queries without a value: they have no positives.
    """

    mean: float
    n_used: int
    n_left_out: int


def rank_against_ties(scores: npt.ArrayLike, relevant: npt.ArrayLike) -> BoolArray:
    """Order each query's pictures by falling score; of equal scores the irrelevant come first.

    Parameters
    ----------
    scores : float array, shape (..., m)
        Higher is more alike; minus infinity for places without an answer.
    relevant : bool array, shape (..., m)

    Returns
    -------
    bool array, shape (..., m)
        ``ranked_relevance``.

    Raises
    ------
    ValueError
        The shapes differ, or a score is NaN.
    """
    scores, relevant = check_pairs(scores, relevant)
    order = np.lexsort((relevant, -scores), axis=-1)
    return np.take_along_axis(relevant, order, axis=-1)


def drop_ranked(ranked_relevance: npt.ArrayLike, dropped: npt.ArrayLike) -> BoolArray:
    """Take some places out of each list; what stood behind them moves up, and False fills the end.

    Parameters
    ----------
    ranked_relevance : bool array, shape (n, k)
    dropped : bool array, shape (n, k)
        The places to take out: junk pictures, copies of the query.

    Returns
    -------
    bool array, shape (n, k)
    """
    ranked, dropped = np.asarray(ranked_relevance, bool), np.asarray(dropped, bool)
    check_same_shape(ranked, dropped)
    order = np.argsort(dropped, axis=-1, kind="stable")
    return np.take_along_axis(ranked & ~dropped, order, axis=-1)


def mean_over_queries(values: npt.ArrayLike) -> MeanOverQueries:
    """Average the queries that have a value, and count those that have none.

    Parameters
    ----------
    values : float array, shape (n,)
        One a query; NaN for a query without positives.
    """
    values = np.asarray(values, np.float64)
    used = values[~np.isnan(values)]
    mean = float(used.mean()) if used.size else float("nan")
    return MeanOverQueries(mean, int(used.size), int(values.size - used.size))


def bootstrap_interval(
    values: npt.ArrayLike, *, seed: int, level: float = 0.95, n: int = 2000
) -> tuple[float, float]:
    """Return the interval that the mean over queries would fall into with other queries of the same kind.

    The queries are drawn again with replacement `n` times; the interval lies between the percentiles of
    the means (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

    Parameters
    ----------
    values : float array, shape (q,)
        One a query; NaN is left out.
    seed : int
        The same seed gives the same interval.
    level : float
        Share of the means inside, above 0 and below 1.
    n : int
        How many times to draw.

    Returns
    -------
    float, float
        Low and high end; NaN where no query has a value.

    Raises
    ------
    ValueError
        `level` or `n` is out of range.
    """
    if not 0 < level < 1 or n < 1:
        raise ValueError(f"level must lie between 0 and 1 and n be at least 1, not {level} and {n}")
    values = np.asarray(values, np.float64)
    used = values[~np.isnan(values)]
    if not used.size:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    # One drawing at a time: 2,000 of 100,000 queries would not fit into memory at once.
    means = [used[rng.integers(0, used.size, used.size)].mean() for _ in range(n)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def precision_at_k(ranked_relevance: npt.ArrayLike, n_relevant: npt.ArrayLike, k: int) -> FloatArray:
    """Return the share of the first k places that hold a relevant picture, shape (n,)."""
    ranked, n_relevant = _check_ranked(ranked_relevance, n_relevant, k)
    return _where_any(n_relevant, ranked.sum(axis=1) / k)


def recall_at_k(ranked_relevance: npt.ArrayLike, n_relevant: npt.ArrayLike, k: int) -> FloatArray:
    """Return the share of the relevant pictures that stand in the first k places, shape (n,)."""
    ranked, n_relevant = _check_ranked(ranked_relevance, n_relevant, k)
    return _where_any(n_relevant, ranked.sum(axis=1) / np.maximum(n_relevant, 1))


def hit_rate_at_k(ranked_relevance: npt.ArrayLike, n_relevant: npt.ArrayLike, k: int) -> FloatArray:
    """Return 1 where a relevant picture stands in the first k places, else 0, shape (n,)."""
    ranked, n_relevant = _check_ranked(ranked_relevance, n_relevant, k)
    return _where_any(n_relevant, ranked.any(axis=1))


def reciprocal_rank(ranked_relevance: npt.ArrayLike, n_relevant: npt.ArrayLike) -> FloatArray:
    """Return 1 / the place of the first relevant picture, 0 where none was returned, shape (n,).

    Its mean over queries is the MRR.
    """
    ranked, n_relevant = _check_ranked(ranked_relevance, n_relevant, None)
    places = np.arange(1, ranked.shape[1] + 1)
    return _where_any(n_relevant, (ranked / places).max(axis=1, initial=0.0))


def r_precision(ranked_relevance: npt.ArrayLike, n_relevant: npt.ArrayLike) -> FloatArray:
    """Return the precision in the first R places, where R is the query's own number of positives, shape (n,).

    Precision and recall are equal there. A list shorter than R counts as wrong beyond its end.
    """
    ranked, n_relevant = _check_ranked(ranked_relevance, n_relevant, None)
    in_first = np.arange(ranked.shape[1]) < n_relevant[:, None]
    return _where_any(n_relevant, (ranked & in_first).sum(axis=1) / np.maximum(n_relevant, 1))


def average_precision(
    ranked_relevance: npt.ArrayLike, n_relevant: npt.ArrayLike, k: int | None = None
) -> FloatArray:
    """Return the precision at the place of each relevant picture, averaged over all positives, shape (n,).

    No interpolation. A positive that was not returned counts as precision 0.

    Parameters
    ----------
    ranked_relevance, n_relevant : see the module
    k : int or None
        Look at the first k places only (AP@k). The sum is then divided by the smaller of k and the
        number of positives, so that a perfect list has 1.
    """
    ranked, n_relevant = _check_ranked(ranked_relevance, n_relevant, k)
    precision = ranked.cumsum(axis=1) / np.arange(1, ranked.shape[1] + 1)
    possible = n_relevant if k is None else np.minimum(n_relevant, k)
    return _where_any(n_relevant, (precision * ranked).sum(axis=1) / np.maximum(possible, 1))


def mean_average_precision(
    ranked_relevance: npt.ArrayLike, n_relevant: npt.ArrayLike, k: int | None = None
) -> MeanOverQueries:
    """Return mAP, or mAP@k: the mean of `average_precision` over the queries."""
    return mean_over_queries(average_precision(ranked_relevance, n_relevant, k))


def ndcg_at_k(ranked_relevance: npt.ArrayLike, n_relevant: npt.ArrayLike, k: int) -> FloatArray:
    """Return the normalised discounted cumulative gain of the first k places, shape (n,).

    A relevant picture gains 1, divided by log2(place + 1); the sum is divided by that of a perfect list
    (Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, 2002).
    """
    ranked, n_relevant = _check_ranked(ranked_relevance, n_relevant, k)
    discounts = 1 / np.log2(np.arange(k) + 2)
    ideal = np.concatenate(([0.0], np.cumsum(discounts)))[np.minimum(n_relevant, k)]
    gain = ranked @ discounts[: ranked.shape[1]]
    return _where_any(n_relevant, gain / np.where(ideal > 0, ideal, 1))


def ukbench_score(ranked_relevance: npt.ArrayLike, n_relevant: npt.ArrayLike) -> FloatArray:
    """Return how many of the first 4 are relevant, 0 to 4, shape (n,): the N-S score of UKBench.

    There each of the 4 pictures of an object is a query, and the query itself stays in the list and counts
    (Nistér and Stewénius, Scalable recognition with a vocabulary tree, 2006).
    """
    ranked, n_relevant = _check_ranked(ranked_relevance, n_relevant, 4)
    return _where_any(n_relevant, ranked.sum(axis=1))


def jaccard(found: npt.ArrayLike, true: npt.ArrayLike) -> FloatArray:
    """Return the share that two sets have in common: the size of what both hold by that of what either holds.

    Parameters
    ----------
    found, true : bool arrays, shape (..., m)
        Is each of m pictures in the answer, in the truth?

    Returns
    -------
    float64 array, shape (...)
        1 where both are empty: nothing to find, and nothing found.
    """
    found, true = np.asarray(found, bool), np.asarray(true, bool)
    check_same_shape(found, true)
    both, either = (found & true).sum(axis=-1), (found | true).sum(axis=-1)
    return np.asarray(np.where(either > 0, both / np.maximum(either, 1), 1.0), np.float64)


def _where_any(n_relevant: IntArray, values: npt.ArrayLike) -> FloatArray:
    """Put NaN where a query has no positives."""
    return np.where(n_relevant > 0, np.asarray(values, np.float64), np.nan)


def _check_ranked(
    ranked_relevance: npt.ArrayLike, n_relevant: npt.ArrayLike, k: int | None
) -> tuple[BoolArray, IntArray]:
    """Return the first k places and the numbers of positives, after a look whether they can be true."""
    ranked, n_relevant = np.asarray(ranked_relevance, bool), np.asarray(n_relevant, np.int64)
    if ranked.ndim != 2 or n_relevant.shape != ranked.shape[:1]:
        raise ValueError(
            f"ranked_relevance must be (n, k) and n_relevant (n,), not {ranked.shape} and {n_relevant.shape}"
        )
    if k is not None and k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    excess = ranked.sum(axis=1) - n_relevant
    if (excess > 0).any():
        query = int(np.argmax(excess))
        raise ValueError(
            f"query {query} has {int(n_relevant[query])} positives, but more than that are ranked; "
            "count the positives again"
        )
    return ranked[:, :k], n_relevant
