"""Distances between rows of vectors, each with its range and its score.

A distance is lower, a score higher, for what is more alike. `Metric.score` turns the one into the other
without changing the order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import FeatureMismatchError
from lookalike.records.arrays import Float32Array


def cosine(queries: Float32Array, gallery: Float32Array) -> Float32Array:
    """1 - cosine of the angle between rows: 0 (same direction) to 2; rows of zeros are at distance 1.

    Parameters
    ----------
    queries : float32 array, shape (n, d)
    gallery : float32 array, shape (m, d)

    Returns
    -------
    float32 array, shape (n, m)

    Raises
    ------
    FeatureMismatchError
        The numbers of dimensions differ.
    """
    _check(queries, gallery)
    return 1 - _unit(queries) @ _unit(gallery).T


def unit_cosine(queries: Float32Array, gallery: Float32Array) -> Float32Array:
    """`cosine` for rows that are known to have length 1: one matrix product."""
    _check(queries, gallery)
    return 1 - queries @ gallery.T


def unit_euclidean(queries: Float32Array, gallery: Float32Array) -> Float32Array:
    """Euclidean distance for rows that are known to have length 1: 0 to 2."""
    distances: Float32Array = np.sqrt(np.maximum(2 * unit_cosine(queries, gallery), 0))
    return distances


def euclidean(queries: Float32Array, gallery: Float32Array) -> Float32Array:
    """Euclidean distance; arguments and errors as for `cosine`. At most sqrt(2) for histograms."""
    _check(queries, gallery)
    return np.stack([np.sqrt(np.square(gallery - query).sum(axis=1)) for query in queries])


def chi_square(queries: Float32Array, gallery: Float32Array) -> Float32Array:
    """Half the sum of (a - b)^2 / (a + b): 0 to 1 for histograms; arguments as for `cosine`.

    Bins that are empty in both add nothing.
    """
    _check(queries, gallery)
    rows = []
    for query in queries:
        total = gallery + query
        np.maximum(total, np.finfo(np.float32).tiny, out=total)
        rows.append(0.5 * (np.square(gallery - query) / total).sum(axis=1))
    return np.stack(rows)


def intersection(queries: Float32Array, gallery: Float32Array) -> Float32Array:
    """1 - the shared area of two histograms: 0 to 1; arguments as for `cosine`.

    M. J. Swain, D. H. Ballard, "Color indexing", IJCV 7(1), 1991.
    """
    _check(queries, gallery)
    return np.stack([1 - np.minimum(gallery, query).sum(axis=1) for query in queries])


def _unit(rows: Float32Array) -> Float32Array:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), np.float32)


def _check(queries: Float32Array, gallery: Float32Array) -> None:
    if queries.shape[1] != gallery.shape[1]:
        raise FeatureMismatchError(
            f"vectors of {queries.shape[1]} and of {gallery.shape[1]} dimensions cannot be compared: "
            "compute both by the same recipe."
        )


@dataclass(frozen=True)
class Metric:
    """A distance between rows, with its largest value and unit.

    `score` is 1 for distance 0 and falls by 1 over `span`; it is negative only for cosines beyond a
    right angle.
    """

    name: str
    distance: Callable[[Any, Any], NDArray[Any]]
    span: float
    unit: str

    def score(self, distance: float) -> float:
        """Return the score of a distance: higher is more alike, 1 at most."""
        return 1 - distance / self.span
