"""Acting on disks that are full, read-only, other or fail, and beside programs that save at that moment."""

import errno
import os
import stat
import subprocess
import sys
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from acting_place import (
    MODIFIED_NS,
    acting_place,
    assert_untouched,
    contents,
    on_another_disk,
    posix_only,
    reasons,
    tree,
)
from lookalike.acting import files
from lookalike.acting.journal import Journal
from lookalike.acting.plan import ACTS
from lookalike.errors import InputError, StoreError


@pytest.fixture
def place(tmp_path):
    with acting_place(tmp_path) as place:
        yield place


@posix_only
@pytest.mark.parametrize("act", ACTS)
def test_a_folder_that_may_not_be_written_is_skipped(place, act):
    keeper, copy = place.write("keeper.jpg"), place.write("locked/copy.jpg")
    before = tree(place.pictures)
    copy.parent.chmod(0o500)
    try:
        if os.access(copy.parent, os.W_OK):
            pytest.skip("root may write everywhere")
        assert_untouched(place, before, place.apply(place.plan(act, (copy, keeper))), "permission")
    finally:
        copy.parent.chmod(0o700)


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EIO, "may be failing")],
)
@pytest.mark.parametrize("act", ACTS)
def test_a_disk_that_fails_at_any_step_costs_nothing(place, act, number, words):
    """The n-th change to the disk below the pictures and the quarantine fails, for every n."""
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    before = tree(place.pictures)
    for step in range(30):
        with failing(step, number, place) as happened:
            report = place.apply(place.plan(act, (copy, keeper)))
        assert contents(place.root) >= {b"picture"}
        if happened and not report.done:
            assert tree(place.pictures) == before
            assert words in reasons(report)
        else:
            place.undo()
            assert tree(place.pictures) == before
        if not happened:
            assert step > 0
            break
    else:
        pytest.fail("the act never came to its end")


@contextmanager
def failing(step, number, place, names=("rename", "link", "symlink", "unlink", "mkdir")):
    """Let the step-th change of the disk fail once; the list that is yielded then names it."""
    happened, n_calls = [], 0

    def wrap(name, real):
        def call(path, *arguments, **options):
            nonlocal n_calls
            if not str(path).startswith(str(place.journal.parent)):
                n_calls += 1
                if n_calls == step + 1:
                    happened.append(name)
                    raise OSError(number, os.strerror(number), path)
            return real(path, *arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patcher:
        for name in names:
            patcher.setattr(os, name, wrap(name, getattr(os, name)))
        yield happened


@pytest.mark.parametrize("act", ACTS)
def test_a_journal_on_a_full_disk_means_that_nothing_is_done(place, act):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    before = tree(place.pictures)
    real, n_calls = os.fsync, 0

    def full(descriptor):
        nonlocal n_calls
        n_calls += 1
        if n_calls > 2:  # the first two are the head of the run
            raise OSError(errno.ENOSPC, "full")
        real(descriptor)

    with patch.object(os, "fsync", full):
        report = place.apply(place.plan(act, (copy, keeper)))
    assert_untouched(place, before, report, "journal", "disk is full")
    assert place.apply(place.plan(act, (copy, keeper))).done == [str(copy)]


def test_a_line_that_fits_only_in_part_does_not_spoil_the_journal(place):
    keeper, first, second = (place.write(f"{n}.jpg") for n in range(3))
    before = tree(place.pictures)
    real, n_calls = os.write, 0

    def full_once(descriptor, data):
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            return real(descriptor, data[:20])
        if n_calls == 3:
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, data)

    with patch.object(os, "write", full_once):
        report = place.apply(place.plan("delete", (first, keeper), (second, keeper)))
    assert report.done == [str(second)]
    undone = place.undo()
    assert (undone.restored, undone.skipped) == ([str(second)], [])
    assert tree(place.pictures) == before


def test_a_journal_that_cannot_be_made_is_an_error_before_anything_is_done(place):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    before = tree(place.pictures)
    place.journal.parent.mkdir()
    place.journal.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="journal"):
        place.apply(place.plan("delete", (copy, keeper)))
    with pytest.raises(InputError, match="no journal"):
        place.undo()
    assert tree(place.pictures) == before


def test_two_processes_do_not_act_at_the_same_time(place):
    with Journal(place.journal, create=True), pytest.raises(StoreError, match="in use"):
        place.apply(place.plan("delete"))


@posix_only
def test_a_disk_that_cannot_lock_is_said(place):
    with (
        patch("fcntl.flock", side_effect=OSError(errno.ENOTSUP, "no locks")),
        pytest.raises(StoreError, match="cannot be locked"),
    ):
        place.apply(place.plan("delete"))


@pytest.mark.parametrize("act", ["quarantine", "hardlink", "symlink", "delete", "trash"])
def test_a_file_saved_between_check_and_act_is_put_back_as_it_was_saved(place, act):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    plan = place.plan(act, (copy, keeper))
    real = os.rename

    def saved_first(source, destination, **options):
        if os.fsdecode(source) == str(copy):
            copy.write_bytes(b"just saved by an editor")
        real(source, destination, **options)

    with patch.object(os, "rename", saved_first):
        report = place.apply(plan)
    assert "this very moment" in reasons(report)
    assert copy.read_bytes() == b"just saved by an editor"
    assert keeper.read_bytes() == b"picture"
    assert [path.name for path in place.pictures.iterdir() if path not in (keeper, copy)] == []


