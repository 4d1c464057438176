"""Duplicates: every relation told apart, proven against the keeper, verdicts honoured, nothing changed."""

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from conftest import textured
from lookalike import Gallery
from lookalike.duplicates.pair_workers import TaskWorker
from lookalike.errors import GalleryNotFoundError, InputError, ModelError, StoreError
from lookalike.gallery.changing import Changing
from lookalike.storage.features import Features
from lookalike.storage.files import Files
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
        for other in (own / "a" / "coffee.png", own / "b" / "framed.jpg"):
            opened.mark(other, own / "moved.jpg", None)
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
