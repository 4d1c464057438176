"""What files hold beyond the opaque 8-bit sRGB picture that comparing sees, and that it is never lost."""

import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from lookalike import Gallery
from lookalike.errors import DecodeError
from lookalike.media.beyond import find_beyond, have_equal_pixels, opacity_of
from lookalike.records.beyond import Beyond
from pictures import encode, exif, photo

FILM = struct.pack(">I", 24) + b"ftypmp42\0\0\0\0isommp42" + struct.pack(">I", 8008) + b"mdat" + bytes(8000)
GAIN_MAP = b"http://ns.adobe.com/xap/1.0/\0<x xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' hdrgm:Version='1.0'/>"


def cut_out(image=None, hole=(20, 10, 70, 50)):
    image = (image or photo()).copy()
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).ellipse(hole, fill=255)
    image.putalpha(mask)
    return image


def deep_png(low_bits):
    """Return a 16-bit PNG of the photo, whose low bytes are these."""
    levels = (np.asarray(photo()).astype(np.uint16) << 8) | low_bits.astype(np.uint16)
    return cv2.imencode(".png", levels[..., ::-1])[1].tobytes()


def low_bits(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*photo().size[::-1], 3))


def mpo(*images):
    return encode(images[0], "MPO", save_all=True, append_images=list(images[1:]))


def with_gain_map(jpeg):
    segment = b"\xff\xe1" + struct.pack(">H", len(GAIN_MAP) + 2) + GAIN_MAP
    return jpeg[:2] + segment + jpeg[2:] + encode(photo(32, 32), "JPEG")


@pytest.mark.parametrize(
    ("data", "held"),
    [
        (encode(photo()), Beyond()),
        (encode(photo(), "JPEG"), Beyond()),
        (encode(photo(), "JPEG", progressive=True) + bytes(9000), Beyond()),
        (encode(photo().convert("RGBA")), Beyond()),
        (encode(cut_out()), Beyond(has_transparency=True)),
        (encode(cut_out(), "WEBP", lossless=True), Beyond(has_transparency=True)),
        (deep_png(low_bits()), Beyond(depth_bits=16)),
        (deep_png(np.zeros(1)), Beyond()),
        (encode(photo(), "GIF", save_all=True, append_images=[photo(name="coffee")]), Beyond(n_pictures=2)),
        (mpo(photo(), photo(name="coffee")), Beyond(n_pictures=2)),
        (encode(photo(), "JPEG", progressive=True) + FILM, Beyond(has_film=True)),
        (with_gain_map(encode(photo(), "JPEG")), Beyond(has_gain_map=True)),
        (encode(photo(), "JPEG") + b"secret " * 999, Beyond(has_more=True)),
    ],
)
def test_what_is_beyond_is_found_and_nothing_else(data, held):
    assert find_beyond(data) == held


def test_a_profile_with_colours_beyond_srgb_is_found():
    pytest.importorskip("PIL.ImageCms")
    assert not find_beyond(encode(photo(), "PNG", icc_profile=b"no profile at all")).has_wide_colors


def test_damaged_bytes_are_a_clear_error():
    with pytest.raises(DecodeError):
        find_beyond(encode(cut_out())[:300])


def test_words_say_what_the_other_one_lacks():
    rich = Beyond(has_transparency=True, depth_bits=16, n_pictures=3)
    assert rich.words == ("transparency", "16 bits a channel", "2 further pictures")
    assert rich.beside(Beyond(has_transparency=True, n_pictures=5)) == ("16 bits a channel",)
    assert Beyond().beside(rich) == ()
    assert Beyond.from_bytes(rich.to_bytes()) == rich


