"""From every pixel layout and colour space to opaque 8-bit sRGB.

`flatten` takes away alpha, palettes and odd depths; `to_srgb` then applies the colour profile. They are
two steps so that a large picture can be reduced between them. ImageCms is loaded only for the pictures
that need it.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

MAX_PROFILE_BYTES = 4_000_000
"""Larger profiles are ignored. The largest in common use, of CMYK presses, have some 2.5 MB."""

UNCHANGED_LEVELS = 2
"""A profile that moves no sample colour by more levels than this is sRGB by another name."""

CLIPPED_LEVELS = 12
"""A pure colour that comes back from sRGB by more levels off was clipped; rounding moves it by a few."""

_MODE_OF_SPACE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def flatten(image: Image.Image) -> Image.Image:
    """Return the picture without alpha, palette or odd depth, in its own colour space.

    Transparent parts lie over white, as on a page. Depths beyond 8 bits are scaled: 16-bit integers by
    dropping their low byte, which is what Pillow does for 16-bit colour; for 32-bit integers and
    floats see `scale_to_uint8`. Lab becomes sRGB at once, as its numbers cannot be averaged in place.

    Parameters
    ----------
    image : PIL image, any mode

    Returns
    -------
    PIL image of mode L, RGB or CMYK    `image` itself where nothing has to change
    """
    mode = image.mode
    if mode in ("RGB", "L"):
        return _over_white(image) if "transparency" in image.info else image
    if mode == "CMYK":
        return image
    if mode.startswith("I;16"):
        return _flatten_16_bit(image)
    if mode in ("I", "F"):
        return Image.fromarray(scale_to_uint8(np.asarray(image)))
    if mode == "1":
        return image.convert("L")
    if mode == "LAB":
        return _lab_to_srgb(image)
    if mode in ("LA", "La", "RGBA", "RGBa", "PA") or (mode == "P" and "transparency" in image.info):
        return _over_white(image)
    return image.convert("RGB")


def _over_white(image: Image.Image) -> Image.Image:
    """Blend the picture over white; where it is opaque its levels stay exactly as they are."""
    grey = image.mode in ("L", "LA", "La")
    # Pillow converts premultiplied La only to LA, and RGBa only to RGBA.
    layered = image if image.mode in ("LA", "RGBA") else image.convert("LA" if grey else "RGBA")
    alpha = layered.getchannel("A")
    picture = layered.convert("L" if grey else "RGB")
    if alpha.getextrema() == (255, 255):
        return picture
    page = Image.new(picture.mode, picture.size, "white")
    page.paste(picture, mask=alpha)
    return page


def _flatten_16_bit(image: Image.Image) -> Image.Image:
    levels = np.asarray(image)
    eight_bit = (levels >> 8).astype(np.uint8)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        eight_bit[levels == transparent] = 255
    return Image.fromarray(eight_bit)


def scale_to_uint8(levels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale 32-bit integers or floats, which declare no range, to 0-255 by the range they use.

    Parameters
    ----------
    levels : int32 or float32 array, any shape    values that are not finite count as 0

    Returns
    -------
    uint8 array of the same shape    floats within 0-1 are taken as fractions; within 0-255 as 8-bit
                                     levels; within 0-65535 as 16-bit levels; anything else, such as
                                     heights or temperatures, is stretched from its lowest to highest
    """
    values = np.nan_to_num(levels.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 65535:
        values = (values - low) / ((high - low) or 1) * 255  # of one level alone, all becomes black
    elif high <= 1 and levels.dtype.kind == "f":
        values = values * 255
    elif high > 255:
        values = values / 257
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _lab_to_srgb(image: Image.Image) -> Image.Image:
    from PIL import ImageCms  # loaded only where it is needed: it costs as much as the rest of Pillow

    return ImageCms.applyTransform(image, _lab_transform()) or image.convert("RGB")


@lru_cache(maxsize=1)
def _lab_transform() -> ImageCmsTransform:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)


def to_srgb(image: Image.Image, profile: object) -> Image.Image:
    """Bring a flattened picture to sRGB.

    A profile that is broken, too large or of another colour space than the picture is ignored, as every
    viewer does; so is one that amounts to sRGB, whose pixels therefore stay exact. CMYK without a
    profile is converted by the plain formula.

    Parameters
    ----------
    image : PIL image of mode L, RGB or CMYK    as `flatten` returns it
    profile : bytes or None                     the ICC profile of the file

    Returns
    -------
    PIL image of mode RGB
    """
    if isinstance(profile, bytes) and 0 < len(profile) <= MAX_PROFILE_BYTES:
        transform = _profile_transform(profile, image.mode)
        if transform is not None:
            from PIL import ImageCms

            source = image if image.mode == transform.input_mode else image.convert(transform.input_mode)
            converted = ImageCms.applyTransform(source, transform)
            if converted is not None:
                return converted
    return image if image.mode == "RGB" else image.convert("RGB")


@lru_cache(maxsize=16)
def _profile_transform(profile: bytes, mode: str) -> ImageCmsTransform | None:
    """Return the transform to sRGB of pictures in `mode`, or None where they shall stay as they are.

    Cameras and editors write few different profiles, so that nearly every picture finds its own here.
    """
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        needed = _MODE_OF_SPACE.get(source.profile.xcolor_space.strip())
        if needed is None or (needed != mode and (mode, needed) != ("L", "RGB")):
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            needed,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,  # with black point compensation: what browsers do
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return transform if _changes_colors(transform) else None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=16)
def exceeds_srgb(profile: object) -> bool:
    """Whether an ICC profile holds colours beyond sRGB, so that they are clipped where it is converted.

    Its own pure colours are brought to sRGB and back; those that do not come back are beyond. CMYK and grey count
    as within: what they lose is of another kind.
    """
    if not isinstance(profile, bytes) or not 0 < len(profile) <= MAX_PROFILE_BYTES:
        return False
    there = _profile_transform(profile, "RGB")
    if there is None:
        return False
    from PIL import ImageCms

    try:
        source, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        back = ImageCms.buildTransform(srgb, source, "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
        pure = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 255, 255]]], np.uint8)
        converted = ImageCms.applyTransform(Image.fromarray(pure), there)
        returned = None if converted is None else ImageCms.applyTransform(converted, back)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False
    return returned is not None and bool(np.abs(np.asarray(returned, np.int16) - pure).max() > CLIPPED_LEVELS)


def _changes_colors(transform: ImageCmsTransform) -> bool:
    """Try a transform on the 256 greys, or on a cube of 9 x 9 x 9 colours."""
    from PIL import ImageCms

    if transform.input_mode == "CMYK":
        return True
    if transform.input_mode == "L":
        sample = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    else:
        cube = np.stack(np.meshgrid(*[np.linspace(0, 255, 9)] * 3), axis=-1)
        sample = Image.fromarray(np.rint(cube).astype(np.uint8).reshape(27, 27, 3))
    after = ImageCms.applyTransform(sample, transform)
    before = np.asarray(sample.convert("RGB"), dtype=np.int16)
    return bool(np.abs(np.asarray(after, dtype=np.int16) - before).max() > UNCHANGED_LEVELS)
