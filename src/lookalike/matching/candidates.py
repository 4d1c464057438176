"""Which pairs of a gallery are worth verifying: close hashes in any orientation, and near embeddings.

Nothing here proves anything; it makes some tens of thousands of pairs out of millions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.records import Float32Array, UInt8Array
from lookalike.storage.index.exact import ExactIndex
from lookalike.storage.index.hash_pairs import find_pairs_within

MAX_PHASH_BITS = 8
# The hash of a turned picture is derived from the upright one's bits, which costs up to 8 bits in 99 of 100
# photos (300 photos, median 4); beyond 10 bits chance pairs multiply.
MAX_TURNED_PHASH_BITS = 10
N_NEIGHBOURS = 8
MIN_COSINE = 0.4  # 4 of 5 pairs of different photos lie below; edits that lie below are found by their hash
_ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class Candidates:
    """Pairs of content ids, each pair once, the smaller id first, in ascending order.

    Parameters
    ----------
    pairs : int64 array, shape (p, 2)
    cosines : float32 array, shape (p,)    of the embeddings; nan where it was not computed
    """

    pairs: NDArray[np.int64]
    cosines: Float32Array


def find_candidates(hashes: ExactIndex, embeddings: ExactIndex | None) -> Candidates:
    """Return the pairs whose pHash is close in any of the eight orientations or whose embedding is near.

    Parameters
    ----------
    hashes : index of pHash of any size
    embeddings : index of embeddings; None where the gallery has none
    """
    parts = [_hash_pairs(*hashes.contents())]
    known = {}
    if embeddings is not None and len(embeddings):
        near, cosines = _embedding_pairs(embeddings)
        parts.append(near)
        known = dict(zip(map(tuple, near.tolist()), cosines.tolist(), strict=True))
    pairs = np.unique(np.concatenate(parts), axis=0) if parts else np.empty((0, 2), np.int64)
    cosine_of = [known.get(tuple(pair), np.nan) for pair in pairs.tolist()]
    return Candidates(pairs, np.array(cosine_of, np.float32))


def turn_phashes(hashes: UInt8Array) -> list[UInt8Array]:
    """Return pHashes as they would be after the seven turns and mirrorings, nearly.

    A mirrored picture has the same cosine coefficients but for the sign of every other one, and a
    transposed picture has them transposed. As their median is near zero, flipping or moving the bits is
    nearly the hash of the turned picture.

    Parameters
    ----------
    hashes : uint8 array, shape (n, b)    packed, of side sqrt(8 b)
    """
    side = round((hashes.shape[1] * 8) ** 0.5)
    bits = np.unpackbits(hashes, axis=1).reshape(-1, side, side)
    odd = (np.arange(side) % 2).astype(np.uint8)
    turned = []
    for swapped in (bits, bits.swapaxes(1, 2)):
        for rows, columns in ((0, 0), (0, 1), (1, 1), (1, 0)):
            flips = (odd[:, None] * np.uint8(rows)) ^ (odd[None] * np.uint8(columns))
            turned.append(np.packbits((swapped ^ flips).reshape(len(bits), -1), axis=1))
    return turned[1:]


def _hash_pairs(ids: NDArray[np.int64], hashes: UInt8Array) -> NDArray[np.int64]:
    if len(ids) < 2:
        return np.empty((0, 2), np.int64)
    per_64 = hashes.shape[1] / 8
    found = find_pairs_within(hashes, round(MAX_PHASH_BITS * per_64), equal="star")
    parts = [np.stack([ids[found.first], ids[found.second]], axis=1)]
    for turned in turn_phashes(hashes):
        found = find_pairs_within(hashes, round(MAX_TURNED_PHASH_BITS * per_64), others=turned, equal="star")
        parts.append(np.stack([ids[found.first], ids[found.second]], axis=1))
    return _ordered(np.concatenate(parts))


def _embedding_pairs(index: ExactIndex) -> tuple[NDArray[np.int64], Float32Array]:
    """Return each picture's nearest neighbours as pairs, with their cosines."""
    ids, rows = index.contents()
    k = min(N_NEIGHBOURS + 1, len(ids))
    pairs, cosines = [], []
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        found = index.search(rows[start : start + _ROWS_AT_ONCE], k)
        own = np.repeat(ids[start : start + _ROWS_AT_ONCE, None], k, axis=1)
        near = (found.distances <= 1 - MIN_COSINE) & (found.ids != own)
        pairs.append(np.stack([own[near], found.ids[near]], axis=1))
        cosines.append(1 - found.distances[near])
    ordered = np.sort(np.concatenate(pairs), axis=1)
    unique, first = np.unique(ordered, axis=0, return_index=True)
    return unique, np.concatenate(cosines)[first]


def _ordered(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs with the smaller id first, each once, without pairs of one id with itself."""
    pairs = np.sort(pairs, axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
