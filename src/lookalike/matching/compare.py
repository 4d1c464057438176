"""Compare two pictures by every measure, and say what they are to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.features.distances import metrics_of
from lookalike.features.extract import EMBEDDING, for_cache, for_kind, kind_of
from lookalike.features.measures import MEASURES
from lookalike.matching.query import ORIENTATIONS, Query
from lookalike.matching.relation import guess_relation
from lookalike.records import Picture, Relation


@dataclass(frozen=True)
class Measured:
    """One measure of a pair: its value, its range, and which way is more alike."""

    name: str
    value: float
    lowest: float
    highest: float
    is_distance: bool


@dataclass(frozen=True)
class Comparison:
    """All measures of a pair, the relation they point to, and a verdict in one sentence."""

    measures: tuple[Measured, ...]
    relation: Relation
    verdict: str


def compare_queries(first: Query, second: Query, pictures: tuple[Picture, Picture]) -> Comparison:
    """Compare two prepared pictures; `pictures` are their full decodes, for equality pixel by pixel."""
    measures = (*_hash_distances(first, second), *_feature_distances(first, second), *_pixels(first, second))
    turned = _turned_hash_distances(first, second)
    orientation = int(turned.sum(axis=0).argmin())
    bits = turned[:, orientation]
    cosine = float((first.turned_embedding(orientation) @ second.turned_embedding(0).T)[0, 0])
    relation, proof = _relation(first, second, pictures, cosine, bits)
    if orientation and relation == "copy":
        proof += f", when the first is {ORIENTATIONS[orientation]}"
    return Comparison(measures, relation, f"{_VERDICTS[relation]} ({proof}).")


_VERDICTS: dict[Relation, str] = {
    "same_file": "These are the same file, byte for byte",
    "same_pixels": "These are the same picture: every pixel is equal, only the files differ",
    "copy": "These look like one picture, edited",
    "same_scene": "These look like two shots of one scene",
    "similar": "These are different pictures of similar things",
    "different": "These are different pictures",
}


def _relation(
    first: Query,
    second: Query,
    pictures: tuple[Picture, Picture],
    cosine: float,
    bits: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[Relation, str]:
    if first.digest is not None and first.digest == second.digest:
        return "same_file", "equal SHA-256 digests"
    if pictures[0].image.size == pictures[1].image.size and np.array_equal(pictures[0].rgb, pictures[1].rgb):
        width, height = pictures[0].image.size
        return "same_pixels", f"all {width} x {height} pixels compared"
    proof = f"pHash {bits[0]:.0f} and dHash {bits[1]:.0f} of 64 bits apart, embedding cosine {cosine:.3f}"
    return guess_relation(cosine), proof


def _turned_hash_distances(first: Query, second: Query) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return pHash and dHash distances in bits of 64 for the eight orientations, shape (2, 8)."""
    bits = np.stack(
        [
            metrics_of("bits")["hamming"].distance(second.feature(name), first.turned_hashes(name))[0]
            for name in ("phash", "dhash")
        ]
    )
    return bits * 64 / first.extractor.settings.hash_size**2


def _hash_distances(first: Query, second: Query) -> list[Measured]:
    n_bits = first.extractor.settings.hash_size**2
    hamming = metrics_of("bits")["hamming"]
    return [
        Measured(
            f"{name}_bits",
            int(hamming.distance(first.feature(name), second.feature(name))[0, 0]),
            0,
            n_bits,
            True,
        )
        for name in ("ahash", "dhash", "phash", "whash")
    ]


def _feature_distances(first: Query, second: Query) -> list[Measured]:
    found = []
    for name in ("rgb", "hsv", "texture", EMBEDDING):
        kind = kind_of(name)
        rows = [for_kind(kind, for_cache(name, query.feature(name))) for query in (first, second)]
        for metric in metrics_of(kind).values():
            distance = float(metric.distance(rows[0], rows[1])[0, 0])
            label = f"{name}_{metric.name.replace('-', '_')}"
            if metric.name in ("cosine", "intersection"):
                lowest = -1.0 if name == EMBEDDING else 0.0
                found.append(Measured(label, 1 - distance, lowest, 1.0, is_distance=False))
            else:
                found.append(Measured(label, distance, 0.0, metric.span, is_distance=True))
    return found


def _pixels(first: Query, second: Query) -> list[Measured]:
    pixels = [np.asarray(query.prepared.thumbnail) for query in (first, second)]
    ranges = {
        "pixel_euclidean": (0.0, 255.0 * pixels[0].size ** 0.5),
        "ssim": (-1.0, 1.0),
    }
    return [
        Measured(
            name,
            measure(pixels[0], pixels[1]),
            *ranges.get(name, (0.0, 1.0)),
            is_distance=name == "pixel_euclidean",
        )
        for name, measure in MEASURES.items()
    ]
