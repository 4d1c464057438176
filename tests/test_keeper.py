"""The keeper a family would choose: a small library, with every way in which a worse copy used to win."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lookalike import Gallery
from pictures import photo

LANCZOS, BICUBIC = Image.Resampling.LANCZOS, Image.Resampling.BICUBIC


def _tags(second=7, number=1):
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "Canon", "EOS 80D"
    tags.get_ifd(0x8769)[0x9003] = f"2019:07:0{number} 11:00:0{second}"
    return tags


def _screenshot(picture):
    screen = Image.new("RGB", (540, 1170), "black")
    tall = round(picture.height * 540 / picture.width)
    screen.paste(picture.resize((540, tall), LANCZOS), (0, 380))
    draw = ImageDraw.Draw(screen)
    draw.text((20, 15), "12:30", fill="white")
    draw.text((20, 400 + tall), "Like   Comment   Share", fill="white")
    return screen


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Five photos in an album, with a camera's data, and one worse copy of each or two."""
    folder = tmp_path_factory.mktemp("library")
    for name in ("Family", "Downloads", "a", "backup"):
        (folder / name).mkdir()
    names = ("astronaut", "coffee", "chelsea", "rocket")
    shown = {}
    for number, name in enumerate(names, 1):
        tags = _tags(number=number)
        photo(440, 290, name).save(folder / "Family" / f"{name}.jpg", quality=90, exif=tags)
        with Image.open(folder / "Family" / f"{name}.jpg") as opened:
            shown[name] = opened.convert("RGB")
    shown["astronaut"].resize((880, 580), LANCZOS).save(folder / "a" / "large.jpg", quality=90)
    shown["coffee"].save(folder / "a" / "again.jpg", quality=100, subsampling=0)
    shown["coffee"].save(folder / "a" / "lossless.png")
    _screenshot(shown["chelsea"]).save(folder / "a" / "screenshot.png")
    shutil.copy(folder / "Family" / "rocket.jpg", folder / "Downloads" / "r.jpg")
    shutil.copy(folder / "Family" / "rocket.jpg", folder / "Family" / "rocket - Copy (2).jpg")
    for place in ("Family", "backup"):
        (folder / place / "rocket.mov").write_bytes(b"a film")
        (folder / place / "rocket.aae").write_bytes(b"an edit")
    shutil.copy(folder / "Family" / "rocket.jpg", folder / "backup" / "rocket.jpg")
    again = _tags(second=9, number=2)
    shifted = shown["coffee"].transform((440, 290), Image.Transform.AFFINE, (1, 0, 0.4, 0, 1, 0.3), BICUBIC)
    shifted.save(folder / "Family" / "coffee 2.jpg", quality=90, exif=again)
    return folder


@pytest.fixture(scope="module")
def opened(library, settings, tmp_path_factory):
    with Gallery.open(tmp_path_factory.mktemp("g"), create=True, settings=settings) as gallery:
        gallery.add(library)
        yield gallery


@pytest.fixture(scope="module")
def report(opened):
    return opened.duplicates()


def _members(report, library):
    return {
        os.path.relpath(member.picture.path, library): (os.path.relpath(group.keeper.path, library), member)
        for group in report.groups
        for member in group.members
    }


@pytest.mark.parametrize(
    ("worse", "original"),
    [
        ("a/large.jpg", "Family/astronaut.jpg"),
        ("a/again.jpg", "Family/coffee.jpg"),
        ("a/lossless.png", "Family/coffee.jpg"),
        ("Downloads/r.jpg", "Family/rocket.jpg"),
        ("Family/rocket - Copy (2).jpg", "Family/rocket.jpg"),
    ],
)
def test_a_worse_copy_goes_and_the_original_stays(report, library, worse, original):
    keeper, member = _members(report, library)[worse]
    assert keeper == original
    assert member.note == ""


def test_no_original_is_proposed_to_go(report, library):
    originals = {f"Family/{name}.jpg" for name in ("astronaut", "coffee", "chelsea", "rocket")}
    assert originals.isdisjoint(_members(report, library))


