"""Plan, apply, undo: real files, and nothing is ever lost, whatever happens in between."""

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lookalike.acting import apply as apply_module
from lookalike.acting import files, trash
from lookalike.acting.apply import apply_plan
from lookalike.acting.checks import find_conflicts
from lookalike.acting.history import load_history
from lookalike.acting.journal import Journal
from lookalike.acting.plan import ACTS, PlannedAct, Removal, load_plan, make_plan, save_plan
from lookalike.acting.undo import undo
from lookalike.errors import InputError, StoreError

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


@pytest.fixture
def place(tmp_path):
    with private_trash(tmp_path), patch.object(os, "fsync", no_power_cut):
        yield Place(tmp_path)


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


# Every act and its undo


@pytest.mark.parametrize("act", ACTS)
def test_every_act_is_done_and_undone_bit_for_bit(place, act):
    keeper = place.write("keeper.jpg", modified_ns=MODIFIED_NS + 5, mode=0o600)
    copy = place.write("sub/copy.jpg")
    if hasattr(os, "setxattr"):
        os.setxattr(copy, "user.rating", b"5 stars")
    before = tree(place.pictures)

    report = place.apply(place.plan(act, (copy, keeper)))

    assert (report.done, report.skipped, report.remarks) == ([str(copy)], [], [])
    assert (report.run, report.bytes_saved, report.interrupted) == (1, len(b"picture"), False)
    assert (report.n_deleted, report.n_beyond_undo) == (int(act == "delete"), 0)
    assert keeper.read_bytes() == b"picture"
    if act == "hardlink":
        assert copy.samefile(keeper)
        assert not copy.is_symlink()
    elif act == "symlink":
        assert os.readlink(copy) == str(keeper)
    else:
        assert not copy.exists()
    assert not [name for name in os.listdir(copy.parent) if name.startswith(".lookalike")]

    undone = place.undo()
    assert (undone.run, undone.restored, undone.skipped) == (1, [str(copy)], [])
    assert tree(place.pictures) == before
    assert not keeper.samefile(copy)
    assert place.undo().run is None
    assert place.undo(run=1).restored == []
    assert tree(place.pictures) == before


@pytest.mark.parametrize("act", ["trash", "quarantine"])
def test_a_proven_copy_of_other_bytes_may_go_where_it_can_come_back_from(place, act):
    keeper, copy = place.write("large.png", b"large"), place.write("small.jpg", b"small")
    before = tree(place.pictures)
    assert place.apply(place.plan(act, (copy, keeper), relation="copy")).done == [str(copy)]
    assert contents(place.root) >= {b"large", b"small"}
    place.undo()
    assert tree(place.pictures) == before


def test_the_quarantine_shows_where_a_file_came_from_and_is_empty_after_undo(place):
    keeper, copy = place.write("keeper.jpg"), place.write("2019/Ferien/copy.jpg")
    place.apply(place.plan("quarantine", (copy, keeper)))
    (moved,) = [path for path in place.quarantine.rglob("*") if path.is_file()]
    assert str(moved).endswith(str(copy))
    assert moved.stat().st_mtime_ns == MODIFIED_NS
    place.undo()
    assert list(place.quarantine.iterdir()) == []


def test_two_files_of_one_name_go_to_quarantine_and_trash_and_come_back(place):
    keeper = place.write("keeper.jpg")
    copies = [place.write(f"{n}/same name.jpg", modified_ns=MODIFIED_NS + n) for n in range(4)]
    before = tree(place.pictures)
    place.apply(place.plan("quarantine", *((copy, keeper) for copy in copies[:2])))
    place.apply(place.plan("trash", *((copy, keeper) for copy in copies[2:])))
    assert len(tree(place.pictures)) == 1
    assert place.undo().run == 2
    assert place.undo().run == 1
    assert tree(place.pictures) == before


def test_runs_can_be_undone_by_number(place):
    keeper, first, second = (place.write(f"{n}.jpg") for n in range(3))
    place.apply(place.plan("delete", (first, keeper)))
    place.apply(place.plan("delete", (second, keeper)))
    assert place.undo(run=1).restored == [str(first)]
    assert not second.exists()
    with pytest.raises(InputError, match=r"no run 7 .* 1, 2"):
        place.undo(run=7)


