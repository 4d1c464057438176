"""Many clients at once: searches by id and by upload of a served gallery. Run by hand: ``make bench-web``.

The gallery is synthetic (embeddings and hashes drawn at random), but for some photos whose files are there and are
asked with, so that decoding, features and the scan of all pictures are real. Clients and server share the
cores, so the figures are lower bounds.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from lookalike import Gallery, Settings
from lookalike.features.extract import recipes_of
from lookalike.features.feature import EMBEDDING
from lookalike.storage.records import Content
from lookalike.storage.store import Store

PHOTOS = ("astronaut", "cat", "coffee", "rocket", "hubble_deep_field", "immunohistochemistry", "retina")
UPLOAD_SIZES = ((2000, 1500), (3000, 2000), (4000, 3000))
N_FILES = 200


def make_files(folder: Path) -> None:
    """Write different JPEGs of 800 x 600, cut out of scikit-image's photos at random."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(N_FILES):
        _cut(rng, number, (800, 600)).save(folder / f"{number}.jpg", quality=88)


def _cut(rng: np.random.Generator, number: int, size: tuple[int, int]) -> Image.Image:
    from skimage import data

    photo = Image.fromarray(getattr(data, PHOTOS[number % len(PHOTOS)])()).convert("RGB")
    width = int(min(photo.width, photo.height * size[0] / size[1]) * rng.uniform(0.5, 0.95))
    height = width * size[1] // size[0]
    left, top = rng.integers(0, photo.width - width + 1), rng.integers(0, photo.height - height + 1)
    return photo.resize(size, Image.Resampling.BICUBIC, (left, top, left + width, top + height))


def make_gallery(folder: Path, files: Path, n: int) -> None:
    """Make a gallery of the files, and of n random embeddings and hashes beside them."""
    settings = Settings()
    with Gallery.open(folder, create=True, settings=settings) as gallery:
        gallery.add(files)
    rng = np.random.default_rng(1)
    recipes = recipes_of(settings, ("phash", "dhash", EMBEDDING))
    store = Store(folder)
    for start in range(0, n, 5000):
        vectors = rng.normal(size=(5000, 1280))
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
        bits = rng.integers(0, 256, (5000, 2, 8), np.uint8)
        with store.batch() as batch:
            for row in range(min(5000, n - start)):
                number = start + row
                content = Content(number.to_bytes(32, "big"), 1, "jpeg", 500, 375, None)
                data = {"phash": bits[row, 0].tobytes(), "dhash": bits[row, 1].tobytes()}
                data[EMBEDDING] = vectors[row].tobytes()
                content_id, _ = batch.add_content(content, data, recipes)
                batch.put_file(f"/synthetic/{number}.jpg", 1, 1, content_id=content_id)
    store.close()


