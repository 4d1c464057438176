"""Find planted copies among real photos: ``bench_duplicates.py FOLDER [FOLDER ...]``.

Photos of the folders are distractors; of a sample of them, edited copies are planted (see `lookalike.edits`). A
copy is found where it is in the group of its source; a file that is in the group of another photo is false.
Photos that were taken seconds apart may be in the folders, and two collages may have another photo in common: look
at the false ones before you believe the number, they are listed. ImageHash is asked on the same files;
`bench_peers.py` asks other tools too.
"""

from __future__ import annotations

import argparse
import io
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image

from lookalike import Gallery, Settings
from lookalike.edits import Edit, standard_edits
from lookalike.records.progress import Progress
from lookalike.storage.index.hash_pairs import find_pairs_within

Origin = dict[str, tuple[str, str]]  # file name -> photo and edit
N_ABSENT = (
    60  # photos that collages show beside the source: not among the files, or they would be found, rightly
)


def iter_photos(paths: Sequence[Path], n_tiles: int) -> Iterator[bytes]:
    """Yield the files as they are, or cut into tiles that share no pixel, each enlarged to about 400 px."""
    for path in paths:
        if n_tiles == 1:
            yield path.read_bytes()
            continue
        with Image.open(path) as opened:
            photo = opened.convert("RGB")
        width, height = photo.width // 2, photo.height // (n_tiles // 2)
        for number in range(n_tiles):
            left, top = number % 2 * width, number // 2 * height
            tile = photo.crop((left, top, left + width, top + height))
            factor = 400 / max(tile.size)
            file = io.BytesIO()
            tile.resize((round(width * factor), round(height * factor))).save(file, "JPEG", quality=92)
            yield file.getvalue()


def plant(options: argparse.Namespace, place: Path) -> Origin:
    """Write photos, and edits of the first of them; return for each file name its photo and edit."""
    files = sorted(path for folder in options.folders for path in folder.rglob("*") if path.suffix == ".jpg")
    shuffled = [files[index] for index in np.random.default_rng(4).permutation(len(files))]
    neighbours = [Image.open(path).convert("RGB") for path in shuffled[-N_ABSENT:]]
    origin: Origin = {}
    photos = iter_photos(shuffled[:-N_ABSENT], options.tiles)
    for number, data in zip(range(options.distractors), photos, strict=False):
        name = f"{number:05}"
        (place / f"{name} original.jpg").write_bytes(data)
        origin[f"{name} original.jpg"] = (name, "original")
        if number >= options.sources:
            continue
        with Image.open(io.BytesIO(data)) as photo:
            for edit in edits_of(number, options.edits_each):
                # Not seeded by `apply_edit`: these seeds made the copies of the figures in the documents.
                copy = edit.make(photo.convert("RGB"), np.random.default_rng(number), neighbours)
                file = f"{name} {edit.label.replace('/', ' of ')}.jpg"
                copy.save(place / file, quality=90)
                origin[file] = (name, edit.label)
    return origin


def read_back(place: Path) -> Origin:
    """Return what `plant` returned when it wrote these files; empty where there are none."""
    names = sorted(path.name for path in place.iterdir())
    return {name: (name[:5], name[6:-4].replace("1 of 4 size", "1/4 size")) for name in names}


def edits_of(number: int, n_edits: int) -> list[Edit]:
    """Return the edits of one photo; each photo begins with another one."""
    edits = standard_edits()
    return [edits[(number + step) % len(edits)] for step in range(n_edits)]


class StageClock:
    """Adds up the seconds of each stage, as progress is reported."""

    def __init__(self) -> None:
        """Start the clock."""
        self.seconds: Counter[str] = Counter()
        self._stage, self._since = "before", time.perf_counter()

    def __call__(self, progress: Progress) -> None:
        """Count the time since the last report to the stage that was reported then."""
        now = time.perf_counter()
        self.seconds[self._stage] += now - self._since
        self._stage, self._since = progress.stage, now