def test_the_history_tells_of_each_run_what_there_is_to_undo(place):
    keeper, first, second, third = (place.write(f"{n}.jpg") for n in range(4))
    place.apply(place.plan("delete", (first, keeper), (second, keeper)))
    place.apply(place.plan("quarantine", (third, keeper)))
    place.undo(run=1)
    runs, total = load_history(place.journal)
    assert total == 2
    assert [(run.run, run.acts, run.n_files, run.n_undoable, run.n_undone) for run in runs] == [
        (2, {"quarantine": 1}, 1, 1, 0),
        (1, {"delete": 2}, 2, 0, 2),
    ]
    assert runs[1].examples == (str(first), str(second))
    assert runs[1].size_bytes == 2 * keeper.stat().st_size
    assert load_history(place.journal, offset=1, limit=1)[0] == runs[1:]
    assert load_history(place.journal / "none") == ([], 0)


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="names must be text there")
@pytest.mark.parametrize("act", ACTS)
def test_names_that_are_no_text_survive_plan_journal_act_and_undo(place, act):
    keeper, copy = place.write("keeper.jpg"), place.write(os.fsdecode(b"caf\xe9 \n \xff.jpg"))
    before = tree(place.pictures)
    save_plan(place.plan(act, (copy, keeper)), place.root / "plan.json")
    assert place.apply(load_plan(place.root / "plan.json")).done == [str(copy)]
    place.undo()
    assert tree(place.pictures) == before


# What is said and skipped


def together(place, act="quarantine"):
    """Return a plan for a picture and its film, whose keeper has the same, and all four files."""
    files = [
        place.write(name, name.split("/")[1].encode())
        for name in ("a/x.jpg", "a/x.mov", "b/x.jpg", "b/x.mov")
    ]
    removals = [place.removal(files[2], files[0]), place.removal(files[3], files[1])]
    removals[1] = removals[1]._replace(belongs_to=str(files[2]))
    return make_plan(removals, act=act, quarantine=place.quarantine), files


@pytest.mark.parametrize("act", ["trash", "quarantine", "delete"])
def test_what_belongs_together_goes_and_comes_back_together(place, act):
    plan, (_, _, picture, film) = together(place, act)
    before = tree(place.pictures)
    save_plan(plan, place.root / "plan.json")
    assert load_plan(place.root / "plan.json") == plan
    assert place.apply(plan).done == [str(picture), str(film)]
    assert not picture.exists()
    assert not film.exists()
    assert len(place.undo().restored) == 2
    assert tree(place.pictures) == before


@pytest.mark.parametrize("harmed", [0, 1, 2, 3])
def test_where_one_cannot_go_all_that_belong_together_stay(place, harmed):
    plan, files = together(place)
    files[harmed].write_bytes(b"saved meanwhile")
    before = tree(place.pictures)
    report = place.apply(plan)
    assert report.done == []
    assert len(report.skipped) == 2
    assert tree(place.pictures) == before


def test_where_the_second_act_fails_the_first_is_taken_back(place, monkeypatch):
    plan, (_, _, picture, film) = together(place)
    before = tree(place.pictures)
    perform = apply_module.perform

    def fail(intent, file, keeper):
        if intent.planned.path == str(film):
            raise OSError(errno.EIO, "the disk fails")
        return perform(intent, file, keeper)

    monkeypatch.setattr(apply_module, "perform", fail)
    report = place.apply(plan)
    assert report.done == []
    assert {one.path for one in report.skipped} == {str(picture), str(film)}
    assert tree(place.pictures) == before
    assert place.undo().restored == []


def test_what_belongs_to_a_file_that_no_act_names_stays(place):
    plan, (_, _, _, film) = together(place)
    alone = replace(plan, acts=plan.acts[1:])
    report = place.apply(alone)
    assert report.done == []
    assert "which the plan does not act on" in report.skipped[0].reason
    assert film.exists()


