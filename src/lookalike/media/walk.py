"""From folders to files: the walk, lazily, and which files it takes."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lookalike.media.files import (
    GALLERY_FILE,
    OPEN_FLAGS,
    QUARANTINE_SUFFIX,
    absolute_path,
    why_unreachable,
)
from lookalike.media.formats import HEAD_BYTES, PICTURE_SUFFIXES, sniff_format
from lookalike.media.globs import compile_globs

ProblemCallback = Callable[[str, str], None]
"""Called with the path and the reason of what could not be looked at."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One file that the walk found.

    Parameters
    ----------
    path : str          absolute; bytes that are no text survive as surrogates, see `os.fsdecode`
    size_bytes : int
    mtime_ns : int      time of last change, in nanoseconds since 1970
    device : int        the volume that it is on, as the system numbers it today
    """

    path: str
    size_bytes: int
    mtime_ns: int
    device: int


@dataclass(frozen=True)
class _Rules:
    include: re.Pattern[str] | None
    exclude: re.Pattern[str] | None
    hidden: bool
    follow_symlinks: bool
    on_problem: ProblemCallback


def _ignore(path: str, reason: str) -> None:
    """Stand in for a callback that was not given."""


def iter_files(
    paths: Iterable[str | bytes | os.PathLike[str]],
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    hidden: bool = False,
    follow_symlinks: bool = False,
    on_problem: ProblemCallback | None = None,
) -> Iterator[FoundFile]:
    """Find the pictures under some folders, lazily.

    A file that is named itself is always taken: hidden, link or of unknown suffix, whatever the globs
    say. Inside folders, regular files are taken whose suffix is a picture's (in any case), or which have
    no suffix and start like a picture. Galleries in there are left out, and so are the folders in which
    `lookalike apply` keeps what it puts in quarantine, unless they are named themselves.

    Parameters
    ----------
    paths : iterable of str, bytes or path    files and folders; one named twice is walked twice
    include : globs      if there are any, a file must match one of them
    exclude : globs      a file that matches one is left out; a folder that matches is not entered
    hidden : bool        also take files and folders whose name starts with a dot
    follow_symlinks : bool    follow links inside folders; each folder is entered once, however reached
    on_problem : callable or None    called with path and reason of whatever could not be looked at; the
                                     walk goes on

    Yields
    ------
    FoundFile    in the order of `paths`; within a folder its files by name, then its folders by name

    Notes
    -----
    Globs do not care about case and match the whole path below the walked folder, written with ``/``,
    or, without a ``/``, the name alone. ``*`` and ``?`` stop at a ``/``; ``**`` does not:
    ``2019/**/raw/*.dng`` matches at every depth, 0 included, ``drafts/**`` all below ``drafts``, and
    ``[ab]`` and ``[!ab]`` one character.
    """
    report = on_problem or _ignore
    rules = _Rules(compile_globs(include), compile_globs(exclude), hidden, follow_symlinks, report)
    for path in paths:
        root = absolute_path(os.fsdecode(path))
        try:
            status = os.stat(root)
        except (OSError, ValueError) as error:
            report(root, why_unreachable(error))
            continue
        if stat.S_ISREG(status.st_mode):
            yield FoundFile(root, status.st_size, status.st_mtime_ns, status.st_dev)
        elif stat.S_ISDIR(status.st_mode):
            yield from _walk(root, rules)
        else:
            report(root, "this is neither a file nor a folder")


def _walk(root: str, rules: _Rules) -> Iterator[FoundFile]:
    entered: set[tuple[int, int]] = set()
    waiting = [root]
    start = len(root) if root.endswith(os.sep) else len(root) + 1
    while waiting:
        folder = waiting.pop()
        if rules.follow_symlinks and not _enter_once(folder, entered):
            continue
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            rules.on_problem(folder, why_unreachable(error))
            continue
        if folder != root and any(entry.name == GALLERY_FILE for entry in entries):
            continue
        folders = []
        for entry in entries:
            try:
                if entry.name[0] == "." and not rules.hidden:
                    continue
                if entry.is_dir(follow_symlinks=rules.follow_symlinks):
                    is_ours = entry.name.endswith(QUARANTINE_SUFFIX)
                    if not (is_ours or _is_excluded(entry, start, rules)):
                        folders.append(entry.path)
                elif entry.is_file(follow_symlinks=rules.follow_symlinks):
                    if _is_wanted(entry, start, rules):
                        status = entry.stat(follow_symlinks=rules.follow_symlinks)
                        yield FoundFile(entry.path, status.st_size, status.st_mtime_ns, status.st_dev)
                elif rules.follow_symlinks and entry.is_symlink() and _is_wanted(entry, start, rules):
                    leads_nowhere = not os.path.exists(entry.path)
                    reason = "nowhere" if leads_nowhere else "to what is neither a file nor a folder"
                    rules.on_problem(entry.path, f"this link leads {reason}")
            except OSError as error:
                rules.on_problem(entry.path, why_unreachable(error))
        waiting.extend(reversed(folders))


def _enter_once(folder: str, entered: set[tuple[int, int]]) -> bool:
    try:
        status = os.stat(folder)
    except OSError:
        return True  # the listing fails as well, and reports why
    identity = (status.st_dev, status.st_ino)
    if identity in entered:
        return False
    entered.add(identity)
    return True


def _is_wanted(entry: os.DirEntry[str], start: int, rules: _Rules) -> bool:
    name = entry.name
    dot = name.rfind(".")
    if dot > 0:
        if name[dot:].lower() not in PICTURE_SUFFIXES:
            return False
    elif not entry.is_file() or not _starts_like_a_picture(entry.path):
        return False
    if rules.include is not None and not _matches(rules.include, entry, start):
        return False
    return not _is_excluded(entry, start, rules)


def _is_excluded(entry: os.DirEntry[str], start: int, rules: _Rules) -> bool:
    return rules.exclude is not None and _matches(rules.exclude, entry, start)


def _matches(pattern: re.Pattern[str], entry: os.DirEntry[str], start: int) -> bool:
    relative = entry.path[start:].replace(os.sep, "/")
    return bool(pattern.fullmatch(relative) or pattern.fullmatch(entry.name))


def _starts_like_a_picture(path: str) -> bool:
    descriptor = os.open(path, OPEN_FLAGS)
    try:
        return sniff_format(os.read(descriptor, HEAD_BYTES)) is not None
    finally:
        os.close(descriptor)
