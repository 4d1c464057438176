"""Two pictures on one grid -> both in grey, in one tone and sharpness.

No filter, gamma, gain or blur of a whole picture is a difference of what it shows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lookalike.proving.registration import Laid, grey_of
from lookalike.records.arrays import Float32Array, UInt8Array

SMOOTHING_PX = 0.7
_BLURS_PX = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
_FINER = (0.83, 0.91, 1.1, 1.2)
MIN_SHARPNESS = 0.9  # of the less sharp one's, that blur must leave to the sharper one
_BLUR_GAIN = 0.98  # of the error: less is chance
_MAX_ERROR_LEVELS = 40.0  # of one pixel: what differs in content must not decide how sharp a picture is
_CROP_PX = 384
_SAMPLES = 20_000
_BINS = 16
_FITS = 4
MIN_SLOPE = 0.3  # of the curve from levels to levels: flatter, it would hide what is drawn


def match_pictures(laid: Laid) -> tuple[Float32Array, Float32Array]:
    """Return base and moved picture in grey, shape (h, w), the moved in the base's tones and both equally sharp."""
    import cv2

    inside = laid.inside
    base, moved = grey_of(laid.base), grey_of(laid.moved)
    if colorfulness(laid.moved) >= colorfulness(laid.base):
        moved = _mix(laid.moved, base, inside)
    else:  # what is grey holds no channels that could be mixed otherwise
        base = _mix(laid.base, moved, inside)
    base, moved = (
        np.asarray(cv2.GaussianBlur(one, (0, 0), SMOOTHING_PX), np.float32) for one in (base, moved)
    )
    moved = _follow(moved, base, inside)
    blur_base_px, blur_moved_px = _find_blurs(base, moved, inside)
    if blur_base_px:
        base = np.asarray(cv2.GaussianBlur(base, (0, 0), blur_base_px), np.float32)
    if blur_moved_px:
        moved = np.asarray(cv2.GaussianBlur(moved, (0, 0), blur_moved_px), np.float32)
    return base, _follow(moved, base, inside) if blur_base_px or blur_moved_px else moved


def _find_blurs(base: Float32Array, moved: Float32Array, inside: NDArray[np.bool_]) -> tuple[float, float]:
    """Return how much to blur either picture so that both are equally sharp, by their liveliest part."""
    import cv2

    part = _liveliest(base, inside)
    first, second, here = base[part], moved[part], inside[part]

    def error(one: Float32Array, other: Float32Array) -> float:
        errors = np.minimum(np.abs(one - other)[here], _MAX_ERROR_LEVELS)
        return float(np.mean(errors * errors)) if len(errors) else 0.0

    def error_at(blurs: tuple[float, float]) -> float:
        one, other = (
            cv2.GaussianBlur(pixels, (0, 0), px) if px else pixels
            for pixels, px in zip((first, second), blurs, strict=True)
        )
        return error(one, other)

    # Only the sharper one is blurred, and no more than makes both equally sharp: else blur would hide what differs.
    sharp = [_sharpness(one, here) for one in (first, second)]
    tried = [(px, 0.0) if sharp[0] > sharp[1] else (0.0, px) for px in _BLURS_PX]

    def is_fair(blurs: tuple[float, float]) -> bool:
        one, px = (first, blurs[0]) if blurs[0] else (second, blurs[1])
        return _sharpness(
            np.asarray(cv2.GaussianBlur(one, (0, 0), px), np.float32), here
        ) > MIN_SHARPNESS * min(sharp)

    tried = [blurs for blurs in tried if is_fair(blurs)]
    if not tried:
        return 0.0, 0.0
    best = min(tried, key=error_at)
    finer = [_times(best, factor) for factor in _FINER]
    best = min([best, *(blurs for blurs in finer if is_fair(blurs))], key=error_at)
    return best if error_at(best) < _BLUR_GAIN * error(first, second) else (0.0, 0.0)