def carrying(place, act="quarantine"):
    """Return a plan for two pictures that say what their one keeper does not, and the three files."""
    keeper = place.write("keeper.jpg", b"keeper")
    files = [place.write(name, name.encode()) for name in ("a.jpg", "b.jpg")]
    removals = [place.removal(path, keeper, "copy")._replace(carry=("date",)) for path in files]
    return make_plan(removals, act=act, quarantine=place.quarantine), [keeper, *files]


def joined(keeper, other):
    return keeper + b"+" + other


@pytest.mark.parametrize("act", ["trash", "quarantine"])
def test_what_only_a_file_that_goes_says_is_brought_over_and_taken_back(place, act):
    plan, (keeper, first, second) = carrying(place, act)
    before = tree(place.pictures)
    save_plan(plan, place.root / "plan.json")
    assert load_plan(place.root / "plan.json") == plan
    report = place.apply(plan, write_over=joined)
    assert report.done == [str(first), str(second)]
    assert report.carried == [str(keeper)]
    assert keeper.read_bytes() == b"keeper+a.jpg+b.jpg"
    assert keeper.stat().st_mtime_ns == MODIFIED_NS
    assert place.undo().skipped == []
    assert tree(place.pictures) == before
    assert list((place.journal / "kept").iterdir()) == []


def test_without_a_word_nothing_is_brought_over_and_nothing_goes(place):
    plan, _ = carrying(place)
    before = tree(place.pictures)
    report = place.apply(plan)
    assert report.done == []
    assert "--carry-metadata" in report.skipped[0].reason
    assert tree(place.pictures) == before


def test_a_keeper_that_was_edited_since_is_not_overwritten_by_undo(place):
    plan, (keeper, *_) = carrying(place)
    place.apply(plan, write_over=joined)
    keeper.write_bytes(b"edited since")
    back = place.undo()
    assert keeper.read_bytes() == b"edited since"
    assert "its own bytes are at" in back.skipped[0].reason
    assert b"keeper" in contents(place.journal)


def test_where_it_cannot_be_brought_over_the_file_stays(place):
    plan, _ = carrying(place)
    before = tree(place.pictures)

    def refuse(_keeper, _other):
        raise files.RefusedError("it cannot take it")

    report = place.apply(plan, write_over=refuse)
    assert report.done == []
    assert "cannot take it" in report.skipped[0].reason
    assert tree(place.pictures) == before


@posix_only
@pytest.mark.parametrize("number", range(1, 16))
def test_a_kill_while_something_is_brought_over_loses_nothing(place, number):
    """A child stops at its n-th call that changes the disk; the next apply puts the keeper back."""
    plan, (keeper, *_) = carrying(place)
    before = tree(place.pictures)
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            _stop_at(number)
            place.apply(plan, write_over=joined)
        os._exit(0)
    os.waitpid(child, 0)
    assert any(b"keeper" in data for data in contents(place.root))
    place.apply(replace(plan, acts=()))
    if place.journal.is_dir():
        while place.undo().restored:
            pass
    assert tree(place.pictures) == before
    assert keeper.read_bytes() == b"keeper"


def _stop_at(number):
    """End this process at its n-th call that changes the disk."""
    calls = iter(range(1, number + 1))

    def stopping(real):
        def call(*arguments, **options):
            if next(calls, None) is None:
                os._exit(1)
            return real(*arguments, **options)

        return call

    for name in ("rename", "link", "unlink", "utime", "chmod"):
        setattr(os, name, stopping(getattr(os, name)))


@pytest.mark.parametrize("act", ACTS)
def test_a_file_that_changed_since_the_plan_is_left_alone(place, act):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    plan = place.plan(act, (copy, keeper))
    place.write("copy.jpg", b"edited!")  # of the same size and time
    before = tree(place.pictures)
    assert_untouched(place, before, place.apply(plan), "changed since the plan")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("harm", ["gone", "damaged", "link", "folder"])
def test_without_a_whole_keeper_nothing_is_done(place, act, harm):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    plan = place.plan(act, (copy, keeper))
    keeper.unlink()
    if harm == "damaged":
        place.write("keeper.jpg", b"pictuRe")
    elif harm == "link":
        keeper.symlink_to(copy)
    elif harm == "folder":
        keeper.mkdir()
    before = tree(place.pictures)
    assert_untouched(place, before, place.apply(plan), "keeper")


