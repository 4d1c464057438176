"""Edited copies: every edit by what it does to pixels, chance by seed, and folders of copies."""

from __future__ import annotations

import csv
import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lookalike import edits as edits_module
from lookalike.edits import Edit, apply_edit, graded_edits, perception_edits, standard_edits
from lookalike.errors import InputError
from lookalike.evaluation.datasets.copies import write_edits
from lookalike.records.progress import Progress
from pictures import mean_difference, noise, photo

NEIGHBOURS = [photo(90, 70, name) for name in ("coffee", "rocket", "chelsea")]
BY_LABEL = {edit.label: edit for edit in graded_edits()}


def edited(label, image, seed=0, key="a", neighbours=()):
    return apply_edit(image, BY_LABEL[label], seed=seed, key=key, neighbours=neighbours)


def positions(width_px, height_px):
    """Return a picture whose red and green levels say where a pixel lies."""
    levels = np.zeros((height_px, width_px, 3), np.uint8)
    levels[..., 0], levels[..., 1] = np.arange(width_px), np.arange(height_px)[:, None]
    return Image.fromarray(levels)


def test_the_standard_edits_keep_their_names():
    assert [edit.label for edit in standard_edits()] == [
        "jpeg 20", "1/4 size", "crop 90 %", "crop 50 %", "crop 25 %", "pad .2", "4 deg", "25 deg", "90 deg",
        "mirror", "flip", "grey", "gamma 2", "blur 3", "noise 40", "banner + text", "1 of 4 in a collage",
        "screenshot", "photo of a print", "colour filter",
    ]  # fmt: skip


def test_perceptions_table_has_its_ten_columns():
    assert [edit.label for edit in perception_edits()] == [
        "blur2", "crop0.05", "gamma2", "jpeg95", "noise0.2", "pad0.2", "resize0.5", "rotate4", "vignette",
        "watermark",
    ]  # fmt: skip


@pytest.mark.parametrize("collection", [standard_edits, graded_edits, perception_edits])
def test_labels_are_unique(collection):
    labels = [edit.label for edit in collection()]
    assert len(set(labels)) == len(labels)


def test_every_kind_that_was_promised_is_there():
    kinds = {edit.name for edit in graded_edits()}
    assert kinds >= {
        "jpeg", "scale", "crop", "pad", "turn", "mirror", "flip", "perspective", "grey", "gamma", "contrast",
        "brightness", "saturation", "hue", "blur", "sharpen", "noise", "vignette", "banner", "text", "logo",
        "watermark", "screenshot", "photo of a print", "collage", "colour filter", "crop + text + jpeg",
    }  # fmt: skip


@pytest.mark.parametrize(
    "edit", [*graded_edits(), *standard_edits(), *perception_edits()], ids=lambda e: e.label
)
def test_an_edit_changes_the_copy_and_never_the_picture(edit):
    image = photo(96, 64).copy()
    before = image.tobytes()
    copy = apply_edit(image, edit, seed=0, key="a", neighbours=NEIGHBOURS)
    assert copy.mode == "RGB"
    assert (copy.size, copy.tobytes()) != (image.size, before)
    assert image.tobytes() == before


@settings(max_examples=15)
@given(st.integers(1, 40), st.integers(1, 40))
def test_every_edit_takes_pictures_of_any_size(width_px, height_px):
    image = noise(width_px, height_px)
    for edit in (*graded_edits(), *standard_edits(), *perception_edits()):
        copy = apply_edit(image, edit, seed=0, key="a")
        assert copy.mode == "RGB"
        assert min(copy.size) >= 1, edit.label


def test_the_same_picture_gets_the_same_copy_in_whatever_order():
    image = photo()
    forwards = [
        apply_edit(image, edit, seed=3, key="a", neighbours=NEIGHBOURS).tobytes() for edit in graded_edits()
    ]
    backwards = [
        apply_edit(image, edit, seed=3, key="a", neighbours=NEIGHBOURS).tobytes()
        for edit in reversed(graded_edits())
    ]
    assert forwards == backwards[::-1]


@pytest.mark.parametrize("label", ["noise 40", "crop 25 %", "text small", "photo of a print medium"])
def test_seed_and_key_decide_about_chance(label):
    image = photo()
    copies = {edited(label, image, seed, key).tobytes() for seed in (0, 1) for key in ("a", "b")}
    assert len(copies) == 4


def test_chance_is_the_same_on_every_machine():
    # The digest of seed, key and label seeds NumPy's PCG64, whose integers are promised to stay.
    corners = {key: edited("crop 50 %", positions(200, 200), 7, key).getpixel((0, 0)) for key in "abc"}
    assert corners == {"a": (29, 25, 0), "b": (2, 4, 0), "c": (46, 33, 0)}


