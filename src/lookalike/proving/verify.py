"""Two pictures' keypoints -> what they are to each other, with the proof.

Three questions, cheapest first. Do enough points of one look like points of the other (Lowe's ratio test,
2004), as they are or in a mirror? Does one placement of the picture explain them? And, laid over each other
in that placement, do the pixels agree nearly everywhere? Only the last separates copies from two products
on one template, and from two shots of one scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.features.keypoints import RECIPE as KEYPOINTS
from lookalike.features.keypoints import Keypoints
from lookalike.proving.placement import Agreement, compare_pixels
from lookalike.records.arrays import Float32Array
from lookalike.records.geometry import (
    WHOLE,
    Matrix,
    Points,
    area_of,
    clip_to,
    corners_of,
    move_points,
    scaling,
)
from lookalike.records.proof import Containment, Polygon, Proof, rounded_polygon, rounded_rows
from lookalike.records.recipe import Recipe
from lookalike.records.relation import Relation
from lookalike.records.transform import describe_transform

VERIFICATION = Recipe("verification", 4, {"keypoints": KEYPOINTS.version})
"""What outcomes are kept under: the version is raised whenever the same keypoints would give another one."""

Method = Literal["keypoints", "pixels"]

# Matching
MAX_RATIO = 0.85  # of the distances to the nearest and the second nearest descriptor
MAX_MATCHES = 300
N_SEEDS = 60
MIN_MATCHES = 5

# Placement, in working pixels
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

# Verdict, measured on 1,600 edits of 80 photos and on 10,900 nearest pairs of products, clothes and fruit
# on a turntable (docs/decisions/0006). Edits as a rule agree in all windows; two shots of one thing reach
# 1.00 too, but move by 0.2 px and more.
MIN_INLIERS = 6
MIN_SURE_INLIERS = 12
MIN_AGREEMENT = 0.9
MAX_MOTION_PX = 0.21
MIN_SOFT_AGREEMENT = 0.95  # with fewer points than are sure, or too little texture to see motion
MAX_SOFT_RESIDUAL = 0.03
# Photos with a banner and large text over them agree in 0.42 to 0.8 of the windows, yet nine tenths
# of their points agree, exactly. Two shots of a shelf come to 0.20 px of error; two designs of one package
# share at most 0.40 of their points.
MIN_EXACT_SHARE = 0.5
MAX_EXACT_ERROR_PX = 0.15
MIN_EXACT_AGREEMENT = 0.5
MAX_EXACT_MOTION_PX = 0.5
# Marks all over a picture bring points of their own, so that 0.13 to 0.5 of all agree; but those do to 0.06 px,
# which two shots never reach. The pixels agree in 0.76 of the windows; on a template with another photo in 0.54.
MIN_MARKED_INLIERS = 25
MAX_MARKED_ERROR_PX = 0.08
MIN_MARKED_AGREEMENT = 0.7
MIN_SCENE_INLIERS = 15
# Of a strip or panorama the small view is too thin to compare windows in: points place it, a closer look decides.
MIN_VIEW_SIDE_PX = 40
MIN_STRIP_LENGTH = 6.0  # times the width
MIN_STRIP_INLIERS = 20
MAX_STRIP_ERROR_PX = 1.0
# Two shots of one printed thing agree where nothing but the print is in both: a part of either, seen from another
# side; so do the bars of two screenshots, one of them mirrored. Of 38,000 pairs of copies none overlaps so little
# and is bent or mirrored; of 257 such pairs of shots 143 do and are.
MIN_COMMON_SHARE = 0.5  # of the picture of which more is in the other
MAX_BENT_DEGREES = 0.7  # from the nearest quarter turn
MAX_BENT_STRETCH = 1.02  # of one direction against the other
MAX_BENT_DEPTH = 0.02  # by which the sides of a picture differ, seen in perspective

# Fallback on pixels
MIN_PIXEL_AGREEMENT = 0.9
MAX_PIXEL_RESIDUAL = 0.02
MAX_TINT_LEVELS = 6.0
MAX_ASPECT_RATIO = 1.03
MIN_TEXTURED = 0.02  # of the area: below, only the residual can tell
MAX_PLAIN_RESIDUAL = 0.008


@dataclass(frozen=True, eq=False)
class Verification:
    """What two pictures are to each other, and the proof of it.

    Parameters
    ----------
    relation : Relation
        ``same_pixels``, ``copy``, ``same_scene`` or ``different``; the last says that nothing was proven
    method : str
        what decided: ``keypoints``, or ``pixels`` where too few points agree to place one over the other
    n_inliers : int
        pairs of points, at different places, that agree with the placement
    agreement : float
        share of the overlap's textured parts in which the pixels agree, 0 to 1
    residual : float
        mean difference of grey inside the overlap, after the best gain and offset, as a share of white
    transform : str
        what was done to the first to get the second, in words; empty where nothing is proven
    contains : str
        which picture contains the other one whole: ``first``, ``second``, ``equal`` (both show all of
        it) or ``neither``
    matrix : float64 array of shape (3, 3), or None
        from the first's original pixels to the second's; pixel centres are integers
    overlap_first, overlap_second : polygons
        corners (x, y) of the overlap in each picture's own original pixels; empty without a placement
    points_first, points_second : float64 arrays of shape (n, 2)
        where agreeing points lie in each picture's own original pixels
    """

    relation: Relation
    method: Method
    n_inliers: int
    agreement: float
    residual: float
    transform: str
    contains: Containment
    matrix: Matrix | None
    overlap_first: Polygon
    overlap_second: Polygon
    points_first: Points
    points_second: Points

    @property
    def proof(self) -> Proof:
        """What is kept and printed of it."""
        return Proof(
            relation=self.relation,
            method=self.method,
            inliers=self.n_inliers,
            transform=self.transform,
            agreement=round(float(self.agreement), 4),
            residual=round(float(self.residual), 4),
            contains=self.contains,
            overlap_first=rounded_polygon(self.overlap_first),
            overlap_second=rounded_polygon(self.overlap_second),
            matrix=None if self.matrix is None else rounded_rows(self.matrix),
        )


class _Matches(NamedTuple):
    """Pairs of points that look alike, in working pixels, most distinct first.

    `mirror` leads from the source's own pixels to those of `source`; `turn` is in radians, `growth` in
    doublings.
    """

    mirror: Matrix
    source: Points
    target: Points
    turn: NDArray[np.float32]
    growth: NDArray[np.float32]


class _Placement(NamedTuple):
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


def verify(first: Keypoints, second: Keypoints) -> Verification:
    """Tell what two pictures are to each other, and prove it.

    Swapping the arguments swaps `first` and `second` in the answer and inverts the matrix; nothing else.

    Parameters
    ----------
    first, second : Keypoints

    Returns
    -------
    Verification
    """
    if _rank(first) > _rank(second):
        return _swap(_verify_ordered(second, first), first, second)
    return _verify_ordered(first, second)


def _rank(keypoints: Keypoints) -> tuple[int, int, bytes]:
    """Order two pictures, whatever the order of the arguments: fewer points first, which is quicker."""
    return len(keypoints), keypoints.width_px * keypoints.height_px, keypoints.view_jpeg


def _verify_ordered(first: Keypoints, second: Keypoints) -> Verification:
    if _same_pixels(first, second):
        return _answer(first, second, "same_pixels", "pixels", np.eye(3), Agreement(1.0, 0.0, 0.0, None))
    placed = _find_placement(first, second)
    if placed is None or placed.n_inliers < MIN_INLIERS:
        return _verify_by_pixels(first, second)
    agreement = compare_pixels(first.view, second.view, _between_views(first, second, placed.matrix))
    if _is_strip(first, second, placed):
        agreement = replace(agreement, score=max(agreement.score, MIN_AGREEMENT))
        return _answer(first, second, "copy", "keypoints", placed.matrix, agreement, placed)
    if _is_copy(placed, agreement):
        found = _answer(first, second, "copy", "keypoints", placed.matrix, agreement, placed)
        return replace(found, relation="same_scene") if _is_bent_part(found, first, second) else found
    if placed.n_inliers >= MIN_SCENE_INLIERS or agreement.score >= MIN_AGREEMENT:
        return _answer(first, second, "same_scene", "keypoints", placed.matrix, agreement, placed)
    return _UNPROVEN


def _is_copy(placed: _Placement, agreement: Agreement) -> bool:
    """Decide by the points that agree, the pixels that agree, and whether anything moved between them.

    Something laid over a copy hides points and pixels, but leaves the others exactly where they were. So
    where most of the points that could agree do, to a fraction of a pixel, less is asked of the pixels.
    """
    is_still = (agreement.motion_px or 0.0) <= MAX_EXACT_MOTION_PX
    if placed.share >= MIN_EXACT_SHARE and placed.error_px <= MAX_EXACT_ERROR_PX:
        return is_still and agreement.score >= MIN_EXACT_AGREEMENT
    if placed.n_inliers >= MIN_MARKED_INLIERS and placed.error_px <= MAX_MARKED_ERROR_PX and is_still:
        return agreement.score >= MIN_MARKED_AGREEMENT
    if _has_moved(agreement):
        return False
    if agreement.motion_px is None or placed.n_inliers < MIN_SURE_INLIERS:
        return agreement.score >= MIN_SOFT_AGREEMENT and agreement.residual <= MAX_SOFT_RESIDUAL
    return agreement.score >= MIN_AGREEMENT


def _is_strip(first: Keypoints, second: Keypoints, placed: _Placement) -> bool:
    """Whether points place a picture whose view is too thin to tell more."""
    is_thin = min(*first.view.shape, *second.view.shape) < MIN_VIEW_SIDE_PX
    is_long = max(max(one.view.shape) / min(one.view.shape) for one in (first, second)) > MIN_STRIP_LENGTH
    is_placed = placed.n_inliers >= MIN_STRIP_INLIERS and placed.error_px <= MAX_STRIP_ERROR_PX
    return is_thin and is_long and is_placed


def _is_bent_part(found: Verification, first: Keypoints, second: Keypoints) -> bool:
    """Whether two pictures have only a part in common, seen from another side or in a mirror: no copies."""
    if found.contains != "neither" or found.matrix is None:
        return False
    sizes = (first.width_px, first.height_px), (second.width_px, second.height_px)
    overlaps = found.overlap_first, found.overlap_second
    shares = [
        area_of(np.array(part)) / (size[0] * size[1]) for part, size in zip(overlaps, sizes, strict=True)
    ]
    return max(shares) < MIN_COMMON_SHARE and _is_bent(found.matrix, sizes[0])


def _is_bent(matrix: Matrix, size: tuple[int, int]) -> bool:
    """Whether a placement does more than enlarge and turn by right angles."""
    linear = matrix[:2, :2]
    stretch = np.linalg.svd(linear, compute_uv=False)
    degrees = np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))
    return bool(
        np.linalg.det(linear) < 0
        or abs((degrees + 45) % 90 - 45) > MAX_BENT_DEGREES
        or stretch[0] > MAX_BENT_STRETCH * stretch[1]
        or np.abs(matrix[2, :2]) @ size > MAX_BENT_DEPTH
    )


def _has_moved(agreement: Agreement) -> bool:
    return agreement.motion_px is not None and agreement.motion_px > MAX_MOTION_PX


def _same_pixels(first: Keypoints, second: Keypoints) -> bool:
    return any(first.pixel_digest) and first.pixel_digest == second.pixel_digest


def _between_views(first: Keypoints, second: Keypoints, matrix: Matrix) -> Matrix:
    """Return the matrix between the small views from the one between the working sizes."""
    to_view = scaling(second.working_size, _size_of(second.view))
    from_view = scaling(_size_of(first.view), first.working_size)
    return np.asarray(to_view @ matrix @ from_view, np.float64)


def _size_of(pixels: NDArray[np.uint8]) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]


# Answers


def _answer(
    first: Keypoints,
    second: Keypoints,
    relation: Relation,
    method: Method,
    working_matrix: Matrix,
    agreement: Agreement,
    placed: _Placement | None = None,
) -> Verification:
    sizes = (first.width_px, first.height_px), (second.width_px, second.height_px)
    to_original = scaling(second.working_size, sizes[1])
    matrix = to_original @ working_matrix @ scaling(sizes[0], first.working_size)
    matrix = matrix / matrix[2, 2]
    overlap_second = clip_to(move_points(matrix, corners_of(sizes[0])), sizes[1])
    overlap_first = move_points(np.linalg.inv(matrix), overlap_second)
    nowhere = np.empty((0, 2))
    return Verification(
        relation,
        method,
        placed.n_inliers if placed else 0,
        agreement.score,
        agreement.residual,
        describe_transform(matrix, *sizes),
        _containment(area_of(overlap_first) / np.prod(sizes[0]), area_of(overlap_second) / np.prod(sizes[1])),
        matrix,
        _as_polygon(overlap_first),
        _as_polygon(overlap_second),
        move_points(scaling(first.working_size, sizes[0]), placed.source) if placed else nowhere,
        move_points(to_original, placed.target) if placed else nowhere,
    )


def _containment(share_of_first: float, share_of_second: float) -> Containment:
    """Tell which picture is shown whole in the other, from the shares of both that overlap."""
    if min(share_of_first, share_of_second) >= WHOLE:
        return "equal"
    if share_of_second >= WHOLE:
        return "first"
    return "second" if share_of_first >= WHOLE else "neither"


def _as_polygon(points: Points) -> Polygon:
    return tuple((float(x), float(y)) for x, y in points)


def _swap(found: Verification, first: Keypoints, second: Keypoints) -> Verification:
    """Return the same answer for the arguments in the other order."""
    if found.matrix is None:
        return found
    matrix = np.linalg.inv(found.matrix)
    matrix = matrix / matrix[2, 2]
    sizes = (first.width_px, first.height_px), (second.width_px, second.height_px)
    swapped: dict[Containment, Containment] = {"first": "second", "second": "first"}
    return replace(
        found,
        transform=describe_transform(matrix, *sizes),
        contains=swapped.get(found.contains, found.contains),
        matrix=matrix,
        overlap_first=found.overlap_second,
        overlap_second=found.overlap_first,
        points_first=found.points_second,
        points_second=found.points_first,
    )


# Placement by points


def _find_placement(source: Keypoints, target: Keypoints) -> _Placement | None:
    """Return the placement of the source in the target that most points agree with, if any."""
    matches = _match(source, target, mirrored=False)
    supports, votes = _find_support(matches)
    if votes < max(CLEAR_VOTES, len(matches.source) / 2):
        in_mirror = _match(source, target, mirrored=True)
        mirror_supports, mirror_votes = _find_support(in_mirror)
        if mirror_votes > votes:
            matches, supports, votes = in_mirror, mirror_supports, mirror_votes
    best: _Placement | None = None
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


def _match(source: Keypoints, target: Keypoints, *, mirrored: bool) -> _Matches:
    """Return the points of the source, or of its mirror picture, that look like one point of the target."""
    descriptors = source.mirrored_descriptors if mirrored else source.descriptors
    rows, columns = _find_alike(descriptors, target.descriptors)
    mirror = np.eye(3)
    angles = source.angles[rows]
    if mirrored:
        mirror[0, 0], mirror[0, 2] = -1, source.working_size[0] - 1
        angles = np.float32(np.pi) - angles
    return _Matches(
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
    kept = kept[np.argsort(ratio[kept], kind="stable")]
    _, unique = np.unique(nearest[kept], return_index=True)
    kept = kept[np.sort(unique)][:MAX_MATCHES]
    return kept, nearest[kept]


def _find_support(matches: _Matches) -> tuple[NDArray[np.bool_], int]:
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


def _place(matches: _Matches, support: NDArray[np.bool_]) -> _Placement | None:
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
            best, most = _Placement(matrix, n_inliers, source[near], target[near], error_px), gained
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


# Fallback on pixels


def _verify_by_pixels(first: Keypoints, second: Keypoints) -> Verification:
    """Compare whole pictures in the eight orientations, where points cannot place one over the other.

    Stricter than with points: the colours must be equal as well, for a soft gradient correlates with any
    other.
    """
    turn = _find_orientation(first, second)
    if turn is None:
        return _UNPROVEN
    agreement = compare_pixels(first.view, second.view, _between_views(first, second, turn))
    if agreement.textured < MIN_TEXTURED:
        agreement = replace(agreement, score=float(agreement.residual <= MAX_PLAIN_RESIDUAL))
    if agreement.score < MIN_PIXEL_AGREEMENT or agreement.residual > MAX_PIXEL_RESIDUAL:
        return _UNPROVEN
    relation: Relation = "same_scene" if _has_moved(agreement) else "copy"
    return _answer(first, second, relation, "pixels", turn, agreement)


_UNPROVEN = Verification(
    "different", "pixels", 0, 0.0, 1.0, "", "neither", None, (), (), np.empty((0, 2)), np.empty((0, 2))
)


def _find_orientation(first: Keypoints, second: Keypoints) -> Matrix | None:
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
