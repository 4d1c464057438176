"""Measure finding all pairs of 64-bit hashes within 8 bits: ``bench_hash_pairs.py [N_HASHES ...]``.

Two sets, each with 10,000 pairs planted at 1 to 8 bits:

uniform
    every bit is a fair coin.
skewed
    each bit has its own probability, drawn from Beta(2, 2); 30 % of the hashes lie within 6 bits of one of
    1,000 centres, 1 % are equal. Most of the pairs found, some 23 million of a million, are in the clusters.

Each line is a process of its own, so that its peak memory is its own. CPU seconds of all threads tell what
a busy machine hides. Equal hashes are found as a star; a planted pair counts as found by its equals.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np

from lookalike.storage.index.hash_pairs import find_pairs_within

N_PLANTED = 10_000
MAX_BITS = 8
BLOCK = 100_000


def uniform(n: int, random: np.random.Generator) -> np.ndarray:
    """Return packed hashes (n, 8), every bit a fair coin."""
    return random.integers(0, 256, (n, 8), dtype=np.uint8)


def skewed(n: int, random: np.random.Generator) -> np.ndarray:
    """Return packed hashes (n, 8) with biased bits, clusters and equal ones, in random order."""
    probabilities = random.beta(2, 2, 64)
    blocks = [min(BLOCK, n - start) for start in range(0, n, BLOCK)]
    hashes = np.concatenate(
        [np.packbits(random.random((size, 64)) < probabilities, axis=1) for size in blocks]
    )
    n_clustered, n_equal = 3 * n // 10, n // 100
    centres = hashes[random.integers(n_clustered + n_equal, n, 1_000)]
    for start in range(0, n_clustered, BLOCK):
        part = slice(start, min(start + BLOCK, n_clustered))
        size = part.stop - start
        hashes[part] = centres[random.integers(1_000, size=size)]
        hashes[part] ^= flips(random.integers(0, 7, size), random)
    hashes[n_clustered : n_clustered + n_equal] = hashes[n_clustered]
    return random.permutation(hashes)


def flips(n_bits: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return packed masks (n, 8), each with its number of random bits set."""
    ranks = random.random((len(n_bits), 64)).argsort(axis=1).argsort(axis=1)
    return np.packbits(ranks < n_bits[:, None], axis=1)


def plant(hashes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Overwrite some hashes by near ones of others, in place; return the pairs of positions (p, 2)."""
    pairs = random.permutation(len(hashes))[: 2 * N_PLANTED].reshape(-1, 2)
    n_bits = random.integers(1, MAX_BITS + 1, N_PLANTED)
    hashes[pairs[:, 1]] = hashes[pairs[:, 0]] ^ flips(n_bits, random)
    return pairs


def recall(hashes: np.ndarray, planted: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of planted pairs that are found, equal hashes standing for each other."""
    _, first_equal, which = np.unique(hashes.view(np.uint64)[:, 0], return_index=True, return_inverse=True)
    wanted = np.sort(first_equal[which][planted], axis=1)
    found = np.sort(first * len(hashes) + second)
    keys = wanted[:, 0] * len(hashes) + wanted[:, 1]
    places = np.minimum(np.searchsorted(found, keys), len(found) - 1)
    return float((found[places] == keys).mean())


def measure(name: str, n: int) -> None:
    """Print one line of the table."""
    random = np.random.default_rng(8)
    hashes = {"uniform": uniform, "skewed": skewed}[name](n, random)
    planted = plant(hashes, random)
    started, started_cpu = time.perf_counter(), time.process_time()
    pairs = find_pairs_within(hashes, MAX_BITS, equal="star")
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - started_cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    share = recall(hashes, planted, pairs.first, pairs.second)
    print(
        f"| {name} | {n:,} | {seconds:.1f} | {cpu_seconds:.1f} | {peak_mb:.0f} | {len(pairs):,} | {share:.2%} |",
        flush=True,
    )


def main() -> None:
    """Measure every set in a process of its own and print the table."""
    if sys.argv[1:2] == ["--one"]:
        measure(sys.argv[2], int(sys.argv[3]))
        return
    print("| hashes | number | seconds | CPU seconds | peak MB | pairs found | planted pairs found |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for n in sys.argv[1:] or ["100000", "1000000"]:
        for name in ("uniform", "skewed"):
            subprocess.run([sys.executable, __file__, "--one", name, n], check=True)


if __name__ == "__main__":
    main()
