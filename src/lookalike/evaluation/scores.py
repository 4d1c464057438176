"""Predictions and ground truth -> figures: accuracies with intervals, curves, edits, histograms, mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.edits import graded_edits, perception_edits, standard_edits
from lookalike.evaluation import metrics
from lookalike.evaluation.answers import IndexedData
from lookalike.evaluation.datasets import DataSet
from lookalike.evaluation.predictions import Predictions

RANKS = (1, 2, 3, 5, 10, 20, 50, 100)
PRECISIONS = {"P99": 0.99, "P99.9": 0.999}
N_MISTAKES = 24
N_MISTAKES_OF_EDIT = 3  # else the hardest edit would fill the list
N_CURVE_POINTS = 200
N_BINS = 60

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What is right for each query, as numbers.

    Parameters
    ----------
    positives : tuple of int arrays, one a query
        Positions in the list of gallery pictures.
    dropped : tuple of int arrays, one a query
        Positions that are neither right nor wrong.
    sources : int array, shape (n,)
        Queries of one number are edits of one picture; each its own where the data set knows no
        edits.
    edits : tuple of str, one a query
        The edit's label, or an empty text.
    """

    positives: tuple[NDArray[np.intp], ...]
    dropped: tuple[NDArray[np.intp], ...]
    sources: NDArray[np.intp]
    edits: tuple[str, ...]

    @property
    def n_relevant(self) -> NDArray[np.int64]:
        """How many positives each query has."""
        return np.array([len(positives) for positives in self.positives], np.int64)


@dataclass(frozen=True)
class Mistake:
    """A query whose first match is wrong.

    Parameters
    ----------
    query, wrong : str
        Names in the data set.
    wrong_score : float
    positive : str
        The right picture that came first, or one that did not come at all.
    positive_rank : int or None   its place, from 1; None where it was not among the answers
    positive_score : float
        Minus infinity where it was not among the answers.
    edit : str
        Label of the edit, or an empty text.
    """

    query: str
    wrong: str
    wrong_score: float
    positive: str
    positive_rank: int | None
    positive_score: float
    edit: str


@dataclass(frozen=True)
class EditFigures:
    """How well the copies of one edit are found: shares of its queries."""

    n_queries: int
    recall_at_1: float
    recall_at_precision: float


@dataclass(frozen=True)
class Scores:
    """All figures of one way.

    Parameters
    ----------
    values : mapping
        By the measure's name; NaN where nothing can be said.
    intervals : mapping
        Of some measures, the 95 % bootstrap interval over queries (over sources of edits).
    recall_by_rank : float array, shape (r,)
        Recall@k for the k of `RANKS` that the depth allows.
    pr_curve : float array, shape (p, 2)
        Recall and precision of all pairs by one threshold.
    bins, same, different : float arrays
        Histogram edges (b + 1,), and the shares (b,) of the scores of right and of wrong pairs among
        the answers (the lowest thousandth is left out).
    by_edit : mapping
        By label, in the order of the data set's edits.
    mistakes : tuple of Mistake
        The worst first: by how much the wrong one scores above the right one.
    """

    values: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    recall_by_rank: Floats
    pr_curve: Floats
    bins: Floats
    same: Floats
    different: Floats
    by_edit: Mapping[str, EditFigures]
    mistakes: tuple[Mistake, ...]


def find_truth(indexed: IndexedData) -> Truth:
    """Return what is right for each query, with copies of equal bytes taken care of.

    Pictures of the query's own bytes are dropped, for any way finds them. Where the queries are edits, all
    pictures of the source's bytes are the source.
    """
    data = indexed.data
    place_of = {name: place for place, name in enumerate(data.gallery)}
    twins = _twins(indexed)
    positives, dropped = [], []
    for query in data.queries:
        right = {place_of[name] for name in data.positives[query]}
        if query in data.edits:
            right.update(twin for place in list(right) for twin in twins.get(place, ()))
        own = place_of.get(query)
        junk = {place_of[name] for name in data.ignored.get(query, ()) if name in place_of}
        if own is not None:
            junk.update((own, *twins.get(own, ())))
        positives.append(np.array(sorted(right - junk), np.intp))
        dropped.append(np.array(sorted(junk), np.intp))
    edits = tuple(data.edits.get(query, "") for query in data.queries)
    return Truth(tuple(positives), tuple(dropped), _sources(data, positives), edits)


