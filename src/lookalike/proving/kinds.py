"""What kind of picture lies in a tile: gently shaded as a photo is, or drawn, and how high its strokes are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lookalike.proving.differences import (
    COARSE_WINDOW_PX,
    MIN_CLEARNESS,
    MIN_COARSE_LEVELS,
    MIN_TIMES_NOISE,
    WINDOW_PX,
)
from lookalike.records.arrays import Float32Array, UInt8Array

MIN_STRUCTURE_TIMES_NOISE = 6.0  # of a window's contrast: below, nothing is drawn there that could differ
# What can be told at all: windows of less contrast could show something else, and nobody would find it.
MIN_TOLD_TIMES_NOISE = MIN_CLEARNESS * MIN_TIMES_NOISE
MIN_TOLD_LEVELS = MIN_COARSE_LEVELS
_COARSE_PX = 2.0
_GROUND_PX = 12.0
_MIN_STROKES = 20

# Photo or drawing: a drawing has a few plain grounds, and all else is strokes; a photo has gentle shades between.
MIN_PHOTO_SHARE = 0.12
_GENTLE_LEVELS = 24.0
_N_GROUNDS = 4
_BIN_LEVELS = 4


def count_gentle(grey: Float32Array | UInt8Array, inside: NDArray[np.bool_]) -> int:
    """Count the pixels that are gently shaded, and none of a few plain grounds."""
    import cv2

    kernel = np.ones((5, 5), np.uint8)
    activity = cv2.subtract(cv2.dilate(grey, kernel), cv2.erode(grey, kernel))
    gentle = ((activity < _GENTLE_LEVELS) & inside).astype(np.uint8)
    levels = np.asarray(grey if grey.dtype == np.uint8 else np.clip(grey, 0, 255).astype(np.uint8))
    shades = cv2.calcHist([levels], [0], gentle, [256], [0, 256]).astype(np.float64)
    counts = shades.reshape(-1, _BIN_LEVELS).sum(axis=1)
    for _ in range(_N_GROUNDS):
        peak = int(np.convolve(counts, np.ones(3), "same").argmax())
        counts[max(0, peak - 1) : peak + 2] = 0
    return int(counts.sum())


def find_drawn(grey: Float32Array, noise: Float32Array) -> NDArray[np.bool_]:
    """Return where anything is drawn: windows of more contrast than noise can make."""
    import cv2

    grey = grey - np.float32(grey.mean())
    drawn = _stands_out(grey, noise, WINDOW_PX)
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), _COARSE_PX), np.float32)
    return drawn | _stands_out(smooth, noise / np.float32(2 * _COARSE_PX), 4 * WINDOW_PX)  # averaged noise


def find_told(grey: Float32Array, noise: Float32Array) -> NDArray[np.bool_]:
    """Return where enough is drawn that other content in its place would have been found."""
    import cv2

    grey = grey - np.float32(grey.mean())
    told = _stands_out(grey, noise, WINDOW_PX, MIN_TOLD_TIMES_NOISE)
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), _COARSE_PX), np.float32)
    return told | (_spread(smooth, COARSE_WINDOW_PX) > MIN_TOLD_LEVELS**2)


def _stands_out(
    grey: Float32Array, noise: Float32Array, window_px: int, times: float = MIN_STRUCTURE_TIMES_NOISE
) -> NDArray[np.bool_]:
    """Return where the windows have so many times the contrast of the noise."""
    return np.asarray(_spread(grey, window_px) > times**2 * _mean(noise * noise, window_px), np.bool_)


def _spread(grey: Float32Array, window_px: int) -> Float32Array:
    """Return the variance of the window around every pixel."""
    return np.asarray(_mean(grey * grey, window_px) - _mean(grey, window_px) ** 2, np.float32)


def _mean(values: Float32Array, window_px: int) -> Float32Array:
    import cv2

    return np.asarray(cv2.boxFilter(values, cv2.CV_32F, (window_px, window_px)), np.float32)


def measure_strokes(grey: Float32Array, drawn: NDArray[np.bool_]) -> float:
    """Return how high in pixels most of what is drawn is, such as letters; infinite where there is little."""
    import cv2

    if not drawn.any():
        return float("inf")
    offsets = grey - cv2.GaussianBlur(grey, (0, 0), _GROUND_PX)
    darkest, brightest = np.quantile(offsets[drawn], (0.02, 0.98))
    strokes = offsets if brightest > -darkest else -offsets  # white on black, or black on white
    ink = (strokes > 0.5 * max(brightest, -darkest)) & drawn
    n, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    heights = stats[1:n, cv2.CC_STAT_HEIGHT]
    areas = stats[1:n, cv2.CC_STAT_AREA]
    if len(areas) < _MIN_STROKES:
        return float("inf")
    order = np.argsort(heights)
    middle = np.searchsorted(np.cumsum(areas[order]), areas.sum() / 2)
    return float(heights[order][min(int(middle), len(order) - 1)])
