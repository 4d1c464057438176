"""Duplicates: every relation told apart, proven against the keeper, verdicts honoured, nothing changed."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from conftest import textured
from lookalike import Gallery
from lookalike.duplicates import candidates
from lookalike.duplicates.candidates import find_candidates, find_shared_parts, turn_phashes
from lookalike.duplicates.frames import Frames
from lookalike.duplicates.keeper import RULES, Candidate, choose_keeper, parse_rules
from lookalike.duplicates.pair_workers import TaskWorker
from lookalike.errors import GalleryNotFoundError, InputError, ModelError, StoreError
from lookalike.features.hashes import phash
from lookalike.features.keypoints import extract_keypoints
from lookalike.features.kinds import BITS
from lookalike.features.prepared import turn_pixels
from lookalike.gallery.changing import Changing
from lookalike.proving.verify import verify
from lookalike.records.metadata import Metadata
from lookalike.storage.features import Features
from lookalike.storage.files import Files
from lookalike.storage.index.rows import Rows
from lookalike.storage.records import FoundPicture
from lookalike.workers.tasks import Job
from pictures import photo


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Photos, edits of two of them, a card with two photos on it, and pictures of nothing alike."""
    folder = tmp_path_factory.mktemp("duplicates")
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        photo(480, 360, name).save(folder / "a" / f"{name}.png")
    for seed in range(6):
        textured(seed, 320, 240).save(folder / "a" / f"{seed}.png")
    astronaut, coffee = photo(480, 360, "astronaut"), photo(480, 360, "coffee")
    shutil.copy(folder / "a" / "astronaut.png", folder / "b" / "astronaut copy.png")
    astronaut.save(folder / "b" / "astronaut.bmp")
    astronaut.resize((300, 225)).save(folder / "b" / "small.jpg", quality=85)
    ImageOps.mirror(astronaut).save(folder / "b" / "mirrored.jpg", quality=90)
    astronaut.rotate(90, expand=True).save(folder / "b" / "turned.jpg", quality=90)
    coffee.crop((60, 40, 420, 330)).save(folder / "b" / "crop.jpg", quality=90)
    ImageOps.expand(coffee, 60, "white").save(folder / "b" / "framed.jpg", quality=90)
    return folder


@pytest.fixture
def gallery(place, settings, tmp_path):
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(place)
        yield opened


def _by_keeper(report, place):
    return {
        str(group.keeper.path).removeprefix(f"{place}/"): {
            member.picture.path.removeprefix(f"{place}/"): member for member in group.members
        }
        for group in report.groups
    }


def test_every_edit_is_found_and_nothing_else(gallery, place):
    groups = _by_keeper(gallery.duplicates(), place)
    assert set(groups) in ({"a/astronaut.png", "a/coffee.png"}, {"b/astronaut.bmp", "a/coffee.png"})
    astronauts, coffees = sorted(groups.values(), key=len, reverse=True)
    relations = {name.split("/")[1]: member.relation for name, member in astronauts.items()}
    assert relations["small.jpg"] == relations["mirrored.jpg"] == relations["turned.jpg"] == "copy"
    assert "same_pixels" in relations.values()
    assert {name.split("/")[1] for name in coffees} == {"framed.jpg", "crop.jpg"}


def test_each_member_says_how_it_was_made(gallery, place):
    groups = _by_keeper(gallery.duplicates(), place)
    (members,) = [members for members in groups.values() if "b/small.jpg" in members]
    assert "mirrored" in members["b/mirrored.jpg"].proof.transform
    assert "turned 90" in members["b/turned.jpg"].proof.transform
    assert members["b/small.jpg"].proof.contains == "equal"
    assert members["b/small.jpg"].is_covered
    (members,) = [members for members in groups.values() if "b/crop.jpg" in members]
    assert "cropped" in members["b/crop.jpg"].proof.transform
    assert members["b/crop.jpg"].proof.contains == "first"


def test_relations_ask_for_as_much_as_they_say(gallery, place):
    same_files = gallery.duplicates(relation="same_file")
    assert same_files.n_compared == 0
    assert [group.relation for group in same_files.groups] == ["same_file"]
    assert len(same_files.groups[0].members) == 1
    same_pixels = gallery.duplicates(relation="same_pixels")
    assert {group.relation for group in same_pixels.groups} == {"same_pixels"}
    assert len(same_pixels.groups) == 1
    assert len(same_pixels.groups[0].members) == 2
    assert len(gallery.duplicates(relation="copy").groups) == 2
    with pytest.raises(InputError, match="choose from"):
        gallery.duplicates(relation="nonsense")