def test_a_missing_file_a_symbolic_link_and_a_folder_are_skipped(place):
    keeper = place.write("keeper.jpg")
    copies = [place.write(f"{n}.jpg") for n in range(3)]
    plan = place.plan("quarantine", *((copy, keeper) for copy in copies))
    for copy in copies:
        copy.unlink()
    copies[1].symlink_to(keeper)
    copies[2].mkdir()
    before = tree(place.pictures)
    assert_untouched(place, before, place.apply(plan), "no such file", "symbolic link", "no regular file")


@pytest.mark.parametrize("act", ACTS)
def test_hard_links_of_one_file_would_save_nothing(place, act):
    keeper, copy = place.write("keeper.jpg"), place.pictures / "copy.jpg"
    copy.hardlink_to(keeper)
    before = tree(place.pictures)
    assert_untouched(place, before, place.apply(place.plan(act, (copy, keeper))), "nothing would be saved")


@pytest.mark.parametrize("act", ACTS)
def test_a_keeper_that_the_plan_removes_too_is_no_keeper(place, act):
    first, second, third = (place.write(f"{n}.jpg") for n in range(3))
    ring = place.plan(act, (first, second), (second, third), (third, first))
    before = tree(place.pictures)
    assert_untouched(place, before, place.apply(ring), "is itself a file that the plan acts on")
    chain = place.plan(act, (first, second), (second, third))
    assert place.apply(chain).done == [str(second)]
    assert first.exists()


def test_a_keeper_is_recognised_through_a_linked_folder_and_a_repeated_act_is_not_done_twice(place):
    first, second, third = (place.write(f"{n}.jpg") for n in range(3))
    (place.root / "door").symlink_to(place.pictures)
    by_the_door = place.root / "door" / "1.jpg"
    ring = place.plan("delete", (first, by_the_door), (second, third), (second, third))
    conflicts = find_conflicts(ring.acts)
    assert sorted(conflicts) == [0, 2]
    assert "twice" in conflicts[2]
    assert place.apply(ring).done == [str(second)]


def test_deleting_needs_the_second_word(place):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    before = tree(place.pictures)
    report = apply_plan(place.plan("delete", (copy, keeper)), place.journal)
    assert_untouched(place, before, report, "second explicit word")


def test_a_trash_that_undo_cannot_look_into_needs_a_word_and_is_said(place, monkeypatch):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    plan, before = place.plan("trash", (copy, keeper)), tree(place.pictures)
    monkeypatch.setattr(apply_module, "CAN_BE_FOUND_AGAIN", False)
    monkeypatch.setattr(trash, "CAN_BE_FOUND_AGAIN", False)
    assert_untouched(place, before, place.apply(plan), "undo could not find it")
    report = place.apply(plan, allow_trash_without_undo=True)
    assert (report.done, report.n_beyond_undo) == ([str(copy)], 1)
    assert "file manager" in report.remarks[0].reason
    assert "file manager" in reasons(place.undo())


def test_what_a_symbolic_link_of_ours_leads_to_stays(place):
    keeper, copy, other = (place.write(f"{n}.jpg") for n in range(3))
    place.apply(place.plan("symlink", (copy, keeper)))
    report = place.apply(place.plan("quarantine", (keeper, other)))
    assert str(copy) in reasons(report)
    place.undo()
    assert place.apply(place.plan("quarantine", (keeper, other))).done == [str(keeper)]


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


# Races with other programs


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


@pytest.mark.parametrize("act", ACTS)
def test_undo_overwrites_no_file_that_has_the_name_now(place, act):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    before = tree(place.pictures)
    place.apply(place.plan(act, (copy, keeper)))
    if copy.exists():
        copy.unlink()
    copy.write_bytes(b"a new picture")
    report = place.undo()
    assert "another file has its name" in reasons(report)
    assert copy.read_bytes() == b"a new picture"
    assert contents(place.root) >= {b"picture", b"a new picture"}
    copy.rename(place.root / "elsewhere.jpg")
    assert place.undo().restored == [str(copy)]
    assert tree(place.pictures) == before


