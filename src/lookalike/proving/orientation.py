"""Whole pictures in eight orientations, where points cannot place one over the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lookalike.features.keypoints import Keypoints
from lookalike.records.arrays import Float32Array
from lookalike.records.geometry import Matrix, scaling

MAX_TINT_LEVELS = 6.0
MAX_ASPECT_RATIO = 1.03


def find_orientation(first: Keypoints, second: Keypoints) -> Matrix | None:
    """Return the matrix between working pixels for the orientation in which the colours are equal, if any."""
    best, least = None, MAX_TINT_LEVELS
    for linear in _ORIENTATIONS:
        width, height = np.abs(linear) @ first.working_size
        shapes = width * second.working_size[1], height * second.working_size[0]
        if max(shapes) > MAX_ASPECT_RATIO * min(shapes):
            continue
        difference = np.abs(_turn_tint(first.tint, linear) - second.tint.astype(np.float32)).mean()
        if difference < least:
            best, least = linear, float(difference)
    return None if best is None else _orientation_matrix(best, first.working_size, second.working_size)


# Turns first: where a mirror cannot be told from a turn, the turn is said.
_ORIENTATIONS = [
    np.array(rows)
    for rows in (
        ((1, 0), (0, 1)),
        ((-1, 0), (0, -1)),
        ((0, -1), (1, 0)),
        ((0, 1), (-1, 0)),
        ((-1, 0), (0, 1)),
        ((1, 0), (0, -1)),
        ((0, 1), (1, 0)),
        ((0, -1), (-1, 0)),
    )
]


def _turn_tint(tint: NDArray[np.uint8], linear: NDArray[np.int_]) -> Float32Array:
    swapped = tint.swapaxes(0, 1) if linear[0, 0] == 0 else tint
    columns, rows = linear.sum(axis=1)
    return swapped[:: int(rows), :: int(columns)].astype(np.float32)


def _orientation_matrix(
    linear: NDArray[np.int_], from_size: tuple[int, int], to_size: tuple[int, int]
) -> Matrix:
    width, height = (int(side) for side in np.abs(linear) @ from_size)
    shift = np.where(linear.sum(axis=1) < 0, (width - 1, height - 1), 0)
    turned = np.eye(3)
    turned[:2, :2], turned[:2, 2] = linear, shift
    return np.asarray(scaling((width, height), to_size) @ turned, np.float64)
