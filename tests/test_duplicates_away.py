"""Duplicates on a disk in a drawer: told by what is kept of it; nothing of it goes, nor anything for it."""

import pytest

from conftest import textured
from lookalike import Gallery
from lookalike.errors import InputError
from pictures import photo


@pytest.fixture
def opened(settings, tmp_path):
    """A gallery of an inbox and an archive; the archive is taken away by `unplug`."""
    for name in ("inbox", "archive"):
        (tmp_path / name).mkdir()
    original = photo(600, 400, "coffee")
    original.save(tmp_path / "archive" / "coffee.jpg", quality=92)
    original.resize((450, 300)).save(tmp_path / "inbox" / "small coffee.jpg", quality=85)
    textured(5, 400, 300).save(tmp_path / "archive" / "blobs.png")
    (tmp_path / "inbox" / "blobs again.png").write_bytes((tmp_path / "archive" / "blobs.png").read_bytes())
    photo(500, 400, "rocket").save(tmp_path / "inbox" / "rocket.jpg")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add([tmp_path / "inbox", tmp_path / "archive"])
        gallery.duplicates()  # as long as the archive is there
        (tmp_path / "archive").rename(tmp_path / "drawer")
        yield gallery


def names(groups):
    return {
        group.keeper.path.rsplit("/", 1)[1]: {
            member.picture.path.rsplit("/", 1)[1]: (member.relation, bool(member.note))
            for member in group.members
        }
        for group in groups
    }


def test_what_is_there_is_told_its_copies_on_the_disk_and_stays(opened):
    report = opened.duplicates()
    assert names(report.groups) == {
        "small coffee.jpg": {"coffee.jpg": ("copy", True)},
        "blobs again.png": {"blobs.png": ("same_file", True)},
    }
    assert {group.why for group in report.groups} == {"the only one that is there"}
    assert report.failed == ()
    assert sum(group.n_bytes_saved for group in report.groups) == 0


def test_a_new_file_is_compared_with_the_disk_too(opened, tmp_path):
    photo(600, 400, "coffee").crop((60, 40, 600, 400)).save(tmp_path / "inbox" / "crop.jpg", quality=90)
    opened.add(tmp_path / "inbox")
    groups = names(opened.duplicates().groups)
    (beside,) = [members for members in groups.values() if "coffee.jpg" in members]
    assert beside["coffee.jpg"] == ("copy", True)
    assert len(beside) == 2


def test_what_is_there_can_be_asked_against_the_disk(opened, tmp_path):
    report = opened.duplicates(against=tmp_path / "archive")
    assert names(report.groups) == {
        "coffee.jpg": {"small coffee.jpg": ("copy", True)},
        "blobs.png": {"blobs again.png": ("same_file", True)},
    }
    assert all("bring it back" in member.note for group in report.groups for member in group.members)
    plan = opened.write_plan(report, tmp_path / "p.json", act="trash")
    assert len(opened.apply(plan).done) == 0


def test_a_folder_that_never_was_is_no_place_that_is_away(opened, tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        opened.duplicates(against=tmp_path / "nowhere")


def test_equal_bytes_alone_are_told_where_only_these_are_asked_for(opened):
    assert names(opened.duplicates(relation="same_file").groups) == {
        "blobs again.png": {"blobs.png": ("same_file", True)}
    }


def test_what_was_never_proven_while_it_was_there_is_told(settings, tmp_path):
    for name in ("inbox", "archive"):
        (tmp_path / name).mkdir()
        photo(600, 400, "coffee").save(tmp_path / name / "coffee.jpg", quality=92 if name == "inbox" else 80)
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add([tmp_path / "inbox", tmp_path / "archive"])
        (tmp_path / "archive").rename(tmp_path / "drawer")
        report = gallery.duplicates()
    assert report.groups == ()
    (failed,) = report.failed
    assert failed.path == str(tmp_path / "archive" / "coffee.jpg")
    assert "once while its disk is connected" in failed.reason


def test_what_a_person_called_different_is_not_told_again(settings, tmp_path):
    for name in ("inbox", "archive"):
        (tmp_path / name).mkdir()
        photo(600, 400, "coffee").save(tmp_path / name / "coffee.jpg", quality=92 if name == "inbox" else 80)
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add([tmp_path / "inbox", tmp_path / "archive"])
        gallery.duplicates()
        gallery.mark(tmp_path / "inbox" / "coffee.jpg", tmp_path / "archive" / "coffee.jpg", False)
        (tmp_path / "archive").rename(tmp_path / "drawer")
        report = gallery.duplicates()
    assert (report.groups, report.failed) == ((), ())
