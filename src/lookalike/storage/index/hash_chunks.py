"""How the bits of hashes are dealt into chunks, so that all close pairs meet with the least work.

If two hashes differ in at most r bits and their bits are dealt into m chunks, then in some chunk i they
differ in at most t_i bits, as long as the (t_i + 1) sum to r + 1. So each chunk sorts the hashes into
buckets, and only buckets whose chunks differ in at most t_i bits are compared hash by hash. Nothing is lost.

Notes
-----
M. Norouzi, A. Punjani, D. Fleet, "Fast search in Hamming space with multi-index hashing", CVPR 2012; the
uneven t_i are from J. Qin et al., "GPH: similarity search in Hamming space", ICDE 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.records.arrays import UInt8Array

Int64Array = NDArray[np.int64]
UInt64Array = NDArray[np.uint64]

_WIDTHS = range(22, 10, -2)  # bits of a chunk that are tried; a table of 2**22 buckets takes 16 MB
_SMALL_PAIRS = 1 << 22  # so few pairs are compared in less time than planning takes
_SAMPLE_PAIRS = 1 << 20


class Groups:
    """The distinct hashes of one set, and where each of them occurs.

    `words` (w, u) are the distinct hashes as 64-bit words; the positions of the i-th are
    ``order[starts[i] : starts[i] + sizes[i]]``, ascending. `all_words` (w, n) are in the given order.
    """

    def __init__(self, hashes: UInt8Array) -> None:
        n_words = max(1, -(-hashes.shape[1] // 8))
        padded = np.pad(hashes, ((0, 0), (0, 8 * n_words - hashes.shape[1])))
        rows = np.ascontiguousarray(padded).view("<u8").astype(np.uint64).reshape(len(hashes), n_words)
        self.all_words: UInt64Array = np.ascontiguousarray(rows.T)
        self.order = np.lexsort(self.all_words)
        words = self.all_words[:, self.order]
        is_new = np.ones(len(hashes), bool)
        is_new[1:] = (words[:, 1:] != words[:, :-1]).any(axis=0)
        self.starts = np.flatnonzero(is_new)
        self.sizes = np.diff(self.starts, append=len(hashes))
        self.words: UInt64Array = words[:, self.starts]

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True)
class Chunk:
    """Some bits of a hash, and in how many of them a pair may differ to meet here."""

    bits: tuple[int, ...]
    radius: int

    def mask(self, n_words: int) -> UInt64Array:
        """Return the bits as ones, shape (w, 1)."""
        mask = np.zeros((n_words, 1), np.uint64)
        for bit in self.bits:
            mask[bit // 64] |= np.uint64(1 << (bit % 64))
        return mask

    def keys(self, words: UInt64Array) -> Int64Array:
        """Return the chunk of each hash as a number, from words (w, n)."""
        keys = np.zeros(words.shape[1], np.int64)
        for place, bit in enumerate(self.bits):
            column = words[bit // 64] >> np.uint64(bit % 64)
            keys |= (column & np.uint64(1)).astype(np.int64) << place
        return keys

    @property
    def n_flips(self) -> int:
        """How many differences `flips` yields."""
        return sum(comb(len(self.bits), n) for n in range(self.radius + 1))

    def flips(self) -> Iterator[int]:
        """Yield every difference of two chunks up to the radius, as a number like those of `keys`."""
        for n in range(self.radius + 1):
            for places in combinations(range(len(self.bits)), n):
                yield sum(1 << place for place in places)


_EVERY_PAIR = [Chunk((), 0)]  # no bits, so all hashes meet in one bucket


def plan_chunks(left: Groups, right: Groups, max_bits: int, n_bits: int) -> list[Chunk]:
    """Return the chunks that find all pairs with the least work, judged by a sample of pairs.

    On uneven hashes the buckets of one dealing of the bits hold several times more pairs than those of another.
    """
    n_pairs = len(left) * len(right) // (2 if left is right else 1)
    if n_pairs <= _SMALL_PAIRS:
        return _EVERY_PAIR
    differences = _sample_differences(left, right, n_pairs)
    plans = [_EVERY_PAIR]
    for n_chunks in sorted({-(-n_bits // width) for width in _WIDTHS}):
        plans += [_deal(bits, n_chunks, max_bits) for bits in _orders(n_bits)]
    return min(plans, key=lambda plan: _cost_s(plan, len(left) + len(right), n_pairs, differences))


def _orders(n_bits: int) -> list[list[int]]:
    """Return some orders of the bits: as they are, which parts neighbours when dealt, and three at random."""
    random = np.random.default_rng(n_bits)
    return [list(range(n_bits)), *(random.permutation(n_bits).tolist() for _ in range(3))]


def _deal(bits: list[int], n_chunks: int, max_bits: int) -> list[Chunk]:
    radius, n_larger = divmod(max_bits + 1 - n_chunks, n_chunks)
    radii = [radius + (number < n_larger) for number in range(n_chunks)]
    return [
        Chunk(tuple(bits[number::n_chunks]), radii[number])
        for number in range(n_chunks)
        if radii[number] >= 0
    ]


def _sample_differences(left: Groups, right: Groups, n_pairs: int) -> UInt64Array:
    """Return the differing bits of random pairs of distinct hashes, shape (w, s)."""
    random = np.random.default_rng(0)
    n_sample = min(_SAMPLE_PAIRS // len(left.words), n_pairs)
    rows = random.integers(len(left), size=n_sample)
    if left is right:
        others = (rows + random.integers(1, len(left), size=n_sample)) % len(left)
    else:
        others = random.integers(len(right), size=n_sample)
    return left.words[:, rows] ^ right.words[:, others]


def _cost_s(plan: list[Chunk], n_hashes: int, n_pairs: int, differences: UInt64Array) -> float:
    """Estimate the seconds of one thread, with rates measured on one core of a server of 2024."""
    cost_s = 0.0
    for chunk in plan:
        n_buckets = min(n_hashes, 1 << len(chunk.bits))
        cost_s += 3e-7 * n_hashes + chunk.n_flips * (1e-4 + 4e-9 * n_buckets)
        mask = chunk.mask(len(differences))
        is_met = count_bits(differences & mask) <= chunk.radius
        pair_s = 5e-9 if chunk.bits else 1e-9
        cost_s += is_met.mean() * n_pairs * pair_s * len(differences)
    return cost_s


def count_bits(words: UInt64Array) -> NDArray[Any]:
    """Count the ones of words (w, ...), over the first axis."""
    counts: NDArray[Any] = np.bitwise_count(words[0])
    for word in words[1:]:
        counts = np.add(counts, np.bitwise_count(word), dtype=np.uint16)
    return counts
