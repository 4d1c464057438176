"""The five acts. Each takes a file that was just checked, and can be killed after any line of it.

What a kill leaves behind, `lookalike.acting.restore.put_back` turns back into what was.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from lookalike.acting.files import (
    FileState,
    RefusedError,
    copy_checked,
    hard_link,
    is_unchanged,
    set_aside,
    sync_folder_of,
)
from lookalike.acting.journal import Intent
from lookalike.acting.plan import Act
from lookalike.acting.trash import Trashed, find_in_trash, put_in_trash


def perform(intent: Intent, file: FileState, keeper: FileState) -> str | None:
    """Do what is intended, and return where the file is now, if it is anywhere and that is known.

    Parameters
    ----------
    intent : Intent        already in the journal
    file, keeper : FileState    as they were checked a moment ago

    Raises
    ------
    RefusedError, OSError    it could not be done; there may be something to put back
    """
    return _ACTS[intent.planned.act](intent, file, keeper)


def _trash(intent: Intent, file: FileState, keeper: FileState) -> str | None:
    _check_keeper(intent, keeper)
    path = intent.planned.path
    put_in_trash(path)
    place = find_in_trash(Trashed(path, intent.inode, intent.planned.digest))
    if place is not None and not is_unchanged(place, file):
        raise RefusedError("it changed in this very moment")
    sync_folder_of(path)
    return place


def _quarantine(intent: Intent, file: FileState, keeper: FileState) -> str | None:
    _check_keeper(intent, keeper)
    path, place = intent.planned.path, str(intent.place)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    if os.path.lexists(place):  # two names that are one to a file system that ignores case
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), place)
    try:
        os.rename(path, place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_to_other_disk(intent, file)
    if not is_unchanged(place, file):
        raise RefusedError("it changed in this very moment")
    sync_folder_of(path)
    sync_folder_of(place)
    return place


def _move_to_other_disk(intent: Intent, file: FileState) -> None:
    path, partial = intent.planned.path, str(intent.partial)
    copy_checked(path, partial, file.digest, intent.metadata)
    os.rename(partial, str(intent.place))
    sync_folder_of(str(intent.place))
    set_aside(path, intent.aside, file)
    os.unlink(intent.aside)


def _hard_link(intent: Intent, file: FileState, keeper: FileState) -> None:
    if file.status.st_dev != keeper.status.st_dev:
        raise RefusedError("its keeper is on another disk, where a hard link cannot reach: choose symlink")
    _replace(intent, file, keeper, lambda: hard_link(intent.planned.keeper, intent.planned.path))


def _symlink(intent: Intent, file: FileState, keeper: FileState) -> None:
    _replace(intent, file, keeper, lambda: os.symlink(intent.planned.keeper, intent.planned.path))


def _delete(intent: Intent, file: FileState, keeper: FileState) -> None:
    _replace(intent, file, keeper, lambda: None)


def _replace(intent: Intent, file: FileState, keeper: FileState, put_link: Callable[[], None]) -> None:
    """Set the file aside, put a link under its name, look at the keeper once more; only then let it go.

    Replacing the name in one step would also destroy what another program may have saved there meanwhile.
    """
    set_aside(intent.planned.path, intent.aside, file)
    put_link()
    _check_keeper(intent, keeper)
    sync_folder_of(intent.planned.path)
    os.unlink(intent.aside)
    sync_folder_of(intent.planned.path)


def _check_keeper(intent: Intent, keeper: FileState) -> None:
    try:
        is_whole = is_unchanged(intent.planned.keeper, keeper)
    except (OSError, RefusedError):
        is_whole = False
    if not is_whole:
        raise RefusedError(f"its keeper {intent.planned.keeper} changed in this very moment")


_ACTS: dict[Act, Callable[[Intent, FileState, FileState], str | None]] = {
    "trash": _trash,
    "quarantine": _quarantine,
    "hardlink": _hard_link,
    "symlink": _symlink,
    "delete": _delete,
}
