"""The kinds of features: how rows are stored, kept by an index, and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.features.color import unpack_histograms
from lookalike.features.distances import (
    Metric,
    chi_square,
    cosine,
    euclidean,
    intersection,
    unit_cosine,
    unit_euclidean,
)
from lookalike.features.hashes import hamming

StoredArray = NDArray[np.uint8] | NDArray[np.float16]
HAMMING = "hamming"


@dataclass(frozen=True)
class Kind:
    """How the rows of a feature are stored and compared. There are three: `BITS`, `HISTOGRAM` and `VECTOR`.

    Parameters
    ----------
    name : str
        ``bits``, ``histogram`` or ``vector``.
    stored_dtype : numpy dtype
        Of a row in the store: uint8, or float16 for vectors.
    index_rows : callable
        Stored rows, shape (n, d), -> rows as an index keeps them: vectors as float32 of length 1 again.
    comparable_rows : callable
        Rows of an index -> rows that the metrics compare: histograms unpacked to shares.
    metrics : callable
        The length of a row in bits -> its metrics by name, the default first.
    """

    name: str
    stored_dtype: np.dtype[np.uint8] | np.dtype[np.float16]
    index_rows: Callable[[StoredArray], NDArray[Any]]
    comparable_rows: Callable[[NDArray[Any]], NDArray[Any]]
    metrics: Callable[[int], dict[str, Metric]]

    def __str__(self) -> str:
        return self.name


def _as_they_are(rows: NDArray[Any]) -> NDArray[Any]:
    return rows


def _bytes(stored: StoredArray) -> NDArray[np.uint8]:
    return stored.astype(np.uint8, copy=False)


def _unit_rows(stored: StoredArray) -> NDArray[np.float32]:
    rows = stored.astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return rows


def _metrics_of_bits(n_bits: int) -> dict[str, Metric]:
    return {HAMMING: Metric(HAMMING, hamming, float(n_bits), "bits")}


def _metrics_of_histograms(_: int) -> dict[str, Metric]:
    return {
        "chi-square": Metric("chi-square", chi_square, 1.0, "chi-square"),
        "cosine": Metric("cosine", cosine, 1.0, "1 - cosine"),
        "euclidean": Metric("euclidean", euclidean, 2**0.5, "euclidean"),
        "intersection": Metric("intersection", intersection, 1.0, "1 - intersection"),
    }


def _metrics_of_vectors(_: int) -> dict[str, Metric]:
    return {
        "cosine": Metric("cosine", unit_cosine, 1.0, "1 - cosine"),
        "euclidean": Metric("euclidean", unit_euclidean, 2.0, "euclidean"),
    }


BITS = Kind("bits", np.dtype(np.uint8), _bytes, _as_they_are, _metrics_of_bits)
"""Packed bits; the distance is how many differ, and a score falls from 1 to 0 over the length of the hash."""

HISTOGRAM = Kind("histogram", np.dtype(np.uint8), _bytes, unpack_histograms, _metrics_of_histograms)
"""Square roots of shares that sum to 1, a byte each (see `pack_histogram`)."""

VECTOR = Kind("vector", np.dtype(np.float16), _unit_rows, _as_they_are, _metrics_of_vectors)
"""Directions: rows of length 1."""