def test_undo_of_a_link_needs_a_keeper_that_did_not_change(place):
    keeper, first, second = (place.write(f"{n}.jpg") for n in range(3))
    place.apply(place.plan("hardlink", (first, keeper)))
    place.apply(place.plan("symlink", (second, keeper)))
    keeper.write_bytes(b"edited")  # through the hard link, the first too
    assert "changed since" in reasons(place.undo(run=1))
    assert "changed since" in reasons(place.undo(run=2))
    assert first.samefile(keeper)
    assert second.is_symlink()
    keeper.write_bytes(b"picture")
    assert place.undo(run=2).restored
    assert place.undo(run=1).restored
    assert not first.samefile(keeper)


def test_undo_of_a_hard_link_does_not_need_the_keepers_name(place):
    keeper, copy = place.write("keeper.jpg", modified_ns=5), place.write("copy.jpg")
    place.apply(place.plan("hardlink", (copy, keeper)))
    keeper.unlink()
    assert place.undo().restored == [str(copy)]
    assert copy.stat().st_mtime_ns == MODIFIED_NS


def test_what_was_changed_in_quarantine_stays_there(place):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    place.apply(place.plan("quarantine", (copy, keeper)))
    (moved,) = [path for path in place.quarantine.rglob("*") if path.is_file()]
    moved.write_bytes(b"changed")
    assert str(moved) in reasons(place.undo())
    moved.unlink()
    assert "no longer in quarantine" in reasons(place.undo())


def test_undo_makes_a_folder_again_that_is_gone(place):
    keeper, copy = place.write("keeper.jpg"), place.write("sub/sub/copy.jpg")
    for act in ("trash", "quarantine", "delete"):
        place.apply(place.plan(act, (copy, keeper)))
        shutil.rmtree(place.pictures / "sub")
        assert place.undo().restored == [str(copy)]


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