def test_an_edit_can_be_sent_to_another_process():
    image = photo(48, 32)
    for edit in graded_edits():
        twin = pickle.loads(pickle.dumps(edit))
        one, other = (
            apply_edit(image, each, seed=0, key="a", neighbours=NEIGHBOURS) for each in (edit, twin)
        )
        assert one.tobytes() == other.tobytes(), edit.label


def test_another_process_makes_the_same_copy():
    context = multiprocessing.get_context("spawn")
    image = photo(48, 32)
    chosen = [BY_LABEL[label] for label in ("noise 40", "text large", "crop + text + jpeg strong")]
    with context.Pool(1) as pool:
        theirs = pool.starmap(_edit_elsewhere, [(image, edit) for edit in chosen])
    assert theirs == [_edit_elsewhere(image, edit) for edit in chosen]


def _edit_elsewhere(image, edit):
    return apply_edit(image, edit, seed=5, key="a").tobytes()


def test_pictures_that_are_not_rgb_are_refused():
    with pytest.raises(InputError, match="RGBA"):
        edited("grey", photo().convert("RGBA"))


def test_an_edit_without_grade_is_labelled_by_its_name():
    assert Edit("mirror", "", lambda image, rng, neighbours: image).label == "mirror"
    assert Edit("jpeg", "20", lambda image, rng, neighbours: image).label == "jpeg 20"


@pytest.mark.parametrize(
    ("label", "size"), [("scale .5", (50, 40)), ("scale 2", (200, 160)), ("squeeze .7", (70, 80))]
)
def test_scaling_changes_the_sides_by_the_factor(label, size):
    assert edited(label, photo(100, 80)).size == size


@pytest.mark.parametrize("percent", [95, 90, 75, 50, 25])
def test_a_crop_keeps_its_share_of_the_area(percent):
    crop = edited(f"crop {percent} %", positions(200, 100))
    assert crop.width * crop.height == pytest.approx(20_000 * percent / 100, rel=0.02)
    left, top, _ = crop.getpixel((0, 0))
    assert crop.getpixel((crop.width - 1, crop.height - 1)) == (
        left + crop.width - 1,
        top + crop.height - 1,
        0,
    )


def test_uneven_crops_keep_one_side():
    assert edited("crop wide 50 %", photo(100, 80)).size == (100, 40)
    assert edited("crop tall 50 %", photo(100, 80)).size == (50, 80)


def test_five_percent_a_side_leave_the_middle():
    crop = edited("crop 5 % a side", positions(200, 100))
    assert (crop.size, crop.getpixel((0, 0))) == ((180, 90), (10, 5, 0))


def test_padding_keeps_the_picture_whole():
    image = photo(100, 80)
    padded = edited("pad .2", image)
    assert padded.size == (140, 120)
    assert padded.crop((20, 20, 120, 100)).tobytes() == image.tobytes()
    bars = edited("pad bars .2", image)
    assert bars.size == (100, 112)
    assert bars.crop((0, 16, 100, 96)).tobytes() == image.tobytes()
    assert bars.getpixel((50, 5)) == (0, 0, 0)


def test_turns_by_quarters_lose_nothing():
    image = photo(100, 80)
    assert edited("turn 90", edited("turn 270", image)).tobytes() == image.tobytes()
    assert edited("turn 180", image).tobytes() == edited("mirror", edited("flip", image)).tobytes()
    assert edited("turn 90", image).getpixel((0, 99)) == image.getpixel((0, 0))  # to the left


def test_a_turn_cuts_corners_and_straightening_leaves_none():
    white = Image.new("RGB", (200, 120), "white")
    assert edited("turn 10", white).getpixel((0, 0)) == (0, 0, 0)
    straight = edited("straighten 5", white)
    assert straight.width / straight.height == pytest.approx(200 / 120, rel=0.03)
    assert min(straight.getpixel(corner)[0] for corner in ((0, 0), (straight.width - 1, 0))) > 250
    assert straight.width > 150


def test_a_stronger_perspective_shows_less_of_the_picture():
    white = Image.new("RGB", (200, 120), "white")
    shares = [
        np.asarray(edited(f"perspective {grade}", white)).mean() for grade in ("mild", "medium", "strong")
    ]
    assert 255 > shares[0] > shares[1] > shares[2] > 80


GRADES = [
    ("jpeg", ["95", "80", "50", "20", "10", "5"]),
    ("blur", ["1", "2", "3", "5"]),
    ("sharpen", ["100 %", "300 %"]),
    ("noise", ["10", "25", "40"]),
    ("gamma", ["1.5", "2"]),
    ("gamma", [".7", ".5"]),
    ("contrast", [".7", ".4"]),
    ("contrast", ["1.5", "2.5"]),
    ("brightness", [".7", ".4"]),
    ("brightness", ["1.3", "1.8"]),
    ("saturation", ["1.5", "3"]),
    ("hue", ["15", "60", "180"]),
    ("vignette", ["mild", "strong"]),
    ("watermark", ["faint", "strong"]),
    ("banner", [".1", ".25"]),
    ("logo", [".15", ".35"]),
    ("text", ["small", "large"]),
]