def test_a_screenshot_is_no_keeper_of_the_photo_in_it(report, library):
    keeper, member = _members(report, library)["a/screenshot.png"]
    assert keeper == "Family/chelsea.jpg"
    assert member.note == "shows something that the keeper does not"


def test_another_shot_of_the_camera_stays_however_alike(report, library):
    _, member = _members(report, library)["Family/coffee 2.jpg"]
    assert "2 s from the keeper" in member.note


def test_what_belongs_to_a_picture_goes_with_it_and_comes_back(opened, report, library, tmp_path):
    _, member = _members(report, library)["backup/rocket.jpg"]
    assert [os.path.basename(one.path) for one in member.companions] == ["rocket.mov", "rocket.aae"]
    assert member.n_bytes_saved == member.picture.size_bytes + len(b"a film") + len(b"an edit")
    before = {path: path.read_bytes() for path in library.rglob("*") if path.is_file()}
    plan = opened.write_plan(report, tmp_path / "p.json", act="quarantine", quarantine=tmp_path / "q")
    done = opened.apply(plan)
    assert done.skipped == []
    assert list((library / "backup").iterdir()) == []
    opened.undo()
    assert {path: path.read_bytes() for path in library.rglob("*") if path.is_file()} == before


def test_a_preferred_folder_is_kept_before_a_better_one(opened, library):
    report = opened.duplicates(prefer=[library / "a"])
    keeper, member = _members(report, library)["Family/astronaut.jpg"]
    assert keeper == "a/large.jpg"
    assert "says what the keeper does not: date, camera" in member.note
    assert member.lacking == ("date", "camera")


def _edited(picture):
    """Return a picture as an editor gives it: darker, flatter, noisier."""
    levels = np.asarray(picture, np.float32) * 0.88 + 14
    noise = np.random.default_rng(0).normal(0, 4, levels.shape)
    return Image.fromarray(np.clip(levels + noise, 0, 255).astype(np.uint8))


def _ticket():
    sheet = Image.new("RGB", (600, 300), (252, 252, 250))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((10, 10, 589, 289), outline=(20, 60, 140), width=4)
    for line, text in enumerate(("RAILWAY 2019", "Platform 9, seat 34 B", "From 08:15", "Price 24.90")):
        pen.text((40, 30 + 60 * line), text, (25, 25, 30), font_size=20 + 14 * (line == 0))
    pen.ellipse((430, 90, 550, 210), fill=(200, 40, 50))
    return sheet


def _chart():
    sheet = Image.new("RGB", (640, 420), "white")
    pen = ImageDraw.Draw(sheet)
    for place, tall in enumerate((120, 260, 180, 330, 90, 210)):
        color = ((30, 90, 180), (220, 120, 40), (60, 150, 80))[place % 3]
        pen.rectangle((50 + 95 * place, 390 - tall, 110 + 95 * place, 390), fill=color)
        pen.text((55 + 95 * place, 370 - tall), f"{tall / 7:.1f} kWh", "black", font_size=15)
    pen.text((180, 5), "Energy by month", "black", font_size=24)
    return sheet


@pytest.fixture(scope="module")
def kept_of(settings, tmp_path_factory):
    """Drawings and photos kept without loss, each with two worse copies and an edit that is first by name."""
    folder = tmp_path_factory.mktemp("lossless")
    originals = {"ticket": _ticket(), "chart": _chart()}
    originals |= {name: photo(560, 400, name) for name in ("coffee", "rocket")}
    for name, original in originals.items():
        (folder / name).mkdir()
        original.save(folder / name / "the original.png")
        original.save(folder / name / "b.jpg", quality=40)
        smaller = round(original.width * 0.6), round(original.height * 0.6)
        original.resize(smaller, LANCZOS).save(folder / name / "c.png")
        _edited(original).save(folder / name / "a.jpg", quality=80)
    with Gallery.open(tmp_path_factory.mktemp("g"), create=True, settings=settings) as gallery:
        gallery.add(folder)
        groups = gallery.duplicates().groups
    return {os.path.basename(os.path.dirname(group.keeper.path)): group for group in groups}


