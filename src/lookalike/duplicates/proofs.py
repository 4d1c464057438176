"""Pairs of a gallery's contents -> their proofs: worked out by worker processes, and kept in the gallery."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from lookalike.duplicates.pair_workers import (
    BeyondTask,
    Extracted,
    FileFacts,
    GroundTask,
    KeypointTask,
    LookTask,
    PixelTask,
    Task,
    TaskWorker,
    VerifyTask,
)
from lookalike.features.keypoints import KEYPOINTS, RECIPE, Keypoints, from_bytes
from lookalike.media.files import is_own_file
from lookalike.media.folders import is_in
from lookalike.proving.closer import CLOSER_LOOK, with_look
from lookalike.proving.grounds import place_on_ground
from lookalike.proving.verify import VERIFICATION
from lookalike.records.beyond import BEYOND, Beyond
from lookalike.records.codec import from_json, to_json
from lookalike.records.failure import Failure
from lookalike.records.progress import Progress, ProgressCallback
from lookalike.records.proof import Proof, Rows, rounded_rows
from lookalike.settings import Settings
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store
from lookalike.workers.pool import WorkerPool
from lookalike.workers.tasks import Failed, Job

_MAX_PAIRS_A_TASK = 64
_BATCH_SECONDS = 1.0
_NOTHING_KEPT = (
    "it looks like a picture that is there, but is away, and was never proven while it was there: look for "
    "duplicates once while its disk is connected."
)
_OPAQUE_FORMATS = frozenset(("jpeg", "raw", "bmp", "ppm"))

Pair = tuple[int, int]  # of content ids, the smaller first


def pair_of(first: int, second: int) -> Pair:
    """Return two content ids as the name of their pair."""
    return min(first, second), max(first, second)


@lru_cache(4096)
def _parse(outcome: str) -> Proof:
    return from_json(Proof, outcome)


class Proofs:
    """What is known of pairs of contents, and how it becomes known.

    Keypoints and outcomes are kept in the gallery as they are found, so an interrupted run goes on where it
    stopped and a second one is quick.

    Parameters
    ----------
    store, settings : the gallery, and how to work
    on_progress : called with `Progress` now and then

    Attributes
    ----------
    contents : the files that are there, by content id; what was put away since is no duplicate any more
    away : the files that lie in places that are away, by content id
    verdicts : what a person has said of pairs: True where they are duplicates
    on_progress : as given; `ignore_progress` in its place while a few pairs at a time are worked out
    n_compared : pairs that were worked out, and not known before
    failed : files that could not be read
    """

    def __init__(
        self, store: Store, settings: Settings, on_progress: ProgressCallback, places_away: Sequence[str] = ()
    ) -> None:
        self._store = store
        self._settings = settings
        self.on_progress = on_progress
        self._pool: WorkerPool[Task, Any] = WorkerPool(
            Job(settings, (), store.folder), settings.n_workers, TaskWorker, are_dear=True
        )
        self._with_keypoints = store.features.ids_with(RECIPE)
        self._known: dict[Pair, str] = {}  # as JSON, which takes a tenth of the memory
        self._looked: dict[Pair, str] = {}  # what a closer look says of some of them
        self._unreadable: set[int] = set()
        self._beyond: dict[int, Beyond] = {}
        self._known_away: dict[Pair, str] = {}
        self.contents: dict[int, list[FoundPicture]] = {}
        self.away: dict[int, list[FoundPicture]] = {}
        for picture in store.files.iter_found():
            if is_own_file(picture.path):
                self.contents.setdefault(picture.content_id, []).append(picture)
            elif is_in(picture.path, places_away):
                self.away.setdefault(picture.content_id, []).append(picture)
        ids = {pictures[0].digest: content_id for content_id, pictures in self.contents.items()}
        self.verdicts = {
            pair_of(ids[first], ids[second]): verdict
            for (first, second), verdict in store.people.verdicts().items()
            if first in ids and second in ids
        }
        self._different: dict[int, set[int]] = {}
        for (first, second), are_duplicates in self.verdicts.items():
            if not are_duplicates:
                self._different.setdefault(first, set()).add(second)
                self._different.setdefault(second, set()).add(first)
        self.n_compared = 0
        self.failed: list[Failure] = []

    def __enter__(self) -> Proofs:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss_workers()

    def dismiss_workers(self) -> None:
        """Let the worker processes go, and their memory; the next task starts others."""
        self._pool.dismiss()

    def between(self, first: int, second: int) -> Proof | None:
        """Return the proof of a pair, as far as it was worked out; its first is the smaller id."""
        pair = pair_of(first, second)
        outcome = self._looked.get(pair) or self._known.get(pair)
        return None if outcome is None else _parse(outcome)

    def called_different(self, content_id: int) -> set[int]:
        """Return the contents that a person has called different from this one."""
        return self._different.get(content_id, set())

    def pairs(self) -> list[Pair]:
        """Return the pairs that were worked out."""
        return list(self._known)

    def prove(self, pairs: Iterable[Pair]) -> None:
        """Work out these pairs, as far as they are not known yet and nobody has called them different."""
        wanted = [pair for pair in pairs if pair not in self._known and self.verdicts.get(pair, True)]
        if not wanted:
            return
        kept = self._store.pairs.kept(VERIFICATION, wanted)
        self._known.update((pair, sys.intern(outcome)) for pair, outcome in kept.items())
        self._looked.update(self._store.pairs.kept(CLOSER_LOOK, wanted))
        wanted = [pair for pair in wanted if pair not in kept]
        self.n_compared += len(wanted)
        if wanted:
            self.extract({content_id for pair in wanted for content_id in pair})
            self._verify(wanted)
            self._verify_on_grounds(wanted)
            self._compare_pixels(wanted)

    def prove_away(self, pairs: Sequence[Pair]) -> None:
        """Work out pairs of which one is away, by the keypoints that are kept of it; nobody can look closer."""
        said = self._store.people.verdicts()
        pairs = [pair for pair in pairs if said.get(self._digests_of(pair), True)]
        both = {one for pair in pairs for one in pair}
        self.extract(both & self.contents.keys())
        for one in sorted(both - self.contents.keys() - self._with_keypoints):
            self.failed.append(Failure(self.away[one][0].path, "read", _NOTHING_KEPT))
        wanted = [pair for pair in pairs if self._with_keypoints.issuperset(pair)]
        known = self._store.pairs.kept(VERIFICATION, wanted)
        self._verify([pair for pair in wanted if pair not in known])
        known.update((pair, self._known.pop(pair)) for pair in wanted if pair in self._known)
        self._known_away = known

    def _digests_of(self, pair: Pair) -> tuple[bytes, bytes]:
        """Return the digests of two contents, the smaller first, as people's words are kept."""
        first, second = sorted((self.contents.get(one) or self.away[one])[0].digest for one in pair)
        return first, second

    def with_away(self) -> Iterator[tuple[int, int, Proof]]:
        """Yield what is there, what is away, and the proof of both in this order."""
        for (first, second), outcome in self._known_away.items():
            proof = _parse(outcome)
            if first in self.contents:
                yield first, second, proof
            else:
                files = self.away[first][0], self.contents[second][0]
                sizes = ((one.width_px, one.height_px) for one in files)
                yield second, first, proof.turned(*sizes)

    def look_closer(self, pairs: Iterable[Pair]) -> bool:
        """Look in full size at those of these pairs that are copies from afar; return whether there were any.

        What is found becomes their proof. A pair that cannot be looked at is not proven.
        """
        wanted = [pair for pair in pairs if pair not in self._looked and self._is_copy(pair)]
        tasks = []
        for pair in sorted(set(wanted)):
            first, second = (self.contents[content_id][0] for content_id in pair)
            rows = _parse(self._known[pair]).matrix
            if rows is not None:
                tasks.append(LookTask(pair, FileFacts.of(first), FileFacts.of(second), rows))
        for answers in self.run("details", tasks):
            with self._store.batch() as batch:
                for answer in answers:
                    if isinstance(answer, Failed):
                        self._fail_to_look(answer)
                        continue
                    task, look = answer
                    self._looked[task.pair] = to_json(with_look(_parse(self._known[task.pair]), look))
                    first_id, second_id = task.pair
                    batch.put_verified(first_id, second_id, CLOSER_LOOK, self._looked[task.pair])
        return bool(tasks)

    def _is_copy(self, pair: Pair) -> bool:
        outcome = self._known.get(pair)
        return outcome is not None and _parse(outcome).relation == "copy"

    def _fail_to_look(self, failed: Failed[LookTask]) -> None:
        proof = _parse(self._known[failed.task.pair])
        note = f"could not be looked at closely: {failed.reason}"
        self._looked[failed.task.pair] = to_json(replace(proof, relation="similar", note=note))

    def extract(self, content_ids: Iterable[int]) -> None:
        """Compute and keep the keypoints that these contents lack."""
        lacking = sorted(set(content_ids) - self._with_keypoints - self._unreadable)
        tasks = []
        for content_id in lacking:
            picture = self.contents[content_id][0]
            tasks.append(KeypointTask(content_id, FileFacts.of(picture)))
        for answers in self.run("keypoints", tasks):
            with self._store.batch() as batch:
                for answer in answers:
                    if isinstance(answer, Extracted):
                        batch.add_feature(answer.content_id, RECIPE, answer.data)
                        self._with_keypoints.add(answer.content_id)
                    else:
                        self._fail(answer)

    def iter_keypoints(self) -> Iterator[tuple[int, Keypoints]]:
        """Yield the content ids and keypoints that are kept, one at a time."""
        kept = self._store.features.iter_of(RECIPE)
        return ((content_id, from_bytes(data)) for content_id, data in kept if content_id in self.contents)

    def keypoints_of(self, content_id: int) -> Keypoints | None:
        """Return the kept keypoints of one content, if there are any."""
        data = self._store.features.of(content_id, [RECIPE]).get(KEYPOINTS)
        return None if data is None else from_bytes(data)

    def look_beyond(self, content_ids: Iterable[int]) -> None:
        """Find out what these contents hold beyond their first picture in opaque sRGB, and keep it."""
        lacking = sorted(set(content_ids) - self._beyond.keys() - self._unreadable)
        tasks = []
        for content_id in lacking:
            data = self._store.features.of(content_id, [BEYOND]).get(BEYOND.feature)
            if data is not None:
                self._beyond[content_id] = Beyond.from_bytes(data)
            else:
                tasks.append(BeyondTask(content_id, FileFacts.of(self.contents[content_id][0])))
        for answers in self.run("beyond", tasks):
            with self._store.batch() as batch:
                for answer in answers:
                    if isinstance(answer, Extracted):
                        batch.add_feature(answer.content_id, BEYOND, answer.data)
                        self._beyond[answer.content_id] = Beyond.from_bytes(answer.data)
                    else:
                        self._fail(answer)

    def beyond_of(self, content_id: int) -> Beyond | None:
        """Return what a content holds beyond its first picture in opaque sRGB; None where it cannot be read.

        Ask `look_beyond` for many at once before: worker processes then share the work.
        """
        self.look_beyond([content_id])
        return self._beyond.get(content_id)

    def run(self, stage: str, tasks: Sequence[Task]) -> Iterator[list[Any]]:
        """Yield the answers to tasks of `TaskWorker`, those of about a second at a time, reporting progress."""
        if not tasks:
            return
        self.on_progress(Progress(stage, 0, len(tasks)))
        waiting: list[Any] = []
        flushed_at = time.monotonic()
        for n_done, answer in enumerate(self._pool.run(tasks), 1):
            waiting.append(answer)
            if time.monotonic() - flushed_at > _BATCH_SECONDS:
                yield waiting
                waiting, flushed_at = [], time.monotonic()
            self.on_progress(Progress(stage, n_done, len(tasks)))
        yield waiting

    def note_gone(self, path: str) -> None:
        """Note that a file went meanwhile, in place of whatever came of it."""
        gone = Failure(path, "read", "the file was deleted or moved while duplicates were looked for")
        self.failed = [*(one for one in self.failed if one.path != path), gone]

    def _fail(self, failed: Failed[KeypointTask] | Failed[BeyondTask]) -> None:
        self._unreadable.add(failed.task.content_id)
        self.failed.append(Failure(failed.task.file.path, failed.stage, failed.reason))

    def _fail_to_compare(self, failed: Failed[VerifyTask]) -> None:
        reason = f"it was not compared with {len(failed.task.second_ids)} others: {failed.reason}"
        path = (self.contents.get(failed.task.first_id) or self.away[failed.task.first_id])[0].path
        self.failed.append(Failure(path, failed.stage, reason))

    def _verify(self, pairs: Sequence[Pair]) -> None:
        by_first: dict[int, list[int]] = {}
        for first, second in pairs:
            by_first.setdefault(first, []).append(second)
        n_at_once = min(_MAX_PAIRS_A_TASK, math.ceil(len(pairs) / (4 * self._settings.n_workers)))
        tasks = [
            VerifyTask(first, tuple(seconds[start : start + n_at_once]))
            for first, seconds in by_first.items()
            for start in range(0, len(seconds), n_at_once)
        ]
        for answers in self.run("verify", tasks):
            with self._store.batch() as batch:
                for answer in answers:
                    if isinstance(answer, Failed):
                        self._fail_to_compare(answer)
                        continue
                    for first, second, outcome in answer:
                        batch.put_verified(first, second, VERIFICATION, outcome)
                        self._known[first, second] = sys.intern(outcome)  # most pairs have nothing in common

    def _verify_on_grounds(self, pairs: Sequence[Pair]) -> None:
        """Verify again on the ground of the other one what is transparent alone of a pair."""
        placed = {pair: rows for pair in pairs if (rows := self._placed_on_another_ground(pair))}
        self.look_beyond({content_id for pair in placed for content_id in pair})
        tasks = []
        for pair, rows in placed.items():
            beyond = [self._beyond.get(content_id) for content_id in pair]
            if sum(one is not None and one.has_transparency for one in beyond) == 1:
                first, second = (FileFacts.of(self.contents[content_id][0]) for content_id in pair)
                tasks.append(GroundTask(pair, first, second, rows))
        for answers in self.run("verify", tasks):
            with self._store.batch() as batch:
                for answer in answers:
                    if isinstance(answer, Failed):
                        continue
                    task, proof = answer
                    if proof.is_copy:  # equal pixels on one ground are a copy on two
                        first_id, second_id = task.pair
                        self._known[task.pair] = to_json(replace(proof, relation="copy"))
                        batch.put_verified(first_id, second_id, VERIFICATION, self._known[task.pair])

    def _placed_on_another_ground(self, pair: Pair) -> Rows | None:
        outcome = self._known.get(pair)
        first, second = (self.contents[content_id][0] for content_id in pair)
        if outcome is None or {first.format, second.format} <= _OPAQUE_FORMATS:
            return None
        sizes = (first.width_px, first.height_px), (second.width_px, second.height_px)
        placing = place_on_ground(_parse(outcome), *sizes)
        return None if placing is None else rounded_rows(placing)

    def _compare_pixels(self, pairs: Sequence[Pair]) -> None:
        """Raise copies of one size that agree perfectly to `same_pixels`, where all pixels are equal."""
        tasks: dict[PixelTask, Pair] = {}
        for pair in pairs:
            first, second = (self.contents[content_id][0] for content_id in pair)
            same_size = (first.width_px, first.height_px) == (second.width_px, second.height_px)
            proof = self.between(*pair)
            if proof is not None and proof.is_copy and same_size and proof.agreement > 0.95:
                tasks[PixelTask(FileFacts.of(first), FileFacts.of(second))] = pair
        for answers in self.run("pixels", list(tasks)):
            with self._store.batch() as batch:
                for answer in answers:
                    is_equal = not isinstance(answer, Failed) and answer[1]
                    pair = tasks[answer.task if isinstance(answer, Failed) else answer[0]]
                    proof = replace(_parse(self._known[pair]), relation="copy")
                    self._known[pair] = to_json(_as_equal(proof) if is_equal else proof)
                    batch.put_verified(*pair, VERIFICATION, self._known[pair])


def _as_equal(proof: Proof) -> Proof:
    return replace(
        proof,
        relation="same_pixels",
        method="pixels",
        transform="none",
        contains="equal",
        agreement=1.0,
    )
