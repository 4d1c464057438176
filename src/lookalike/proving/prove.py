"""Prove the matches of a search: verify each, and rank what is proven before what is not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from lookalike.errors import InputError, PictureError, StoreError
from lookalike.features import keypoints
from lookalike.features.keypoints import Keypoints
from lookalike.proving.closer import CloserLook, look_closer, with_look
from lookalike.proving.verify import verify
from lookalike.queries.query import Query
from lookalike.queries.reader import LocalReader, PictureReader
from lookalike.queries.source import Box, Source
from lookalike.records.calibration import Origin, WayCalibration
from lookalike.records.proof import Proof, Rows
from lookalike.records.relation import LADDER
from lookalike.searching.searcher import Match
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store

NOT_LOOKED = "not looked at in full size: the file that is asked with is not there now"


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
        proof = verify(query.keypoints, load_keypoints(match.picture, store, reader)).proof
        if proof.is_copy and query.source is None:
            proof = replace(proof, relation="copy", note=NOT_LOOKED)
        elif proof.is_copy and query.source is not None:
            other = Source(match.picture.path, path=match.picture.path, digest=match.picture.digest)
            proof = with_look(proof, reader.run(_look, query.source, query.box, other, proof.matrix))
    except PictureError as error:
        return replace(match, why=f"{match.why}; not verified: {error}")
    if query.box is not None:
        proof = proof.moved(query.box.corner_px(query.size_px))
    if proof.relation in ("same_pixels", "copy", "variant", "same_scene"):
        words = f"{proof.inliers} points agree" if proof.method == "keypoints" else "the pixels agree"
        placed = f"{words}: {proof.transform}" if proof.transform else words
        why = "; ".join(part for part in (placed, proof.note, match.why) if part)
        return replace(match, relation=proof.relation, proof=proof, why=why)
    return replace(match, proof=proof)


def _look(reader: LocalReader, source: Source, box: Box | None, other: Source, matrix: Rows) -> CloserLook:
    """Look at a query and a match in full size, where their pictures are decoded."""
    sights = reader.see(source, box), reader.see(other)
    if sights[0].equals(sights[1], reader.extractor.settings):
        return CloserLook("copy", are_equal=True)
    return look_closer(*sights, np.array(matrix))


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