def _sharpness(grey: Float32Array, here: NDArray[np.bool_]) -> float:
    """Return the strength of the finest slopes."""
    import cv2

    dx, dy = (cv2.Sobel(grey, cv2.CV_32F, *axis, ksize=3, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    slopes = cv2.magnitude(dx, dy)[here]
    return float(np.sqrt(np.mean(slopes * slopes))) if len(slopes) else 0.0


def _times(blurs: tuple[float, float], factor: float) -> tuple[float, float]:
    return blurs[0] * factor, blurs[1] * factor


def _liveliest(grey: Float32Array, inside: NDArray[np.bool_]) -> tuple[slice, slice]:
    import cv2

    height, width = inside.shape
    if max(height, width) <= _CROP_PX:
        return slice(None), slice(None)
    factor = 4
    small = max(1, width // factor), max(1, height // factor)
    edges = cv2.resize(np.abs(cv2.Laplacian(grey, cv2.CV_32F)) * inside, small, interpolation=cv2.INTER_AREA)
    window = min(_CROP_PX // factor, small[0]) | 1, min(_CROP_PX // factor, small[1]) | 1
    lively = cv2.boxFilter(edges, cv2.CV_32F, window, borderType=cv2.BORDER_CONSTANT)
    y, x = np.unravel_index(int(lively.argmax()), lively.shape)
    top = int(np.clip(y * factor - _CROP_PX // 2, 0, max(0, height - _CROP_PX)))
    left = int(np.clip(x * factor - _CROP_PX // 2, 0, max(0, width - _CROP_PX)))
    return slice(top, top + _CROP_PX), slice(left, left + _CROP_PX)


def colorfulness(pixels: UInt8Array) -> float:
    """Return by how much the channels differ, in levels."""
    some = pixels[::4, ::4].astype(np.float32)
    return float(np.abs(some - some.mean(axis=2, keepdims=True)).mean())


def _mix(pixels: UInt8Array, grey: Float32Array, inside: NDArray[np.bool_]) -> Float32Array:
    """Return a picture in grey, its channels mixed so that it is most like another one."""
    import cv2

    places = sample_evenly(grey, inside)
    n = pixels.shape[2]
    if not len(places):
        return grey_of(pixels)
    white = np.full((len(places), 1), 255.0)
    causes = np.concatenate([pixels.reshape(-1, n)[places].astype(np.float64), white], axis=1)
    effects = grey.ravel()[places].astype(np.float64)
    weights, plain = np.ones(len(places)), np.array([*[1 / n] * n, 0.0])
    for _ in range(_FITS):
        square = (causes * weights[:, None]).T @ causes
        ridge = 0.02 * np.trace(square) / (n + 1) * np.eye(n + 1)  # holds channels that say the same
        shares = np.linalg.solve(square + ridge, (causes * weights[:, None]).T @ effects + ridge @ plain)
        errors = np.abs(causes @ shares - effects)
        weights = 1 / (1 + (errors / (2 * np.median(errors) + 2)) ** 2)
    mixed = cv2.transform(pixels.astype(np.float32), shares[None, :n].astype(np.float32))
    return np.asarray(mixed.reshape(grey.shape) + np.float32(255 * shares[n]), np.float32)


def sample_evenly(grey: Float32Array, inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return places of pixels, rare levels more often than their share: else white paper outvotes the ink."""
    places = np.flatnonzero(inside)
    if not len(places):
        return places
    places = places[:: max(1, len(places) // (6 * _SAMPLES)) | 1]
    levels = np.clip(grey.ravel()[places] / 8, 0, 31).astype(np.int64)
    weights = 1 / np.bincount(levels, minlength=32)[levels]
    chance = np.random.default_rng(0)
    return np.asarray(chance.choice(places, _SAMPLES, p=weights / weights.sum()), np.int64)


def _follow(moved: Float32Array, base: Float32Array, inside: NDArray[np.bool_]) -> Float32Array:
    """Return the moved picture on the curve of medians that leads from its levels to the base's."""
    places = sample_evenly(moved, inside)
    if not len(places):
        return moved
    values, wanted = moved.ravel()[places], base.ravel()[places]
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)))
    if len(edges) < 3:
        return moved + np.float32(np.median(wanted - values))
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    filled = np.unique(bins)
    middles = [float(np.median(values[bins == one])) for one in filled]
    offsets = [float(np.median((wanted - values)[bins == one])) for one in filled]
    # Where content differs the medians would have the ink of one turned into the paper of the other.
    curve = np.array(middles) + np.array(offsets)
    for place in range(1, len(curve)):
        curve[place] = max(curve[place], curve[place - 1] + MIN_SLOPE * (middles[place] - middles[place - 1]))
    offsets = [float(offset) for offset in curve - np.array(middles)]
    low, high = float(moved.min()), float(moved.max())
    table = np.interp(np.linspace(low, high, 1024), middles, offsets).astype(np.float32)
    index = np.clip((moved - low) * np.float32(1023 / max(high - low, 1e-6)), 0, 1023).astype(np.int32)
    return np.asarray(moved + table[index], np.float32)
