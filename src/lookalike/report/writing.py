"""Reports -> files: the place is looked at before the work, and a file is written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from lookalike.errors import InputError, OutputError
from lookalike.media.files import absolute_path
from lookalike.media.formats import PICTURE_SUFFIXES

FIGURES = (".png", ".svg", ".pdf")
"""Formats of a figure, by suffix."""

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
"""Formats of a drawn proof, by suffix."""


def check_output(path: Path | None, formats: Sequence[str] = (), *, inputs: Iterable[str] = ()) -> None:
    """Make sure, before the work, that a report can be written to a place and costs no picture.

    Parameters
    ----------
    path : Path or None
        Where the report is to go; None is no report, which is fine.
    formats : tuple of str
        Suffixes that it may have; empty is any that is no picture's.
    inputs : names
        What was asked about; none of these files is overwritten.

    Raises
    ------
    InputError
        Another suffix, no such folder, one that cannot be written, or a file that must stay.
    """
    if path is None:
        return
    suffix = path.suffix.lower()
    if formats and suffix not in formats:
        raise InputError(f"{path} must end in one of {', '.join(formats)}: the name says the format.")
    if not formats and suffix in PICTURE_SUFFIXES:
        raise InputError(f"{path} has the name of a picture: choose one that ends in .html.")
    check_place(path)
    for name in inputs:
        if os.path.exists(name) and os.path.exists(path) and os.path.samefile(name, path):
            raise InputError(f"{path} is one of the pictures asked about: choose another name.")


def check_place(path: Path) -> None:
    """Raise InputError where no file can be written: no such folder, no permission, or no file there."""
    folder = Path(os.path.realpath(absolute_path(path))).parent
    if not folder.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {folder}.")
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is there already and is no file: choose another name.")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{path} cannot be written: you may not write to the folder {folder}.")


def write_output(path: Path, data: bytes) -> None:
    """Write a report beside its place and move it there, so that there is never half of one.

    Raises
    ------
    OutputError
        It cannot be written; what was there before is as it was.
    """
    place = Path(os.path.realpath(path))
    unfinished = place.with_name(f".{secrets.token_hex(8)}.part")
    try:
        try:
            with unfinished.open("xb") as file:
                file.write(data)
            unfinished.replace(place)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}. Choose another place.") from error
