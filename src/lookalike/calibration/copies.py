"""What worker processes do for a calibration: make edited copies of one picture, and ask with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.calibration.too_plain import is_plain
from lookalike.edits import Edit, apply_edit, standard_edits
from lookalike.features import keypoints
from lookalike.features.extract import Extractor
from lookalike.media.sight import Sight
from lookalike.media.unchanged import read_unchanged, see_unchanged
from lookalike.proving.closer import look_closer, with_look
from lookalike.proving.verify import verify
from lookalike.queries.picture import PictureQuery
from lookalike.queries.source import Source
from lookalike.records.picture import Picture
from lookalike.records.proof import Proof
from lookalike.searching.searcher import Searcher
from lookalike.settings import Settings
from lookalike.storage.store import Store
from lookalike.workers.tasks import Job

WORKING_SIDE_PX = 512  # shorter side at most, of what is edited: enough for every feature
_SEEN_IN_MEMORY = 3  # in full size: the source of the copies, and its nearest strangers
_ONE_PIXEL = np.zeros((1, 1, 3), np.uint8)  # stands for an edited copy, which no file holds


@dataclass(frozen=True)
class Setup:
    """What all tasks of a calibration have in common.

    Parameters
    ----------
    ways : tuple of str
        Which ways to ask by.
    seed : int
        Of the edits.
    """

    ways: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class CopyTask:
    """Edit one picture of the sample, and ask with the copies; `other_ids` are what a `ProofWorker` verifies."""

    content_id: int
    path: str
    digest: bytes
    labels: tuple[str, ...]
    other_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Untelling:
    """A picture of the sample that is too plain to learn from."""

    content_id: int


@dataclass(frozen=True, eq=False)
class Scored:
    """What one edited copy scored: the best contents by each way, best first."""

    content_id: int
    edit: str
    ranked: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]


@dataclass(frozen=True)
class Proven:
    """How one edited copy of a picture lies to a picture of the gallery."""

    content_id: int
    edit: str
    other_id: int
    proof: Proof


class QueryWorker:
    """Turns a `CopyTask` into a list of `Scored`, one an edit; into `Untelling` where the picture is too plain."""

    def __init__(self, setup: Setup, job: Job) -> None:
        self._setup, self._job = setup, job
        self._extractor = Extractor(job.settings)
        self._searcher = Searcher(Store(job.gallery, read_only=True), lambda: self._extractor)
        # Opens the indexes and loads the model, before the clock of the first task runs.
        self._score(0, {"": Image.fromarray(_ONE_PIXEL)})

    def __call__(self, task: CopyTask) -> list[Scored] | Untelling:
        """Make the copies of one picture and ask with all of them; raise PictureError."""
        image = _decode(task.path, task.digest, self._job.settings)
        if is_plain(np.asarray(image.convert("L"))):
            return Untelling(task.content_id)
        edits = edits_named(task.labels)
        copies = {edit.label: _edit(image, edit, task.digest, self._setup.seed) for edit in edits}
        return self._score(task.content_id, copies)

    def _score(self, content_id: int, copies: dict[str, Image.Image]) -> list[Scored]:
        queries = [self._query(copy) for copy in copies.values()]
        ranked = {way: self._searcher.rank(queries, way) for way in self._setup.ways}
        return [
            Scored(content_id, label, {way: found[place] for way, found in ranked.items()})
            for place, label in enumerate(copies)
        ]

    def _query(self, image: Image.Image) -> PictureQuery:
        picture = Picture(image, image.width, image.height, "pixels")
        return PictureQuery(
            Source("an edited copy", pixels=image), self._extractor, self._extractor.prepare(picture)
        )


class ProofWorker:
    """Turns a `CopyTask` into a list of `Proven`.

    The edits are those that `QueryWorker` makes; each copy is verified against each of the others, and looked at
    in full size where it seems to be a copy, as `duplicates` does.
    """

    def __init__(self, setup: Setup, job: Job) -> None:
        self._setup, self._job = setup, job
        self._store = Store(job.gallery, read_only=True)
        self._see = lru_cache(_SEEN_IN_MEMORY)(self._read)

    def __call__(self, task: CopyTask) -> list[Proven]:
        """Make the copies of one picture and verify each; others without keypoints are left out."""
        image = _decode(task.path, task.digest, self._job.settings)
        others = {other: self._load_keypoints(other) for other in task.other_ids}
        proven = []
        for edit in edits_named(task.labels):
            copy = _edit(image, edit, task.digest, self._setup.seed)
            found = keypoints.extract_keypoints(copy)
            proven += [
                Proven(task.content_id, edit.label, other_id, self._prove(copy, found, other_id, other))
                for other_id, other in others.items()
                if other is not None
            ]
        return proven

    def _prove(
        self, copy: Image.Image, found: keypoints.Keypoints, other_id: int, other: keypoints.Keypoints
    ) -> Proof:
        proof = verify(found, other).proof
        if not proof.is_copy:
            return proof
        sight = Sight(np.asarray(copy.convert("RGB")))
        return with_look(proof, look_closer(sight, self._see(other_id), np.array(proof.matrix)))

    def _read(self, content_id: int) -> Sight:
        file = self._store.files.of([content_id])[content_id][0]
        return see_unchanged(file.path, file.digest, self._job.settings)

    def _load_keypoints(self, content_id: int) -> keypoints.Keypoints | None:
        data = self._store.features.of(content_id, [keypoints.RECIPE]).get(keypoints.KEYPOINTS)
        return None if data is None else keypoints.from_bytes(data)


def edits_named(labels: Sequence[str]) -> list[Edit]:
    """Return the standard edits with these labels, in the order of the labels."""
    known = {edit.label: edit for edit in standard_edits()}
    return [known[label] for label in labels]


def make_copy(path: str, digest: bytes, label: str, *, seed: int, settings: Settings) -> Image.Image:
    """Make one edited copy again, as the workers make it; raise PictureError."""
    (edit,) = edits_named([label])
    return _edit(_decode(path, digest, settings), edit, digest, seed)


def _decode(path: str, digest: bytes, settings: Settings) -> Image.Image:
    """Decode a picture no larger than is needed; raise PictureError."""
    picture = read_unchanged(path, digest, settings, min_side_px=WORKING_SIDE_PX)
    factor = WORKING_SIDE_PX / min(picture.image.size)
    if factor >= 1:
        return picture.image
    width, height = (max(1, round(side * factor)) for side in picture.image.size)
    return picture.image.resize((width, height), Image.Resampling.LANCZOS)


def _edit(image: Image.Image, edit: Edit, digest: bytes, seed: int) -> Image.Image:
    # The other cells of a collage stay plain: a picture of the gallery in them would be found, and rightly.
    return apply_edit(image, edit, seed=seed, key=digest.hex())
