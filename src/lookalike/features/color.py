"""Colour and texture histograms of a small picture.

Every function takes `Pixels` and gives a float32 histogram that sums to 1 (several joined histograms share
that sum evenly). Compare them with `lookalike.features.distances`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lookalike.records.arrays import Float32Array, UInt8Array

if TYPE_CHECKING:
    from PIL.Image import Image

RGB_BINS = 8  # a channel: 512 joint bins
HSV_BINS = (8, 3, 3)  # hue, saturation, value: hue tells most and light changes least
N_HSV = HSV_BINS[0] * HSV_BINS[1] * HSV_BINS[2]
N_LBP = 59  # 58 uniform patterns of 8 neighbours and one bin for all others


class Pixels:
    """A small picture, with what several histograms are counted from.

    Parameters
    ----------
    image : PIL image of mode RGB
        SRGB.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self.rgb: UInt8Array = np.asarray(image)

    @classmethod
    def of(cls, rgb: UInt8Array) -> Pixels:
        """Return the pixels of a uint8 array of shape (h, w, 3)."""
        from PIL.Image import fromarray

        return cls(fromarray(rgb))

    @cached_property
    def grey_image(self) -> Image:
        """The luma (ITU-R 601) as a PIL image of mode L."""
        return self._image.convert("L")

    @cached_property
    def hsv_bins(self) -> UInt8Array:
        """The bin of each pixel among the 72 of HSV, uint8 (h, w)."""
        hsv = np.asarray(self._image.convert("HSV"))
        bins = _HUE[hsv[..., 0]] + _SATURATION[hsv[..., 1]] + _VALUE[hsv[..., 2]]
        return np.asarray(bins)

    @cached_property
    def hsv_regions(self) -> Float32Array:
        """The HSV histograms of the four quarters, shape (4, 72), each with the sum of its share."""
        return _quarters(self.hsv_bins, N_HSV)


_LEVELS = np.arange(256)
_HUE, _SATURATION, _VALUE = (
    ((_LEVELS * n_bins >> 8) * stride).astype(np.uint8)
    for n_bins, stride in zip(HSV_BINS, (HSV_BINS[1] * HSV_BINS[2], HSV_BINS[2], 1), strict=True)
)


def rgb_histogram(pixels: Pixels) -> Float32Array:
    """Joint RGB histogram, shape (512,), red slowest.

    M. J. Swain, D. H. Ballard, "Color indexing", IJCV 7(1), 1991.
    """
    levels = pixels.rgb >> 5
    red, green, blue = (levels[..., channel].astype(np.uint16) for channel in range(3))
    return _histogram((red * RGB_BINS + green) * RGB_BINS + blue, RGB_BINS**3)


def hsv_pyramid(pixels: Pixels) -> Float32Array:
    """HSV histograms of the whole picture and of its four quarters, shape (360,).

    The spatial pyramid of S. Lazebnik, C. Schmid, J. Ponce, "Beyond bags of features", CVPR 2006, with
    two levels; every region has the same weight.
    """
    return _pyramid(pixels.hsv_regions)


def texture(pixels: Pixels) -> Float32Array:
    """Local binary patterns as a spatial pyramid, joined to the HSV histogram; shape (367,).

    Uniform patterns of the 3 x 3 neighbourhood: T. Ojala, M. Pietikäinen, T. Mäenpää, "Multiresolution
    gray-scale and rotation invariant texture classification with local binary patterns", PAMI 24(7),
    2002. Colour and texture each carry half of the sum.
    """
    color = pixels.hsv_regions.sum(axis=0)
    patterns = _UNIFORM[local_binary_patterns(np.asarray(pixels.grey_image))]
    return np.asarray(np.concatenate([color, _pyramid(_quarters(patterns, N_LBP))]) / 2, np.float32)


HISTOGRAMS: dict[str, Callable[[Pixels], Float32Array]] = {
    "rgb": rgb_histogram,
    "hsv": hsv_pyramid,
    "texture": texture,
}
"""Every histogram by name."""


def local_binary_patterns(grey: UInt8Array) -> UInt8Array:
    """Return for each inner pixel the eight comparisons with its neighbours, as bits.

    Parameters
    ----------
    grey : uint8 array, shape (h, w)

    Returns
    -------
    uint8 array, shape (h - 2, w - 2)
        Bit k is set where neighbour k, clockwise from the upper left, is at least as bright; empty
        below 3 pixels.
    """
    height, width = grey.shape
    center = grey[1:-1, 1:-1]
    codes = np.zeros(center.shape, np.uint8)
    clockwise = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    for bit, (row, column) in enumerate(clockwise):
        neighbour = grey[row : height - 2 + row, column : width - 2 + column]
        codes |= (neighbour >= center).view(np.uint8) << bit
    return codes


def _uniform_bins() -> UInt8Array:
    """Map each of the 256 patterns to its bin: one a uniform pattern, the last for all others."""
    codes = np.arange(256, dtype=np.uint8)
    turned = (codes >> 1) | (codes << 7)
    is_uniform = np.bitwise_count(codes ^ turned) <= 2
    return np.where(is_uniform, np.cumsum(is_uniform) - 1, N_LBP - 1).astype(np.uint8)


_UNIFORM = _uniform_bins()


def _pyramid(quarters: Float32Array) -> Float32Array:
    """Join the histogram of the whole, the sum of the quarters, to those of the quarters; shape (5 n,).

    Each of the five regions has the same weight, however large it is.
    """
    whole = quarters.sum(axis=0, keepdims=True)
    shares = quarters.sum(axis=1, keepdims=True)
    # A quarter of a picture one pixel wide is empty: it counts as spread evenly.
    even = np.float32(1 / quarters.shape[1])
    scaled = np.divide(quarters, shares, out=np.full_like(quarters, even), where=shares > 0)
    return np.asarray(np.concatenate([whole, scaled]).ravel() / 5, np.float32)


def _quarters(bins: UInt8Array, n_bins: int) -> Float32Array:
    """Count the bins in each quarter of the picture, as shares of all pixels; shape (4, n_bins), sum 1."""
    if bins.size == 0:
        return np.full((4, n_bins), 1 / (4 * n_bins), np.float32)
    offsets = np.zeros(bins.shape, np.uint16)
    offsets[bins.shape[0] // 2 :] += 2 * n_bins
    offsets[:, bins.shape[1] // 2 :] += n_bins
    return _histogram(bins + offsets, 4 * n_bins).reshape(4, n_bins)


def _histogram(bins: NDArray[np.integer], n_bins: int) -> Float32Array:
    """Count the bins of at least one pixel and scale the counts to sum 1."""
    counts = np.bincount(bins.ravel(), minlength=n_bins)
    return (counts / bins.size).astype(np.float32)


def pack_histogram(histogram: Float32Array) -> UInt8Array:
    """Return a histogram as one byte a bin: its square root times 255, rounded.

    The square root spends the 256 levels evenly over small and large shares.
    """
    return np.asarray(np.rint(np.sqrt(histogram) * 255), np.uint8)


def unpack_histograms(packed: UInt8Array) -> Float32Array:
    """Return packed histograms, shape (n, d), as float32 rows that sum to 1."""
    squares = np.square(packed.astype(np.float32))
    sums = squares.sum(axis=1, keepdims=True)
    return np.asarray(squares / np.maximum(sums, 1), np.float32)
