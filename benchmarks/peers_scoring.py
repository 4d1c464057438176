"""From features and pairs to what is found: recall at a promised precision, and planted copies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lookalike.evaluation.metrics import recall_at_precision
from peers_pictures import EditedSet


@dataclass(frozen=True)
class Recalls:
    """What one method finds: shares by edit and over all of them, and how many pairs were wrongly called."""

    by_edit: dict[str, float]
    overall: float
    threshold: float
    n_false: int


def score_pairs(pictures: EditedSet, names: Sequence[str], rows: np.ndarray) -> np.ndarray:
    """Return how alike each copy is to each original, shape (c, o); minus infinity without a feature."""
    place = {name: number for number, name in enumerate(names)}
    copies = [place.get(name, -1) for name, _, _ in pictures.copies]
    originals = [place.get(name, -1) for name in pictures.originals]
    if rows.dtype == np.uint8:
        rows = np.unpackbits(rows, axis=1)
        first, second = rows[copies].astype(np.float32), rows[originals].astype(np.float32)
        scores = 2 * first @ second.T - first.sum(axis=1)[:, None] - second.sum(axis=1)[None]
    else:
        unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        scores = unit[copies] @ unit[originals].T
    scores[np.array(copies) < 0] = -np.inf
    scores[:, np.array(originals) < 0] = -np.inf
    return scores


def recall_with_one_threshold(pictures: EditedSet, scores: np.ndarray, precision: float) -> Recalls:
    """Return what one threshold for all edits finds where it keeps the precision over all pairs."""
    owner = np.array([number for _, number, _ in pictures.copies])
    is_own = owner[:, None] == np.arange(scores.shape[1])
    best = recall_at_precision(scores, is_own, int(is_own.sum()), min_precision=precision)
    accepted = scores >= best.threshold
    found = accepted[is_own]
    return Recalls(
        _by_edit(pictures, found), float(found.mean()), best.threshold, int(accepted.sum() - found.sum())
    )


def recall_as_published(pictures: EditedSet, scores: np.ndarray, precision: float) -> Recalls:
    """Return recall as perception's table counts it: a threshold for each edit, another for all together.

    Each copy gives two distances: to its own original and to the nearest of the others. At every distance to
    an original the precision is own / (own + others) at or below it; the threshold is the last one before the
    precision first falls short. The originals themselves are edits too there, found at distance 0.
    """
    owner = np.array([number for _, number, _ in pictures.copies])
    rows = np.arange(len(owner))
    own = -scores[rows, owner]
    rest = scores.copy()
    rest[rows, owner] = -np.inf
    nearest_other = -rest.max(axis=1)
    labels = np.array([label for _, _, label in pictures.copies])
    by_edit = {
        label: _published_recall(own[labels == label], nearest_other[labels == label], precision)[0]
        for label in pictures.labels
    }
    overall, threshold, n_false = _published_recall(own, nearest_other, precision)
    return Recalls(by_edit, overall, -threshold, n_false)


def _published_recall(own: np.ndarray, others: np.ndarray, precision: float) -> tuple[float, float, int]:
    """Return recall, threshold and false answers."""
    ordered = np.sort(own)
    n_others = np.searchsorted(np.sort(others), ordered, side="right")
    n_own = np.arange(1, len(ordered) + 1)
    short = np.flatnonzero(n_own / (n_own + n_others) < precision)
    n_kept = int(short[0]) if len(short) else len(ordered)
    if n_kept == 0 or not np.isfinite(ordered[n_kept - 1]):
        n_kept = int(np.isfinite(ordered[:n_kept]).sum())
    if n_kept == 0:
        return 0.0, np.nan, 0
    threshold = ordered[n_kept - 1]
    return float((own <= threshold).mean()), float(threshold), int((others <= threshold).sum())


def recall_of_proofs(pictures: EditedSet, proven: np.ndarray, is_verified: np.ndarray) -> Recalls:
    """Return what is found by proof, which has no threshold to choose, over the copies that were verified."""
    owner = np.array([number for _, number, _ in pictures.copies])
    found = proven[np.arange(len(owner)), owner]
    labels = np.array([label for _, _, label in pictures.copies])
    by_edit = {label: float(found[is_verified & (labels == label)].mean()) for label in pictures.labels}
    n_false = int(proven[is_verified].sum() - found[is_verified].sum())
    return Recalls(by_edit, float(found[is_verified].mean()), np.nan, n_false)


def _by_edit(pictures: EditedSet, found: np.ndarray) -> dict[str, float]:
    labels = np.array([label for _, _, label in pictures.copies])
    return {label: float(found[labels == label].mean()) for label in pictures.labels}


def count_planted(
    origin: Mapping[str, tuple[int, str]], pairs: Iterable[Sequence[str]]
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return the planted copies found of each edit, and the false pairs: of files of two photos."""
    joined = {tuple(sorted(pair)) for pair in pairs if pair[0] != pair[1]}
    true = {pair for pair in joined if origin[pair[0]][0] == origin[pair[1]][0]}
    found: dict[str, int] = {}
    for pair in true:
        for name in pair:
            label = origin[name][1]
            if label != "original":
                found[label] = found.get(label, 0) + 1
    return found, sorted(joined - true)
