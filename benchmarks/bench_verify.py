"""Measure verification on folders of real photos, and print tables. Run by hand.

    OPENBLAS_NUM_THREADS=1 python benchmarks/bench_verify.py FOLDER... [--photos 60] [--neighbours 8]

First, edits of some photos: what share is found to be a copy of its original. Then the nearest pairs of
the folders, by the embedding: which of them are called copies. Look at every one of those: a folder may
hold true copies, and then they are right.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike.edits import standard_edits
from lookalike.errors import PictureError
from lookalike.features.embedding.engine import open_embedder
from lookalike.features.keypoints import Keypoints, extract_keypoints, to_bytes
from lookalike.media.decode import decode
from lookalike.proving.verify import verify
from lookalike.settings import Settings


def load_pictures(folders: list[Path]) -> tuple[list[Path], list[Image.Image]]:
    """Return the paths and pictures of every file that decodes, in order of path."""
    paths, pictures = [], []
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        try:
            pictures.append(decode(path).image)
            paths.append(path)
        except PictureError:
            continue
    return paths, pictures


def timed_keypoints(pictures: list[Image.Image]) -> list[Keypoints]:
    """Extract and say how long it took."""
    start = time.perf_counter()
    found = [extract_keypoints(picture) for picture in pictures]
    took_ms = (time.perf_counter() - start) / len(pictures) * 1000
    n_bytes = np.mean([len(to_bytes(keypoints)) for keypoints in found[:200]])
    print(f"{len(pictures)} pictures: {took_ms:.1f} ms and {n_bytes / 1000:.1f} kB of keypoints each")
    return found


def measure_edits(pictures: list[Image.Image], keypoints: list[Keypoints], n_photos: int) -> None:
    """Print, for every edit, the share of photos whose edit is found to be a copy."""
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(pictures), min(n_photos, len(pictures)), replace=False)
    neighbours = [pictures[number] for number in rng.choice(len(pictures), 40)]
    total, n_total, seconds = 0, 0, 0.0
    for number, edit in enumerate(standard_edits()):
        relations: Counter[str] = Counter()
        for picture in chosen:
            # Not seeded by `apply_edit`: these seeds made the copies of the figures in the documents.
            chance = np.random.default_rng((number, int(picture)))
            edited = extract_keypoints(edit.make(pictures[picture], chance, neighbours))
            start = time.perf_counter()
            relations[verify(keypoints[picture], edited).relation] += 1
            seconds += time.perf_counter() - start
        n_found = relations["copy"] + relations["same_pixels"]
        total, n_total = total + n_found, n_total + len(chosen)
        print(f"{edit.label:22} {n_found / len(chosen):6.3f}  {dict(relations)}", flush=True)
    print(f"all {total / n_total:.4f}; {n_total / seconds:.0f} pairs of copies/s")


def measure_neighbours(
    paths: list[Path], pictures: list[Image.Image], keypoints: list[Keypoints], n_neighbours: int
) -> None:
    """Print which of the nearest pairs are called copies, and how many pairs a second are verified."""
    pairs = find_nearest(pictures, n_neighbours)
    for some in keypoints:
        some.descriptors, some.view  # noqa: B018 - the first question unpacks them
    start = time.perf_counter()
    answers = [verify(keypoints[one], keypoints[other]) for one, other in pairs]
    rate = len(pairs) / (time.perf_counter() - start)
    relations = Counter(answer.relation for answer in answers)
    print(f"{len(pairs)} nearest pairs: {dict(relations)}; {rate:.0f} pairs/s")
    for (one, other), answer in zip(pairs, answers, strict=True):
        if answer.relation in ("copy", "same_pixels"):
            print(
                f"{answer.relation} by {answer.method}: {paths[one]} {paths[other]}; "
                f"{answer.n_inliers} points, agreement {answer.agreement:.3f}; {answer.transform}"
            )


def find_nearest(pictures: list[Image.Image], n_neighbours: int) -> list[tuple[int, int]]:
    """Return the pairs of every picture with its nearest others by the embedding, each pair once."""
    embedder = open_embedder("efficientnet-lite0", Settings())
    vectors = np.concatenate(
        [embedder.embed(embedder.prepare(picture)[None]) for picture in pictures]
    ).astype(np.float32)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -2)
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :n_neighbours]
    return sorted({tuple(sorted((one, int(other)))) for one, row in enumerate(nearest) for other in row})


def main() -> None:
    """Parse the arguments, load, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--photos", type=int, default=60, help="photos to edit")
    parser.add_argument("--neighbours", type=int, default=8, help="nearest others of each photo")
    arguments = parser.parse_args()
    paths, pictures = load_pictures(arguments.folders)
    keypoints = timed_keypoints(pictures)
    measure_edits(pictures, keypoints, arguments.photos)
    measure_neighbours(paths, pictures, keypoints, arguments.neighbours)


if __name__ == "__main__":
    main()
