"""Pictures that tell nothing: too small or too plain to be told from others, whatever is asked of them.

Two white files are equal in every feature and are no copies of each other. A few such files in a gallery would
rank as strangers with a score of 1 and make every threshold too strict for all the others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.features.keypoints import Keypoints
from lookalike.proving.matches import MIN_MATCHES
from lookalike.proving.orientation import MAX_TINT_LEVELS

MIN_SIDE_PX = 64  # of the shorter side: below, the pictures are icons, swatches and spacers
_SIDE_PX = 32
# Standard deviation in grey levels, after the gradient is taken off. Ramps and flat pictures come to 0 to 1.5,
# also as JPEG; the plainest of 400 photos of products, clothes and fruits, a white shirt on white, to 10.
MAX_PLAIN_LEVELS = 3.0


def is_plain(grey: NDArray[np.uint8]) -> bool:
    """Whether nothing but one shade or one slow gradient is to be seen.

    Parameters
    ----------
    grey : uint8 array, shape (h, w)
        Levels of grey; a small view is enough.
    """
    small = np.asarray(Image.fromarray(grey).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX), np.float64)
    y, x = np.mgrid[-1 : 1 : _SIDE_PX * 1j, -1 : 1 : _SIDE_PX * 1j].reshape(2, -1)
    gradient = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    weights, *_ = np.linalg.lstsq(gradient, small.ravel(), rcond=None)
    return float(np.std(small.ravel() - gradient @ weights)) < MAX_PLAIN_LEVELS


def is_beyond_proof(first: Keypoints, second: Keypoints) -> bool:
    """Whether local features cannot settle a pair: too few points in either, and all but equal in color."""
    if max(len(first), len(second)) >= MIN_MATCHES:
        return False
    difference = first.tint.astype(np.float64) - second.tint.astype(np.float64)
    return float(np.abs(difference).mean()) <= MAX_TINT_LEVELS