def _twins(indexed: IndexedData) -> dict[int, list[int]]:
    """Return for each gallery picture that is not alone the others of equal bytes."""
    same: dict[bytes, list[int]] = {}
    for place, path in enumerate(indexed.paths):
        if path in indexed.digests:
            same.setdefault(indexed.digests[path], []).append(place)
    return {
        place: [other for other in places if other != place]
        for places in same.values()
        if len(places) > 1
        for place in places
    }


def _sources(data: DataSet, positives: list[NDArray[np.intp]]) -> NDArray[np.intp]:
    n_gallery = len(data.gallery)
    return np.array(
        [
            right[0] if query in data.edits and len(right) else n_gallery + row
            for row, (query, right) in enumerate(zip(data.queries, positives, strict=True))
        ],
        np.intp,
    )


def score(predictions: Predictions, truth: Truth, data: DataSet, *, seed: int) -> Scores:
    """Work out all figures of one way; queries that could not be read are left out.

    Equal scores are ordered against the way; what lies beyond the depth counts as not found.
    """
    asked = np.flatnonzero(~predictions.failed)
    items, scores = predictions.items[asked], predictions.scores[asked].copy()
    relevant = _membership(items, [truth.positives[row] for row in asked])
    is_dropped = _membership(items, [truth.dropped[row] for row in asked]) | (items < 0)
    scores[is_dropped], relevant[is_dropped] = -np.inf, False
    n_relevant = truth.n_relevant[asked]
    ranked = metrics.rank_against_ties(scores, relevant)
    of_query = _per_query(ranked, n_relevant)
    values = {name: metrics.mean_over_queries(one).mean for name, one in of_query.items()}
    total = int(n_relevant.sum())
    values["micro_ap"] = metrics.micro_average_precision(scores, relevant, total)
    thresholds = {}
    for name, precision in PRECISIONS.items():
        found = metrics.recall_at_precision(scores, relevant, total, min_precision=precision)
        values[f"recall@{name}"], values[f"threshold@{name}"] = found.recall, found.threshold
        thresholds[name] = found.threshold
    sources = truth.sources[asked]
    intervals = {
        name: metrics.bootstrap_interval(_by_source(of_query[name], sources), seed=seed)
        for name in ("map", "precision@1", "recall@10")
    }
    edits = tuple(truth.edits[row] for row in asked)
    bins, same, different = _histogram(scores, relevant)
    return Scores(
        values,
        intervals,
        _recall_by_rank(ranked, n_relevant),
        _thin_curve(metrics.pr_curve(scores, relevant, total)),
        bins,
        same,
        different,
        _by_edit(edits, ranked, scores, relevant, n_relevant, thresholds["P99.9"]),
        _mistakes(asked, items, scores, relevant, truth, data),
    )


def _membership(items: NDArray[np.int32], sets: list[NDArray[np.intp]]) -> NDArray[np.bool_]:
    """Return which of each query's items are in its set."""
    found = np.zeros(items.shape, bool)
    for row, wanted in enumerate(sets):
        if len(wanted):
            found[row] = np.isin(items[row], wanted)
    return found


