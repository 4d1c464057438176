"""Set lookalike beside other tools on the same picture files: ``make bench-peers``.

    python benchmarks/bench_peers.py [FOLDER ...] [--photos 300] [--out result.json] [--only ImageHash,PDQ]

Every rival is installed into an environment of its own and runs in its own process; one that cannot be
installed or loaded is absent, with the reason, and the rest goes on. Without folders, tiles of scikit-image's
photos are used: enough to see that it works, too few and too alike to believe the figures.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import lookalike
import peers_tables
from lookalike.doctor import cpu_features
from peers_asking import Answer, ask
from peers_install import RIVALS, Environment, Rival, prepare
from peers_pictures import EditedSet, find_photos, make_planted_gallery, make_published_set, make_standard_set
from peers_scoring import (
    Recalls,
    count_planted,
    recall_as_published,
    recall_of_proofs,
    recall_with_one_threshold,
    score_pairs,
)

N_CORES = 2
N_SPEED_PICTURES = 300
OURS = Rival("lookalike", "lookalike", ("lookalike.gallery.local", "lookalike.features.embedding"), ())
# Features of one group are asked for together; what may fail alone is asked for alone.
FEATURES = {
    "ImageHash": (("ahash", "dhash", "phash", "whash"),),
    "imagededup": (("PHash",), ("CNN",)),
    "PDQ": (("PDQ",),),
    "perception": (("ahash 16", "dhash 16", "phash 16", "wavelet 16", "marrhildreth", "blockmean", "pdq"),),
    "fastdup": (("fastdup",),),
    "lookalike": (("ahash", "dhash", "phash", "whash", "dhash 16", "phash 16", "hsv", "embedding"),),
}
PAIRS = {
    "ImageHash": ("phash",),
    "imagededup": ("PHash", "CNN"),
    "PDQ": ("PDQ",),
    "perception": ("phash 16", "phash 16 turned", "SIFT"),
    "fastdup": ("fastdup",),
    "difPy": ("duplicates", "similar"),
    "lookalike": ("duplicates",),
}
SPEED = {
    "ImageHash": ("phash",),
    "imagededup": ("PHash", "CNN"),
    "PDQ": ("PDQ",),
    "perception": ("phash 16",),
    "fastdup": ("fastdup",),
    "difPy": ("pixels",),
    "lookalike": ("hashes", "all"),
}

Result = dict[str, Any]


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


def ask_features(environments: Sequence[Environment], pictures: EditedSet, scratch: Path) -> Result:
    """Return the scores of every copy with every original by every feature, or why there are none."""
    questions = [(one, names) for one in environments for names in FEATURES.get(one.rival.name, ())]

    def scores(question: tuple[Environment, Sequence[str]]) -> Result:
        environment, names = question
        rival = environment.rival.name
        say(f"features of {pictures.folder.name}: {rival} {', '.join(names)}")
        answer = ask(environment, scratch, task="features", paths=pictures.paths, names=names, n_workers=1)
        if answer.content is None or answer.arrays is None:
            return {f"{rival} {name}": answer.reason for name in names}
        files = answer.content["names"]
        return {f"{rival} {name}": score_pairs(pictures, files[name], answer.arrays[name]) for name in names}

    with ThreadPoolExecutor(N_CORES) as pool:
        return {name: value for found in pool.map(scores, questions) for name, value in found.items()}


def ask_search(
    ours: Environment, pictures: EditedSet, n_verified: int, scratch: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the scores of `auto`, what is proven, and which copies were verified, each (c, o) or (c,)."""
    originals = [str(pictures.folder / name) for name in pictures.originals]
    copies = [str(pictures.folder / name) for name, _, _ in pictures.copies]
    is_verified = np.array([number < n_verified for _, number, _ in pictures.copies])

    def part(which: int) -> Answer:
        say(f"searching {pictures.folder.name}, part {which + 1} of {N_CORES}")
        place = tempfile.mkdtemp(dir=scratch)
        own = slice(which, None, N_CORES)
        verified = is_verified[own].tolist()
        question = {"originals": originals, "copies": copies[own], "verified": verified, "place": place}
        return ask(ours, scratch, task="search", n_workers=1, **question)

    with ThreadPoolExecutor(N_CORES) as pool:
        answers = list(pool.map(part, range(N_CORES)))
    scores = np.empty((len(copies), len(originals)), np.float32)
    proven = np.empty(scores.shape, bool)
    for which, answer in enumerate(answers):
        if answer.arrays is None:
            raise RuntimeError(f"lookalike itself {answer.reason}")
        scores[which::N_CORES], proven[which::N_CORES] = answer.arrays["scores"], answer.arrays["proven"]
    return scores, proven, is_verified


