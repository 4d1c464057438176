"""Which pairs of a gallery are worth verifying: close hashes, near embeddings, and shared parts.

Hashes find whole pictures in any orientation, embeddings edits that hashes do not bear, and shared parts
what is left: small crops, collages, screenshots. Nothing here proves anything; it makes some tens of
thousands of pairs out of millions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import InputError
from lookalike.features.keypoints import Keypoints
from lookalike.records.arrays import Float32Array, UInt8Array
from lookalike.storage.index.hash_pairs import HashPairs, find_pairs_within
from lookalike.storage.index.nearest import Nearest
from lookalike.storage.index.rows import Rows

MAX_PHASH_BITS = 8
# The hash of a turned picture is derived from the upright one's bits, which costs up to 8 bits in 99 of 100
# photos (300 photos, median 4); beyond 10 bits chance pairs multiply.
MAX_TURNED_PHASH_BITS = 10
N_NEIGHBOURS = 4  # of each picture, by the embedding and by shared parts
MIN_COSINE = 0.4  # 4 of 5 pairs of different photos lie below; edits that lie below are found by their hash
_ROWS_AT_ONCE = 512
_VOTES_AT_ONCE = 4_000_000
_SAMPLE_PICTURES = 500
# Of 1,000 edited copies in a gallery of 9,500 pictures, the four partners that share most of 300 descriptors within
# 2 bits hold the source of 972, as do those of 200 within 4 bits, in twice the time and memory; 100 find 919.
DESCRIPTORS_PER_PICTURE = 300
MAX_DESCRIPTORS = 3_000_000
MAX_DESCRIPTOR_BITS = (2, 1, 0)  # the next is tried where there are more pairs of descriptors than that:
MAX_DESCRIPTOR_PAIRS = 30_000_000  # 0.6 GB


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


def find_candidates(hashes: Rows, embeddings: tuple[Rows, Nearest] | None) -> Candidates:
    """Return the pairs whose pHash is close in any of the eight orientations or whose embedding is near.

    Parameters
    ----------
    hashes : Rows
        Of pHash of any size.
    embeddings : pair of Rows and Nearest, or None
        Of the embedding, and what finds their neighbours; None where the gallery has none.
    """
    parts = [_hash_pairs(*hashes.contents())]
    known = {}
    if embeddings is not None and len(embeddings[0]):
        near, cosines = _embedding_pairs(*embeddings)
        parts.append(near)
        known = dict(zip(map(tuple, near.tolist()), cosines.tolist(), strict=True))
    pairs = np.unique(np.concatenate(parts), axis=0) if parts else np.empty((0, 2), np.int64)
    cosine_of = [known.get(tuple(pair), np.nan) for pair in pairs.tolist()]
    return Candidates(pairs, np.array(cosine_of, np.float32))


def find_shared_parts(pictures: Iterable[tuple[int, Keypoints]], n_pictures: int) -> NDArray[np.int64]:
    """Return pairs of content ids that share local features, as they are or mirrored.

    Each descriptor becomes a code of 64 bits; codes that nearly agree are votes for a pair of pictures, and a
    code that many pictures have is worth little. Each picture is paired with those it shares most with.

    Parameters
    ----------
    pictures : iterable of (content id, keypoints)    read once, one at a time
    n_pictures : int    about how many there are; the more, the fewer descriptors of each are compared

    Returns
    -------
    int64 array, shape (p, 2)    the smaller id first, each pair once
    """
    ids, codes, mirrored, owners = _descriptor_codes(pictures, n_pictures)
    if not len(codes):
        return np.empty((0, 2), np.int64)
    parts = [_most_shared(owners, codes, others) for others in (None, mirrored)]
    return _ordered(ids[np.concatenate(parts)])


def _descriptor_codes(
    pictures: Iterable[tuple[int, Keypoints]], n_pictures: int
) -> tuple[NDArray[np.int64], UInt8Array, UInt8Array, NDArray[np.intp]]:
    """Return the ids, the codes of their descriptors, those of the mirror images, and whose they are."""
    kept = slice(0, max(1, min(DESCRIPTORS_PER_PICTURE, MAX_DESCRIPTORS // max(1, n_pictures))))
    iterator = iter(pictures)
    sample = list(islice(iterator, _SAMPLE_PICTURES))
    sums = [_neighbouring_sums(keypoints.descriptors[kept]) for _, keypoints in sample]
    middle = np.median(np.concatenate([*sums, np.zeros((1, 64), np.float32)]), axis=0)
    ids: list[int] = []
    codes, mirrored, counts = [np.empty((0, 8), np.uint8)], [np.empty((0, 8), np.uint8)], []
    for content_id, keypoints in chain(sample, iterator):
        ids.append(content_id)
        codes.append(np.packbits(_neighbouring_sums(keypoints.descriptors[kept]) > middle, axis=1))
        turned = _neighbouring_sums(keypoints.mirrored_descriptors[kept])
        mirrored.append(np.packbits(turned > middle, axis=1))
        counts.append(len(turned))
    owners = np.repeat(np.arange(len(ids)), counts)
    return np.array(ids, np.int64), np.concatenate(codes), np.concatenate(mirrored), owners


def _neighbouring_sums(descriptors: Float32Array) -> Float32Array:
    """Add up pairs of neighbouring directions: 128 numbers to 64, less sensitive to small turns."""
    return np.asarray(descriptors.reshape(-1, 64, 2).sum(axis=2), np.float32)


def _most_shared(owners: NDArray[np.intp], codes: UInt8Array, others: UInt8Array | None) -> NDArray[np.intp]:
    """Return for each picture the pairs with those that share most codes with it, shape (p, 2)."""
    pairs, votes = _count_votes(owners, _close_codes(codes, others), is_one_set=others is None)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    order = np.lexsort((-np.concatenate([votes, votes]), both[:, 0]))
    starts = np.searchsorted(both[order, 0], both[order, 0])
    return np.asarray(both[order[np.arange(len(order)) - starts < N_NEIGHBOURS]], np.intp)


def _count_votes(
    owners: NDArray[np.intp], found: HashPairs, *, is_one_set: bool
) -> tuple[NDArray[np.intp], Float32Array]:
    """Return the pairs of pictures whose codes agree, shape (p, 2), the smaller first, and the worth of that."""
    weight = np.bincount(found.first, minlength=len(owners))
    other_weight = np.bincount(found.second, minlength=len(owners))
    if is_one_set:
        weight = other_weight = weight + other_weight
    n_pictures = int(owners[-1]) + 1
    keys, votes = np.empty(0, np.intp), np.empty(0, np.float32)
    for start in range(0, len(found), _VOTES_AT_ONCE):
        some = slice(start, start + _VOTES_AT_ONCE)
        worth = 1 / np.sqrt(weight[found.first[some]] * other_weight[found.second[some]])
        first, second = owners[found.first[some]], owners[found.second[some]]
        apart = first != second
        low, high = np.minimum(first, second)[apart], np.maximum(first, second)[apart]
        keys, votes = _sum_votes([keys, low * n_pictures + high], [votes, worth[apart]])
    return np.stack(np.divmod(keys, n_pictures), axis=1), votes


def _sum_votes(
    keys: Sequence[NDArray[np.intp]], votes: Sequence[NDArray[Any]]
) -> tuple[NDArray[np.intp], Float32Array]:
    """Return each key once, with the sum of its votes."""
    unique, place = np.unique(np.concatenate(keys), return_inverse=True)
    return unique, np.bincount(place, np.concatenate(votes), len(unique)).astype(np.float32)


def _close_codes(codes: UInt8Array, others: UInt8Array | None) -> HashPairs:
    for bits in MAX_DESCRIPTOR_BITS:
        with suppress(InputError):  # too many pairs: ask for fewer
            return find_pairs_within(codes, bits, others=others, max_pairs=MAX_DESCRIPTOR_PAIRS)
    nothing = np.empty(0, np.int64)
    return HashPairs(nothing, nothing, np.empty(0, np.int32))


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


def _embedding_pairs(embeddings: Rows, nearest: Nearest) -> tuple[NDArray[np.int64], Float32Array]:
    """Return each picture's nearest neighbours as pairs, with their cosines."""
    ids, rows = embeddings.contents()
    k = min(N_NEIGHBOURS + 1, len(ids))
    pairs, cosines = [], []
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        found = nearest.search(rows[start : start + _ROWS_AT_ONCE], k)
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
