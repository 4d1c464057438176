"""Two pictures' keypoints -> what they are to each other, with the proof.

Three questions, cheapest first. Do enough points of one look like points of the other (Lowe's ratio test,
2004), as they are or in a mirror? Does one placement of the picture explain them? And, laid over each other
in that placement, do the pixels agree nearly everywhere? Only the last separates copies from two products
on one template, and from two shots of one scene.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.features.keypoints import RECIPE as KEYPOINTS
from lookalike.features.keypoints import Keypoints
from lookalike.proving.orientation import find_orientation
from lookalike.proving.overlay import Agreement, compare_pixels
from lookalike.proving.placement import Placement, find_placement
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
    placed = find_placement(first, second)
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


def _is_copy(placed: Placement, agreement: Agreement) -> bool:
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


def _is_strip(first: Keypoints, second: Keypoints, placed: Placement) -> bool:
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
    placed: Placement | None = None,
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


# Fallback on pixels


def _verify_by_pixels(first: Keypoints, second: Keypoints) -> Verification:
    """Compare whole pictures in the eight orientations, where points cannot place one over the other.

    Stricter than with points: the colours must be equal as well, for a soft gradient correlates with any
    other.
    """
    turn = find_orientation(first, second)
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
