"""Edits that show the picture inside something else: a collage, a screen, a photo of a print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from lookalike.edits.geometry import see_from
from lookalike.edits.quality import jpeg


def collage(
    image: Image.Image,
    rng: np.random.Generator,
    neighbours: Sequence[Image.Image],
    *,
    columns: int,
    rows: int,
) -> Image.Image:
    """Put the picture into one cell of a sheet, and neighbours into the others.

    All cells have the picture's shape and the sheet is no wider or higher than it; neighbours are cut to their
    cells. Where there are too few of them, cells show a plain shade.
    """
    parts = max(columns, rows)
    width, height = (max(1, image.width * columns // parts), max(1, image.height * rows // parts))
    sheet = Image.new("RGB", (width, height), "white")
    n_cells = columns * rows
    n_others = min(n_cells - 1, len(neighbours))
    others = rng.choice(len(neighbours), n_others, replace=False).tolist() if neighbours else []
    pictures = [image, *(neighbours[other] for other in others)]
    cell = (max(1, width // columns), max(1, height // rows))
    for place, which in enumerate(rng.permutation(n_cells)):
        if which == 0:
            shown = image.resize(cell)
        elif which < len(pictures):
            shown = ImageOps.fit(pictures[which], cell)
        else:
            shown = _shade(cell, rng)
        sheet.paste(shown, (place % columns * cell[0], place // columns * cell[1]))
    return sheet


def _shade(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Return a picture of two colours that run into each other."""
    ends = rng.integers(0, 256, (2, 3))
    share = np.linspace(0, 1, size[1])[:, None, None]
    column = (ends[0] * (1 - share) + ends[1] * share).astype(np.uint8)
    return Image.fromarray(np.repeat(column, size[0], axis=1))


def window_screenshot(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Show the picture at 80 % in a window: title bar above, buttons below, page colour around."""
    shown = _resized(image, 0.8)
    width, height = max(1, round(shown.width * 1.2)), max(1, round(shown.height * 1.4))
    page = Image.new("RGB", (width, height), (244, 244, 246))
    draw = ImageDraw.Draw(page)
    bar = height // 12
    draw.rectangle((0, 0, width, bar), fill=(38, 50, 72))
    draw.text((bar / 2, bar / 4), "Photos   12:41", fill="white", font_size=max(1, bar / 2))
    for button in range(5):
        left = width * (button + 0.5) / 5
        draw.ellipse((left - bar / 3, height - bar, left + bar / 3, height - bar / 3), fill=(90, 96, 110))
    page.paste(shown, ((width - shown.width) // 2, bar + (height - 2 * bar - shown.height) // 2))
    return jpeg(page, quality=20) if rng.random() < 0.3 else page


def phone_screenshot(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Show the picture across a dark phone screen: clock above, name and text lines below."""
    width = image.width
    height = max(width * 2, image.height + width // 2)
    page = Image.new("RGB", (width, height), (18, 18, 20))
    draw = ImageDraw.Draw(page)
    line = max(1.0, width / 24)
    clock = f"{rng.integers(24)}:{rng.integers(60):02}"
    draw.text((line, line / 2), clock, fill="white", font_size=line)
    draw.rectangle((width - 3 * line, line * 0.7, width - line, line * 1.4), outline="white")
    draw.ellipse((line, line * 2.5, line * 3, line * 4.5), fill=(120, 90, 200))
    draw.text((line * 4, line * 3), "holiday_pictures", fill="white", font_size=line)
    top = int(line * 5.5)
    page.paste(image, (0, top))
    below = top + image.height + line
    for number, share in enumerate((0.35, 0.85, 0.6)):
        row = below + number * line * 1.6
        draw.rounded_rectangle(
            (line, row, line + width * share * 0.9, row + line * 0.7), 4, fill=(70, 70, 76)
        )
    return page


def photo_of_print(
    image: Image.Image, rng: np.random.Generator, *, tilt: float = 0.14, light: float = 0.25, noise: float = 4
) -> Image.Image:
    """Photograph a print lying on a table: perspective, uneven light, slight blur and noise.

    Parameters
    ----------
    image, rng : RGB image, random generator
    tilt : float
        How far a corner moves inwards at most, as a share of the side.
    light : float
        How much lighter one side is than the middle, and darker the other.
    noise : float
        Standard deviation in levels.
    """
    inset = rng.uniform(0.03, tilt, (4, 2))
    seen = see_from(image, inset, Image.new("RGB", image.size, (112, 84, 60)))
    pixels = np.asarray(seen.filter(ImageFilter.GaussianBlur(0.7)), np.float64)
    lit = 1 + light * np.linspace(-1, 1, image.width)[None, :, None] * rng.choice([-1, 1])
    noisy = pixels * lit + rng.normal(0, noise, pixels.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _resized(image: Image.Image, factor: float) -> Image.Image:
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return image.resize(size, Image.Resampling.BILINEAR)
