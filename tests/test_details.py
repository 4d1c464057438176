"""Details: what is shown in one place only, and pictures behind the first, keep a file from going."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from lookalike import Gallery
from lookalike.errors import DecodeError, LimitError
from lookalike.media.decode import count_frames
from lookalike.media.sight import Sight
from lookalike.proving.closer import look_closer
from lookalike.settings import Settings
from pictures import encode, photo

ITEMS = ("Apples, red, 10 kg", "Pears, 8 kg", "Milk, 24 litres", "Rye bread, 30 loaves", "Cheese, 4 kg")


def _invoice(bread="66.00", width_px=700):
    """Draw an invoice in which one amount can be another."""
    image = Image.new("RGB", (width_px, width_px * 5 // 4), "white")
    pen, unit = ImageDraw.Draw(image), width_px / 700
    pen.text((50 * unit, 50 * unit), "Invoice 2024-017", "navy", ImageFont.load_default(34 * unit))
    for row, item in enumerate(ITEMS):
        amount = bread if item.startswith("Rye") else f"{14 + 9 * row}.00"
        for x, text in ((50, item), (560, amount)):
            pen.text((x * unit, (180 + 60 * row) * unit), text, "black", ImageFont.load_default(22 * unit))
    return image


def _price_tag(price, width_px=600):
    image = photo(600, 450, "coffee").copy()
    pen = ImageDraw.Draw(image)
    pen.rectangle((40, 340, 230, 400), fill="white", outline="black")
    pen.text((50, 352), price, "black", ImageFont.load_default(28))
    return image.resize((width_px, width_px * 3 // 4))


def _jpeg(image, quality):
    return Image.open(io.BytesIO(encode(image, "JPEG", quality=quality))).convert("RGB")


def _look(keeper, member):
    """Look at two pictures of one frame, whatever their sizes."""
    x, y = member.width / keeper.width, member.height / keeper.height
    matrix = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    return look_closer(Sight(np.asarray(keeper)), Sight(np.asarray(member)), matrix)


@pytest.mark.parametrize("member", [_invoice("67.00"), _jpeg(_invoice("71.00"), 60)])
def test_one_other_amount_on_an_invoice_makes_a_variant_and_is_outlined(member):
    found = _look(_invoice(), member)
    assert found.relation == "variant"
    assert len(found.regions_first) == 1
    x, y = np.array(found.regions_second[0]).mean(axis=0) / member.size
    assert 0.75 < x < 0.95
    assert 0.38 < y < 0.48


@pytest.mark.parametrize("price", ["EUR 2.49", "SOLD OUT"])
@pytest.mark.parametrize("width_px", [600, 400])
def test_another_price_on_the_same_photo_is_found(price, width_px):
    assert _look(_price_tag("EUR 1.99"), _jpeg(_price_tag(price, width_px), 85)).regions_first


@pytest.mark.parametrize(
    "edit",
    [
        lambda image: _jpeg(image, 20),
        lambda image: image.resize((image.width // 2, image.height // 2)),
        lambda image: image.convert("L").convert("RGB"),
        lambda image: image.point([round(255 * (v / 255) ** 1.5) for v in range(256)] * 3),
        lambda image: image.filter(ImageFilter.GaussianBlur(2)),
        lambda image: image.filter(ImageFilter.UnsharpMask(2, 100)),
    ],
)
def test_an_edit_of_the_whole_photo_is_no_detail(edit):
    image = photo(600, 450, "coffee")
    assert _look(image, edit(image)).relation == "copy"
    assert not _look(image, edit(image)).regions_first


@pytest.mark.parametrize(
    "edit",
    [
        lambda image: _jpeg(image, 40),
        lambda image: image.resize((image.width * 7 // 10, image.height * 7 // 10)),
        lambda image: image.convert("L").convert("RGB"),
        lambda image: image.point([min(255, round(0.9 * v + 8)) for v in range(256)] * 3),
        lambda image: image.filter(ImageFilter.GaussianBlur(1)),
    ],
)
def test_another_scan_of_a_document_is_a_copy(edit):
    found = _look(_invoice(), edit(_invoice()))
    assert (found.relation, found.regions_first) == ("copy", ())


def test_noise_is_no_detail_but_a_stamp_under_noise_is():
    rng = np.random.default_rng(5)
    image = photo(600, 450, "coffee")
    stamped = image.copy()
    ImageDraw.Draw(stamped).text((380, 40), "COPY", "red", ImageFont.load_default(60))
    noisy, noisy_stamped = (
        Image.fromarray(np.clip(np.asarray(one) + rng.normal(0, 15, (450, 600, 3)), 0, 255).astype(np.uint8))
        for one in (image, stamped)
    )
    assert not _look(image, noisy).regions_first
    assert _look(image, noisy_stamped).regions_first
    assert _look(image, noisy_stamped).relation == "copy"


def test_what_hardly_overlaps_proves_nothing():
    image = np.asarray(photo(200, 150))
    moved = look_closer(Sight(image), Sight(image), np.array([[1.0, 0, 195], [0, 1, 0], [0, 0, 1]]))
    assert moved.relation == "similar"


def _frames(n_frames, size=(320, 240)):
    return [photo(*size, name) for name in ("astronaut", "coffee", "chelsea", "rocket")[:n_frames]]


@pytest.mark.parametrize("format_name", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_frames_of_every_format_are_counted(format_name):
    first, *others = _frames(3, (64, 48))
    assert count_frames(encode(first, format_name)) == 1
    assert count_frames(encode(first, format_name, save_all=True, append_images=others)) == 3


def test_pictures_of_a_heif_sequence_are_counted():
    pillow_heif = pytest.importorskip("pillow_heif")
    held = pillow_heif.HeifFile()
    for frame in _frames(2, (64, 48)):
        held.add_from_pillow(frame)
    file = io.BytesIO()
    held.save(file)
    assert count_frames(file.getvalue()) == 2


def test_a_jpeg_counts_as_one_picture_and_limits_hold():
    assert count_frames(encode(photo(), "JPEG")) == 1
    gif = encode(photo(), "GIF")
    with pytest.raises(LimitError):
        count_frames(gif, settings=Settings(max_pixels=100))
    with pytest.raises(DecodeError):
        count_frames(gif[:12])


def _members(gallery, relation="copy"):
    return {
        member.picture.path.rsplit("/", 1)[1]: member
        for group in gallery.duplicates(relation=relation).groups
        for member in group.members
    }


def test_files_that_hold_or_show_more_stay_and_say_why(tmp_path, settings):
    folder = tmp_path / "pictures"
    folder.mkdir()
    first, *others = (frame.quantize(64).convert("RGB") for frame in _frames(4))
    first.save(folder / "still.bmp")
    first.save(folder / "movie.gif", save_all=True, append_images=others)
    first.save(folder / "pages.tiff", save_all=True, append_images=others[:2], compression="tiff_lzw")
    ImageOps.mirror(first).save(folder / "mirrored.jpg", quality=80)
    _invoice().save(folder / "invoice.bmp")
    _invoice("67.00").save(folder / "other.png")
    _invoice().resize((560, 700)).save(folder / "small.jpg", quality=80)
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(folder)
        stages = set()
        gallery.duplicates(on_progress=lambda now: stages.add(now.stage))
        found = _members(gallery)
        again = set()
        gallery.duplicates(on_progress=lambda now: again.add(now.stage))
        variants = _members(gallery, "variant")
    assert "details" in stages
    assert "details" not in again
    if "movie.gif" in found:  # else it is the keeper, and stays as well
        assert "4 pictures, of which only the first" in found["movie.gif"].note
        assert not found["movie.gif"].is_covered
    assert "same_pixels" not in {member.relation for member in found.values()}
    if "pages.tiff" in found:
        assert "3 pictures" in found["pages.tiff"].note
    assert {"movie.gif", "pages.tiff"} & set(found)
    assert "mirrored" in found["mirrored.jpg"].note
    assert not {"other.png", "invoice.bmp"} <= set(found)
    if "other.png" in found:
        assert not found["other.png"].is_covered
    assert "differs" not in found["small.jpg"].note
    assert {
        member.relation
        for member in variants.values()
        if member.picture.path.endswith(("other.png", "invoice.bmp"))
    } == {"variant"}
