"""A closer look: one design with other content is no copy, whatever it is; what cannot be told is not claimed."""

import io
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from drawn_documents import KINDS, draw_document
from lookalike.media.sight import Sight
from lookalike.proving.closer import look_closer
from pictures import photo


def look(first, second):
    """Look at two pictures of one frame; transparency counts."""
    x, y = second.width / first.width, second.height / first.height
    matrix = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    return look_closer(*(sight(image) for image in (first, second)), matrix)


def sight(image):
    if image.mode != "RGBA":
        return Sight(np.asarray(image))
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return Sight(np.asarray(page), np.asarray(image.getchannel("A")))


def jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def may_go(found):
    return found.relation == "copy" and not found.regions_first


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_with_one_thing_changed_may_never_go(kind):
    first, second = draw_document(kind, 11), draw_document(kind, 11, change=4)
    found = look(first, second)
    assert not may_go(found)
    assert kind == "meme" or found.relation == "variant"


@pytest.mark.parametrize("kind", ["receipt", "chart", "sheet_music", "clock", "meme"])
def test_a_document_saved_again_and_smaller_is_a_copy(kind):
    image = draw_document(kind, 12)
    small = image.resize((image.width * 4 // 5, image.height * 4 // 5), Image.Resampling.LANCZOS)
    assert may_go(look(image, jpeg(small, 50)))


def with_face(image, awake):
    """Draw a small face into a photo, with open or closed eyes."""
    drawn = image.copy()
    pen = ImageDraw.Draw(drawn)
    pen.ellipse((80, 300, 140, 360), fill=(225, 180, 150))
    for x in (96, 124):
        if awake:
            pen.ellipse((x - 5, 318, x + 5, 328), fill="white")
            pen.ellipse((x - 2, 320, x + 3, 326), fill=(20, 40, 60))
        else:
            pen.line((x - 5, 324, x + 5, 324), fill=(150, 110, 90), width=2)
    return drawn


def with_sign(image, text):
    drawn = image.copy()
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((420, 60, 520, 100), fill=(20, 90, 40))
    pen.text((470, 80), text, "white", ImageFont.load_default(26), anchor="mm")
    return drawn


def with_hand(image, minutes):
    drawn = image.copy()
    pen = ImageDraw.Draw(drawn)
    pen.ellipse((200, 40, 290, 130), fill="white", outline="black", width=4)
    angle = minutes * np.pi / 30
    pen.line((245, 85, 245 + 34 * np.sin(angle), 85 - 34 * np.cos(angle)), fill="black", width=4)
    return drawn


@pytest.mark.parametrize("name", ["coffee", "chelsea", "astronaut"])
@pytest.mark.parametrize(
    ("draw", "before", "after"),
    [(with_face, True, False), (with_sign, "EXIT", "EDIT"), (with_sign, "68", "63"), (with_hand, 10, 20)],
)
@pytest.mark.parametrize("save", [lambda image: image, partial(jpeg, quality=85)])
def test_a_photo_in_which_one_thing_changed_may_never_go(name, draw, before, after, save):
    image = photo(640, 480, name)
    assert not may_go(look(draw(image, before), save(draw(image, after))))
    assert may_go(look(draw(image, before), save(draw(image, before))))


@pytest.mark.parametrize("text", ["a", "d"])
def test_faint_letters_on_black_are_judged_by_their_strokes(text):
    def wallpaper(letter):
        image = Image.new("RGB", (800, 450), (12, 12, 14))
        ImageDraw.Draw(image).text((400, 225), letter, (90, 90, 95), ImageFont.load_default(28), anchor="mm")
        return jpeg(image, 85)

    found = look(wallpaper("a"), wallpaper(text))
    assert found.relation == ("copy" if text == "a" else "variant")


@pytest.mark.parametrize("level", [6, 250])
def test_letters_hardly_brighter_than_their_ground_prove_nothing(level):
    def page(text):
        image = Image.new("RGB", (800, 450), (level, level, level))
        pen = ImageDraw.Draw(image)
        pen.text((400, 225), text, (level - 9 if level > 99 else level + 9,) * 3, font_size=40, anchor="mm")
        return image

    found = look(page("carpet ticket"), page("melody forest"))
    assert (found.relation, found.reason) == ("similar", "they are too plain to tell")


def test_black_bars_on_white_are_a_copy_of_their_jpeg():
    image = Image.new("RGB", (600, 300), "white")
    pen = ImageDraw.Draw(image)
    places = np.cumsum(np.random.default_rng(4).integers(3, 12, 70)) + 20
    for left, right in zip(places[::2], places[1::2], strict=True):
        pen.rectangle((int(left), 30, int(right) - 1, 240), fill="black")
    pen.text((250, 265), "4 006381 333931", "black", font_size=22, anchor="mm")
    assert may_go(look(image, jpeg(image, 40)))


def test_skies_with_other_stars_are_no_copies():
    def sky(seed):
        chance = np.random.default_rng(seed)
        levels = chance.normal(6, 2, (300, 400, 3))
        for _ in range(25):
            x, y = chance.integers(5, 395), chance.integers(5, 295)
            levels[y - 1 : y + 2, x - 1 : x + 2] = chance.integers(40, 120)
        return jpeg(Image.fromarray(levels.clip(0, 255).astype(np.uint8)), 90)

    assert look(sky(0), sky(1)).relation == "variant"
    assert may_go(look(sky(0), jpeg(sky(0), 80)))


@pytest.mark.parametrize("level", [0, 128, 250])
def test_blank_pages_prove_nothing(level):
    pages = [
        Image.fromarray(
            (level + np.random.default_rng(seed).normal(0, 2, (300, 400, 3))).clip(0, 255).astype(np.uint8)
        )
        for seed in (0, 1)
    ]
    found = look(*pages)
    assert (found.relation, found.reason) == ("similar", "they are too plain to tell")


def test_print_too_small_to_read_proves_nothing():
    page = draw_document("terminal", 3)
    small = page.resize((page.width // 5, page.height // 5), Image.Resampling.LANCZOS)
    assert not may_go(look(page, small))


def test_white_marks_on_nothing_are_compared_over_black_too():
    star = Image.new("RGBA", (128, 128), (0, 0, 0, 0))
    ring = star.copy()
    ImageDraw.Draw(star).polygon([(64, 4), (120, 120), (4, 46)], fill="white")
    ImageDraw.Draw(ring).ellipse((9, 9, 110, 110), outline="white", width=12)
    assert look(star, ring).relation == "variant"
    assert may_go(look(star, star.resize((96, 96))))


@pytest.mark.parametrize("ground", ["black", "white", (30, 120, 60)])
def test_a_cut_out_is_a_copy_of_itself_on_any_ground(ground):
    image = photo(320, 240, "coffee").copy()
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).ellipse((60, 30, 260, 210), fill=255)
    image.putalpha(mask)
    laid = Image.new("RGB", image.size, ground)
    laid.paste(image, mask=mask)
    assert may_go(look(image, jpeg(laid, 90)))
    assert may_go(look(jpeg(laid, 90), image))


def test_the_same_drawing_in_other_colours_is_a_variant():
    def face(color):
        image = Image.new("RGB", (64, 64), "white")
        pen = ImageDraw.Draw(image)
        pen.ellipse((8, 8, 56, 56), fill=color, outline="black")
        pen.rectangle((10, 44, 54, 62), fill="navy")
        return image

    assert look(face((191, 143, 104)), face((126, 80, 50))).relation == "variant"
    assert may_go(look(face((191, 143, 104)), jpeg(face((191, 143, 104)), 80)))
