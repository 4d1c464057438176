"""What a page of the review of duplicates costs among many groups, and deciding about all of them.

    python benchmarks/bench_review.py [N_GROUPS]

The groups are made up: two files each, with a proof as long as real ones have.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lookalike import Gallery
from lookalike.web.review import Review

PAGE = 50
PROOF = {
    "matrix": [[0.5, 0.0, 0.25], [0.0, 0.5, 0.25], [0.0, 0.0, 1.0]],
    "overlap_first": [[0.5 * n, 1.5 * n] for n in range(8)],
    "overlap_second": [[1.0 * n, 3.0 * n] for n in range(8)],
    "inliers": 143,
    "transform": "resized to 50 %",
}


def file_of(folder: Path, number: int, part: int) -> dict[str, Any]:
    """Return the facts of a file, which is made."""
    path = folder / f"{number}-{part}.png"
    path.write_bytes(b"x")
    facts = {"path": str(path), "size_bytes": 100, "digest": f"{3 * number + part:064x}"}
    return {**facts, "relation": "copy", "removable": True, "note": "", "proof": PROOF}


def report_of(folder: Path, n_groups: int) -> dict[str, Any]:
    """Return a report of so many groups."""
    groups = [
        {
            "number": number,
            "relation": "copy",
            "why": "the most pixels",
            "keeper": file_of(folder, number, 0),
            "members": [file_of(folder, number, 1)],
            "saved_bytes": 100,
        }
        for number in range(1, n_groups + 1)
    ]
    head = {"report_id": "r", "made_at": "", "compared": 0, "failed": [], "seconds": 0.0, "protect": []}
    return {**head, "last_file": 0, "groups": groups}


def seconds(work: Callable[[], Any]) -> float:
    """Return how long something takes, at best of three times."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Print what it costs."""
    n_groups = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "pictures"
        folder.mkdir()
        with Gallery.open(Path(place) / "g", create=True) as gallery:
            report = report_of(folder, n_groups)
            started = time.perf_counter()
            Review(Path(place) / "g").keep(report)
            print(f"{n_groups:,} groups kept in {time.perf_counter() - started:.2f} s")
            review = Review(Path(place) / "g")
            started = time.perf_counter()
            review.page(gallery, 0, PAGE)
            print(f"first page of a server       {1000 * (time.perf_counter() - started):8.1f} ms")
            for name, offset in (("first", 0), ("middle", n_groups // 2), ("last", n_groups - PAGE)):
                took = seconds(lambda offset=offset: review.page(gallery, offset, PAGE))
                print(f"{name:<7} page of {PAGE} groups    {1000 * took:8.1f} ms")


if __name__ == "__main__":
    main()
