"""Reading a data set of whatever layout, recognised by what lies on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lookalike.errors import InputError
from lookalike.evaluation.datasets import published, tables
from lookalike.evaluation.datasets.copies import GROUND_TRUTH_NAME
from lookalike.evaluation.datasets.data_set import DataSet

LAYOUTS: dict[str, Callable[[Path], DataSet]] = {
    "folders": published.load_folders,
    "csv": tables.load_csv,
    "mapping": tables.load_mapping,
    "pairs": tables.load_pairs,
    "ukbench": published.load_ukbench,
    "holidays": published.load_holidays,
    "copydays": published.load_copydays,
    "oxford": published.load_oxford,
    "stanford": published.load_stanford,
}
"""The readers by layout: ``csv``, ``mapping`` and ``pairs`` read the file of a table, the others a folder."""

_TABLES = ("csv", "mapping", "pairs")
_TABLE_OF_SUFFIX = {".csv": "csv", ".tsv": "csv", ".json": "mapping", ".txt": "pairs"}
_MORE_SUFFIXES: dict[str, set[str]] = {"csv": set(), "mapping": set(), "pairs": {".csv", ".tsv"}}


def load_dataset(path: str | os.PathLike[str], *, layout: str | None = None) -> DataSet:
    """Read a data set from where the user has it.

    Parameters
    ----------
    path : path
        A folder, or the file of a table.
    layout : str or None
        One of `LAYOUTS`; None recognises it: a table that is named by itself, or the only table in
        the folder, then the published layouts by their file names, then a folder per class.

    Returns
    -------
    DataSet
        Names in order; the same files give the same data set.

    Raises
    ------
    InputError
        There is nothing at the path, the layout is unknown or not recognised, or a file of it is
        broken; the message names the file and the line.
    """
    place = Path(os.path.abspath(path))
    if layout is not None and layout not in LAYOUTS:
        raise InputError(f"There is no layout {layout!r}; choose one of {', '.join(LAYOUTS)}.")
    if not place.exists():
        raise InputError(
            f"There is no data set at {place}; give a folder of pictures or the file of a table."
        )
    if layout is None:
        layout, place = _recognise(place)
    elif place.is_dir() and layout in _TABLES:
        place = _only_table(place, layout)
    elif place.is_file() and layout not in _TABLES:
        raise InputError(f"The layout {layout} is that of a folder, but {place} is a file.")
    return LAYOUTS[layout](place)


def _recognise(place: Path) -> tuple[str, Path]:
    """Return the layout and the folder or file to read it from."""
    if place.is_file():
        return _layout_of_table(place), place
    if (place / published.STANFORD_LIST).is_file():
        return "stanford", place
    if published.oxford_query_files(place):
        return "oxford", place
    if (place / GROUND_TRUTH_NAME).is_file():
        return "csv", place / GROUND_TRUTH_NAME
    known = [file for file in _files_in(place) if _is_table(file)]
    if len(known) > 1:
        names = ", ".join(file.name for file in known)
        raise InputError(f"{place} holds several tables ({names}); name the one that is meant.")
    return (_layout_of_table(known[0]), known[0]) if known else (published.layout_by_names(place), place)


def _layout_of_table(path: Path) -> str:
    """Tell the layout of a table that was named; whether it is whole, its reader will say."""
    layout = _TABLE_OF_SUFFIX.get(path.suffix.lower())
    if layout is None:
        raise InputError(f"{path} is no table: its name should end with .csv, .tsv, .json or .txt.")
    return "pairs" if layout == "csv" and tables.starts_like_pairs(path) else layout


def _is_table(path: Path) -> bool:
    """Tell whether a file that merely lies in the folder is a ground truth: its beginning must say so."""
    looks = {"csv": tables.starts_like_csv, "mapping": tables.is_mapping, "pairs": tables.starts_like_pairs}
    layout = _TABLE_OF_SUFFIX.get(path.suffix.lower())
    return layout is not None and (
        looks[layout](path) or (layout == "csv" and tables.starts_like_pairs(path))
    )


def _only_table(place: Path, layout: str) -> Path:
    """Return the one file of a folder that may be a table of this layout."""
    suffixes = {suffix for suffix, known in _TABLE_OF_SUFFIX.items() if known == layout}
    files = [file for file in _files_in(place) if file.suffix.lower() in suffixes | _MORE_SUFFIXES[layout]]
    if len(files) != 1:
        count = f"{len(files)} files" if files else "no file"
        raise InputError(f"{place} holds {count} that may be a table of the layout {layout}; name the file.")
    return files[0]


def _files_in(place: Path) -> list[Path]:
    try:
        return sorted(file for file in place.iterdir() if file.is_file() and not file.name.startswith("."))
    except OSError as error:
        raise InputError(f"{place} cannot be read: {error.strerror or error}.") from error
