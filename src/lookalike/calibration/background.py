"""How far a score stands out from the other scores that the same query gets in the same gallery.

A photo of a shelf is a little like a thousand photos of shelves, a photo of an owl like nothing else there. So
the same score means much for the one and nothing for the other. What a query scores in the middle ranks, where
no relative of it is to be expected, is its background; the relative score says which part of the way
from there to equality a match has come. docs/decisions/0009 has the measurements.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FIRST_RANK = 10  # relatives of a query, such as its copies, are to be expected before it
LAST_RANK = 100
MIN_CONTENTS = 20  # of fewer, the middle ranks would hold the relatives themselves
MAX_BACKGROUND = 0.99  # beyond, everything in the gallery is equal to the query


def find_background(scores: NDArray[np.float64], n_contents: int) -> float:
    """Return the mean score of the middle ranks; nan where the gallery is too small to have any.

    Parameters
    ----------
    scores : float64 array, shape (n,)    of one query, best first; `LAST_RANK` of them are enough
    n_contents : int                      how many contents could answer; below 200 the ranks move down with it
    """
    first, last = min(FIRST_RANK, n_contents // 20), min(LAST_RANK, n_contents // 2)
    middle = scores[first:last]
    if n_contents < MIN_CONTENTS or not len(middle):
        return float("nan")
    return min(float(middle.mean()), MAX_BACKGROUND)


def relative_score(
    score: NDArray[np.float64] | float, background: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return which part of the way from the background to 1 a score has come: 1 at most, below 0 beneath it."""
    return np.asarray((np.asarray(score, np.float64) - background) / (1 - background), np.float64)
