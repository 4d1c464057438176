"""One contract for every look-up structure, checked against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import FeatureMismatchError, InputError
from lookalike.features.distances import metrics_of
from lookalike.features.extract import for_kind
from lookalike.storage.index.exact import ExactIndex
from lookalike.storage.index.protocol import Index

IMPLEMENTATIONS = {"exact": ExactIndex}
KINDS = ("bits", "histogram", "vector")


@pytest.fixture(params=IMPLEMENTATIONS)
def make(request):
    return IMPLEMENTATIONS[request.param]


def _rows(kind, n, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "vector":
        rows = rng.normal(size=(n, 12))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return rng.integers(0, 4, (n, 8)).astype(np.uint8)  # few values: many ties


def _brute_force(kind, metric, ids, rows, query, k):
    distances = metric.distance(for_kind(kind, query[None]), for_kind(kind, rows))[0]
    order = sorted(range(len(ids)), key=lambda place: (distances[place], ids[place]))
    return [(int(ids[place]), float(distances[place])) for place in order[:k]]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(n=st.integers(1, 60), k=st.integers(1, 70), seed=st.integers(0, 999))
def test_search_equals_brute_force_ties_by_id(kind, n, k, seed):
    for make_index in IMPLEMENTATIONS.values():
        index: Index = make_index(kind)
        ids = np.random.default_rng(seed).permutation(1000)[:n].astype(np.int64)
        rows, queries = _rows(kind, n, seed), _rows(kind, 3, seed + 1)
        index.add(ids, rows)
        for metric in metrics_of(kind, 64).values():
            found = index.search(queries, k, metric=metric.name)
            assert found.ids.shape == found.distances.shape == (3, k)
            for row, query in enumerate(queries):
                expected = _brute_force(kind, metric, ids, rows, query, k)
                assert found.counts[row] == len(expected)
                got = list(zip(found.ids[row].tolist(), found.distances[row].tolist(), strict=True))
                if kind == "bits":
                    assert got[: len(expected)] == expected
                np.testing.assert_allclose(
                    [distance for _, distance in got[: len(expected)]],
                    [distance for _, distance in expected],
                    atol=1e-5,
                )
                assert all(one == (-1, np.inf) for one in got[len(expected) :])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_removed_is_not_found_and_may_come_back(make, kind):
    index, rows = make(kind), _rows(kind, 10)
    index.add(np.arange(10), rows)
    assert index.remove(np.array([3, 99])) == 1
    assert index.remove(np.array([3])) == 0
    assert len(index) == 9
    assert 3 not in index.search(rows[3:4], 10).ids
    assert index.distances_to(rows[3:4], np.array([3]))[0] == np.inf
    index.add(np.array([3]), rows[3:4])
    assert 3 in index.search(rows[3:4], 10).ids
    assert np.isfinite(index.distances_to(rows[3:4], np.array([3]))[0])


@pytest.mark.parametrize("kind", KINDS)
def test_search_among_some_ids_finds_only_those(make, kind):
    index, rows = make(kind), _rows(kind, 20)
    index.add(np.arange(20), rows)
    found = index.search(rows[:1], 20, among=np.array([4, 7, 12, 500]))
    assert set(found.ids[0][: found.counts[0]]) == {4, 7, 12}


@pytest.mark.parametrize("kind", KINDS)
def test_search_within_a_distance_finds_all_and_only_those(make, kind):
    index, rows = make(kind), _rows(kind, 50)
    index.add(np.arange(50), rows)
    everything = index.search(rows[:1], 50)
    limit = float(everything.distances[0][20])
    found = index.search_within(rows[:1], limit)
    n_expected = int((everything.distances[0] <= limit).sum())
    np.testing.assert_array_equal(found.ids[0], everything.ids[0][:n_expected])


@pytest.mark.parametrize("kind", KINDS)
def test_rows_added_in_parts_are_as_rows_added_at_once(make, kind):
    rows, queries = _rows(kind, 30), _rows(kind, 4, 9)
    whole, parts = make(kind), make(kind)
    whole.add(np.arange(30), rows)
    for start in range(0, 30, 7):
        parts.add(np.arange(start, min(30, start + 7)), rows[start : start + 7])
    np.testing.assert_array_equal(whole.search(queries, 30).ids, parts.search(queries, 30).ids)
    ids = np.array([29, 0, 77, 8])
    np.testing.assert_allclose(whole.distances_to(queries, ids), parts.distances_to(queries, ids), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_index_answers_with_nothing(make, kind):
    index = make(kind)
    assert len(index) == 0
    found = index.search(_rows(kind, 2), 3)
    assert found.counts.tolist() == [0, 0]
    assert (found.ids == -1).all()
    assert index.distances_to(_rows(kind, 1), np.array([1]))[0] == np.inf


@pytest.mark.parametrize("kind", KINDS)
def test_misuse_is_refused_with_a_sentence(make, kind):
    index, rows = make(kind), _rows(kind, 5)
    index.add(np.arange(5), rows)
    with pytest.raises(FeatureMismatchError, match="recipe"):
        index.add(np.array([9]), rows[:1, :-1])
    with pytest.raises(FeatureMismatchError, match="recipe"):
        index.search(rows[:1, :-1], 1)
    with pytest.raises(InputError, match="twice"):
        index.add(np.array([2]), rows[:1])
    with pytest.raises(InputError, match="at least one"):
        index.search(rows[:1], 0)
    with pytest.raises(InputError, match="choose from"):
        index.search(rows[:1], 1, metric="nonsense")
