"""Measures of a pair of whole pictures of one size, pixel against pixel.

They take uint8 RGB arrays of equal shape (h, w, 3) and answer "is this the same picture, in place?".
They know nothing of content, so use them on pictures that are already thought to be alike.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import InputError
from lookalike.features import color, distances
from lookalike.records.arrays import UInt8Array

SSIM_C1, SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""Constants of the formula for pixels of 0 to 255 (equation 13 and section IV of the paper)."""


def pixel_euclidean(first: UInt8Array, second: UInt8Array) -> float:
    """Euclidean distance of the pixel values: 0 to 255 sqrt(3 h w), lower is more alike.

    Computed in floating point: differences of uint8 values wrap around and are no distances.
    """
    _check(first, second)
    return float(np.linalg.norm(first.astype(np.float64) - second.astype(np.float64)))


def pixel_cosine(first: UInt8Array, second: UInt8Array) -> float:
    """Cosine of the pixel values as vectors: 0 to 1, higher is more alike.

    Two black pictures give 1; black against anything else gives 0.
    """
    _check(first, second)
    a, b = first.astype(np.float64).ravel(), second.astype(np.float64).ravel()
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if lengths == 0:
        return float(not (a.any() or b.any()))
    return float(a @ b) / lengths


def ssim(first: UInt8Array, second: UInt8Array) -> float:
    """Mean structural similarity over the channels: -1 to 1, higher is more alike.

    Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE
    Transactions on Image Processing 13(4), 2004, with a 7 x 7 window (the largest odd window that fits,
    for smaller pictures; below 3 x 3 pixels there is no structure and `pixel_cosine` stands in). Within 1e-9
    of scikit-image's `structural_similarity`.
    """
    _check(first, second)
    shorter = min(first.shape[:2])
    if shorter < 3:
        return pixel_cosine(first, second)
    window = min(7, shorter - 1 + shorter % 2)
    a, b = first.astype(np.float64), second.astype(np.float64)
    mean_a, mean_b = _window_means(a, window), _window_means(b, window)
    # The covariances are those of a sample, divided by n - 1 places.
    unbiased = window**2 / (window**2 - 1)
    variance_a, variance_b, covariance = (
        unbiased * (_window_means(one * other, window) - mean_one * mean_other)
        for one, other, mean_one, mean_other in (
            (a, a, mean_a, mean_a),
            (b, b, mean_b, mean_b),
            (a, b, mean_a, mean_b),
        )
    )
    brightness = (2 * mean_a * mean_b + SSIM_C1) / (mean_a**2 + mean_b**2 + SSIM_C1)
    structure = (2 * covariance + SSIM_C2) / (variance_a + variance_b + SSIM_C2)
    return float((brightness * structure).mean())


def _window_means(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the mean of each whole window in the picture, for each channel."""
    import cv2

    margin = window // 2
    means: NDArray[np.float64] = cv2.blur(values, (window, window))
    return means[margin : len(means) - margin, margin : means.shape[1] - margin]


def histogram_cosine(first: UInt8Array, second: UInt8Array) -> float:
    """Cosine of the joint RGB histograms: 0 to 1, higher is more alike; blind to where colours are."""
    _check(first, second)
    pair = [color.rgb_histogram(color.Pixels.of(pixels))[None] for pixels in (first, second)]
    return 1 - float(distances.cosine(pair[0], pair[1])[0, 0])


MEASURES: dict[str, Callable[[UInt8Array, UInt8Array], float]] = {
    "pixel_euclidean": pixel_euclidean,
    "pixel_cosine": pixel_cosine,
    "ssim": ssim,
    "histogram_cosine": histogram_cosine,
}
"""Every measure by name."""


def _check(first: UInt8Array, second: UInt8Array) -> None:
    if first.shape != second.shape or first.ndim != 3:
        raise InputError(
            f"pixels of shapes {first.shape} and {second.shape} cannot be compared: "
            "resize both to one size (h, w, 3) first."
        )
