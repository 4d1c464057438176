"""What worker processes do for duplicates: keypoints, relations of pairs, and a closer look at a few.

A task is JSON, and its first word says which of the workers does it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.duplicates.details import MAX_DETAIL_PX, find_difference
from lookalike.errors import PictureError, ReadError
from lookalike.features import keypoints
from lookalike.media.decode import count_frames, decode
from lookalike.media.files import read_file
from lookalike.proving.placement import linear_scale, scaling
from lookalike.proving.prove import proof_document, read_unchanged
from lookalike.proving.verify import verify
from lookalike.records.arrays import UInt8Array
from lookalike.records.picture import Picture
from lookalike.settings import Settings
from lookalike.storage.store import Store
from lookalike.workers.process import Failed, Job

_KEPT_IN_MEMORY = 128  # pictures: about 0.5 MB each


@dataclass(frozen=True)
class Extracted:
    """The keypoints of one content, in their stored form."""

    content_id: int
    data: bytes


class KeypointWorker:
    """Turns a task ``["keypoints", content id, path, digest]`` into `Extracted` or `Failed`."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, task: str) -> Extracted | Failed:
        """Extract the keypoints of one picture."""
        _, content_id, path, digest = json.loads(task)
        try:
            picture = read_unchanged(
                path, bytes.fromhex(digest), self._job.settings, min_side_px=keypoints.KEYPOINT_MIN_SIDE_PX
            )
            found = keypoints.extract_keypoints(picture.image, (picture.width_px, picture.height_px))
        except (PictureError, MemoryError) as error:
            return Failed(task, getattr(error, "stage", "limit"), str(error) or "it needs too much memory.")
        return Extracted(content_id, keypoints.to_bytes(found))


class PairWorker:
    """Turns a task ``["verify", first id, [second ids]]`` into a list of (first, second, outcome as JSON)."""

    def __init__(self, job: Job) -> None:
        self._store = Store(job.gallery, read_only=True)
        self._load = lru_cache(_KEPT_IN_MEMORY)(self._load_keypoints)

    def _load_keypoints(self, content_id: int) -> keypoints.Keypoints | None:
        data = self._store.features_of(content_id, [keypoints.RECIPE]).get(keypoints.KEYPOINTS)
        return None if data is None else keypoints.from_bytes(data)

    def __call__(self, task: str) -> list[tuple[int, int, str]]:
        """Verify one picture against a few others; pairs without keypoints are left out."""
        _, first_id, second_ids = json.loads(task)
        outcomes = []
        for second_id in second_ids:
            first, second = self._load(first_id), self._load(second_id)
            if first is not None and second is not None:
                outcomes.append((first_id, second_id, json.dumps(proof_document(verify(first, second)))))
        return outcomes


class PixelWorker:
    """Tells for a task ``["pixels", path, digest, path, digest]`` whether all decoded pixels are equal.

    Of files of several pictures only the first is decoded: one that holds more than the other is not equal.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, task: str) -> tuple[str, bool] | Failed:
        """Decode both pictures in full and compare them."""
        _, first_path, first_digest, second_path, second_digest = json.loads(task)
        try:
            first, n_first = self._decode(first_path, first_digest)
            second, n_second = self._decode(second_path, second_digest)
        except (PictureError, MemoryError) as error:
            return Failed(task, getattr(error, "stage", "limit"), str(error))
        alike = first.image.size == second.image.size and n_first == n_second
        return task, alike and bool(np.array_equal(first.rgb, second.rgb))

    def _decode(self, path: str, digest: str) -> tuple[Picture, int]:
        data = _read_unchanged_bytes(path, digest, self._job.settings)
        n_frames = count_frames(data, settings=self._job.settings)
        return decode(data, settings=self._job.settings), n_frames


class DetailWorker:
    """Says for a task ``["details", keeper, member, matrix]`` what a member shows that its keeper does not.

    Keeper and member are [path, digest, width, height]; the matrix leads from the keeper's pixels to the
    member's, and is None where the placement is not known or all pixels are equal: then only the member's frames
    are counted.
    """

    def __init__(self, job: Job) -> None:
        self._settings = job.settings

    def __call__(self, task: str) -> tuple[str, str] | Failed:
        """Return the task and the reason to keep the member; empty where there is none."""
        _, keeper, member, matrix = json.loads(task)
        try:
            path, digest, *_ = member
            data = _read_unchanged_bytes(path, digest, self._settings)
            n_frames = count_frames(data, settings=self._settings)
            if n_frames > 1:
                return task, f"holds {n_frames} pictures, of which only the first was compared"
            return task, "" if matrix is None else self._lay_over(keeper, member, data, np.array(matrix))
        except (PictureError, MemoryError) as error:
            return Failed(task, getattr(error, "stage", "limit"), str(error) or "it needs too much memory.")

    def _lay_over(
        self, keeper_facts: list[Any], member_facts: list[Any], data: bytes, matrix: NDArray[np.float64]
    ) -> str:
        path, digest, *_ = keeper_facts
        keeper_size = (keeper_facts[2], keeper_facts[3])
        member_size = (member_facts[2], member_facts[3])
        shrink = min(1.0, MAX_DETAIL_PX / max(member_size))
        middle = (np.array(member_size) - 1) / 2
        shrink_keeper = min(1.0, shrink / linear_scale(np.linalg.inv(matrix), middle))
        member = self._decode(data, member_size, shrink)
        keeper_data = _read_unchanged_bytes(path, digest, self._settings)
        keeper = self._decode(keeper_data, keeper_size, shrink_keeper)
        from_keeper = scaling((keeper.shape[1], keeper.shape[0]), keeper_size)
        to_member = scaling(member_size, (member.shape[1], member.shape[0]))
        found = find_difference(keeper, member, to_member @ matrix @ from_keeper)
        if found is None:
            return "too little of it could be laid over the keeper to look for details"
        if not found.is_own_detail:
            return ""
        return f"differs from the keeper in one place ({found.x_share:.0%}, {found.y_share:.0%})".replace(
            "%", " %"
        )

    def _decode(self, data: bytes, size: tuple[int, int], shrink: float) -> UInt8Array:
        min_side_px = None if shrink >= 1 else max(1, math.ceil(min(size) * shrink))
        return decode(data, min_side_px=min_side_px, settings=self._settings).rgb


def _read_unchanged_bytes(path: str, digest: str, settings: Settings) -> bytes:
    """Read a file that must still have the digest it was indexed with; raise PictureError."""
    file = read_file(path, max_bytes=settings.max_bytes)
    if file.digest.hex() != digest:
        raise ReadError("the file was changed since it was indexed: run index again.")
    return file.data


_WORKERS: dict[str, Callable[[Job], Callable[[str], Any]]] = {
    "keypoints": KeypointWorker,
    "verify": PairWorker,
    "pixels": PixelWorker,
    "details": DetailWorker,
}


class TaskWorker:
    """Does every kind of task, so that one pool of processes serves all stages."""

    def __init__(self, job: Job) -> None:
        self._workers = {kind: make(job) for kind, make in _WORKERS.items()}

    def __call__(self, task: str) -> Any:
        """Give the task to the worker of its kind."""
        return self._workers[json.loads(task)[0]](task)
