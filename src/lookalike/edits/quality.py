"""Edits that cost detail or add what was not there: compression, blur, sharpening, noise."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter


def jpeg(image: Image.Image, *, quality: int) -> Image.Image:
    """Save as JPEG of this quality, 1 to 95."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def blur(image: Image.Image, *, sigma_px: float) -> Image.Image:
    """Blur with a Gaussian."""
    return image.filter(ImageFilter.GaussianBlur(sigma_px))


def sharpen(image: Image.Image, *, percent: int) -> Image.Image:
    """Strengthen what is finer than 2 pixels by this much."""
    return image.filter(ImageFilter.UnsharpMask(2, percent, 0))


def noise(image: Image.Image, rng: np.random.Generator, *, levels: float) -> Image.Image:
    """Add Gaussian noise of this standard deviation, each channel its own."""
    pixels = np.asarray(image, np.float32)
    noisy = pixels + rng.normal(0, levels, pixels.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def grey_noise(image: Image.Image, rng: np.random.Generator, *, levels: float) -> Image.Image:
    """Add Gaussian noise of this standard deviation, the same to all channels."""
    pixels = np.asarray(image, np.float32)
    noisy = pixels + rng.normal(0, levels, (*pixels.shape[:2], 1))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
