"""A place of its own to act in: pictures, a journal, a quarantine and a trash that are nobody's."""

import errno
import hashlib
import os
import stat
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from lookalike.acting.apply import apply_plan
from lookalike.acting.plan import Removal, make_plan
from lookalike.acting.undo import undo

posix_only = pytest.mark.skipif(os.name == "nt", reason="needs fork, SIGKILL and file modes")
MODIFIED_NS = 1_234_567_890_123_456_789


def no_power_cut(descriptor):
    """Stand in for fsync: a kill, unlike a power cut, takes nothing from the disk."""


@contextmanager
def private_trash(folder):
    """Let send2trash and the search for it use a trash in this folder, and no other."""
    import send2trash
    from send2trash import plat_other

    home, data = folder / "home", folder / "home" / "data"
    data.mkdir(parents=True, exist_ok=True)
    with (
        patch.dict(os.environ, {"HOME": str(home), "XDG_DATA_HOME": str(data)}),
        patch.object(plat_other, "XDG_DATA_HOME", os.fsencode(data)),
        patch.object(plat_other, "HOMETRASH_B", os.fsencode(data / "Trash")),
        patch.object(plat_other, "HOMETRASH", str(data / "Trash")),
        patch.object(send2trash, "send2trash", plat_other.send2trash),
    ):
        yield data / "Trash"


class Place:
    """A folder of pictures, a journal, a quarantine and a trash, all below one temporary folder."""

    def __init__(self, root):
        self.root = root
        self.pictures = root / "pictures"
        self.journal = root / "gallery" / "journal"
        self.quarantine = root / "quarantine"
        self.pictures.mkdir()

    def write(self, name, content=b"picture", modified_ns=MODIFIED_NS, mode=0o640):
        path = self.pictures / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        os.utime(path, ns=(modified_ns, modified_ns))
        return path

    def removal(self, path, keeper, relation="same_file"):
        content, kept = path.read_bytes(), keeper.read_bytes()
        digests = hashlib.sha256(content).digest(), hashlib.sha256(kept).digest()
        return Removal(str(path), digests[0], len(content), str(keeper), digests[1], relation, "a test")

    def plan(self, act, *pairs, relation="same_file"):
        removals = [self.removal(path, keeper, relation) for path, keeper in pairs]
        return make_plan(removals, act=act, quarantine=self.quarantine)

    def apply(self, plan, **options):
        return apply_plan(plan, self.journal, allow_delete=True, **options)

    def undo(self, **options):
        return undo(self.journal, **options)


@contextmanager
def acting_place(folder):
    """Yield a place below a folder, where nothing waits for the disk."""
    with private_trash(folder), patch.object(os, "fsync", no_power_cut):
        yield Place(folder)


def tree(folder):
    """Return all that can be seen of a folder's files: bytes or target, time, mode, attributes."""
    seen = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            seen[str(path)] = os.readlink(path)
        elif stat.S_ISREG(status.st_mode):
            seen[str(path)] = (path.read_bytes(), status.st_mtime_ns, status.st_mode, attributes(path))
    return seen


def attributes(path):
    if not hasattr(os, "listxattr"):
        return {}
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


def contents(folder):
    return {path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


def reasons(report):
    return " ".join(skipped.reason for skipped in report.skipped)


def assert_untouched(place, before, report, *words):
    assert report.done == []
    assert tree(place.pictures) == before
    for word in words:
        assert word in reasons(report)


def on_another_disk(monkeypatch, place):
    def refuse_across(real):
        def call(source, destination, **options):
            sides = {os.fsdecode(name).startswith(str(place.quarantine)) for name in (source, destination)}
            if len(sides) == 2:
                raise OSError(errno.EXDEV, "another disk")
            return real(source, destination, **options)

        return call

    monkeypatch.setattr(os, "rename", refuse_across(os.rename))
    monkeypatch.setattr(os, "link", refuse_across(os.link))
