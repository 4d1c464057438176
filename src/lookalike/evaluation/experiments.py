"""The published comparison of five similarity measures, done again: on near-duplicates and on viewpoints.

A group is a folder of pictures of one thing. Its first picture asks for the others among all pictures; the
accuracy is the share of the others among the nearest as many, averaged over the groups. Equal distances are
broken against the measure.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import InputError
from lookalike.evaluation.metrics import r_precision, rank_against_ties
from lookalike.evaluation.pair_measures import HASH_SIDE, SIDE_PX, Kind, Measure, measures_of
from lookalike.features.extract import Extractor
from lookalike.gallery.local import LocalGallery
from lookalike.media.decode import decode
from lookalike.media.walk import iter_files
from lookalike.records.picture import Picture
from lookalike.records.progress import Progress, ProgressCallback, ignore_progress
from lookalike.searching.way import AUTO
from lookalike.settings import Settings

N_DRAWS = 10  # of the viewpoint experiment
N_GROUPS, PER_GROUP = 10, 4  # in each draw, as in the published one

DistancesFrom = Callable[[int, NDArray[np.intp]], NDArray[np.float64]]
"""Gives the distances of the picture at a position to those at others."""


@dataclass(frozen=True)
class Published:
    """What the published comparison says of a measure: accuracies 0 to 1, and seconds a pair."""

    near_duplicates: float
    viewpoint: float
    seconds_per_pair: float


PUBLISHED = {
    "pixel_euclidean": Published(0.0, 0.100, 0.0002),
    "ssim": Published(0.944, 0.133, 0.0413),
    "average_hash": Published(0.903, 0.233, 0.0005),
    "pixel_cosine": Published(1.0, 0.367, 0.001),
    "deep_euclidean": Published(0.986, 0.867, 0.2513),
    "deep_cosine": Published(0.986, 0.833, 0.2417),
}
"""Table of a published comparison of five similarity measures: 96 frames of Fruits360, and 40 photos of 10
scenes. Its deep features are those of EfficientNet-B0."""


@dataclass(frozen=True)
class MeasureResult:
    """How good and how fast one measure is.

    Parameters
    ----------
    accuracy : float
        0 to 1; the mean over draws where there are several.
    accuracy_range : (float, float)
        The least and the largest accuracy of a draw.
    seconds_per_pair : float
        Median, from two decoded pictures to the distance, nothing kept; of ``auto`` reading and
        decoding count too.
    seconds_per_kept_pair : float
        The same where both pictures' features are kept, as a gallery does.
    published_accuracy, published_seconds_per_pair : float or None
        Where the study has the measure.
    """

    measure: str
    how: str
    kind: Kind
    accuracy: float
    accuracy_range: tuple[float, float]
    seconds_per_pair: float
    seconds_per_kept_pair: float
    published_accuracy: float | None = None
    published_seconds_per_pair: float | None = None


@dataclass(frozen=True)
class Comparison:
    """The results of one experiment over folders of pictures.

    `n_pictures` and `n_groups` are those of one draw; `remarks` say where our figures differ, and why.
    """

    experiment: str
    data: str
    n_pictures: int
    n_groups: int
    n_draws: int
    results: tuple[MeasureResult, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class _Draw:
    """Some groups of pictures, as positions in a list of paths; the first of each asks."""

    groups: tuple[tuple[int, ...], ...]

    @property
    def members(self) -> NDArray[np.intp]:
        return np.array([place for group in self.groups for place in group], np.intp)


def five_measures(
    data: str | os.PathLike[str], settings: Settings, *, on_progress: ProgressCallback = ignore_progress
) -> Comparison:
    """Compare the measures on near-duplicates: folders of frames that follow each other.

    Parameters
    ----------
    data : folder
        A folder for each thing, with at least two pictures.
    settings : Settings
    on_progress : callable
        Called with `Progress` now and then; a measure is a stage, and its draws are counted.

    Raises
    ------
    InputError
        Fewer than two groups of at least two pictures.
    PictureError
        A picture cannot be decoded.
    """
    groups = _find_groups(data, at_least=2)
    paths = [path for group in groups for path in group]
    ends = np.cumsum([len(group) for group in groups])
    draw = _Draw(tuple(tuple(range(end - len(g), end)) for g, end in zip(groups, ends, strict=True)))
    results = _measure_all(paths, [draw], settings, on_progress)
    published = [_beside(one, "near_duplicates") for one in results]
    return Comparison(
        "five-measures",
        os.fspath(data),
        len(paths),
        len(groups),
        1,
        tuple(published),
        (
            "The study's frames are of the same collection, but need not be the same frames.",
            "Euclidean: the study subtracts 8-bit numbers, which wrap around (1 - 2 = 255), so that nearly equal "
            "pictures seem far apart. Computed rightly it is as good as the plain cosine; the last row has the "
            "error.",
            "Average hash: with 64 bits so many distances are equal that their order decides; we count ties "
            f"against a measure, and use {HASH_SIDE**2} bits. The study's figure lies between those of the two "
            "orders of ties.",
            "Pixel cosine: of numbers that are never negative all cosines are near 1; we take the mean of the "
            "grey levels off first. The plain cosine of RGB is given below for comparison.",
            f"SSIM: computed in colour at {SIDE_PX} x {SIDE_PX}; the study does not state its size.",
            "Deep features: EfficientNet-Lite0 in 8 bits here, EfficientNet-B0 there. The study's seconds hold "
            "the model's pass for both pictures; so do our seconds a pair, but not those with features kept.",
        ),
    )


def viewpoint(
    data: str | os.PathLike[str],
    settings: Settings,
    *,
    seed: int = 0,
    n_draws: int = N_DRAWS,
    on_progress: ProgressCallback = ignore_progress,
) -> Comparison:
    """Compare the measures on things that are seen from several sides, in seeded draws of 10 x 4 pictures.

    Parameters and errors as `five_measures`, which uses all pictures at once; `seed` chooses the draws.
    """
    groups = _find_groups(data, at_least=PER_GROUP)
    rng = np.random.default_rng(seed)
    place_of: dict[str, int] = {}
    draws = []
    for _ in range(n_draws):
        chosen = rng.choice(len(groups), min(N_GROUPS, len(groups)), replace=False)
        drawn = [rng.choice(groups[which], PER_GROUP, replace=False).tolist() for which in chosen]
        draws.append(
            _Draw(tuple(tuple(place_of.setdefault(path, len(place_of)) for path in g) for g in drawn))
        )
    results = _measure_all(list(place_of), draws, settings, on_progress)
    return Comparison(
        "viewpoint",
        os.fspath(data),
        len(draws[0].members),
        len(draws[0].groups),
        n_draws,
        tuple(_beside(one, "viewpoint") for one in results),
        (
            "The study's 40 photos of 10 scenes are not published: these are other pictures in the same layout, "
            "so the figures show which measures bear a change of viewpoint, not which study is better.",
            f"Accuracy is the mean over {n_draws} draws of {len(draws[0].groups)} x {PER_GROUP} pictures (seed "
            f"{seed}); its range over the draws says how little one such set of pictures tells.",
        ),
    )


def _find_groups(data: str | os.PathLike[str], *, at_least: int) -> list[list[str]]:
    if not os.path.isdir(data):
        raise InputError(f"there is no folder {os.fspath(data)!r}: give one with a folder for each thing.")
    folders: dict[str, list[str]] = {}
    for file in iter_files([data]):
        folders.setdefault(os.path.dirname(file.path), []).append(file.path)
    groups = [paths for _, paths in sorted(folders.items()) if len(paths) >= at_least]
    if len(groups) < 2:
        raise InputError(
            f"{os.fspath(data)!r} has {len(groups)} folders of at least {at_least} pictures, but this experiment "
            "needs two or more: give a folder that holds a folder for each thing."
        )
    return groups


def _beside(result: MeasureResult, column: Literal["near_duplicates", "viewpoint"]) -> MeasureResult:
    """Set what was published beside a result."""
    published = PUBLISHED.get(result.measure)
    if published is None:
        return result
    return replace(
        result,
        published_accuracy=getattr(published, column),
        published_seconds_per_pair=published.seconds_per_pair,
    )


# Measuring


def _measure_all(
    paths: Sequence[str], draws: Sequence[_Draw], settings: Settings, on_progress: ProgressCallback
) -> list[MeasureResult]:
    extractor = Extractor(settings, n_threads=settings.n_workers)
    pictures = [decode(Path(path), min_side_px=extractor.min_side_px, settings=settings) for path in paths]
    results = [_measure_one(measure, pictures, draws, on_progress) for measure in measures_of(extractor)]
    results.append(_measure_auto(paths, draws, settings, on_progress))
    order = ("published", "ours", "why")
    return sorted(results, key=lambda one: order.index(one.kind))


def _measure_one(
    measure: Measure, pictures: Sequence[Picture], draws: Sequence[_Draw], on_progress: ProgressCallback
) -> MeasureResult:
    measure.prepare(pictures[0])  # loads what is loaded once, such as the model
    timed = [_timed(measure.prepare, picture) for picture in pictures]
    prepared = [one for one, _ in timed]
    to_compare: list[float] = []

    def distances_from(query: int, others: NDArray[np.intp]) -> NDArray[np.float64]:
        found = [_timed(measure.distance, prepared[query], prepared[other]) for other in others]
        to_compare.extend(seconds for _, seconds in found)
        return np.array([distance for distance, _ in found])

    accuracies = _accuracies(measure.name, draws, distances_from, on_progress)
    per_pair = float(np.median(to_compare))
    to_prepare = float(np.median([seconds for _, seconds in timed]))
    return _result(measure, accuracies, 2 * to_prepare + per_pair, per_pair)


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Return what the function returns, and its seconds."""
    started = time.perf_counter()
    answer = function(*arguments)
    return answer, time.perf_counter() - started


