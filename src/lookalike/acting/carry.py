"""Bring over to a keeper what the file that goes for it says; the keeper's own bytes are kept, and come back.

The new file takes the name only after the old one is copied to the journal's folder and noted there, and what
another program saves under the name meanwhile is put back, never lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from lookalike.acting.files import (
    FileState,
    Metadata,
    RefusedError,
    copy_checked,
    has_digest,
    move_without_overwriting,
    read_metadata,
    set_aside,
    sync_folder_of,
    write_metadata,
)
from lookalike.media.files import digest_of

KEPT_FOLDER = "kept"

WriteOver = Callable[[bytes, bytes], bytes]
"""Gives a keeper's new bytes from its own and those of the file that goes; raises RefusedError where it cannot."""


@dataclass(frozen=True)
class Carry:
    """All that is needed to give a keeper its own bytes back, written before it is touched.

    Parameters
    ----------
    path : str               the keeper
    before, after : str      digests of its bytes
    kept : str               where its own bytes are
    token : str              part of the names that it has for a while
    metadata : Metadata      of the keeper
    is_done, is_undone : bool
    """

    path: str
    before: str
    after: str
    kept: str
    token: str
    metadata: Metadata
    is_done: bool = field(default=False, compare=False)
    is_undone: bool = field(default=False, compare=False)

    @classmethod
    def from_document(cls, values: dict[str, Any]) -> Carry:
        """Return what the journal holds."""
        return cls(**{**values, "metadata": Metadata(**values["metadata"])})

    @property
    def is_cut_short(self) -> bool:
        """Whether it was begun and did not end."""
        return not self.is_done and not self.is_undone

    def beside(self, role: str) -> str:
        """Return a name beside the keeper's that only lookalike knows."""
        return os.path.join(os.path.dirname(self.path), f".lookalike-{self.token}.{role}")


def prepare(path: str, state: FileState, new: bytes, folder: str, token: str) -> Carry:
    """Keep a copy of a keeper's bytes in a folder; return what is to be noted before it is touched."""
    kept_folder = os.path.join(folder, KEPT_FOLDER)
    os.makedirs(kept_folder, mode=0o700, exist_ok=True)
    kept = os.path.join(kept_folder, token)
    metadata = read_metadata(path, state.status)
    copy_checked(path, kept, state.digest, metadata)
    return Carry(path, state.digest, digest_of(new).hex(), kept, token, metadata)


def carry_out(carry: Carry, state: FileState, new: bytes) -> None:
    """Give the keeper its new bytes; where that fails, or it was changed, it is as it was."""
    fresh, aside = carry.beside("carried"), carry.beside("aside")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        write_metadata(fresh, carry.metadata)
        set_aside(carry.path, aside, state)
        move_without_overwriting(fresh, carry.path)
        os.unlink(aside)
        sync_folder_of(carry.path)
    except BaseException:
        with suppress(OSError, RefusedError):
            take_back(carry)
        raise


def take_back(carry: Carry) -> None:
    """Give a keeper its own bytes back, whatever a kill left. Doing it twice changes nothing.

    Raises
    ------
    RefusedError    it was changed since; its own bytes stay where they are kept
    OSError         the system refuses
    """
    aside, restored, fresh = carry.beside("aside"), carry.beside("restored"), carry.beside("carried")
    if not os.path.lexists(carry.path):
        source = aside if os.path.lexists(aside) else _copied_back(carry, restored)
        move_without_overwriting(source, carry.path)
    elif has_digest(carry.path, carry.after):
        _exchange(carry, _copied_back(carry, restored))
    elif not has_digest(carry.path, carry.before):
        raise RefusedError(f"it was changed since; its own bytes are at {carry.kept}")
    for name, digest in ((aside, carry.before), (fresh, carry.after), (restored, carry.before)):
        if has_digest(name, digest) and os.path.lexists(carry.path):
            os.unlink(name)
    with suppress(OSError):  # an own file that was edited while it stood aside is told by its name
        os.unlink(carry.kept)


def _copied_back(carry: Carry, place: str) -> str:
    if not has_digest(place, carry.before):
        with suppress(FileNotFoundError):
            os.unlink(place)
        copy_checked(carry.kept, place, carry.before, carry.metadata)
    return place


def _exchange(carry: Carry, restored: str) -> None:
    """Put the restored file in the place of the one we wrote, and nothing else's."""
    ours = carry.beside("link")
    os.rename(carry.path, ours)
    if not has_digest(ours, carry.after):  # another program was quicker: that is its file
        move_without_overwriting(ours, carry.path)
        raise RefusedError(f"it was changed since; its own bytes are at {carry.kept}")
    move_without_overwriting(restored, carry.path)
    os.unlink(ours)
