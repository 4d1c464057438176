"""Measure what may wrongly go, and what is missed, on documents, icons and marked photos. Run by hand.

    python benchmarks/bench_trust.py [--receipts DIR] [--icons DIR] [--photos DIR...] [--n 20]

`--receipts`: scans with a `truth.csv` (file, company, date, total): two are one receipt only where date and total
are equal. `--icons`: pictures of one size, each another; the names of variants differ in ``fe0f`` only. `--photos`:
folders of photos; `--n` of each are edited. Documents are drawn (`drawn_documents.py`) with seeds no threshold saw.
"""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from drawn_documents import KINDS, draw_document
from lookalike import Gallery
from lookalike.edits import graded_edits, standard_edits
from lookalike.features.keypoints import extract_keypoints
from lookalike.media.decode import decode
from lookalike.media.sight import Sight
from lookalike.proving.closer import look_closer
from lookalike.proving.verify import verify

FIRST_SEED = 1000
MARKS = ("watermark", "logo", "text", "banner", "stamp")


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """Return a picture as JPEG leaves it."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def scaled(image: Image.Image, factor: float) -> Image.Image:
    """Return a picture in another size."""
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS)


def rescanned(image: Image.Image) -> Image.Image:
    """Return a page as another scan shows it: other gain and offset, and noise."""
    chance = np.random.default_rng(image.width * image.height)
    levels = np.asarray(image, np.float32) * chance.uniform(0.85, 1.1) + chance.uniform(-8, 12)
    levels += chance.normal(0, 2, levels.shape)
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))


Make = Callable[[Image.Image], Image.Image]
SCANS: dict[str, Make] = {
    "70 % of the size": lambda image: scaled(image, 0.7),
    "half the size": lambda image: scaled(image, 0.5),
    "JPEG 40": lambda image: jpeg(image, 40),
    "turned by 2 degrees": lambda image: image.rotate(
        2, Image.Resampling.BICUBIC, expand=True, fillcolor="white"
    ),
    "other gain, noise": rescanned,
}
ICONS: dict[str, Make] = {
    "twice the size": lambda image: scaled(image, 2),
    "3/4 of the size": lambda image: scaled(image, 0.75),
    "JPEG 70": lambda image: jpeg(image, 70),
}


def prove(first: Image.Image, second: Image.Image) -> tuple[str, bool]:
    """Return the relation of two pictures, and whether something is outlined as different."""
    found = verify(extract_keypoints(first), extract_keypoints(second))
    if found.relation not in ("copy", "same_pixels") or found.matrix is None:
        return found.relation, False
    look = look_closer(Sight(np.asarray(first)), Sight(np.asarray(second)), found.matrix)
    return look.relation, bool(look.regions_first)


def measure_copies(name: str, pictures: Iterable[Image.Image], edits: dict[str, Make]) -> None:
    """Print how many copies of pictures are found, edit by edit."""
    pictures = list(pictures)
    n_found = {
        label: sum(prove(one, make(one))[0] == "copy" for one in pictures) for label, make in edits.items()
    }
    total = len(pictures) * len(edits)
    print(
        f"{name}: {sum(n_found.values())} of {total} true copies found; {n_found} of {len(pictures)} each",
        flush=True,
    )


def measure_changes(n_seeds: int) -> None:
    """Print how many drawn documents with one thing changed are called copies, and how many might go."""
    n_copies, n_go, n = 0, 0, 0
    for kind in KINDS:
        for seed in range(FIRST_SEED, FIRST_SEED + n_seeds):
            first = draw_document(kind, seed)
            for second in (draw_document(kind, seed, 0), jpeg(scaled(draw_document(kind, seed, 1), 0.8), 75)):
                relation, is_outlined = prove(first, second)
                n += 1
                if relation == "copy":
                    print(f"  called a copy: {kind} {seed}, {'stays' if is_outlined else 'MAY GO'}")
                    n_copies += 1
                    n_go += not is_outlined
    print(
        f"drawn documents with one thing changed: {n_copies} of {n} called copies, {n_go} may go", flush=True
    )


def measure_folder(name: str, folder: Path, are_one: Callable[[str, str], bool]) -> None:
    """Print which files of a folder are called copies, and would go, though they are not one."""
    with tempfile.TemporaryDirectory() as place, Gallery.open(Path(place) / "g", create=True) as gallery:
        gallery.add(folder)
        report = gallery.duplicates()
    wrong = [
        (Path(group.keeper.path).name, Path(one.picture.path).name, one)
        for group in report.groups
        for one in group.members
        if one.relation != "same_file"  # equal bytes under two names are one, whatever they are called
        and not are_one(Path(group.keeper.path).name, Path(one.picture.path).name)
    ]
    for keeper, member, one in wrong:
        print(f"  {keeper} {member}: {one.relation}, {one.note or 'WOULD GO'}")
    n_go = sum(not one.note for *_, one in wrong)
    print(f"{name}: {len(wrong)} false copies, {n_go} would go; {report.seconds:.0f} s", flush=True)


def same_receipt(folder: Path) -> Callable[[str, str], bool]:
    """Return what tells by the truth whether two files are scans of one receipt."""
    with (folder / "truth.csv").open(newline="") as file:
        facts = {row["file"]: (row["company"], row["date"], row["total"]) for row in csv.DictReader(file)}
    return lambda one, other: facts[one] == facts[other]


def same_icon(one: str, other: str) -> bool:
    """Whether two names are code points of one icon: variation selectors do not count."""
    return one.replace("-fe0f", "") == other.replace("-fe0f", "")


def measure_marks(folder: Path, n_photos: int) -> None:
    """Print how many photos are found to be copies after twenty edits, and with marks laid over them."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    chosen = np.random.default_rng(11).choice(len(paths), min(n_photos, len(paths)), replace=False)
    photos = [decode(paths[number]).image for number in chosen]
    edits = [*standard_edits(), *(edit for edit in graded_edits() if edit.label.split()[0] in MARKS)]
    n_found, missed = 0, []
    for number, edit in enumerate(edits):
        found = [
            prove(one, edit.make(one, np.random.default_rng(number), photos))[0] == "copy" for one in photos
        ]
        n_found += sum(found)
        missed += [f"{edit.label}: {len(photos) - sum(found)}"] if not all(found) else []
    print(
        f"{folder.name}: {n_found} of {len(edits) * len(photos)} edits and marks found; missed {missed}",
        flush=True,
    )


def main() -> None:
    """Parse the arguments, measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--receipts", type=Path)
    parser.add_argument("--icons", type=Path)
    parser.add_argument("--photos", type=Path, nargs="*", default=[])
    parser.add_argument("--n", type=int, default=20, help="pictures of each kind")
    arguments = parser.parse_args()
    measure_changes(max(1, arguments.n // 5))
    measure_copies("drawn documents", (draw_document(kind, FIRST_SEED) for kind in KINDS), SCANS)
    if arguments.receipts:
        scans = sorted(arguments.receipts.glob("*.jpg"))[:: max(1, 150 // arguments.n)]
        measure_copies("receipts", (decode(path).image for path in scans), SCANS)
        measure_folder("receipts", arguments.receipts, same_receipt(arguments.receipts))
    if arguments.icons:
        icons = sorted(arguments.icons.glob("*.png"))[:: max(1, 600 // arguments.n)]
        measure_copies("icons", (decode(path).image for path in icons), ICONS)
        measure_folder("icons", arguments.icons, same_icon)
    for folder in arguments.photos:
        measure_marks(folder, arguments.n)


if __name__ == "__main__":
    main()
