"""The picture files that all are asked about, made once: edited copies, and a gallery with planted copies."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike.edits import Edit, apply_edit, perception_edits, standard_edits

SEED = 20
NO_EDIT = "noop"
QUALITY = 95
PUBLISHED_SIDE_PX = 256  # perception shrinks every picture to this before it edits it
TILE_PX = (160, 120)
TILE_SCALE = 2.5
SKIMAGE_PHOTOS = ("astronaut", "cat", "chelsea", "coffee", "rocket", "hubble_deep_field", "retina")


@dataclass(frozen=True)
class EditedSet:
    """Originals and edited copies of each, in one flat folder.

    Parameters
    ----------
    originals : tuple of str        file names, in order of source
    copies : tuple of (str, int, str)    file name, number of its original, label of the edit
    """

    folder: Path
    originals: tuple[str, ...]
    copies: tuple[tuple[str, int, str], ...]

    @property
    def paths(self) -> list[str]:
        """Every file, in order of name."""
        names = {*self.originals, *(name for name, _, _ in self.copies)}
        return [str(self.folder / name) for name in sorted(names)]

    @property
    def labels(self) -> list[str]:
        """The edits, in their own order."""
        return list(dict.fromkeys(label for _, _, label in self.copies))


def find_photos(folders: Sequence[Path], place: Path) -> list[Path]:
    """Return the JPEGs of the folders in a shuffled but fixed order; without folders, tiles of known photos."""
    if not folders:
        return _write_tiles(place)
    files = sorted(path for folder in folders for path in folder.rglob("*.jpg"))
    return [files[number] for number in np.random.default_rng(4).permutation(len(files))]


def _write_tiles(place: Path) -> list[Path]:
    """Cut scikit-image's photos into tiles that do not overlap, and keep those that show something."""
    from skimage import data

    place.mkdir(parents=True)
    paths = []
    for name in SKIMAGE_PHOTOS:
        photo = Image.fromarray(getattr(data, name)()).convert("RGB")
        for top in range(0, photo.height - TILE_PX[1] + 1, TILE_PX[1]):
            for left in range(0, photo.width - TILE_PX[0] + 1, TILE_PX[0]):
                tile = photo.crop((left, top, left + TILE_PX[0], top + TILE_PX[1]))
                if np.asarray(tile.convert("L")).std() < 15:
                    continue
                path = place / f"{name} {left} {top}.jpg"
                size = (round(TILE_PX[0] * TILE_SCALE), round(TILE_PX[1] * TILE_SCALE))
                tile.resize(size, Image.Resampling.BICUBIC).save(path, quality=QUALITY)
                paths.append(path)
    return [paths[number] for number in np.random.default_rng(4).permutation(len(paths))]


def make_standard_set(photos: Sequence[Path], others: Sequence[Path], folder: Path) -> EditedSet:
    """Make the twenty standard edits of whole photos; collages show some of the others."""
    return _make_set(photos, others, folder, standard_edits(), _opened)


def make_published_set(photos: Sequence[Path], folder: Path) -> EditedSet:
    """Make the ten edits of perception's published table, of photos that are shrunk first, as there."""
    made = _make_set(photos, [], folder, perception_edits(), _shrunk)
    # The table's last column counts the unedited pictures too, which everyone finds.
    unedited = tuple((name, number, NO_EDIT) for number, name in enumerate(made.originals))
    return replace(made, copies=made.copies + unedited)


def make_planted_gallery(
    photos: Sequence[Path], others: Sequence[Path], n_planted: int, folder: Path
) -> dict[str, tuple[int, str]]:
    """Copy the photos and plant one edited copy of each of the first ones; return source and edit by name.

    The edits take turns. Others are what collages show: they are not in the gallery themselves.
    """
    folder.mkdir(parents=True)
    origin: dict[str, tuple[int, str]] = {}
    for number, path in enumerate(photos):
        name = _name(number, "original")
        (folder / name).write_bytes(path.read_bytes())
        origin[name] = (number, "original")
    edits = standard_edits()
    neighbours = [_opened(path) for path in others]
    for number, path in enumerate(photos[:n_planted]):
        edit = edits[number % len(edits)]
        copy = apply_edit(_opened(path), edit, seed=SEED, key=str(number), neighbours=neighbours)
        copy.save(folder / _name(number, edit.label), quality=90)
        origin[_name(number, edit.label)] = (number, edit.label)
    return origin


def _make_set(
    photos: Sequence[Path],
    others: Sequence[Path],
    folder: Path,
    edits: Sequence[Edit],
    read: Callable[[Path], Image.Image],
) -> EditedSet:
    folder.mkdir(parents=True)
    work = [(number, path, tuple(others), folder, tuple(edits), read) for number, path in enumerate(photos)]
    with Pool(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None) as pool:
        copies = [copy for made in pool.imap(_write_copies, work) for copy in made]
    return EditedSet(folder, tuple(_name(number, "original") for number in range(len(photos))), tuple(copies))


def _write_copies(
    work: tuple[int, Path, tuple[Path, ...], Path, tuple[Edit, ...], Callable[[Path], Image.Image]],
) -> list[tuple[str, int, str]]:
    number, path, others, folder, edits, read = work
    original = folder / _name(number, "original")
    if read is _opened:
        original.write_bytes(path.read_bytes())
    else:
        read(path).save(original, quality=QUALITY)
    image = _opened(original)
    chosen = np.random.default_rng((SEED, number)).permutation(len(others))[:8]
    neighbours = [_opened(others[which]) for which in chosen]
    copies = []
    for edit in edits:
        name = _name(number, edit.label)
        copy = apply_edit(image, edit, seed=SEED, key=str(number), neighbours=neighbours)
        copy.save(folder / name, quality=QUALITY)
        copies.append((name, number, edit.label))
    return copies


def _name(number: int, label: str) -> str:
    return f"{number:05} {label.replace('/', ' of ')}.jpg"


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _shrunk(path: Path) -> Image.Image:
    image = _opened(path)
    factor = PUBLISHED_SIDE_PX / max(image.size)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return image.resize(size, Image.Resampling.BICUBIC)
