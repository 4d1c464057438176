"""Does the right picture stay? A family's library is composed, and the keepers proposed for it are counted.

    python benchmarks/bench_keeper.py [--program lookalike] [--photos FOLDER ...] [--count 120] [--seed 1]

Every original, with a camera's EXIF but for one in four, has one worse copy or more. The table says in how many
groups the original is the keeper, how many originals would go, and how many of the worse copies may go.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE_PX = 720
CAMERAS = (("Apple", "iPhone 12"), ("Canon", "EOS 80D"), ("SONY", "ILCE-7M3"), ("samsung", "SM-G991B"))
RESAMPLING = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BILINEAR)


def iter_photos(folders: list[Path], lot: random.Random) -> Iterator[Image.Image]:
    """Yield photos in RGB, each once, in a drawn order; those of scikit-image, cut up, without a folder."""
    if not folders:
        from skimage import data

        names = (
            "astronaut",
            "coffee",
            "chelsea",
            "rocket",
            "retina",
            "immunohistochemistry",
            "hubble_deep_field",
        )
        pieces = []
        for name in names:
            whole = Image.fromarray(getattr(data, name)()).convert("RGB")
            width, height = whole.size
            pieces += [
                whole.crop((left, top, left + width // 2, top + height // 2))
                for left in (0, width // 2)
                for top in (0, height // 2)
            ]
        lot.shuffle(pieces)
        yield from pieces
        return
    paths = [
        path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    ]
    lot.shuffle(paths)
    for path in paths:
        with Image.open(path) as opened:
            yield opened.convert("RGB")


def exif_of(number: int, size: tuple[int, int], lot: random.Random) -> Image.Exif:
    """Return what a camera writes: make, model, time, size, and a place for two in three."""
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = lot.choice(CAMERAS)
    moment = f"2019:{1 + number // 28 % 12:02}:{1 + number % 28:02} 1{number % 10}:{number % 60:02}:07"
    tags[0x0132] = moment
    inner = tags.get_ifd(0x8769)
    inner[0x9003] = moment
    inner[0xA002], inner[0xA003] = size
    if lot.random() < 0.67:
        place = tags.get_ifd(0x8825)
        place[1], place[2] = "N", (48.0, float(number % 60), 0.0)
        place[3], place[4] = "E", (11.0, 30.0, 0.0)
    return tags


class Library:
    """A library in the making: where each file came from is its truth."""

    def __init__(self, root: Path, lot: random.Random) -> None:
        self.root = root
        self.lot = lot
        self.kinds: dict[str, str] = {}
        self.origin: dict[str, str] = {}

    def place(self, original: str, kind: str, *parts: str) -> Path:
        """Return the place of a new file, and note what it is."""
        path = self.root.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.kinds[str(path)], self.origin[str(path)] = kind, original
        return path

    def add(self, number: int, photo: Image.Image, others: list[Image.Image], kind: str) -> None:
        """Write an original and a copy of that kind."""
        lot = self.lot
        scale = SIDE_PX / max(photo.size)
        if scale < 1:
            photo = photo.resize((round(photo.width * scale), round(photo.height * scale)), RESAMPLING[0])
        name = f"IMG_{1000 + 7 * number}"
        has_camera = bool(number % 4) or kind == "next shot of a burst"  # a burst is told by its times
        tags = exif_of(number, photo.size, lot) if has_camera else Image.Exif()
        album = ("Family", f"{2015 + number % 6} {lot.choice(('summer', 'Oma', 'lake', '爬山'))}")
        first = str(self.root.joinpath(*album, f"{name}.JPG"))
        original = self.place(first, "original", *album, f"{name}.JPG")
        photo.save(original, quality=lot.choice((85, 90, 92, 95)), exif=tags)
        with Image.open(original) as opened:
            shown = opened.convert("RGB")
        MAKERS[kind](self, Shot(first, name, shown, tags, others))


class Shot(NamedTuple):
    """An original: its path, its name, its pixels as they are in the file, its EXIF, and other photos."""

    first: str
    name: str
    shown: Image.Image
    tags: Image.Exif
    others: list[Image.Image]


Maker = Callable[[Library, Shot], None]
MAKERS: dict[str, Maker] = {}


def _maker(name: str) -> Callable[[Maker], Maker]:
    def keep(make: Maker) -> Maker:
        MAKERS[name] = make
        return make

    return keep


def _enlarged(library: Library, shown: Image.Image) -> Image.Image:
    factor = library.lot.uniform(1.25, 2.5)
    return shown.resize(
        (round(shown.width * factor), round(shown.height * factor)), library.lot.choice(RESAMPLING)
    )


@_maker("enlarged")
def _(library: Library, shot: Shot) -> None:
    path = library.place(shot.first, "enlarged", "Prints", f"{shot.name}_large.jpg")
    _enlarged(library, shot.shown).save(path, quality=library.lot.choice((80, 90, 95)))


@_maker("enlarged, with EXIF")
def _(library: Library, shot: Shot) -> None:
    path = library.place(shot.first, "enlarged, with EXIF", "Prints", f"{shot.name}_poster.jpg")
    _enlarged(library, shot.shown).save(path, quality=92, exif=shot.tags)


@_maker("enlarged as PNG")
def _(library: Library, shot: Shot) -> None:
    _enlarged(library, shot.shown).save(
        library.place(shot.first, "enlarged as PNG", "Prints", f"{shot.name}_2x.png")
    )


@_maker("saved again at 100")
def _(library: Library, shot: Shot) -> None:
    path = library.place(shot.first, "saved again at 100", "a", f"{shot.name}.jpg")
    shot.shown.save(path, quality=100, subsampling=0)


@_maker("saved again at 97")
def _(library: Library, shot: Shot) -> None:
    shot.shown.save(library.place(shot.first, "saved again at 97", "a", f"{shot.name}.jpg"), quality=97)


@_maker("PNG made of it")
def _(library: Library, shot: Shot) -> None:
    shot.shown.save(library.place(shot.first, "PNG made of it", "a", f"{shot.name}.png"))


@_maker("screenshot")
def _(library: Library, shot: Shot) -> None:
    lot = library.lot
    width, height = lot.choice(((1080, 2340), (1170, 2532), (750, 1334)))
    ground = lot.choice(("black", "white", (24, 24, 26)))
    screen = Image.new("RGB", (width, height), ground)
    tall = min(round(shot.shown.height * width / shot.shown.width), height - 200)
    top = (height - tall) // 2
    screen.paste(shot.shown.resize((width, tall), RESAMPLING[0]), (0, top))
    draw = ImageDraw.Draw(screen)
    ink = "black" if ground == "white" else "white"
    draw.text((40, 30), f"1{lot.randrange(10)}:3{lot.randrange(10)}", fill=ink, font_size=40)
    draw.rectangle((width - 100, 36, width - 50, 60), outline=ink, width=3)
    if lot.random() < 0.5:
        draw.text((40, top + tall + 30), "Like   Comment   Share", fill=ink, font_size=40)
    path = library.place(shot.first, "screenshot", "Phone", "DCIM", f"Screenshot_{shot.name}.png")
    screen.save(path)


@_maker("collage")
def _(library: Library, shot: Shot) -> None:
    side = round(1.1 * max(shot.shown.size))
    sheet = Image.new("RGB", (2 * side, 2 * side), "white")
    for place, picture in enumerate((shot.shown, *shot.others[:3])):
        sheet.paste(
            picture.resize((side - 10, side - 10), RESAMPLING[0]),
            (place % 2 * side + 5, place // 2 * side + 5),
        )
    sheet.save(library.place(shot.first, "collage", "Collages", f"{shot.name}_collage.jpg"), quality=92)


@_maker("sent by chat")
def _(library: Library, shot: Shot) -> None:
    small = shot.shown.resize((round(shot.shown.width * 0.6), round(shot.shown.height * 0.6)), RESAMPLING[0])
    small.save(
        library.place(shot.first, "sent by chat", "WhatsApp Images", f"IMG-2019-WA{shot.name}.jpg"),
        quality=70,
    )


@_maker("saved again at 60")
def _(library: Library, shot: Shot) -> None:
    shot.shown.save(library.place(shot.first, "saved again at 60", "a", f"{shot.name}.jpg"), quality=60)


@_maker("byte-equal download")
def _(library: Library, shot: Shot) -> None:
    folder = library.lot.choice(("Downloads", "下载"))
    copied = library.lot.choice((f"{shot.name} - Copy (2).JPG", f"{shot.name} (1).JPG", f"{shot.name}.JPG"))
    shutil.copyfile(shot.first, library.place(shot.first, "byte-equal download", folder, copied))


@_maker("byte-equal copy beside it")
def _(library: Library, shot: Shot) -> None:
    folder = Path(shot.first).parent.relative_to(library.root).parts
    copied = library.lot.choice((f"{shot.name} - Copy.JPG", f"{shot.name} copy.JPG", f"{shot.name} 副本.JPG"))
    shutil.copyfile(shot.first, library.place(shot.first, "byte-equal copy beside it", *folder, copied))


@_maker("original with raw data, and a PNG")
def _(library: Library, shot: Shot) -> None:
    Path(shot.first).with_suffix(".CR2").write_bytes(b"II*\0no raw data, but the name of them")
    shot.shown.save(library.place(shot.first, "original with raw data, and a PNG", "a", f"{shot.name}.png"))


@_maker("Live Photo, and an enlargement")
def _(library: Library, shot: Shot) -> None:
    Path(shot.first).with_suffix(".MOV").write_bytes(b"\0\0\0\x14ftypqt  a film")
    path = library.place(shot.first, "Live Photo, and an enlargement", "Prints", f"{shot.name}_big.jpg")
    _enlarged(library, shot.shown).save(path, quality=90)


@_maker("next shot of a burst")
def _(library: Library, shot: Shot) -> None:
    levels = np.asarray(shot.shown.filter(ImageFilter.GaussianBlur(0.4)), np.int16)
    noise = np.random.default_rng(library.lot.randrange(10**6)).normal(0, 2.5, levels.shape)
    moved = Image.fromarray(np.clip(levels + noise, 0, 255).astype(np.uint8))
    again = Image.Exif()
    again.load(shot.tags.tobytes())
    again.get_ifd(0x8769)[0x9003] = (
        str(shot.tags.get_ifd(0x8769).get(0x9003, "2019:01:01 11:00:07"))[:-1] + "9"
    )
    again[0x010F], again[0x0110] = shot.tags.get(0x010F, "Canon"), shot.tags.get(0x0110, "EOS 80D")
    folder = Path(shot.first).parent.relative_to(library.root).parts
    number = int(shot.name[4:]) + 1
    moved.save(
        library.place(shot.first, "next shot of a burst", *folder, f"IMG_{number}.JPG"),
        quality=92,
        exif=again,
    )


def ask(program: str, root: Path, gallery: Path) -> list[dict[str, object]]:
    """Index the library and return the groups that are proposed."""
    command = [program, "--gallery", str(gallery)]
    subprocess.run(
        [*command, "index", str(root)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    done = subprocess.run([*command, "duplicates", "--json"], check=True, capture_output=True)
    groups: list[dict[str, object]] = json.loads(done.stdout)["groups"]
    return groups


def count(library: Library, groups: list[dict]) -> dict[str, Counter]:
    """Return for each kind of copy how its groups came out."""
    keeper_of, going = {}, set()
    for group in groups:
        for member in group["members"]:
            keeper_of[member["path"]] = group["keeper"]
            if member["removable"]:
                going.add(member["path"])
    keepers = {group["keeper"] for group in groups}
    counts: dict[str, Counter] = defaultdict(Counter)
    for path, kind in library.kinds.items():
        if kind == "original":
            continue
        first = library.origin[path]
        own = counts[kind]
        own["groups"] += 1
        is_joined = keeper_of.get(path) == first or keeper_of.get(first) == path
        own["found"] += is_joined or (first in keepers and path in keeper_of)
        own["right keeper"] += first not in keeper_of or kind == "next shot of a burst"  # either may stay
        own["original would go"] += first in going
        own["worse would go"] += path in going
        if first in keeper_of and kind != "next shot of a burst":
            print(f"wrong: {kind}: {first} beside {keeper_of[first]}", file=sys.stderr)
    return counts


def main() -> None:
    """Compose, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=shutil.which("lookalike") or "lookalike")
    parser.add_argument("--photos", type=Path, nargs="*", default=[])
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at", type=Path, help="keep the library in this folder; asked again if it is there")
    options = parser.parse_args()
    lot = random.Random(options.seed)
    place = options.at or Path(tempfile.mkdtemp())
    place.mkdir(parents=True, exist_ok=True)
    library = Library((place / "library").resolve(), lot)
    shutil.rmtree(library.root, ignore_errors=True)
    photos = [
        photo for photo, _ in zip(iter_photos(options.photos, lot), range(2 * options.count), strict=False)
    ]
    kinds = list(MAKERS)
    others = photos[options.count :] or photos[::-1]
    for number, photo in enumerate(photos[: options.count]):
        library.add(number, photo, lot.sample(others, min(3, len(others))), kinds[number % len(kinds)])
    gallery = place / f"gallery-{os.getpid()}"
    counts = count(library, ask(options.program, library.root, gallery))
    shutil.rmtree(gallery, ignore_errors=True)
    columns = ("groups", "found", "right keeper", "original would go", "worse would go")
    print("| copy | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns))
    for kind in kinds:
        print(f"| {kind} | " + " | ".join(str(counts[kind][column]) for column in columns) + " |")
    total = sum(counts.values(), Counter())
    print("| **all** | " + " | ".join(f"**{total[column]}**" for column in columns) + " |")
    if options.at is None:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
