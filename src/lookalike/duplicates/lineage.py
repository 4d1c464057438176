"""Which of two files was made from the other? What the pixels and the compression of both tell.

A larger picture that adds nothing to the smaller one was made from it; two files of one size are told apart by the
steps of their compression.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lookalike.duplicates.enlargement import added_to_itself, what_is_added
from lookalike.duplicates.jpeg_steps import Side, compare_steps
from lookalike.duplicates.laid_over import registered, size_of, straightened
from lookalike.records.geometry import Matrix, corners_of, linear_scale

MAX_SOFT = 1.2  # of a reduction to 0.85 of a JPEG 75 photo 1.3, of one to 0.5 at least 2.7
MAX_ASKED = 1.5  # beyond it a larger picture shows enough of its own
MIN_ENLARGED = 1.1  # ratio of sides from which one of two pictures is the larger


class Lineage(NamedTuple):
    """What the pixels of two pictures tell of their descent.

    Parameters
    ----------
    first_adds, second_adds : float
        Amplitude of what it shows beyond the other, as a multiple of what compression and resampling explain; about
        1 where it shows nothing more.
    first_rounded, second_rounded : float
        How far the other's coefficients are from those of this JPEG, in its steps squared: 1/12 for what was never
        rounded to them, near 0 for what was made from it; nan where that cannot be told.
    first_unlike, second_unlike : float
        What is left of that distance once the other one is compressed by the steps of this one: about 0.3 where
        this one is the other compressed, 1 where one of them was edited; nan where they are too near to tell.
    own : float
        What the smaller one adds to itself, reduced as much again: about 1 where it is soft, and shows nothing by
        which an enlargement could be told; nan where the larger one adds more than nothing.
    """

    first_adds: float
    second_adds: float
    first_rounded: float
    second_rounded: float
    first_unlike: float = float("nan")
    second_unlike: float = float("nan")
    own: float = float("nan")

    @property
    def is_sharp(self) -> bool:
        """Whether the smaller picture has details as fine as its pixels."""
        return self.own > MAX_SOFT

    def turned(self) -> Lineage:
        """Return the same of the second picture to the first."""
        return Lineage(
            self.second_adds,
            self.first_adds,
            self.second_rounded,
            self.first_rounded,
            self.second_unlike,
            self.first_unlike,
            self.own,
        )


def compare_lineage(first: Side, second: Side, matrix: Matrix) -> Lineage:
    """Compare two pictures that are one, by the placement of the first on the second.

    Parameters
    ----------
    matrix : 3 x 3    from the first's pixels to the second's
    """
    exact = straightened(matrix, size_of(first.luma), size_of(second.luma))
    matrix = registered(first.luma, second.luma, matrix) if exact is None else exact
    inverse = np.asarray(np.linalg.inv(matrix), np.float64)
    adds = what_is_added(first, second, inverse), what_is_added(second, first, matrix)
    ratio = linear_scale(matrix, corners_of(size_of(first.luma)).mean(axis=0))
    own = float("nan")
    if max(ratio, 1 / ratio) >= MIN_ENLARGED and adds[ratio > 1] < MAX_ASKED:
        own = added_to_itself(first if ratio > 1 else second, max(ratio, 1 / ratio))
    (first_rounded, first_unlike), (second_rounded, second_unlike) = (
        compare_steps(first, second, matrix),
        compare_steps(second, first, inverse),
    )
    return Lineage(*adds, first_rounded, second_rounded, first_unlike, second_unlike, own)
