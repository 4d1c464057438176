"""Pairs of points -> where one picture lies in the other, if most of them agree in that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.features.keypoints import Keypoints
from lookalike.proving.matches import MAX_MATCHES, MIN_MATCHES, Matches, match_points
from lookalike.records.geometry import Matrix, Points, move_points

# In working pixels
N_SEEDS = 60
SEED_TOLERANCE_PX = 5.0
SEED_TOLERANCE_SHARE = 0.15  # of the distance from the seed: SIFT's own angle and scale are that rough
SEED_MAX_TURN = 0.45  # radians
SEED_MAX_GROWTH = 0.8  # doublings
TOLERANCE_PX = 2.5
CLEAR_VOTES = 30  # and half of the matches: then the mirrored picture need not be tried
CLEAR_SHARE = 0.7  # of the votes for the best seed: then the second best seed says the same
EXPLICABLE_PX = 30.0  # a freer model can bend that far
MIN_GAIN = 1.1
MAX_STRETCH = 4.0
MIN_DEPTH = 0.2


class Placement(NamedTuple):
    """Where the source lies in the target: a matrix between working pixels, and who agrees with it.

    `share` is of the points that could agree, those inside the overlap; `error_px` is the median distance,
    in working pixels of the coarser picture.
    """

    matrix: Matrix
    n_inliers: int
    source: Points
    target: Points
    error_px: float
    share: float = 0.0


def find_placement(source: Keypoints, target: Keypoints) -> Placement | None:
    """Return the placement of the source in the target that most points agree with, if any."""
    matches = match_points(source, target, mirrored=False)
    supports, votes = _find_support(matches)
    if votes < max(CLEAR_VOTES, len(matches.source) / 2):
        in_mirror = match_points(source, target, mirrored=True)
        mirror_supports, mirror_votes = _find_support(in_mirror)
        if mirror_votes > votes:
            matches, supports, votes = in_mirror, mirror_supports, mirror_votes
    best: Placement | None = None
    for support in supports:
        placed = _place(matches, support)
        if placed is not None and (best is None or placed.n_inliers > best.n_inliers):
            best = placed
        if best is not None and best.n_inliers >= CLEAR_SHARE * votes:
            break
    if best is None:
        return None
    matrix = best.matrix @ matches.mirror
    n_possible = min(_count_overlapping(source, target, matrix), MAX_MATCHES)
    return best._replace(
        matrix=matrix,
        source=move_points(np.linalg.inv(matches.mirror), best.source),
        share=best.n_inliers / max(n_possible, 1),
    )


def _count_overlapping(source: Keypoints, target: Keypoints, matrix: Matrix) -> int:
    """Count the points of the picture that has fewer of them inside the overlap."""
    there = move_points(matrix, source.positions)
    back = move_points(np.linalg.inv(matrix), target.positions)
    sizes = target.working_size, source.working_size
    inside = [
        np.all((points > -0.5) & (points < np.array(size) - 0.5), axis=1)
        for points, size in zip((there, back), sizes, strict=True)
    ]
    return min(int(np.count_nonzero(some)) for some in inside)


def _find_support(matches: Matches) -> tuple[NDArray[np.bool_], int]:
    """Return who agrees with the two best seeds, shape (2, n), and how many do with the best.

    Seeds that too few agree with are left out.

    A SIFT point has a place, a size and a direction, so every single match is a whole placement. No random
    sampling is needed: the most distinct matches are all tried.
    """
    source, target = matches.source, matches.target
    if len(source) < MIN_MATCHES:
        return np.zeros((0, len(source)), np.bool_), 0
    seeds = slice(0, N_SEEDS)
    factor = np.exp2(matches.growth[seeds])
    along, across = np.cos(matches.turn[seeds]) * factor, np.sin(matches.turn[seeds]) * factor
    dx, dy = (source[None, :, axis] - source[seeds, None, axis] for axis in (0, 1))
    to_x, to_y = (target[None, :, axis] - target[seeds, None, axis] for axis in (0, 1))
    errors = np.hypot(
        along[:, None] * dx - across[:, None] * dy - to_x, across[:, None] * dx + along[:, None] * dy - to_y
    )
    turned = matches.turn[None] - matches.turn[seeds, None]
    agrees = errors < SEED_TOLERANCE_PX + SEED_TOLERANCE_SHARE * np.hypot(to_x, to_y)
    agrees &= np.abs((turned + np.pi) % (2 * np.pi) - np.pi) < SEED_MAX_TURN
    agrees &= np.abs(matches.growth[None] - matches.growth[seeds, None]) < SEED_MAX_GROWTH
    votes = np.count_nonzero(agrees, axis=1)
    order = np.argsort(-votes, kind="stable")[:2]
    return agrees[order[votes[order] >= MIN_MATCHES]], int(votes[order[0]])


class _Model(NamedTuple):
    """A kind of placement: how it is fitted, how its tolerance tightens, and what it takes to be chosen."""

    degrees: int
    steps: tuple[float, ...]
    min_inliers: int


_MODELS = {
    "similarity": _Model(4, (4, 2, 1, 1), 4),
    "affine": _Model(6, (8, 4, 2, 1, 1), 8),
    "homography": _Model(8, (8, 4, 2, 1, 1), 12),
}


def _place(matches: Matches, support: NDArray[np.bool_]) -> Placement | None:
    """Fit the simplest placement that explains the support; a freer one must explain clearly more."""
    source, target = matches.source, matches.target
    start = _fit_similarity(source[support], target[support], np.ones(int(support.sum())))
    start = _tighten("similarity", start, source, target, (12.0, 8.0, 5.0))
    if start is None:
        return None
    # Points are found to a fraction of a pixel of the picture they were found in.
    coarseness = max(1.0, float(np.sqrt(abs(np.linalg.det(start[:2, :2])))))
    tolerance = TOLERANCE_PX * coarseness
    n_explicable = np.count_nonzero(_errors(start, source, target) < EXPLICABLE_PX * coarseness)
    best, most = None, 0.0
    for name, model in _MODELS.items():
        if MIN_GAIN * most >= n_explicable:
            break
        matrix = _tighten(name, start, source, target, [step * coarseness for step in model.steps])
        if matrix is None:
            continue
        errors = _errors(matrix, source, target)
        near = errors < tolerance
        n_inliers = _count_places(source[near], target[near])
        # Torr and Zisserman's MSAC (2000): an inlier counts the more, the closer it is.
        gained = float((1 - (errors[near] / tolerance) ** 2).sum())
        if n_inliers >= model.min_inliers and gained > MIN_GAIN * most:
            error_px = float(np.median(errors[near])) / coarseness
            best, most = Placement(matrix, n_inliers, source[near], target[near], error_px), gained
    return best


def _errors(matrix: Matrix, source: Points, target: Points) -> NDArray[np.float64]:
    offsets = move_points(matrix, source) - target
    return np.hypot(offsets[:, 0], offsets[:, 1])


def _count_places(source: Points, target: Points) -> int:
    """Count the pairs at different places: SIFT gives one place several points of different direction."""
    return min(len(np.unique(np.round(points) @ (1.0, 1e5))) for points in (source, target))


def _tighten(
    name: str, matrix: Matrix | None, source: Points, target: Points, tolerances: Sequence[float]
) -> Matrix | None:
    """Fit again and again with weights that fade beyond a tightening tolerance (Cauchy's)."""
    for tolerance in tolerances:
        if matrix is None or not _is_sane(matrix, source):
            return None
        errors = _errors(matrix, source, target)
        near = errors < 3 * tolerance
        if 2 * near.sum() <= _MODELS[name].degrees:
            return None
        weights = 1 / (1 + (errors[near] / tolerance) ** 2)
        matrix = _FITS[name](source[near], target[near], weights)
    return matrix if matrix is not None and _is_sane(matrix, source) else None


def _is_sane(matrix: Matrix, points: Points) -> bool:
    """Tell whether a matrix is a view that a picture can be given: not folded, not a sliver."""
    depth = points @ matrix[2, :2] + matrix[2, 2]
    if depth.min() <= MIN_DEPTH * depth.max():
        return False
    (a, b), (c, d) = matrix[:2, :2].tolist()
    area = a * d - b * c
    # With singular values s and t, a^2 + b^2 + c^2 + d^2 is s^2 + t^2 and the area is s t.
    return bool(area > 1e-4 and a * a + b * b + c * c + d * d < (MAX_STRETCH + 1 / MAX_STRETCH) * area)


def _fit_similarity(source: Points, target: Points, weights: NDArray[np.float64]) -> Matrix | None:
    """Fit turn, scale and shift by weighted least squares."""
    from_centre, to_centre = weights @ source / weights.sum(), weights @ target / weights.sum()
    u, v = source - from_centre, target - to_centre
    spread = float(weights @ (u * u).sum(axis=1))
    if spread < 1e-9:
        return None
    along = float(weights @ (u * v).sum(axis=1)) / spread
    across = float(weights @ (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])) / spread
    return _assemble(np.array([[along, -across], [across, along]]), from_centre, to_centre)


