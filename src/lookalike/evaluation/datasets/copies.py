"""A folder of edited copies, with the table that says what each was made from."""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lookalike.edits.catalogue import EDITS_VERSION, graded_edits
from lookalike.edits.edit import Edit, apply_edit
from lookalike.errors import InputError, PictureError
from lookalike.media.decode import decode
from lookalike.media.files import read_file
from lookalike.records.progress import Progress, ProgressCallback, ignore_progress
from lookalike.settings import Settings

GROUND_TRUTH_NAME = "ground-truth.csv"
"""The table in a folder of edited copies; its columns are ``query,positive,edit``."""

_DEFAULT_SETTINGS = Settings()


@dataclass(frozen=True)
class EditedCopies:
    """What `write_edits` wrote.

    Parameters
    ----------
    ground_truth : str
        Path of the CSV of query, positive and edit.
    n_copies : int
        Edited copies that are there now.
    n_kept : int
        Of them, those that were already there from an earlier run.
    failed : tuple of (path, reason)
        Sources that could not be read or decoded, distractors that could not be read; the ground
        truth leaves them out.
    """

    ground_truth: str
    n_copies: int
    n_kept: int
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Plan:
    folder: Path
    edits: Sequence[Edit]
    neighbours: Sequence[Image.Image]
    seed: int
    jpeg_quality: int | None
    max_side_px: int | None
    settings: Settings
    neighbours_digest: str

    def place(self, path: Path, edit: Edit, key: str) -> Path:
        """Return where a copy lies: its name says all that its pixels depend on, so it can be kept."""
        recipe = (EDITS_VERSION, key, edit.label, self.seed, self.jpeg_quality, self.max_side_px)
        text = repr((*recipe, self.neighbours_digest)).encode()
        kind = re.sub(r"[^a-z0-9.]+", "-", edit.label.lower()).strip("-")
        stem = re.sub(r"[^\w.-]+", "-", path.stem)[:40]
        suffix = "png" if self.jpeg_quality is None else "jpg"
        return self.folder / kind / f"{stem} {hashlib.sha256(text).hexdigest()[:16]}.{suffix}"


def write_edits(
    sources: Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    edits: Sequence[Edit] | None = None,
    distractors: Sequence[str | os.PathLike[str]] = (),
    neighbours: Sequence[str | os.PathLike[str]] = (),
    seed: int = 0,
    jpeg_quality: int | None = None,
    max_side_px: int | None = None,
    settings: Settings = _DEFAULT_SETTINGS,
    on_progress: ProgressCallback = ignore_progress,
) -> EditedCopies:
    """Write every edit of every source, and a ground truth that `evaluation.datasets` reads back.

    The copies lie in one folder an edit, under `folder`; the ground truth names the sources where they are,
    relative to `folder`. A source or distractor of the same bytes as a source is as right an answer as the
    source. Killed at any point and started again with the same arguments, it keeps the copies that are there.
    What is left to chance follows from `seed` and the source's bytes.

    Parameters
    ----------
    sources : paths
        Picture files to make copies of; not changed.
    folder : path
        Made if it is not there.
    edits : sequence of Edit, or None
        None takes all of `graded_edits`.
    distractors : paths
        Further files that shall be searched in, and of which no copies are made.
    neighbours : paths
        Pictures for the other cells of collages. They should not be among the sources and
        distractors, or they would be found there, rightly, and counted as wrong.
    seed : int
    jpeg_quality : int or None
        None writes PNG, without loss; else JPEG of this quality, 1 to 95.
    max_side_px : int or None
        Shrink larger sources to this before they are edited; None leaves them.
    settings : Settings
        Limits of what is decoded.
    on_progress : callable
        Called with `Progress` after each source.

    Raises
    ------
    InputError
        There is no source or no edit, or `jpeg_quality` or `max_side_px` is out of range.
    """
    edits = graded_edits() if edits is None else edits
    _check(sources, edits, jpeg_quality, max_side_px)
    Path(folder).mkdir(parents=True, exist_ok=True)
    # Names lead out of the folder by "..", which a link on the way would lead astray.
    place = Path(folder).resolve()
    others = [_shrink(decode(Path(path), settings=settings).image, max_side_px) for path in neighbours]
    shown = hashlib.sha256(b"".join(other.tobytes() for other in others)).hexdigest()
    plan = _Plan(place, edits, others, seed, jpeg_quality, max_side_px, settings, shown)
    names, failed = _names_by_digest([*sources, *distractors], place, settings)
    asked, _ = _names_by_digest(sources, place, settings)
    rows: list[tuple[str, str, str]] = []
    n_kept, copies = 0, set()
    for number, digest in enumerate(asked, 1):
        try:
            for copy, edit, kept in _write_copies(
                Path(os.path.normpath(place / asked[digest][0])), digest, plan
            ):
                rows.extend((_relative(copy, place), twin, edit.label) for twin in names[digest])
                copies.add(copy)
                n_kept += kept
        except PictureError as error:
            failed.extend((os.path.normpath(place / name), str(error)) for name in names.pop(digest))
        on_progress(Progress("edit", number, len(asked)))
    truth = place / GROUND_TRUTH_NAME
    _write_table(truth, [("", name, "") for twins in names.values() for name in twins] + rows)
    return EditedCopies(str(truth), len(copies), n_kept, tuple(failed))