@pytest.mark.parametrize(("name", "grades"), GRADES)
def test_a_stronger_grade_changes_more(name, grades):
    image = photo(160, 120)
    changes = [mean_difference(edited(f"{name} {grade}", image), image) for grade in grades]
    assert changes[0] > 0
    assert changes == sorted(changes)


def test_grey_has_equal_channels_and_hue_turns_red_to_yellow():
    red, green, blue = edited("grey", photo()).split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()
    turned = edited("hue 60", Image.new("RGB", (4, 4), (255, 0, 0))).getpixel((0, 0))
    assert np.abs(np.subtract(turned, (255, 255, 0))).max() <= 6


def test_noise_has_the_spread_that_it_says():
    image = Image.new("RGB", (200, 200), (128, 128, 128))
    assert np.asarray(edited("noise 25", image), np.float64).std() == pytest.approx(25, rel=0.03)
    same_in_all = np.asarray(edited("noise .2", image))
    assert (same_in_all[..., 0] == same_in_all[..., 2]).all()


def test_gamma_two_squares_the_levels():
    image = Image.new("RGB", (2, 2), (128, 64, 255))
    assert edited("gamma 2", image).getpixel((0, 0)) == (64, 16, 255)


@pytest.mark.parametrize(
    ("label", "cells"), [("collage 2", (2, 1)), ("collage 4", (2, 2)), ("collage 9", (3, 3))]
)
def test_a_collage_shows_the_picture_in_one_cell_of_its_shape(label, cells):
    image = photo(120, 90)
    sheet = edited(label, image, neighbours=[photo(60, 60, "coffee")] * 8)
    width, height = sheet.width // cells[0], sheet.height // cells[1]
    assert width / height == pytest.approx(120 / 90, rel=0.05)
    shown = image.resize((width, height))
    found = [
        mean_difference(sheet.crop((x, y, x + width, y + height)), shown) == 0
        for x in range(0, width * cells[0], width)
        for y in range(0, height * cells[1], height)
    ]
    assert sum(found) == 1


def test_a_collage_without_neighbours_fills_its_cells_with_shades():
    sheet = edited("collage 4", photo(120, 90))
    assert sheet.size == (120, 90)
    assert (np.asarray(sheet) == 255).all(axis=2).mean() < 0.2  # none left white


def test_a_photo_of_a_print_shows_the_table_around_it():
    copy = edited("photo of a print medium", Image.new("RGB", (200, 150), "white"))
    red, _, blue = np.asarray(copy, np.float64)[75, 1]
    assert red > blue + 15  # brown
    assert np.asarray(copy)[75, 100].min() > 200


def test_screenshots_show_the_picture_within_a_page():
    image = photo(120, 90)
    phone = edited("screenshot phone", image)
    assert phone.height >= 2 * phone.width
    top = int(max(1.0, 120 / 24) * 5.5)
    assert phone.crop((0, top, 120, top + 90)).tobytes() == image.tobytes()


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "library"
    folder.mkdir()
    for name in ("astronaut", "coffee", "rocket"):
        photo(64, 48, name).save(folder / f"{name}.png")
    return folder


SOME = [BY_LABEL[label] for label in ("mirror", "crop 50 %", "jpeg 20")]


