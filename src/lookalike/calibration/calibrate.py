"""Learn from a gallery's own pictures what a score is worth: edited copies of some, strangers of the same.

A sample of the pictures is edited, and every edited copy is asked with, as a search would ask. What it scores with
its source are the true pairs, what it scores with the nearest other pictures the false ones. Others that are
proven to be copies of the source, or that a person has called so, are left out of both. So are pictures that are
too small or too plain to be told from others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.calibration.against_shipped import fit_beside
from lookalike.calibration.fitting import N_FALSE, Sample
from lookalike.calibration.telling import MIN_SIDE_PX, is_beyond_proof, is_plain
from lookalike.calibration.workers import (
    CopyTask,
    ProofWorker,
    Proven,
    QueryWorker,
    Scored,
    Setup,
    Untelling,
)
from lookalike.duplicates.find import prove_pairs
from lookalike.duplicates.records import StageCallback, ignore_stage
from lookalike.edits import standard_edits
from lookalike.errors import InputError
from lookalike.features.keypoints import KEYPOINTS, Keypoints, from_bytes
from lookalike.features.keypoints import RECIPE as KEYPOINT_RECIPE
from lookalike.media.files import is_own_file
from lookalike.records.calibration import N_PICTURES, PROOF, Calibration
from lookalike.records.failure import Failure
from lookalike.records.relation import Relation
from lookalike.searching.searcher import AUTO, Searcher
from lookalike.searching.worth import find_background, load_shipped, relative_score
from lookalike.settings import Settings
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store
from lookalike.workers.pool import WorkerPool
from lookalike.workers.tasks import Failed, Job

EDITS_EACH = 10  # of the twenty standard edits; the next picture gets the other ten
PROVEN_EDITS_EACH = 4  # of them, for the proof of duplicates: local features cost ten times as much
N_STRANGERS = 2  # nearest others that each of those is verified against
MIN_PICTURES = 20
N_PROVEN_PAIRS = 100  # of each way: the highest pairs of strangers, which all are verified not to be copies
MAX_ASKED = 10

Pair = tuple[int, int]


@dataclass(frozen=True)
class Doubt:
    """Two different pictures that score like copies; `relation` is what local features say of them."""

    first: FoundPicture
    second: FoundPicture
    score: float
    relation: Relation


Ask = Callable[[Doubt], bool | None]
"""Asks a person whether two pictures are duplicates; None where they do not know."""


@dataclass(frozen=True)
class Example:
    """One scored pair of the default way: an edited copy of `source`, and `other`, which is the source or not."""

    source: FoundPicture
    edit: str
    other: FoundPicture
    score: float
    is_copy: bool


@dataclass(frozen=True)
class CalibrationReport:
    """What a calibration found: the record that is kept, and what it was made from.

    Parameters
    ----------
    calibration : Calibration
    samples : mapping of Sample by way
    examples : tuple of Example    of the way named by `example_way`: every scored pair, the best first
    failed : tuple of Failure      pictures of the sample that could not be used
    n_asked : int                  pairs that a person answered for
    seconds : float
    """

    calibration: Calibration
    samples: Mapping[str, Sample]
    examples: tuple[Example, ...]
    example_way: str
    failed: tuple[Failure, ...]
    n_asked: int
    seconds: float


def calibrate_gallery(
    store: Store,
    settings: Settings,
    searcher: Searcher,
    *,
    n_pictures: int = N_PICTURES,
    edits_each: int = EDITS_EACH,
    seed: int = 0,
    ask: Ask | None = None,
    on_stage: StageCallback = ignore_stage,
) -> CalibrationReport:
    """Calibrate every way that the gallery has the features for, and the proof of duplicates.

    Nothing is kept but keypoints, outcomes of pairs, and what a person answers; the calibration itself is
    returned.

    Raises
    ------
    InputError    the gallery holds fewer than `MIN_PICTURES` pictures that are still there
    """
    started = time.monotonic()
    run = _Run(store, settings, searcher, seed, on_stage)
    run.choose(n_pictures, edits_each)
    run.ask_with_copies()
    run.leave_out_copies()
    n_asked = run.ask_a_person(ask)
    samples = {way: run.sample(way) for way in run.ways}
    samples[PROOF] = run.sample_of_proofs()
    shipped = load_shipped()
    ways = {
        # By the proof files are deleted: there the stricter threshold stands.
        way: fit_beside(sample, shipped.ways.get(way), seed=seed, may_keep=way != PROOF)
        for way, sample in samples.items()
    }
    calibration = Calibration(
        ways=ways,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        made_from=str(store.folder),
        n_contents=len(run.pictures),
        n_pictures=len(run.chosen),
        edits=tuple(edit.label for edit in standard_edits()),
        seed=seed,
        n_left_out=len(run.copies) // 2,
        n_doubtful=len(run.doubts),
        n_untelling=len(run.untelling),
        n_unsettled=len(run.unsettled) // 2,
    )
    return CalibrationReport(
        calibration,
        samples,
        tuple(run.examples()),
        run.main_way,
        tuple(run.failed),
        n_asked,
        time.monotonic() - started,
    )


@dataclass(frozen=True, eq=False)
class _Asked:
    """What all copies scored in one way: row n is that of query n, best first; -1 and nan where there is less."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float64]