def _fit_affine(source: Points, target: Points, weights: NDArray[np.float64]) -> Matrix | None:
    """Fit any linear map and shift by weighted least squares."""
    from_centre, to_centre = weights @ source / weights.sum(), weights @ target / weights.sum()
    u, v = source - from_centre, target - to_centre
    square = (u * weights[:, None]).T @ u
    if np.linalg.cond(square) > 1e4:
        return None
    linear = np.linalg.solve(square, (u * weights[:, None]).T @ v).T
    return _assemble(linear, from_centre, to_centre)


def _assemble(linear: NDArray[np.float64], from_centre: Points, to_centre: Points) -> Matrix:
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, to_centre - linear @ from_centre
    return matrix


def _fit_homography(source: Points, target: Points, weights: NDArray[np.float64]) -> Matrix | None:
    """Fit a perspective by the normalised direct linear transform (Hartley, 1997), weighted."""
    to_small, to_large = _normalise(source), np.linalg.inv(_normalise(target))
    x, y = move_points(to_small, source).T
    u, v = move_points(_normalise(target), target).T
    one, nil = np.ones_like(x), np.zeros_like(x)
    above = np.stack([x, y, one, nil, nil, nil, -u * x, -u * y, -u], axis=1)
    below = np.stack([nil, nil, nil, x, y, one, -v * x, -v * y, -v], axis=1)
    rows = np.concatenate([above * weights[:, None], below * weights[:, None]])
    _, vectors = np.linalg.eigh(rows.T @ rows)
    matrix = to_large @ vectors[:, 0].reshape(3, 3) @ to_small
    return None if abs(matrix[2, 2]) < 1e-9 else np.asarray(matrix / matrix[2, 2], np.float64)


def _normalise(points: Points) -> Matrix:
    centre, spread = points.mean(axis=0), max(float(points.std()), 1e-9)
    return np.array([[1 / spread, 0, -centre[0] / spread], [0, 1 / spread, -centre[1] / spread], [0, 0, 1]])


_FITS = {"similarity": _fit_similarity, "affine": _fit_affine, "homography": _fit_homography}
