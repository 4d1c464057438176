"""Find planted copies among real photos, and compare with rivals: ``bench_duplicates.py FOLDER [FOLDER ...]``.

Photos of the folders are distractors; of a sample of them, edited copies are planted (see `lookalike.edits`). What
is found is counted by edit; a pair of files that do not come from one photo is false. Photos that were taken
seconds apart may be in the folders, so look at the false pairs before you believe the number: they are
listed. Rivals run on the same files where they are installed.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike import Gallery, Settings
from lookalike.edits import standard_edits

Pair = tuple[str, str]


def plant(folders: list[Path], place: Path, n_distractors: int, n_sources: int) -> dict[str, tuple[str, str]]:
    """Copy photos and write edits of some; return for each file name its source and edit."""
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix == ".jpg")
    rng = np.random.default_rng(4)
    chosen = [files[index] for index in rng.permutation(len(files))[:n_distractors]]
    origin = {}
    for number, path in enumerate(chosen):
        name = f"{number:05} original.jpg"
        (place / name).write_bytes(path.read_bytes())
        origin[name] = (f"{number:05}", "original")
    # What a collage shows beside the photo is not among the files, or it would be found there, rightly.
    absent = sorted(set(files) - set(chosen))[:60] or files[:60]
    neighbours = [Image.open(path).convert("RGB") for path in absent]
    edits = standard_edits()
    for number, path in enumerate(chosen[:n_sources]):
        edit = edits[number % len(edits)]
        name = f"{number:05} {edit.label.replace('/', ' of ')}.jpg"
        with Image.open(path) as photo:
            # Not seeded by `apply_edit`: these seeds made the copies of the figures in the documents.
            copy = edit.make(photo.convert("RGB"), np.random.default_rng(number), neighbours)
        copy.save(place / name, quality=90)
        origin[name] = (f"{number:05}", edit.label)
    return origin


def lookalike_pairs(place: Path, gallery_folder: Path) -> tuple[set[Pair], dict[str, float]]:
    """Return the pairs that are joined as copies, and the seconds of each step."""
    with Gallery.open(gallery_folder, create=True, settings=Settings(jobs=2)) as gallery:
        started = time.perf_counter()
        gallery.add(place)
        indexed = time.perf_counter()
        report = gallery.duplicates()
        found = time.perf_counter()
        gallery.duplicates()
        again = time.perf_counter()
    pairs = {
        tuple(sorted((Path(group.keeper.path).name, Path(member.picture.path).name)))
        for group in report.groups
        for member in group.members
    }
    times = {"index": indexed - started, "duplicates": found - indexed, "again": again - found}
    return pairs, {**times, "pairs compared": report.n_compared}  # type: ignore[return-value]


def imagehash_pairs(place: Path) -> set[Pair]:
    """Return the pairs within 10 bits of ImageHash's pHash."""
    import imagehash

    names = sorted(path.name for path in place.iterdir())
    hashes = []
    for name in names:
        with Image.open(place / name) as image:
            hashes.append(np.packbits(imagehash.phash(image).hash.ravel()))
    from lookalike.storage.index.hash_pairs import find_pairs_within

    found = find_pairs_within(np.stack(hashes), 10)
    return {(names[a], names[b]) for a, b in zip(found.first.tolist(), found.second.tolist(), strict=True)}


def imagededup_pairs(place: Path, method: str) -> set[Pair]:
    """Return the pairs that imagededup finds at its default threshold."""
    from imagededup import methods

    finder = getattr(methods, method)(verbose=False)
    found = finder.find_duplicates(image_dir=str(place))
    return {tuple(sorted((name, other))) for name, others in found.items() for other in others}  # type: ignore[misc]


def rivals(place: Path) -> Iterator[tuple[str, set[Pair] | None, float]]:
    """Yield name, pairs (None where it is not installed) and seconds of each rival."""
    for name, work in (
        ("ImageHash pHash within 10 bits", imagehash_pairs),
        ("imagededup pHash", lambda p: imagededup_pairs(p, "PHash")),
        ("imagededup CNN", lambda p: imagededup_pairs(p, "CNN")),
    ):
        started = time.perf_counter()
        try:
            yield name, work(place), time.perf_counter() - started
        except (ImportError, RuntimeError):  # absent, or its torch and torchvision do not fit together
            yield name, None, 0.0


def score(pairs: set[Pair], origin: dict[str, tuple[str, str]]) -> tuple[Counter[str], list[Pair]]:
    """Return how many planted copies of each edit are joined with their source, and the false pairs."""
    true = {pair for pair in pairs if origin[pair[0]][0] == origin[pair[1]][0]}
    found = Counter(edit for pair in true for name in pair if (edit := origin[name][1]) != "original")
    return found, sorted(pairs - true)


def main() -> None:
    """Plant, find, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--distractors", type=int, default=1500)
    parser.add_argument("--sources", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place, gallery = Path(name) / "photos", Path(name) / "gallery"
        place.mkdir()
        origin = plant(options.folders, place, options.distractors, options.sources)
        planted = Counter(edit for _, edit in origin.values() if edit != "original")
        pairs, times = lookalike_pairs(place, gallery)
        found, false = score(pairs, origin)
        print(f"{len(origin)} files, {sum(planted.values())} planted copies\n")
        print("| edit | planted | found |\n| --- | --- | --- |")
        for edit, count in planted.items():
            print(f"| {edit} | {count} | {found[edit]} |")
        print("\n| tool | found | false pairs | seconds |\n| --- | --- | --- | --- |")
        seconds = ", ".join(f"{step} {value:,.0f}" for step, value in times.items())
        print(f"| lookalike duplicates | {sum(found.values())} | {len(false)} | {seconds} |")
        for rival, rival_pairs, taken in rivals(place):
            if rival_pairs is None:
                print(f"| {rival} | not usable here | | |")
                continue
            rival_found, rival_false = score(rival_pairs, origin)
            print(f"| {rival} | {sum(rival_found.values())} | {len(rival_false)} | {taken:,.0f} |")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"\nPeak memory of the parent: {peak:,.0f} MB. False pairs of lookalike:")
        for first, second in false:
            print(f"  {first} / {second}")
        print(f"All pairs of the files: {sum(1 for _ in combinations(origin, 2)):,}")


if __name__ == "__main__":
    main()
