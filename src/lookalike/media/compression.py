"""How a file was compressed: the steps to which a JPEG's coefficients were rounded."""

from __future__ import annotations

import numpy as np

from lookalike.errors import PictureError
from lookalike.media.decode import open_native
from lookalike.records.arrays import Float32Array
from lookalike.settings import Settings

_TURNED_BY_90 = frozenset((5, 6, 7, 8))


def read_steps(data: bytes, settings: Settings) -> Float32Array | None:
    """Return the luma steps of a JPEG for its blocks as they lie upright, shape (8, 8); None for other files.

    None also where the picture is turned and its sides are no multiples of 8: its blocks then begin inside.
    """
    try:
        with open_native(data, settings=settings) as (image, name):
            tables = getattr(image, "quantization", None)
            if name != "jpeg" or not tables or len(tables.get(0, ())) != 64:
                return None
            orientation = image.getexif().get(0x0112, 1)
            size = image.size
    except PictureError:
        return None
    steps = np.array(tables[0], np.float32).reshape(8, 8)
    if orientation != 1 and any(side % 8 for side in size):
        return None
    return np.ascontiguousarray(steps.T) if orientation in _TURNED_BY_90 else steps