def test_the_second_time_nothing_is_compared_again(gallery):
    first, second = gallery.duplicates(), gallery.duplicates()
    assert first.n_compared > 0
    assert second.n_compared == 0
    assert [group.members for group in second.groups] == [group.members for group in first.groups]


def test_shared_parts_are_looked_for_again_only_where_a_picture_came_or_went(gallery, place, tmp_path):
    def stages():
        seen = []
        gallery.duplicates(on_progress=lambda now: seen.append(now.stage))
        return seen

    assert "shared parts" in stages()
    before = gallery.duplicates().groups
    assert "shared parts" not in stages()
    assert gallery.duplicates().groups == before
    textured(77, 320, 240).save(tmp_path / "new.png")
    gallery.add(tmp_path / "new.png")
    assert "shared parts" in stages()
    assert "shared parts" not in stages()
    gallery.remove([tmp_path / "new.png"])
    assert "shared parts" in stages()


def test_protected_folders_are_kept_and_stay(gallery, place):
    report = gallery.duplicates(protect=[place / "b"])
    for group in report.groups:
        assert group.keeper.path.startswith(str(place / "b"))
        assert group.why == "in a protected folder" or "against" in group.why
        for member in group.members:
            if member.picture.path.startswith(str(place / "b")):
                assert member.note == "in a protected folder"


def test_one_folder_is_asked_against_another(gallery, place):
    report = gallery.duplicates(against=place / "a")
    assert report.groups
    for group in report.groups:
        assert group.keeper.path.startswith(str(place / "a"))
        assert all(member.picture.path.startswith(str(place / "b")) for member in group.members)


def test_a_misspelt_folder_protects_nothing_and_is_refused(gallery, place):
    for folders in ({"protect": [place / "nowhere"]}, {"against": place / "nowhere"}, {"protect": [""]}):
        with pytest.raises(InputError, match="no folder"):
            gallery.duplicates(**folders)
    with pytest.raises(InputError, match="empty path"):
        gallery.add("")


