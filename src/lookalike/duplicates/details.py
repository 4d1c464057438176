"""Does a keeper show every detail of a member? Both laid over each other, place by place.

A copy is proven by most of its pixels. One line of an invoice, a price on a shelf or a stamp are few of them, and
yet all that the picture is kept for. Before a member may go, the keeper is laid over it at up to 1024 px, its tones
are matched to the member's, and where the member leaves what the keeper shows around that very pixel, it shows
something of its own. Compression, noise and sharpness do so everywhere a little; a detail does so in one place.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.records.arrays import Float32Array, UInt8Array
from lookalike.records.geometry import Matrix, linear_scale, scaling

MAX_DETAIL_PX = 1024
MIN_EXCESS_LEVELS = 12.0  # of 255, mean of one window: below, nobody would see it
MIN_STANDING_OUT = 4.0  # times what the other windows of the picture have
PLAIN_EXCESS_LEVELS = 50.0  # is a detail however much of the picture it covers: edits of the whole reach 46
_REST_PERCENTILE = 99.0
_SMOOTHING_PX = 1.0
_TINT_SMOOTHING_PX = 3.0
_ENVELOPE_PX = 3
_WINDOW_PX = 9
_MARGIN_PX = 7  # around the overlap: resampling and smoothing mix in what lies beyond
_MIN_INSIDE_PX = 16**2
_TONE_SAMPLES = 20_000
_MAX_OUTLIER = 3.0  # times the median error: beyond, a pixel does not tell how tones were changed
_MIN_ERROR_LEVELS = 4.0
_BINS = 32
_FITS = 3


class Difference(NamedTuple):
    """Where a member most leaves what its keeper shows.

    Parameters
    ----------
    excess, rest : float    levels of 255 beyond the keeper in that window, and in the other windows
    x_share, y_share : float    the place, as shares of the member's sides
    """

    excess: float
    rest: float
    x_share: float
    y_share: float

    @property
    def is_own_detail(self) -> bool:
        """Whether the member shows something there that the keeper does not."""
        least = max(MIN_EXCESS_LEVELS, MIN_STANDING_OUT * self.rest)
        return self.excess > min(PLAIN_EXCESS_LEVELS, least)


def find_difference(keeper: UInt8Array, member: UInt8Array, matrix: Matrix) -> Difference | None:
    """Return where a member most leaves what its keeper shows; None where they hardly overlap.

    Parameters
    ----------
    keeper, member : uint8 arrays of shape (h, w, 3)    RGB
    matrix : 3 x 3, from the keeper's pixels to the member's
    """
    import cv2

    laid = _lay_over(keeper, member, matrix)
    if laid is None:
        return None
    shown, seen, inside = laid
    matched = _settle(_match_tones(shown, seen, inside), seen, inside)
    beyond = _beyond(_separate(matched), _separate(seen)) * inside
    windows = cv2.blur(beyond, (_WINDOW_PX, _WINDOW_PX), borderType=cv2.BORDER_CONSTANT)
    rest = float(np.percentile(windows[inside], _REST_PERCENTILE))
    y, x = np.unravel_index(int(windows.argmax()), windows.shape)
    return Difference(
        float(windows[y, x]), rest, float((x + 0.5) / windows.shape[1]), float((y + 0.5) / windows.shape[0])
    )


def _beyond(shown: Float32Array, seen: Float32Array) -> Float32Array:
    """Return by how much each pixel leaves what is shown right around it, in the channel where it is most."""
    import cv2

    kernel = np.ones((_ENVELOPE_PX, _ENVELOPE_PX), np.uint8)
    above, below = seen - cv2.dilate(shown, kernel), cv2.erode(shown, kernel) - seen
    return np.asarray(np.maximum(np.maximum(above, below), 0).max(axis=2), np.float32)


def _separate(colors: Float32Array) -> Float32Array:
    """Return the grey and what red and blue have beyond it; colour is coarser in most compressed pictures."""
    import cv2

    grey = colors @ np.array([0.299, 0.587, 0.114], np.float32)
    tints = [cv2.GaussianBlur(colors[..., channel] - grey, (0, 0), _TINT_SMOOTHING_PX) for channel in (0, 2)]
    return np.stack([grey, *tints], axis=2)


def _lay_over(
    keeper: UInt8Array, member: UInt8Array, matrix: Matrix
) -> tuple[Float32Array, Float32Array, NDArray[np.bool_]] | None:
    """Return the keeper on the member's grid, the member, both smoothed, and where both are defined."""
    import cv2

    seen, to_seen = _shrink(member, MAX_DETAIL_PX / max(member.shape[:2]))
    placing = to_seen @ matrix
    centre = np.array([seen.shape[1], seen.shape[0]]) / 2
    shown, to_shown = _shrink(keeper, 1 / linear_scale(np.linalg.inv(placing), centre))
    placing = placing @ np.linalg.inv(to_shown)
    size = seen.shape[1], seen.shape[0]
    warped = cv2.warpPerspective(shown, placing, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    whole = np.ones(shown.shape[:2], np.uint8)
    mask = cv2.warpPerspective(whole, placing, size, flags=cv2.INTER_NEAREST)
    around = np.ones((_MARGIN_PX, _MARGIN_PX), np.uint8)
    inside = cv2.erode(mask, around, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    if np.count_nonzero(inside) < _MIN_INSIDE_PX:
        return None
    smooth = (cv2.GaussianBlur(p.astype(np.float32), (0, 0), _SMOOTHING_PX) for p in (warped, seen))
    return *smooth, inside


def _shrink(pixels: UInt8Array, factor: float) -> tuple[UInt8Array, Matrix]:
    """Return a picture averaged to a smaller size, and the matrix from its original pixels to it."""
    import cv2

    if factor > 0.98:
        return pixels, np.eye(3)
    size = pixels.shape[1], pixels.shape[0]
    smaller = max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
    return np.asarray(cv2.resize(pixels, smaller, interpolation=cv2.INTER_AREA)), scaling(size, smaller)


def _match_tones(shown: Float32Array, seen: Float32Array, inside: NDArray[np.bool_]) -> Float32Array:
    """Return the keeper in the member's tones: no filter, gamma, grey or light of a whole picture counts.

    The member's channels are fitted to the keeper's, their squares and products, then to a curve of what that
    gives. Few pixels that the fit explains badly have no say.
    """
    sample = _sample_evenly(shown, inside)
    causes, effects = _powers(shown.reshape(-1, 3)[sample]), seen.reshape(-1, 3)[sample]
    shares, used = _fit(causes, effects)
    fitted = (_powers(shown.reshape(-1, 3)) @ shares).reshape(shown.shape)
    for channel in range(3):
        values = fitted[..., channel]
        there = values.reshape(-1)[sample][used]
        values[...] = _follow_curve(values, there, effects[used, channel])
    return np.asarray(fitted, np.float32)


def _settle(matched: Float32Array, seen: Float32Array, inside: NDArray[np.bool_]) -> Float32Array:
    """Return the keeper as sharp as the member, and moved by the part of a pixel that the placement is off.

    To the first order both are sums of the keeper's slopes and its Laplacian (Lucas and Kanade, 1981).
    """
    sample = _sample_evenly(matched, inside)
    height, width = inside.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32) / max(height, width) - np.float32(0.5)
    causes = [_changes(matched[..., channel], rows, columns) for channel in range(3)]
    sampled = np.concatenate([cause.reshape(-1, cause.shape[-1])[sample] for cause in causes])
    missing = (seen - matched).reshape(-1, 3)[sample].T.reshape(-1, 1)
    shares, _ = _fit(sampled, missing)
    steps = np.stack([(cause @ shares)[..., 0] for cause in causes], axis=2)
    return np.asarray(matched + steps, np.float32)


def _changes(values: Float32Array, rows: Float32Array, columns: Float32Array) -> Float32Array:
    """Return what a small movement, turn or stretch, and sharpening, add to one channel: shape (h, w, 7)."""
    import cv2

    slopes = (cv2.Sobel(values, cv2.CV_32F, *axis, ksize=3, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    changes = [slope * part for slope in slopes for part in (np.float32(1), rows, columns)]
    return np.stack([*changes, cv2.Laplacian(values, cv2.CV_32F)], axis=2)


def _fit(causes: Float32Array, effects: Float32Array) -> tuple[Float32Array, NDArray[np.bool_]]:
    """Return the shares of causes (n, k) that explain effects (n, m) best, and the rows that have a say."""
    used = np.ones(len(causes), bool)
    for _ in range(_FITS):
        square = causes[used].T @ causes[used] + 1e-4 * np.eye(causes.shape[1]) * np.count_nonzero(used)
        shares = np.linalg.solve(square, causes[used].T @ effects[used])
        errors = np.abs(causes @ shares - effects).max(axis=1)
        used = errors <= _MAX_OUTLIER * max(_MIN_ERROR_LEVELS, float(np.median(errors)))
    return np.asarray(shares, np.float32), used


def _sample_evenly(colors: Float32Array, inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return places of pixels, rare colours more often than their share: else white paper outvotes the ink."""
    places = np.flatnonzero(inside)
    places = places[:: max(1, len(places) // (10 * _TONE_SAMPLES))]
    levels = np.clip(colors.reshape(-1, 3)[places] // 32, 0, 7).astype(np.int64)
    cells = levels @ np.array([64, 8, 1])
    weights = 1 / np.bincount(cells, minlength=512)[cells]
    chance = np.random.default_rng(0)
    return np.asarray(chance.choice(places, _TONE_SAMPLES, p=weights / weights.sum()), np.int64)


def _powers(colors: Float32Array) -> Float32Array:
    """Return 1, the channels, their squares and their products of colours of shape (n, 3)."""
    levels = colors / np.float32(255)
    r, g, b = levels.T
    columns = [np.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, g * b, b * r]
    return np.stack(columns, axis=1)


def _follow_curve(values: Float32Array, sample: Float32Array, wanted: Float32Array) -> Float32Array:
    """Return values on the curve of medians that leads from a sample to what is wanted of it."""
    edges = np.unique(np.quantile(sample, np.linspace(0, 1, _BINS + 1)))
    if len(edges) < 3:
        return values + np.float32(np.median(wanted - sample))
    bins = np.clip(np.searchsorted(edges, sample, side="right") - 1, 0, len(edges) - 2)
    filled = np.unique(bins)
    offsets = [float(np.median((wanted - sample)[bins == b])) for b in filled]
    middles = [float(np.median(sample[bins == b])) for b in filled]
    return np.asarray(values + np.interp(values, middles, offsets), np.float32)
