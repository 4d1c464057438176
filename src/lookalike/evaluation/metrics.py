"""How good a ranking is: the field's measures, each said in one function of arrays.

The module needs NumPy alone and knows nothing of the rest of the package, so that its figures can be
checked by themselves. Three rules hold throughout.

- **Ties go against the system.** Of equal scores the irrelevant come first (`rank_against_ties`), and a
  threshold takes all pairs of its score or none: no measure depends on luck or on the order of files.
- **A query without positives has no value.** It is NaN for that query; `mean_over_queries` leaves it out
  and says how many were left out.
- **What was not returned was not found.** Measures divide by the positives that exist (`n_relevant`), not
  by those in the list, and a list shorter than k is no excuse: precision@k divides by k.

Ranked measures share two arguments:

ranked_relevance : bool array, shape (n, k)    for each query the list returned, best first: is it relevant?
                                               Lists of different lengths are padded with False
n_relevant : int array, shape (n,)             how many relevant pictures there are for each query
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


class MeanOverQueries(NamedTuple):
    """A mean over the queries that have a value.

    Parameters
    ----------
    mean : float          NaN where no query has a value
    n_used : int          queries that went into it
    n_left_out : int      queries without a value: they have no positives
    """

    mean: float
    n_used: int
    n_left_out: int


class RecallAtPrecision(NamedTuple):
    """What is found at a promised precision.

    Parameters
    ----------
    recall : float       share of all relevant pairs; 0 where the promise cannot be kept, NaN without positives
    threshold : float    the least score to accept; infinity where the promise cannot be kept
    precision : float    reached at that threshold; NaN where nothing is accepted
    """

    recall: float
    threshold: float
    precision: float


class PrCurve(NamedTuple):
    """Precision and recall at every distinct score, from the strictest threshold to the mildest.

    Parameters
    ----------
    precision, recall : float64 arrays, shape (t,)
    thresholds : float64 array, shape (t,)    falling; every pair with this score or more is accepted
    """

    precision: FloatArray
    recall: FloatArray
    thresholds: FloatArray


class RocCurve(NamedTuple):
    """False and true positive rates, from accepting nothing to accepting all.

    Parameters
    ----------
    false_positive_rate, true_positive_rate : float64 arrays, shape (t + 1,)    from 0 to 1
    thresholds : float64 array, shape (t + 1,)    falling; the first is infinite, it accepts nothing
    """

    false_positive_rate: FloatArray
    true_positive_rate: FloatArray
    thresholds: FloatArray


def rank_against_ties(scores: npt.ArrayLike, relevant: npt.ArrayLike) -> BoolArray:
    """Order each query's pictures by falling score; of equal scores the irrelevant come first.

    Parameters
    ----------
    scores : float array, shape (..., m)     higher is more alike; minus infinity for places without an answer
    relevant : bool array, shape (..., m)

    Returns
    -------
    bool array, shape (..., m)    ``ranked_relevance``

    Raises
    ------
    ValueError    the shapes differ, or a score is NaN
    """
    scores, relevant = _check_pairs(scores, relevant)
    order = np.lexsort((relevant, -scores), axis=-1)
    return np.take_along_axis(relevant, order, axis=-1)


def drop_ranked(ranked_relevance: npt.ArrayLike, dropped: npt.ArrayLike) -> BoolArray:
    """Take some places out of each list; what stood behind them moves up, and False fills the end.

    Parameters
    ----------
    ranked_relevance : bool array, shape (n, k)
    dropped : bool array, shape (n, k)    the places to take out: junk pictures, copies of the query

    Returns
    -------
    bool array, shape (n, k)
    """
    ranked, dropped = np.asarray(ranked_relevance, bool), np.asarray(dropped, bool)
    _check_same_shape(ranked, dropped)
    order = np.argsort(dropped, axis=-1, kind="stable")
    return np.take_along_axis(ranked & ~dropped, order, axis=-1)


def mean_over_queries(values: npt.ArrayLike) -> MeanOverQueries:
    """Average the queries that have a value, and count those that have none.

    Parameters
    ----------
    values : float array, shape (n,)    one a query; NaN for a query without positives
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
    values : float array, shape (q,)    one a query; NaN is left out
    seed : int         the same seed gives the same interval
    level : float      share of the means inside, above 0 and below 1
    n : int            how many times to draw

    Returns
    -------
    float, float    low and high end; NaN where no query has a value

    Raises
    ------
    ValueError    `level` or `n` is out of range
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
    k : int or None    look at the first k places only (AP@k). The sum is then divided by the smaller of k
                       and the number of positives, so that a perfect list has 1
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


