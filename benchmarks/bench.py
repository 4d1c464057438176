"""Measure indexing and searching, and print one table. Run by hand: ``make bench``.

Everything is measured in one run on the same cores, so compare ratios, not times: machines differ and are
shared. Rivals are measured where they are installed.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike import Gallery, Settings
from lookalike.doctor import cpu_features
from lookalike.features.embedding.engine import open_embedder
from lookalike.features.extract import recipes_of
from lookalike.features.feature import EMBEDDING
from lookalike.media.decode import decode
from lookalike.storage.records import Content
from lookalike.storage.store import Store

PHOTOS = ("astronaut", "cat", "coffee", "rocket", "hubble_deep_field", "immunohistochemistry", "retina")
SIZE = (500, 375)
SETTINGS = Settings(jobs=2)

rows: list[tuple[str, str, str]] = []


def report(what: str, value: str, goal: str = "") -> None:
    """Keep a row of the table and show it at once."""
    rows.append((what, value, goal))
    print(f"{what:70} {value:>26}  {goal}", flush=True)


def make_photos(folder: Path, n: int) -> list[Path]:
    """Write n different JPEGs of 500 x 375, cut out of scikit-image's photos at random."""
    from skimage import data

    rng = np.random.default_rng(0)
    photos = [Image.fromarray(getattr(data, name)()).convert("RGB") for name in PHOTOS]
    paths = []
    for number in range(n):
        photo = photos[number % len(photos)]
        scale = rng.uniform(0.5, 0.95)
        width = int(min(photo.width, photo.height * 4 / 3) * scale)
        height = width * 3 // 4
        left, top = rng.integers(0, photo.width - width + 1), rng.integers(0, photo.height - height + 1)
        path = folder / f"{number:05}.jpg"
        piece = photo.resize(SIZE, Image.Resampling.BICUBIC, (left, top, left + width, top + height))
        piece.save(path, quality=90)
        paths.append(path)
    return paths


