"""What grows with the gallery: each act at two sizes. Run by hand: ``python benchmarks/bench_growth.py FOLDER``.

The galleries are synthetic: their rows are written straight into the store, so that no picture has to be computed.
Each figure is the least of a few, in milliseconds of processor time of one process that has the gallery open:
what starting it, its workers, and others on the machine cost is left out. Searches are by pHash, whose scan costs
little: what filters and look-ups cost is seen beside it.
Version 0.1.0 runs it too, with ``PYTHONPATH``; give both the same folder, the older one first.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lookalike import Filter, Gallery, Settings
from lookalike.acting.plan import Removal, make_plan

try:
    from lookalike.features.extract import recipes_of
    from lookalike.storage.records import Content
except ImportError:  # 0.1.0
    from lookalike.gallery import recipes_of
    from lookalike.storage.store import Content
from lookalike.storage.store import Store

N_REPEATS = 4
N_NAMES = 10_000
FORMATS = ("jpeg", "png", "webp")
FEATURES = ("ahash", "dhash", "phash", "whash", "embedding")
SETTINGS = Settings(jobs=1)


def fill(folder: Path, n: int) -> None:
    """Write n contents with hashes and embeddings, one file each, in folders by year and month."""
    rng = np.random.default_rng(0)
    recipes = recipes_of(SETTINGS, FEATURES)
    store = Store(folder, create=True)
    for start in range(0, n, 5000):
        rows = min(5000, n - start)
        hashes = rng.integers(0, 256, (rows, 4, 8), np.uint8)
        vectors = rng.normal(size=(rows, 1280)).astype(np.float16)
        with store.batch() as batch:
            for row in range(rows):
                number = start + row
                year, month = 2000 + number % 25, 1 + number % 12
                taken_at = f"{year}-{month:02}-15T12:00:00" if number % 2 else None
                facts = (1000 + number, FORMATS[number % 3], 400 + number % 3000, 3000, taken_at)
                data = {name: hashes[row, place].tobytes() for place, name in enumerate(FEATURES[:4])}
                data["embedding"] = vectors[row].tobytes()
                content_id, _ = batch.add_content(Content(number.to_bytes(32, "big"), *facts), data, recipes)
                path = f"/synthetic/{year}/{month:02}/{number}.{FORMATS[number % 3]}"
                batch.put_file(path, 1000 + number, number * 10**12, content_id=content_id)
            batch.put_failure(f"/synthetic/broken/{start}.jpg", 1, 1, stage="decode", reason="broken")
    store.close()


def picture(folder: Path, number: int) -> Path:
    """Write a small picture that differs from all others."""
    path = folder / f"{number}.png"
    levels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(levels).resize((96, 96), Image.Resampling.BICUBIC).save(path)
    return path


def timed(work: Callable[[int], object], n_repeats: int = N_REPEATS) -> float:
    """Return the milliseconds of the fastest of a few calls, which are told their number."""
    times = []
    for turn in range(n_repeats):
        started = time.process_time()
        work(turn)
        times.append(time.process_time() - started)
    return min(times) * 1000


@contextmanager
def opened(folder: Path) -> Iterator[Any]:
    """Open a gallery to write, so that an older one is brought up to date."""
    with Gallery.open(folder, create=True, settings=SETTINGS) as gallery:
        yield gallery


def measure(folder: Path, work: Path, n: int) -> dict[str, float]:
    """Return what each act costs in the gallery in a folder."""
    found: dict[str, float] = {}
    with opened(work / "empty"):  # what is imported, is
        pass
    started = time.process_time()
    with opened(folder) as gallery:
        found["opening an older one for the first time, which brings it up to date"] = (
            time.process_time() - started
        ) * 1000
        query = gallery.load(picture(work, 1)) if hasattr(gallery, "load") else None
        ask = lambda **options: gallery.search_loaded(query, by="phash", **options)  # noqa: E731
        ask()
        found["search by pHash, unfiltered"] = timed(lambda _: ask())
        found["the same, one format"] = timed(
            lambda turn: ask(where=Filter(formats=FORMATS[: turn % 2 + 1])), 2
        )
        found["the same, one folder"] = timed(lambda turn: ask(where=Filter(f"/synthetic/{2001 + turn}")))
        found["the same, since a date"] = timed(lambda turn: ask(where=Filter(since=f"20{10 + turn}")))
        found["the same, from a size on"] = timed(lambda turn: ask(where=Filter(min_bytes=n // 2 + turn)))
        found["the same filter again, as each page asks"] = timed(lambda _: ask(where=Filter(min_bytes=n)))
        found["info"] = timed(lambda _: gallery.info())
        found["the last page of the pictures"] = timed(lambda _: gallery.pictures(offset=n - 100, limit=100))
        found["a page of a folder's pictures"] = timed(
            lambda turn: gallery.pictures(limit=100, folder=f"/synthetic/{2001 + turn}")
        )
        found["a page of what failed"] = timed(lambda _: gallery.failures(limit=50))
        store = getattr(gallery, "_store", None)
        recipes = store.features.recipes if hasattr(store, "features") else store.recipes
        found["looking up a recipe"] = timed(lambda _: recipes("phash"))
        names = [f"/elsewhere/{number}.jpg" for number in range(N_NAMES)]
        found[f"forgetting {N_NAMES:,} names that are not known"] = timed(lambda _: gallery.remove(names), 1)
        gallery.add(picture(work, 2))
        found["adding one file (but for its worker)"] = timed(
            lambda turn: gallery.add(picture(work, 10 + turn))
        )
        twins = [picture(work, 30), work / "twin.png"]
        shutil.copy(*twins)
        gallery.add(twins)
        found["undoing what was done to one file (but for its worker)"] = timed_undo(gallery, twins)
    found |= measure_opening(folder, work)
    return found


def timed_undo(gallery: Any, twins: list[Path]) -> float:
    """Return the milliseconds of undoing the removal of one file to a quarantine."""
    times = []
    (match,) = [
        found for found in gallery.search(twins[0], k=1, by="phash") if found.picture.path == str(twins[1])
    ]
    removal = Removal(
        path=str(twins[1]),
        digest=match.picture.digest,
        size_bytes=match.picture.size_bytes,
        keeper=str(twins[0]),
        keeper_digest=match.picture.digest,
        relation="same_file",
        why="a copy",
    )
    quarantine = str(twins[0].parent / "put away")
    for _ in range(3):
        plan = make_plan([removal], act="quarantine", gallery=str(gallery.folder), quarantine=quarantine)
        gallery.apply(plan)
        started = time.process_time()
        gallery.undo()
        times.append(time.process_time() - started)
    return min(times) * 1000


def measure_opening(folder: Path, work: Path) -> dict[str, float]:
    """Return what opening an index costs: a first search less a second one; after nothing and after one change."""

    def opening(by: str) -> float:
        with Gallery.open(folder, settings=SETTINGS) as gallery:
            query = gallery.load(work / "1.png")
            (query.row if hasattr(query, "row") else query.feature)(by)  # 0.1.0
            first = timed(lambda _: gallery.search_loaded(query, by=by, k=10), 1)
            return max(0.0, first - timed(lambda _: gallery.search_loaded(query, by=by, k=11), 1))

    found = {}

    def measure_each(what: str) -> None:
        for by in ("phash", "embedding"):
            found[f"opening the index of {by}{what}"] = min(opening(by) for _ in range(3))

    for by in ("phash", "embedding"):
        opening(by)
    measure_each("")
    with opened(folder) as gallery:
        gallery.add(picture(work, 50))
    measure_each(" after one addition")
    with opened(folder) as gallery:
        gallery.remove([work / "50.png"])
    measure_each(" after one removal")
    return found


def measure_identical(work: Path, n: int) -> float:
    """Return the milliseconds of adding so many files of equal bytes."""
    folder = work / f"identical-{n}"
    folder.mkdir()
    data = picture(work, 70).read_bytes()
    for number in range(n):
        (folder / f"{number}.png").write_bytes(data)
    with opened(work / f"gallery-identical-{n}") as gallery:
        return timed(lambda _: gallery.add(folder, only="hashes"), 1)


_BUILD = """
import re, sys, threading
from pathlib import Path
from lookalike import Gallery

