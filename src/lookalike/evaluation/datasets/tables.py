"""Ground truth written as a table: CSV of query and positive, JSON of duplicates, labelled pairs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lookalike.errors import InputError
from lookalike.evaluation.datasets.data_set import DataSet, list_pictures, relative_name


def read_text(path: Path) -> str:
    """Return a table's text; a file that cannot be read is an InputError that names it."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def check_named(root: Path, written: str, place: str) -> str:
    """Return the name of a picture that a table mentions, after a look whether it is there."""
    if not written:
        raise InputError(f"{place}: a file name is missing.")
    name = relative_name(root, written)
    try:
        is_there = (root / name).is_file()
    except (OSError, ValueError):  # a zero byte, or a name too long for the file system
        is_there = False
    if not is_there:
        raise InputError(f"{place}: there is no file {written!r}; names are relative to {root}.")
    return name


def load_csv(path: Path) -> DataSet:
    """Read a CSV with the columns ``query,positive`` and, if it is known, ``edit``.

    A query may have several rows, one a positive. A row without positive is a query that has none; a row
    without query names a picture to search in. If there is any such row, the gallery is exactly what the
    table names in its second column; if there is none, it is that and every other picture below the CSV's
    folder which is not a query. Names are relative to the CSV's folder. The separator may also be a
    semicolon or a tab.
    """
    root = path.parent.resolve()
    positives: dict[str, set[str]] = defaultdict(set)
    edits: dict[str, str] = {}
    gallery: set[str] = set()
    is_complete = False
    for place, query, positive, edit in _iter_csv(path):
        if not query and not positive:
            raise InputError(f"{place}: the row names neither a query nor a positive.")
        found = check_named(root, positive, place) if positive else None
        if found:
            gallery.add(found)
        if not query:
            is_complete = True
            continue
        asked = check_named(root, query, place)
        if asked == found:
            raise InputError(f"{place}: {query!r} is named as its own positive; leave that row out.")
        positives[asked] |= {found} if found else set()
        if edit:
            edits[asked] = edit
    if not is_complete:
        gallery |= set(list_pictures(root)) - set(positives)
    return _data_set(path, root, gallery, positives, edits)


def _iter_csv(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield place, query, positive and edit of each row."""
    text = read_text(path)
    header = text.partition("\n")[0]
    separator = next((mark for mark in (",", ";", "\t") if mark in header), ",")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        if "query" not in names or "positive" not in names:
            raise InputError(f"{path}, line 1: the columns must be named query and positive, not {header!r}.")
        columns = [names.index(name) if name in names else None for name in ("query", "positive", "edit")]
        for row in rows:
            if not any(field.strip() for field in row):
                continue
            place = f"{path}, line {rows.line_num}"
            if len(row) != len(names):
                raise InputError(f"{place}: {len(row)} fields where the header has {len(names)}.")
            query, positive, edit = (row[column].strip() if column is not None else "" for column in columns)
            yield place, query, positive, edit
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: this is no CSV: {error}.") from error


def load_mapping(path: Path) -> DataSet:
    """Read a JSON object ``{file: [duplicates]}``, the ground truth that imagededup's `evaluate` takes.

    Every file that is named is searched in and every key is a query, as in
    https://idealo.github.io/imagededup/user_guide/evaluating_performance. A duplicate may also be written
    ``[file, score]``, as imagededup writes its answers. Names are relative to the JSON's folder.
    """
    root = path.parent.resolve()
    positives: dict[str, set[str]] = {}
    for written, duplicates in _read_mapping(path).items():
        place = f"{path}, entry {written!r}"
        query = check_named(root, written, place)
        names = {check_named(root, _duplicate_name(entry, place), place) for entry in duplicates}
        if query in names:
            raise InputError(f"{place}: a file is named as its own duplicate; leave it out.")
        positives[query] = names
    gallery = set(positives).union(*positives.values())
    return _data_set(path, root, gallery, positives, {})


def _read_mapping(path: Path) -> dict[str, list[Any]]:
    try:
        mapping = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise InputError(f"{path}, line {line}: this is no JSON: {error}.") from error
    if not isinstance(mapping, dict) or not all(isinstance(value, list) for value in mapping.values()):
        raise InputError(f'{path}, line 1: expected an object {{"file": ["duplicate", ...]}}.')
    return mapping


def _duplicate_name(entry: Any, place: str) -> str:
    name = entry[0] if isinstance(entry, list) and len(entry) == 2 else entry
    if not isinstance(name, str):
        raise InputError(f"{place}: {entry!r} is neither a file name nor a file name with its score.")
    return name


def load_pairs(path: Path) -> DataSet:
    """Read lines ``a b 1`` or ``a b 0``: two files, and whether they belong together.

    Each file that is named is a query and is searched in. What is not said to belong together does not; a
    line with 0 adds its files. Fields are parted by tabs, commas or, where names hold no blanks, by blanks;
    lines that start with ``#`` are skipped. Names are relative to the file's folder.
    """
    root = path.parent.resolve()
    positives: dict[str, set[str]] = defaultdict(set)
    said: dict[frozenset[str], str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        place = f"{path}, line {number}"
        fields = split_pair(line)
        if len(fields) != 3 or fields[2] not in ("0", "1"):
            raise InputError(f"{place}: expected two file names and 0 or 1, not {line.strip()[:80]!r}.")
        one, other = (check_named(root, field, place) for field in fields[:2])
        if one == other:
            raise InputError(f"{place}: both names are the same file.")
        if said.setdefault(frozenset((one, other)), fields[2]) != fields[2]:
            raise InputError(f"{place}: an earlier line says the contrary of the same pair.")
        positives[one] |= {other} if fields[2] == "1" else set()
        positives[other] |= {one} if fields[2] == "1" else set()
    return _data_set(path, root, set(positives), positives, {})


def starts_like_csv(path: Path) -> bool:
    """Tell whether a file's first line names the columns query and positive."""
    names = re.split(r"[,;\t]", _first_line(path).lower())
    return {"query", "positive"} <= {name.strip().strip('"') for name in names}


def starts_like_pairs(path: Path) -> bool:
    """Tell whether a file's first line is two names and 0 or 1."""
    fields = split_pair(_first_line(path))
    return len(fields) == 3 and fields[2] in ("0", "1")


def is_mapping(path: Path) -> bool:
    """Tell whether a file is a JSON object of lists."""
    try:
        return bool(_read_mapping(path))
    except InputError:
        return False


def _first_line(path: Path) -> str:
    """Return the first line that is neither empty nor a comment, or an empty text."""
    lines = (line for line in read_text(path).splitlines() if line.strip() and not line.startswith("#"))
    return next(lines, "")


def split_pair(line: str) -> list[str]:
    """Part a line of a pairs file into its fields."""
    separator = next((mark for mark in ("\t", ",") if mark in line), None)
    if separator is None:
        return re.split(r"\s+", line.strip())
    return [field.strip() for field in line.split(separator)]


def _data_set(
    path: Path, root: Path, gallery: set[str], positives: dict[str, set[str]], edits: dict[str, str]
) -> DataSet:
    if not positives:
        raise InputError(f"{path} names no query; add a row.")
    return DataSet(
        name=path.stem if path.stem != "ground-truth" else root.name,
        root=str(root),
        gallery=tuple(sorted(gallery)),
        queries=tuple(sorted(positives)),
        positives={query: frozenset(names) for query, names in positives.items()},
        edits=edits,
    )
