"""What worker processes do for duplicates: keypoints, relations of pairs, and a closer look at a few."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.duplicates.details import MAX_DETAIL_PX, find_difference
from lookalike.errors import ReadError
from lookalike.features import keypoints
from lookalike.media.beyond import find_beyond, have_equal_pixels
from lookalike.media.decode import count_frames, decode
from lookalike.media.files import read_file
from lookalike.proving.prove import read_unchanged
from lookalike.proving.verify import verify
from lookalike.records.arrays import UInt8Array
from lookalike.records.codec import to_json
from lookalike.records.geometry import linear_scale, scaling
from lookalike.settings import Settings
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store
from lookalike.workers.tasks import Job

_KEPT_IN_MEMORY = 128  # pictures: about 0.5 MB each


@dataclass(frozen=True)
class FileFacts:
    """One file as a task names it: where it is, what it must still hold, and its size in pixels."""

    path: str
    digest: bytes
    width_px: int
    height_px: int

    @classmethod
    def of(cls, picture: FoundPicture) -> FileFacts:
        """Return the facts of an indexed file."""
        return cls(picture.path, picture.digest, picture.width_px, picture.height_px)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.width_px, self.height_px


@dataclass(frozen=True)
class KeypointTask:
    """Extract the keypoints of one content."""

    content_id: int
    file: FileFacts


@dataclass(frozen=True)
class BeyondTask:
    """Look what one content holds beyond its first picture in opaque sRGB."""

    content_id: int
    file: FileFacts


@dataclass(frozen=True)
class VerifyTask:
    """Verify one content against a few others."""

    first_id: int
    second_ids: tuple[int, ...]


@dataclass(frozen=True)
class PixelTask:
    """Tell whether all decoded pixels of two files are equal."""

    first: FileFacts
    second: FileFacts


@dataclass(frozen=True)
class DetailTask:
    """Say what a member shows or holds that its keeper does not.

    The `matrix` leads from the keeper's pixels to the member's, row by row; None where the placement is not
    known or all pixels are equal: then only the member's frames are counted.
    """

    keeper: FileFacts
    member: FileFacts
    matrix: tuple[tuple[float, ...], ...] | None


Task = KeypointTask | BeyondTask | VerifyTask | PixelTask | DetailTask


@dataclass(frozen=True)
class Extracted:
    """What was computed of one content, in its stored form."""

    content_id: int
    data: bytes


class KeypointWorker:
    """Turns a `KeypointTask` into `Extracted`."""

    def __init__(self, job: Job) -> None:
        self._settings = job.settings

    def __call__(self, task: KeypointTask) -> Extracted:
        """Extract the keypoints of one picture; raise PictureError."""
        picture = read_unchanged(
            task.file.path, task.file.digest, self._settings, min_side_px=keypoints.KEYPOINT_MIN_SIDE_PX
        )
        found = keypoints.extract_keypoints(picture.image, (picture.width_px, picture.height_px))
        return Extracted(task.content_id, keypoints.to_bytes(found))


class BeyondWorker:
    """Turns a `BeyondTask` into `Extracted`, as by `find_beyond`."""

    def __init__(self, job: Job) -> None:
        self._settings = job.settings

    def __call__(self, task: BeyondTask) -> Extracted:
        """Look into one file; raise PictureError."""
        found = find_beyond(_read_unchanged_bytes(task.file, self._settings), settings=self._settings)
        return Extracted(task.content_id, found.to_bytes())


class PairWorker:
    """Turns a `VerifyTask` into a list of (first, second, outcome as JSON)."""

    def __init__(self, job: Job) -> None:
        self._store = Store(job.gallery, read_only=True)
        self._load = lru_cache(_KEPT_IN_MEMORY)(self._load_keypoints)

    def _load_keypoints(self, content_id: int) -> keypoints.Keypoints | None:
        data = self._store.features.of(content_id, [keypoints.RECIPE]).get(keypoints.KEYPOINTS)
        return None if data is None else keypoints.from_bytes(data)

    def __call__(self, task: VerifyTask) -> list[tuple[int, int, str]]:
        """Verify one picture against a few others; pairs without keypoints are left out."""
        outcomes = []
        for second_id in task.second_ids:
            first, second = self._load(task.first_id), self._load(second_id)
            if first is not None and second is not None:
                outcomes.append((task.first_id, second_id, to_json(verify(first, second).proof)))
        return outcomes


class PixelWorker:
    """Tells for a `PixelTask` whether the files are equal in every pixel, as they hold it.

    Of files of several pictures only the first is decoded: one that holds more than the other is not equal.
    """

    def __init__(self, job: Job) -> None:
        self._settings = job.settings

    def __call__(self, task: PixelTask) -> tuple[PixelTask, bool]:
        """Decode both pictures in full and compare them; raise PictureError."""
        first, second = (_read_unchanged_bytes(file, self._settings) for file in (task.first, task.second))
        n_frames = [count_frames(data, settings=self._settings) for data in (first, second)]
        alike = n_frames[0] == n_frames[1]
        return task, alike and have_equal_pixels(first, second, settings=self._settings)


class DetailWorker:
    """Turns a `DetailTask` into the task and the reason to keep the member; empty where there is none."""

    def __init__(self, job: Job) -> None:
        self._settings = job.settings

    def __call__(self, task: DetailTask) -> tuple[DetailTask, str]:
        """Count the member's frames and lay it over its keeper; raise PictureError."""
        data = _read_unchanged_bytes(task.member, self._settings)
        n_frames = count_frames(data, settings=self._settings)
        if n_frames > 1:
            return task, f"holds {n_frames} pictures, of which only the first was compared"
        return task, "" if task.matrix is None else self._lay_over(task, data, np.array(task.matrix))

    def _lay_over(self, task: DetailTask, data: bytes, matrix: NDArray[np.float64]) -> str:
        keeper_size, member_size = task.keeper.size_px, task.member.size_px
        shrink = min(1.0, MAX_DETAIL_PX / max(member_size))
        middle = (np.array(member_size) - 1) / 2
        shrink_keeper = min(1.0, shrink / linear_scale(np.linalg.inv(matrix), middle))
        member = self._decode(data, member_size, shrink)
        keeper = self._decode(_read_unchanged_bytes(task.keeper, self._settings), keeper_size, shrink_keeper)
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


def _read_unchanged_bytes(of: FileFacts, settings: Settings) -> bytes:
    """Read a file that must still have the digest it was indexed with; raise PictureError."""
    file = read_file(of.path, max_bytes=settings.max_bytes)
    if file.digest != of.digest:
        raise ReadError("the file was changed since it was indexed: run index again.")
    return file.data


_WORKERS: dict[type, Callable[[Job], Callable[[Any], Any]]] = {
    KeypointTask: KeypointWorker,
    BeyondTask: BeyondWorker,
    VerifyTask: PairWorker,
    PixelTask: PixelWorker,
    DetailTask: DetailWorker,
}


class TaskWorker:
    """Does every kind of task, so that one pool of processes serves all stages."""

    def __init__(self, job: Job) -> None:
        self._workers = {kind: make(job) for kind, make in _WORKERS.items()}

    def __call__(self, task: Task) -> Any:
        """Give the task to the worker of its kind."""
        return self._workers[type(task)](task)