def lookalike_groups(place: Path, gallery_folder: Path) -> tuple[list[list[str]], dict[str, float]]:
    """Return the names in each group, and the seconds of each step and stage."""
    clock = StageClock()
    with Gallery.open(gallery_folder, create=True, settings=Settings(jobs=2)) as gallery:
        started = time.perf_counter()
        gallery.add(place)
        indexed = time.perf_counter()
        report = gallery.duplicates(on_progress=clock)
        found = time.perf_counter()
        gallery.duplicates()
        again = time.perf_counter()
    groups = [
        [Path(group.keeper.path).name, *(Path(member.picture.path).name for member in group.members)]
        for group in report.groups
    ]
    times = {"index": indexed - started, "duplicates": found - indexed, "asked again": again - found}
    stages = {f"of these {stage}": seconds for stage, seconds in clock.seconds.items() if seconds >= 1}
    return groups, {**times, **stages, "pairs compared": report.n_compared}


def score(groups: list[list[str]], origin: Origin) -> tuple[Counter[str], list[tuple[str, str]]]:
    """Return how many copies of each edit are in the group of their source, and the false pairs."""
    found: Counter[str] = Counter()
    false = []
    for keeper, *members in groups:
        photo = origin[keeper][0]
        false += [(keeper, name) for name in members if origin[name][0] != photo]
        if f"{photo} original.jpg" in (keeper, *members):
            found.update(origin[name][1] for name in (keeper, *members) if origin[name][0] == photo)
    del found["original"]
    return found, false


def imagehash_found(place: Path, origin: Origin) -> tuple[int, int, float]:
    """Return how many copies are within 10 bits of their source, how many pairs are false, and the seconds."""
    started = time.perf_counter()
    names = sorted(origin)
    hashes = []
    for name in names:
        with Image.open(place / name) as image:
            hashes.append(np.packbits(imagehash.phash(image).hash.ravel()))
    pairs = find_pairs_within(np.stack(hashes), 10)
    ends = [(origin[names[a]], origin[names[b]]) for a, b in zip(pairs.first, pairs.second, strict=True)]
    n_false = sum(first[0] != second[0] for first, second in ends)
    n_found = sum(a[0] == b[0] and "original" in (a[1], b[1]) for a, b in ends)
    return n_found, n_false, time.perf_counter() - started


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument(
        "--distractors", type=int, default=1500, help="photos, those that are edited included"
    )
    parser.add_argument("--sources", type=int, default=300, help="photos that are edited")
    parser.add_argument("--edits-each", type=int, default=1, help="of the twenty standard edits, in turn")
    parser.add_argument("--keep", type=Path, help="where photos and gallery stay, to be asked about again")
    parser.add_argument("--tiles", type=int, default=1, help="2, 4, 6: cut photos up, to have more of them")
    return parser.parse_args()


def main() -> None:
    """Plant, find, and print the tables."""
    options = read_options()
    with tempfile.TemporaryDirectory() as name:
        place, gallery = (Path(options.keep or name) / part for part in ("photos", "gallery"))
        place.mkdir(parents=True, exist_ok=True)
        origin = read_back(place) or plant(options, place)
        planted = Counter(edit for _, edit in origin.values() if edit != "original")
        groups, times = lookalike_groups(place, gallery)
        found, false = score(groups, origin)
        rival_found, rival_false, rival_seconds = imagehash_found(place, origin)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    worker_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    print(f"{len(origin)} files, {sum(planted.values())} planted copies\n")
    print("| edit | planted | found |\n| --- | --- | --- |")
    for edit, count in planted.items():
        print(f"| {edit} | {count} | {found[edit]} |")
    print("\n| tool | found | false pairs | seconds |\n| --- | --- | --- | --- |")
    seconds = ", ".join(f"{step} {value:,.0f}" for step, value in times.items())
    print(f"| lookalike duplicates | {sum(found.values())} | {len(false)} | {seconds} |")
    print(f"| ImageHash pHash within 10 bits | {rival_found} | {rival_false} | {rival_seconds:,.0f} |")
    print(f"\nPeak memory: parent {peak_mb:,.0f} MB, a worker {worker_mb:,.0f} MB. False pairs of lookalike:")
    for first, second in false:
        print(f"  {first} / {second}")


if __name__ == "__main__":
    main()
