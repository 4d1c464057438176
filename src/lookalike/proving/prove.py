"""Prove the matches of a search: verify each, and rank what is proven before what is not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from lookalike.errors import InputError, PictureError, StoreError
from lookalike.features import keypoints
from lookalike.features.keypoints import Keypoints
from lookalike.proving.verify import verify
from lookalike.queries.query import Query
from lookalike.queries.reader import PictureReader
from lookalike.queries.source import Source
from lookalike.records.calibration import Origin, WayCalibration
from lookalike.records.picture import Picture
from lookalike.records.proof import Proof
from lookalike.records.relation import LADDER
from lookalike.searching.searcher import Match
from lookalike.settings import Settings
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store


def verify_matches(
    query: Query,
    matches: Sequence[Match],
    store: Store,
    calibrated: tuple[WayCalibration, Origin] | None = None,
) -> list[Match]:
    """Return the matches with their proofs: proven relations first, closest first, then by score.

    Where the proof is `calibrated`, the probability of a match is that of its proof.

    A match whose file cannot be read any more keeps its place among the unproven.
    """
    if query.reader is None:
        raise InputError(
            "this query has no pixels that a match could be proven against: ask without a proof."
        )
    proven = [_prove(query, match, store, query.reader) for match in matches]
    if calibrated is not None:
        proven = [_weigh(match, calibrated[0]) for match in proven]
    return sorted(proven, key=lambda match: (LADDER.index(match.relation), -match.score))


def _prove(query: Query, match: Match, store: Store, reader: PictureReader) -> Match:
    if match.relation == "same_file":
        return replace(match, proof=Proof("same_file", "digest"))
    try:
        found = verify(query.keypoints, load_keypoints(match.picture, store, reader))
    except PictureError as error:
        return replace(match, why=f"{match.why}; not verified: {error}")
    proof = found.proof
    if query.box is not None:
        proof = proof.moved(query.box.corner_px(query.size_px))
    if found.relation in ("same_pixels", "copy", "same_scene"):
        words = f"{found.n_inliers} points agree" if found.method == "keypoints" else "the pixels agree"
        why = f"{words}: {found.transform}" if found.transform else words
        return replace(match, relation=found.relation, proof=proof, why=f"{why}; {match.why}")
    return replace(match, proof=proof)


def _weigh(match: Match, calibrated: WayCalibration) -> Match:
    if match.proof is None or match.relation == "same_file":
        return match
    return replace(match, probability=calibrated.map.probability(match.proof.score))


def load_keypoints(picture: FoundPicture, store: Store, reader: PictureReader) -> Keypoints:
    """Return the keypoints of an indexed picture: those that are kept, else new ones, which are then kept.

    Raises
    ------
    PictureError    there are none yet, and the file cannot be read or was changed
    """
    data = store.features.of(picture.content_id, [keypoints.RECIPE]).get(keypoints.KEYPOINTS)
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
