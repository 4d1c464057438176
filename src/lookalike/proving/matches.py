"""Points of two pictures that look alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.features.keypoints import Keypoints
from lookalike.records.arrays import Float32Array
from lookalike.records.geometry import Matrix, Points, move_points

MAX_RATIO = 0.85  # of the distances to the nearest and the second nearest descriptor
MAX_MATCHES = 300
MIN_MATCHES = 5
_RATIO_DECIMALS = 5  # what processors and threads agree in: equal pairs must be in one order everywhere


class Matches(NamedTuple):
    """Pairs of points that look alike, in working pixels, most distinct first.

    `mirror` leads from the source's own pixels to those of `source`; `turn` is in radians, `growth` in
    doublings.
    """

    mirror: Matrix
    source: Points
    target: Points
    turn: NDArray[np.float32]
    growth: NDArray[np.float32]


def match_points(source: Keypoints, target: Keypoints, *, mirrored: bool) -> Matches:
    """Return the points of the source, or of its mirror picture, that look like one point of the target."""
    descriptors = source.mirrored_descriptors if mirrored else source.descriptors
    rows, columns = _find_alike(descriptors, target.descriptors)
    mirror = np.eye(3)
    angles = source.angles[rows]
    if mirrored:
        mirror[0, 0], mirror[0, 2] = -1, source.working_size[0] - 1
        angles = np.float32(np.pi) - angles
    return Matches(
        mirror,
        move_points(mirror, source.positions[rows]),
        target.positions[columns].astype(np.float64),
        target.angles[columns] - angles,
        target.log_scales[columns] - source.log_scales[rows],
    )


def _find_alike(source: Float32Array, target: Float32Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows of source and target that pass the ratio test, the most distinct first."""
    if min(len(source), len(target)) < 2:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    likeness = source @ target.T
    rows = np.arange(len(source))
    nearest = likeness.argmax(axis=1)
    first = likeness[rows, nearest]
    likeness[rows, nearest] = -1
    # Squared distances of unit vectors are 2 - 2 x likeness.
    ratio = (1 - first) / np.maximum(1 - likeness.max(axis=1), 1e-6)
    kept = np.flatnonzero(ratio < MAX_RATIO**2)
    kept = kept[np.argsort(np.round(ratio[kept], _RATIO_DECIMALS), kind="stable")]
    _, unique = np.unique(nearest[kept], return_index=True)
    kept = kept[np.sort(unique)][:MAX_MATCHES]
    return kept, nearest[kept]
