"""Measure every way of searching on a folder of classes: ``bench_ways.py FOLDER [FOLDER ...]``.

Each picture is a query against all others of its folder; pictures of the same sub-folder are right. Prints
the mean average precision and the precision of the first match. `hash-then-embedding` answers with its
short list only, so what that leaves out counts as not found.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lookalike import Gallery, Settings
from lookalike.searching.ways import ways


def average_precision(is_right: np.ndarray, n_right: int) -> float:
    """Average precision of one ranked answer of which `n_right` could have been found."""
    places = np.flatnonzero(is_right)
    return float(((np.arange(len(places)) + 1) / (places + 1)).sum() / n_right)


def measure(folder: Path, gallery: Gallery, by: str) -> tuple[float, float, float]:
    """Return mAP, precision@1 and seconds a query."""
    classes = {str(path): path.parent.name for path in folder.glob("*/*") if path.is_file()}
    sizes = {name: list(classes.values()).count(name) for name in set(classes.values())}
    precisions, firsts = [], []
    started = time.perf_counter()
    for path, name in classes.items():
        found = [match.picture.path for match in gallery.search(path, k=len(classes), by=by)]
        is_right = np.array([classes.get(other) == name for other in found])
        if sizes[name] > 1:
            precisions.append(average_precision(is_right, sizes[name] - 1))
            firsts.append(bool(is_right[:1].any()))
    seconds = (time.perf_counter() - started) / len(classes)
    return float(np.mean(precisions)), float(np.mean(firsts)), seconds


def main() -> None:
    """Measure and print one table for each folder."""
    for name in sys.argv[1:]:
        folder = Path(name).resolve()
        with (
            tempfile.TemporaryDirectory() as place,
            Gallery.open(place, create=True, settings=Settings()) as gallery,
        ):
            report = gallery.add(folder)
            print(f"\n{folder.name}: {report.added} pictures\n\n| way | mAP | precision@1 | ms a query |")
            print("| --- | --- | --- | --- |")
            for by in ways(gallery.settings):
                mean_ap, first, seconds = measure(folder, gallery, by)
                print(f"| {by} | {mean_ap:.3f} | {first:.3f} | {seconds * 1000:.0f} |", flush=True)


if __name__ == "__main__":
    main()
