from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lookalike.errors import FeatureMismatchError, InputError
from lookalike.features.hashes import hamming
from lookalike.storage.index import hash_chunks, hash_pairs
from lookalike.storage.index.hash_pairs import HashPairs, find_pairs_within

UInt8Array = NDArray[np.uint8]


def near_ties(seed: int, n: int, n_bytes: int) -> UInt8Array:
    """Return hashes of which many are equal and many differ in few bits, and some in almost all."""
    random = np.random.default_rng(seed)
    centres = random.integers(0, 256, (3, n_bytes), dtype=np.uint8)
    hashes = centres[random.integers(3, size=n)]
    for row in hashes:
        flips = np.zeros(8 * n_bytes, bool)
        flips[random.permutation(8 * n_bytes)[: random.integers(0, 7)]] = random.random() < 0.7
        row ^= np.packbits(flips)
    return hashes


def brute_force(
    hashes: UInt8Array, max_bits: int, others: UInt8Array | None = None
) -> set[tuple[int, int, int]]:
    distances = hamming(hashes, hashes if others is None else others)
    return {
        (first, second, int(distances[first, second]))
        for first, second in np.argwhere(distances <= max_bits).tolist()
        if others is not None or first < second
    }


def as_set(pairs: HashPairs) -> set[tuple[int, int, int]]:
    triples = list(zip(pairs.first.tolist(), pairs.second.tolist(), pairs.distance.tolist(), strict=True))
    assert triples == sorted(triples), "pairs are ordered"
    assert len(set(triples)) == len(triples), "no pair comes twice"
    return set(triples)


@contextmanager
def dealt_into(n_chunks: int, seed: int) -> Iterator[None]:
    """Search with chunks where so few hashes would be compared pair by pair, and in tiny blocks."""

    def plan(_left: object, _right: object, max_bits: int, n_bits: int) -> object:
        bits = np.random.default_rng(seed).permutation(n_bits).tolist()
        return hash_chunks._deal(bits, n_chunks, max_bits)

    with (
        patch.object(hash_pairs, "plan_chunks", plan),
        patch.object(hash_pairs, "_BLOCK_PAIRS", 64),
        patch.object(hash_pairs, "_RECTANGLE_PAIRS", 20),
    ):
        yield


sets = {
    "seed": st.integers(0, 10_000),
    "n": st.integers(0, 40),
    "n_bytes": st.sampled_from([1, 8, 9, 32]),
    "max_bits": st.sampled_from([0, 1, 3, 8, 10, 64]),
}


@given(**sets)
@settings(max_examples=150)
def test_every_pair_within_the_distance_is_found_once(seed: int, n: int, n_bytes: int, max_bits: int) -> None:
    hashes = near_ties(seed, n, n_bytes)
    assert as_set(find_pairs_within(hashes, max_bits)) == brute_force(hashes, max_bits)


@given(**sets, m=st.integers(0, 40))
@settings(max_examples=150)
def test_every_pair_between_two_sets_is_found_once(
    seed: int, n: int, n_bytes: int, max_bits: int, m: int
) -> None:
    both = near_ties(seed, n + m, n_bytes)
    hashes, others = both[:n], both[n:]
    found = find_pairs_within(hashes, max_bits, others=others)
    assert as_set(found) == brute_force(hashes, max_bits, others)


@given(seed=sets["seed"], max_bits=st.integers(0, 10), n_chunks=st.integers(4, 7), is_self=st.booleans())
@settings(max_examples=60)
def test_chunks_lose_no_pair_however_the_bits_are_dealt(
    seed: int, max_bits: int, n_chunks: int, is_self: bool
) -> None:
    hashes = near_ties(seed, 50, 8)
    others = None if is_self else near_ties(seed, 90, 8)[50:]
    with dealt_into(n_chunks, seed):
        found = find_pairs_within(hashes, max_bits, others=others, n_threads=2)
    assert as_set(found) == brute_force(hashes, max_bits, others)


def test_chunks_lose_no_pair_of_hashes_of_256_bits() -> None:
    hashes = near_ties(5, 200, 32)
    with dealt_into(13, 0):
        assert as_set(find_pairs_within(hashes, 20)) == brute_force(hashes, 20)


@given(seed=sets["seed"], n=sets["n"], max_bits=st.sampled_from([0, 2, 8]))
@settings(max_examples=60)
def test_a_star_links_equal_hashes_to_their_first_only(seed: int, n: int, max_bits: int) -> None:
    hashes = near_ties(seed, n, 8)
    first_of = {row.tobytes(): place for place, row in reversed(list(enumerate(hashes)))}
    firsts = [first_of[row.tobytes()] for row in hashes]
    expected = {
        (first, second, distance)
        for first, second, distance in brute_force(hashes, max_bits)
        if firsts[first] == first and (distance == 0 or firsts[second] == second)
    }
    assert as_set(find_pairs_within(hashes, max_bits, equal="star")) == expected