def _per_query(ranked: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> dict[str, Floats]:
    return {
        "map": metrics.average_precision(ranked, n_relevant),
        "map@10": metrics.average_precision(ranked, n_relevant, 10),
        "precision@1": metrics.precision_at_k(ranked, n_relevant, 1),
        "recall@1": metrics.recall_at_k(ranked, n_relevant, 1),
        "recall@10": metrics.recall_at_k(ranked, n_relevant, 10),
        "hit_rate@1": metrics.hit_rate_at_k(ranked, n_relevant, 1),
        "hit_rate@10": metrics.hit_rate_at_k(ranked, n_relevant, 10),
        "r_precision": metrics.r_precision(ranked, n_relevant),
        "ndcg@10": metrics.ndcg_at_k(ranked, n_relevant, 10),
        "mrr": metrics.reciprocal_rank(ranked, n_relevant),
    }


def _by_source(values: Floats, sources: NDArray[np.intp]) -> Floats:
    """Average the queries of one source: edits of one picture are no independent queries."""
    known = ~np.isnan(values)
    _, group = np.unique(sources[known], return_inverse=True)
    return np.asarray(np.bincount(group, values[known]) / np.maximum(np.bincount(group), 1))


def _recall_by_rank(ranked: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> Floats:
    ranks = [k for k in RANKS if k <= ranked.shape[1]]
    return np.array(
        [metrics.mean_over_queries(metrics.recall_at_k(ranked, n_relevant, k)).mean for k in ranks]
    )


def _thin_curve(curve: metrics.PrCurve) -> Floats:
    """Keep of a curve that may have a point a pair as many as a drawing can show."""
    chosen = np.unique(np.searchsorted(curve.recall, np.linspace(0, 1, N_CURVE_POINTS)))
    chosen = chosen[chosen < len(curve.recall)]
    return np.stack([curve.recall[chosen], curve.precision[chosen]], axis=1)


def _histogram(scores: Floats, relevant: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    answered = np.isfinite(scores)
    if not answered.any():
        nothing = np.zeros(N_BINS)
        return np.linspace(0, 1, N_BINS + 1), nothing, nothing
    lowest = float(np.quantile(scores[answered], 0.001))  # a few far away would squeeze all others together
    bins = np.linspace(min(lowest, 0.98), 1, N_BINS + 1)
    same, different = (np.histogram(scores[answered & which], bins)[0] for which in (relevant, ~relevant))
    return bins, same / max(1, same.sum()), different / max(1, different.sum())


def _by_edit(
    edits: tuple[str, ...],
    ranked: NDArray[np.bool_],
    scores: Floats,
    relevant: NDArray[np.bool_],
    n_relevant: NDArray[np.int64],
    threshold: float,
) -> dict[str, EditFigures]:
    """Return the figures of each edit; all share one threshold, which keeps the precision over all of them."""
    first = metrics.hit_rate_at_k(ranked, n_relevant, 1)
    above = (relevant & (scores >= threshold)).any(axis=1) & np.isfinite(threshold)
    labels = np.array(edits, object)
    figures = {}
    for label in sorted(set(edits), key=_place_of_edit):
        of_edit = (labels == label) & (n_relevant > 0)
        if label and of_edit.any():
            figures[label] = EditFigures(
                int(of_edit.sum()), float(first[of_edit].mean()), float(above[of_edit].mean())
            )
    return figures


def _place_of_edit(label: str) -> tuple[int, str]:
    """Order the edits as the collections do, and others behind them by name."""
    known = [edit.label for edits in (graded_edits, standard_edits, perception_edits) for edit in edits()]
    return (known.index(label) if label in known else len(known), label)


def _mistakes(
    asked: NDArray[np.intp],
    items: NDArray[np.int32],
    scores: Floats,
    relevant: NDArray[np.bool_],
    truth: Truth,
    data: DataSet,
) -> tuple[Mistake, ...]:
    wrong_scores = np.where(relevant, -np.inf, scores)
    right_scores = np.where(relevant, scores, -np.inf)
    if not scores.shape[1]:
        return ()
    wrong, right = wrong_scores.argmax(axis=1), right_scores.argmax(axis=1)
    rows = np.arange(len(asked))
    best_wrong, best_right = wrong_scores[rows, wrong], right_scores[rows, right]
    is_mistake = np.isfinite(best_wrong) & (best_wrong >= best_right)
    is_mistake &= np.array([len(truth.positives[row]) > 0 for row in asked], bool)
    floor = np.where(
        np.isfinite(best_right), best_right, np.where(np.isfinite(scores), scores, 1).min(axis=1)
    )
    worst = sorted(np.flatnonzero(is_mistake), key=lambda row: (floor[row] - best_wrong[row], row))
    mistakes: list[Mistake] = []
    for row in worst:
        query, edit = data.queries[asked[row]], truth.edits[asked[row]]
        if len(mistakes) == N_MISTAKES:
            break
        if edit and sum(one.edit == edit for one in mistakes) >= N_MISTAKES_OF_EDIT:
            continue
        found = bool(np.isfinite(best_right[row]))
        place = items[row, right[row]] if found else truth.positives[asked[row]][0]
        ahead = (scores[row] > best_right[row]) | ((scores[row] == best_right[row]) & ~relevant[row])
        mistakes.append(
            Mistake(
                query,
                data.gallery[items[row, wrong[row]]],
                float(best_wrong[row]),
                data.gallery[place],
                int(ahead.sum()) + 1 if found else None,
                float(best_right[row]),
                edit,
            )
        )
    return tuple(mistakes)
