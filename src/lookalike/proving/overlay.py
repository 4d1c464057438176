"""The proof of a copy: pixels laid over each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.records.arrays import Float32Array, UInt8Array
from lookalike.records.geometry import (
    Matrix,
    area_of,
    clip_to,
    corners_of,
    linear_scale,
    move_points,
    scaling,
)

# Laying one picture over the other
MAX_OVERLAY_PX = 200
MIN_OVERLAY_PX = 16
SMOOTHING_PX = 1.0
WINDOW_PX = 17
MIN_TEXTURE_LEVELS = 3.0
MIN_TEXTURE_SHARE = 0.2  # of the overlap's own contrast: below, a window is flat in that picture
MIN_CORRELATION = 0.6
MIN_MOTION_CORRELATION = 0.8
MIN_MOTION_WINDOWS = 6
MIN_GRADIENT = 1.0  # summed over a window of unit contrast: below, a shift could not be seen
MIN_MOTION_SHARE = 0.16


@dataclass(frozen=True)
class Agreement:
    """How well two pictures agree where they overlap.

    Parameters
    ----------
    score : float
        share of the windows with texture in either picture in which both correlate, 0 to 1
    residual : float
        mean difference of grey after the best gain and offset, as a share of white, 0 to 1
    textured : float
        share of the overlap that has texture in either picture, 0 to 1
    motion_px : float or None
        how far the agreeing windows are shifted against each other, beyond one common movement, in pixels
        of an overlap of at most `MAX_OVERLAY_PX`; 0 where that explains no more of the difference than
        noise would, None where there is too little texture to see it
    """

    score: float
    residual: float
    textured: float
    motion_px: float | None


NO_AGREEMENT = Agreement(0.0, 1.0, 0.0, None)


class _Overlay(NamedTuple):
    """Both pictures over their overlap, smoothed, and where they are both defined (1) or not (0)."""

    source: Float32Array
    target: Float32Array
    mask: Float32Array


class _Windows(NamedTuple):
    """Both pictures window by window around every pixel of the overlap, each of shape (h, w)."""

    means: tuple[Float32Array, Float32Array]
    spreads: tuple[Float32Array, Float32Array]
    correlation: Float32Array
    textured: NDArray[np.bool_]


# Pixels


def compare_pixels(source: UInt8Array, target: UInt8Array, matrix: Matrix) -> Agreement:
    """Lay one grey picture over another and tell where they agree.

    Both are brought to the coarser one's resolution, smoothed, and compared window by window by
    correlation, which does not see brightness or contrast.

    Parameters
    ----------
    source, target : uint8 arrays of shape (h, w)
    matrix : 3 x 3, from the source's pixels to the target's
    """
    overlay = _lay_over(source, target, matrix)
    if overlay is None:
        return NO_AGREEMENT
    inside = overlay.mask > 0
    windows = _compare_windows(overlay, inside)
    n_textured = int(np.count_nonzero(windows.textured))
    agreeing = windows.textured & (windows.correlation > MIN_CORRELATION)
    return Agreement(
        int(np.count_nonzero(agreeing)) / max(n_textured, 1),
        _residual(overlay.source[inside], overlay.target[inside]),
        n_textured / int(np.count_nonzero(inside)),
        _measure_motion(overlay, windows),
    )


def _lay_over(source: UInt8Array, target: UInt8Array, matrix: Matrix) -> _Overlay | None:
    """Bring both pictures to the coarser one's resolution over the overlap; None where it is too small."""
    import cv2

    overlap = clip_to(move_points(matrix, corners_of(_size_of(source))), _size_of(target))
    if area_of(overlap) < MIN_OVERLAY_PX**2:
        return None
    scale = 1 / linear_scale(np.linalg.inv(matrix), overlap.mean(axis=0))
    shrink = min(1.0, MAX_OVERLAY_PX / float(np.ptp(overlap, axis=0).max()), 1 / scale)
    source, to_source = _shrink(source, scale * shrink)
    target, to_target = _shrink(target, shrink)
    corners = move_points(to_target, overlap)
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, _size_of(target))
    size = int(high[0] - low[0]), int(high[1] - low[1])
    if min(size) < MIN_OVERLAY_PX:
        return None
    placing = np.array([[1.0, 0, -low[0]], [0, 1.0, -low[1]], [0, 0, 1]]) @ to_target @ matrix
    placing = placing @ np.linalg.inv(to_source)
    warped = cv2.warpPerspective(source, placing, size, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(np.ones(source.shape, np.float32), placing, size, flags=cv2.INTER_NEAREST)
    # The outermost pixels are mixed, by resampling and smoothing, with what lies around the picture.
    mask = cv2.erode(mask, np.ones((7, 7), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0.0)
    if np.count_nonzero(mask) < MIN_OVERLAY_PX**2 / 2:
        return None
    cut = target[low[1] : high[1], low[0] : high[0]]
    smooth = (cv2.GaussianBlur(p.astype(np.float32), (0, 0), SMOOTHING_PX) for p in (warped, cut))
    return _Overlay(*(np.asarray(values, np.float32) for values in (*smooth, mask)))


def _size_of(pixels: UInt8Array) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]


def _shrink(picture: UInt8Array, factor: float) -> tuple[UInt8Array, Matrix]:
    """Return a picture averaged to a smaller size, and the matrix from its original pixels to it."""
    import cv2

    if factor > 0.98:
        return picture, np.eye(3)
    size = _size_of(picture)
    smaller = max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
    resized = cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8), scaling(size, smaller)


