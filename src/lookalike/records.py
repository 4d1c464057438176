"""The frozen records that travel between the stages: picture, recipe, feature, match."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Relation = Literal["same_file", "same_pixels", "copy", "same_scene", "similar", "different"]
"""The relation ladder, closest first; `different` is what stands below it."""

UInt8Array = NDArray[np.uint8]
Float32Array = NDArray[np.float32]


@dataclass(frozen=True)
class Picture:
    """One decoded picture: upright, sRGB, opaque, first frame.

    Parameters
    ----------
    image : PIL image of mode RGB    maybe smaller than the original, see `decode`
    width_px, height_px : int        size of the original, upright
    format : str                     the file's format in lower case (``jpeg``, ``png``, ``heif``, ...);
                                     ``pixels`` for pictures that were handed over in memory
    taken_at : str or None           the camera's own time, ``YYYY-MM-DDTHH:MM:SS``, where it is known
    camera : str or None             its make and model, where they are known
    """

    image: Image
    width_px: int
    height_px: int
    format: str
    taken_at: str | None = None
    camera: str | None = None

    @property
    def rgb(self) -> UInt8Array:
        """The pixels as a uint8 array of shape (h, w, 3)."""
        return np.asarray(self.image)


@dataclass(frozen=True)
class Recipe:
    """How a feature was computed; two features may be compared only when their recipes are equal.

    Parameters
    ----------
    feature : str         name of the feature, such as ``phash`` or ``embedding``
    version : int         raised whenever the same input would give other numbers
    parameters : mapping  everything else that changes the numbers, JSON values only
    """

    feature: str
    version: int
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @cached_property
    def text(self) -> str:
        """The recipe as canonical JSON text, equal for equal recipes."""
        return json.dumps(
            {"feature": self.feature, "version": self.version, **self.parameters},
            sort_keys=True,
            separators=(",", ":"),
        )

    @property
    def words(self) -> str:
        """The recipe for a person: ``phash, version 1, from_px=56, size=8``."""
        values = (
            f"{name}={value if isinstance(value, str) and value else json.dumps(value, separators=(',', ':'))}"
            for name, value in sorted(self.parameters.items())
        )
        return ", ".join([self.feature, f"version {self.version}", *values])

    @classmethod
    def from_text(cls, text: str) -> Recipe:
        """Return the recipe whose `text` this is."""
        values = json.loads(text)
        return cls(values.pop("feature"), values.pop("version"), values)
