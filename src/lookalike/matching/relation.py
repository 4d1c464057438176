"""The relation ladder as far as global features can tell it."""

from __future__ import annotations

from collections.abc import Sequence

from lookalike.records import Relation

# Measured on 1,700 photos and edits of them, see docs/ways.md: no pair of different photos came closer.
COPY_MAX_PHASH_BITS = 8.0
COPY_MAX_DHASH_BITS = 8.0
COPY_MIN_COSINE = 0.75
SIMILAR_MIN_COSINE = 0.35


def guess_relation(cosine: float, hash_bits: Sequence[float]) -> Relation:
    """Guess a relation from the embedding's cosine and the (pHash, dHash) distances in bits of 64.

    A guess, not a proof: `copy` is claimed only where all of them agree closely.
    """
    phash, dhash = hash_bits
    if phash <= COPY_MAX_PHASH_BITS and dhash <= COPY_MAX_DHASH_BITS and cosine >= COPY_MIN_COSINE:
        return "copy"
    return "similar" if cosine >= SIMILAR_MIN_COSINE else "different"
