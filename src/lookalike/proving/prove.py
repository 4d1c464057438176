"""Prove the matches of a search: verify each, and rank what is proven before what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from lookalike.errors import PictureError, StoreError
from lookalike.features import keypoints
from lookalike.features.keypoints import Keypoints
from lookalike.proving.verify import Verification, describe_transform, verify
from lookalike.queries.picture import Query
from lookalike.queries.reader import LocalReader, PictureReader
from lookalike.queries.source import Source
from lookalike.records.calibration import Origin, WayCalibration
from lookalike.records.picture import Picture
from lookalike.records.relation import LADDER
from lookalike.searching.searcher import Match
from lookalike.settings import Settings
from lookalike.storage.store import FoundPicture, Store


def verify_matches(
    query: Query,
    matches: Sequence[Match],
    store: Store,
    settings: Settings,
    calibrated: tuple[WayCalibration, Origin] | None = None,
) -> list[Match]:
    """Return the matches with their proofs: proven relations first, closest first, then by score.

    Where the proof is `calibrated`, the probability of a match is that of its proof.

    A match whose file cannot be read any more keeps its place among the unproven.
    """
    proven = [_prove(query, match, store, settings) for match in matches]
    if calibrated is not None:
        proven = [_weigh(match, calibrated[0]) for match in proven]
    return sorted(proven, key=lambda match: (LADDER.index(match.relation), -match.score))


def _prove(query: Query, match: Match, store: Store, settings: Settings) -> Match:
    if match.relation == "same_file":
        return replace(match, proof={"relation": "same_file", "method": "digest"})
    try:
        found = verify(query.keypoints, load_keypoints(match.picture, store, _reader_of(query, settings)))
    except PictureError as error:
        return replace(match, why=f"{match.why}; not verified: {error}")
    proof = proof_document(found)
    if query.box is not None:
        proof = move_first(proof, query.box.corner_px(query.size_px))
    if found.relation in ("same_pixels", "copy", "same_scene"):
        words = f"{found.n_inliers} points agree" if found.method == "keypoints" else "the pixels agree"
        why = f"{words}: {found.transform}" if found.transform else words
        return replace(match, relation=found.relation, proof=proof, why=f"{why}; {match.why}")
    return replace(match, proof=proof)


def _reader_of(query: Query, settings: Settings) -> PictureReader:
    return query.reader or LocalReader(settings, lambda: query.extractor)


def _weigh(match: Match, calibrated: WayCalibration) -> Match:
    if match.proof is None or match.relation == "same_file":
        return match
    return replace(match, probability=calibrated.map.probability(proof_score(match.proof)))


def load_keypoints(picture: FoundPicture, store: Store, reader: PictureReader) -> Keypoints:
    """Return the keypoints of an indexed picture: those that are kept, else new ones, which are then kept.

    Raises
    ------
    PictureError    there are none yet, and the file cannot be read or was changed
    """
    data = store.features_of(picture.content_id, [keypoints.RECIPE]).get(keypoints.KEYPOINTS)
    if data is not None:
        return keypoints.from_bytes(data)
    source = Source(picture.path, path=picture.path, digest=picture.digest)
    found = reader.keypoints(source, None)
    with suppress(StoreError), store.batch() as batch:  # where it cannot be written it is not kept
        batch.add_feature(picture.content_id, keypoints.RECIPE, keypoints.to_bytes(found))
    return found


def read_unchanged(path: str, digest: bytes, settings: Settings, *, min_side_px: int | None) -> Picture:
    """Decode a file that must still have the digest it was indexed with; raise PictureError."""
    from lookalike.errors import ReadError
    from lookalike.media.decode import decode
    from lookalike.media.files import read_file

    file = read_file(path, max_bytes=settings.max_bytes)
    if file.digest != digest:
        raise ReadError("the file was changed since it was indexed: run index again.")
    return decode(file.data, min_side_px=min_side_px, settings=settings)


def proof_document(found: Verification) -> dict[str, Any]:
    """Return a verification as JSON values: the proof that is printed and kept."""
    return {
        "relation": found.relation,
        "method": found.method,
        "inliers": found.n_inliers,
        "transform": found.transform,
        "agreement": round(float(found.agreement), 4),
        "residual": round(float(found.residual), 4),
        "contains": found.contains,
        "overlap_first": _polygon(found.overlap_first),
        "overlap_second": _polygon(found.overlap_second),
        "matrix": None if found.matrix is None else _rounded(found.matrix),
    }


def proof_score(proof: Mapping[str, Any]) -> float:
    """Return how sure a proof is that two pictures are copies: 1 for equal pixels, 0 where no copy is proven.

    Copies score above a half, the higher the more of the overlap agrees. Another shot of the scene is proven not to
    be a copy, however much of it agrees.
    """
    relation = proof["relation"]
    if relation in ("same_file", "same_pixels"):
        return 1.0
    return 0.5 + 0.499 * float(proof["agreement"]) if relation == "copy" else 0.0


def turn_round(
    proof: dict[str, Any], first_size: tuple[int, int], second_size: tuple[int, int]
) -> dict[str, Any]:
    """Return a proof with first and second exchanged; the sizes are those before the exchange."""
    swapped = {"first": "second", "second": "first"}
    turned = {
        **proof,
        "contains": swapped.get(proof["contains"], proof["contains"]),
        "overlap_first": proof["overlap_second"],
        "overlap_second": proof["overlap_first"],
    }
    if proof["matrix"] is not None:
        inverse = np.linalg.inv(np.array(proof["matrix"]))
        turned["matrix"] = _rounded(inverse / inverse[2, 2])
        turned["transform"] = describe_transform(inverse, second_size, first_size)
    return turned


def move_first(proof: dict[str, Any], corner_px: tuple[float, float]) -> dict[str, Any]:
    """Return the proof of a cut-out in the pixels of the whole picture, of which it begins at this corner."""
    left, top = corner_px
    moved = {**proof, "overlap_first": [[x + left, y + top] for x, y in proof["overlap_first"]]}
    if proof["matrix"] is not None:
        back = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]])
        matrix = np.array(proof["matrix"]) @ back
        moved["matrix"] = _rounded(matrix / matrix[2, 2])
    return moved


def _rounded(matrix: Any) -> list[list[float]]:
    return [[float(f"{value:.7g}") for value in row] for row in np.asarray(matrix).tolist()]


def _polygon(points: Any) -> list[list[float]]:
    return [[round(float(x), 1), round(float(y), 1)] for x, y in points]
