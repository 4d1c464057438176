"""How good is each way of searching on a data set? Index, ask, keep the answers, score them from the files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lookalike.edits import Edit, graded_edits, perception_edits, standard_edits
from lookalike.errors import InputError, PictureError
from lookalike.evaluation.answers import answer_all, index_data
from lookalike.evaluation.costs import Cost, measure_costs
from lookalike.evaluation.datasets import DataSet, list_pictures, load_dataset
from lookalike.evaluation.datasets.copies import write_edits
from lookalike.evaluation.scores import Scores, find_truth, score
from lookalike.media.decode import decode
from lookalike.media.folders import is_in
from lookalike.records.progress import Progress, ProgressCallback, ignore_progress
from lookalike.searching.ways import find_way
from lookalike.searching.ways import ways as all_ways
from lookalike.settings import Settings

DEPTH = 1000  # answers kept of each query of a data set
EDITS_DEPTH = 100  # the same of an edited copy, which has one right answer
N_SOURCES = 100  # pictures that edits are made of, unless told otherwise
N_NEIGHBOURS = 12  # pictures left out of the gallery to fill the other cells of collages
COPIES_QUALITY = 92  # JPEG; so good that it does not count beside the edit, a tenth of the size of PNG
COPIES_MAX_SIDE_PX = 1024

EDIT_SETS = {"all": graded_edits, "standard": standard_edits, "perception": perception_edits}
"""The collections of edits that can be evaluated, by name."""


@dataclass(frozen=True)
class WayResult:
    """How good one way is, and what it costs."""

    by: str
    scores: Scores
    cost: Cost


@dataclass(frozen=True)
class Evaluation:
    """The answer of `evaluate`.

    Parameters
    ----------
    data : DataSet
    depth : int
        Answers kept of each query; what lies beyond counts as not found.
    results : tuple of WayResult
        In the order in which the ways were asked for.
    n_failed_queries : int
        Queries that could not be read.
    n_failed_pictures : int
        Gallery pictures that could not be read; they cannot be found.
    n_without_positives : int
        Queries with nothing to find; they are left out of the means.
    """

    data: DataSet
    depth: int
    results: tuple[WayResult, ...]
    n_failed_queries: int
    n_failed_pictures: int
    n_without_positives: int


def parse_ways(text: str, settings: Settings) -> tuple[str, ...]:
    """Return the ways of a text such as ``auto,phash``, each once; ``all`` is every way.

    Raises
    ------
    InputError
        An unknown way, or none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError("no way to search is named: give --by all, or some, such as --by auto,phash.")
    found: dict[str, None] = {}
    for name in names:
        if name == "all":
            found.update(dict.fromkeys(all_ways(settings)))
        else:
            find_way(name, settings)
            found[name] = None
    return tuple(found)


def evaluate(
    data: DataSet,
    ways: Sequence[str],
    out: str | os.PathLike[str],
    settings: Settings,
    *,
    depth: int | None = None,
    seed: int = 0,
    on_progress: ProgressCallback = ignore_progress,
) -> Evaluation:
    """Evaluate ways of searching on a data set.

    Parameters
    ----------
    data : DataSet
        See `load_dataset`, `make_edited` and `take_queries`.
    ways : names
        See `parse_ways`.
    out : folder
        Gets the gallery and the predictions; the same call goes on with what is there.
    settings : Settings
    depth : int or None
        Answers to keep of each query; None: 1000, or 100 for edited copies.
    seed : int
        Of the bootstrap and of the sample whose costs are measured.
    on_progress : callable
        Called with `Progress` now and then.

    Raises
    ------
    InputError
        Nothing can be read, or `out` holds predictions of another configuration.
    OutputError
        The predictions cannot be written.
    """
    depth = depth or (EDITS_DEPTH if data.edits else DEPTH)
    depth = min(depth, len(data.gallery))
    place = Path(out)
    with index_data(data, place / "gallery", ways, settings, on_progress) as indexed:
        predictions = answer_all(indexed, ways, place / "predictions", depth=depth, on_progress=on_progress)
        costs = measure_costs(indexed, ways, seed=seed, on_progress=on_progress)
        truth = find_truth(indexed)
        n_failed_pictures = len(indexed.failed)
    results = []
    for n_done, by in enumerate(ways):
        on_progress(Progress("score", n_done, len(ways)))
        results.append(WayResult(by, score(predictions[by], truth, data, seed=seed), costs[by]))
    on_progress(Progress("score", len(ways), len(ways)))
    failed = predictions[ways[0]].failed
    return Evaluation(
        data,
        depth,
        tuple(results),
        int(failed.sum()),
        n_failed_pictures,
        int(np.count_nonzero((truth.n_relevant == 0) & ~failed)),
    )


