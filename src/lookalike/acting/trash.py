"""The system's trash: put a file there, and find it again.

``send2trash`` does not say where a file went. On Linux and the BSDs the trash is a folder whose layout is
public, the freedesktop.org Trash specification 1.0, so that the file can be found by its inode, its origin
and its content.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from lookalike.acting.files import RefusedError, has_digest

CAN_BE_FOUND_AGAIN = sys.platform not in ("win32", "darwin", "cygwin")
"""Whether this system's trash has the public layout."""


@dataclass(frozen=True)
class Trashed:
    """What a file was before it went to the trash: by two of these three it is known again."""

    path: str
    inode: int
    digest: str


def put_in_trash(path: str) -> None:
    """Move a file to the system's trash.

    Raises
    ------
    OSError         the system refuses
    RefusedError    the trash cannot take such a name
    """
    from send2trash import send2trash

    try:
        send2trash(path)
    except ValueError as error:
        raise RefusedError("the trash cannot take a name that is no text: choose quarantine") from error


def find_in_trash(trashed: Trashed) -> str | None:
    """Return where in the trash a file lies, or None where it cannot be found."""
    if not CAN_BE_FOUND_AGAIN:
        return None
    for folder, top in _trash_folders(trashed.path):
        for place in _candidates(os.path.join(folder, "files"), trashed):
            if _n_signs(place, top, trashed) >= 2:
                return place
    return None


def forget_in_trash(place: str) -> None:
    """Remove the note of a file's origin that lies in the trash, after the file was taken out."""
    if CAN_BE_FOUND_AGAIN:
        with suppress(OSError):  # a note without its file does no harm
            os.unlink(_note_of(place))


def _note_of(place: str) -> str:
    files, name = os.path.split(place)
    return os.path.join(os.path.dirname(files), "info", f"{name}.trashinfo")


def _trash_folders(path: str) -> Iterator[tuple[str, str]]:
    """Yield the trash folders a file may be in, each with the folder that its notes are relative to."""
    home = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    yield os.path.join(home, "Trash"), home
    top = os.path.realpath(os.path.dirname(path))
    while not os.path.ismount(top):
        top = os.path.dirname(top)
    user = os.getuid()
    yield os.path.join(top, ".Trash", str(user)), top
    yield os.path.join(top, f".Trash-{user}"), top


def _candidates(folder: str, trashed: Trashed) -> Iterator[str]:
    """Yield files that may be the one: first of the same name, for that is nearly always right."""
    name = os.path.basename(trashed.path)
    stem = os.path.splitext(name)[0]
    if os.path.lexists(os.path.join(folder, name)):
        yield os.path.join(folder, name)
    with suppress(OSError), os.scandir(folder) as scan:
        for entry in scan:
            if entry.inode() == trashed.inode or entry.name.startswith(stem):
                yield entry.path


def _n_signs(place: str, top: str, trashed: Trashed) -> int:
    with suppress(OSError):
        has_inode = os.lstat(place).st_ino == trashed.inode
        has_origin = _origin(place, top) == os.path.normpath(trashed.path)
        if has_inode and has_origin:  # which spares reading it
            return 2
        return has_inode + has_origin + has_digest(place, trashed.digest)
    return 0


def _origin(place: str, top: str) -> str | None:
    """Read where a file in the trash came from."""
    try:
        with open(_note_of(place), "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(b"Path="):
            written = os.fsdecode(unquote_to_bytes(line.removeprefix(b"Path=")))
            return os.path.normpath(os.path.join(top, written))
    return None