def micro_average_precision(
    scores: npt.ArrayLike, relevant: npt.ArrayLike, n_relevant: int | None = None
) -> float:
    """Return the average precision of all pairs of all queries in one ranking.

    It asks for one threshold for all queries, so a query that has no relative must score low (Douze et al.,
    The 2021 Image Similarity Dataset and Challenge, 2021). Equal scores: the irrelevant first.

    Parameters
    ----------
    scores : float array, any shape      of every pair returned; minus infinity for places without an answer
    relevant : bool array, same shape
    n_relevant : int or None             all relevant pairs, returned or not; None: those in `relevant`

    Returns
    -------
    float    0 to 1; NaN where there are no relevant pairs
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
    PrCurve    empty without answers; recall is NaN without relevant pairs
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
    min_precision : float    above 0 to 1, such as 0.999
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
    scores : float array, any shape      of pairs judged; all of them must be given, also the unlikely ones
    relevant : bool array, same shape

    Returns
    -------
    RocCurve    a rate is NaN where there is no pair of its kind
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


def jaccard(found: npt.ArrayLike, true: npt.ArrayLike) -> FloatArray:
    """Return the share that two sets have in common: the size of what both hold by that of what either holds.

    Parameters
    ----------
    found, true : bool arrays, shape (..., m)    is each of m pictures in the answer, in the truth?

    Returns
    -------
    float64 array, shape (...)    1 where both are empty: nothing to find, and nothing found
    """
    found, true = np.asarray(found, bool), np.asarray(true, bool)
    _check_same_shape(found, true)
    both, either = (found & true).sum(axis=-1), (found | true).sum(axis=-1)
    return np.asarray(np.where(either > 0, both / np.maximum(either, 1), 1.0), np.float64)


def _count_by_threshold(scores: FloatArray, relevant: BoolArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return true and false pairs at or above each distinct finite score, and those scores, falling."""
    answered = scores > -np.inf
    scores, relevant = scores[answered], relevant[answered]
    order = np.argsort(-scores, kind="stable")
    scores, relevant = scores[order], relevant[order]
    last_of_score = np.flatnonzero(np.append(np.diff(scores) != 0, True)[: scores.size])
    n_true = np.cumsum(relevant, dtype=np.int64)[last_of_score]
    return n_true, last_of_score + 1 - n_true, scores[last_of_score]


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


def _check_pairs(scores: npt.ArrayLike, relevant: npt.ArrayLike) -> tuple[FloatArray, BoolArray]:
    scores, relevant = np.asarray(scores, np.float64), np.asarray(relevant, bool)
    _check_same_shape(scores, relevant)
    if np.isnan(scores).any():
        raise ValueError("a score is NaN; give minus infinity for a place without an answer")
    return scores, relevant


def _flatten_pairs(
    scores: npt.ArrayLike, relevant: npt.ArrayLike, n_relevant: int | None
) -> tuple[FloatArray, BoolArray, int]:
    scores, relevant = _check_pairs(scores, relevant)
    n_ranked = int(relevant.sum())
    if n_relevant is not None and n_relevant < n_ranked:
        raise ValueError(f"n_relevant is {n_relevant}, but {n_ranked} relevant pairs are given")
    return scores.ravel(), relevant.ravel(), n_ranked if n_relevant is None else n_relevant


def _check_same_shape(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> None:
    if one.shape != other.shape:
        raise ValueError(f"the two arrays must have one shape, not {one.shape} and {other.shape}")