REAL_DISKS = """
import errno, os, subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_acting import Place, contents, reasons, tree

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


# Kills


KILL_POINTS = ("rename", "link", "symlink", "unlink", "write", "fsync", "mkdir", "rmdir", "chmod", "utime")


def in_a_child_killed_at(step, deed):
    """Run `deed` in a child that SIGKILLs itself at its step-th call; return whether it came to its end."""

    def killed():
        _kill_at(step)
        deed()

    return not was_killed(start_child(killed))


def start_child(deed):
    child = os.fork()
    if child == 0:
        try:
            deed()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return child


def was_killed(child):
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _kill_at(step):
    n_calls = 0

    def wrap(real):
        def call(*arguments, **options):
            nonlocal n_calls
            n_calls += 1
            if n_calls == step:
                if real is real_write:
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2])  # a torn line
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call

    real_write = os.write
    for name in KILL_POINTS:
        setattr(os, name, wrap(getattr(os, name)))


@posix_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("act", [*ACTS, "quarantine on another disk"])
def test_a_kill_at_every_step_of_apply_and_of_undo_loses_nothing(place, act, monkeypatch):
    if act == "quarantine on another disk":
        on_another_disk(monkeypatch, place)
        act = "quarantine"
    relation = "copy" if act in ("trash", "quarantine") else "same_file"
    pairs = []
    for n, content in enumerate([b"first", b"second"]):
        copy = place.write(f"{n}.jpg", content, MODIFIED_NS + n)
        kept = content + b" in large" if relation == "copy" else content
        pairs.append((copy, place.write(f"{n} keeper.jpg", kept)))
    before, contents_before = tree(place.pictures), contents(place.pictures)
    plan = place.plan(act, *pairs, relation=relation)
    ended, step = False, 0
    while not ended:
        step += 1
        place.journal.mkdir(parents=True, exist_ok=True)
        ended = in_a_child_killed_at(step, lambda: place.apply(plan))
        in_a_child_killed_at(1 + step * 7 % 23, place.undo)
        if step % 3 == 0:
            in_a_child_killed_at(1 + step * 5 % 17, lambda: place.apply(plan))
        assert contents(place.root) >= contents_before, step
        while place.undo().restored:
            pass
        assert tree(place.pictures) == before, step
        shutil.rmtree(place.journal)
    assert step > 15


@posix_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_kill_at_a_random_moment_loses_nothing(place):
    """Real SIGKILLs from outside, of apply and of undo, with all acts in one plan."""
    chance = random.Random(0)
    pairs = []
    for n in range(15):
        content = bytes([n]) * 5000
        pairs.append(
            (place.write(f"{n}/copy.jpg", content), place.write(f"{n}.jpg", content, MODIFIED_NS + n))
        )
    before = tree(place.pictures)
    acts = [act for n, pair in enumerate(pairs) for act in place.plan(ACTS[n % 5], pair).acts]
    plan = make_plan([], act="trash", quarantine=place.quarantine)
    plan = type(plan)(tuple(acts), plan.created_at, None, plan.quarantine)
    n_killed = 0
    place.journal.mkdir(parents=True)
    for _ in range(30):
        n_killed += killed_after(chance.uniform(0.001, 0.04), lambda: place.apply(plan))
        n_killed += killed_after(chance.uniform(0.001, 0.02), place.undo)
        assert contents(place.root) >= {bytes([n]) * 5000 for n in range(15)}
        while place.undo().restored:
            pass
        assert tree(place.pictures) == before
    assert n_killed >= 20


def killed_after(seconds, deed):
    """Run `deed` in a child and SIGKILL it after some time; return whether it was killed in its work."""
    child = start_child(deed)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return was_killed(child)


@posix_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_the_next_apply_puts_back_what_a_kill_left_under_another_name(place):
    keeper, copy, other = (place.write(f"{n}.jpg") for n in range(3))
    kill_when_aside(place, copy, keeper)
    report = place.apply(place.plan("quarantine", (other, keeper)))
    assert "was put back" in report.remarks[0].reason
    assert copy.read_bytes() == b"picture"


def kill_when_aside(place, copy, keeper):
    """Kill an apply between setting the file aside and linking."""
    plan, step = place.plan("hardlink", (copy, keeper)), 0
    while copy.exists():
        step += 1
        shutil.rmtree(place.journal, ignore_errors=True)
        in_a_child_killed_at(step, lambda: place.apply(plan))
    assert copy.name not in os.listdir(place.pictures)


@posix_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_kill_at_every_step_of_putting_back_what_was_aside(place):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    before, ended, step = tree(place.pictures), False, 0
    while not ended:
        step += 1
        kill_when_aside(place, copy, keeper)
        ended = in_a_child_killed_at(step, place.undo)
        report = place.undo()
        assert report.skipped == []
        assert tree(place.pictures) == before
    assert step > 5


@posix_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("act", ACTS)
def test_a_file_edited_after_a_kill_that_came_before_the_act_is_left_alone(place, act):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    plan, step, is_intended = place.plan(act, (copy, keeper)), 0, False
    while not is_intended:
        step += 1
        shutil.rmtree(place.journal, ignore_errors=True)
        in_a_child_killed_at(step, lambda: place.apply(plan))
        runs = list(place.journal.glob("run-*.jsonl"))
        is_intended = any(
            b'"intent"' in path.read_bytes() and path.read_bytes().endswith(b"\n") for path in runs
        )
    copy.write_bytes(b"edited since")
    assert place.undo().restored == [str(copy)]
    assert copy.read_bytes() == b"edited since"


def test_a_torn_last_line_and_a_damaged_one_do_not_stop_undo(place):
    keeper, *copies = (place.write(f"{n}.jpg") for n in range(4))
    before = tree(place.pictures)
    place.apply(place.plan("delete", *((copy, keeper) for copy in copies)))
    (run,) = place.journal.glob("run-*.jsonl")
    with run.open("ab") as file:
        file.write(b'{"event": "undo')
    assert len(place.undo().restored) == 3
    assert tree(place.pictures) == before
    lines = run.read_bytes().splitlines()
    assert all(json.loads(line) for line in lines)
    run.write_bytes(b"\n".join([*lines[:3], b"\x00garbage", *lines[4:5]]) + b"\n")
    for copy in copies:
        copy.unlink()
    report = place.undo()
    assert "line 4" in reasons(report)
    assert report.restored


def test_ctrl_c_stops_between_acts_and_puts_back_the_one_at_hand(place):
    keeper, *copies = (place.write(f"{n}.jpg") for n in range(4))
    before = tree(place.pictures)
    plan = place.plan("symlink", *((copy, keeper) for copy in copies))

    def stop_after_two(progress):
        if progress.n_done == 2:
            raise KeyboardInterrupt

    report = place.apply(plan, on_progress=stop_after_two)
    assert report.interrupted
    assert report.done == [str(copy) for copy in copies[:2]]
    undone = place.undo(on_progress=lambda progress: (_ for _ in ()).throw(KeyboardInterrupt))
    assert undone.interrupted
    place.undo()
    assert tree(place.pictures) == before

    with patch.object(os, "symlink", side_effect=KeyboardInterrupt):
        report = place.apply(plan)
    assert report.interrupted
    assert report.done == []
    assert tree(place.pictures) == before


def test_progress_counts_every_act(place):
    keeper, *copies = (place.write(f"{n}.jpg") for n in range(3))
    plan = place.plan("delete", *((copy, keeper) for copy in copies))
    copies[0].unlink()
    seen = []
    place.apply(plan, on_progress=seen.append)
    assert [(p.n_done, p.n_total, p.n_failed) for p in seen] == [(1, 2, 1), (2, 2, 1)]


# Never the last copy


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    pictures=st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=2, max_size=6),
    wanted=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(ACTS)), max_size=8),
    changed=st.sets(st.integers(0, 5), max_size=2),
    linked=st.sets(st.integers(1, 5), max_size=1),
)
def test_whatever_the_plan_every_picture_is_still_there_and_undo_brings_all_back(
    pictures, wanted, changed, linked
):
    with tempfile.TemporaryDirectory() as folder, private_trash(Path(folder)):
        place = Place(Path(folder))
        paths = [place.write(f"{n}.jpg", content, MODIFIED_NS + n) for n, content in enumerate(pictures)]
        for n in linked & set(range(len(paths))):
            paths[n].unlink()
            paths[n].hardlink_to(paths[0])
        plan = plan_of(place, paths, wanted)
        for n in changed & set(range(len(paths))):
            place.write(f"{n}.jpg", b"changed", MODIFIED_NS + n)
        before, contents_before = tree(place.pictures), contents(place.pictures)
        with patch.object(os, "fsync", no_power_cut):  # the fixture is not made anew for each example
            place.apply(plan)
            visible = {path.read_bytes() for path in Path(folder).rglob("*.jpg")}
            assert visible >= contents_before
            if place.journal.exists():
                assert place.undo().skipped == []
        assert tree(place.pictures) == before


def plan_of(place, paths, wanted):
    """Make a plan of all wanted acts that can be written down at all, sensible or not."""
    acts = []
    for n, keeper, act in wanted:
        if max(n, keeper) < len(paths) and n != keeper:
            equal = paths[n].read_bytes() == paths[keeper].read_bytes()
            if equal or act in ("trash", "quarantine"):
                relation = "same_file" if equal else "copy"
                acts += place.plan(act, (paths[n], paths[keeper]), relation=relation).acts
    empty = make_plan([], act="trash", quarantine=place.quarantine)
    return type(empty)(tuple(acts), empty.created_at, None, empty.quarantine)


# Plans


def test_a_plan_is_readable_and_comes_back_equal(place):
    keeper, copy = place.write("图片/原图.jpg"), place.write("图片/副本.jpg")
    plan = place.plan("hardlink", (copy, keeper))
    save_plan(plan, place.root / "plan.json")
    text = (place.root / "plan.json").read_text(encoding="utf-8")
    assert "副本.jpg" in text
    assert load_plan(place.root / "plan.json") == plan
    (place.root / "plan.json").write_text("\ufeff" + text, encoding="utf-8")  # as some editors save it
    assert load_plan(place.root / "plan.json") == plan
    save_plan(plan, place.root / "plan.json")
    assert sorted(path.name for path in place.root.iterdir() if path.is_file()) == ["plan.json"]


def test_a_plan_replaces_a_plan_but_never_a_picture(place):
    picture = place.write("photo.jpg")
    with pytest.raises(InputError, match="no plan of lookalike"):
        save_plan(place.plan("trash"), picture)
    assert picture.read_bytes() == b"picture"
    with pytest.raises(InputError, match="cannot be written"):
        save_plan(place.plan("trash"), place.root / "missing" / "plan.json")


def edited(field, value):
    def edit(document):
        document["acts"][0][field] = value

    return edit


def without(field):
    return lambda document: document["acts"][0].pop(field)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (edited("act", "erase"), "act 1: act 'erase' is not known; choose from trash"),
        (edited("act", ["trash"]), "act must be text"),
        (edited("path", "copy.jpg"), "must be an absolute path"),
        (edited("path", "/a\x00b"), "NUL"),
        (edited("path", None), "path must be text"),
        (edited("path", "/a\ud800.jpg"), "half a character"),
        (edited("keeper", "/a\ud800.jpg"), "half a character"),
        (lambda document: document.update(quarantine="/a\ud800"), "half a character"),
        (edited("digest", "abc"), "64 hexadecimal digits"),
        (edited("keeper_digest", "0" * 64), "very same bytes"),
        (edited("size_bytes", -1), "whole number"),
        (edited("size_bytes", True), "whole number"),
        (edited("size_bytes", "7"), "whole number"),
        (edited("relation", "similar"), "no proven copy"),
        (edited("relation", "copy"), "very same bytes"),
        (edited("colour", "red"), "no field 'colour'"),
        (without("keeper"), "the field keeper is missing"),
        (lambda document: document.update(lookalike_plan=99), "version 99"),
        (lambda document: document.pop("lookalike_plan"), "no plan of lookalike"),
        (lambda document: document.pop("acts"), "lacks its list"),
        (lambda document: document.update(acts=[3]), "act 1: it must be an object"),
        (lambda document: document.update(quarantine="here"), "absolute"),
        (lambda document: document.update(gallery=3), "gallery must be text"),
        (lambda document: document.pop("created_at"), "created_at is missing"),
    ],
)
def test_an_edited_plan_that_makes_no_sense_is_refused_in_words(place, edit, words):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    path = place.root / "plan.json"
    save_plan(place.plan("delete", (copy, keeper)), path)
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=words) as caught:
        load_plan(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xd8\xff", b"[" * 100_000, b"{}"])
def test_what_is_no_plan_is_refused_in_words(place, data):
    path = place.root / "plan.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"plan\.json"):
        load_plan(path)
    with pytest.raises(InputError, match="cannot be read"):
        load_plan(place.root)


@pytest.mark.parametrize("act", ["hardlink", "symlink", "delete"])
def test_acts_on_equal_bytes_refuse_other_bytes(place, act):
    keeper, copy = place.write("keeper.jpg", b"large"), place.write("copy.jpg", b"small")
    with pytest.raises(InputError, match="very same bytes"):
        place.plan(act, (copy, keeper), relation="copy")


def test_an_opinion_is_no_ground_to_remove_a_file(place):
    keeper, copy = place.write("keeper.jpg", b"large"), place.write("copy.jpg", b"small")
    for relation in ("same_scene", "similar", "different", "anything"):
        with pytest.raises(InputError, match="no proven copy"):
            place.plan("trash", (copy, keeper), relation=relation)


def test_a_file_is_not_its_own_keeper_and_a_quarantine_needs_a_folder(place):
    copy = place.write("copy.jpg")
    with pytest.raises(InputError, match="its own keeper"):
        place.plan("trash", (copy, copy.parent / "." / "copy.jpg"))
    with pytest.raises(InputError, match="needs a folder"):
        make_plan([place.removal(copy, place.write("keeper.jpg"))], act="quarantine")


def test_the_fields_of_an_act_stand_in_the_order_a_person_reads_them(place):
    copy, keeper = place.write("copy.jpg"), place.write("keeper.jpg")
    (act,) = place.plan("trash", (copy, keeper)).acts
    assert list(PlannedAct.__dataclass_fields__)[:5] == ["act", "path", "keeper", "relation", "why"]
    assert act.why == "a test"


def test_acting_from_another_thread_works(place):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    reports = []
    plan = place.plan("delete", (copy, keeper))
    thread = threading.Thread(target=lambda: reports.append(place.apply(plan)))
    thread.start()
    thread.join()
    assert reports[0].done == [str(copy)]
