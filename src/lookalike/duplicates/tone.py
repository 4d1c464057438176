"""Tone: whether two copies of one picture are equally bright, coloured and sharp, by what is kept of them.

Saving again, shrinking, cutting, turning and mirroring change next to nothing of that; whoever darkened,
coloured or sharpened a picture meant it, and nobody can say which of the two versions its owner wants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.features.keypoints import Keypoints
from lookalike.records.arrays import Float32Array, UInt8Array
from lookalike.records.geometry import Matrix, corners_of, linear_scale, move_points, scaling
from lookalike.records.proof import Proof

# Measured on 20 photos, each saved again, shrunk, cut, turned and mirrored: brightness within 0.7 levels,
# contrast 0.97 to 1.07, greys within 5.1 levels, sharpness 0.90 to 1.14 before it is divided by the contrast.
MAX_BRIGHTNESS_LEVELS = 5.5
MAX_CONTRAST = 1.1
MAX_CURVE_LEVELS = 6.5
MAX_SHARPNESS = 1.12
# Of 60 photos and 18 edits the plainest fifth varies by at most 0.9 levels more; by 0.4 to 3.2, and 2.7 as a
# rule, where noise of 6 levels was added.
MAX_NOISE_LEVELS = 1.0
MAX_SATURATION = 1.2
MIN_SATURATION_LEVELS = 1.2  # of pictures with hardly a colour the saturation is chance
MAX_COLOR_LEVELS = 6.0
MAX_GREY_LEVELS = 1.5  # of colour, in a picture that counts as grey

_QUANTILES = np.arange(0.05, 0.96, 0.05)
_MARGIN_PX = 7  # the border of the overlap is mixed with what lies around it
_MIN_OVERLAP_PX = 256
_COLOR_SIDE_PX = 32
_FINE_PX, _COARSE_PX = 0.8, 2.0  # details are what lies between these two blurs
_NOISE_PX = 1.0  # what this blur takes away is noise, where there is nothing else
_PLAINEST = 0.2  # of the pixels
_SAMPLE_PX = 8192
_SOFTENING_LEVELS = 4.0  # so that colours, of which there are next to none, have no ratio
_KEPT_IN_MEMORY = 128

Size = tuple[int, int]
Sizes = tuple[Size, Size]


@dataclass(frozen=True)
class ToneDifference:
    """How the second picture of a pair differs from the first in their overlap.

    Parameters
    ----------
    brightness : float    mean of its greys less that of the first's, in levels of 255
    contrast : float      spread of its greys over that of the first's
    curve : float         root mean square difference of the sorted greys, in levels of 255
    sharpness : float     strength of its small details over that of the first's, for equal contrast
    noise : float         how much more its plainest parts vary than the first's, in levels of 255
    saturation : float    strength of its colours, along those of the first; near 1 where the first has none
    color : float         root mean square difference of the colours, in levels of 255
    is_grey : bool        whether it has next to no colours
    """

    brightness: float
    contrast: float
    curve: float
    sharpness: float
    noise: float
    saturation: float
    color: float
    is_grey: bool

    @property
    def words(self) -> tuple[str, ...]:
        """What the second is more than saving and resizing explain, as in "darker"; empty where nothing."""
        return (*self._grey_words(), *self._color_words(), *self._sharpness_words())

    def _grey_words(self) -> tuple[str, ...]:
        words = []
        if abs(self.brightness) > MAX_BRIGHTNESS_LEVELS:
            words.append("darker" if self.brightness < 0 else "brighter")
        if not 1 / MAX_CONTRAST < self.contrast < MAX_CONTRAST:
            words.append("richer in contrast" if self.contrast > 1 else "poorer in contrast")
        if not words and self.curve > MAX_CURVE_LEVELS:
            words.append("otherwise shaded")
        return tuple(words)

    def _color_words(self) -> tuple[str, ...]:
        if self.is_grey:
            return ()  # the keeper shows the same, and its colours too
        is_even = 1 / MAX_SATURATION < self.saturation < MAX_SATURATION
        if not is_even and self.color > MIN_SATURATION_LEVELS:
            return ("more saturated",) if self.saturation > 1 else ("less saturated",)
        return ("otherwise coloured",) if self.color > MAX_COLOR_LEVELS else ()

    def _sharpness_words(self) -> tuple[str, ...]:
        if self.noise > MAX_NOISE_LEVELS:  # less of it may be the work of compression
            return ("noisier",)
        if 1 / MAX_SHARPNESS < self.sharpness < MAX_SHARPNESS:
            return ()
        return ("sharper",) if self.sharpness > 1 else ("less sharp",)


class Tones:
    """Compares the tone of contents by their kept keypoints.

    Parameters
    ----------
    keypoints_of : callable    gives the keypoints of a content by its id, or None where there are none
    """

    def __init__(self, keypoints_of: Callable[[int], Keypoints | None]) -> None:
        self._keypoints_of = lru_cache(_KEPT_IN_MEMORY)(keypoints_of)
        self._known: dict[tuple[int, int], ToneDifference | None] = {}

    def words(self, first_id: int, second_id: int, proof: Proof) -> tuple[str, ...]:
        """Return what the second is more than the first, by the proof of the two; empty for equal tone."""
        found = self._difference(first_id, second_id, proof)
        return () if found is None else found.words

    def are_alike(self, first_id: int, second_id: int, proof: Proof) -> bool:
        """Tell whether two contents have equal tone and noise; a grey second is like its coloured first."""
        found = self._difference(first_id, second_id, proof)
        return found is None or (not found.words and abs(found.noise) <= MAX_NOISE_LEVELS)

    def _difference(self, first_id: int, second_id: int, proof: Proof) -> ToneDifference | None:
        pair = first_id, second_id
        if pair not in self._known:
            self._known[pair] = self._compare(first_id, second_id, proof)
        return self._known[pair]

    def _compare(self, first_id: int, second_id: int, proof: Proof) -> ToneDifference | None:
        first, second = self._keypoints_of(first_id), self._keypoints_of(second_id)
        placement = proof.placement
        if placement is None or first is None or second is None:
            return None
        return compare_tone(first, second, placement)


class _Overlap(NamedTuple):
    """Both pictures at one resolution, and where they overlap."""

    first: Float32Array
    second: Float32Array
    inside: NDArray[np.bool_]


def compare_tone(first: Keypoints, second: Keypoints, matrix: Matrix) -> ToneDifference | None:
    """Compare two pictures where they overlap; None where that is too small to tell.

    Parameters
    ----------
    matrix : 3 x 3, from the first's pixels to the second's
    """
    sizes = (first.width_px, first.height_px), (second.width_px, second.height_px)
    greys = _lay_over(first.view, second.view, matrix, sizes)
    if np.count_nonzero(greys.inside) < _MIN_OVERLAP_PX:
        return None
    levels = [np.quantile(_sample(grey[greys.inside]), _QUANTILES) for grey in greys[:2]]
    contrast = float((levels[1].std() + 1) / (levels[0].std() + 1))
    details = [float(_details(grey)[greys.inside].std()) + 0.5 for grey in greys[:2]]
    saturation, color, is_grey = _compare_colors(first.tint, second.tint, matrix, sizes)
    return ToneDifference(
        brightness=float((levels[1] - levels[0]).mean()),
        contrast=contrast,
        curve=float(np.sqrt(np.mean((levels[1] - levels[0]) ** 2))),
        sharpness=details[1] / details[0] / contrast,
        noise=_unrest(greys.second, greys.inside) - _unrest(greys.first, greys.inside),
        saturation=saturation,
        color=color,
        is_grey=is_grey,
    )


def _size_of(pixels: NDArray[Any]) -> Size:
    return pixels.shape[1], pixels.shape[0]


def _details(grey: Float32Array) -> Float32Array:
    import cv2

    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (_FINE_PX, _COARSE_PX))
    return np.asarray(fine - coarse, np.float32)


def _unrest(grey: Float32Array, inside: NDArray[np.bool_]) -> float:
    """Return how much the plainest parts vary: noise, where there is nothing else."""
    import cv2

    varying = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), _NOISE_PX))[inside]
    return float(np.quantile(_sample(varying), _PLAINEST))


def _sample(values: Float32Array) -> Float32Array:
    """Return some thousands of the values, evenly: quantiles of all take most of the time."""
    return values[
        :: len(values) // _SAMPLE_PX | 1
    ]  # odd, so as not to fall in step with the blocks of a JPEG


def _lay_over(first: UInt8Array, second: UInt8Array, matrix: Matrix, sizes: Sizes) -> _Overlap:
    """Bring both views to the coarser one's resolution and lay the first over the second."""
    import cv2

    between = scaling(sizes[1], _size_of(second)) @ matrix @ scaling(_size_of(first), sizes[0])
    middle = move_points(np.linalg.inv(between), corners_of(_size_of(second)).mean(axis=0)[None])[0]
    growth = linear_scale(between, np.clip(middle, 0, np.array(_size_of(first)) - 1))
    source, target = _shrink(first, growth), _shrink(second, 1 / growth)
    size = _size_of(target)
    placing = scaling(_size_of(second), size) @ between @ scaling(_size_of(source), _size_of(first))
    warped = cv2.warpPerspective(
        source, placing, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    mask = cv2.warpPerspective(np.ones(source.shape, np.uint8), placing, size, flags=cv2.INTER_NEAREST)
    margin = np.ones((_MARGIN_PX, _MARGIN_PX), np.uint8)
    mask = cv2.erode(mask, margin, borderType=cv2.BORDER_CONSTANT, borderValue=0.0)
    return _Overlap(np.asarray(warped, np.float32), target, mask > 0)


def _shrink(view: UInt8Array, factor: float) -> Float32Array:
    import cv2

    width, height = (max(1, round(side * min(1.0, factor))) for side in _size_of(view))
    return np.asarray(cv2.resize(view, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _compare_colors(
    first: UInt8Array, second: UInt8Array, matrix: Matrix, sizes: Sizes
) -> tuple[float, float, bool]:
    """Return saturation and difference of the colours, and whether the second has next to none."""
    colors = _lay_colors(first, second, matrix, sizes)
    source, target = colors.first[colors.inside], colors.second[colors.inside]
    if not len(source):
        return 1.0, 0.0, False
    softening = source.size * _SOFTENING_LEVELS
    saturation = (np.sum(source * target) + softening) / (np.sum(source**2) + softening)
    difference = np.sqrt(np.mean((source - target) ** 2))
    return float(saturation), float(difference), bool(np.sqrt(np.mean(target**2)) < MAX_GREY_LEVELS)


def _lay_colors(first: UInt8Array, second: UInt8Array, matrix: Matrix, sizes: Sizes) -> _Overlap:
    """Lay the colours of the first over the second's, blurred alike, without cells that reach out of it."""
    import cv2

    grid = (_COLOR_SIDE_PX, _COLOR_SIDE_PX)
    to_grid = scaling(sizes[1], grid) @ matrix
    placing = to_grid @ scaling(_size_of(first), sizes[0])
    warped = cv2.warpPerspective(_chroma(first), placing, grid, borderMode=cv2.BORDER_REPLICATE)
    cells_px = linear_scale(placing, np.array(_size_of(first)) / 2), _COLOR_SIDE_PX / len(second)
    target = cv2.resize(_chroma(second), grid, interpolation=cv2.INTER_LINEAR)
    blurred = [cv2.GaussianBlur(colors, (0, 0), max(1.0, cells_px[0] / 2)) for colors in (warped, target)]
    mask = cv2.warpPerspective(
        np.ones(grid, np.uint8), to_grid @ scaling(grid, sizes[0]), grid, flags=cv2.INTER_NEAREST
    )
    if not mask.all():
        margin = 2 * round(max(cells_px)) + 1
        mask = cv2.erode(mask, np.ones((margin, margin), np.uint8))
    source, target = (np.asarray(colors, np.float32) for colors in blurred)
    return _Overlap(source, target, mask > 0)


def _chroma(tint: UInt8Array) -> Float32Array:
    colors = tint.astype(np.float32)
    return np.asarray(colors - colors.mean(axis=2, keepdims=True), np.float32)
