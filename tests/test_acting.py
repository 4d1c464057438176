"""Plan, apply, undo: real files, and nothing is ever lost, whatever happens in between."""

import errno
import os
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from acting_place import (
    MODIFIED_NS,
    Place,
    acting_place,
    assert_untouched,
    contents,
    no_power_cut,
    private_trash,
    reasons,
    tree,
)
from lookalike.acting import apply as apply_module
from lookalike.acting import trash
from lookalike.acting.apply import apply_plan
from lookalike.acting.checks import find_conflicts
from lookalike.acting.plan import ACTS, load_plan, make_plan, save_plan


@pytest.fixture
def place(tmp_path):
    with acting_place(tmp_path) as place:
        yield place


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


def test_acting_from_another_thread_works(place):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    reports = []
    plan = place.plan("delete", (copy, keeper))
    thread = threading.Thread(target=lambda: reports.append(place.apply(plan)))
    thread.start()
    thread.join()
    assert reports[0].done == [str(copy)]
