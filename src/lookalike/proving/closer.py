"""A closer look at a pair that is a copy from afar: does one show in full size what the other one does not.

Three answers. `copy`: both show the same; or something was laid over a photo, and beside it all agrees. `variant`:
one design with other content, two receipts of a shop. `similar`: the pixels cannot tell, being too plain, too few
or too coarse to show what could differ; nothing is proven then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.media.sight import Sight
from lookalike.proving.differences import WINDOW_PX, Differences, find_differences, find_other_colors
from lookalike.proving.glance import Glance, glance_at
from lookalike.proving.grounds import lay_on_one_ground
from lookalike.proving.kinds import MIN_PHOTO_SHARE, count_gentle, find_drawn, find_told, measure_strokes
from lookalike.proving.registration import Laid, Placed, cut_tiles, lay_tile, place
from lookalike.proving.verify import VERIFICATION
from lookalike.records.arrays import UInt8Array
from lookalike.records.geometry import Matrix, corners_of, move_points
from lookalike.records.proof import Proof, rounded_polygon
from lookalike.records.recipe import Recipe

CLOSER_LOOK = Recipe("closer look", 1, {"placement": VERIFICATION.version})
"""What its answers are kept under: the version is raised whenever the same pictures would give another one."""

Polygon = tuple[tuple[float, float], ...]
Seen = Literal["copy", "variant", "same_scene", "similar"]

MAX_REGIONS = 12
MAX_DIFFERING_SHARE = 0.7  # of what is drawn: beyond, the rest is the background of two pictures
_JOIN_PX = 17

# What can be told at all
MIN_TOLD_WINDOWS = 2
MIN_STROKE_PX = 4  # of what is drawn, as high as most of it is: smaller letters cannot be told apart

SURELY_PHOTO_SHARE = 0.35  # of one tile
SURELY_PHOTOS_SHARE = 0.15  # of the whole, at a glance: smoothing and blur add to it
SURELY_TOLD_WINDOWS = 20

# Of what differs between a photo and itself with something laid over it, one has as strong edges as the photo has
# elsewhere; two captions of one photo have edges 2 times as strong and more.
MIN_SHARPER = 1.7
MIN_OWN_SHARE = 0.02  # of the picture: less is chance, or a detail that keeps it from going all the same
_EDGE_PX = 1.5


@dataclass(frozen=True)
class CloserLook:
    """What full-size pixels say of two pictures that were placed over each other.

    Parameters
    ----------
    relation : str
        ``copy``, ``variant``, ``same_scene`` where most differs, or ``similar`` where the pixels cannot tell
    reason : str          why it is not simply a copy; empty where it is
    regions_first, regions_second : polygons
        what differs, in the pixels of each picture
    are_equal : bool
        whether the files are equal in every pixel, as far as that was asked
    """

    relation: Seen
    reason: str = ""
    regions_first: tuple[Polygon, ...] = ()
    regions_second: tuple[Polygon, ...] = ()
    are_equal: bool = False


def look_closer(first: Sight, second: Sight, matrix: Matrix) -> CloserLook:
    """Look in full size for what one of two pictures shows and the other does not.

    What is transparent is laid over the other one's ground; where both are transparent, over white and over black.

    Parameters
    ----------
    first, second : Sight
    matrix : 3 x 3, from the first's pixels to the second's
    """
    looks = [_look(*pair, matrix) for pair in lay_on_one_ground(first, second, matrix)]
    # A white mark on nothing is plain over white: what black shows of it counts.
    return max(
        looks, key=lambda look: (look.relation == "variant", look.relation == "copy", bool(look.reason))
    )


class _Tile(NamedTuple):
    """What was found in one tile.

    Parameters
    ----------
    n_px, n_gentle_px, n_told_px, n_drawn_px, n_clear_px : pixels of the overlap; gently shaded; in which other
        content would have been found; in which anything is drawn; those of the last that clearly differ
    stroke_px : how high most of what is drawn is
    regions : what differs in shape, as (pixels, outline in the first, outline in the second)
    colored_regions : the same, with what differs in colour
    have_own_content : whether either picture shows something of its own there
    """

    n_px: int
    n_gentle_px: int
    n_told_px: int
    n_drawn_px: int
    n_clear_px: int = 0
    stroke_px: float = float("inf")
    regions: Sequence[_Region] = ()
    colored_regions: Sequence[_Region] = ()
    have_own_content: bool = False


_Region = tuple[int, Polygon, Polygon]


def _look(first: UInt8Array, second: UInt8Array, matrix: Matrix) -> CloserLook:
    placed = place(first, second, matrix)
    tiles = [] if placed is None else _look_at_tiles(placed)
    if not tiles:
        return CloserLook("similar", "too little of them lies over each other to tell")
    is_photo = sum(one.n_gentle_px for one in tiles) >= MIN_PHOTO_SHARE * sum(one.n_px for one in tiles)
    regions = [part for one in tiles for part in (one.regions if is_photo else one.colored_regions)]
    if not regions:
        reason = _why_untold(tiles, is_photo)
        return CloserLook("similar", reason) if reason else CloserLook("copy")
    regions = sorted(regions, key=lambda part: -part[0])[:MAX_REGIONS]
    if is_photo and sum(one.n_clear_px for one in tiles) > MAX_DIFFERING_SHARE * sum(
        one.n_drawn_px for one in tiles
    ):
        return CloserLook("same_scene", "most of what they show differs")
    outlines = tuple(part[1] for part in regions), tuple(part[2] for part in regions)
    if is_photo and not any(one.have_own_content for one in tiles):
        return CloserLook("copy", "something was changed, or is laid over one of them", *outlines)
    return CloserLook("variant", "one design with other content", *outlines)


def _look_at_tiles(placed: Placed) -> list[_Tile]:
    """Look at every tile in which a glance could not tell that both show the same."""
    cuts = cut_tiles(placed)
    glances = [glance_at(cut) for cut in cuts]
    if not _is_surely_photo(glances):
        glances = [glance._replace(is_same=False) for glance in glances]
    tiles = []
    for cut, glance in zip(cuts, glances, strict=True):
        if glance.is_same:
            tiles.append(_Tile(glance.n_px, glance.n_gentle_px, glance.n_told_px, glance.n_told_px))
        elif (laid := lay_tile(placed, cut)) is not None:
            tiles.append(_look_at(laid))
    return tiles


def _is_surely_photo(glances: Sequence[Glance]) -> bool:
    """Whether a photo with plenty drawn in it lies here, so that neither colours nor strokes are asked for."""
    n_px = sum(one.n_px for one in glances)
    is_photo = sum(one.n_gentle_px for one in glances) >= SURELY_PHOTOS_SHARE * n_px
    return is_photo and sum(one.n_told_px for one in glances) >= SURELY_TOLD_WINDOWS * WINDOW_PX**2


def _look_at(laid: Laid) -> _Tile:
    found = find_differences(laid)
    drawn = find_drawn(found.base, found.noise) & laid.inside
    n_inside = int(np.count_nonzero(laid.inside))
    n_gentle = max(count_gentle(grey, laid.inside) for grey in (found.base, found.moved))
    may_be_drawing = (
        n_gentle < SURELY_PHOTO_SHARE * n_inside
    )  # else neither colours nor strokes are asked for
    clear = (found.clearness > found.least_clearness) | found.apart
    regions = _outline(clear, laid)
    return _Tile(
        n_inside,
        n_gentle,
        int(np.count_nonzero(find_told(found.base, found.noise) & laid.inside)),
        int(np.count_nonzero(drawn)),
        int(np.count_nonzero(drawn & clear)),
        measure_strokes(found.base, drawn) if may_be_drawing else float("inf"),
        regions,
        _outline(clear | find_other_colors(laid), laid) if may_be_drawing else regions,
        _have_own_content(found, clear),
    )


def with_look(proof: Proof, look: CloserLook) -> Proof:
    """Return the proof of a copy with what a closer look says of it."""
    if look.are_equal:
        return replace(proof, relation="same_pixels", note="", differs_first=(), differs_second=())
    return replace(
        proof,
        relation=look.relation,
        note=look.reason,
        differs_first=tuple(rounded_polygon(part) for part in look.regions_first),
        differs_second=tuple(rounded_polygon(part) for part in look.regions_second),
    )


def _why_untold(tiles: Sequence[_Tile], is_photo: bool) -> str:
    """Return why these pixels could not show a difference; empty where they could."""
    if sum(one.n_told_px for one in tiles) < MIN_TOLD_WINDOWS * WINDOW_PX**2:
        return "they are too plain to tell"
    heights = sorted(one.stroke_px for one in tiles if np.isfinite(one.stroke_px))
    if not is_photo and heights and heights[len(heights) // 2] < MIN_STROKE_PX:
        return "what is drawn is too small to tell"
    return ""


def _have_own_content(found: Differences, clear: NDArray[np.bool_]) -> bool:
    """Whether each picture of a photo has something laid over it where they differ, as two captions of one photo.

    What is laid over has sharper edges than the photo has elsewhere; the ground of it has not.
    """
    import cv2

    around = cv2.dilate(clear.astype(np.uint8), np.ones((WINDOW_PX, WINDOW_PX), np.uint8)) > 0
    places = found.differs & around
    if np.count_nonzero(clear) < MIN_OWN_SHARE * clear.size or not places.any() or around.all():
        return False
    strokes = cv2.dilate(places.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    sharper = []
    for grey in (found.base, found.moved):
        smooth = cv2.GaussianBlur(grey, (0, 0), _EDGE_PX)
        dx, dy = (cv2.Sobel(smooth, cv2.CV_32F, *axis, ksize=3, scale=1 / 8) for axis in ((1, 0), (0, 1)))
        edges = cv2.magnitude(dx, dy)
        sharper.append(float(edges[strokes].mean()) / (float(edges[~around].mean()) + 0.5))
    return min(sharper) > MIN_SHARPER


def _outline(clear: NDArray[np.bool_], laid: Laid) -> list[_Region]:
    """Return boxes around what differs, in the pixels of the first and of the second picture."""
    import cv2

    joined = cv2.dilate(clear.astype(np.uint8), np.ones((_JOIN_PX, _JOIN_PX), np.uint8))
    n, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    limits = np.array([laid.inside.shape[1], laid.inside.shape[0]]) - 1
    regions = []
    for left, top, width, height, n_px in stats[1:n].tolist():
        low = np.maximum(np.array([left, top]), 0)
        high = np.minimum(np.array([left + width, top + height]), limits)
        corners = corners_of((int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)) + low
        base, moved = (
            tuple((float(x), float(y)) for x, y in move_points(matrix, corners))
            for matrix in (laid.to_base, laid.to_moved)
        )
        regions.append((n_px, base, moved) if laid.base_is_first else (n_px, moved, base))
    return regions
