"""Edits that change colours, each pixel by itself."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageEnhance

FILTERS = {
    "warm": (((0.75, 0.35, 0.1), (0.2, 0.6, 0.1), (0.1, 0.2, 0.35)), 0.8, (45, 20, 40)),
    "cold": (((0.5, 0.2, 0.1), (0.1, 0.65, 0.2), (0.1, 0.3, 0.75)), 0.9, (0, 15, 40)),
    "faded": (((0.7, 0.2, 0.1), (0.15, 0.7, 0.15), (0.1, 0.2, 0.7)), 0.6, (75, 68, 60)),
}
"""Colour filters by name: how the channels mix, the contrast, and the levels added."""


def grey(image: Image.Image) -> Image.Image:
    """Take the colour out."""
    return image.convert("L").convert("RGB")


def gamma(image: Image.Image, *, exponent: float) -> Image.Image:
    """Darken by a gamma above 1, lighten by one below."""
    return image.point([round(255 * (level / 255) ** exponent) for level in range(256)] * 3)


def contrast(image: Image.Image, *, factor: float) -> Image.Image:
    """Stretch or squeeze the levels about the picture's mean."""
    return ImageEnhance.Contrast(image).enhance(factor)


def brightness(image: Image.Image, *, factor: float) -> Image.Image:
    """Multiply the levels; what exceeds white is cut off."""
    return ImageEnhance.Brightness(image).enhance(factor)


def saturation(image: Image.Image, *, factor: float) -> Image.Image:
    """Strengthen the colours by a factor above 1, weaken them by one below."""
    return ImageEnhance.Color(image).enhance(factor)


def hue(image: Image.Image, *, degrees: float) -> Image.Image:
    """Turn every colour around the colour circle; red turned by 120 degrees is green."""
    angle, *others = image.convert("HSV").split()
    turned = angle.point([(level + round(degrees / 360 * 256)) % 256 for level in range(256)])
    return Image.merge("HSV", (turned, *others)).convert("RGB")


def color_filter(image: Image.Image, *, name: str) -> Image.Image:
    """Lay one of `FILTERS` over it: mixed channels, lifted shadows, less contrast."""
    mix, strength, lift = FILTERS[name]
    pixels = np.asarray(image, np.float64) @ np.array(mix).T * strength + lift
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
