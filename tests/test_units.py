"""What belongs together: names of cameras, phones and exports; and what a place says of a file."""

import os

import pytest

from lookalike.duplicates.belongings import find_companions
from lookalike.duplicates.places import rank_by_folders, say_place, standing_of_place
from lookalike.media.units import Unit, Units


def _of(name, *names):
    unit = Units(lambda _folder: sorted((name, *names))).of(os.path.join("/f", name))
    return [os.path.basename(path) for path in unit.contents], [os.path.basename(path) for path in unit.notes]


@pytest.mark.parametrize(
    ("name", "contents", "notes"),
    [
        ("IMG_1.HEIC", ["IMG_1.MOV"], ["IMG_1.AAE"]),
        ("IMG_1.JPG", ["IMG_1.CR2", "img_1.wav"], ["IMG_1.xmp", "IMG_1.JPG.xmp"]),
        ("IMG_1.CR2", ["IMG_1.JPG"], ["IMG_1.xmp"]),
        ("GX01.JPG", [], ["GX01.LRV", "GX01.THM"]),
        ("a.jpg", [], ["a.jpg.json"]),
        ("a.jpg", [], ["a.jpg.supplemental-metadata.json"]),
        ("a.jpg", [], ["a.jpg.supplemental-me.json"]),
        ("a(1).jpg", [], ["a.jpg(1).json"]),
        ("a(1).jpg", [], ["a.jpg.supplemental-metadata(1).json"]),
        ("x" * 50 + ".jpg", [], ["x" * 46 + ".json"]),
    ],
)
def test_a_picture_has_the_files_that_programs_and_cameras_put_beside_it(name, contents, notes):
    assert _of(name, *contents, *notes) == (contents, notes)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("IMG_1.JPG", "IMG_1.PNG"),
        ("IMG_1.JPG", "IMG_10.MOV"),
        ("a.jpg", "b.jpg.json"),
        ("a.jpg", "a.jpg(1).json"),
        ("a(1).jpg", "a.jpg.json"),
        ("a.jpg", "metadata.json"),
        ("a.jpg", "a.json.xmp"),
    ],
)
def test_files_that_only_look_alike_do_not_belong_together(name, other):
    assert _of(name, other) == ([], [])


def test_a_folder_that_cannot_be_read_holds_nothing(tmp_path):
    assert Units().of(str(tmp_path / "missing" / "a.jpg")) == Unit()


def test_what_belongs_to_a_picture_goes_with_it_only_where_the_keeper_has_the_same(tmp_path):
    for folder in ("album", "backup"):
        (tmp_path / folder).mkdir()
        for name, data in (("a.jpg", b"picture"), ("a.mov", b"film"), ("a.aae", b"edit")):
            (tmp_path / folder / name).write_bytes(data)
    keeper, copy = (str(tmp_path / folder / "a.jpg") for folder in ("album", "backup"))
    found = find_companions(Units().of(copy), keeper, Units().of(keeper))
    assert [(os.path.basename(one.path), os.path.basename(one.keeper)) for one in found] == [
        ("a.mov", "a.mov"),
        ("a.aae", "a.aae"),
    ]
    assert found[0].size_bytes == 4
    (tmp_path / "backup" / "a.aae").write_bytes(b"other")
    words = find_companions(Units().of(copy), keeper, Units().of(keeper))
    assert words == "belongs together with a.aae, of which the keeper has no copy"
    (tmp_path / "album" / "a.cr2").write_bytes(b"raw")
    raw = str(tmp_path / "album" / "a.cr2")
    assert "is one unit with the keeper" in find_companions(Units().of(keeper), raw, Units().of(raw))
    assert find_companions(Unit(), keeper, Unit()) == ()


@pytest.mark.parametrize(
    "path",
    [
        "/home/a/Downloads/x.jpg",
        "/home/a/下载/x.jpg",
        "/x - Copy.jpg",
        "/x - Copy (2).jpg",
        "/x (1).jpg",
        "/IMG_1234 copy.jpg",
        "/x copy 3.jpg",
        "/x 副本.jpg",
        "/x的副本.jpg",
        "/Copy of x.jpg",
        "/x - Kopie.jpg",
        "/a/.thumbnails/x.jpg",
    ],
)
def test_downloads_and_second_copies_stand_below_an_album(path):
    assert standing_of_place(path) < standing_of_place("/Family/2019/x.jpg")
    assert say_place(path) != say_place("/Family/2019/x.jpg")


def test_a_folder_that_all_files_lie_in_says_nothing():
    assert standing_of_place("/tmp/Family/x.jpg") > standing_of_place("/tmp/Downloads/x.jpg")


@pytest.mark.parametrize("name", ["photocopy.jpg", "party (2019).jpg", "IMG_0001.jpg", "copyright.jpg"])
def test_other_names_say_nothing(name):
    assert standing_of_place(f"/Family/{name}") == standing_of_place("/Family/x.jpg")


def test_folders_are_preferred_in_the_order_in_which_they_are_named():
    folders = ["/a", "/b"]
    assert rank_by_folders("/a/x", folders) > rank_by_folders("/b/x", folders) > 0
    assert rank_by_folders("/c/x", folders) == 0
