"""Put one file back, from whatever an act, a kill or an earlier attempt left on the disk.

Nothing here trusts what was planned: it looks at the names that the act may have made, takes the first that
holds the original's bytes, and gives it its own name again. It may be killed too, and be run again.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress

from lookalike.acting.files import (
    RefusedError,
    copy_checked,
    has_digest,
    is_same_file,
    move_without_overwriting,
    read_state,
    write_metadata,
)
from lookalike.acting.journal import Entry, Intent
from lookalike.acting.trash import Trashed, find_in_trash, forget_in_trash


def put_back(entry: Entry) -> None:
    """Make the file of an act what it was: bytes, name, mode and times. Doing it twice changes nothing.

    Raises
    ------
    RefusedError    the name is taken by another file, or the bytes cannot be found any more; the text says
                    where they are
    OSError         the system refuses; what is there stays there
    """
    intent = entry.intent
    place = _place_of(entry)
    if not _is_back(entry, place):
        ready = _make_ready(entry, place)
        _clear_name(intent, ready)
        _move_home(intent, ready)
    _tidy(intent, place)


def has_traces(entry: Entry) -> bool:
    """Whether an act that was cut short left a file under a name that only lookalike knows."""
    intent = entry.intent
    return any(os.path.lexists(name) for name in (intent.aside, intent.restored, intent.former_link))


def _place_of(entry: Entry) -> str | None:
    """Return where the file is in quarantine or trash, or None."""
    intent = entry.intent
    place = entry.found_at or intent.place
    if intent.planned.act == "trash" and (place is None or not os.path.lexists(place)):
        place = find_in_trash(Trashed(intent.planned.path, intent.inode, intent.planned.digest))
    return place if place is not None and os.path.lexists(place) else None


def _is_back(entry: Entry, place: str | None) -> bool:
    """Whether the original, and not our link to the keeper, is under its name."""
    intent, path = entry.intent, entry.intent.planned.path
    if not os.path.lexists(path):
        return False
    own = (intent.aside, intent.restored, *([place] if place else []))
    if any(is_same_file(name, path) for name in own):
        return True  # a move that was cut short between making the new name and removing the old
    if _is_our_link(intent, path) or os.path.lexists(intent.aside):
        return False
    if place is None and not entry.was_done and not has_traces(entry):
        return True  # the act was cut short before it touched anything
    status = os.lstat(path)
    is_like_it = status.st_mtime_ns == intent.metadata.modified_ns or status.st_ino == intent.inode
    return is_like_it and has_digest(path, intent.planned.digest)


def _is_our_link(intent: Intent, path: str) -> bool:
    """Whether a name is exactly the link to the keeper that the act made."""
    status = os.lstat(path)
    if intent.planned.act == "symlink" and stat.S_ISLNK(status.st_mode):
        return os.readlink(path).removeprefix("\\\\?\\") == intent.planned.keeper
    return (
        intent.planned.act == "hardlink"
        and stat.S_ISREG(status.st_mode)
        and status.st_ino == intent.keeper_inode
        and status.st_ino != intent.inode
    )


def _make_ready(entry: Entry, place: str | None) -> str:
    """Return a name that holds the whole file and can be moved to its own name."""
    intent, digest = entry.intent, entry.intent.planned.digest
    if os.path.lexists(intent.aside):
        return intent.aside  # the file itself, whatever another program wrote into it
    if has_digest(intent.restored, digest):
        write_metadata(intent.restored, intent.metadata)
        return intent.restored
    if place is not None:
        return _check_place(entry, place)
    for source in _equal_files(intent):
        os.makedirs(os.path.dirname(intent.restored), exist_ok=True)
        _copy_beside(intent, source)
        return intent.restored
    raise RefusedError(_where_else(intent))


def _check_place(entry: Entry, place: str) -> str:
    intent = entry.intent
    if read_state(place).digest == intent.planned.digest:
        write_metadata(place, intent.metadata)
    elif entry.was_done:
        raise RefusedError(f"it was changed after it was moved: it stays at {place}")
    return place


def _equal_files(intent: Intent) -> Iterator[str]:
    """Yield files that hold the same bytes: our hard link itself, and the keeper."""
    if intent.planned.act in ("hardlink", "symlink", "delete"):
        for name in (intent.planned.path, intent.former_link, intent.planned.keeper):
            if has_digest(name, intent.planned.digest):
                yield name


def _where_else(intent: Intent) -> str:
    if intent.planned.act == "trash":
        return "it cannot be found in the system's trash any more: if it is there, restore it with the file manager"
    if intent.planned.act == "quarantine":
        return f"it is no longer in quarantine at {intent.place}"
    return f"its bytes were those of its keeper {intent.planned.keeper}, which is gone or changed since"


def _copy_beside(intent: Intent, source: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(intent.restored)  # a copy that was cut short; its source is whole
    copy_checked(source, intent.restored, read_state(source).digest, intent.metadata)


def _clear_name(intent: Intent, ready: str) -> None:
    """Take our own link away from the file's name, and nothing else."""
    path = intent.planned.path
    if not os.path.lexists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return
    if not _is_our_link(intent, path):
        raise RefusedError(_taken(ready))
    _drop(intent.former_link, (path, intent.planned.keeper, ready))
    os.rename(path, intent.former_link)
    if not _is_our_link(intent, intent.former_link):  # another program was quicker: that is its file
        move_without_overwriting(intent.former_link, path)
        raise RefusedError(_taken(ready))


def _taken(ready: str) -> str:
    return f"another file has its name now: it stays at {ready}. Rename that file and undo again"


def _move_home(intent: Intent, ready: str) -> None:
    try:
        _move(intent, ready)
    except FileExistsError as error:
        raise RefusedError(_taken(ready)) from error


def _move(intent: Intent, ready: str) -> None:
    try:
        move_without_overwriting(ready, intent.planned.path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_beside(intent, ready)
        move_without_overwriting(intent.restored, intent.planned.path)


def _tidy(intent: Intent, place: str | None) -> None:
    """Remove what is left of the act, each only if its bytes live on under another name."""
    others = (intent.planned.path, intent.planned.keeper)
    for name in (intent.aside, intent.restored, intent.former_link):
        _drop(name, others)
    if intent.partial is not None:
        with suppress(FileNotFoundError):
            os.unlink(intent.partial)
    if place is not None:
        _drop(place, others)
        if intent.planned.act == "trash" and not os.path.lexists(place):
            forget_in_trash(place)
    if intent.place is not None:
        _remove_empty_folders(os.path.dirname(intent.place), str(intent.run_folder))


def _drop(name: str, others: Iterable[str]) -> None:
    if not os.path.lexists(name):
        return
    if os.path.islink(name) or any(_holds_the_same(name, other) for other in others):
        os.unlink(name)


def _holds_the_same(name: str, other: str) -> bool:
    return is_same_file(name, other) or has_digest(other, read_state(name).digest)


def _remove_empty_folders(folder: str, last: str) -> None:
    with suppress(OSError):  # it is not empty, and neither are those above
        while folder != os.path.dirname(last):
            os.rmdir(folder)
            folder = os.path.dirname(folder)