def measure_robustness(
    environments: Sequence[Environment], pictures: EditedSet, options: argparse.Namespace, scratch: Path
) -> Result:
    """Return recall by edit of every method, counted in the way of the set."""
    is_published = pictures.folder.name == "published"
    recall = recall_as_published if is_published else recall_with_one_threshold
    precision = 0.9999 if is_published else 0.999
    rows: Result = {}
    for name, scores in ask_features(environments, pictures, scratch).items():
        rows[name] = scores if isinstance(scores, str) else asdict(recall(pictures, scores, precision))
    ours = next(one for one in environments if one.rival is OURS)
    scores, proven, is_verified = ask_search(ours, pictures, options.verified, scratch)
    rows["lookalike auto"] = asdict(recall(pictures, scores, precision))
    proofs: Recalls = recall_of_proofs(pictures, proven, is_verified)
    rows["lookalike copy, proven"] = {**asdict(proofs), "n_verified": int(is_verified.sum())}
    return rows


def measure_planted(
    environments: Sequence[Environment], origin: dict[str, tuple[int, str]], folder: Path, scratch: Path
) -> Result:
    """Return what every tool calls duplicates at its own default, one tool at a time."""
    paths = [str(folder / name) for name in sorted(origin)]
    rows: Result = {}
    for one in environments:
        for method in PAIRS[one.rival.name]:
            say(f"duplicates: {one.rival.name} {method}")
            answer = ask(
                one, scratch, task="pairs", paths=paths, method=method, n_workers=N_CORES, is_timed=True
            )
            if answer.content is None:
                rows[f"{one.rival.name} {method}"] = answer.reason
                continue
            found, false = count_planted(origin, answer.content["pairs"])
            feature_seconds = answer.content["feature_seconds"]
            rows[f"{one.rival.name} {method}"] = {
                "found": sum(found.values()),
                "by_edit": found,
                "false": len(false),
                "false_pairs": false[:50],
                "seconds": answer.content["seconds"],
                "pictures_per_second": len(paths) / answer.content["seconds"],
                "features_per_second": None if math.isnan(feature_seconds) else len(paths) / feature_seconds,
                "peak_mb": answer.peak_mb,
            }
    return rows


def measure_speed(
    environments: Sequence[Environment], folder: Path, n_pictures: int, scratch: Path
) -> Result:
    """Return how many pictures a second each tool takes from file to feature, on one core and on two."""
    some = scratch / "some"
    some.mkdir()
    paths = sorted(folder.iterdir())[:n_pictures]
    for path in paths:
        shutil.copy(path, some / path.name)
    rows: Result = {}
    for one in environments:
        for name in SPEED[one.rival.name]:
            say(f"speed: {one.rival.name} {name}")
            rates: Result = {}
            for n_workers in (1, N_CORES):
                question = {"paths": [str(some / path.name) for path in paths], "names": [name]}
                answer = ask(one, scratch, task="features", n_workers=n_workers, is_timed=True, **question)
                if answer.content is None:
                    rates = answer.reason
                    break
                rates[f"on {n_workers}"] = len(paths) / answer.content["seconds"]
                rates[f"peak_mb on {n_workers}"] = answer.peak_mb
            rows[f"{one.rival.name} {name}"] = rates
    return rows


