"""Edits that move pixels: size, crop, border, turn, mirror, perspective. Shares are of a side or the area."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageOps


def scale(image: Image.Image, *, factor: float) -> Image.Image:
    """Resize both sides by a factor."""
    return image.resize(_scaled(image, factor, factor), Image.Resampling.LANCZOS)


def quarter_size(image: Image.Image) -> Image.Image:
    """Shrink both sides to a quarter, rounded down."""
    return image.resize((max(1, image.width // 4), max(1, image.height // 4)), Image.Resampling.LANCZOS)


def squeeze(image: Image.Image, *, factor: float) -> Image.Image:
    """Change the width alone, so that everything looks narrower."""
    return image.resize(_scaled(image, factor, 1), Image.Resampling.LANCZOS)


def crop(image: Image.Image, rng: np.random.Generator, *, share: float) -> Image.Image:
    """Keep this share of the area in the picture's own aspect, somewhere in it."""
    return crop_uneven(image, rng, width_share=share**0.5, height_share=share**0.5)


def crop_uneven(
    image: Image.Image, rng: np.random.Generator, *, width_share: float, height_share: float
) -> Image.Image:
    """Keep these shares of width and height, somewhere in the picture."""
    width, height = _scaled(image, width_share, height_share)
    left, top = rng.integers(0, image.width - width + 1), rng.integers(0, image.height - height + 1)
    return image.crop((int(left), int(top), int(left) + width, int(top) + height))


def crop_sides(image: Image.Image, *, share: float) -> Image.Image:
    """Cut this share of width and height off each of the four sides."""
    width, height = _scaled(image, 1 - 2 * share, 1 - 2 * share)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def pad(image: Image.Image, rng: np.random.Generator, *, share: float) -> Image.Image:
    """Add a plain border all round, as wide as this share of the longer side."""
    border = round(max(image.size) * share)
    return ImageOps.expand(image, border, tuple(int(level) for level in rng.integers(0, 256, 3)))


def pad_bars(image: Image.Image, *, share: float) -> Image.Image:
    """Add black bars above and below, each as high as this share of the height."""
    bar = round(image.height * share)
    return ImageOps.expand(image, (0, bar, 0, bar), (0, 0, 0))


def turn(image: Image.Image, *, degrees: float) -> Image.Image:
    """Turn to the left within the frame; the corners are cut off and filled black."""
    return image.rotate(degrees, Image.Resampling.BICUBIC)


def turn_quarters(image: Image.Image, *, quarters: int) -> Image.Image:
    """Turn to the left by one, two or three quarters, without loss."""
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return image.transpose(turns[quarters - 1])


def straighten(image: Image.Image, *, degrees: float) -> Image.Image:
    """Turn to the left and cut to the largest upright frame of the same aspect without empty corners."""
    angle = math.radians(degrees)
    aspect = max(image.width / image.height, image.height / image.width)
    share = 1 / (math.cos(angle) + aspect * math.sin(abs(angle)))
    turned = image.rotate(degrees, Image.Resampling.BICUBIC)
    return crop_sides(turned, share=(1 - share) / 2)


def mirror(image: Image.Image) -> Image.Image:
    """Swap left and right."""
    return ImageOps.mirror(image)


def flip(image: Image.Image) -> Image.Image:
    """Swap top and bottom."""
    return ImageOps.flip(image)


def perspective(image: Image.Image, rng: np.random.Generator, *, strength: float) -> Image.Image:
    """See the picture from one side: two corners of one edge come closer, by up to `strength` of the side.

    The four corners also move a little by themselves; what lies outside is black.
    """
    inset = rng.uniform(0, strength / 4, (4, 2))
    start = int(rng.integers(4))
    # Corners run clockwise from the upper left, so the far edge's two corners are neighbours.
    along_height = start % 2
    for corner in (start, (start + 1) % 4):
        inset[corner, along_height] += strength * 0.75
        inset[corner, 1 - along_height] += strength * 0.25
    return see_from(image, inset, Image.new("RGB", image.size))


def see_from(image: Image.Image, inset: np.ndarray, background: Image.Image) -> Image.Image:
    """Lay the picture over a background of its size, its corners moved inwards.

    Parameters
    ----------
    image, background : RGB images of one size
        The background is not changed.
    inset : float array, shape (4, 2)
        How far each corner moves, as shares of width and height; clockwise from the upper left.
    """
    width, height = image.size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    coefficients = _perspective_coefficients(corners + inwards * inset * (width, height), corners)
    options = (Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    seen = background.copy()
    mask = Image.new("L", image.size, 255).transform(image.size, *options)
    seen.paste(image.transform(image.size, *options), mask=mask)
    return seen


def _perspective_coefficients(seen: np.ndarray, corners: np.ndarray) -> list[float]:
    """Return Pillow's eight coefficients, which lead from the seen corners to the picture's own."""
    rows, values = [], []
    for (x, y), (u, v) in zip(seen, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(number) for number in np.linalg.solve(np.array(rows), np.array(values))]


def _scaled(image: Image.Image, width_factor: float, height_factor: float) -> tuple[int, int]:
    return max(1, round(image.width * width_factor)), max(1, round(image.height * height_factor))