@pytest.mark.parametrize(
    ("one", "other", "are_equal"),
    [
        (encode(photo()), encode(photo(), "BMP"), True),
        (encode(photo()), encode(photo().convert("RGBA")), True),
        (encode(photo()), encode(photo(), "PNG", exif=exif(3)), False),
        (encode(photo()), encode(photo().rotate(180), "PNG", exif=exif(3)), True),
        (deep_png(low_bits()), deep_png(low_bits()), True),
        (deep_png(low_bits()), deep_png(low_bits(1)), False),
        (deep_png(low_bits()), encode(photo()), False),
        (deep_png(np.zeros(1)), encode(photo()), True),
        (encode(Image.new("RGBA", (9, 9), (255, 255, 255, 0))), encode(Image.new("RGB", (9, 9), "white")), False),
        (encode(cut_out()), encode(cut_out(), "WEBP", lossless=True, exact=True), True),
        (encode(cut_out(hole=(0, 0, 9, 9))), encode(cut_out(hole=(0, 0, 9, 8))), False),
    ],
)  # fmt: skip
def test_pixels_are_equal_only_if_all_that_the_files_hold_of_them_is(one, other, are_equal):
    assert have_equal_pixels(one, other) is are_equal
    assert have_equal_pixels(other, one) is are_equal


def test_opacity_is_upright():
    alpha = opacity_of(encode(cut_out(hole=(0, 0, 9, 9)), "PNG", exif=exif(3)))
    assert alpha[-5, -5] == 255
    assert alpha[5, 5] == 0
    assert opacity_of(encode(photo())) is None


def test_what_holds_more_than_its_keeper_stays_and_says_what(tmp_path, settings):
    folder = tmp_path / "pictures"
    folder.mkdir()
    still = encode(photo(400, 300), "JPEG", quality=95)
    (folder / "a.jpg").write_bytes(still)
    (folder / "motion.jpg").write_bytes(still + FILM)
    (folder / "hdr.jpg").write_bytes(with_gain_map(still))
    star = Image.new("RGBA", (96, 96), (0, 0, 0, 0))
    ring = star.copy()
    ImageDraw.Draw(star).polygon([(48, 4), (90, 90), (4, 36)], fill="white")
    ImageDraw.Draw(ring).ellipse((9, 9, 80, 80), outline="white", width=9)
    star.save(folder / "star.png")
    ring.save(folder / "ring.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(folder)
        groups = gallery.duplicates().groups
    going = [one.picture.path for group in groups for one in group.members if not one.note]
    kept = {group.keeper.path.rsplit("/", 1)[1] for group in groups}
    assert not [path for path in going if path.endswith(("motion.jpg", "hdr.jpg"))]
    assert kept
    marks = {one.relation for group in groups for one in group.members if one.picture.path.endswith("g.png")}
    assert "same_pixels" not in marks


def test_a_cut_out_and_its_jpeg_over_black_are_one_picture(tmp_path, settings):
    folder = tmp_path / "pictures"
    folder.mkdir()
    image = photo(600, 400, "coffee").copy()
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).ellipse((200, 100, 380, 280), fill=255)
    black = Image.new("RGB", image.size, "black")
    black.paste(image, mask=mask)
    image.putalpha(mask)
    image.save(folder / "cut-out.png")
    black.save(folder / "converted.jpg", quality=90)
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(folder)
        (group,) = gallery.duplicates().groups
        comparison = gallery.compare(folder / "cut-out.png", folder / "converted.jpg")
    (member,) = group.members
    assert member.relation == "copy"
    assert member.picture.path.endswith(".jpg") or "transparency" in member.note
    assert comparison.relation == "copy"


@pytest.mark.parametrize("ground", ["black", (70, 130, 180)])
def test_a_glyph_on_nothing_is_found_on_any_ground(tmp_path, settings, ground):
    folder = tmp_path / "glyphs"
    folder.mkdir()
    glyph = Image.new("RGBA", (96, 96))
    pen = ImageDraw.Draw(glyph)
    pen.ellipse((8, 8, 88, 88), fill=(240, 190, 60, 255))
    pen.ellipse((28, 32, 40, 46), fill=(60, 40, 30, 255))
    pen.ellipse((56, 32, 68, 46), fill=(60, 40, 30, 255))
    pen.arc((28, 40, 68, 74), 20, 160, fill=(60, 40, 30, 255), width=5)
    glyph.save(folder / "glyph.png")
    laid = Image.new("RGB", glyph.size, ground)
    laid.paste(glyph, mask=glyph.getchannel("A"))
    laid.save(folder / "laid.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(folder)
        (group,) = gallery.duplicates().groups
        assert gallery.compare(folder / "glyph.png", folder / "laid.png").relation == "copy"
    assert [one.relation for one in group.members] == ["copy"]
