"""The relation ladder, and as much of it as global features can tell."""

from __future__ import annotations

from typing import Literal

Relation = Literal["same_file", "same_pixels", "copy", "variant", "same_scene", "similar", "different"]
"""The relation ladder, closest first; `different` is what stands below it."""

LADDER: tuple[Relation, ...] = (
    "same_file",
    "same_pixels",
    "copy",
    "variant",
    "same_scene",
    "similar",
    "different",
)
"""Every relation, closest first."""


def is_at_least(relation: Relation, wanted: Relation) -> bool:
    """Whether a relation is the wanted one, or closer."""
    return LADDER.index(relation) <= LADDER.index(wanted)


# Over 1,668 photos of products, clothes and fruits, the median cosine of two of one class is 0.53, and that
# of two of different classes 0.24.
SIMILAR_MIN_COSINE = 0.5


def guess_relation(cosine: float) -> Relation:
    """Return `similar` or `different` from the embedding's cosine.

    Hashes and embeddings cannot prove a `copy`: frames of a fruit on a turntable agree in both as closely
    as edits of one photo do. See `lookalike.proving.verify` for the proof.
    """
    return "similar" if cosine >= SIMILAR_MIN_COSINE else "different"
