"""What acting does to single files, in steps that lose nothing: read, set aside, move, copy."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass, field

from lookalike.errors import LookalikeError

_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)
_COPY_BYTES = 1 << 20
_KNOWS_FOLLOW_SYMLINKS = os.link in os.supports_follow_symlinks

# What a file system says that has no hard links, or forbids one.
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)

_SENTENCES = {
    errno.ENOSPC: "the disk is full: free some space and try again",
    errno.EDQUOT: "the disk quota is used up: free some space and try again",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "permission is denied: change the access rights of the file and its folder",
    errno.EPERM: "permission is denied, or the file system there cannot do this",
    errno.EEXIST: "the name exists already",
    errno.ENOENT: "there is no such file or folder any more",
    errno.ENOTDIR: "there is no such folder any more",
    errno.ENAMETOOLONG: "the name would be too long for the file system there",
    errno.EXDEV: "they are on different disks",
    errno.EMLINK: "the file has as many hard links as the file system allows",
    errno.ENOTSUP: "the file system there cannot do this",
    errno.EBUSY: "another program uses it",
    errno.EIO: "the disk reports an error and may be failing",
}


class RefusedError(LookalikeError):
    """One act that is not done; its text is the reason, for a person, without the path."""


def explain(error: OSError) -> str:
    """Say in words why the system refused."""
    known = _SENTENCES.get(error.errno or 0)
    return known or f"the system refuses: {error.strerror or error}"


def reason_of(error: BaseException) -> str:
    """Return why an act was not done, from what was raised."""
    if isinstance(error, OSError):
        return explain(error)
    return str(error) or "it was interrupted"


@dataclass(frozen=True)
class FileState:
    """A regular file as it was while it was read through.

    Parameters
    ----------
    digest : str              SHA-256 of its content, hexadecimal
    status : stat result
    """

    digest: str
    status: os.stat_result


@dataclass(frozen=True)
class Metadata:
    """What belongs to a file besides its bytes; times in nanoseconds since 1970, attributes in hexadecimal."""

    mode: int
    uid: int
    gid: int
    accessed_ns: int
    modified_ns: int
    attributes: dict[str, str] = field(default_factory=dict)


def read_state(path: str) -> FileState:
    """Read a regular file through; a symbolic link is not followed.

    Raises
    ------
    RefusedError    it is no regular file, or changed while it was read
    OSError         it cannot be read
    """
    _check_kind(os.lstat(path))
    descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        before = os.fstat(descriptor)
        _check_kind(before)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if _signs(before) != _signs(os.fstat(descriptor)):
            raise RefusedError("it changed while it was read")
    return FileState(digest, before)


def _check_kind(status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise RefusedError("it is a symbolic link, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError("it is no regular file")


def _signs(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def is_unchanged(path: str, state: FileState) -> bool:
    """Whether the file at `path` is still as it was read; only when its status differs is it read again."""
    if _signs(os.lstat(path)) == _signs(state.status):
        return True
    return read_state(path).digest == state.digest


def has_digest(path: str, digest: str) -> bool:
    """Whether a regular file of this content can be read at `path`."""
    try:
        return read_state(path).digest == digest
    except (OSError, RefusedError):
        return False


def is_same_file(first: str, second: str) -> bool:
    """Whether two names lead to one file; links are not followed, and missing names are the same as nothing."""
    try:
        return os.path.samestat(os.lstat(first), os.lstat(second))
    except OSError:
        return False


def real_place(path: str) -> str:
    """Return the path with its folder resolved, but not its last part: where the name itself lies."""
    folder, name = os.path.split(path)
    return os.path.normcase(os.path.join(os.path.realpath(folder), name))


def set_aside(path: str, aside: str, state: FileState) -> None:
    """Rename a file to an unused name beside it, then make sure that it is the one that was read.

    Whatever another program may have written under `path` meanwhile is set aside as well, never destroyed;
    the caller puts it back.

    Raises
    ------
    RefusedError    it changed since it was read
    """
    os.rename(path, aside)
    if not is_unchanged(aside, state):
        raise RefusedError("it changed in this very moment")


def hard_link(existing: str, new: str) -> None:
    """Give a file a second name; a name that exists is not replaced."""
    if _KNOWS_FOLLOW_SYMLINKS:
        os.link(existing, new, follow_symlinks=False)
    else:
        os.link(existing, new)


def move_without_overwriting(source: str, destination: str) -> None:
    """Rename a file within one disk, and never replace what exists.

    A second name is made and the first removed, for `os.rename` would replace. Where there are no hard
    links (FAT, some network disks) it looks and then renames, which leaves a moment of microseconds.

    Raises
    ------
    FileExistsError    the destination exists
    OSError            of errno EXDEV, where they are on different disks, or any other
    """
    try:
        hard_link(source, destination)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(destination):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), destination) from error
        os.rename(source, destination)
    else:
        os.unlink(source)
    sync_folder_of(source)
    sync_folder_of(destination)


def copy_checked(source: str, destination: str, digest: str, metadata: Metadata) -> None:
    """Copy a file to a new name, through to the disk, and read the copy again to be sure.

    Raises
    ------
    RefusedError       the copy differs from the digest
    FileExistsError    the destination exists
    """
    descriptor = os.open(
        destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600
    )
    with os.fdopen(descriptor, "wb") as writer, open(source, "rb") as reader:
        shutil.copyfileobj(reader, writer, _COPY_BYTES)
        writer.flush()
        os.fsync(writer.fileno())
        if hasattr(os, "posix_fadvise"):  # so that the reading below is from the disk, not from memory
            os.posix_fadvise(writer.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if not has_digest(destination, digest):
        raise RefusedError("a copy of it came out different: the disk or the memory may be failing")
    write_metadata(destination, metadata)
    sync_folder_of(destination)


def sync_folder_of(path: str) -> None:
    """Write the names in a file's folder through to the disk, where the system can do that."""
    with suppress(OSError):  # Windows opens no folders, and some network disks sync none
        descriptor = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_metadata(path: str, status: os.stat_result) -> Metadata:
    """Return what belongs to a file besides its bytes."""
    attributes = {}
    if hasattr(os, "listxattr"):
        with suppress(OSError):  # a file system without attributes
            for name in os.listxattr(path, follow_symlinks=False):
                attributes[name] = os.getxattr(path, name, follow_symlinks=False).hex()
    mode = stat.S_IMODE(status.st_mode)
    return Metadata(mode, status.st_uid, status.st_gid, status.st_atime_ns, status.st_mtime_ns, attributes)


def write_metadata(path: str, metadata: Metadata) -> None:
    """Give a file its metadata; the owner and attributes as far as this user may set them."""
    status = os.lstat(path)
    if (status.st_uid, status.st_gid) != (metadata.uid, metadata.gid) and hasattr(os, "chown"):
        with suppress(OSError):
            os.chown(path, metadata.uid, metadata.gid)
    known = read_metadata(path, status).attributes
    for name, value in metadata.attributes.items():
        if known.get(name) != value:
            with suppress(OSError):
                os.setxattr(path, name, bytes.fromhex(value))
    os.utime(path, ns=(metadata.accessed_ns, metadata.modified_ns))
    os.chmod(path, metadata.mode)  # last: a change of owner clears bits, and what is read-only takes no times