def make_uploads(n: int) -> list[bytes]:
    """Return different JPEGs of 3, 6 and 12 megapixels."""
    rng = np.random.default_rng(2)
    uploads = []
    for number in range(n):
        picture = _cut(rng, number, UPLOAD_SIZES[number % len(UPLOAD_SIZES)])
        grain = rng.normal(0, 3, (picture.height, picture.width, 1)).astype(np.int16)
        pixels = (np.asarray(picture, np.int16) + grain).clip(0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
        uploads.append(buffer.getvalue())
    return uploads


@dataclass
class Load:
    """What one kind of request met."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    n_sent: int = 0

    def row(self, name: str, wall_seconds: float) -> str:
        """Return a row of the table."""
        n_good = self.statuses["200"]
        others = {status: n for status, n in self.statuses.items() if status not in ("200", "503")}
        times = "-"
        if self.seconds:
            p50, p99 = np.percentile(self.seconds, [50, 99]) * 1000
            times = f"{p50:,.0f}, {p99:,.0f} ms"
        lost = self.n_sent - sum(self.statuses.values())
        return (
            f"| {name} | {n_good / wall_seconds:,.1f} | {times} | {n_good:,} | {self.statuses['503']:,} | "
            f"{json.dumps(others) if others else 0} | {lost} |"
        )


async def press(
    address: str, n_clients: int, seconds: float, send: Callable[[httpx.AsyncClient, int], object]
) -> tuple[Load, float]:
    """Have so many clients ask without a pause; one that is told to come again waits as long as it is told."""
    load, numbers = Load(), iter(range(10**9))
    started = time.monotonic()

    async def client() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=60) as http:
            while time.monotonic() - started < seconds:
                load.n_sent += 1
                before = time.monotonic()
                try:
                    answer = await send(http, next(numbers))  # type: ignore[misc]
                except httpx.TransportError as error:
                    load.statuses[type(error).__name__] += 1
                    continue
                load.statuses[str(answer.status_code)] += 1
                if answer.status_code == 200:
                    load.seconds.append(time.monotonic() - before)
                elif answer.status_code == 503:
                    await asyncio.sleep(float(answer.headers["retry-after"]))

    await asyncio.gather(*(client() for _ in range(n_clients)))
    return load, time.monotonic() - started


def memory_mb(process_id: int) -> dict[str, float]:
    """Return the private memory of a server and of its worker processes, without what is mapped from files."""
    found = {"server": _anonymous_mb(process_id), "workers": 0.0}
    for name in os.listdir("/proc"):
        if name.isdecimal() and _parent(name) == process_id:
            found["workers"] += _anonymous_mb(int(name))
    return found


def _anonymous_mb(process_id: int) -> float:
    try:
        text = Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1000 for line in text.splitlines() if line.startswith("RssAnon"))


def _parent(name: str) -> int:
    try:
        return int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def start_server(gallery: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start `lookalike serve` and wait until it is ready."""
    command = [sys.executable, "-m", "lookalike", "--gallery", str(gallery), "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    line = process.stdout.readline().decode()  # type: ignore[union-attr]
    address = next(word for word in line.split() if word.startswith("http://"))
    started = time.monotonic()
    while True:
        try:
            if httpx.get(f"{address}/ready", timeout=30).status_code == 200:
                break
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    print(f"ready after {time.monotonic() - started:.1f} s (builds the caches)\n", flush=True)
    return process, address


def measure(address: str, process_id: int, options: argparse.Namespace) -> None:
    """Ask by id and by upload, with few and with many clients, and print the table."""
    pictures = httpx.get(f"{address}/api/v1/pictures", params={"limit": N_FILES}).json()["pictures"]
    ids = [picture["id"] for picture in pictures if picture["exists"]]
    uploads = make_uploads(options.uploads)

    async def by_id(http: httpx.AsyncClient, number: int) -> httpx.Response:
        query = f"id:{ids[number % len(ids)]}"
        return await http.get("/api/v1/search", params={"query": query, "k": 20})

    async def by_upload(http: httpx.AsyncClient, number: int) -> httpx.Response:
        files = {"image": ("picture.jpg", uploads[number % len(uploads)])}
        return await http.post("/api/v1/search", files=files, params={"k": 20})

    size = sum(map(len, uploads)) / len(uploads) / 1e6
    print(f"uploads: {len(uploads)} JPEGs of 3, 6 and 12 megapixels, {size:.1f} MB on average\n")
    print(
        "| requests | answered a second | p50, p99 | 200 | 503 | other | lost |\n|---|---|---|---|---|---|---|"
    )
    memory = [memory_mb(process_id)]
    for n_clients in options.clients:
        for name, send in (("by id", by_id), ("by upload", by_upload)):
            load, wall = asyncio.run(press(address, n_clients, options.seconds, send))
            print(load.row(f"search {name}, {n_clients} clients", wall), flush=True)
            memory.append(memory_mb(process_id))
    print("\nprivate memory before and after each row, server / workers:")
    print(", ".join(f"{one['server']:.0f} / {one['workers']:.0f} MB" for one in memory))
    text = httpx.get(f"{address}/metrics").text
    print(next(line for line in text.splitlines() if line.startswith("lookalike_rejected_total")))


def main() -> None:
    """Make the gallery, serve it, press it, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60, help="of each row")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 100])
    parser.add_argument("--uploads", type=int, default=24, help="different pictures that are sent")
    parser.add_argument("--gallery", type=Path, help="keep the gallery here, and use it again")
    options = parser.parse_args()
    print(f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as name:
        place = options.gallery or Path(name)
        if not (place / "g").exists():
            place.mkdir(exist_ok=True)
            make_files(place / "files")
            make_gallery(place / "g", place / "files", options.pictures)
        process, address = start_server(place / "g")
        watchdog = threading.Timer(3600, process.kill)
        watchdog.start()
        try:
            measure(address, process.pid, options)
        finally:
            watchdog.cancel()
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


if __name__ == "__main__":
    main()