@pytest.mark.parametrize("name", ["ticket", "chart", "coffee", "rocket"])
def test_what_was_never_compressed_is_kept_before_its_compressed_copies_and_edits(kept_of, name):
    group = kept_of[name]
    assert os.path.basename(group.keeper.path) == "the original.png"
    assert len(group.members) == 3
    assert group.why.split(":")[0] in ("first-hand", "unedited", "most-pixels"), "never by its name"
    notes = {os.path.basename(one.picture.path): one.note for one in group.members}
    assert "c.png" not in [name for name, note in notes.items() if note]
    assert notes["a.jpg"].startswith("was edited")


def test_what_only_the_smaller_one_says_is_brought_over_on_a_word(settings, tmp_path):
    (tmp_path / "pictures").mkdir()
    original = photo(500, 400, "coffee")
    original.save(tmp_path / "pictures" / "full.jpg", quality=92)
    small = original.resize((250, 200), LANCZOS)
    tags = _tags()
    tags[0x0131] = "Adobe Photoshop Lightroom"
    small.save(tmp_path / "pictures" / "small.jpg", quality=85, exif=tags)
    before = {path: path.read_bytes() for path in (tmp_path / "pictures").iterdir()}
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(tmp_path / "pictures")
        report = gallery.duplicates()
        (member,) = report.groups[0].members
        assert member.may_carry
        assert member.lacking == ("date", "camera")
        plan = gallery.write_plan(report, tmp_path / "p.json", act="quarantine", quarantine=tmp_path / "q")
        assert "--carry-metadata" in gallery.apply(plan).skipped[0].reason
        assert len(gallery.apply(plan, carry_metadata=True).done) == 1
        with Image.open(tmp_path / "pictures" / "full.jpg") as written:
            assert written.getexif()[0x0110] == "EOS 80D"
        again = gallery.add(tmp_path / "pictures")
        assert (again.added, again.unchanged) == (0, 1)
        gallery.undo()
    assert {path: path.read_bytes() for path in (tmp_path / "pictures").iterdir()} == before


def test_without_a_file_of_equal_bytes_what_belongs_together_stays(settings, tmp_path):
    for name in ("phone", "backup"):
        (tmp_path / name).mkdir()
        photo(480, 360, "coffee").save(tmp_path / name / "a.jpg", quality=90)
    (tmp_path / "phone" / "a.cr2").write_bytes(b"no raw data, but its name")
    (tmp_path / "backup" / "a.xmp").write_bytes(b"stars")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add([tmp_path / "phone" / "a.jpg", tmp_path / "backup" / "a.jpg"], only="hashes")
        (group,) = gallery.duplicates(relation="same_file").groups
    assert group.keeper.path == str(tmp_path / "phone" / "a.jpg")
    assert group.why == "holds-more: holds CR2, against holds nothing more"
    assert group.members[0].note == "belongs together with a.xmp, of which the keeper has no copy"


def test_of_one_file_under_two_names_none_goes_and_nothing_is_counted(settings, tmp_path):
    (tmp_path / "pictures").mkdir()
    photo(480, 360, "coffee").save(tmp_path / "pictures" / "x.jpg")
    data = (tmp_path / "pictures" / "x.jpg").read_bytes()
    (tmp_path / "pictures" / "long name.jpg").write_bytes(data)
    os.link(tmp_path / "pictures" / "long name.jpg", tmp_path / "pictures" / "longer name.jpg")
    for name in ("x.jpg", "long name.jpg"):
        os.utime(tmp_path / "pictures" / name, (10**9, 10**9))
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(tmp_path / "pictures", only="hashes")
        (group,) = gallery.duplicates(relation="same_file").groups
        assert group.n_bytes_saved == len(data)
        going = [member.picture.path for member in group.members if not member.note]
        assert going == [str(tmp_path / "pictures" / "x.jpg")]
        kept = gallery.duplicates(relation="same_file", rules=["shortest-path"]).groups[0]
    assert kept.keeper.path == str(tmp_path / "pictures" / "x.jpg")
    assert all("under several names" in member.note for member in kept.members)
    assert kept.n_bytes_saved == 0
