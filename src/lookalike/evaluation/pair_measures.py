"""The measures of a pair of pictures that the experiments compare: those of the published study, and our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Resampling

from lookalike.features import distances, measures
from lookalike.features.color import unpack_histograms
from lookalike.features.extract import Extractor
from lookalike.features.feature import EMBEDDING
from lookalike.features.hashes import ahash, hamming
from lookalike.features.kinds import VECTOR
from lookalike.records.arrays import UInt8Array
from lookalike.records.picture import Picture

SIDE_PX = 128  # to which pixel measures bring both pictures; the published study does not say its own
HASH_SIDE = 16  # 256 bits: with 64 bits many distances are equal, and the order of ties decides

Kind = Literal["published", "ours", "why"]


@dataclass(frozen=True)
class Measure:
    """One way to compare two pictures.

    Parameters
    ----------
    name : str
    how : str
        In words, with what is done to the pictures first.
    prepare : callable
        Decoded picture -> what is compared.
    distance : callable
        Two prepared pictures -> a number, lower for what is more alike.
    kind : Kind
        ``published`` for those of the study, ``ours`` for others that we offer, ``why`` for those
        that only explain a difference.
    """

    name: str
    how: str
    prepare: Callable[[Picture], Any]
    distance: Callable[[Any, Any], float]
    kind: Kind = "published"


def measures_of(extractor: Extractor) -> list[Measure]:
    """Return every measure of a pair, those of the study first."""

    def embed(picture: Picture) -> NDArray[Any]:
        row = extractor.extract_one(EMBEDDING, extractor.prepare(picture))
        return VECTOR.index_rows(row[None])

    def histogram(name: str) -> Callable[[Picture], NDArray[Any]]:
        return lambda picture: unpack_histograms(
            np.asarray(extractor.extract_one(name, extractor.prepare(picture))[None], np.uint8)
        )

    size = f"{SIDE_PX} x {SIDE_PX}"
    return [
        Measure("pixel_euclidean", f"RGB at {size}", _pixels, measures.pixel_euclidean),
        Measure("ssim", f"RGB at {size}, window of 7", _pixels, lambda a, b: -measures.ssim(a, b)),
        Measure("average_hash", f"{HASH_SIDE**2} bits", _average_hash(HASH_SIDE), _bits),
        Measure("pixel_cosine", f"grey at {size}, mean taken off", _centered_grey, _one_minus_dot),
        Measure("deep_euclidean", "EfficientNet-Lite0, 8 bits", embed, _first(distances.unit_euclidean)),
        Measure("deep_cosine", "EfficientNet-Lite0, 8 bits", embed, _first(distances.unit_cosine)),
        *(
            Measure(name, f"{what}, chi-square", histogram(name), _first(distances.chi_square), "ours")
            for name, what in (
                ("rgb", "RGB histogram"),
                ("hsv", "HSV histogram of whole and quarters"),
                ("texture", "local binary patterns and HSV"),
            )
        ),
        Measure(
            "pixel_cosine_plain", f"RGB at {size}", _pixels, lambda a, b: -measures.pixel_cosine(a, b), "why"
        ),
        Measure("average_hash_64", "64 bits", _average_hash(8), _bits, "why"),
        Measure("pixel_euclidean_wrapped", f"RGB at {size}, 8-bit subtraction", _pixels, _wrapped, "why"),
    ]


def _pixels(picture: Picture) -> UInt8Array:
    return np.asarray(picture.image.resize((SIDE_PX, SIDE_PX), Resampling.BILINEAR))


def _centered_grey(picture: Picture) -> NDArray[np.float64]:
    """Return the grey levels less their mean, as a vector of length 1 (of zeros for a plain picture)."""
    grey = picture.image.resize((SIDE_PX, SIDE_PX), Resampling.BILINEAR).convert("L")
    levels = np.asarray(grey, np.float64).ravel()
    levels -= levels.mean()
    return levels / max(float(np.linalg.norm(levels)), 1e-12)


def _one_minus_dot(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return 1 - float(first @ second)


def _average_hash(side: int) -> Callable[[Picture], UInt8Array]:
    return lambda picture: ahash(picture.image, side)[None]


def _bits(first: UInt8Array, second: UInt8Array) -> float:
    return float(hamming(first, second)[0, 0])


def _wrapped(first: UInt8Array, second: UInt8Array) -> float:
    """Return the Euclidean length of differences that wrap around, the error of the published study."""
    return float(np.linalg.norm(first - second))


def _first(distance: Callable[[Any, Any], NDArray[Any]]) -> Callable[[Any, Any], float]:
    """Return the distance of a pair from a function of rows."""
    return lambda first, second: float(distance(first, second)[0, 0])
