"""Make the calibration that comes with lookalike, and see how it holds elsewhere. Run by hand.

    python benchmarks/bench_calibration.py make FOLDER... --out src/lookalike/searching/shipped_calibration.json
    python benchmarks/bench_calibration.py check FOLDER...

`make` calibrates a gallery of the folders and of scikit-image's photos. `check` asks with edited copies of other
folders, and prints what the shipped thresholds keep there, what a calibration of those folders keeps, and how
many queries get no answer once their source is removed; each with raw scores beside the relative ones.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from lookalike.calibration.calibrate import calibrate_gallery
from lookalike.calibration.fit import Sample, measured_precision
from lookalike.calibration.record import CalibrationReport
from lookalike.gallery.local import LocalGallery
from lookalike.records.calibration import PRECISIONS
from lookalike.records.progress import Progress
from lookalike.searching.worth import load_shipped

PHOTOS = ("astronaut", "camera", "chelsea", "coffee", "coins", "moon", "page", "rocket", "text")


def write_photos(folder: Path) -> None:
    """Write scikit-image's bundled photos as files."""
    folder.mkdir()
    for name in PHOTOS:
        Image.fromarray(getattr(data, name)()).convert("RGB").save(folder / f"{name}.png")


def run(folders: list[Path], place: Path, *, pictures: int, edits: int, seed: int) -> CalibrationReport:
    """Index the folders and calibrate, saying how far it is."""

    def tell(now: Progress) -> None:
        if now.n_done == now.n_total or now.n_done % 50 == 0:
            print(f"  {now.stage}: {now.n_done} of {now.n_total}", flush=True)

    with LocalGallery(place, create=True) as gallery:
        gallery.add(folders)
        return calibrate_gallery(
            gallery._store,
            gallery.settings,
            gallery._searcher,
            n_pictures=pictures,
            edits_each=edits,
            seed=seed,
            on_progress=tell,
        )


def print_promises(report: CalibrationReport) -> None:
    """Print what each way promises, and how it held for the other half of the pictures."""
    found = report.calibration
    print(
        f"{found.n_contents} pictures, {found.n_pictures} edited; {found.n_left_out} pairs of copies left out, "
        f"{found.n_doubtful} doubtful; {report.seconds:.0f} s"
    )
    for name, way in found.ways.items():
        print(f"| {name} |", end="")
        for promise, check in zip(way.promises, way.checks, strict=True):
            sure = "" if promise.is_supported else f" (≥ {promise.bound:.2%})"
            print(f" {promise.recall:.1%}{sure}, held {check.achieved:.2%} |", end="")
        print()


def print_transfer(report: CalibrationReport) -> None:
    """Print what the shipped thresholds keep on these pictures: precision, recall, queries without an answer."""
    for name, way in load_shipped().ways.items():
        sample = report.samples.get(name)
        if sample is None or sample.recipes != way.recipes:
            continue
        print(f"| {name} |", end="")
        for precision in PRECISIONS:
            achieved, recall, silence = outcome(sample, way.promise(precision).least)
            print(f" {achieved:.2%}, finds {recall:.1%}, silent {silence:.1%} |", end="")
        print()


def outcome(sample: Sample, threshold: float) -> tuple[float, float, float]:
    """Return precision, recall, and the share of queries without a relative that get no answer."""
    n_true, n_false = sample.count(threshold)
    silence = 1 - float((sample.false >= threshold).any(axis=1).mean())
    return measured_precision(n_true, n_false), n_true / len(sample), silence


def main() -> None:
    """Parse the arguments, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("task", choices=("make", "check"))
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--pictures", type=int, default=400, help="pictures to edit")
    parser.add_argument("--edits", type=int, default=10, help="edits of each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where `make` writes the calibration")
    parser.add_argument("--gallery", type=Path, help="keep the gallery here, so that a second run is quicker")
    arguments = parser.parse_args()
    np.set_printoptions(precision=3)
    with tempfile.TemporaryDirectory() as scratch:
        folders = list(arguments.folders)
        if arguments.task == "make":
            folders.append(Path(scratch) / "photos")
            write_photos(folders[-1])
        place = arguments.gallery or Path(scratch) / "gallery"
        report = run(folders, place, pictures=arguments.pictures, edits=arguments.edits, seed=arguments.seed)
    print_promises(report)
    if arguments.task == "check":
        print_transfer(report)
    elif arguments.out is not None:
        names = ", ".join(folder.name for folder in arguments.folders)
        shipped = replace(report.calibration, made_from=f"photos of {names}, and of scikit-image")
        arguments.out.write_text(shipped.to_text() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
