"""Distances: hand-worked values, properties, and the sizes they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import FeatureMismatchError
from lookalike.features.kinds import BITS, HISTOGRAM, VECTOR

HISTOGRAM_METRICS = HISTOGRAM.metrics(64)
VECTOR_METRICS = VECTOR.metrics(64)


def _histograms(seed, n):
    return np.random.default_rng(seed).dirichlet(np.full(16, 0.3), n).astype(np.float32)


def _unit_vectors(seed, n):
    rows = np.random.default_rng(seed).normal(size=(n, 8))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_hand_worked_values():
    a = np.array([[0.5, 0.5, 0.0]], np.float32)
    b = np.array([[0.5, 0.0, 0.5]], np.float32)
    assert HISTOGRAM_METRICS["cosine"].distance(a, b)[0, 0] == pytest.approx(0.5)
    assert HISTOGRAM_METRICS["euclidean"].distance(a, b)[0, 0] == pytest.approx(0.5**0.5)
    assert HISTOGRAM_METRICS["chi-square"].distance(a, b)[0, 0] == pytest.approx(0.5)
    assert HISTOGRAM_METRICS["intersection"].distance(a, b)[0, 0] == pytest.approx(0.5)
    x, y = np.array([[1, 0]], np.float32), np.array([[0, 1], [-1, 0]], np.float32)
    np.testing.assert_allclose(VECTOR_METRICS["cosine"].distance(x, y), [[1, 2]])
    np.testing.assert_allclose(VECTOR_METRICS["euclidean"].distance(x, y), [[2**0.5, 2]], rtol=1e-6)


@pytest.mark.parametrize("kind", [HISTOGRAM, VECTOR], ids=str)
@given(seed=st.integers(0, 1000))
def test_metrics_are_symmetric_zero_on_equals_and_within_their_span(kind, seed):
    rows = _histograms(seed, 6) if kind is HISTOGRAM else _unit_vectors(seed, 6)
    for metric in kind.metrics(64).values():
        distances = metric.distance(rows, rows)
        np.testing.assert_allclose(distances, distances.T, atol=1e-5)
        np.testing.assert_allclose(np.diag(distances), 0, atol=1e-3)
        assert distances.max() <= metric.span * (2 if metric.name == "cosine" else 1) + 1e-5
        assert metric.score(0) == 1
        assert metric.score(1) < 1


@pytest.mark.parametrize("kind", [HISTOGRAM, VECTOR, BITS], ids=str)
def test_rows_of_different_lengths_are_refused(kind):
    dtype = np.uint8 if kind is BITS else np.float32
    for metric in kind.metrics(64).values():
        with pytest.raises(FeatureMismatchError):
            metric.distance(np.zeros((1, 3), dtype), np.zeros((2, 4), dtype))


def test_zeros_are_at_distance_one_by_cosine():
    rows = np.array([[0, 0], [1, 0]], np.float32)
    assert HISTOGRAM_METRICS["cosine"].distance(rows[:1], rows)[0].tolist() == [1, 1]
