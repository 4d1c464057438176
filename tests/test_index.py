"""One contract for every tier of look-up, checked against brute force, and the rows that they are built from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike import Settings
from lookalike.errors import FeatureMismatchError, InputError
from lookalike.features.kinds import BITS, HISTOGRAM, VECTOR
from lookalike.records.recipe import Recipe
from lookalike.storage.index.choose import TIERS, Place, Tier, choose_tier
from lookalike.storage.index.exact import ExactNearest
from lookalike.storage.index.nearest import Allowed
from lookalike.storage.index.rows import Rows
from lookalike.storage.records import Stamp

KINDS = (BITS, HISTOGRAM, VECTOR)


@pytest.fixture(params=TIERS)
def tier(request, tmp_path):
    """Return how one tier is opened over rows."""
    place = Place(tmp_path, Recipe("phash", 1), Stamp(0, 0))
    return lambda rows, metric=None: TIERS[request.param].open(rows, metric, place)


def _rows(kind, n, seed=0):
    rng = np.random.default_rng(seed)
    if kind is VECTOR:
        rows = rng.normal(size=(n, 12))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return rng.integers(0, 4, (n, 8)).astype(np.uint8)  # few values: many ties


def _brute_force(kind, metric, ids, rows, query, k):
    distances = metric.distance(kind.comparable_rows(query[None]), kind.comparable_rows(rows))[0]
    order = sorted(range(len(ids)), key=lambda place: (distances[place], ids[place]))
    return [(int(ids[place]), float(distances[place])) for place in order[:k]]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(max_examples=25)
@given(n=st.integers(1, 60), k=st.integers(1, 70), seed=st.integers(0, 999))
def test_search_equals_brute_force_ties_by_id(tmp_path_factory, kind, n, k, seed):
    ids = np.random.default_rng(seed).permutation(1000)[:n].astype(np.int64)
    rows, queries = _rows(kind, n, seed), _rows(kind, 3, seed + 1)
    place = Place(tmp_path_factory.getbasetemp(), Recipe("phash", 1), Stamp(0, 0))
    for one in TIERS.values():
        for metric in kind.metrics(64).values():
            nearest = one.open(Rows(kind, ids, rows), metric.name, place)
            found = nearest.search(queries, k)
            assert found.ids.shape == found.distances.shape == (3, k)
            for row, query in enumerate(queries):
                expected = _brute_force(kind, metric, ids, rows, query, k)
                assert found.counts[row] == len(expected)
                got = list(zip(found.ids[row].tolist(), found.distances[row].tolist(), strict=True))
                if kind is BITS:
                    assert got[: len(expected)] == expected
                np.testing.assert_allclose(
                    [distance for _, distance in got[: len(expected)]],
                    [distance for _, distance in expected],
                    atol=1e-5,
                )
                assert all(one == (-1, np.inf) for one in got[len(expected) :])


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_is_removed_is_not_found_and_may_come_back(tier, kind):
    values, rows = _rows(kind, 10), Rows(kind)
    rows.update(np.arange(10), values)
    nearest = tier(rows)
    rows.update(removed=np.array([3, 99]))
    nearest.update(np.empty(0, np.int64), np.array([3]))
    assert len(rows) == 9
    assert 3 not in nearest.search(values[3:4], 10).ids
    assert rows.distances(values[3:4], np.array([3]))[0] == np.inf
    assert rows.take(np.array([3, 4]))[0].tolist() == [4]
    rows.update(np.array([3]), values[3:4])
    nearest.update(np.array([3]), np.empty(0, np.int64))
    assert 3 in nearest.search(values[3:4], 10).ids
    assert np.isfinite(rows.distances(values[3:4], np.array([3]))).all()


@pytest.mark.parametrize("n_allowed", [3, 15])  # few are picked out, many are compared with all
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_only_those_answer_that_may(tier, kind, n_allowed):
    values = _rows(kind, 20)
    nearest = tier(Rows(kind, np.arange(20), values))
    ids = np.array([*range(4, 4 + n_allowed), 500])
    found = nearest.search(values[:1], 20, allowed=Allowed(ids))
    assert set(found.ids[0][: found.counts[0]]) == set(ids[:-1].tolist())
    whole = nearest.search(values[:1], 20)
    np.testing.assert_array_equal(found.ids[0][:n_allowed], [one for one in whole.ids[0] if one in ids])
    assert nearest.search(values[:1], 5, allowed=Allowed(np.empty(0, np.int64))).counts.tolist() == [0]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_rows_added_in_parts_are_as_rows_added_at_once(tier, kind):
    values, queries = _rows(kind, 30), _rows(kind, 4, 9)
    whole, parts = Rows(kind, np.arange(30), values), Rows(kind)
    for start in range(0, 30, 7):
        parts.update(np.arange(start, min(30, start + 7)), values[start : start + 7])
    np.testing.assert_array_equal(tier(whole).search(queries, 30).ids, tier(parts).search(queries, 30).ids)
    ids = np.array([29, 0, 77, 8])
    np.testing.assert_allclose(whole.distances(queries, ids), parts.distances(queries, ids), atol=1e-6)
    np.testing.assert_array_equal(np.concatenate([ids for ids, _ in parts.blocks()]), np.arange(30))
    np.testing.assert_array_equal(parts.contents()[1], values)


def test_however_often_rows_are_added_there_are_few_parts():
    rows = Rows(BITS, np.arange(50), _rows(BITS, 50))
    for number in range(50, 600):
        rows.update(np.array([number]), _rows(BITS, 1, number))
    assert len(rows) == 600
    assert len(list(rows.blocks())) < 12


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_distances_of_several_queries_are_those_of_each(kind):
    values, queries = _rows(kind, 30), _rows(kind, 5, 3)
    rows, ids = Rows(kind, np.arange(30), values), np.array([7, 400, 7, 0])
    for metric in kind.metrics(64):
        together = rows.distances(queries, ids, metric=metric)
        assert together.shape == (5, 4)
        assert (together[:, 1] == np.inf).all()
        each = np.concatenate([rows.distances(query[None], ids, metric=metric) for query in queries])
        np.testing.assert_allclose(together, each, atol=1e-6)


def test_a_reader_keeps_the_rows_that_it_began_with():
    values = _rows(VECTOR, 10)
    rows = Rows(VECTOR, np.arange(10), values)
    blocks = rows.blocks()
    first, _ = next(blocks)
    rows.update(np.array([10]), values[:1], removed=np.arange(10))
    assert len(first) == 10
    assert list(blocks) == []
    assert [ids.tolist() for ids, _ in rows.blocks() if len(ids)] == [[10]]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_empty_rows_answer_with_nothing(tier, kind):
    rows = Rows(kind)
    assert len(rows) == 0
    found = tier(rows).search(_rows(kind, 2), 3)
    assert found.counts.tolist() == [0, 0]
    assert (found.ids == -1).all()
    assert rows.distances(_rows(kind, 1), np.array([1]))[0] == np.inf
    assert [len(part) for part in (*rows.take(np.array([1])), *rows.contents())] == [0, 0, 0, 0]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_misuse_is_refused_with_a_sentence(tier, kind):
    values = _rows(kind, 5)
    rows = Rows(kind, np.arange(5), values)
    with pytest.raises(FeatureMismatchError, match="recipe"):
        rows.update(np.array([9]), values[:1, :-1])
    with pytest.raises(FeatureMismatchError, match="recipe"):
        rows.distances(values[:1, :-1], np.array([1]))
    with pytest.raises(FeatureMismatchError, match="recipe"):
        tier(rows).search(values[:1, :-1], 1)
    with pytest.raises(InputError, match="twice"):
        rows.update(np.array([7, 7]), values[:2])
    with pytest.raises(InputError, match="one id a row"):
        rows.update(np.array([7]), values[:2])
    with pytest.raises(InputError, match="at least one"):
        tier(rows).search(values[:1], 0)
    with pytest.raises(InputError, match="choose from"):
        tier(rows, "nonsense")


def test_the_tier_is_chosen_by_size_or_by_the_settings(monkeypatch):
    large = Tier("finds most", lambda rows, metric, _: ExactNearest(rows, metric), lambda _, n: n > 1000)
    monkeypatch.setitem(TIERS, "toy", large)
    assert choose_tier(VECTOR, 1000, Settings()) == "exact"
    assert choose_tier(VECTOR, 1001, Settings()) == "toy"
    assert choose_tier(VECTOR, 1001, Settings(tier="exact")) == "exact"
    assert choose_tier(VECTOR, 1, Settings(tier="toy")) == "toy"
    with pytest.raises(InputError, match="choose from auto, exact, toy"):
        choose_tier(VECTOR, 1, Settings(tier="nonsense"))
