"""Twenty named edits of a picture: what happens to pictures that are passed on.

Every edit is a function ``(image, rng) -> image`` of RGB pictures; the same seed gives the same edit. The
first seventeen are those of the probe that planned the verification; the last three are a screenshot, a
photo of a print, and a strong colour filter.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

Edit = Callable[[Image.Image, np.random.Generator], Image.Image]


def jpeg_20(image: Image.Image, _: np.random.Generator | None = None) -> Image.Image:
    """Save as JPEG of quality 20."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=20)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def quarter_size(image: Image.Image, _: np.random.Generator | None = None) -> Image.Image:
    """Shrink both sides to a quarter."""
    return image.resize((max(1, image.width // 4), max(1, image.height // 4)), Image.Resampling.LANCZOS)


def crop(share: float) -> Edit:
    """Return an edit that keeps this share of the area, somewhere in the picture."""

    def edit(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        width, height = (max(1, round(side * share**0.5)) for side in image.size)
        left, top = rng.integers(0, image.width - width + 1), rng.integers(0, image.height - height + 1)
        return image.crop((int(left), int(top), int(left) + width, int(top) + height))

    return edit


def pad(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Add a plain border of a fifth of the side all round."""
    border = round(max(image.size) * 0.2)
    return ImageOps.expand(image, border, tuple(int(level) for level in rng.integers(0, 256, 3)))


def rotate(degrees: float) -> Edit:
    """Return an edit that turns the picture within its frame; the corners are cut off and filled black."""

    def edit(image: Image.Image, _: np.random.Generator) -> Image.Image:
        return image.rotate(degrees, Image.Resampling.BICUBIC)

    return edit


def turn_90(image: Image.Image, _: np.random.Generator | None = None) -> Image.Image:
    """Turn a quarter to the left."""
    return image.transpose(Image.Transpose.ROTATE_90)


def mirror(image: Image.Image, _: np.random.Generator | None = None) -> Image.Image:
    """Swap left and right."""
    return ImageOps.mirror(image)


def flip(image: Image.Image, _: np.random.Generator | None = None) -> Image.Image:
    """Swap top and bottom."""
    return ImageOps.flip(image)


def grey(image: Image.Image, _: np.random.Generator | None = None) -> Image.Image:
    """Take the colour out."""
    return image.convert("L").convert("RGB")


def gamma_2(image: Image.Image, _: np.random.Generator | None = None) -> Image.Image:
    """Darken by a gamma of 2."""
    return image.point([round(255 * (level / 255) ** 2) for level in range(256)] * 3)


def blur_3(image: Image.Image, _: np.random.Generator | None = None) -> Image.Image:
    """Blur with a Gaussian of 3 pixels."""
    return image.filter(ImageFilter.GaussianBlur(3))


def noise_40(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Add Gaussian noise of 40 levels."""
    pixels = np.asarray(image, np.float32)
    noisy = pixels + rng.normal(0, 40, pixels.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def banner_and_text(image: Image.Image, _: np.random.Generator | None = None) -> Image.Image:
    """Lay a plain banner of a sixth of the height over the bottom, and large text across the middle."""
    edited = image.copy()
    draw = ImageDraw.Draw(edited)
    width, height = image.size
    draw.rectangle((0, height - height // 6, width, height), fill=(20, 20, 20))
    draw.text((width * 0.05, height * 0.86), "SUMMER SALE", fill="white", font_size=height / 10)
    draw.text((width * 0.1, height * 0.4), "lookalike", fill=(255, 255, 0), font_size=width / 6)
    return edited


def collage(neighbours: list[Image.Image]) -> Edit:
    """Return an edit that puts the picture into one of the four cells of a collage with neighbours."""

    def edit(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        width, height = image.size
        sheet = Image.new("RGB", (width, height), "white")
        others = rng.choice(len(neighbours), 3, replace=False)
        pictures = [image, *(neighbours[other] for other in others)]
        cell = (width // 2, height // 2)
        for place, which in enumerate(rng.permutation(4)):
            fitted = ImageOps.fit(pictures[which], cell) if which else image.resize(cell)
            sheet.paste(fitted, (place % 2 * cell[0], place // 2 * cell[1]))
        return sheet

    return edit


def screenshot(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Show the picture at 80 % in a window: title bar above, buttons below, page colour around."""
    shown = image.resize((round(image.width * 0.8), round(image.height * 0.8)), Image.Resampling.BILINEAR)
    width, height = round(shown.width * 1.2), round(shown.height * 1.4)
    page = Image.new("RGB", (width, height), (244, 244, 246))
    draw = ImageDraw.Draw(page)
    bar = height // 12
    draw.rectangle((0, 0, width, bar), fill=(38, 50, 72))
    draw.text((bar / 2, bar / 4), "Photos   12:41", fill="white", font_size=bar / 2)
    for button in range(5):
        left = width * (button + 0.5) / 5
        draw.ellipse((left - bar / 3, height - bar, left + bar / 3, height - bar / 3), fill=(90, 96, 110))
    page.paste(shown, ((width - shown.width) // 2, bar + (height - 2 * bar - shown.height) // 2))
    return jpeg_20(page) if rng.random() < 0.3 else page


def photo_of_print(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Photograph a print lying on a table: perspective, uneven light, slight blur and noise."""
    width, height = image.size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    inset = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * rng.uniform(0.03, 0.14, (4, 2))
    seen = corners + inset * (width, height)
    table = Image.new("RGB", image.size, (112, 84, 60))
    coefficients = _perspective(seen, corners)
    options = (Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    printed = image.transform(image.size, *options)
    mask = Image.new("L", image.size, 255).transform(image.size, *options)
    table.paste(printed, mask=mask)
    pixels = np.asarray(table.filter(ImageFilter.GaussianBlur(0.7)), np.float64)
    light = 1 + 0.25 * np.linspace(-1, 1, width)[None, :, None] * rng.choice([-1, 1])
    return Image.fromarray(np.clip(pixels * light + rng.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8))


def _perspective(seen: np.ndarray, corners: np.ndarray) -> list[float]:
    """Return Pillow's eight coefficients, which lead from the seen corners to the picture's own."""
    rows, values = [], []
    for (x, y), (u, v) in zip(seen, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(number) for number in np.linalg.solve(np.array(rows), np.array(values))]


def colour_filter(image: Image.Image, _: np.random.Generator | None = None) -> Image.Image:
    """Lay a strong warm filter over it: mixed channels, lifted shadows, less contrast."""
    mix = np.array([[0.75, 0.35, 0.1], [0.2, 0.6, 0.1], [0.1, 0.2, 0.35]])
    pixels = np.asarray(image, np.float64) @ mix.T * 0.8 + (45, 20, 40)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def named_edits(neighbours: list[Image.Image]) -> dict[str, Edit]:
    """Return the twenty edits by name; a collage takes its other pictures from the neighbours."""
    return {
        "jpeg 20": jpeg_20,
        "1/4 size": quarter_size,
        "crop 90 %": crop(0.9),
        "crop 50 %": crop(0.5),
        "crop 25 %": crop(0.25),
        "pad .2": pad,
        "4 deg": rotate(4),
        "25 deg": rotate(25),
        "90 deg": turn_90,
        "mirror": mirror,
        "flip": flip,
        "grey": grey,
        "gamma 2": gamma_2,
        "blur 3": blur_3,
        "noise 40": noise_40,
        "banner + text": banner_and_text,
        "1 of 4 in a collage": collage(neighbours),
        "screenshot": screenshot,
        "photo of a print": photo_of_print,
        "colour filter": colour_filter,
    }