def megabytes():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

gallery = Gallery.open(sys.argv[1], create=True)
query = gallery.load(sys.argv[2])
(query.row if hasattr(query, "row") else query.feature)("embedding")
before, peak, done = megabytes(), [0.0], threading.Event()

def watch():
    while not done.wait(0.002):
        peak[0] = max(peak[0], megabytes())

watcher = threading.Thread(target=watch)
watcher.start()
gallery.search_loaded(query, by="embedding")
done.set()
watcher.join()
print(peak[0] - before)
"""


def peak_memory(folder: Path, query: Path) -> float:
    """Return the megabytes of its own that a process takes to build the index of the embedding; Linux only."""
    shutil.rmtree(folder / "cache", ignore_errors=True)
    command = [sys.executable, "-c", _BUILD, str(folder), str(query)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure each size, and print the figures as JSON and as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the galleries are made, and kept for the next run")
    parser.add_argument("--contents", type=int, nargs="+", default=[2_000, 200_000])
    parser.add_argument("--identical", type=int, nargs="+", default=[1_000, 4_000])
    parser.add_argument("--save", type=Path, help="also write the figures to this file, as JSON")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    figures: dict[str, dict[str, float]] = {}
    for n in arguments.contents:
        source = arguments.folder / f"source-{n}"
        if not source.exists():
            fill(source, n)
        work = arguments.folder / f"work-{os.getpid()}-{n}"
        shutil.copytree(source, work / "gallery")
        figures[f"{n:,}"] = measure(work / "gallery", work, n)
        figures[f"{n:,}"]["megabytes to build the index of the embedding"] = peak_memory(
            work / "gallery", work / "1.png"
        )
        shutil.rmtree(work)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores\n")
    sizes = list(figures)
    print(f"| ms | {' | '.join(f'{size} contents' for size in sizes)} |\n|---|{'---|' * len(sizes)}")
    for what in figures[sizes[0]]:
        print(f"| {what} | {' | '.join(f'{figures[size][what]:,.1f}' for size in sizes)} |")
    for n in arguments.identical:
        work = arguments.folder / f"work-{os.getpid()}-identical"
        work.mkdir()
        figures[f"identical {n}"] = {"ms": measure_identical(work, n)}
        shutil.rmtree(work)
        print(
            f"| adding {n:,} files of equal bytes, hashes only | | {figures[f'identical {n}']['ms']:,.0f} |"
        )
    if arguments.save:
        arguments.save.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
