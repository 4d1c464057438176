"""A glance before the closer look: which tiles of two copies cannot hold a difference, told cheaply.

A closer look settles, matches and smooths, all of which brings two pictures nearer to each other. So how far they
are apart before that bounds what it could find: where no window exceeds half of what a difference takes, there is
none. Most tiles of a photo that was saved, resized or cut are done with that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.proving.differences import (
    MEDIAN_TO_SIGMA,
    MIN_NOISE_LEVELS,
    MIN_OUTSTANDING_CLEARNESS,
    MIN_SHARE,
    MIN_TIMES_NOISE,
    WINDOW_PX,
    leaves,
)
from lookalike.proving.kinds import MIN_TOLD_TIMES_NOISE, count_gentle
from lookalike.proving.matching_tones import SMOOTHING_PX
from lookalike.proving.registration import Cut, inside_of
from lookalike.records.arrays import Float32Array, UInt8Array

_CAUTION = 0.5  # of the squared difference that counts: tones and placement are not settled yet
_MAX_SQUARE = _CAUTION * (MIN_OUTSTANDING_CLEARNESS * MIN_TIMES_NOISE * MIN_NOISE_LEVELS) ** 2
_MAX_SHARE = _CAUTION * MIN_OUTSTANDING_CLEARNESS * MIN_SHARE
_WINDOW = (WINDOW_PX, WINDOW_PX)


class Glance(NamedTuple):
    """What a glance at one tile tells.

    Parameters
    ----------
    is_same : whether no window of it can show other content
    n_px, n_gentle_px, n_told_px : pixels of the overlap; gently shaded; in which other content would be found
    """

    is_same: bool
    n_px: int
    n_gentle_px: int
    n_told_px: int


def glance_at(cut: Cut) -> Glance:
    """Glance at one tile, in grey."""
    import cv2

    inside = inside_of(cut)
    base, piece = _grey_of(cut.base), _grey_of(cut.piece)
    moved = np.asarray(
        cv2.warpPerspective(
            piece, cut.here, cut.size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )
    base, moved = (np.asarray(cv2.GaussianBlur(one, (0, 0), SMOOTHING_PX), np.uint8) for one in (base, moved))
    error = cv2.absdiff(base, moved) * inside
    spread = _spread(base)
    here = inside > 0
    return Glance(
        _is_same(base, moved, error, spread, here),
        int(np.count_nonzero(here)),
        count_gentle(base, here),
        int(np.count_nonzero((spread > (MIN_TOLD_TIMES_NOISE * _noise(error, inside)) ** 2) & here)),
    )


def _grey_of(pixels: UInt8Array) -> UInt8Array:
    """Return the mean of all channels in whole levels."""
    import cv2

    n_channels = pixels.shape[2]
    mixed = cv2.transform(pixels, np.full((1, n_channels), 1 / n_channels, np.float32))
    return np.asarray(mixed, np.uint8).reshape(pixels.shape[:2])


def _spread(grey: UInt8Array) -> Float32Array:
    """Return the variance of the window around every pixel."""
    import cv2

    means = cv2.boxFilter(grey, cv2.CV_32F, _WINDOW)
    return np.asarray(cv2.sqrBoxFilter(grey, cv2.CV_32F, _WINDOW) - means * means, np.float32)


def _noise(error: UInt8Array, inside: UInt8Array) -> float:
    """Return by how much most pixels differ."""
    import cv2

    counts = cv2.calcHist([error], [0], inside, [256], [0, 256]).ravel().cumsum()
    middle = int(np.searchsorted(counts, counts[-1] / 2))
    return max(MIN_NOISE_LEVELS, MEDIAN_TO_SIGMA * middle)


def _is_same(
    base: UInt8Array, moved: UInt8Array, error: UInt8Array, spread: Float32Array, here: NDArray[np.bool_]
) -> bool:
    """Whether no window differs by enough, nor by enough of what either picture shows there."""
    import cv2

    square = cv2.sqrBoxFilter(error, cv2.CV_32F, _WINDOW)
    suspect = (square > _MAX_SQUARE) & here
    if not suspect.any():
        return True
    limit = np.maximum(np.float32(_MAX_SQUARE), np.float32(_MAX_SHARE) * np.minimum(spread, _spread(moved)))
    if not (suspect & (square > limit)).any():
        return True
    square = cv2.sqrBoxFilter(_unexplained(base, moved) * here, cv2.CV_32F, _WINDOW)
    return not ((square > limit) & here).any()


def _unexplained(base: UInt8Array, moved: UInt8Array) -> Float32Array:
    """Return by how much either picture leaves what the other one shows within half a pixel."""
    import cv2

    kernel = np.ones((3, 3), np.uint8)
    (low_base, high_base), (low_moved, high_moved) = (
        (cv2.erode(one, kernel).astype(np.float32), cv2.dilate(one, kernel).astype(np.float32))
        for one in (base, moved)
    )
    one, other = base.astype(np.float32), moved.astype(np.float32)
    return np.maximum(leaves(one, other, low_moved, high_moved), leaves(other, one, low_base, high_base))
