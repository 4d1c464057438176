"""What was put away comes back as it was, and nothing is overwritten for that."""

import shutil

import pytest

from acting_place import MODIFIED_NS, acting_place, contents, reasons, tree
from lookalike.acting.history import load_history
from lookalike.acting.plan import ACTS
from lookalike.errors import InputError


@pytest.fixture
def place(tmp_path):
    with acting_place(tmp_path) as place:
        yield place


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