def measure(options: argparse.Namespace, scratch: Path) -> Result:
    """Make the pictures, ask everyone, and return everything that was measured."""
    chosen = [rival for rival in RIVALS if options.only is None or rival.name in options.only.split(",")]
    environments = [prepare(rival, options.environments) for rival in chosen]
    for one in environments:
        say(f"{one.rival.name} {one.version}" if not one.reason else f"{one.rival.name} absent: {one.reason}")
    ours = Environment(OURS, sys.executable, lookalike.__version__)
    everyone = [*environments, ours]
    photos = find_photos(options.folders, scratch / "tiles")
    spare = min(60, len(photos) // 5)
    photos, others = photos[spare:], photos[:spare]
    photos_edited = photos[: options.photos]
    say(f"{len(photos)} photos, of which {len(photos_edited)} are edited")
    published = make_published_set(photos_edited, scratch / "published")
    standard = make_standard_set(photos_edited, others, scratch / "standard")
    planted = scratch / "planted"
    origin = make_planted_gallery(photos[: options.distractors], others, len(photos_edited), planted)
    measures: dict[str, Callable[[], Result]] = {
        "published": lambda: measure_robustness(everyone, published, options, scratch),
        "standard": lambda: measure_robustness(everyone, standard, options, scratch),
        "duplicates": lambda: measure_planted(everyone, origin, planted, scratch),
        "speed": lambda: measure_speed(everyone, planted, N_SPEED_PICTURES, scratch),
    }
    return {
        "machine": describe_machine(),
        "command": " ".join(["bench_peers.py", *(Path(word).name for word in sys.argv[1:])]),
        "versions": {one.rival.name: one.version or f"absent: {one.reason}" for one in everyone},
        "n_photos": len(photos_edited),
        "n_verified": min(options.verified, len(photos_edited)),
        "n_files_planted": len(origin),
        "n_planted": sum(label != "original" for _, label in origin.values()),
        **{part: measures[part]() for part in options.parts.split(",")},
    }


def describe_machine() -> str:
    """Name processor features, cores and Python."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    features = ", ".join(cpu_features())
    system = f"{platform.system()} {platform.machine()}"
    return f"{system} ({features}), {cores} cores, Python {platform.python_version()}"


def write_result(result: Result, path: Path) -> None:
    """Write under another name first, so that a file of the right name is always whole."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(result, indent=1))
    part.replace(path)


def main() -> None:
    """Measure, keep the result, and print it as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, help="where the photos are")
    parser.add_argument("--photos", type=int, default=300, help="how many are edited")
    parser.add_argument("--verified", type=int, default=100, help="of how many the copies are verified")
    parser.add_argument(
        "--distractors", type=int, default=1200, help="photos of the planted gallery, at most"
    )
    parser.add_argument(
        "--parts", default="published,standard,duplicates,speed", help="what to measure, with commas between"
    )
    parser.add_argument("--only", help="rivals to ask, with commas between; all where it is left out")
    parser.add_argument(
        "--environments", type=Path, default=Path(".venv-peers"), help="where rivals are installed"
    )
    parser.add_argument("--out", type=Path, default=Path("bench-peers.json"), help="where the result is kept")
    parser.add_argument("--show", type=Path, help="print a kept result again and measure nothing")
    options = parser.parse_args()
    if options.show:
        print(peers_tables.as_markdown(json.loads(options.show.read_text())))
        return
    options.environments = options.environments.resolve()
    with tempfile.TemporaryDirectory() as name:
        result = measure(options, Path(name))
    write_result(result, options.out)
    print(peers_tables.as_markdown(json.loads(options.out.read_text())))


if __name__ == "__main__":
    main()