def _names_by_digest(
    paths: Sequence[str | os.PathLike[str]], folder: Path, settings: Settings
) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Return names relative to the folder by digest, for files of the same bytes share their copies."""
    names: dict[str, list[str]] = {}
    failed = []
    for path in dict.fromkeys(Path(path) for path in paths):
        try:
            digest = read_file(path, max_bytes=settings.max_bytes).digest.hex()
        except PictureError as error:
            failed.append((str(path), str(error)))
        else:
            names.setdefault(digest, []).append(_relative(path, folder))
    return names, failed


def _write_copies(path: Path, key: str, plan: _Plan) -> Iterator[tuple[Path, Edit, bool]]:
    """Write the copies of one source that are not there yet; yield place, edit and whether it was there."""
    image = None
    for edit in plan.edits:
        place = plan.place(path, edit, key)
        kept = place.exists()
        if not kept:
            if image is None:
                image = _shrink(decode(path, settings=plan.settings).image, plan.max_side_px)
            copy = apply_edit(image, edit, seed=plan.seed, key=key, neighbours=plan.neighbours)
            _save(copy, place, plan.jpeg_quality)
        yield place, edit, kept


def _save(image: Image.Image, place: Path, jpeg_quality: int | None) -> None:
    """Write to another name first, so that a file of the right name is always whole."""
    place.parent.mkdir(exist_ok=True)
    part = place.with_name(place.name + ".part")
    if jpeg_quality is None:
        image.save(part, "PNG", compress_level=1)
    else:
        image.save(part, "JPEG", quality=jpeg_quality)
    part.replace(place)


def _write_table(path: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("query", "positive", "edit"))
        writer.writerows(rows)
    part.replace(path)


def _shrink(image: Image.Image, max_side_px: int | None) -> Image.Image:
    if max_side_px is None or max(image.size) <= max_side_px:
        return image
    factor = max_side_px / max(image.size)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)


def _relative(path: Path, folder: Path) -> str:
    """Return the path as seen from the folder, with ``/``; absolute where another drive leaves no way."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.absolute().as_posix()


def _check(
    sources: Sequence[object], edits: Sequence[Edit], jpeg_quality: int | None, max_side_px: int | None
) -> None:
    if not sources or not edits:
        missing = "picture to edit" if not sources else "edit to make"
        raise InputError(f"There is no {missing}; give at least one.")
    if jpeg_quality is not None and not 1 <= jpeg_quality <= 95:
        raise InputError(f"jpeg_quality = {jpeg_quality} must lie between 1 and 95, or be None for PNG.")
    if max_side_px is not None and max_side_px < 16:
        raise InputError(f"max_side_px = {max_side_px} must be at least 16, or None to keep every size.")
