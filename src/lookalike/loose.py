"""Loose pictures, which need no gallery: compare two, draw their comparison, hash one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike.features.extract import Extractor
from lookalike.features.hashes import HASHES, to_hex
from lookalike.queries.reader import LocalReader
from lookalike.queries.source import decode_source, parse_source
from lookalike.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.comparing import Comparison


def compare(first: Any, second: Any, *, settings: Settings | None = None) -> Comparison:
    """Compare two pictures by every measure, and say what they are to each other.

    Parameters
    ----------
    first, second : path, bytes, PIL image, uint8 array or str
        The text may be a ``file:`` URL or ``-`` (standard input).
    settings : Settings or None
        None takes the defaults and the environment.

    Returns
    -------
    Comparison

    Raises
    ------
    PictureError
        One of them cannot be read or decoded.

    Examples
    --------
    >>> compare("Pictures/lake.jpg", "Pictures/lake-small.jpg").relation
    'copy'
    """
    from lookalike.comparing import compare as compare_sources

    settings = settings or Settings.from_environment()
    extractor = Extractor(settings)
    reader = LocalReader(settings, lambda: extractor)
    sources = [parse_source(source, None, max_bytes=settings.max_bytes) for source in (first, second)]
    return compare_sources(sources[0], sources[1], reader)


def draw_comparison(
    first: Any, second: Any, comparison: Comparison, *, settings: Settings | None = None
) -> Image:
    """Return a PIL image of both pictures side by side, with the overlap and the agreeing points."""
    from lookalike.proving.drawing import draw_proof

    settings = settings or Settings.from_environment()
    sources = [parse_source(source, None, max_bytes=settings.max_bytes) for source in (first, second)]
    images = [decode_source(source, settings)[0].image for source in sources]
    return draw_proof(images[0], images[1], comparison.verification, comparison.proof)


def hash_picture(source: Any, *, settings: Settings | None = None) -> dict[str, str]:
    """Return the four hashes of a fully decoded picture as ImageHash's hex text.

    Parameters
    ----------
    source : path, bytes, PIL image, uint8 array or str
        The text may be a ``file:`` URL or ``-`` (standard input).
    settings : Settings or None
        None takes the defaults and the environment.

    Returns
    -------
    dict of str to str
        By the name of the hash.

    Raises
    ------
    PictureError
        It cannot be read or decoded.

    Examples
    --------
    >>> sorted(hash_picture("Pictures/boat.png"))
    ['ahash', 'dhash', 'phash', 'whash']
    """
    settings = settings or Settings.from_environment()
    picture, _ = decode_source(parse_source(source, None, max_bytes=settings.max_bytes), settings)
    size = settings.hash_size
    return {name: to_hex(hash_(picture.image, size), size) for name, hash_ in HASHES.items()}
