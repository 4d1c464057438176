"""What the copies score with their sources and with strangers, relative to the background of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lookalike.calibration.fit import N_FALSE, Sample
from lookalike.calibration.record import Asked, Example, Judged, Pair, Ranked
from lookalike.searching.worth import find_background, relative_score


def strangers_of(asked: Asked, judged: Judged, way: str) -> tuple[Ranked, NDArray[np.float64]]:
    """Return what each copy scores with strangers, relative to its background, and the backgrounds.

    The source, its copies and what tells nothing are taken out first, as if they were not in the gallery.
    """
    ranked = asked.ranked[way]
    related = (ranked.ids == asked.sources[:, None]) | np.isin(ranked.ids, sorted(judged.untelling))
    pairs = judged.copies | judged.unsettled
    for row in np.flatnonzero(np.isin(asked.sources, [first for first, _ in pairs])):
        source = int(asked.sources[row])
        related[row] |= [(source, int(other)) in pairs for other in ranked.ids[row]]
    order = np.argsort(related, axis=1, kind="stable")
    ids = np.take_along_axis(np.where(related, -1, ranked.ids), order, axis=1)
    scores = np.take_along_axis(np.where(related, np.nan, ranked.scores), order, axis=1)
    backgrounds = _backgrounds(asked, scores)
    return Ranked(ids, relative_score(scores, backgrounds[:, None])), backgrounds


def highest_strangers(asked: Asked, judged: Judged, way: str, n: int) -> list[tuple[Pair, float]]:
    """Return the n pairs of a source and a stranger that score highest in any edit, highest first."""
    strangers, _ = strangers_of(asked, judged, way)
    ids, scores = strangers.ids[:, :N_FALSE], strangers.scores[:, :N_FALSE]
    order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), axis=None, kind="stable")
    found: dict[Pair, float] = {}
    for place in order:
        row, column = divmod(int(place), ids.shape[1])
        if len(found) == n or ids[row, column] < 0:
            break
        pair = int(asked.sources[row]), int(ids[row, column])
        found.setdefault(pair, float(scores[row, column]))
    return list(found.items())


def nearest_strangers(asked: Asked, judged: Judged, n: int) -> dict[int, list[int]]:
    """Return for each source the n strangers that its copies come nearest to, in the main way."""
    drawn = asked.drawn
    strangers, _ = strangers_of(asked, judged, drawn.main_way)
    found: dict[int, dict[int, float]] = {source: {} for source in asked.chosen}
    for source, ids, scores in zip(asked.sources.tolist(), strangers.ids, strangers.scores, strict=True):
        for other, score in zip(ids[:n].tolist(), scores[:n].tolist(), strict=True):
            if other in drawn.pictures:
                found[source][other] = max(score, found[source].get(other, -np.inf))
    return {
        source: sorted(scored, key=lambda other: (-scored[other], other))[:n]
        for source, scored in found.items()
    }


def sample_of_way(asked: Asked, judged: Judged, way: str, recipes: tuple[str, ...]) -> Sample:
    """Return the scores of all copies in one way, whose features have these recipes."""
    ranked = asked.ranked[way]
    own = ranked.ids == asked.sources[:, None]
    best = np.where(own.any(axis=1), np.where(own, ranked.scores, -np.inf).max(axis=1), np.nan)
    strangers, without = strangers_of(asked, judged, way)
    return Sample(
        relative_score(best, _backgrounds(asked, ranked.scores)),
        strangers.scores[:, :N_FALSE],
        asked.sources,
        asked.labels,
        _usual(without),
        recipes,
    )


def examples_of(asked: Asked, judged: Judged, sample: Sample) -> Iterator[Example]:
    """Yield the scored pairs of the main way, true ones and the highest false one of each copy."""
    pictures = asked.drawn.pictures
    strangers, _ = strangers_of(asked, judged, asked.drawn.main_way)
    for row, (source, edit) in enumerate(zip(asked.sources.tolist(), asked.labels, strict=True)):
        if np.isfinite(sample.true[row]):
            yield Example(pictures[source], edit, pictures[source], float(sample.true[row]), is_copy=True)
        other = int(strangers.ids[row, 0])
        if other in pictures:
            score = float(sample.false[row, 0])
            yield Example(pictures[source], edit, pictures[other], score, is_copy=False)


def _backgrounds(asked: Asked, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the background of each row of scores; the usual one where a row has none."""
    n_contents = len(asked.drawn.pictures)
    found = np.array([find_background(row[np.isfinite(row)], n_contents) for row in scores])
    return np.where(np.isfinite(found), found, _usual(found))


def _usual(backgrounds: NDArray[np.float64]) -> float:
    """Return the median background; 0 where the gallery is too small for any."""
    known = backgrounds[np.isfinite(backgrounds)]
    return float(np.median(known)) if len(known) else 0.0
