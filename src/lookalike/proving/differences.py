"""Two pictures on one grid -> where one shows what the other does not, beyond what both vary everywhere.

What saving, shrinking, sharpening and scanning change, they change everywhere: how much, the pair itself tells, by
how far its pixels differ where the picture is as lively as here. What differs far beyond that, and makes up a large
share of what is drawn there, is other content.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.proving.matching_tones import match_pictures, sample_evenly
from lookalike.proving.registration import Laid, grey_of
from lookalike.records.arrays import Float32Array, UInt8Array

WINDOW_PX = 9
"""What is judged as one: about a letter of small print. Larger windows lose a digit among what is around it."""

# Measured on pairs of one picture (scans and drawn documents: half the size, JPEG 40, turned by 2 degrees, other
# gain and noise; photos in 20 edits) and on pairs that differ (receipts of one shop, documents with one figure or
# note changed): what is the same reaches 0.22 of the energy at 8 times the noise (1.5 in `clearness`) in 98 of 100;
# documents that differ 0.34 at 11 times (2.3) in the least clear of them. See docs/trust.md.
MIN_SHARE = 0.15  # of a window's energy that the other picture does not explain
MIN_TIMES_NOISE = 5.0
MIN_CLEARNESS = 1.8  # of both together
MIN_OUTSTANDING_CLEARNESS = 1.2  # where all but a thousandth of the picture is so much calmer:
OUTSTANDING = 4.5  # 4 to 6 lose no copy of 483 (photos, scans, documents); 6 misses a digit at 80 %, JPEG 75
_CALM_QUANTILE = 0.999

COARSE_WINDOW_PX = 33
MIN_COARSE_LEVELS = 15.0  # noise of 40 levels leaves 6 of them
MIN_COARSE_CORRELATION = 0.5
_COARSE_PX = 2.0

MIN_NOISE_LEVELS = 1.0  # of 255: what rounding leaves
_MIN_PIXEL_TIMES_NOISE = 3.0
_LIGHT_PX = 40.0  # light that changes over a wider stretch is no content
_N_LEVELS_OF_ACTIVITY = 12
_BUSIEST = (0.95, 0.98, 0.995)
_SAMPLE_PX = 200_000
MEDIAN_TO_SIGMA = 1.48
MIN_COLOR_LEVELS = 18.0  # of a window: JPEG at quality 40 and half of the colours reaches 10
MIN_EXACT_COLOR_LEVELS = 8.0  # of 3 pixels, where most others are equal to the level
_EXACT_LEVELS = 2
_LIVELY_LEVELS = 10.0
_PURE_LEVELS = 8
_GREY_LEVELS = 12.0
_ALL_BUT_FEW = 0.998
_MAX_GAIN = 1.4
_MAX_OFFSET_LEVELS = 40.0
_COLOR_FITS = 5
_COLOR_RIDGE_LEVELS = 3.0


class Differences(NamedTuple):
    """What is known of every pixel of the overlap, each of shape (h, w).

    Parameters
    ----------
    clearness : how far a window around it shows other content: 1 at `MIN_SHARE` and `MIN_TIMES_NOISE`
    differs : whether the pixel itself does
    base, moved : both pictures in grey, in one tone and sharpness, 0 to 255
    noise : by how much they differ where the picture is as lively as here, in levels
    apart : whether the shapes around it have hardly anything in common; where most have not, noise cannot tell
    """

    clearness: Float32Array
    differs: NDArray[np.bool_]
    base: Float32Array
    moved: Float32Array
    noise: Float32Array
    apart: NDArray[np.bool_]

    @property
    def least_clearness(self) -> float:
        """From which clearness on a window differs: less is asked where nothing else does."""
        calm = float(np.quantile(self.clearness, _CALM_QUANTILE))
        return min(MIN_CLEARNESS, max(MIN_OUTSTANDING_CLEARNESS, OUTSTANDING * calm))


def find_differences(laid: Laid) -> Differences:
    """Compare two pictures that were laid over each other, pixel by pixel."""
    import cv2

    base, moved = match_pictures(laid)
    inside = laid.inside
    moved = moved + _light(base - moved, inside)
    kernel = np.ones((3, 3), np.uint8)
    low, high = zip(
        *((cv2.erode(one, kernel), cv2.dilate(one, kernel)) for one in (base, moved)), strict=True
    )
    beyond = np.maximum(
        leaves(base, moved, low[1], high[1]), leaves(moved, base, low[0], high[0])
    ) * inside.astype(np.float32)
    activity = [
        cv2.dilate(top, kernel) - cv2.erode(bottom, kernel) for bottom, top in zip(low, high, strict=True)
    ]
    error = cv2.absdiff(base, moved)
    noise = np.minimum(
        _noise_by_activity(error, cv2.min(*activity), inside),
        _noise_by_activity(error, cv2.max(*activity), inside),
    )
    differs = beyond > _MIN_PIXEL_TIMES_NOISE * noise
    return Differences(
        _clearness(beyond * differs, noise, base, moved) * inside,
        differs,
        base,
        moved,
        noise,
        _are_apart(base, moved, inside),
    )


def _are_apart(base: Float32Array, moved: Float32Array, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where the coarse shapes do not correlate, and are too strong to be noise."""
    import cv2

    window_px = min(COARSE_WINDOW_PX, min(base.shape) // 2 | 1)

    def mean(values: Float32Array) -> Float32Array:
        return np.asarray(cv2.boxFilter(values, cv2.CV_32F, (window_px, window_px)), np.float32)

    levels = [cv2.GaussianBlur(one - np.float32(one.mean()), (0, 0), _COARSE_PX) for one in (base, moved)]
    spreads = [np.maximum(mean(one * one) - mean(one) ** 2, 0) for one in levels]
    together = mean(levels[0] * levels[1]) - mean(levels[0]) * mean(levels[1])
    correlation = together / np.sqrt((spreads[0] + 1) * (spreads[1] + 1))
    around = np.ones((window_px, window_px), np.uint8)
    whole = cv2.erode(inside.astype(np.uint8), around, borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0
    is_strong = whole & (np.maximum(*spreads) > MIN_COARSE_LEVELS**2)
    return np.asarray(is_strong & (correlation < MIN_COARSE_CORRELATION), np.bool_)


def leaves(seen: Float32Array, shown: Float32Array, low: Float32Array, high: Float32Array) -> Float32Array:
    """Return by how much each pixel leaves what the other shows there and half a pixel around."""
    above, below = seen - (shown + high) / 2, (shown + low) / 2 - seen
    return np.asarray(np.maximum(np.maximum(above, below), 0), np.float32)


def _clearness(
    beyond: Float32Array, noise: Float32Array, base: Float32Array, moved: Float32Array
) -> Float32Array:
    """Return how much of what a window shows is unexplained, and how far beyond the noise, the lesser of both."""
    import cv2

    def mean(values: Float32Array) -> Float32Array:
        size = (WINDOW_PX, WINDOW_PX)
        return np.asarray(cv2.boxFilter(values, cv2.CV_32F, size, borderType=cv2.BORDER_REFLECT), np.float32)

    levels = [one - np.float32(one.mean()) for one in (base, moved)]  # float32 loses small variances else
    energy = np.maximum(*(mean(one * one) - mean(one) ** 2 for one in levels))
    unexplained, unrest = mean(beyond * beyond), mean(noise * noise)
    share = unexplained / (np.maximum(energy, 0) + unrest)
    clearness = np.minimum(share / MIN_SHARE, np.sqrt(unexplained / unrest) / MIN_TIMES_NOISE)
    return np.asarray(clearness, np.float32)


def _noise_by_activity(
    error: Float32Array, activity: Float32Array, inside: NDArray[np.bool_]
) -> Float32Array:
    """Return the noise of each pixel, as it is where the picture is as lively: by the median."""
    step = max(1, error.size // _SAMPLE_PX) | 1
    here = inside.ravel()[::step]
    lively, errors = activity.ravel()[::step][here], error.ravel()[::step][here]
    if len(lively) < _N_LEVELS_OF_ACTIVITY:
        return np.full(error.shape, MIN_NOISE_LEVELS, np.float32)
    shares = np.concatenate([np.linspace(0, 1, _N_LEVELS_OF_ACTIVITY + 1)[:-1], _BUSIEST, [1.0]])
    edges = np.unique(np.quantile(lively, shares))
    bins = np.searchsorted(edges[1:-1], lively, side="right")
    filled = [
        one for one in range(max(1, len(edges) - 1)) if np.count_nonzero(bins == one) >= _N_LEVELS_OF_ACTIVITY
    ]
    middles = [float(np.median(lively[bins == one])) for one in filled]
    noise = [MEDIAN_TO_SIGMA * float(np.median(errors[bins == one])) for one in filled]
    table = np.interp(np.arange(512), middles, np.maximum.accumulate(np.maximum(noise, MIN_NOISE_LEVELS)))
    return np.asarray(table.astype(np.float32)[np.clip(activity, 0, 511).astype(np.int32)], np.float32)


def _light(difference: Float32Array, inside: NDArray[np.bool_]) -> Float32Array:
    """Return the part of a difference that changes over a wide stretch only; what is far off has no say."""
    import cv2

    some = np.abs(difference[inside][:: max(1, difference.size // _SAMPLE_PX)])
    typical = float(np.median(some)) if len(some) else 0.0
    weights = (inside / (1 + (difference / (3 * typical + 2)) ** 2)).astype(np.float32)
    factor = int(_LIGHT_PX // 5)
    height, width = inside.shape
    small = max(1, width // factor), max(1, height // factor)

    def around(values: Float32Array) -> Float32Array:
        shrunk = cv2.resize(values, small, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.GaussianBlur(shrunk, (0, 0), _LIGHT_PX / factor), np.float32)

    light = around(difference * weights) / (around(weights) + np.float32(1e-3))
    return np.asarray(cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def find_other_colors(laid: Laid) -> NDArray[np.bool_]:
    """Return where the colours differ, beyond the gain and offset of a scanner, one for all of a channel.

    Nowhere if one alone is grey: which grey a colour becomes is up to who makes it.
    """
    import cv2

    are_grey = [_is_grey(pixels) for pixels in (laid.base, laid.moved)]
    if are_grey[0] != are_grey[1]:
        return np.zeros(laid.inside.shape, np.bool_)
    window_px = max(3, min(WINDOW_PX, min(laid.inside.shape) // 12))
    base, moved = (
        cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), window_px / 3)
        for pixels in (laid.base, laid.moved)
    )
    if all(are_grey):
        base, moved = (one.mean(axis=2, keepdims=True) for one in (base, moved))
    places = sample_evenly(base.mean(axis=2), laid.inside)
    worst = np.zeros(laid.inside.shape, np.float32)
    for channel in range(base.shape[2]):
        seen, wanted = moved[..., channel], base[..., channel]
        gain, offset = _fit_line(seen.ravel()[places], wanted.ravel()[places])
        worst = np.maximum(worst, np.abs(seen * gain + offset - wanted))
    is_exact = _are_mostly_equal(laid)
    differs = ((worst > (MIN_EXACT_COLOR_LEVELS if is_exact else MIN_COLOR_LEVELS)) & laid.inside).astype(
        np.uint8
    )
    kernel = np.ones((3, 3) if is_exact else (window_px, window_px), np.uint8)
    return np.asarray(cv2.morphologyEx(differs, cv2.MORPH_OPEN, kernel) > 0, np.bool_)


def _is_grey(pixels: UInt8Array) -> bool:
    """Whether next to no pixel has a colour; a line of coloured print is one."""
    some = pixels[::2, ::2].astype(np.float32)
    return bool(np.quantile(some.max(axis=2) - some.min(axis=2), _ALL_BUT_FEW) < _GREY_LEVELS)


def _are_mostly_equal(laid: Laid) -> bool:
    """Whether most of what is lively is the same to the level: neither was compressed, whatever else was done.

    Pure colours are not asked: what a JPEG adds to black and white is cut off.
    """
    import cv2

    grey = grey_of(laid.base)
    kernel = np.ones((3, 3), np.uint8)
    is_mixed = ((laid.base > _PURE_LEVELS) & (laid.base < 255 - _PURE_LEVELS)).any(axis=2)
    lively = (cv2.dilate(grey, kernel) - cv2.erode(grey, kernel) > _LIVELY_LEVELS) & laid.inside & is_mixed
    equal = cv2.absdiff(laid.base, laid.moved).max(axis=2) <= _EXACT_LEVELS
    return bool(2 * np.count_nonzero(equal & lively) > np.count_nonzero(lively))


def _fit_line(values: Float32Array, wanted: Float32Array) -> tuple[np.float32, np.float32]:
    """Return gain and offset that lead from most of these values to the others, within what a scanner does."""
    if not len(values):
        return np.float32(1), np.float32(0)
    weights, gain, offset = np.ones(len(values)), 1.0, 0.0
    for _ in range(_COLOR_FITS):
        total = weights.sum()
        middle, wanted_middle = float(weights @ values / total), float(weights @ wanted / total)
        rest = _COLOR_RIDGE_LEVELS**2 * float(total)  # where there is hardly any contrast the gain is 1
        spread = float(weights @ (values - middle) ** 2) + rest
        slope = (float(weights @ ((values - middle) * (wanted - wanted_middle))) + rest) / spread
        gain = float(np.clip(slope, 1 / _MAX_GAIN, _MAX_GAIN))
        offset = float(np.clip(wanted_middle - gain * middle, -_MAX_OFFSET_LEVELS, _MAX_OFFSET_LEVELS))
        errors = np.abs(values * gain + offset - wanted)
        weights = 1 / (1 + (errors / (2 * np.median(errors) + 2)) ** 2)
    return np.float32(gain), np.float32(offset)
