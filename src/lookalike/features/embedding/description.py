"""What a model takes and gives: the part of an ONNX file that the file itself does not say.

For a model of one's own it stands in a JSON file beside the ONNX file, ``model.json`` for
``model.onnx``. For a network with torchvision's usual preprocessing::

    {
      "size_px": 224,
      "layout": "NCHW",
      "channel_order": "RGB",
      "mean": [123.675, 116.28, 103.53],
      "std": [58.395, 57.12, 57.375],
      "resize": "crop",
      "output": "features",
      "pooling": "average"
    }
"""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ModelError
from lookalike.records.arrays import UInt8Array

if TYPE_CHECKING:
    from PIL.Image import Image

CHOICES = {
    "layout": ("NCHW", "NHWC"),
    "channel_order": ("RGB", "BGR"),
    "resize": ("squash", "crop"),
    "pooling": ("none", "average"),
}
MAX_SIZE_PX = 4096


@dataclass(frozen=True)
class ModelDescription:
    """How pictures become a model's input and its output becomes an embedding.

    Parameters
    ----------
    size_px : int
        Side of the square input.
    layout : str
        ``NCHW`` or ``NHWC``.
    channel_order : str
        ``RGB`` or ``BGR``.
    mean, std : 3 floats
        Of the channels in the model's order, on the scale of pixels, 0..255: the input is (pixel -
        mean) / std; a model that takes uint8 gets the pixels as they are, and needs mean 0 and std 1.
    resize : str
        ``squash`` squeezes the whole picture into the square, ``crop`` resizes the shorter side and
        takes the middle.
    output : str
        Name of the output; empty means the first.
    pooling : str
        ``average`` over the places of a 4-D output, ``none`` for a 2-D one.
    """

    size_px: int
    layout: str
    channel_order: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: str
    output: str = ""
    pooling: str = "none"

    def __post_init__(self) -> None:
        if type(self.size_px) is not int or not 1 <= self.size_px <= MAX_SIZE_PX:
            raise ModelError(f"size_px is {self.size_px!r}, but must be a whole number of 1 to {MAX_SIZE_PX}")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ModelError(f"{name} is {getattr(self, name)!r}, but must be {' or '.join(choices)}")
        for name in ("mean", "std"):
            object.__setattr__(self, name, _three_numbers(name, getattr(self, name)))
        if min(self.std) <= 0:
            raise ModelError(f"std is {self.std}, but must be above 0")

    @property
    def takes_pixels(self) -> bool:
        """Whether the input is the pixels as they are."""
        return not any(self.mean) and all(step == 1 for step in self.std)

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything that changes the numbers, as JSON values, for a recipe."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    def prepare(self, image: Image) -> UInt8Array:
        """Return a picture of mode RGB as uint8, shape (size_px, size_px, 3), channels red, green, blue."""
        from PIL.Image import Resampling

        if image.mode != "RGB":
            image = image.convert("RGB")
        size = (self.size_px, self.size_px)
        if image.size == size:
            return np.asarray(image)
        width, height = image.size
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side) if self.resize == "crop" else None
        # Pillow's BILINEAR widens its kernel when it shrinks, so nothing is skipped (no aliasing).
        return np.asarray(image.resize(size, Resampling.BILINEAR, box))

    def to_input(self, pictures: UInt8Array, dtype: type[np.generic]) -> NDArray[Any]:
        """Return prepared pictures, uint8 (n, h, w, 3) RGB, as the model takes them."""
        if self.channel_order == "BGR":
            pictures = pictures[..., ::-1]
        values: NDArray[Any] = pictures
        if not self.takes_pixels:
            values = (pictures - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        if self.layout == "NCHW":
            values = values.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(values, dtype)


def read_description(path: Path) -> ModelDescription:
    """Read the JSON file that describes an ONNX file.

    Raises
    ------
    ModelError
        The file is absent, is not such JSON, lacks a key, or has an unknown or unfit one.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"the model needs a description in {path}, which could not be read ({error.strerror}): write one "
            f"with the keys {', '.join(_required_keys())}."
        ) from error
    except ValueError as error:
        raise ModelError(f"the model description {path} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise ModelError(
            f"the model description {path} must be a JSON object, not a {type(values).__name__}."
        )
    try:
        _check_keys(values)
        if not isinstance(values.get("output", ""), str):
            raise ModelError(f"output is {values['output']!r}, but must be the name of an output")
        return ModelDescription(**values)
    except ModelError as error:
        raise ModelError(f"in the model description {path}, {error}.") from error


def _required_keys() -> list[str]:
    return [field.name for field in fields(ModelDescription) if field.default is MISSING]


def _check_keys(values: dict[str, Any]) -> None:
    known = [field.name for field in fields(ModelDescription)]
    if unknown := sorted(set(values) - set(known)):
        raise ModelError(f"{', '.join(unknown)} is not known; the keys are {', '.join(known)}")
    if missing := [name for name in _required_keys() if name not in values]:
        raise ModelError(f"{', '.join(missing)} is missing")


def _three_numbers(name: str, values: Any) -> tuple[float, ...]:
    is_row = isinstance(values, list | tuple) and len(values) == 3
    if not is_row or not all(type(v) in (int, float) and np.isfinite(v) for v in values):
        raise ModelError(f"{name} is {values!r}, but must be three numbers, one a channel")
    return tuple(float(v) for v in values)
