"""Metrics: cases worked by hand, properties, and agreement with scikit-learn."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as reference

from lookalike.evaluation import metrics

# Of query 0 the places 1 and 3 are right and a third positive was not returned; query 1 finds its one
# positive at place 2; query 2 finds nothing; query 3 has nothing to find.
RANKED = np.array([[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], bool)
N_RELEVANT = np.array([3, 1, 2, 0])


def assert_values(values, expected):
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_the_package_needs_numpy_alone():
    imported = set()
    for path in Path(metrics.__file__).parent.glob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        imported |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    others = {name for name in imported if not name.startswith(metrics.__name__)}
    assert others == {"numpy", "numpy.typing", "typing", "__future__"}


def test_precision_divides_by_k_even_where_the_list_is_shorter():
    assert_values(metrics.precision_at_k(RANKED, N_RELEVANT, 3), [2 / 3, 1 / 3, 0, np.nan])
    assert_values(metrics.precision_at_k(RANKED, N_RELEVANT, 8), [2 / 8, 1 / 8, 0, np.nan])


def test_recall_divides_by_all_positives_not_by_those_returned():
    assert_values(metrics.recall_at_k(RANKED, N_RELEVANT, 1), [1 / 3, 0, 0, np.nan])
    assert_values(metrics.recall_at_k(RANKED, N_RELEVANT, 4), [2 / 3, 1, 0, np.nan])


def test_hit_rate_asks_for_any_positive():
    assert_values(metrics.hit_rate_at_k(RANKED, N_RELEVANT, 1), [1, 0, 0, np.nan])
    assert_values(metrics.hit_rate_at_k(RANKED, N_RELEVANT, 2), [1, 1, 0, np.nan])


def test_reciprocal_rank_is_that_of_the_first_positive():
    assert_values(metrics.reciprocal_rank(RANKED, N_RELEVANT), [1, 1 / 2, 0, np.nan])


def test_average_precision_counts_what_was_not_returned_as_zero():
    assert_values(metrics.average_precision(RANKED, N_RELEVANT), [(1 + 2 / 3) / 3, 1 / 2, 0, np.nan])


def test_average_precision_at_k_divides_by_what_k_places_can_hold():
    assert_values(metrics.average_precision(RANKED, N_RELEVANT, 2), [1 / 2, 1 / 2, 0, np.nan])
    assert_values(metrics.average_precision([[True, True]], [5], 2), [1])


def test_mean_average_precision_leaves_out_and_counts_queries_without_positives():
    mean, n_used, n_left_out = metrics.mean_average_precision(RANKED, N_RELEVANT)
    assert mean == pytest.approx((5 / 9 + 1 / 2 + 0) / 3)
    assert (n_used, n_left_out) == (3, 1)


def test_r_precision_looks_at_as_many_places_as_there_are_positives():
    assert_values(metrics.r_precision(RANKED, N_RELEVANT), [2 / 3, 0, 0, np.nan])


def test_ndcg_discounts_by_the_logarithm_of_the_place():
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    expected = [(1 + 1 / math.log2(4)) / ideal, 1 / math.log2(3), 0, np.nan]
    assert_values(metrics.ndcg_at_k(RANKED, N_RELEVANT, 4), expected)


def test_ukbench_score_counts_the_first_four():
    ranked = [[True, True, False, True, True], [True, False, False, False, True]]
    assert_values(metrics.ukbench_score(ranked, [5, 4]), [3, 1])


@pytest.mark.parametrize("k", [1, 5])
def test_empty_answers_find_nothing(k):
    empty, n_relevant = np.zeros((2, 0), bool), np.array([2, 0])
    for measure in (
        metrics.precision_at_k,
        metrics.recall_at_k,
        metrics.hit_rate_at_k,
        metrics.average_precision,
        metrics.ndcg_at_k,
    ):
        assert_values(measure(empty, n_relevant, k), [0, np.nan])
    for measure in (metrics.reciprocal_rank, metrics.r_precision, metrics.ukbench_score):
        assert_values(measure(empty, n_relevant), [0, np.nan])


def test_no_queries_at_all_have_no_mean():
    mean = metrics.mean_average_precision(np.zeros((0, 3), bool), np.zeros(0, int))
    assert math.isnan(mean.mean)
    assert (mean.n_used, mean.n_left_out) == (0, 0)


def test_of_equal_scores_the_irrelevant_come_first():
    scores = [[0.5, 0.9, 0.5, 0.5], [0.1, 0.2, -np.inf, 0.2]]
    relevant = [[True, False, False, True], [False, True, False, True]]
    expected = [[False, False, True, True], [True, True, False, False]]
    np.testing.assert_array_equal(metrics.rank_against_ties(scores, relevant), expected)


def test_a_method_that_scores_all_alike_gains_nothing_from_the_order_of_files():
    ranked = metrics.rank_against_ties(np.zeros((1, 10)), np.arange(10)[None] == 0)
    assert metrics.average_precision(ranked, [1])[0] == pytest.approx(1 / 10)


def test_what_stands_behind_a_dropped_place_moves_up():
    dropped = metrics.drop_ranked([[True, False, True, False]], [[False, True, False, True]])
    np.testing.assert_array_equal(dropped, [[True, True, False, False]])


def test_micro_average_precision_ranks_the_pairs_of_all_queries_together():
    scores = [[0.9, 0.4], [0.8, 0.7]]
    relevant = [[True, True], [False, True]]  # in one ranking: right, wrong, right, right
    assert metrics.micro_average_precision(scores, relevant) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert metrics.micro_average_precision(scores, relevant, 6) == pytest.approx((1 + 2 / 3 + 3 / 4) / 6)


def test_micro_average_precision_breaks_ties_against_the_system():
    assert metrics.micro_average_precision([0.5, 0.5], [True, False]) == pytest.approx(1 / 2)


def test_micro_average_precision_skips_places_without_an_answer():
    assert metrics.micro_average_precision([0.5, -np.inf], [True, False]) == 1


def test_measures_of_pairs_without_positives_have_no_value():
    assert math.isnan(metrics.micro_average_precision([0.1], [False]))
    assert math.isnan(metrics.recall_at_precision([0.1], [False], min_precision=0.9).recall)
    assert np.isnan(metrics.pr_curve([0.1], [False]).recall).all()
    assert np.isnan(metrics.roc_curve([0.1], [False]).true_positive_rate).all()


def test_measures_of_pairs_without_answers_find_nothing():
    assert metrics.micro_average_precision([], [], 3) == 0
    assert metrics.recall_at_precision([], [], 3, min_precision=0.9) == (
        0,
        np.inf,
        pytest.approx(np.nan, nan_ok=True),
    )
    assert metrics.pr_curve([], [], 3).thresholds.size == 0
    assert metrics.pr_curve([-np.inf], [False], 3).thresholds.size == 0
    assert metrics.roc_curve([], []).thresholds.tolist() == [np.inf]


def test_a_threshold_takes_all_pairs_of_its_score_or_none():
    scores, relevant = [0.9, 0.5, 0.5, 0.2], [True, True, False, True]
    curve = metrics.pr_curve(scores, relevant)
    assert_values(curve.thresholds, [0.9, 0.5, 0.2])
    assert_values(curve.precision, [1, 2 / 3, 3 / 4])
    assert_values(curve.recall, [1 / 3, 2 / 3, 1])
    # With the true one of the tie alone precision would be 1; no threshold can do that.
    assert metrics.recall_at_precision(scores, relevant, min_precision=0.99) == (1 / 3, 0.9, 1)


def test_recall_at_precision_may_lie_beyond_a_dip():
    found = metrics.recall_at_precision([0.9, 0.8, 0.7, 0.6], [True, False, True, True], min_precision=0.75)
    assert found == (1, 0.6, 0.75)


def test_recall_at_precision_prefers_the_highest_of_equal_thresholds():
    found = metrics.recall_at_precision([0.9, 0.8], [True, False], min_precision=0.5)
    assert found.threshold == 0.9


def test_a_promise_that_cannot_be_kept_accepts_nothing():
    found = metrics.recall_at_precision([0.9, 0.8], [False, True], min_precision=0.9)
    assert (found.recall, found.threshold) == (0, np.inf)


@pytest.mark.parametrize("min_precision", [0, 1.1, -1])
def test_a_precision_that_cannot_be_promised_is_refused(min_precision):
    with pytest.raises(ValueError, match="min_precision"):
        metrics.recall_at_precision([0.5], [True], min_precision=min_precision)


def test_roc_starts_by_accepting_nothing():
    curve = metrics.roc_curve([0.9, 0.5, 0.5], [True, True, False])
    assert_values(curve.true_positive_rate, [0, 0.5, 1])
    assert_values(curve.false_positive_rate, [0, 0, 1])
    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.5]


def test_jaccard_divides_what_is_common_by_what_is_in_either():
    found = [[True, True, False], [False, False, False], [True, False, False]]
    true = [[True, False, True], [False, False, False], [False, False, False]]
    assert_values(metrics.jaccard(found, true), [1 / 3, 1, 0])


def test_the_bootstrap_interval_covers_the_mean_and_is_repeatable():
    values = np.append(np.random.default_rng(0).random(200), np.nan)
    low, high = metrics.bootstrap_interval(values, seed=1)
    assert low < np.nanmean(values) < high
    assert high - low == pytest.approx(2 * 1.96 * np.nanstd(values) / 200**0.5, rel=0.1)
    assert metrics.bootstrap_interval(values, seed=1) == (low, high)
    assert metrics.bootstrap_interval(values, seed=2) != (low, high)


def test_a_wider_level_gives_a_wider_interval():
    values = np.arange(50.0)
    narrow, wide = (metrics.bootstrap_interval(values, seed=0, level=level) for level in (0.5, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_the_bootstrap_interval_of_no_values_has_no_ends():
    assert all(math.isnan(end) for end in metrics.bootstrap_interval([np.nan], seed=0))


@pytest.mark.parametrize(("level", "n"), [(0, 10), (1, 10), (0.9, 0)])
def test_a_bootstrap_that_makes_no_sense_is_refused(level, n):
    with pytest.raises(ValueError, match="level"):
        metrics.bootstrap_interval([1.0], seed=0, level=level, n=n)


@pytest.mark.parametrize(
    ("ranked", "n_relevant", "message"),
    [
        ([True], [1], "must be"),
        ([[True]], [1, 1], "must be"),
        ([[True, True]], [1], "more than that are ranked"),
    ],
)
def test_lists_that_cannot_be_true_are_refused(ranked, n_relevant, message):
    with pytest.raises(ValueError, match=message):
        metrics.average_precision(ranked, n_relevant)


def test_a_rank_below_one_is_refused():
    with pytest.raises(ValueError, match="k must be at least 1"):
        metrics.recall_at_k(RANKED, N_RELEVANT, 0)


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        metrics.rank_against_ties([np.nan], [True])


def test_arrays_of_two_shapes_are_refused():
    for measure in (metrics.rank_against_ties, metrics.jaccard, metrics.drop_ranked):
        with pytest.raises(ValueError, match="one shape"):
            measure([[True, False]], [[True]])
    with pytest.raises(ValueError, match="2 relevant pairs are given"):
        metrics.pr_curve([0.1, 0.2], [True, True], 1)


relevance = hnp.arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 12)))


@given(relevance, st.integers(0, 5), st.integers(1, 14))
def test_every_measure_lies_between_nothing_and_perfection(ranked, n_missed, k):
    n_relevant = ranked.sum(axis=1) + n_missed
    for values in (
        metrics.precision_at_k(ranked, n_relevant, k),
        metrics.recall_at_k(ranked, n_relevant, k),
        metrics.average_precision(ranked, n_relevant),
        metrics.average_precision(ranked, n_relevant, k),
        metrics.r_precision(ranked, n_relevant),
        metrics.ndcg_at_k(ranked, n_relevant, k),
        metrics.reciprocal_rank(ranked, n_relevant),
    ):
        np.testing.assert_array_equal(np.isnan(values), n_relevant == 0)
        assert ((values >= 0) & (values <= 1 + 1e-12))[n_relevant > 0].all()


@given(relevance)
def test_a_perfect_list_is_perfect_by_every_measure(ranked):
    n_relevant = ranked.sum(axis=1)
    perfect, asked = -np.sort(-ranked.astype(int), axis=1) > 0, n_relevant > 0
    for values in (
        metrics.average_precision(perfect, n_relevant),
        metrics.average_precision(perfect, n_relevant, 3),
        metrics.r_precision(perfect, n_relevant),
        metrics.ndcg_at_k(perfect, n_relevant, 5),
        metrics.hit_rate_at_k(perfect, n_relevant, 1),
    ):
        assert_values(values[asked], 1)


@given(relevance, st.integers(1, 12))
def test_recall_never_falls_as_the_list_grows(ranked, k):
    n_relevant = ranked.sum(axis=1) + 1
    shorter, longer = (metrics.recall_at_k(ranked, n_relevant, rank) for rank in (k, k + 1))
    assert (longer >= shorter).all()


scored = st.integers(1, 40).flatmap(
    lambda n: st.tuples(hnp.arrays(np.float64, n, elements=st.integers(-5, 5)), hnp.arrays(bool, n))
)


@given(scored, st.randoms())
def test_no_measure_depends_on_the_order_of_files(pairs, chance):
    scores, relevant = pairs
    order = list(range(scores.size))
    chance.shuffle(order)
    one, other = (
        metrics.average_precision(metrics.rank_against_ties(s[None], r[None]), [r.sum()])
        for s, r in ((scores, relevant), (scores[order], relevant[order]))
    )
    np.testing.assert_array_equal(one, other)
    for curve in (metrics.pr_curve, metrics.roc_curve):
        for first, second in zip(curve(scores, relevant), curve(scores[order], relevant[order]), strict=True):
            np.testing.assert_array_equal(first, second)


@given(scored)
def test_ties_never_help(pairs):
    scores, relevant = pairs
    if not relevant.any():
        return
    ours = metrics.micro_average_precision(scores, relevant)
    for seed in range(3):
        lucky = scores + np.random.default_rng(seed).uniform(0, 0.5, scores.size)
        assert ours <= metrics.micro_average_precision(lucky, relevant) + 1e-12


@pytest.fixture(params=range(4))
def judged(request):
    """Scores without ties of 6 queries and 30 pictures each, and which are relevant; each query has some."""
    rng = np.random.default_rng(request.param)
    relevant = rng.random((6, 30)) < 0.2
    relevant[:, 0] = True
    return rng.permutation(180).reshape(6, 30) / 180 + 0.3001 * relevant, relevant


def test_average_precision_agrees_with_scikit_learn(judged):
    scores, relevant = judged
    ours = metrics.average_precision(metrics.rank_against_ties(scores, relevant), relevant.sum(axis=1))
    assert_values(
        ours, [reference.average_precision_score(r, s) for s, r in zip(scores, relevant, strict=True)]
    )
    micro = reference.average_precision_score(relevant, scores, average="micro")
    assert metrics.micro_average_precision(scores, relevant) == pytest.approx(micro)


@pytest.mark.parametrize("k", [1, 5, 30])
def test_ndcg_agrees_with_scikit_learn(judged, k):
    scores, relevant = judged
    ours = metrics.ndcg_at_k(metrics.rank_against_ties(scores, relevant), relevant.sum(axis=1), k)
    assert np.mean(ours) == pytest.approx(reference.ndcg_score(relevant, scores, k=k))


@given(scored)
def test_roc_agrees_with_scikit_learn_with_ties(pairs):
    scores, relevant = pairs
    if not relevant.any() or relevant.all():
        return
    theirs = reference.roc_curve(relevant, scores, drop_intermediate=False)
    for one, other in zip(metrics.roc_curve(scores, relevant), theirs, strict=True):
        assert_values(one, other)


@given(scored)
def test_precision_and_recall_agree_with_scikit_learn_with_ties(pairs):
    scores, relevant = pairs
    if not relevant.any():
        return
    precision, recall, thresholds = reference.precision_recall_curve(relevant, scores)
    ours = metrics.pr_curve(scores, relevant)
    # Theirs rises, and ends with the point (1, 0) that has no threshold.
    assert_values(ours.thresholds, thresholds[::-1])
    assert_values(ours.precision, precision[:-1][::-1])
    assert_values(ours.recall, recall[:-1][::-1])


@given(hnp.arrays(bool, (5, 8)), hnp.arrays(bool, (5, 8)))
def test_jaccard_agrees_with_scikit_learn(found, true):
    theirs = [reference.jaccard_score(t, f, zero_division=1) for t, f in zip(true, found, strict=True)]
    assert_values(metrics.jaccard(found, true), theirs)