def _measure_auto(
    paths: Sequence[str], draws: Sequence[_Draw], settings: Settings, on_progress: ProgressCallback
) -> MeasureResult:
    """Measure the default way of searching, which asks a gallery and not a pair."""
    place_of = {path: place for place, path in enumerate(paths)}
    to_load: list[float] = []
    to_search: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalGallery(folder, create=True, settings=settings) as gallery,
    ):
        gallery.add(paths)
        gallery.search(paths[0])  # opens the indexes

        def distances_from(query: int, others: NDArray[np.intp]) -> NDArray[np.float64]:
            loaded, seconds = _timed(gallery.load, paths[query])
            to_load.append(seconds)
            matches, seconds = _timed(partial(gallery.search_loaded, k=len(paths), by=AUTO), loaded)
            to_search.append(seconds)
            found = np.full(len(paths), np.inf)
            for match in matches:
                found[place_of[match.picture.path]] = match.distance
            return found[others]

        accuracies = _accuracies(AUTO, draws, distances_from, on_progress)
    measure = Measure(
        AUTO, "hashes in eight orientations and the embedding, joined", lambda _: None, max, "ours"
    )
    kept = float(np.median(to_search)) / max(1, len(paths) - 1)
    return _result(measure, accuracies, 2 * float(np.median(to_load)) + kept, kept)


def _accuracies(
    name: str, draws: Sequence[_Draw], distances_from: DistancesFrom, on_progress: ProgressCallback
) -> list[float]:
    accuracies = []
    for n_done, draw in enumerate(draws):
        on_progress(Progress(name, n_done, len(draws)))
        accuracies.append(_accuracy(draw, distances_from))
    on_progress(Progress(name, len(draws), len(draws)))
    return accuracies


def _accuracy(draw: _Draw, distances_from: DistancesFrom) -> float:
    """Return the share of each group's others among as many nearest, averaged over the groups."""
    shares = []
    for group in draw.groups:
        others = draw.members[draw.members != group[0]]
        is_wanted = np.isin(others, group[1:])
        ranked = rank_against_ties(-distances_from(group[0], others), is_wanted)
        shares.append(r_precision(ranked[None], [len(group) - 1])[0])
    return float(np.mean(shares))


def _result(
    measure: Measure, accuracies: list[float], per_pair: float, per_kept_pair: float
) -> MeasureResult:
    return MeasureResult(
        measure.name,
        measure.how,
        measure.kind,
        float(np.mean(accuracies)),
        (min(accuracies), max(accuracies)),
        per_pair,
        per_kept_pair,
    )