def load_data(data: str | os.PathLike[str], *, layout: str | None, limit: int | None, seed: int) -> DataSet:
    """Read a data set, and take a seeded sample of its queries where there is a limit; raise InputError."""
    found = load_dataset(data, layout=layout)
    return found if limit is None else take_queries(found, limit, seed=seed)


def take_queries(data: DataSet, limit: int, *, seed: int) -> DataSet:
    """Return the data set with at most so many of its queries, a seeded sample; the gallery stays whole."""
    if limit < 1:
        raise InputError(f"limit = {limit} makes no sense: take at least one query.")
    if limit >= len(data.queries):
        return data
    chosen = np.random.default_rng(seed).choice(len(data.queries), limit, replace=False)
    queries = tuple(data.queries[place] for place in sorted(chosen))
    return replace(
        data,
        queries=queries,
        positives={query: data.positives[query] for query in queries},
        ignored={query: data.ignored[query] for query in queries if query in data.ignored},
        edits={query: data.edits[query] for query in queries if query in data.edits},
        boxes={query: data.boxes[query] for query in queries if query in data.boxes},
    )


def make_edited(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    settings: Settings,
    *,
    edits: Sequence[Edit] | None = None,
    limit: int | None = None,
    seed: int = 0,
    on_progress: ProgressCallback = ignore_progress,
) -> DataSet:
    """Make edited copies of a seeded sample of a folder's pictures: they ask, and their source is right.

    Parameters
    ----------
    folder : folder
        All its pictures are searched in, but for a few that fill the cells of collages.
    out : folder
        Gets the copies; the same call keeps those that are there.
    edits : sequence of Edit, or None
        None takes all of `graded_edits`.
    limit : int or None
        How many pictures to make copies of; None: 100.

    Raises
    ------
    InputError
        The folder holds fewer than two pictures that can be read.
    """
    root = Path(os.path.abspath(folder))
    if not root.is_dir():
        raise InputError(f"there is no folder {os.fspath(folder)!r}: give the folder of pictures to edit.")
    limit = N_SOURCES if limit is None else limit
    if limit < 1:
        raise InputError(f"limit = {limit} makes no sense: make copies of at least one picture.")
    copies = Path(os.path.abspath(out)) / "copies"
    names = [
        name for name in list_pictures(root) if not is_in(os.fspath(root / name), [os.path.abspath(out)])
    ]
    paths = [root / name for name in np.random.default_rng(seed).permutation(np.array(names, object))]
    n_neighbours = min(N_NEIGHBOURS, len(paths) // 4)
    readable = _first_readable(paths, n_neighbours + limit, settings)
    neighbours, sources = readable[:n_neighbours], readable[n_neighbours:]
    taken = set(readable)
    distractors = [path for path in paths if path not in taken]
    if len(sources) + len(distractors) < 2 or not sources:
        raise InputError(f"{root} holds too few pictures that can be read: there must be at least two.")
    written = write_edits(
        sources,
        copies,
        edits=edits,
        distractors=distractors,
        neighbours=neighbours,
        seed=seed,
        jpeg_quality=COPIES_QUALITY,
        max_side_px=COPIES_MAX_SIDE_PX,
        settings=settings,
        on_progress=on_progress,
    )
    if not written.n_copies:
        raise InputError(f"not one picture of {root} can be edited: {written.failed[0][1]}")
    return replace(load_dataset(written.ground_truth), name=root.name)


def _first_readable(paths: Sequence[Path], n: int, settings: Settings) -> list[Path]:
    """Return the first n pictures that can be decoded."""
    found: list[Path] = []
    for path in paths:
        if len(found) == n:
            break
        try:
            decode(path, min_side_px=COPIES_MAX_SIDE_PX, settings=settings)
        except PictureError:
            continue
        found.append(path)
    return found