def read_rows(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_of_copies_says_what_each_was_made_from(sources, tmp_path):
    out = tmp_path / "out"
    written = write_edits(
        [sources / "astronaut.png", sources / "coffee.png"],
        out,
        edits=SOME,
        distractors=[sources / "rocket.png"],
    )
    rows = read_rows(written.ground_truth)
    copies = [row for row in rows if row["query"]]
    assert (written.n_copies, written.n_kept, written.failed) == (6, 0, ())
    assert sorted((row["edit"], row["positive"]) for row in copies) == sorted(
        (edit.label, f"../library/{name}.png") for edit in SOME for name in ("astronaut", "coffee")
    )
    assert {row["positive"] for row in rows if not row["query"]} == {
        f"../library/{name}.png" for name in ("astronaut", "coffee", "rocket")
    }
    mirrored = next(row for row in copies if row["edit"] == "mirror" and "coffee" in row["positive"])
    with Image.open(out / mirrored["query"]) as copy, Image.open(sources / "coffee.png") as source:
        assert copy.tobytes() == edited("mirror", source).tobytes()  # PNG, without loss


def test_copies_are_the_same_wherever_the_sources_lie(sources, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "astronaut.png").write_bytes((sources / "astronaut.png").read_bytes())
    for folder, out in ((sources, "one"), (elsewhere, "other")):
        write_edits([folder / "astronaut.png"], tmp_path / out, edits=SOME)
    one, other = (
        {path.name: path.read_bytes() for path in (tmp_path / out).rglob("*.png")} for out in ("one", "other")
    )
    assert one == other
    assert len(one) == 3


def test_a_second_run_keeps_what_is_there_and_another_seed_does_not(sources, tmp_path):
    files = [sources / "astronaut.png"]
    first = write_edits(files, tmp_path / "out", edits=SOME[:1])
    place = tmp_path / "out" / read_rows(first.ground_truth)[-1]["query"]
    stamp = place.stat().st_mtime_ns
    again = write_edits(files, tmp_path / "out", edits=SOME)
    assert (again.n_copies, again.n_kept) == (3, 1)
    assert place.stat().st_mtime_ns == stamp
    assert write_edits(files, tmp_path / "out", edits=SOME, seed=1).n_kept == 0
    assert write_edits(files, tmp_path / "out", edits=SOME, jpeg_quality=90).n_kept == 0


def test_copies_may_be_jpeg_of_a_quality_and_no_larger_than_asked(sources, tmp_path):
    write_edits([sources / "coffee.png"], tmp_path / "out", edits=SOME[:1], jpeg_quality=80, max_side_px=32)
    (path,) = (tmp_path / "out").rglob("*.jpg")
    with Image.open(path) as copy:
        assert (copy.format, copy.size) == ("JPEG", (32, 24))


def test_a_file_of_the_same_bytes_is_as_right_as_the_source(sources, tmp_path):
    (sources / "twin.png").write_bytes((sources / "coffee.png").read_bytes())
    written = write_edits(
        [sources / "coffee.png"], tmp_path / "out", edits=SOME[:1], distractors=[sources / "twin.png"]
    )
    rows = [row for row in read_rows(written.ground_truth) if row["query"]]
    assert written.n_copies == 1
    assert {row["positive"] for row in rows} == {"../library/coffee.png", "../library/twin.png"}


def test_a_bad_picture_costs_its_own_copies_alone(sources, tmp_path):
    (sources / "bad.png").write_bytes(b"no picture")
    files = [sources / "bad.png", sources / "gone.png", sources / "coffee.png"]
    seen = []
    written = write_edits(files, tmp_path / "out", edits=SOME, on_progress=seen.append)
    assert written.n_copies == 3
    assert {Path(path).name for path, _ in written.failed} == {"bad.png", "gone.png"}
    assert all(reason for _, reason in written.failed)
    named = {row["positive"] for row in read_rows(written.ground_truth)}
    assert named == {"../library/coffee.png"}
    assert seen == [Progress("edit", 1, 2), Progress("edit", 2, 2)]


def test_ground_truth_holds_through_a_link_to_the_folder(sources, tmp_path):
    real = tmp_path / "deep" / "er" / "out"
    real.mkdir(parents=True)
    (tmp_path / "link").symlink_to(real, target_is_directory=True)
    written = write_edits([sources / "coffee.png"], tmp_path / "link", edits=SOME[:1])
    row = read_rows(written.ground_truth)[-1]
    assert (real / row["positive"]).resolve() == (sources / "coffee.png").resolve()


def test_neighbours_fill_collages_and_belong_to_the_copys_name(sources, tmp_path):
    files, collage = [sources / "coffee.png"], [BY_LABEL["collage 2"]]
    write_edits(files, tmp_path / "out", edits=collage)
    written = write_edits(files, tmp_path / "out", edits=collage, neighbours=[sources / "rocket.png"])
    assert written.n_kept == 0
    with Image.open(tmp_path / "out" / read_rows(written.ground_truth)[-1]["query"]) as sheet:
        halves = [sheet.crop((x, 0, x + 32, 24)) for x in (0, 32)]
    rocket = photo(64, 48, "rocket").resize((32, 24))
    assert min(mean_difference(half, rocket) for half in halves) < 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edits": []}, "no edit"),
        ({"jpeg_quality": 96}, "jpeg_quality"),
        ({"jpeg_quality": 0}, "jpeg_quality"),
        ({"max_side_px": 3}, "max_side_px"),
    ],
)
def test_options_that_make_no_sense_are_refused(sources, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        write_edits([sources / "coffee.png"], tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_no_sources_are_refused(tmp_path):
    with pytest.raises(InputError, match="no picture"):
        write_edits([], tmp_path / "out")


def test_the_package_names_what_it_offers():
    assert all(hasattr(edits_module, name) for name in edits_module.__all__)
