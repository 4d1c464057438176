"""Compare two pictures by every measure, and say what they are to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lookalike.features.distances import metrics_of
from lookalike.features.extract import EMBEDDING, for_cache, for_kind, kind_of
from lookalike.features.measures import MEASURES
from lookalike.proving.verify import Verification, verify
from lookalike.queries.picture import Query
from lookalike.records.picture import Picture
from lookalike.records.proof import Proof
from lookalike.records.relation import Relation, guess_relation


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
    """All measures of a pair, their relation with its proof, and a verdict in one sentence.

    `verification` is what local features say of the pair; `proof` what is printed of it.
    """

    measures: tuple[Measured, ...]
    relation: Relation
    verdict: str
    proof: Proof
    verification: Verification


def compare_queries(first: Query, second: Query, pictures: tuple[Picture, Picture]) -> Comparison:
    """Compare two prepared pictures; `pictures` are their full decodes, for equality pixel by pixel."""
    measures = (*_hash_distances(first, second), *_feature_distances(first, second), *_pixels(first, second))
    found = verify(first.keypoints, second.keypoints)
    relation, reason = _relation(first, second, pictures, found, measures)
    proof = replace(found.proof, relation=relation)
    return Comparison(measures, relation, f"{_VERDICTS[relation]} ({reason}).", proof, found)


_VERDICTS: dict[Relation, str] = {
    "same_file": "These are the same file, byte for byte",
    "same_pixels": "These are the same picture: every pixel is equal, only the files differ",
    "copy": "These are one picture, edited",
    "same_scene": "These are two shots of one scene, not one picture",
    "similar": "These are different pictures of similar things, as far as can be told",
    "different": "These are different pictures",
}


def _relation(
    first: Query,
    second: Query,
    pictures: tuple[Picture, Picture],
    found: Verification,
    measures: Sequence[Measured],
) -> tuple[Relation, str]:
    if first.digest is not None and first.digest == second.digest:
        return "same_file", "equal SHA-256 digests"
    if pictures[0].image.size == pictures[1].image.size and np.array_equal(pictures[0].rgb, pictures[1].rgb):
        width, height = pictures[0].image.size
        return "same_pixels", f"all {width} x {height} pixels compared"
    if found.relation in ("same_pixels", "copy", "same_scene"):
        points = f"{found.n_inliers} points and " if found.method == "keypoints" else ""
        relation: Relation = "copy" if found.relation == "same_pixels" else found.relation
        what = f"{found.transform}; " if found.transform else ""
        return relation, f"{what}{points}{found.agreement:.0%} of the overlap agree"
    cosine = next(one.value for one in measures if one.name == "embedding_cosine")
    return guess_relation(cosine), f"embedding cosine {cosine:.3f}, and no placement of one on the other"


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
