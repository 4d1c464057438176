"""All pairs of hashes that differ in few bits, without comparing every pair.

They meet in chunks of their bits, see `lookalike.storage.index.hash_chunks`; here they are compared, by threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import FeatureMismatchError, InputError
from lookalike.records.arrays import UInt8Array
from lookalike.storage.index.hash_chunks import (
    Chunk,
    Groups,
    Int64Array,
    UInt64Array,
    count_bits,
    plan_chunks,
)

RowPairs = tuple[Int64Array, Int64Array]

MAX_PAIRS = 50_000_000
"""How many pairs are found by default before the search gives up: 1 GB of them."""

_BLOCK_PAIRS = 1 << 17  # pairs compared at once: about what the processor's cache holds
_RECTANGLE_PAIRS = 1 << 14  # two buckets with so many pairs are worth numpy calls of their own
_N_SHARES = 64  # parts of the comparison of every pair: work for each thread, and soon ended by an interrupt
_LOW_HALF = np.uint64(0xFFFF_FFFF)


@dataclass(frozen=True)
class HashPairs:
    """Pairs of hashes, ordered by (first, second).

    Parameters
    ----------
    first : int64 array, shape (p,)
        Positions in the hashes; below `second` within one set.
    second : int64 array, shape (p,)
        Positions in the hashes, or in the others where there are any.
    distance : int32 array, shape (p,)
        Differing bits; lower is closer.
    """

    first: Int64Array
    second: Int64Array
    distance: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.first)


def find_pairs_within(
    hashes: UInt8Array,
    max_bits: int,
    *,
    others: UInt8Array | None = None,
    equal: Literal["all", "star"] = "all",
    n_threads: int = 0,
    max_pairs: int | None = MAX_PAIRS,
) -> HashPairs:
    """Find every pair of hashes that differ in at most `max_bits` bits.

    The answer is exact and does not depend on the number of threads. It takes seconds for a million 64-bit
    hashes within 8 bits, and longer the more bits and the more uneven the hashes.

    Parameters
    ----------
    hashes : uint8 array, shape (n, b)
        Packed hashes of b bytes.
    max_bits : int
        The largest distance, in bits.
    others : uint8 array, shape (m, b)
        Where given, pairs between the two sets; none within one.
    equal : ``"all"`` or ``"star"``
        Which pairs stand for a set of k equal hashes: all k (k - 1) / 2, or only those of the first with each
        other one. A star also has one pair where "all" has the product of two sets of equal hashes: that of
        their first members. So it links the same hashes, directly or through others, with far fewer pairs where
        many are equal.
    n_threads : int
        0 for one thread a core.
    max_pairs : int or None
        Raise rather than find more pairs (20 bytes each); None: no limit.

    Returns
    -------
    HashPairs
        Ordered by (first, second); empty where a set is empty.

    Raises
    ------
    FeatureMismatchError
        The two sets have hashes of different size.
    InputError
        `max_bits` is negative, `equal` is unknown, or there are more than `max_pairs` pairs.

    Notes
    -----
    Multi-index hashing, see the module. `docs/decisions/0007-exact-hash-pairs.md` has the measurements.
    """
    _check(hashes, max_bits, others, equal)
    left = Groups(hashes)
    right = left if others is None else Groups(others)
    plan = plan_chunks(left, right, max_bits, 8 * hashes.shape[1])
    output = _Output(left, right, equal, max_pairs)
    keys = [output.within_groups()] if left is right else []
    for number, chunk in enumerate(plan):
        keys += _search_chunk(chunk, plan[:number], output, max_bits, n_threads or _n_cores())
    return output.pairs(keys)


def _n_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check(hashes: UInt8Array, max_bits: int, others: UInt8Array | None, equal: str) -> None:
    if max_bits < 0:
        raise InputError(f"max_bits = {max_bits} makes no sense: give 0 for equal hashes, or more.")
    if equal not in ("all", "star"):
        raise InputError(f"equal = {equal!r} is unknown: give 'all' or 'star'.")
    if others is not None and others.shape[1] != hashes.shape[1]:
        raise FeatureMismatchError(
            f"hashes of {8 * hashes.shape[1]} bits cannot be compared with hashes of "
            f"{8 * others.shape[1]} bits: compute both with the same size."
        )


class _Output:
    """Turns pairs of distinct hashes into pairs of positions, and counts them.

    A pair of positions is kept as one number, the first in its high half, so that sorting is cheap.
    """

    def __init__(self, left: Groups, right: Groups, equal: str, max_pairs: int | None) -> None:
        self.left, self.right, self.max_pairs = left, right, max_pairs
        self.is_star = equal == "star"
        self._n_pairs = 0
        self._lock = Lock()

    def within_groups(self) -> UInt64Array:
        """Return the pairs of equal hashes of one set."""
        group_ends = self.left.starts + self.left.sizes
        if self.is_star:
            places, ends = self.left.starts, group_ends
        else:
            places = np.arange(len(self.left.order))
            ends = np.repeat(group_ends, self.left.sizes)
        n_later = ends - places - 1
        self._count(int(n_later.sum()))
        which, later = _ranges(places + 1, n_later)
        return self._keys(self.left.order[places[which]], self.left.order[later])

    def between_groups(self, lefts: Int64Array, rights: Int64Array) -> UInt64Array:
        """Return the pairs of positions for pairs of distinct hashes, given by number."""
        left, right = self.left, self.right
        starts, other_starts = left.starts[lefts], right.starts[rights]
        if self.is_star:
            self._count(len(lefts))
            return self._keys(left.order[starts], right.order[other_starts])
        sizes, other_sizes = left.sizes[lefts], right.sizes[rights]
        self._count(int((sizes * other_sizes).sum()))
        which, places = _ranges(starts, sizes)
        repeated, other_places = _ranges(other_starts[which], other_sizes[which])
        return self._keys(left.order[places[repeated]], right.order[other_places])

    def _keys(self, first: Int64Array, second: Int64Array) -> UInt64Array:
        if self.left is self.right:
            first, second = np.minimum(first, second), np.maximum(first, second)
        return np.asarray(first << 32 | second).view(np.uint64)

    def _count(self, n_pairs: int) -> None:
        with self._lock:
            self._n_pairs += n_pairs
        if self.max_pairs is not None and self._n_pairs > self.max_pairs:
            raise InputError(
                f"more than {self.max_pairs} pairs of hashes are that close: lower max_bits, "
                'give equal="star", or raise max_pairs.'
            )

    def pairs(self, parts: list[UInt64Array]) -> HashPairs:
        """Return all pairs in order, with their distances; empties `parts` to save memory."""
        keys = np.concatenate([np.empty(0, np.uint64), *parts])
        parts.clear()
        keys.sort()
        first = (keys >> np.uint64(32)).view(np.int64)
        keys &= _LOW_HALF
        second = keys.view(np.int64)
        distance = np.empty(len(keys), np.int32)
        for start in range(0, len(keys), _BLOCK_PAIRS):
            part = slice(start, start + _BLOCK_PAIRS)
            words, other_words = self.left.all_words[:, first[part]], self.right.all_words[:, second[part]]
            distance[part] = count_bits(words ^ other_words)
        return HashPairs(first, second, distance)


def _ranges(starts: Int64Array, sizes: Int64Array) -> RowPairs:
    """Return for the elements of many ranges, end to end, the number of their range and their value."""
    which = np.repeat(np.arange(len(sizes)), sizes)
    shifts = starts - (np.cumsum(sizes) - sizes)
    return which, shifts[which] + np.arange(len(which))


def _search_chunk(
    chunk: Chunk, earlier: list[Chunk], output: _Output, max_bits: int, n_threads: int
) -> list[UInt64Array]:
    """Return the pairs of positions that meet in this chunk and in no earlier one."""
    left = _Buckets(output.left, chunk)
    right = left if output.left is output.right else _Buckets(output.right, chunk)
    join = _Join(left, right, output, max_bits, earlier)
    n_shares = 1 if chunk.bits else _N_SHARES
    tasks = [(flip, slice(share, None, n_shares)) for flip in chunk.flips() for share in range(n_shares)]
    with ThreadPoolExecutor(n_threads) as pool:
        futures = [pool.submit(join.find, flip, share) for flip, share in tasks]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


class _Buckets:
    """The distinct hashes of one set as rows sorted by a chunk; equal chunks form a bucket.

    Bucket i has the chunk ``keys[i]`` and the rows from ``starts[i]``, ``sizes[i]`` of them; ``slots[key]`` is
    its number, -1 where there is none. Row r is the distinct hash ``order[r]``.
    """

    def __init__(self, groups: Groups, chunk: Chunk) -> None:
        row_keys = chunk.keys(groups.words)
        self.order = np.argsort(row_keys, kind="stable")
        row_keys = row_keys[self.order]
        self.words = groups.words[:, self.order]
        self.starts = np.flatnonzero(np.diff(row_keys, prepend=-1))
        self.sizes = np.diff(self.starts, append=len(row_keys))
        self.keys = row_keys[self.starts]
        self.slots = np.full(1 << len(chunk.bits), -1, np.int32)
        self.slots[self.keys] = np.arange(len(self.keys))


class _Join:
    """The comparison of buckets with those whose chunk differs by a given flip."""

    def __init__(
        self, left: _Buckets, right: _Buckets, output: _Output, max_bits: int, earlier: list[Chunk]
    ) -> None:
        self.left, self.right, self.output, self.max_bits = left, right, output, max_bits
        self.earlier = [(chunk.mask(len(left.words)), chunk.radius) for chunk in earlier]

    def find(self, flip: int, share: slice) -> UInt64Array:
        """Return the pairs of positions whose chunks differ by `flip`; of large buckets only a share."""
        parts = [self._keep(*rows) for rows in self._close_rows(flip, share)]
        return np.concatenate([np.empty(0, np.uint64), *parts])

    def _close_rows(self, flip: int, share: slice) -> Iterator[RowPairs]:
        lefts, rights = self._bucket_pairs(flip)
        is_large = self.left.sizes[lefts] * self.right.sizes[rights] >= _RECTANGLE_PAIRS
        if not share.start:
            yield from self._small(lefts[~is_large], rights[~is_large])
        for left, right in zip(lefts[is_large], rights[is_large], strict=True):
            yield from self._large(left, right, share)

    def _bucket_pairs(self, flip: int) -> RowPairs:
        """Return the buckets to compare; within one set each pair of buckets once."""
        partners = self.right.slots[self.left.keys ^ flip]
        if self.left is not self.right:
            lefts = np.flatnonzero(partners >= 0)
        elif flip:
            lefts = np.flatnonzero(partners > np.arange(len(partners), dtype=np.int32))
        else:
            lefts = np.flatnonzero(self.left.sizes > 1)
        return lefts, partners[lefts].astype(np.int64)

    def _small(self, lefts: Int64Array, rights: Int64Array) -> Iterator[RowPairs]:
        """Compare many small buckets in blocks; yield close rows."""
        ends = np.cumsum(self.left.sizes[lefts] * self.right.sizes[rights])
        n_pairs = int(ends[-1]) if len(ends) else 0
        cuts = np.searchsorted(ends, range(_BLOCK_PAIRS, n_pairs, _BLOCK_PAIRS)).tolist()
        for begin, end in pairwise([0, *cuts, len(ends)]):
            yield self._small_block(lefts[begin:end], rights[begin:end])

    def _small_block(self, lefts: Int64Array, rights: Int64Array) -> RowPairs:
        """Compare each row of the left buckets with the bucket at its right, all end to end."""
        which, rows = _ranges(self.left.starts[lefts], self.left.sizes[lefts])
        sizes = self.right.sizes[rights][which]
        ends = np.cumsum(sizes)
        shifts = self.right.starts[rights][which] - (ends - sizes)
        others = np.repeat(shifts, sizes)
        others += np.arange(len(others))
        words = np.repeat(self.left.words[:, rows], sizes, axis=1)
        words ^= self.right.words[:, others]
        near = np.flatnonzero(count_bits(words) <= self.max_bits)
        return rows[np.searchsorted(ends, near, side="right")], others[near]

    def _large(self, left: int, right: int, share: slice) -> Iterator[RowPairs]:
        """Compare two large buckets, a rectangle at a time; yield close rows."""
        row, row_end = self._span(self.left, left)
        other, other_end = self._span(self.right, right)
        width = min(other_end - other, _BLOCK_PAIRS // 32)
        height = _BLOCK_PAIRS // width
        for top in range(row, row_end, height)[share]:
            rows = self.left.words[:, top : min(top + height, row_end), None]
            begin = top if self.left is self.right and left == right else other
            for start in range(begin, other_end, width):
                others = self.right.words[:, None, start : min(start + width, other_end)]
                near = np.flatnonzero(count_bits(rows ^ others) <= self.max_bits)
                yield top + near // others.shape[2], start + near % others.shape[2]

    @staticmethod
    def _span(buckets: _Buckets, number: int) -> tuple[int, int]:
        start = int(buckets.starts[number])
        return start, start + int(buckets.sizes[number])

    def _keep(self, rows: Int64Array, others: Int64Array) -> UInt64Array:
        """Return the pairs of positions of close rows, each pair of hashes once."""
        # Two buckets of one set are ordered, so only a bucket compared with itself gives a pair both ways.
        is_new = rows < others if self.left is self.right else np.ones(len(rows), bool)
        differences = self.left.words[:, rows] ^ self.right.words[:, others]
        for mask, radius in self.earlier:
            is_new &= count_bits(differences & mask) > radius
        return self.output.between_groups(self.left.order[rows[is_new]], self.right.order[others[is_new]])
