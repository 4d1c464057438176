"""What the measures take: arrays, looked at before they are believed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def check_pairs(scores: npt.ArrayLike, relevant: npt.ArrayLike) -> tuple[FloatArray, BoolArray]:
    """Return scores and relevance as arrays; ValueError where they differ in shape or a score is NaN."""
    scores, relevant = np.asarray(scores, np.float64), np.asarray(relevant, bool)
    check_same_shape(scores, relevant)
    if np.isnan(scores).any():
        raise ValueError("a score is NaN; give minus infinity for a place without an answer")
    return scores, relevant


def check_same_shape(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> None:
    """Raise ValueError where two arrays differ in shape."""
    if one.shape != other.shape:
        raise ValueError(f"the two arrays must have one shape, not {one.shape} and {other.shape}")