@pytest.mark.parametrize("act", ["hardlink", "symlink", "delete"])
def test_a_keeper_that_goes_at_the_last_moment_saves_the_copy(place, act):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    plan = place.plan(act, (copy, keeper))
    real = os.rename

    def keeper_goes(source, destination):
        real(source, destination)
        if source == str(copy):
            keeper.write_bytes(b"overwritten")

    with patch.object(os, "rename", keeper_goes):
        report = place.apply(plan)
    assert "keeper" in reasons(report)
    assert copy.read_bytes() == b"picture"
    assert copy.stat().st_mtime_ns == MODIFIED_NS


def test_a_file_system_without_hard_links_can_be_undone_too(place):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    before = tree(place.pictures)

    def none(*_, **__):
        raise PermissionError(errno.EPERM, "no hard links here")

    with patch.object(os, "link", none):
        assert "file system" in reasons(place.apply(place.plan("hardlink", (copy, keeper))))
        assert tree(place.pictures) == before
        for act in ("trash", "quarantine", "symlink", "delete"):
            assert place.apply(place.plan(act, (copy, keeper))).done
            assert place.undo().restored == [str(copy)]
            assert tree(place.pictures) == before
        with pytest.raises(FileExistsError):
            files.move_without_overwriting(str(copy), str(keeper))


def test_a_quarantine_on_another_disk_is_a_copy_that_was_read_again(place, monkeypatch):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    before = tree(place.pictures)
    on_another_disk(monkeypatch, place)
    assert place.apply(place.plan("quarantine", (copy, keeper))).done == [str(copy)]
    (moved,) = [path for path in place.quarantine.rglob("*") if path.is_file()]
    assert (moved.stat().st_mtime_ns, stat.S_IMODE(moved.stat().st_mode)) == (MODIFIED_NS, 0o640)
    assert place.undo().restored == [str(copy)]
    assert tree(place.pictures) == before
    assert contents(place.quarantine) == set()


def test_a_file_saved_while_it_is_copied_to_another_disk_stays_as_it_was_saved(place, monkeypatch):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    plan = place.plan("quarantine", (copy, keeper))
    on_another_disk(monkeypatch, place)
    real = os.unlink

    def saved_first(path, **options):
        if path == str(copy):
            copy.write_bytes(b"just saved by an editor")
        real(path, **options)

    monkeypatch.setattr(os, "unlink", saved_first)  # should it ever be removed under its own name
    save_before_rename(monkeypatch, copy, ".aside")
    assert "this very moment" in reasons(place.apply(plan))
    assert copy.read_bytes() == b"just saved by an editor"


def save_before_rename(monkeypatch, path, suffix):
    """Let an editor replace the file just before it is renamed to a name that ends like this."""
    real = os.rename

    def saved_first(source, destination, **options):
        if source == str(path) and destination.endswith(suffix):
            path.unlink()
            path.write_bytes(b"just saved by an editor")
        real(source, destination, **options)

    monkeypatch.setattr(os, "rename", saved_first)


@pytest.mark.parametrize("act", ["hardlink", "symlink"])
def test_a_file_saved_over_our_link_while_it_is_undone_stays(place, act, monkeypatch):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    place.apply(place.plan(act, (copy, keeper)))
    save_before_rename(monkeypatch, copy, ".link")
    assert "another file has its name" in reasons(place.undo())
    assert copy.read_bytes() == b"just saved by an editor"


REAL_DISKS = """
import errno, os, subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from acting_place import Place, contents, reasons, tree

root = Path(sys.argv[1])
place = Place(root)
place.quarantine.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", place.quarantine], check=True)
keeper, copy = place.write("keeper.jpg", b"x" * 100_000), place.write("copy.jpg", b"x" * 100_000)
large, large_copy = place.write("large.jpg", b"y" * 300_000), place.write("large copy.jpg", b"y" * 300_000)
before = tree(place.pictures)
report = place.apply(place.plan("quarantine", (large_copy, large), (copy, keeper)))
assert report.done == [str(copy)], report
assert "disk is full" in reasons(report), report
assert place.undo().restored == [str(copy)]
assert tree(place.pictures) == before
assert contents(place.quarantine) == set(), contents(place.quarantine)

subprocess.run(["mount", "-o", "remount,ro", place.quarantine], check=True)
report = place.apply(place.plan("quarantine", (copy, keeper)))
assert "read-only" in reasons(report) and tree(place.pictures) == before, report

# The pictures on a full disk, then on a read-only one.
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", place.pictures], check=True)
keeper, copy = place.write("keeper.jpg", b"x" * 80_000), place.write("copy.jpg", b"x" * 80_000)
before = tree(place.pictures)
assert place.apply(place.plan("hardlink", (copy, keeper))).done == [str(copy)]
filler = place.pictures / "filler"
try:
    filler.write_bytes(b"z" * 400_000)
except OSError as error:
    assert error.errno == errno.ENOSPC
report = place.undo()
assert "disk is full" in reasons(report) and copy.samefile(keeper), report
filler.unlink()
assert place.undo().restored == [str(copy)] and tree(place.pictures) == before
subprocess.run(["mount", "-o", "remount,ro", place.pictures], check=True)
for act in ("hardlink", "symlink", "delete", "quarantine"):
    report = place.apply(place.plan(act, (copy, keeper)))
    assert "read-only" in reasons(report) and tree(place.pictures) == before, report
print("all held")
"""


def test_real_disks_that_are_other_full_or_read_only(tmp_path):
    enter = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        probe = [*enter, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)]
        if subprocess.run(probe, capture_output=True, timeout=20).returncode:
            pytest.skip("this system lets us mount nothing")
    except OSError:
        pytest.skip("there is no unshare here")
    command = [*enter, sys.executable, "-c", REAL_DISKS, str(tmp_path), os.path.dirname(__file__)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.stdout == "all held\n", result.stderr
