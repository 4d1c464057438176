"""Compare two pictures by every measure, and say what they are to each other; each is decoded once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lookalike.features.keypoints import extract_keypoints
from lookalike.features.kinds import BITS, VECTOR, Kind
from lookalike.features.measures import MEASURES
from lookalike.media.sight import Sight
from lookalike.proving.closer import look_closer, with_look
from lookalike.proving.grounds import place_on_ground, verify_on_one_ground
from lookalike.proving.verify import Verification, verify
from lookalike.queries.picture import PictureQuery
from lookalike.queries.reader import LocalReader, PictureReader
from lookalike.queries.source import Source
from lookalike.records.picture import Picture
from lookalike.records.proof import Proof
from lookalike.records.relation import Relation, guess_relation

_NO_WORD = re.compile(r"\W+")


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

    `verification` is what local features say of the pair, `proof` what is printed of it; `sizes_px` are width and
    height of both.
    """

    measures: tuple[Measured, ...]
    relation: Relation
    verdict: str
    proof: Proof
    verification: Verification
    sizes_px: tuple[tuple[int, int], tuple[int, int]]


def compare(first: Source, second: Source, reader: PictureReader) -> Comparison:
    """Compare two pictures, wherever the reader decodes them.

    Raises
    ------
    PictureError
        One of them cannot be read or decoded.
    """
    return reader.run(_compare, first, second)


def _compare(reader: LocalReader, first: Source, second: Source) -> Comparison:
    one, other = (_Side.decode(source, reader) for source in (first, second))
    measures = (*_distances(one, other), *_pixel_measures(one, other))
    found = verify(*(extract_keypoints(side.picture.image, side.size_px) for side in (one, other)))
    proof, reason = _prove(one, other, found, measures)
    verdict = f"{_VERDICTS[proof.relation]} ({reason})."
    return Comparison(measures, proof.relation, verdict, proof, found, (one.size_px, other.size_px))


@dataclass(frozen=True, eq=False)
class _Side:
    """One of the two pictures, decoded in full, and its features."""

    picture: Picture
    digest: bytes | None
    sight: Sight
    query: PictureQuery

    @classmethod
    def decode(cls, source: Source, reader: LocalReader) -> _Side:
        with source.named():
            picture, digest, sight = reader.decode_and_see(source)
        query = PictureQuery(source, reader.extractor, reader.extractor.prepare(picture))
        return cls(picture, digest, sight, query)

    @property
    def size_px(self) -> tuple[int, int]:
        return self.picture.width_px, self.picture.height_px


_VERDICTS: dict[Relation, str] = {
    "same_file": "These are the same file, byte for byte",
    "same_pixels": "These are the same picture: every pixel is equal, only the files differ",
    "copy": "These are one picture, edited",
    "variant": "These are one design with other content, not one picture",
    "same_scene": "These are two shots of one scene, not one picture",
    "similar": "These are different pictures of similar things, as far as can be told",
    "different": "These are different pictures",
}


def _prove(
    first: _Side, second: _Side, found: Verification, measures: Sequence[Measured]
) -> tuple[Proof, str]:
    """Return what is proven, and the reason in words."""
    proof = found.proof
    placing = place_on_ground(proof, first.size_px, second.size_px)
    if placing is not None and (first.sight.opacity is None) != (second.sight.opacity is None):
        grounded = verify_on_one_ground(first.sight, second.sight, placing).proof
        proof = grounded if grounded.is_copy else proof
    if first.digest is not None and first.digest == second.digest:
        return replace(proof, relation="same_file"), "equal SHA-256 digests"
    if first.sight.equals(second.sight, first.query.extractor.settings):
        width, height = first.size_px
        return replace(proof, relation="same_pixels"), f"all {width} x {height} pixels compared"
    if proof.is_copy and proof.placement is not None:
        proof = with_look(proof, look_closer(first.sight, second.sight, proof.placement))
    if proof.relation in ("copy", "variant", "same_scene"):
        return proof, _reason(proof)
    if proof.note:
        return proof, f"one lies on the other, but {proof.note}"
    cosine = next(one.value for one in measures if one.name == "embedding_cosine")
    words = f"embedding cosine {cosine:.3f}, and no placement of one on the other"
    return replace(proof, relation=guess_relation(cosine)), words


def _reason(proof: Proof) -> str:
    points = f"{proof.inliers} points and " if proof.method == "keypoints" else ""
    what = f"{proof.transform}; " if proof.transform else ""
    n = len(proof.differs_first)
    places = f"; they differ in {n} place{'s' * (n > 1)}" if n else ""
    return f"{what}{points}{proof.agreement:.0%} of the overlap agree{places}"


def _distances(first: _Side, second: _Side) -> Iterator[Measured]:
    """Yield every feature by every metric that suits it."""
    for name, feature in first.query.extractor.features.items():
        kind = feature.kind
        rows = [kind.comparable_rows(side.query.row(name)) for side in (first, second)]
        for metric in kind.metrics(8 * rows[0].shape[1]).values():
            distance = float(metric.distance(rows[0], rows[1])[0, 0])
            yield _measured(name, kind, metric.name, distance, metric.span)


def _measured(name: str, kind: Kind, metric: str, distance: float, span: float) -> Measured:
    name = _NO_WORD.sub("_", name)
    if kind is BITS:
        return Measured(f"{name}_bits", int(distance), 0, int(span), is_distance=True)
    label = f"{name}_{metric.replace('-', '_')}"
    if metric in ("cosine", "intersection"):
        return Measured(label, 1 - distance, -1.0 if kind is VECTOR else 0.0, 1.0, is_distance=False)
    return Measured(label, distance, 0.0, span, is_distance=True)


def _pixel_measures(first: _Side, second: _Side) -> Iterator[Measured]:
    """Yield the measures of the two thumbnails, pixel by pixel."""
    pixels = [np.asarray(side.query.prepared.thumbnail) for side in (first, second)]
    ranges = {"pixel_euclidean": (0.0, 255.0 * pixels[0].size ** 0.5), "ssim": (-1.0, 1.0)}
    for name, measure in MEASURES.items():
        lowest, highest = ranges.get(name, (0.0, 1.0))
        value = measure(pixels[0], pixels[1])
        yield Measured(name, value, lowest, highest, is_distance=name == "pixel_euclidean")
