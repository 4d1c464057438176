"""Lineage: which of two pictures was made from the other, by what their pixels and compression tell."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from lookalike.duplicates.jpeg_steps import Side, luma_of
from lookalike.duplicates.lineage import MIN_ENLARGED, compare_lineage
from lookalike.duplicates.surroundings import has_edges_around
from lookalike.media.compression import read_steps
from lookalike.records.geometry import scaling
from lookalike.settings import Settings
from pictures import encode, photo

LANCZOS, BICUBIC, BILINEAR = (
    Image.Resampling.LANCZOS,
    Image.Resampling.BICUBIC,
    Image.Resampling.BILINEAR,
)


def _side(data):
    with Image.open(io.BytesIO(data)) as opened:
        luma = luma_of(np.asarray(opened.convert("RGB")))
    return Side(luma, read_steps(data, Settings()))


def _lineage(first, second):
    sides = _side(first), _side(second)
    sizes = [(side.luma.shape[1], side.luma.shape[0]) for side in sides]
    return compare_lineage(*sides, scaling(*sizes))


def _opened(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


@pytest.fixture(params=["astronaut", "coffee"])
def original(request):
    return encode(photo(512, 400, request.param), "JPEG", quality=90)


@pytest.mark.parametrize(
    ("factor", "kernel", "form", "options"),
    [
        (1.25, LANCZOS, "JPEG", {"quality": 95}),
        (1.5, BILINEAR, "PNG", {}),
        (2.0, BICUBIC, "JPEG", {"quality": 80}),
        (2.3, LANCZOS, "PNG", {}),
    ],
)
def test_an_enlargement_adds_nothing_to_what_it_was_made_from(original, factor, kernel, form, options):
    picture = _opened(original)
    size = round(picture.width * factor), round(picture.height * factor)
    lineage = _lineage(original, encode(picture.resize(size, kernel), form, **options))
    assert lineage.second_adds < 1.2
    assert lineage.is_sharp
    assert lineage.turned().first_adds == lineage.second_adds


@pytest.mark.parametrize(("factor", "least"), [(0.85, 1.5), (0.7, 2.0), (0.5, 3.0)])
def test_what_a_picture_was_reduced_from_adds_the_more_the_smaller_it_is(original, factor, least):
    picture = _opened(original)
    size = round(picture.width * factor), round(picture.height * factor)
    lineage = _lineage(original, encode(picture.resize(size, LANCZOS), "JPEG", quality=85))
    assert lineage.first_adds > least
    assert lineage.second_adds < 1.35


def test_a_picture_that_was_reduced_and_enlarged_again_shows_less():
    original = encode(photo(512, 400, "coffee"), "JPEG", quality=90)
    picture = _opened(original)
    again = picture.resize((256, 200), LANCZOS).resize((768, 600), BICUBIC)
    lineage = _lineage(original, encode(again, "JPEG", quality=95))
    assert lineage.first_adds > 1.3 * lineage.second_adds


def test_of_a_soft_picture_nobody_can_tell_that_it_was_enlarged():
    soft = photo(1024, 800, "coffee").filter(ImageFilter.GaussianBlur(6))
    small = encode(soft.resize((512, 400), LANCZOS), "JPEG", quality=85)
    lineage = _lineage(small, encode(soft, "JPEG", quality=60))
    assert not lineage.is_sharp


@pytest.mark.parametrize(
    ("form", "options"),
    [("PNG", {}), ("JPEG", {"quality": 100, "subsampling": 0}), ("JPEG", {"quality": 97})],
)
def test_what_was_saved_from_a_jpeg_keeps_its_steps(original, form, options):
    lineage = _lineage(original, encode(_opened(original), form, **options))
    assert lineage.first_rounded < 0.04
    assert not lineage.second_rounded < 0.08


def test_what_a_jpeg_was_made_from_never_had_its_steps():
    pristine = photo(512, 400, "coffee")
    lineage = _lineage(encode(pristine, "JPEG", quality=80), encode(pristine, "PNG"))
    assert lineage.first_rounded > 0.06


def _ticket(width_px=600, height_px=300):
    """Draw a ticket on white, where a JPEG rings and what lies beyond white is cut off."""
    sheet = Image.new("RGB", (width_px, height_px), "white")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((10, 10, width_px - 11, height_px - 11), outline=(20, 60, 140), width=4)
    for line, text in enumerate(("RAILWAY 2019", "Platform 9, seat 34 B", "From 08:15", "Price 24.90")):
        pen.text((40, 30 + 60 * line), text, (25, 25, 30), font_size=20 + 14 * (line == 0))
    pen.ellipse((430, 90, 550, 210), fill=(200, 40, 50))
    return sheet


def _edited(picture, *, gain=1.0, offset=0.0, noise=0.0):
    levels = np.asarray(picture, np.float32) * gain + offset
    levels += np.random.default_rng(1).normal(0, noise, levels.shape) if noise else 0
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("quality", [40, 75, 90])
@pytest.mark.parametrize("drawn", [True, False])
def test_a_jpeg_is_told_to_be_made_of_what_gives_it_when_compressed(drawn, quality):
    pristine = _ticket() if drawn else photo(512, 400, "coffee")
    lineage = _lineage(encode(pristine, "JPEG", quality=quality), encode(pristine, "PNG"))
    assert lineage.first_unlike < 0.6
    assert np.isnan(lineage.second_unlike)
    assert lineage.turned().second_unlike == lineage.first_unlike


@pytest.mark.parametrize("quality", [40, 75, 90])
@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        lambda picture: _edited(picture, gain=0.9, offset=14),
        lambda picture: _edited(picture, noise=6),
        lambda picture: picture.filter(ImageFilter.UnsharpMask(1, 60, 0)),
        lambda picture: picture.filter(ImageFilter.GaussianBlur(0.7)),
    ],
)
def test_a_jpeg_is_not_taken_for_what_was_made_of_its_edit(drawn, quality, change):
    original = encode(_ticket() if drawn else photo(512, 400, "coffee"), "JPEG", quality=quality)
    lineage = _lineage(original, encode(change(_opened(original)), "PNG"))
    assert not lineage.first_unlike < 0.7


def test_a_drawing_on_white_that_was_saved_again_keeps_the_steps_of_its_jpeg():
    original = encode(_ticket(), "JPEG", quality=60)
    lineage = _lineage(original, encode(_opened(original), "JPEG", quality=98, subsampling=0))
    assert lineage.first_rounded < 0.02


def test_pictures_too_small_to_measure_say_nothing():
    tiny = encode(photo(12, 9), "PNG")
    lineage = _lineage(tiny, tiny)
    assert np.isnan(lineage.first_adds)
    assert np.isnan(lineage.first_rounded)
    assert MIN_ENLARGED > 1


def test_a_turned_jpeg_gives_its_steps_as_they_lie_upright():
    tags = Image.Exif()
    tags[0x0112] = 6
    upright = read_steps(encode(photo(64, 48), "JPEG", quality=70), Settings())
    turned = read_steps(encode(photo(64, 48), "JPEG", quality=70, exif=tags), Settings())
    assert np.array_equal(turned, upright.T)
    assert read_steps(encode(photo(60, 48), "JPEG", quality=70, exif=tags), Settings()) is None
    assert read_steps(encode(photo(64, 48)), Settings()) is None
    assert read_steps(b"nonsense", Settings()) is None


def _view(picture):
    scale = 256 / max(picture.size)
    return np.asarray(
        picture.convert("L").resize((round(picture.width * scale), round(picture.height * scale)))
    )


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_around_a_crop_the_scene_goes_on_and_around_what_is_laid_in_it_does_not(name):
    whole = photo(600, 480, name)
    box = (60, 50, 540, 430)
    corners = ((box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3]))
    assert not has_edges_around(_view(whole), whole.size, corners)
    page = Image.new("RGB", (800, 900), (235, 240, 120))
    page.paste(whole, (100, 200))
    inside = ((100, 200), (700, 200), (700, 680), (100, 680))
    assert has_edges_around(_view(page), page.size, inside)
    assert not has_edges_around(_view(page), page.size, inside[:3])


def test_a_placement_that_is_a_little_off_is_mended_before_pictures_are_compared():
    original = encode(photo(400, 300, "coffee"), "JPEG", quality=90)
    screen = Image.new("RGB", (880, 1200), (20, 20, 22))
    screen.paste(_opened(original).resize((880, 660), LANCZOS), (0, 270))
    placed = np.array([[1.004, 0, 1.5], [0, 0.997, 272], [0, 0, 1]]) @ scaling((400, 300), (880, 660))
    lineage = compare_lineage(_side(original), _side(encode(screen, "PNG")), placed)
    assert lineage.second_adds < 1.5
    assert lineage.own > 1.2 or np.isnan(lineage.own)
