"""Edits that lay something over the picture: shade, banner, text, logo, watermark."""

from __future__ import annotations

import math

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

_CAPTIONS = ("when you see it", "Summer 2019", "SALE -50 %", "look at this", "my favourite", "25.12.")
_COLORS = ((255, 255, 0), (255, 255, 255), (230, 30, 40), (20, 20, 20), (40, 200, 90), (30, 90, 230))


def vignette(image: Image.Image, *, sigma: float) -> Image.Image:
    """Darken towards the corners by a Gaussian of this many sides; 0.5 is a common grade, less is darker."""
    across = _falloff(image.width, sigma)[None, :, None]
    down = _falloff(image.height, sigma)[:, None, None]
    return Image.fromarray((np.asarray(image, np.float64) * across * down).astype(np.uint8))


def _falloff(side_px: int, sigma: float) -> np.ndarray:
    from_middle = np.arange(side_px) - (side_px - 1) / 2
    return np.asarray(np.exp(-((from_middle / (side_px * sigma)) ** 2) / 2))


def banner(image: Image.Image, rng: np.random.Generator, *, share: float) -> Image.Image:
    """Cover this share of the height, at the top or bottom, by a plain banner with a line of text."""
    edited = image.copy()
    draw = ImageDraw.Draw(edited)
    width, height = image.size
    thickness = max(1, round(height * share))
    top = int(rng.integers(2)) * (height - thickness)
    ground, ink = ((20, 20, 20), "white") if rng.random() < 0.5 else ((245, 245, 245), "black")
    draw.rectangle((0, top, width, top + thickness), fill=ground)
    text, font = fit_text(draw, _caption(rng), width * 0.9, thickness * 0.6)
    draw.text((width / 2, top + thickness / 2), text, fill=ink, font=font, anchor="mm")
    return edited


def text(image: Image.Image, rng: np.random.Generator, *, share: float) -> Image.Image:
    """Write a line of text somewhere, across this share of the width, with a dark outline."""
    edited = image.copy()
    draw = ImageDraw.Draw(edited)
    width, height = image.size
    words, font = fit_text(draw, _caption(rng), width * share, height * 0.3)
    left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
    x = rng.uniform(0, max(0.0, width - (right - left))) - left
    y = rng.uniform(0, max(0.0, height - (bottom - top))) - top
    color = _COLORS[rng.integers(len(_COLORS))]
    outline = (0, 0, 0) if sum(color) > 300 else (255, 255, 255)
    stroke = max(1, round((bottom - top) / 20))
    draw.text((x, y), words, fill=color, font=font, stroke_width=stroke, stroke_fill=outline)
    return edited


def logo(image: Image.Image, rng: np.random.Generator, *, share: float) -> Image.Image:
    """Put a round badge into one corner, its width this share of the shorter side."""
    edited = image.copy()
    draw = ImageDraw.Draw(edited)
    size = min(image.size) * share
    margin = size / 6
    right, low = rng.integers(2, size=2)
    x = image.width - size - margin if right else margin
    y = image.height - size - margin if low else margin
    color = _COLORS[rng.integers(len(_COLORS))]
    draw.ellipse((x, y, x + size, y + size), fill=color, outline="white", width=max(1, round(size / 16)))
    peaks = [(0.22, 0.72), (0.42, 0.3), (0.55, 0.55), (0.64, 0.42), (0.8, 0.72)]
    draw.polygon([(x + across * size, y + down * size) for across, down in peaks], fill=(255, 255, 255))
    return edited


def watermark(image: Image.Image, *, opacity: float) -> Image.Image:
    """Write a slanting line of text all over the picture, half transparent: white with a dark shadow."""
    diagonal = math.ceil(math.hypot(*image.size))
    mask = Image.new("L", (diagonal, diagonal))
    draw = ImageDraw.Draw(mask)
    size = max(4.0, min(image.size) / 12)
    line = "sample picture    " * 12
    for row in range(math.ceil(diagonal / (size * 3))):
        draw.text((-size * 2.5 * (row % 2), row * size * 3), line, fill=round(255 * opacity), font_size=size)
    left, top = (diagonal - image.width) // 2, (diagonal - image.height) // 2
    mask = mask.rotate(30, Image.Resampling.BILINEAR).crop(
        (left, top, left + image.width, top + image.height)
    )
    edited = image.copy()
    offset = max(1, round(size / 14))
    shadow = Image.new("L", image.size)
    shadow.paste(mask, (offset, offset))
    edited.paste((0, 0, 0), mask=shadow)
    edited.paste((255, 255, 255), mask=mask)
    return edited


def stamp(image: Image.Image) -> Image.Image:
    """Write TEST in black at 200 of 255, a fifth of the width, at the lower left, as perception's page says."""
    font, thickness_px = cv2.FONT_HERSHEY_SIMPLEX, 5
    (width_px, height_px), _ = cv2.getTextSize("TEST", font, 5, thickness_px)
    factor = 0.2 * image.width / width_px
    mask = np.zeros((image.height, image.width), np.uint8)
    corner = int(height_px * factor), int(image.height - height_px * factor)
    cv2.putText(mask, "TEST", corner, font, 5 * factor, 200, thickness_px)
    return Image.fromarray((np.asarray(image) * (1 - mask[:, :, None] / 255)).astype(np.uint8))


def banner_and_text(image: Image.Image) -> Image.Image:
    """Lay a plain banner of a sixth of the height over the bottom, and large text across the middle."""
    edited = image.copy()
    draw = ImageDraw.Draw(edited)
    width, height = image.size
    draw.rectangle((0, height - height // 6, width, height), fill=(20, 20, 20))
    draw.text((width * 0.05, height * 0.86), "SUMMER SALE", fill="white", font_size=max(1, height / 10))
    draw.text((width * 0.1, height * 0.4), "lookalike", fill=(255, 255, 0), font_size=max(1, width / 6))
    return edited


def fit_text(
    draw: ImageDraw.ImageDraw, words: str, width_px: float, height_px: float
) -> tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont]:
    """Return the words and a font in which they are at most so wide and high."""
    font = ImageFont.load_default(100)
    left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
    size = 100 * min(width_px / (right - left), height_px / (bottom - top))
    return words, ImageFont.load_default(max(1.0, size))


def _caption(rng: np.random.Generator) -> str:
    return _CAPTIONS[rng.integers(len(_CAPTIONS))]