class _Run:
    def __init__(
        self, store: Store, settings: Settings, searcher: Searcher, seed: int, on_stage: StageCallback
    ) -> None:
        self._store = store
        self._settings = settings
        self._searcher = searcher
        self._seed = seed
        self._on_stage = on_stage
        self.pictures: dict[int, FoundPicture] = {}
        for picture in store.files.iter_found():
            if picture.content_id not in self.pictures and is_own_file(picture.path):
                self.pictures[picture.content_id] = picture
        self.ways = searcher.calibrated_ways()
        self.failed: list[Failure] = []
        self.copies: set[Pair] = set()  # both orders of each pair
        self.unsettled: set[Pair] = set()  # both orders too
        self.untelling = {
            content_id
            for content_id, picture in self.pictures.items()
            if min(picture.width_px, picture.height_px) < MIN_SIDE_PX
        }
        self.doubts: list[Doubt] = []
        self._relations: dict[Pair, Relation] = {}
        self._edits: dict[int, list[str]] = {}
        self._asked: dict[str, _Asked] = {}
        self._sources = np.empty(0, np.int64)
        self._labels: tuple[str, ...] = ()

    @property
    def main_way(self) -> str:
        """The way whose pairs are shown and asked about: the default one, where the gallery has its features."""
        return AUTO if AUTO in self.ways else self.ways[0]

    @property
    def chosen(self) -> list[int]:
        """The contents that were edited and could be used."""
        return sorted(set(self._sources.tolist()))

    # Asking

    def choose(self, n_pictures: int, edits_each: int) -> None:
        """Draw the sample, and say which edits each picture gets: all edits as often as each other."""
        n_telling = len(self.pictures) - len(self.untelling)
        if n_telling < MIN_PICTURES or not self.ways:
            raise InputError(
                f"the gallery {self._store.folder} holds {n_telling} pictures that are there, searchable and at "
                f"least {MIN_SIDE_PX} pixels wide and high: calibration needs at least {MIN_PICTURES}."
            )
        if n_pictures < MIN_PICTURES:
            raise InputError(f"a sample of {n_pictures} is too small: take at least {MIN_PICTURES} pictures.")
        # In an order that does not depend on when which picture was indexed.
        telling = set(self.pictures) - self.untelling
        ids = np.array(sorted(telling, key=lambda one: self.pictures[one].digest), np.int64)
        rng = np.random.default_rng(self._seed)
        sample = rng.choice(ids, min(n_pictures, len(ids)), replace=False).tolist()
        labels = [edit.label for edit in standard_edits()]
        self._edits = {
            content_id: [labels[(place * edits_each + n) % len(labels)] for n in range(edits_each)]
            for place, content_id in enumerate(sample)
        }

    def ask_with_copies(self) -> None:
        """Have every copy made and asked with."""
        for way in self.ways:
            for feature in self._searcher.features_of(way):
                self._searcher.index(feature)  # written to its cache, from which the workers map it
        work = partial(QueryWorker, Setup(tuple(self.ways), self._seed))
        tasks = [self._task(content_id, labels) for content_id, labels in self._edits.items()]
        scored: list[Scored] = []
        for answer in self._run(work, tasks, "edited copies"):
            if isinstance(answer, Untelling):
                self.untelling.add(answer.content_id)
            else:
                scored += answer
        scored.sort(key=lambda one: (one.content_id, one.edit))
        self._sources = np.array([one.content_id for one in scored], np.int64)
        self._labels = tuple(one.edit for one in scored)
        if len(self.chosen) < 2:
            raise InputError(
                f"of {len(tasks)} pictures {len(self.chosen)} could be read and are not plain: nothing can be "
                "learned."
            )
        self._asked = {way: _stack(scored, way) for way in self.ways}

    def _task(self, content_id: int, labels: Sequence[str], other_ids: Sequence[int] = ()) -> CopyTask:
        picture = self.pictures[content_id]
        return CopyTask(content_id, picture.path, picture.digest, tuple(labels), tuple(other_ids))

    def _run(self, work: Callable[[Job], Any], tasks: list[CopyTask], stage: str) -> Iterator[Any]:
        """Yield the workers' answers; a picture that comes to nothing is a row of `failed`."""
        job = Job(self._settings, (), self._store.folder)
        self._on_stage(stage, 0, len(tasks))
        with WorkerPool[CopyTask, Any](job, min(self._settings.n_workers, len(tasks)), work) as pool:
            for n_done, answer in enumerate(pool.run(tasks), 1):
                if isinstance(answer, Failed):
                    self.failed.append(Failure(answer.task.path, answer.stage, answer.reason))
                else:
                    yield answer
                self._on_stage(stage, n_done, len(tasks))

    # Who is a stranger

    def leave_out_copies(self) -> None:
        """Find the copies among the other pictures: the highest pairs are verified until none of them is one."""
        self._hear_verdicts()
        while wanted := self._unproven():
            proofs, failed = prove_pairs(self._store, self._settings, wanted, on_stage=self._on_stage)
            known = {failure.path for failure in self.failed}
            self.failed += [failure for failure in failed if failure.path not in known]
            for pair in wanted:
                self._relations[pair] = proofs[pair].relation if pair in proofs else "different"
            self._leave_out_plain(wanted)
            for pair in wanted:
                if self.untelling.isdisjoint(pair):
                    self._judge(pair)

    def _leave_out_plain(self, pairs: Sequence[Pair]) -> None:
        for content_id in {one for pair in pairs for one in pair} - self.untelling:
            found = self._keypoints(content_id)
            if found is not None and is_plain(found.view):
                self.untelling.add(content_id)

    def _judge(self, pair: Pair) -> None:
        if self._relations[pair] in ("copy", "same_pixels", "same_file"):
            self._leave_out(pair)
            return
        first, second = (self._keypoints(content_id) for content_id in pair)
        if first is not None and second is not None and is_beyond_proof(first, second):
            self.unsettled |= {pair, pair[::-1]}

    def _keypoints(self, content_id: int) -> Keypoints | None:
        data = self._store.features.of(content_id, [KEYPOINT_RECIPE]).get(KEYPOINTS)
        return None if data is None else from_bytes(data)

    def _hear_verdicts(self) -> None:
        ids = {picture.digest: content_id for content_id, picture in self.pictures.items()}
        for (first, second), is_duplicate in self._store.people.verdicts().items():
            if first in ids and second in ids:
                pair = _pair(ids[first], ids[second])
                self._relations[pair] = "copy" if is_duplicate else "different"
                if is_duplicate:
                    self._leave_out(pair)

    def _leave_out(self, pair: Pair) -> None:
        self.copies |= {pair, pair[::-1]}

    def _unproven(self) -> list[Pair]:
        """Return those of each way's highest pairs of strangers that were not verified yet."""
        wanted: set[Pair] = set()
        for way in self.ways:
            highest = (_pair(*pair) for pair, _ in self._highest_strangers(way, N_PROVEN_PAIRS))
            wanted.update(pair for pair in highest if pair not in self._relations)
        return sorted(wanted)

    def _highest_strangers(self, way: str, n: int) -> list[tuple[Pair, float]]:
        """Return the n pairs of a source and a stranger that score highest in any edit, highest first."""
        strangers, _ = self._strangers(way)
        ids, scores = strangers.ids[:, :N_FALSE], strangers.scores[:, :N_FALSE]
        order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), axis=None, kind="stable")
        found: dict[Pair, float] = {}
        for place in order:
            row, column = divmod(int(place), ids.shape[1])
            if len(found) == n or ids[row, column] < 0:
                break
            pair = int(self._sources[row]), int(ids[row, column])
            found.setdefault(pair, float(scores[row, column]))
        return list(found.items())

    def _strangers(self, way: str) -> tuple[_Asked, NDArray[np.float64]]:
        """Return what each query scores with strangers, relative to its background, and the backgrounds.

        The source, its copies and what tells nothing are taken out first, as if they were not in the gallery.
        """
        asked = self._asked[way]
        related = (asked.ids == self._sources[:, None]) | np.isin(asked.ids, sorted(self.untelling))
        pairs = self.copies | self.unsettled
        for row in np.flatnonzero(np.isin(self._sources, [first for first, _ in pairs])):
            source = int(self._sources[row])
            related[row] |= [(source, int(other)) in pairs for other in asked.ids[row]]
        order = np.argsort(related, axis=1, kind="stable")
        ids = np.take_along_axis(np.where(related, -1, asked.ids), order, axis=1)
        scores = np.take_along_axis(np.where(related, np.nan, asked.scores), order, axis=1)
        backgrounds = self._backgrounds(scores)
        return _Asked(ids, relative_score(scores, backgrounds[:, None])), backgrounds

    def _backgrounds(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the background of each row of scores; the usual one where a row has none."""
        n_contents = len(self.pictures)
        found = np.array([find_background(row[np.isfinite(row)], n_contents) for row in scores])
        return np.where(np.isfinite(found), found, _usual(found))

    # A person's part

    def ask_a_person(self, ask: Ask | None) -> int:
        """Ask about the strangers that score like copies; return how many answers there were.

        Answers are kept as verdicts; what nobody answers for stays a stranger.
        """
        way = self.main_way
        typical = np.nanmedian(self.sample(way).true)
        n_answers = 0
        for (source, other), score in self._highest_strangers(way, N_PROVEN_PAIRS):
            pair = _pair(source, other)
            if score < typical:
                break
            if self._is_decided(pair):
                continue
            doubt = Doubt(
                self.pictures[source], self.pictures[other], score, self._relations.get(pair, "different")
            )
            answer = ask(doubt) if ask is not None and n_answers < MAX_ASKED else None
            if answer is None:
                self.doubts.append(doubt)
                continue
            n_answers += 1
            self._store.people.put_verdict(doubt.first.digest, doubt.second.digest, answer)
            if answer:
                self._leave_out(pair)
        return n_answers

    def _is_decided(self, pair: Pair) -> bool:
        first, second = (self.pictures[content_id].digest for content_id in pair)
        return (min(first, second), max(first, second)) in self._store.people.verdicts()

    # What was learned

    def sample(self, way: str) -> Sample:
        """Return the scores of all copies in one way."""
        asked = self._asked[way]
        own = asked.ids == self._sources[:, None]
        best = np.where(own.any(axis=1), np.where(own, asked.scores, -np.inf).max(axis=1), np.nan)
        backgrounds = self._backgrounds(asked.scores)
        strangers, without = self._strangers(way)
        return Sample(
            relative_score(best, backgrounds),
            strangers.scores[:, :N_FALSE],
            self._sources,
            self._labels,
            _usual(without),
            self._searcher.recipes_of(way),
        )

    def sample_of_proofs(self) -> Sample:
        """Verify some of the copies against their source and the nearest strangers; return what they score."""
        others = self._nearest_strangers()
        pairs = {_pair(source, other) for source, found in others.items() for other in found}
        proofs, _ = prove_pairs(self._store, self._settings, sorted(pairs), on_stage=self._on_stage)
        for pair, proof in proofs.items():
            if proof.is_copy:
                self._leave_out(pair)
        tasks = []
        for place, source in enumerate(sorted(others)):
            labels = self._edits[source]
            step = PROVEN_EDITS_EACH * place
            chosen = [labels[(step + n) % len(labels)] for n in range(min(PROVEN_EDITS_EACH, len(labels)))]
            strangers = [other for other in others[source] if (source, other) not in self.copies]
            tasks.append(self._task(source, chosen, [source, *strangers]))
        work = partial(ProofWorker, Setup(tuple(self.ways), self._seed))
        proven = [one for answer in self._run(work, tasks, "proofs") for one in answer]
        return _sample_of_proofs(proven)

    def _nearest_strangers(self) -> dict[int, list[int]]:
        """Return for each source the strangers that its copies come nearest to, in the main way."""
        strangers, _ = self._strangers(self.main_way)
        found: dict[int, dict[int, float]] = {source: {} for source in self.chosen}
        for source, ids, scores in zip(self._sources.tolist(), strangers.ids, strangers.scores, strict=True):
            for other, score in zip(ids[:N_STRANGERS].tolist(), scores[:N_STRANGERS].tolist(), strict=True):
                if other in self.pictures:
                    found[source][other] = max(score, found[source].get(other, -np.inf))
        return {
            source: sorted(scored, key=lambda other: (-scored[other], other))[:N_STRANGERS]
            for source, scored in found.items()
        }

    def examples(self) -> Iterator[Example]:
        """Yield the scored pairs of the main way, true ones and the highest false one of each query."""
        sample = self.sample(self.main_way)
        strangers, _ = self._strangers(self.main_way)
        for row, (source, edit) in enumerate(zip(self._sources.tolist(), self._labels, strict=True)):
            picture = self.pictures[source]
            if np.isfinite(sample.true[row]):
                yield Example(picture, edit, picture, float(sample.true[row]), is_copy=True)
            other = int(strangers.ids[row, 0])
            if other in self.pictures:
                yield Example(picture, edit, self.pictures[other], float(sample.false[row, 0]), is_copy=False)


def _stack(scored: Sequence[Scored], way: str) -> _Asked:
    n_ranks = max(len(one.ranked[way][0]) for one in scored)
    ids = np.full((len(scored), n_ranks), -1, np.int64)
    scores = np.full((len(scored), n_ranks), np.nan)
    for row, one in enumerate(scored):
        found, values = one.ranked[way]
        ids[row, : len(found)], scores[row, : len(values)] = found, values
    return _Asked(ids, scores)


def _sample_of_proofs(proven: Sequence[Proven]) -> Sample:
    by_query: dict[tuple[int, str], dict[int, float]] = {}
    for one in proven:
        scores = by_query.setdefault((one.content_id, one.edit), {})
        scores[one.other_id] = one.proof.score
    queries = sorted(query for query, scores in by_query.items() if query[0] in scores)
    true = np.array([by_query[query][query[0]] for query in queries], np.float64)
    false = np.full((len(queries), N_STRANGERS), np.nan)
    for row, query in enumerate(queries):
        strange = [score for other, score in by_query[query].items() if other != query[0]]
        false[row, : len(strange)] = sorted(strange, reverse=True)
    sources = np.array([source for source, _ in queries], np.int64)
    return Sample(true, false, sources, tuple(edit for _, edit in queries), 0.0, (KEYPOINT_RECIPE.text,))


def _usual(backgrounds: NDArray[np.float64]) -> float:
    """Return the median background; 0 where the gallery is too small for any."""
    known = backgrounds[np.isfinite(backgrounds)]
    return float(np.median(known)) if len(known) else 0.0


def _pair(first: int, second: int) -> Pair:
    return min(first, second), max(first, second)