def test_a_star_between_two_sets_has_the_first_of_each() -> None:
    hashes = np.array([[1], [1], [7]], np.uint8)
    others = np.array([[255], [3], [3], [1]], np.uint8)
    found = find_pairs_within(hashes, 1, others=others, equal="star")
    assert as_set(found) == {(0, 1, 1), (0, 3, 0), (2, 1, 1)}


def test_many_equal_hashes_are_cheap_as_a_star() -> None:
    found = find_pairs_within(np.zeros((20_000, 8), np.uint8), 8, equal="star")
    assert len(found) == 19_999
    assert not found.first.any()


def test_more_pairs_than_asked_for_are_an_error_and_as_many_are_none() -> None:
    hashes = np.vstack([np.zeros((4, 8), np.uint8), np.eye(8, dtype=np.uint8)])
    n_pairs = len(brute_force(hashes, 1))
    assert len(find_pairs_within(hashes, 1, max_pairs=n_pairs)) == n_pairs
    with pytest.raises(InputError, match="more than"):
        find_pairs_within(hashes, 1, max_pairs=n_pairs - 1)


@pytest.fixture(scope="module")
def planted() -> tuple[UInt8Array, set[tuple[int, int]]]:
    """Return 30,000 hashes, a third of them uneven, and pairs planted at 1 to 8 bits."""
    random = np.random.default_rng(3)
    hashes = random.integers(0, 256, (30_000, 8), dtype=np.uint8)
    hashes[:10_000] &= random.integers(0, 256, (10_000, 8), dtype=np.uint8) & 0x3F
    places = random.permutation(30_000)[:2_000].reshape(2, -1)
    for first, second in places.T:
        flips = np.zeros(64, bool)
        flips[random.permutation(64)[: random.integers(1, 9)]] = True
        hashes[second] = hashes[first] ^ np.packbits(flips)
    return hashes, {(min(pair), max(pair)) for pair in places.T.tolist()}


def test_planted_pairs_are_all_found_by_a_plan_with_chunks(
    planted: tuple[UInt8Array, set[tuple[int, int]]],
) -> None:
    hashes, pairs = planted
    found = find_pairs_within(hashes, 8)
    groups = hash_chunks.Groups(hashes)
    assert hash_chunks.plan_chunks(groups, groups, 8, 64) != hash_chunks._EVERY_PAIR
    assert pairs <= set(zip(found.first.tolist(), found.second.tolist(), strict=True))


def test_the_number_of_threads_changes_nothing(planted: tuple[UInt8Array, set[tuple[int, int]]]) -> None:
    hashes, _ = planted
    one, three = (find_pairs_within(hashes, 8, n_threads=n) for n in (1, 3))
    for name in ("first", "second", "distance"):
        np.testing.assert_array_equal(getattr(one, name), getattr(three, name))


def test_two_sets_give_the_pairs_that_one_set_has_between_them(
    planted: tuple[UInt8Array, set[tuple[int, int]]],
) -> None:
    hashes, _ = planted
    apart = as_set(find_pairs_within(hashes[:12_000], 8, others=hashes[12_000:]))
    whole = as_set(find_pairs_within(hashes, 8))
    assert apart == {(i, j - 12_000, bits) for i, j, bits in whole if i < 12_000 <= j}


def test_an_array_without_rows_or_bytes_gives_no_wrong_pair() -> None:
    assert len(find_pairs_within(np.empty((0, 8), np.uint8), 8)) == 0
    assert len(find_pairs_within(np.empty((0, 0), np.uint8), 8)) == 0
    assert len(find_pairs_within(np.zeros((1, 8), np.uint8), 64)) == 0
    assert len(find_pairs_within(np.zeros((3, 8), np.uint8), 8, others=np.empty((0, 8), np.uint8))) == 0


def test_hashes_of_two_sizes_are_an_error_that_gives_both() -> None:
    with pytest.raises(FeatureMismatchError, match=r"64 bits.*256 bits"):
        find_pairs_within(np.zeros((1, 8), np.uint8), 8, others=np.zeros((1, 32), np.uint8))


def test_values_that_make_no_sense_are_errors() -> None:
    hashes = np.zeros((2, 8), np.uint8)
    with pytest.raises(InputError, match="max_bits"):
        find_pairs_within(hashes, -1)
    with pytest.raises(InputError, match="equal"):
        find_pairs_within(hashes, 1, equal="none")  # type: ignore[arg-type]