def test_a_verdict_is_honoured_for_ever_through_moves(gallery, place, settings, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(place, own)
    with Gallery.open(tmp_path / "own gallery", create=True, settings=settings) as opened:
        opened.add(own)
        opened.mark(own / "a" / "coffee.png", own / "b" / "crop.jpg", False)
        opened.mark(own / "b" / "framed.jpg", own / "b" / "crop.jpg", False)
        opened.mark(own / "a" / "0.png", own / "a" / "1.png", True)
        (own / "b" / "crop.jpg").rename(own / "moved.jpg")
        assert opened.add(own).moved == 1
        members = {
            member.picture.path for group in opened.duplicates().groups for member in group.members
        } | {group.keeper.path for group in opened.duplicates().groups}
        assert str(own / "moved.jpg") not in members
        assert {str(own / "a" / "0.png"), str(own / "a" / "1.png")} <= members
        opened.mark(own / "a" / "coffee.png", own / "moved.jpg", None)
        members = {m.picture.path for group in opened.duplicates().groups for m in group.members}
        assert str(own / "moved.jpg") in members
        with pytest.raises(InputError, match="same bytes"):
            opened.mark(own / "a" / "0.png", own / "a" / "0.png", True)


def test_no_chain_joins_what_has_nothing_in_common(settings, tmp_path):
    """Two photos share a card with a third, larger picture that shows both: they are no copies of each other."""
    folder = tmp_path / "bridge"
    folder.mkdir()
    left, right = photo(400, 300, "chelsea"), photo(400, 300, "rocket")
    card = Image.new("RGB", (400, 300))
    card.paste(left.resize((200, 150)), (0, 75))
    card.paste(right.resize((200, 150)), (200, 75))
    left.resize((800, 600)).save(folder / "left.png")
    right.resize((640, 480)).save(folder / "right.png")
    card.save(folder / "card.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder)
        for group in opened.duplicates().groups:
            names = {group.keeper.path, *(member.picture.path for member in group.members)}
            assert not {str(folder / "left.png"), str(folder / "right.png")} <= names


def test_a_collage_is_no_keeper_of_its_parts(settings, tmp_path):
    """It has the most pixels, but shows its parts small: as their keeper it would let none of their copies go."""
    folder = tmp_path / "collage"
    folder.mkdir()
    collage = Image.new("RGB", (900, 400), "orange")
    for number, name in enumerate(("chelsea", "rocket")):
        part = photo(400, 300, name)
        collage.paste(part.resize((320, 240)), (40 + 440 * number, 80))
        part.save(folder / f"{name}.png")
        part.resize((300, 225)).save(folder / f"{name} small.png")
    collage.save(folder / "collage.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder)
        groups = _by_keeper(opened.duplicates(), folder)
    assert set(groups) == {"chelsea.png", "rocket.png"}
    notes = {name: member.note for members in groups.values() for name, member in members.items()}
    assert notes == {
        "chelsea small.png": "",
        "rocket small.png": "",
        "collage.png": "shows something that the keeper does not",
    }


def test_a_collage_with_a_copy_of_its_own_is_kept_for_that(settings, tmp_path):
    folder = tmp_path / "collage"
    folder.mkdir()
    collage = Image.new("RGB", (900, 400), "orange")
    for number, name in enumerate(("chelsea", "rocket")):
        collage.paste(photo(320, 240, name), (40 + 440 * number, 80))
    collage.save(folder / "collage.png")
    shutil.copy(folder / "collage.png", folder / "collage again.png")
    photo(400, 300, "chelsea").save(folder / "chelsea.png")
    photo(400, 300, "rocket").save(folder / "rocket.png")
    photo(400, 300, "rocket").save(folder / "rocket again.jpg", quality=90)
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder)
        groups = _by_keeper(opened.duplicates(), folder)
    assert {
        name: {other: one.note for other, one in members.items()} for name, members in groups.items()
    } == {
        "collage.png": {"collage again.png": "", "chelsea.png": "the keeper shows it at 80% of its size"},
        "rocket.png": {"rocket again.jpg": ""},
    }


def test_a_sharper_part_does_not_stop_the_copies_of_the_whole_from_going(settings, tmp_path):
    folder = tmp_path / "part"
    folder.mkdir()
    scene = photo(1600, 1200, "astronaut")
    whole = scene.resize((800, 600))
    whole.save(folder / "whole.png")
    whole.save(folder / "whole.bmp")
    whole.resize((400, 300)).save(folder / "whole small.png")
    scene.crop((500, 100, 1100, 700)).save(folder / "part.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder)
        groups = _by_keeper(opened.duplicates(rules=["most-pixels", "shortest-path"]), folder)
    assert {
        name: {other: one.note for other, one in members.items()} for name, members in groups.items()
    } == {
        "whole.bmp": {
            "whole.png": "",
            "whole small.png": "",
            "part.png": "the keeper shows it at 50% of its size",
        }
    }


def test_a_web_of_collages_is_not_compared_all_with_all(settings, tmp_path):
    """Thirty photos hang together by cards that show two each; each is compared with what is near it."""
    folder = tmp_path / "web"
    folder.mkdir()
    names = ("astronaut", "coffee", "chelsea", "rocket", "camera")
    tiles = [
        photo(960, 640, name).crop((320 * x, 320 * y, 320 * x + 320, 320 * y + 320))
        for name in names
        for x in range(3)
        for y in range(2)
    ]
    for number, tile in enumerate(tiles):
        tile.save(folder / f"photo {number}.png")
        card = Image.new("RGB", (640, 320))
        card.paste(tile, (0, 0))
        card.paste(tiles[(number + 1) % len(tiles)], (320, 0))
        card.resize((480, 240)).save(folder / f"card {number}.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder, only="hashes")
        report = opened.duplicates()
    assert report.n_members >= 25
    assert report.n_compared < 400  # comparing each keeper with all that hangs together takes 593


def test_what_the_keeper_does_not_show_is_never_proposed_to_go(gallery, place):
    report = gallery.duplicates(rules=["shortest-path"])
    for group in report.groups:
        for member in group.members:
            if member.proof.contains in ("second", "neither"):
                assert member.note


def test_a_file_that_was_changed_since_is_a_failure_not_a_crash(place, settings, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(place, own)
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(own)
        textured(99).save(own / "b" / "small.jpg")
        report = opened.duplicates()
        assert [one.path for one in report.failed] == [str(own / "b" / "small.jpg")]
        assert "changed" in report.failed[0].reason


def test_a_file_that_is_deleted_during_the_run_is_a_failure_not_a_crash(settings, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    textured(1, 320, 240).save(folder / "keeper.png")
    for name in ("one copy.png", "other copy.png"):
        shutil.copy(folder / "keeper.png", folder / name)
    textured(2, 320, 240).save(folder / "other.png")

    def delete(now):
        if now.stage == "candidates":
            (folder / "other copy.png").unlink(missing_ok=True)

    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder)
        report = opened.duplicates(on_progress=delete)
        assert [Path(one.path).name for one in report.failed] == ["other copy.png"]
        assert "deleted" in report.failed[0].reason
        assert [Path(one.picture.path).name for one in report.groups[0].members] == ["one copy.png"]


def test_what_a_picture_is_stored_with_is_looked_up_once_for_all_members(settings, tmp_path, monkeypatch):
    folder = tmp_path / "own"
    folder.mkdir()
    for number in range(6):
        photo(480, 360, "coffee").resize((480 - 10 * number, 360 - 7 * number)).save(
            folder / f"{number}.jpg", quality=90
        )
    asked = []
    look_up = Features.recipes
    monkeypatch.setattr(Features, "recipes", lambda rows, name: asked.append(name) or look_up(rows, name))
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder, only="hashes")
        assert len(opened.duplicates().groups[0].members) == 5
    assert asked.count("hsv") == 1


def test_hard_links_are_told_and_nothing_is_proposed(settings, tmp_path):
    folder = tmp_path / "links"
    folder.mkdir()
    textured(1).save(folder / "a.png")
    (folder / "b.png").hardlink_to(folder / "a.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder, only="hashes")
        (group,) = opened.duplicates(relation="same_file").groups
        assert "already" in group.members[0].note
        assert group.n_bytes_saved == 0


def test_hashes_alone_find_duplicates_too(place, settings, tmp_path):
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(place, only="hashes")
        groups = opened.duplicates().groups
        assert max(len(group.members) for group in groups) >= 4


def test_an_empty_gallery_has_no_duplicates(settings, tmp_path):
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        assert opened.duplicates().groups == ()


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket", "chelsea", "camera"])
def test_hashes_of_turned_pictures_are_derived_nearly(name):
    grey = np.asarray(photo(112, 112, name).convert("L"))
    derived = turn_phashes(phash(Image.fromarray(grey))[None])
    for orientation in range(1, 8):
        turned = phash(Image.fromarray(turn_pixels(grey, orientation)))
        assert np.bitwise_count(turned ^ derived[orientation - 1][0]).sum() <= 8


def test_candidates_are_pairs_with_the_smaller_id_first():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (50, 8), np.uint8)
    rows[30] = rows[3]
    rows[31] = turn_phashes(rows[4:5])[2][0]
    hashes = Rows(BITS, np.arange(50)[::-1].copy() + 7, rows)
    pairs = find_candidates(hashes, None).pairs.tolist()
    assert [56 - 30, 56 - 3] in pairs
    assert [56 - 31, 56 - 4] in pairs
    assert all(first < second for first, second in pairs)
    assert len(pairs) < 20


def _picture(path="/a.jpg", **facts):
    values = {
        "content_id": 1,
        "size_bytes": 1000,
        "mtime_ns": 5 * 10**9,
        "digest": b"",
        "format": "jpeg",
        "width_px": 100,
        "height_px": 100,
        "taken_at": None,
    }
    return FoundPicture(path=path, **{**values, **facts})


def _candidates(*pictures, **facts):
    return [replace(Candidate.of(picture), **facts) for picture in pictures]


@pytest.mark.parametrize(
    ("rule", "better"),
    [
        ("most-pixels", {"width_px": 200}),
        ("original-format", {"format": "tiff"}),
        ("lossless", {"format": "png"}),
        ("least-compressed", {"size_bytes": 9000}),
        ("richest-metadata", {"taken_at": "2020-01-01T00:00:00"}),
        ("best-place", {"path": "/z/album/bbbbbb.jpg"}),
        ("oldest", {"mtime_ns": 10**9}),
        ("shortest-path", {"path": "/b"}),
    ],
)
def test_each_rule_chooses_and_says_why(rule, better):
    name = "/temp/a (1).jpg" if rule == "best-place" else "/aaaaaa.jpg"
    ordinary, best = _picture(name), _picture(**{"path": "/bbbbbb.jpg", **better})
    assert choose_keeper(_candidates(ordinary, best), parse_rules([rule]))[0] == best
    keeper, why = choose_keeper(_candidates(ordinary, best), tuple(RULES.values()))
    assert keeper == best
    assert why.startswith(rule)
    assert choose_keeper(_candidates(best, ordinary), parse_rules([rule]), [name]) == (
        ordinary,
        "in a protected folder",
    )
    assert choose_keeper(_candidates(best, ordinary), parse_rules([rule]), prefer=["/none", name]) == (
        ordinary,
        "in a preferred folder",
    )


@pytest.mark.parametrize(
    ("rule", "fact", "words"),
    [
        ("holds-more", {"holds": ("CR2",)}, "holds CR2, against holds nothing more"),
        ("most-pixels", {"n_shown_px": 20_000}, "of which"),
        ("richest-metadata", {"said": Metadata(camera="X", caption="Oma")}, "with camera, caption, against"),
        ("most-links", {"n_links": 2}, "one file under 2 names"),
    ],
)
def test_what_is_known_of_a_picture_beyond_its_row_decides_too(rule, fact, words):
    plain, best = _candidates(_picture("/a.jpg"))[0], _candidates(_picture("/b.jpg"), **fact)[0]
    if rule == "most-pixels":
        plain = replace(plain, n_shown_px=2_500)
    keeper, why = choose_keeper([plain, best], tuple(RULES.values()))
    assert (keeper.path, why.split(":")[0]) == ("/b.jpg", rule)
    assert words in why


def test_what_was_made_from_another_one_is_kept_after_it_however_large():
    made = _candidates(_picture("/a.jpg", width_px=400), made_from=("saved again from a JPEG",))
    keeper, why = choose_keeper([*made, *_candidates(_picture("/b.jpg"))], tuple(RULES.values()))
    assert keeper.path == "/b.jpg"
    assert why == "first-hand: made from none of the others, against saved again from a JPEG"


@pytest.mark.parametrize("blurred", ["a.png", "the zebra.png"])
def test_what_all_others_were_made_from_is_kept_before_its_edits(settings, tmp_path, blurred):
    """The blurred and the darkened one have as many pixels, and a name that would decide in the end."""
    folder = tmp_path / "edits"
    folder.mkdir()
    original = photo(480, 360, "coffee")
    original.save(folder / "the original.png")
    original.filter(ImageFilter.GaussianBlur(3)).save(folder / blurred)
    original.point(lambda level: level * 0.6).save(folder / "b.png")
    for side in (400, 300, 200):
        original.resize((side, side * 3 // 4)).save(folder / f"small {side}.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder)
        (group,) = opened.duplicates().groups
        assert group.keeper.path == str(folder / "the original.png")
        assert group.why == "unedited: as bright, coloured and sharp as most, against edited"
        going = {member.picture.path.rsplit("/", 1)[-1] for member in group.members if not member.note}
        assert going == {"small 400.png", "small 300.png", "small 200.png"}
        assert opened.duplicates(rules=["shortest-path"]).groups[0].keeper.path != group.keeper.path


def test_where_all_copies_differ_none_is_the_edited_one(settings, tmp_path):
    folder = tmp_path / "edits"
    folder.mkdir()
    original = photo(480, 360, "coffee")
    original.save(folder / "original.png")
    original.point(lambda level: level * 0.7).save(folder / "dark.png")
    original.point(lambda level: level * 0.4).save(folder / "c.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder)
        (group,) = opened.duplicates(rules=["unedited", "shortest-path"]).groups
    assert group.keeper.path == str(folder / "c.png")
    assert group.why.startswith("shortest-path")


@pytest.mark.parametrize("usual", ["/a.jpg", "/b.jpg"])
def test_an_edited_picture_is_kept_after_others_by_the_rule_for_it(usual):
    pictures = [_picture("/a.jpg"), _picture("/b.jpg", content_id=2)]
    rules = parse_rules(["unedited"])
    candidates = [
        replace(one, usualness=lambda path=one.picture.path: 2 * (path == usual))
        for one in _candidates(*pictures)
    ]
    keeper, why = choose_keeper(candidates, rules)
    assert keeper.path == usual
    assert why == "unedited: as bright, coloured and sharp as most, against edited"


def test_what_is_like_some_copies_is_kept_before_what_is_like_none():
    values = {"/a.jpg": 0, "/b.jpg": 1}
    pictures = [_picture("/a.jpg", size_bytes=9000), _picture("/b.jpg", content_id=2)]
    candidates = [
        replace(one, usualness=lambda path=one.picture.path: values[path]) for one in _candidates(*pictures)
    ]
    keeper, why = choose_keeper(candidates, tuple(RULES.values()), have_equal_tone=lambda *_: False)
    assert keeper.path == "/b.jpg"
    assert why == "unedited: as bright, coloured and sharp as some, against edited"


def test_an_edit_is_not_kept_for_being_saved_without_loss():
    pictures = [_picture("/a.png", format="png"), _picture("/b.jpg", content_id=2)]
    keeper, why = choose_keeper(
        _candidates(*pictures), parse_rules(["lossless"]), have_equal_tone=lambda *_: False
    )
    assert (keeper.path, why) == ("/a.png", "all rules alike; first by path")


def test_a_fraction_of_a_second_makes_no_file_older():
    pictures = [_picture("/bb.jpg", mtime_ns=10**9), _picture("/a.jpg", mtime_ns=10**9 + 1)]
    keeper, why = choose_keeper(_candidates(*pictures), parse_rules(["oldest", "shortest-path"]))
    assert keeper.path == "/a.jpg"
    assert why.startswith("shortest-path")


def test_without_a_difference_the_path_decides():
    pictures = [_picture("/b.jpg"), _picture("/a.jpg")]
    assert choose_keeper(_candidates(*pictures), parse_rules(["most-pixels"]))[0].path == "/a.jpg"
    with pytest.raises(InputError, match="choose from"):
        parse_rules(["nonsense"])


def test_search_proves_its_matches_when_asked(gallery, place):
    buffer = io.BytesIO()
    photo(480, 360, "coffee").crop((100, 60, 400, 300)).save(buffer, "JPEG", quality=80)
    matches = gallery.search(buffer.getvalue(), k=6, verify=True)
    proven = [match for match in matches if match.relation == "copy"]
    assert {match.picture.path.rsplit("/")[-1] for match in proven} == {
        "coffee.png",
        "crop.jpg",
        "framed.jpg",
    }
    assert matches[: len(proven)] == proven
    assert all(match.proof.inliers > 10 for match in proven)
    assert all(match.proof.relation == "different" for match in matches[3:])


def test_shared_parts_find_a_small_crop_and_its_mirror_image():
    names = ("astronaut", "coffee", "chelsea", "rocket", "camera", "page")
    pictures = [photo(480, 360, name) for name in names]
    pictures.append(pictures[0].crop((150, 40, 390, 220)).resize((480, 360)))
    pictures.append(ImageOps.mirror(pictures[3]))
    pictures.append(Image.new("RGB", (64, 64), "white"))
    found = [(number + 10, extract_keypoints(picture)) for number, picture in enumerate(pictures)]
    pairs = find_shared_parts(found, len(found)).tolist()
    assert [10, 16] in pairs
    assert [13, 17] in pairs
    assert all(first < second for first, second in pairs)
    assert find_shared_parts([], 0).tolist() == []
    assert find_shared_parts(found[-1:], 1).tolist() == []


def test_votes_are_the_same_in_small_blocks(monkeypatch):
    pictures = [photo(480, 360, name) for name in ("astronaut", "coffee", "chelsea")]
    pictures += [picture.resize((240, 180)) for picture in pictures]
    found = [(number, extract_keypoints(picture)) for number, picture in enumerate(pictures)]
    whole = find_shared_parts(found, len(found)).tolist()
    monkeypatch.setattr(candidates, "_VOTES_AT_ONCE", 7)
    assert find_shared_parts(found, len(found)).tolist() == whole
    assert [0, 3] in whole


def test_a_worker_that_cannot_open_its_gallery_says_so(settings, tmp_path):
    with pytest.raises(GalleryNotFoundError):
        TaskWorker(Job(settings, (), tmp_path / "nowhere"))


def test_an_original_does_not_go_for_a_larger_but_worse_picture(settings, tmp_path):
    """A frame adds pixels and an enlargement too, yet neither is worth the original."""
    folder = tmp_path / "worse"
    folder.mkdir()
    original = photo(480, 360, "coffee")
    original.save(folder / "original.jpg", quality=95)
    ImageOps.expand(original, 80, "white").save(folder / "framed.jpg", quality=60)
    cat = photo(480, 360, "chelsea")
    cat.save(folder / "cat.jpg", quality=80)
    ImageOps.grayscale(cat).resize((960, 720)).save(folder / "grey.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder)
        notes = {
            member.picture.path.rsplit("/", 1)[-1]: member.note
            for group in opened.duplicates().groups
            for member in group.members
        }
    assert notes == {
        "framed.jpg": "shows something that the keeper does not",
        "cat.jpg": "has colours, and the keeper is grey",
    }


def _keep(**pictures):
    """Return which of two pictures is kept, by name, and why."""
    keypoints = [extract_keypoints(picture) for picture in pictures.values()]
    facts = [
        _picture(f"/{name}", content_id=number, width_px=picture.width, height_px=picture.height)
        for number, (name, picture) in enumerate(pictures.items())
    ]
    frames = Frames(lambda content_id: keypoints[content_id].view)
    frames.look(facts[0], facts[1], verify(keypoints[0], keypoints[1]).proof)
    candidates = [Candidate(picture, frames.n_content_px(picture)) for picture in facts]
    keeper, why = choose_keeper(candidates, tuple(RULES.values()))
    return keeper.path.removeprefix("/"), why


@pytest.mark.parametrize("color", ["white", "black", (40, 90, 200)])
@pytest.mark.parametrize("border", [(60, 60, 60, 60), (0, 80, 0, 80), (120, 0, 0, 0)])
def test_a_plain_frame_is_no_reason_to_keep_a_copy(color, border):
    original = photo(480, 360, "coffee")
    name, why = _keep(framed=ImageOps.expand(original, border, color), original=original)
    assert name == "original"
    assert why.startswith("most-pixels: 480 x 360 pixels, against")
    assert "show nothing" in why


def test_a_frame_counts_for_nothing_but_what_is_in_it_does():
    original = photo(480, 360, "coffee")
    name, why = _keep(original=original, framed=ImageOps.expand(original.resize((960, 720)), 100, "white"))
    assert name == "framed"
    assert "1160 x 920 pixels of which 35 % show nothing" in why


@pytest.mark.parametrize("box", [(80, 60, 400, 300), (0, 0, 480, 250), (200, 0, 480, 360)])
@pytest.mark.parametrize("name", ["coffee", "rocket", "chelsea", "astronaut"])
def test_what_a_crop_leaves_away_is_no_frame(name, box):
    original = photo(480, 360, name)
    kept, why = _keep(crop=original.crop(box), whole=original)
    assert kept == "whole"
    assert "show nothing" not in why


@pytest.mark.parametrize("only", ["all", "hashes"])
@pytest.mark.parametrize("act", ["quarantine", "symlink"])
def test_what_was_put_away_is_not_found_until_it_is_back(place, settings, tmp_path, only, act):
    own = tmp_path / "own"
    shutil.copytree(place, own)
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(own, only=only)
        before = {match.picture.path for match in opened.search(own / "a" / "0.png", k=99)}
        features = opened.info().recipes
        found = opened.duplicates(relation="same_file" if act == "symlink" else "copy")
        plan = opened.write_plan(found, tmp_path / "plan.json", act=act, quarantine=tmp_path / "aside")
        report = opened.apply(plan)
        assert report.done
        during = {match.picture.path for match in opened.search(own / "a" / "0.png", k=99)}
        assert before - during == set(report.done)
        back = opened.undo()
        assert (set(back.restored), back.remarks) == (set(report.done), [])
        assert {match.picture.path for match in opened.search(own / "a" / "0.png", k=99)} == before
        again = opened.info().recipes
        assert {text: again[text] for text in again if "keypoints" not in text} == {
            text: features[text] for text in features if "keypoints" not in text
        }


def test_what_was_done_is_told_though_the_gallery_cannot_be_written_after_it(settings, tmp_path, monkeypatch):
    folder = tmp_path / "own"
    folder.mkdir()
    for name in ("a.png", "a copy.png"):
        textured(1).save(folder / name)

    def refuse(_files, _paths):
        raise StoreError("the disk is full.")

    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder, only="hashes")
        report = opened.duplicates(relation="same_file")
        plan = opened.write_plan(report, tmp_path / "p.json", act="quarantine", quarantine=tmp_path / "q")
        monkeypatch.setattr(Files, "remove", refuse)
        done = opened.apply(plan)
        assert (done.run, len(done.done)) == (1, 1)
        assert "disk is full" in done.remarks[0].reason
        assert opened.undo().restored == done.done


def test_a_quarantine_inside_an_indexed_folder_is_not_indexed(place, settings, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(place, own)
    with Gallery.open(own / "gallery", create=True, settings=settings) as opened:
        opened.add(own, only="hashes")
        found = opened.duplicates(relation="same_file")
        plan = opened.write_plan(
            found, tmp_path / "plan.json", act="quarantine", quarantine=own / "b" / "aside"
        )
        (gone,) = opened.apply(plan).done
        assert len(list((own / "b" / "aside").rglob("*.png"))) == 1
        report = opened.add(own, only="hashes")
        assert (report.added, report.failed) == (0, [])
        opened.undo()
        assert opened.holds(gone)


def test_a_file_that_comes_back_but_cannot_be_added_is_told(place, settings, tmp_path, monkeypatch):
    own = tmp_path / "own"
    shutil.copytree(place, own)
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(own, only="hashes")
        plan = opened.write_plan(
            opened.duplicates(), tmp_path / "plan.json", act="quarantine", quarantine=tmp_path / "aside"
        )
        done = opened.apply(plan).done

        def fail(*_args, **_options):
            raise ModelError("the model is not there.")

        monkeypatch.setattr(Changing, "add", fail)
        back = opened.undo()
    assert sorted(back.restored) == sorted(done)
    assert {remark.path for remark in back.remarks} == set(done)
    assert all("the model is not there" in remark.reason for remark in back.remarks)
    assert sum(1 for path in own.rglob("*") if path.is_file()) == sum(
        1 for path in place.rglob("*") if path.is_file()
    )


def _save_all(folder, **pictures):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (picture, ending) in pictures.items():
        picture.save(folder / f"{name}.{ending}", **({"quality": 90} if ending == "jpg" else {}))


def test_two_that_a_person_called_different_are_in_no_group(settings, tmp_path):
    """The third picture, of equal pixels, must not bring them together again."""
    original = photo(320, 240, "coffee")
    smaller = original.resize((240, 180))
    _save_all(tmp_path / "in", a=(original, "png"), b=(smaller, "jpg"), c=(original, "bmp"))
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(tmp_path / "in", only="hashes")
        (together,) = opened.duplicates().groups
        assert len(together.members) == 2
        for one in ("a.png", "c.bmp"):
            opened.mark(tmp_path / "in" / one, tmp_path / "in" / "b.jpg", False)
            (apart,) = opened.duplicates().groups
            names = {apart.keeper.path, *(member.picture.path for member in apart.members)}
            assert names == {str(tmp_path / "in" / "a.png"), str(tmp_path / "in" / "c.bmp")}
            opened.mark(tmp_path / "in" / one, tmp_path / "in" / "b.jpg", None)


def test_a_file_is_told_the_closest_of_several_protected_ones(settings, tmp_path):
    original = photo(320, 240, "coffee")
    _save_all(tmp_path / "arch", a=(original.resize((480, 360)), "png"), original=(original, "png"))
    (tmp_path / "new").mkdir()
    shutil.copy(tmp_path / "arch" / "original.png", tmp_path / "new" / "again.png")
    _save_all(tmp_path / "new", pixels=(original, "bmp"))
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add([tmp_path / "arch", tmp_path / "new"], only="hashes")
        (group,) = opened.duplicates(against=tmp_path / "arch").groups
    assert group.keeper.path == str(tmp_path / "arch" / "original.png")
    assert [(member.relation, member.note) for member in group.members] == [
        ("same_file", ""),
        ("same_pixels", ""),
    ]
