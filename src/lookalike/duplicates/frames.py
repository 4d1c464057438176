"""Plain frames: how much of a picture lies inside one, as a copy of it without the frame shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lookalike.records.arrays import UInt8Array
from lookalike.records.geometry import WHOLE, area_of
from lookalike.records.proof import Proof
from lookalike.storage.records import FoundPicture

FRAME_LEVELS = 12  # of 255: what compression leaves of one grey
MIN_FRAME_SHARE = 0.9  # of the pixels around the overlap that have that grey
MIN_FRAME_PX = 32  # of the small view that is looked at
_MARGIN_PX = 5  # around every pixel of the view: resampling and the placement blur the border


class Frames:
    """What is known of the plain frames of pictures, pair by pair.

    Parameters
    ----------
    view_of : callable    gives the small grey view of a content by its id, or None where there is none
    """

    def __init__(self, view_of: Callable[[int], UInt8Array | None]) -> None:
        self._view_of = view_of
        self._inside_px: dict[int, int] = {}

    def n_content_px(self, picture: FoundPicture) -> int:
        """Return how many pixels of a picture lie inside its frame; all of them where none is known."""
        return self._inside_px.get(picture.content_id, picture.width_px * picture.height_px)

    def look(self, first: FoundPicture, second: FoundPicture, proof: Proof) -> None:
        """Learn what the proof of a pair tells of its pictures; only that of a copy tells anything."""
        if proof.is_copy:
            self._look_around(first, second, proof.overlap_first)
            self._look_around(second, first, proof.overlap_second)

    def _look_around(
        self, picture: FoundPicture, other: FoundPicture, overlap: Sequence[Sequence[float]]
    ) -> None:
        n_px, n_other_px = picture.width_px * picture.height_px, other.width_px * other.height_px
        inside_px = area_of(np.array(overlap))
        if not 0 < inside_px < WHOLE * n_px or not self._is_plain_around(picture, overlap):
            return
        if (
            abs(inside_px / n_other_px - 1) < 1 - WHOLE
        ):  # the other one as it is, but for errors of measurement
            inside_px = n_other_px
        self._inside_px[picture.content_id] = min(self.n_content_px(picture), round(inside_px))

    def _is_plain_around(self, picture: FoundPicture, overlap: Sequence[Sequence[float]]) -> bool:
        import cv2

        view = self._view_of(picture.content_id)
        if view is None:
            return False
        scale = np.array([view.shape[1] / picture.width_px, view.shape[0] / picture.height_px])
        corners = np.round((np.array(overlap) + 0.5) * scale - 0.5).astype(np.int32)
        around = cv2.fillPoly(np.ones(view.shape, np.uint8), [corners], 0)
        around = cv2.erode(around, np.ones((_MARGIN_PX, _MARGIN_PX), np.uint8))
        greys = view[around > 0].astype(np.int16)
        if len(greys) < MIN_FRAME_PX:
            return False
        return bool(np.mean(np.abs(greys - np.median(greys)) <= FRAME_LEVELS) >= MIN_FRAME_SHARE)
