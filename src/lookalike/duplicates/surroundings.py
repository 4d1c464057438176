"""Whether a picture is laid into another one, as a screenshot, a collage, a page or a frame does it.

Around a crop the scene goes on: what lies a little outside its border looks like what lies a little inside. Around
a picture that was laid into something a straight edge runs along its border.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lookalike.records.arrays import UInt8Array
from lookalike.records.geometry import area_of
from lookalike.records.proof import Polygon
from lookalike.storage.records import FoundPicture

NEAR_PX, FAR_PX = 1.5, 4.0  # of the small view that is looked at: the placement is off by half a pixel
MIN_EDGE_LEVELS = 10.0  # of 255: what the border of a laid in picture leaps, in the median
MIN_EDGE_RATIO = 3.0  # times what the scene changes over as much inside. Crops of 40 photos reach 1.6
MIN_SIDE_SHARE = 0.6  # of a side's points at which the leap is seen
OWN_BORDER = 0.985  # of a side: nearer to the picture's own border nothing lies around
_POINTS = 48
_MIN_VIEW_PX = 24


class Surroundings:
    """What lies around a picture inside another one, by the small kept views.

    Parameters
    ----------
    view_of : callable    gives the small grey view of a content by its id, or None where there is none
    """

    def __init__(self, view_of: Callable[[int], UInt8Array | None]) -> None:
        self._view_of = view_of
        self._known: dict[tuple[int, int], bool] = {}

    def is_laid_in(self, picture: FoundPicture, other_id: int, overlap: Polygon) -> bool:
        """Whether a picture shows another one laid into it, at the place of their overlap."""
        pair = picture.content_id, other_id
        if pair not in self._known:
            view = self._view_of(picture.content_id)
            self._known[pair] = view is not None and has_edges_around(
                view, (picture.width_px, picture.height_px), overlap
            )
        return self._known[pair]


def has_edges_around(view: UInt8Array, size_px: tuple[int, int], overlap: Polygon) -> bool:
    """Whether straight edges run along all sides of a part of a picture that lie inside it.

    Parameters
    ----------
    view : uint8 array, shape (h, w)    the picture, small and grey
    size_px : (int, int)    of the picture itself
    overlap : corners of the part, in pixels of the picture
    """
    sides = np.array([view.shape[1], view.shape[0]], np.float64)
    if len(overlap) != 4 or min(view.shape) < _MIN_VIEW_PX:
        return False
    corners = (np.array(overlap, np.float64) + 0.5) / np.array(size_px) * sides - 0.5
    if area_of(corners) < _MIN_VIEW_PX**2:
        return False
    seen = [
        _has_edge(view, start, end, corners.mean(axis=0))
        for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        if not _is_own_border(start, end, sides)
    ]
    return bool(seen) and all(seen)


def _is_own_border(start: NDArray[np.float64], end: NDArray[np.float64], sides: NDArray[np.float64]) -> bool:
    near = (1 - OWN_BORDER) * sides + FAR_PX
    low, high = np.minimum(start, end), np.maximum(start, end)
    return bool((high < near).any() or (low > sides - 1 - near).any())


def _has_edge(
    view: UInt8Array, start: NDArray[np.float64], end: NDArray[np.float64], middle: NDArray[np.float64]
) -> bool:
    """Whether greys leap along a side of the part, and do not a little inside it."""
    import cv2

    along = end - start
    inward = np.array([-along[1], along[0]]) / max(1e-9, float(np.hypot(*along)))
    if inward @ (middle - (start + end) / 2) < 0:
        inward = -inward
    shares = np.linspace(0.06, 0.94, _POINTS)[:, None]
    points = start + shares * along
    offsets = np.array([-FAR_PX, -NEAR_PX, NEAR_PX, FAR_PX, FAR_PX + 2 * NEAR_PX])
    places = points[:, None, :] + offsets[None, :, None] * inward
    greys = cv2.remap(
        view.astype(np.float32),
        places[..., 0].astype(np.float32),
        places[..., 1].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    across = np.abs(greys[:, 2] - greys[:, 1])
    inside = np.abs(greys[:, 4] - greys[:, 3])
    leap, usual = float(np.median(across)), float(np.median(inside)) + 2.0
    share = float(np.mean(across > MIN_EDGE_LEVELS))
    return leap > MIN_EDGE_LEVELS and leap > MIN_EDGE_RATIO * usual and share > MIN_SIDE_SHARE