def _floor_of(paths: Sequence[Path], ready: object, results: object) -> None:
    """Decode at the needed size and run the model; nothing else."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    embedder = open_embedder(SETTINGS.model, SETTINGS)
    embedder.embed(np.zeros((1, 224, 224, 3), np.uint8))
    ready.wait()
    started = time.perf_counter()
    decoding = 0.0
    for path in paths:
        before = time.perf_counter()
        picture = decode(path.read_bytes(), min_side_px=224)
        decoding += time.perf_counter() - before
        embedder.embed(np.asarray(picture.image.resize((224, 224), Image.Resampling.BILINEAR))[None])
    results.put((time.perf_counter() - started, decoding))


def floor_rate(paths: Sequence[Path]) -> float:
    """Pictures a second of two processes that only decode, shrink and run the model."""
    ready, results = multiprocessing.Barrier(2), multiprocessing.Queue()
    workers = [
        multiprocessing.Process(target=_floor_of, args=(paths[part::2], ready, results)) for part in range(2)
    ]
    for worker in workers:
        worker.start()
    seconds = max(results.get()[0] for _ in workers)
    for worker in workers:
        worker.join()
    return len(paths) / seconds


def timed(work: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bench_index(folder: Path, n: int) -> None:
    """Full and hashes-only index against the floor, ImageHash and imagededup."""
    (folder / "photos").mkdir()
    paths = make_photos(folder / "photos", n)
    floors, fulls, hashes = [], [], []
    for turn in range(3):  # in turn, so that a drifting machine hits all alike
        floors.append(floor_rate(paths))
        for only, rates in (("all", fulls), ("hashes", hashes)):
            with Gallery.open(folder / f"{only}-{turn}", create=True, settings=SETTINGS) as gallery:
                rates.append(n / timed(lambda g=gallery, o=only: g.add(folder / "photos", only=o)))
    floor, full, hashed = (float(np.median(rates)) for rates in (floors, fulls, hashes))
    report(f"floor: decode to 224 x 224 and int8 model, 2 processes, {n} JPEGs", f"{floor:,.0f} pictures/s")
    report("full index, 2 processes", f"{full:,.0f} pictures/s")
    report("full index / floor", f"{full / floor:.2f}", "at least 0.75")
    loop = min(300, n)
    imagehash = loop / timed(lambda: _imagehash(paths[:loop]))
    report("four hashes of ImageHash in a loop", f"{imagehash:,.0f} pictures/s")
    report("full index / ImageHash's four hashes", f"{full / imagehash:.1f}", "at least 3")
    report("index --only hashes, 2 processes", f"{hashed:,.0f} pictures/s")
    report("index --only hashes / ImageHash's four hashes", f"{hashed / imagehash:.1f}")
    deduplicated = _imagededup_rate(folder / "photos", n)
    if deduplicated is None:
        report("pHash of imagededup", "not installed")
    else:
        report("pHash of imagededup, 2 processes", f"{deduplicated:,.0f} pictures/s")
        report("index --only hashes / imagededup's pHash", f"{hashed / deduplicated:.1f}", "at least 2")
    with Gallery.open(folder / "all-0", settings=SETTINGS) as gallery:
        gallery.search(paths[0], k=1)
        info = gallery.info()
    report("bytes a picture: gallery file", f"{info.store_bytes / n:,.0f} bytes")
    report("bytes a picture: index caches after a search", f"{info.cache_bytes / n:,.0f} bytes")
    _report_memory(folder)


def _imagehash(paths: Sequence[Path]) -> None:
    import imagehash

    for path in paths:
        with Image.open(path) as image:
            for hash_of in (imagehash.average_hash, imagehash.dhash, imagehash.phash, imagehash.whash):
                hash_of(image)


def _imagededup_rate(folder: Path, n: int) -> float | None:
    try:
        from imagededup.methods import PHash
    except ImportError:
        return None
    encoder = PHash(verbose=False)
    return n / timed(lambda: encoder.encode_images(str(folder), num_enc_workers=2))


def _report_memory(folder: Path) -> None:
    """Peak memory of the parent and of the largest worker of a full index, in a process of its own."""
    code = (
        "import sys, resource; from lookalike import Gallery, Settings\n"
        "with Gallery.open(sys.argv[1], create=True, settings=Settings(jobs=2)) as g: g.add(sys.argv[2])\n"
        "for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN): print(resource.getrusage(who).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, str(folder / "memory"), str(folder / "photos")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    parent, worker = (int(line) / 1000 for line in done.stdout.split())
    report("peak memory of the parent / of a worker", f"{parent:,.0f} / {worker:,.0f} MB")


def bench_large_jpeg() -> None:
    """6-megapixel JPEGs: our decoding at the needed size against a full Pillow decode."""
    from skimage import data

    rng = np.random.default_rng(1)
    for name, quality, noise in (("retina", 80, 0), ("hubble_deep_field", 88, 0), ("astronaut", 85, 3)):
        photo = Image.fromarray(getattr(data, name)()).resize((3000, 2000), Image.Resampling.BICUBIC)
        grain = np.asarray(photo, np.int16) + rng.normal(0, noise, (2000, 3000, 1)).astype(np.int16)
        buffer = io.BytesIO()
        Image.fromarray(grain.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
        data_bytes = buffer.getvalue()
        full, whole, ours = [], [], []
        for _ in range(15):
            full.append(timed(lambda d=data_bytes: Image.open(io.BytesIO(d)).convert("RGB")))
            whole.append(timed(lambda d=data_bytes: _full_thumbnail(d)))
            ours.append(timed(lambda d=data_bytes: _our_thumbnail(d)))
        size = f"{len(data_bytes) / 1e6:.1f} MB"
        ratio = np.median(full) / np.median(ours)
        report(
            f"6 MP JPEG of {size}: Pillow's full decode / ours to the thumbnail",
            f"{ratio:.1f}",
            "at least 2.5",
        )
        report(
            f"6 MP JPEG of {size}: Pillow's decode and resize / the same",
            f"{np.median(whole) / np.median(ours):.1f}",
        )


def _full_thumbnail(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)


def _our_thumbnail(data: bytes) -> Image.Image:
    return decode(data, min_side_px=224).image.resize((224, 224), Image.Resampling.BILINEAR)


def bench_unchanged(folder: Path, n: int) -> None:
    """Measure a second index over many unchanged files."""
    place = folder / "many"
    header = b"P6 4 4 255\n"
    rng = np.random.default_rng(2)
    for part in range(100):
        (place / f"{part:02}").mkdir(parents=True)
        for number in range(n // 100):
            pixels = rng.integers(0, 256, 48, np.uint8).tobytes()
            (place / f"{part:02}" / f"{number:04}.ppm").write_bytes(header + pixels)
    with Gallery.open(folder / "unchanged", create=True, settings=SETTINGS) as gallery:
        gallery.add(place, only="hashes")
    command = [sys.executable, "-m", "lookalike", "--gallery", str(folder / "unchanged"), "index", str(place)]
    command += ["--only", "hashes"]
    seconds = np.median(
        [timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)) for _ in range(3)]
    )
    report(
        f"second `index` over {n:,} unchanged files, whole process",
        f"{n / seconds:,.0f} files/s",
        "at least 20,000",
    )


def bench_search(folder: Path, n: int) -> None:
    """Search over synthetic embeddings, warm and cold."""
    rng = np.random.default_rng(3)
    recipes = recipes_of(SETTINGS)
    wanted = {name: recipes[name] for name in ("phash", "dhash", EMBEDDING)}
    store = Store(folder / "large", create=True)
    for start in range(0, n, 5000):
        vectors = rng.normal(size=(5000, 1280))
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
        bits = rng.integers(0, 256, (5000, 2, 8), np.uint8)
        with store.batch() as batch:
            for row in range(5000):
                number = start + row
                content = Content(number.to_bytes(32, "big"), 1, "jpeg", 500, 375, None)
                data = {"phash": bits[row, 0].tobytes(), "dhash": bits[row, 1].tobytes()}
                data[EMBEDDING] = vectors[row].tobytes()
                content_id, _ = batch.add_content(content, data, wanted)
                batch.put_file(f"/synthetic/{number}.jpg", 1, 1, content_id=content_id)
    store.close()
    query = next((folder / "photos").iterdir())
    with Gallery.open(folder / "large", settings=SETTINGS) as gallery:
        report(
            f"first search over {n:,} (builds the caches)", f"{timed(lambda: gallery.search(query)):.1f} s"
        )
        for by in ("auto", "embedding", "phash"):
            loads, totals = [], []
            for _ in range(100):
                started = time.perf_counter()
                loaded = gallery.load(query)
                for feature in ("phash", EMBEDDING) if by != "phash" else ("phash",):
                    loaded.row(feature)
                loads.append(time.perf_counter() - started)
                gallery.search_loaded(loaded, by=by)
                totals.append(time.perf_counter() - started)
            p50, p99 = np.percentile(totals, [50, 99]) * 1000
            share = 1 - np.sum(loads) / np.sum(totals)
            report(f"warm search --by {by} over {n:,}: p50, p99", f"{p50:.0f}, {p99:.0f} ms")
            report("  of it look-up and ranking", f"{share:.0%}")
    search = [
        sys.executable,
        "-m",
        "lookalike",
        "--gallery",
        str(folder / "large"),
        "search",
        str(query),
        "--json",
    ]
    imports = (
        "import numpy, PIL.Image, onnxruntime, sqlite3, typer, rich.console; "
        "from lookalike.cli import search; import lookalike.gallery.local, lookalike.media.decode; "
        "import lookalike.features.embedding"
    )
    cold, start = [], []
    for _ in range(5):
        cold.append(timed(lambda: subprocess.run(search, check=True, stdout=subprocess.DEVNULL)))
        start.append(timed(lambda: subprocess.run([sys.executable, "-c", imports], check=True)))
    report(
        f"cold `lookalike search` over {n:,}, less Python's start with the same imports",
        f"{np.median(cold) - np.median(start):.2f} s",
        "under 1 s",
    )
    start = [
        timed(
            lambda: subprocess.run([sys.executable, "-m", "lookalike", "--help"], stdout=subprocess.DEVNULL)
        )
        for _ in range(7)
    ]
    report("`lookalike --help`", f"{np.median(start):.2f} s", "under 0.3 s")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=4000)
    parser.add_argument("--files", type=int, default=100_000)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    vector = ", ".join(cpu_features())
    print(f"{platform.machine()}, {cores} cores ({vector}), Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench_index(folder, options.photos)
        bench_large_jpeg()
        bench_search(folder, options.files)
        bench_unchanged(folder, options.files)
    print("\n| what | measured | goal |\n| --- | --- | --- |")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(
        f"\nPeak memory of this benchmark: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB"
    )


if __name__ == "__main__":
    main()