def _sum_windows(values: Float32Array) -> Float32Array:
    """Return the sum over the window around every pixel; outside the overlay there is nothing."""
    import cv2

    size = (WINDOW_PX, WINDOW_PX)
    sums = cv2.boxFilter(values, cv2.CV_32F, size, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(sums, np.float32)


def _compare_windows(overlay: _Overlay, inside: NDArray[np.bool_]) -> _Windows:
    source, target, mask = overlay
    n_filled = np.maximum(_sum_windows(mask), 1e-3)
    # Centred first: float32 would lose small variances beside large squares.
    levels = [np.float32(values[inside].mean()) for values in (source, target)]
    source, target = (source - levels[0]) * mask, (target - levels[1]) * mask
    means = _sum_windows(source) / n_filled, _sum_windows(target) / n_filled
    spreads = (
        np.maximum(_sum_windows(source * source) / n_filled - means[0] ** 2, 0),
        np.maximum(_sum_windows(target * target) / n_filled - means[1] ** 2, 0),
    )
    together = _sum_windows(source * target) / n_filled - means[0] * means[1]
    correlation = together / np.sqrt((spreads[0] + 1) * (spreads[1] + 1))
    floors = [
        max(MIN_TEXTURE_SHARE * float(values[inside].std()), MIN_TEXTURE_LEVELS) ** 2
        for values in (source, target)
    ]
    textured = (spreads[0] > floors[0]) | (spreads[1] > floors[1])
    textured &= inside & (n_filled > WINDOW_PX**2 / 2)
    first, second = (np.asarray(mean + level, np.float32) for mean, level in zip(means, levels, strict=True))
    return _Windows((first, second), spreads, correlation, textured)


def _residual(source: Float32Array, target: Float32Array) -> float:
    """Return the mean difference after the best straight tone curve, as a share of white."""
    source, target = source - source.mean(), target - target.mean()
    gain = float(source @ target) / max(float(source @ source), 1e-6)
    return float(np.abs(target - gain * source).mean() / 255)


def _measure_motion(overlay: _Overlay, windows: _Windows) -> float | None:
    """Return the motion of `Agreement`, or None where there is too little texture to see any.

    Lucas and Kanade (1981): a small shift changes a picture by its gradient. The shift of every window is
    fitted to the difference, after blur, tone and a movement of the whole (an affine one: what the placement
    got wrong). Noise and compression give shifts too, but those explain little of the difference; between
    two shots of one thing they explain much of it.
    """
    contrasts = [np.sqrt(np.maximum(spread, 1)) for spread in windows.spreads]
    source = (overlay.source - windows.means[0]) / contrasts[0]
    target = (overlay.target - windows.means[1]) / contrasts[1]
    agrees = windows.textured & (windows.correlation > MIN_MOTION_CORRELATION)
    used = np.asarray(overlay.mask * agrees, np.float32)
    middle = np.asarray((source + target) / 2, np.float32)
    across, down, sharpness = _derivatives(middle)
    squared = middle * middle
    causes = np.stack([sharpness, squared, squared * middle])  # `middle**3` takes 200 times as long
    difference = _without(np.asarray(source - target, np.float32), causes, used)
    products = [
        across * across, across * down, down * down,
        across * difference, down * difference, difference * difference,
    ]  # fmt: skip
    grid = slice(WINDOW_PX // 2, None, WINDOW_PX // 2)
    sums = [_sum_windows(used * product)[grid, grid].ravel().astype(np.float64) for product in products]
    seen = sums[0] + sums[2] > MIN_GRADIENT
    if np.count_nonzero(seen) < MIN_MOTION_WINDOWS:
        return None
    rows, columns = np.mgrid[0 : used.shape[0], 0 : used.shape[1]]
    places = [(steps[grid, grid].ravel() / max(used.shape))[seen] for steps in (columns, rows)]
    centres = np.stack([np.ones_like(places[0]), *places], axis=1)
    return _fit_motion(np.stack([values[seen] for values in sums]), centres)


def _derivatives(values: Float32Array) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Return the slope across, the slope down and the Laplacian."""
    import cv2

    x, y = (cv2.Sobel(values, cv2.CV_32F, *axis, ksize=3, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    laplacian = cv2.Laplacian(values, cv2.CV_32F)
    return np.asarray(x, np.float32), np.asarray(y, np.float32), np.asarray(laplacian, np.float32)


def _without(difference: Float32Array, causes: Float32Array, weights: Float32Array) -> Float32Array:
    """Take out of a difference what a blur (the Laplacian) and a tone curve (powers) explain of it.

    `causes` has the shape (n, h, w); the other two (h, w).
    """
    columns = causes.reshape(len(causes), -1)
    weighted = columns * weights.ravel()
    square = (weighted @ columns.T).astype(np.float64) + 1e-3 * np.eye(len(causes))
    shares = np.linalg.solve(square, (weighted @ difference.ravel()).astype(np.float64))
    return np.asarray(difference - np.tensordot(shares.astype(np.float32), causes, 1), np.float32)


def _fit_motion(sums: NDArray[np.float64], places: NDArray[np.float64]) -> float:
    """Fit one affine movement to all windows, then a shift to each.

    Parameters
    ----------
    sums : float64 array of shape (6, n)
        over each window: squares and product of the slopes (xx, xy, yy), slopes times difference (dx, dy),
        and the difference squared (dd)
    places : float64 array of shape (n, 3)    1, x and y of each window
    """
    xx, xy, yy, dx, dy, dd = sums
    blocks = [[places.T @ (places * part[:, None]) for part in row] for row in ((xx, xy), (xy, yy))]
    right = np.concatenate([places.T @ dx, places.T @ dy])
    common = np.linalg.solve(np.block(blocks) + 1e-3 * np.eye(6), right)
    u, v = places @ common[:3], places @ common[3:]
    unexplained = max(float(dd.sum() - u @ dx - v @ dy), 1e-3)
    dx, dy = dx - xx * u - xy * v, dy - xy * u - yy * v
    damping = 0.5  # holds windows whose gradients point one way only
    determinant = (xx + damping) * (yy + damping) - xy**2
    u, v = ((yy + damping) * dx - xy * dy) / determinant, ((xx + damping) * dy - xy * dx) / determinant
    if float(u @ dx + v @ dy) / unexplained < MIN_MOTION_SHARE:
        return 0.0
    weights = xx + yy
    return float(np.sqrt(weights @ (u * u + v * v) / weights.sum()))
