"""What worker processes do for duplicates: keypoints, relations of pairs, and a closer look at a few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lookalike.duplicates.jpeg_steps import Side, luma_of
from lookalike.duplicates.lineage import Lineage, compare_lineage
from lookalike.features import keypoints
from lookalike.media.beyond import find_beyond, have_equal_pixels
from lookalike.media.compression import read_steps
from lookalike.media.decode import count_frames, decode
from lookalike.media.metadata import read_metadata
from lookalike.media.sight import Sight
from lookalike.media.unchanged import read_unchanged, read_unchanged_bytes, see_unchanged
from lookalike.proving.closer import CloserLook, look_closer
from lookalike.proving.grounds import verify_on_one_ground
from lookalike.proving.verify import verify
from lookalike.records.codec import to_json
from lookalike.records.proof import Proof
from lookalike.settings import Settings
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store
from lookalike.workers.tasks import Job

_KEPT_IN_MEMORY = 128  # pictures: about 0.5 MB each
_SEEN_IN_MEMORY = 2  # in full size: a keeper is mostly asked several times in a row


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

    def read(self, settings: Settings) -> bytes:
        """Return the bytes, which must be those that were indexed; raise PictureError."""
        return read_unchanged_bytes(self.path, self.digest, settings)


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
class LookTask:
    """Look in full size for what one of two files shows and the other does not; the matrix is their proof's."""

    pair: tuple[int, int]
    first: FileFacts
    second: FileFacts
    matrix: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class GroundTask:
    """Verify a pair again of which one is transparent, on the ground of the other; the matrix places it roughly."""

    pair: tuple[int, int]
    first: FileFacts
    second: FileFacts
    matrix: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class MetadataTask:
    """Read what one content's file says of its picture beside the pixels."""

    content_id: int
    file: FileFacts


@dataclass(frozen=True)
class LineageTask:
    """Compare two files that are one picture, to see which was made from the other; the matrix as in a proof."""

    first: FileFacts
    second: FileFacts
    matrix: tuple[tuple[float, ...], ...]


Task = MetadataTask | LineageTask | KeypointTask | BeyondTask | VerifyTask | PixelTask | LookTask | GroundTask


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
        found = find_beyond(task.file.read(self._settings), settings=self._settings)
        return Extracted(task.content_id, found.to_bytes())


class MetadataWorker:
    """Turns a `MetadataTask` into `Extracted`, as by `read_metadata`."""

    def __init__(self, job: Job) -> None:
        self._settings = job.settings

    def __call__(self, task: MetadataTask) -> Extracted:
        """Read what a file says; raise PictureError where it cannot be read."""
        found = read_metadata(task.file.read(self._settings), self._settings)
        return Extracted(task.content_id, found.to_bytes())


class LineageWorker:
    """Turns a `LineageTask` into the task and its `Lineage`."""

    def __init__(self, job: Job) -> None:
        self._settings = job.settings

    def __call__(self, task: LineageTask) -> tuple[LineageTask, Lineage]:
        """Decode both files in full and compare them; raise PictureError."""
        first, second = (self._side(file) for file in (task.first, task.second))
        return task, compare_lineage(first, second, np.array(task.matrix))

    def _side(self, file: FileFacts) -> Side:
        data = file.read(self._settings)
        luma = luma_of(decode(data, settings=self._settings).rgb)
        return Side(luma, read_steps(data, self._settings))


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
        first, second = (file.read(self._settings) for file in (task.first, task.second))
        n_frames = [count_frames(data, settings=self._settings) for data in (first, second)]
        alike = n_frames[0] == n_frames[1]
        return task, alike and have_equal_pixels(first, second, settings=self._settings)


class LookWorker:
    """Turns a `LookTask` into the task and a `CloserLook`."""

    def __init__(self, job: Job) -> None:
        self._settings = job.settings
        self._see = lru_cache(_SEEN_IN_MEMORY)(self._read)

    def __call__(self, task: LookTask) -> tuple[LookTask, CloserLook]:
        """Decode both in full and lay them over each other; raise PictureError."""
        return task, look_closer(self._see(task.first), self._see(task.second), np.array(task.matrix))

    def _read(self, file: FileFacts) -> Sight:
        return see_unchanged(file.path, file.digest, self._settings)


class GroundWorker:
    """Turns a `GroundTask` into the task and the `Proof`."""

    def __init__(self, job: Job) -> None:
        self._settings = job.settings

    def __call__(self, task: GroundTask) -> tuple[GroundTask, Proof]:
        """Decode both in full and verify them on one ground; raise PictureError."""
        first, second = (
            see_unchanged(file.path, file.digest, self._settings) for file in (task.first, task.second)
        )
        return task, verify_on_one_ground(first, second, np.array(task.matrix)).proof


_WORKERS: dict[type, Callable[[Job], Callable[[Any], Any]]] = {
    KeypointTask: KeypointWorker,
    BeyondTask: BeyondWorker,
    MetadataTask: MetadataWorker,
    LineageTask: LineageWorker,
    VerifyTask: PairWorker,
    PixelTask: PixelWorker,
    LookTask: LookWorker,
    GroundTask: GroundWorker,
}


class TaskWorker:
    """Does every kind of task, so that one pool of processes serves all stages."""

    def __init__(self, job: Job) -> None:
        self._workers = {kind: make(job) for kind, make in _WORKERS.items()}

    def __call__(self, task: Task) -> Any:
        """Give the task to the worker of its kind."""
        return self._workers[type(task)](task)
