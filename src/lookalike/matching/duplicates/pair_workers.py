"""What worker processes do for duplicates: keypoints of one picture, relations of a few pairs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lookalike.errors import PictureError
from lookalike.features import keypoints
from lookalike.matching.verification.proving import proof_document, read_unchanged
from lookalike.matching.verification.verify import verify
from lookalike.records import Picture
from lookalike.storage.store import Store
from lookalike.workers.process import Failed, Job

_KEPT_IN_MEMORY = 256


@dataclass(frozen=True)
class Extracted:
    """The keypoints of one content, in their stored form."""

    content_id: int
    data: bytes


class KeypointWorker:
    """Turns a task ``[content id, path, digest]`` into `Extracted` or `Failed`."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, task: str) -> Extracted | Failed:
        """Extract the keypoints of one picture."""
        content_id, path, digest = json.loads(task)
        try:
            picture = read_unchanged(
                path, bytes.fromhex(digest), self._job.settings, min_side_px=keypoints.KEYPOINT_MIN_SIDE_PX
            )
            found = keypoints.extract_keypoints(picture.image, (picture.width_px, picture.height_px))
        except (PictureError, MemoryError) as error:
            return Failed(task, getattr(error, "stage", "limit"), str(error) or "it needs too much memory.")
        return Extracted(content_id, keypoints.to_bytes(found))


class PairWorker:
    """Turns a task ``[first id, [second ids]]`` into a list of (first, second, outcome as JSON)."""

    def __init__(self, job: Job) -> None:
        self._store = Store(job.gallery, read_only=True)
        self._load = lru_cache(_KEPT_IN_MEMORY)(self._load_keypoints)

    def _load_keypoints(self, content_id: int) -> keypoints.Keypoints | None:
        data = self._store.features_of(content_id, [keypoints.RECIPE]).get(keypoints.KEYPOINTS)
        return None if data is None else keypoints.from_bytes(data)

    def __call__(self, task: str) -> list[tuple[int, int, str]]:
        """Verify one picture against a few others; pairs without keypoints are left out."""
        first_id, second_ids = json.loads(task)
        outcomes = []
        for second_id in second_ids:
            first, second = self._load(first_id), self._load(second_id)
            if first is not None and second is not None:
                outcomes.append((first_id, second_id, json.dumps(proof_document(verify(first, second)))))
        return outcomes


class PixelWorker:
    """Tells for a task ``[path, digest, path, digest]`` whether all decoded pixels are equal."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, task: str) -> tuple[str, bool] | Failed:
        """Decode both pictures in full and compare them."""
        first_path, first_digest, second_path, second_digest = json.loads(task)
        try:
            first = self._decode(first_path, first_digest)
            second = self._decode(second_path, second_digest)
        except (PictureError, MemoryError) as error:
            return Failed(task, getattr(error, "stage", "limit"), str(error))
        same_size = first.image.size == second.image.size
        return task, same_size and bool(np.array_equal(first.rgb, second.rgb))

    def _decode(self, path: str, digest: str) -> Picture:
        return read_unchanged(path, bytes.fromhex(digest), self._job.settings, min_side_px=None)
