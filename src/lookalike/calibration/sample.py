"""Draw pictures of a gallery, have edited copies made of them, and ask with every copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from lookalike.calibration.copies import CopyTask, QueryWorker, Scored, Setup, Untelling
from lookalike.calibration.record import Asked, Drawn, Means, Ranked
from lookalike.calibration.too_plain import MIN_SIDE_PX
from lookalike.edits import standard_edits
from lookalike.errors import InputError
from lookalike.media.files import is_own_file
from lookalike.records.failure import Failure
from lookalike.records.progress import Progress
from lookalike.storage.records import FoundPicture
from lookalike.workers.pool import WorkerPool
from lookalike.workers.tasks import Failed, Job

EDITS_EACH = 10  # of the twenty standard edits; the next picture gets the other ten
MIN_PICTURES = 20


def draw(means: Means, n_pictures: int, edits_each: int, seed: int) -> Drawn:
    """Draw the sample, and say which edits each picture gets: all edits as often as each other.

    Raises
    ------
    InputError
        The gallery, or the sample that was asked for, is too small.
    """
    pictures: dict[int, FoundPicture] = {}
    for picture in means.store.files.iter_found():
        if picture.content_id not in pictures and is_own_file(picture.path):
            pictures[picture.content_id] = picture
    too_small = frozenset(
        content_id
        for content_id, picture in pictures.items()
        if min(picture.width_px, picture.height_px) < MIN_SIDE_PX
    )
    ways = tuple(means.searcher.calibrated_ways())
    n_telling = len(pictures) - len(too_small)
    if n_telling < MIN_PICTURES or not ways:
        raise InputError(
            f"the gallery {means.store.folder} holds {n_telling} pictures that are there, searchable and at "
            f"least {MIN_SIDE_PX} pixels wide and high: calibration needs at least {MIN_PICTURES}."
        )
    if n_pictures < MIN_PICTURES:
        raise InputError(f"a sample of {n_pictures} is too small: take at least {MIN_PICTURES} pictures.")
    # In an order that does not depend on when which picture was indexed.
    ids = np.array(sorted(set(pictures) - too_small, key=lambda one: pictures[one].digest), np.int64)
    sample = np.random.default_rng(seed).choice(ids, min(n_pictures, len(ids)), replace=False).tolist()
    labels = [edit.label for edit in standard_edits()]
    edits = {
        content_id: tuple(labels[(place * edits_each + n) % len(labels)] for n in range(edits_each))
        for place, content_id in enumerate(sample)
    }
    return Drawn(pictures, too_small, edits, ways, seed)


def ask_with_copies(means: Means, drawn: Drawn) -> Asked:
    """Have every copy made and asked with.

    Raises
    ------
    InputError
        Fewer than two pictures can be read and are not plain.
    """
    look_up = means.searcher.look_up()
    for way in drawn.ways:
        for feature in means.searcher.features_of(way):
            look_up.rows(feature)  # written to its cache, from which the workers map it
    tasks = [copy_task(drawn, content_id, labels) for content_id, labels in drawn.edits.items()]
    answers, failed = run_tasks(
        means, partial(QueryWorker, Setup(drawn.ways, drawn.seed)), tasks, "edited copies"
    )
    too_plain = frozenset(one.content_id for one in answers if isinstance(one, Untelling))
    scored: list[Scored] = [one for some in answers if not isinstance(some, Untelling) for one in some]
    scored.sort(key=lambda one: (one.content_id, one.edit))
    sources = np.array([one.content_id for one in scored], np.int64)
    n_usable = len(np.unique(sources))
    if n_usable < 2:
        raise InputError(
            f"of {len(tasks)} pictures {n_usable} could be read and are not plain: nothing can be learned."
        )
    ranked = {way: _stack(scored, way) for way in drawn.ways}
    return Asked(drawn, sources, tuple(one.edit for one in scored), ranked, too_plain, failed)


def copy_task(
    drawn: Drawn, content_id: int, labels: Sequence[str], other_ids: Sequence[int] = ()
) -> CopyTask:
    """Return the task to edit a picture of the sample."""
    picture = drawn.pictures[content_id]
    return CopyTask(content_id, picture.path, picture.digest, tuple(labels), tuple(other_ids))


def run_tasks(
    means: Means, work: Callable[[Job], Callable[[CopyTask], Any]], tasks: Sequence[CopyTask], stage: str
) -> tuple[list[Any], tuple[Failure, ...]]:
    """Return the workers' answers, as they came, and the pictures that came to nothing."""
    answers: list[Any] = []
    failed: list[Failure] = []
    job = Job(means.settings, (), means.store.folder)
    means.on_progress(Progress(stage, 0, len(tasks)))
    with WorkerPool[CopyTask, Any](job, min(means.settings.n_workers, len(tasks)), work) as pool:
        for n_done, answer in enumerate(pool.run(tasks), 1):
            if isinstance(answer, Failed):
                failed.append(Failure(answer.task.path, answer.stage, answer.reason))
            else:
                answers.append(answer)
            means.on_progress(Progress(stage, n_done, len(tasks)))
    return answers, tuple(failed)


def _stack(scored: Sequence[Scored], way: str) -> Ranked:
    n_ranks = max(len(one.ranked[way][0]) for one in scored)
    ids = np.full((len(scored), n_ranks), -1, np.int64)
    scores = np.full((len(scored), n_ranks), np.nan)
    for row, one in enumerate(scored):
        found, values = one.ranked[way]
        ids[row, : len(found)], scores[row, : len(values)] = found, values
    return Ranked(ids, scores)
