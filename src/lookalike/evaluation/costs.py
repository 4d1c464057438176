"""What each way costs: seconds and bytes a picture, seconds a query, measured on a sample.

A picture's seconds are those of reading, decoding and computing the features of this way alone, in one process
(indexing computes all features from one decode, in several processes). A query's seconds run from the file to
the ten best matches.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike.errors import PictureError
from lookalike.evaluation.answers import IndexedData, features_of, load
from lookalike.features.extract import Extractor
from lookalike.media.decode import decode
from lookalike.records.progress import Progress, ProgressCallback
from lookalike.settings import Settings

N_PICTURES = 32
N_QUERIES = 32


@dataclass(frozen=True)
class Cost:
    """Medians over a sample; NaN where nothing of the sample could be read."""

    seconds_per_picture: float
    seconds_per_query: float
    bytes_per_picture: float


def measure_costs(
    indexed: IndexedData, ways: Sequence[str], *, seed: int, on_progress: ProgressCallback
) -> dict[str, Cost]:
    """Measure what each way costs on a seeded sample of the data set's pictures and queries."""
    rng = np.random.default_rng(seed)
    readable = [path for path in indexed.paths if path in indexed.digests]
    pictures = rng.permutation(np.array(readable, object))[:N_PICTURES].tolist()
    queries = rng.permutation(np.array(indexed.data.queries, object))[:N_QUERIES].tolist()
    of_features: dict[tuple[str, ...], tuple[float, float]] = {}
    costs = {}
    for n_done, by in enumerate(ways):
        on_progress(Progress("costs", n_done, len(ways)))
        features = features_of(by, indexed.gallery.settings)
        if features not in of_features:
            of_features[features] = _cost_of_features(features, pictures, indexed.gallery.settings)
        seconds, n_bytes = of_features[features]
        costs[by] = Cost(seconds, _seconds_per_query(indexed, by, queries), n_bytes)
    on_progress(Progress("costs", len(ways), len(ways)))
    return costs


def _cost_of_features(
    features: tuple[str, ...], paths: Sequence[str], settings: Settings
) -> tuple[float, float]:
    """Return the median seconds and bytes of these features of a picture."""
    extractor = Extractor(settings, features, n_threads=settings.n_workers)
    seconds, sizes = [], []
    for path in (*paths[:1], *paths):  # the first loads the model
        started = time.perf_counter()
        try:
            picture = decode(Path(path), min_side_px=extractor.min_side_px, settings=settings)
        except PictureError:
            continue
        rows = extractor.extract(extractor.prepare(picture))
        seconds.append(time.perf_counter() - started)
        sizes.append(sum(row.nbytes for row in rows.values()))
    return _median(seconds[1:]), _median(sizes[1:])


def _seconds_per_query(indexed: IndexedData, by: str, names: Sequence[str]) -> float:
    seconds = []
    for name in (*names[:1], *names):  # the first opens the indexes
        started = time.perf_counter()
        try:
            query = load(indexed, name)
        except PictureError:
            continue
        indexed.gallery.search_loaded(query, by=by)
        seconds.append(time.perf_counter() - started)
    return _median(seconds[1:])


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else float("nan")
