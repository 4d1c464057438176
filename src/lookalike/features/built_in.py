"""Hashes and histograms as features: what they compare, in words, and their recipes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lookalike.features.color import Pixels, hsv_pyramid, pack_histogram, rgb_histogram, texture
from lookalike.features.feature import Feature
from lookalike.features.hashes import ahash, dhash, phash, whash
from lookalike.features.kinds import BITS, HISTOGRAM, StoredArray
from lookalike.features.prepared import THUMBNAIL_PX, Prepared
from lookalike.records.arrays import Float32Array, UInt8Array
from lookalike.records.recipe import Recipe
from lookalike.settings import Settings


@dataclass(eq=False)
class HashFeature(Feature):
    """A perceptual hash of a side of `size` bits."""

    name: str
    describes: str
    compute_hash: Callable[..., UInt8Array]
    size: int
    kind = BITS

    @property
    def side_px(self) -> int:
        """Side of the picture that is hashed: 56 pixels for 64 bits; pHash itself needs 4 a bit."""
        return min(THUMBNAIL_PX, 7 * self.size)

    @property
    def recipe(self) -> Recipe:
        """See `Feature`."""
        return Recipe(self.name, 1, {"from_px": self.side_px, "size": self.size})

    def compute(self, given: Prepared) -> StoredArray:
        """Return the packed bits."""
        return self.compute_hash(given.grey(self.side_px), self.size)


@dataclass(eq=False)
class HistogramFeature(Feature):
    """A histogram of the thumbnail at half its size."""

    name: str
    describes: str
    compute_histogram: Callable[[Pixels], Float32Array]
    kind = HISTOGRAM

    @property
    def recipe(self) -> Recipe:
        """See `Feature`."""
        return Recipe(self.name, 1, {"from_px": THUMBNAIL_PX // 2})

    def compute(self, given: Prepared) -> StoredArray:
        """Return the packed histogram."""
        return pack_histogram(self.compute_histogram(given.small))


def hash_features(settings: Settings) -> Iterator[HashFeature]:
    """Yield the hashes. A new one is a function of `lookalike.features.hashes` and an entry here."""
    for name, describes, compute_hash in (
        ("ahash", "which parts are brighter than the mean", ahash),
        ("dhash", "which parts are brighter than their left neighbour", dhash),
        ("phash", "the coarsest frequencies of the picture", phash),
        ("whash", "the coarsest wavelets of the picture", whash),
    ):
        yield HashFeature(name, describes, compute_hash, settings.hash_size)


def histogram_features(_: Settings) -> Iterator[HistogramFeature]:
    """Yield the histograms. A new one is a function of `lookalike.features.color` and an entry here."""
    for name, describes, compute_histogram in (
        ("rgb", "shares of the colours, in RGB", rgb_histogram),
        ("hsv", "shares of the colours, in HSV", hsv_pyramid),
        (
            "texture",
            "shares of the small patterns of light and dark, and as much of the colours, in HSV",
            texture,
        ),
    ):
        yield HistogramFeature(name, describes, compute_histogram)
