import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps
from scipy.ndimage import map_coordinates
from skimage import data

from lookalike.edits.overlays import watermark
from lookalike.features.keypoints import extract_keypoints, from_bytes, to_bytes
from lookalike.media.sight import Sight
from lookalike.proving.closer import look_closer
from lookalike.proving.drawing import draw_proof
from lookalike.proving.verify import verify
from lookalike.records.geometry import area_of, clip_to, corners_of, move_points
from lookalike.records.transform import describe_transform
from pictures import noise, photo

PHOTOS = {"coffee": (420, 280), "chelsea": (451, 300), "astronaut": (400, 400), "rocket": (427, 320)}


@pytest.fixture(scope="module")
def originals():
    return {
        name: (photo(*size, name), extract_keypoints(photo(*size, name))) for name, size in PHOTOS.items()
    }


def jpeg(image, quality=25):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def scaled(image, factor):
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)


def crop_box(image, share=0.5):
    width, height = round(image.width * share**0.5), round(image.height * share**0.5)
    return (image.width // 7, image.height // 9, image.width // 7 + width, image.height // 9 + height)


def padded(image):
    return ImageOps.expand(image, 60, (250, 240, 20))


def with_banner(image):
    edited = image.copy()
    draw = ImageDraw.Draw(edited)
    draw.rectangle((0, image.height * 0.85, image.width, image.height), fill=(10, 10, 90))
    draw.text((20, image.height * 0.86), "SUMMER SALE", fill="white", font_size=image.height / 10)
    return edited


def collage(image):
    sheet = Image.new("RGB", image.size, "white")
    half = image.width // 2, image.height // 2
    others = [photo(*half, name) for name in ("immunohistochemistry", "retina", "hubble_deep_field")]
    for number, piece in enumerate([others[0], image.resize(half), *others[1:]]):
        sheet.paste(piece, (number % 2 * half[0], number // 2 * half[1]))
    return sheet


def noisy(image):
    pixels = np.asarray(image, np.float32) + np.random.default_rng(0).normal(0, 25, (*image.size[::-1], 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


# name: (edit, words that must be said, who contains whom)
EDITS = {
    "jpeg": (jpeg, (), "equal"),
    "half size": (lambda image: scaled(image, 0.5), ("resized to 50 %",), "equal"),
    "larger": (lambda image: scaled(image, 1.7), ("resized to 170 %",), "equal"),
    "crop": (lambda image: image.crop(crop_box(image)), ("cropped to 50 %",), "first"),
    "pad": (padded, ("on a larger picture",), "second"),
    "turned": (lambda image: image.transpose(Image.Transpose.ROTATE_270), ("turned 90° right",), "equal"),
    "turned left": (lambda image: image.transpose(Image.Transpose.ROTATE_90), ("turned 90° left",), "equal"),
    "upside down": (lambda image: image.transpose(Image.Transpose.ROTATE_180), ("turned 180°",), "equal"),
    "mirror": (ImageOps.mirror, ("mirrored",), "equal"),
    "flip": (ImageOps.flip, ("flipped top to bottom",), "equal"),
    "transpose": (lambda image: image.transpose(Image.Transpose.TRANSPOSE), ("mirrored", "turned 90°"), "equal"),
    "slanted": (lambda image: image.rotate(-20, Image.Resampling.BICUBIC), ("turned 20° right",), "neither"),
    "grey": (lambda image: image.convert("L").convert("RGB"), (), "equal"),
    "dark": (lambda image: ImageEnhance.Brightness(image).enhance(0.5), (), "equal"),
    "blur": (lambda image: image.filter(ImageFilter.GaussianBlur(2)), (), "equal"),
    "noise": (noisy, (), "equal"),
    "banner": (with_banner, (), "equal"),
    "collage": (collage, ("on a larger picture (25 % of it)", "resized to 50 %"), "second"),
}  # fmt: skip


@pytest.mark.parametrize("edit_name", EDITS)
def test_an_edited_picture_is_a_copy_and_the_edit_is_told(originals, edit_name):
    edit, words, contains = EDITS[edit_name]
    for name, (image, keypoints) in originals.items():
        found = verify(keypoints, extract_keypoints(edit(image)))
        assert (found.relation, found.method) == ("copy", "keypoints"), name
        assert found.contains == contains, name
        for word in words:
            assert word in found.transform, name
        if not words:
            assert found.transform == "unchanged in shape and place", name


def test_equal_pixels_are_recognised(originals):
    image, keypoints = originals["coffee"]
    found = verify(keypoints, extract_keypoints(image.copy()))
    assert (found.relation, found.contains, found.residual) == ("same_pixels", "equal", 0)


def test_one_changed_pixel_is_a_copy_not_the_same_pixels(originals):
    image, keypoints = originals["coffee"]
    changed = image.copy()
    changed.putpixel((5, 5), (1, 2, 3))
    assert verify(keypoints, extract_keypoints(changed)).relation == "copy"


def test_the_overlap_of_a_crop_is_outlined_in_both_pictures(originals):
    image, keypoints = originals["coffee"]
    box = crop_box(image)
    cropped = image.crop(box)
    found = verify(keypoints, extract_keypoints(cropped))
    truth = np.array([[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]]) - 0.5
    assert intersection_over_union(found.overlap_first, truth) > 0.98
    assert intersection_over_union(found.overlap_second, corners_of(cropped.size)) > 0.98


def intersection_over_union(polygon, truth):
    """Return it for a polygon and an upright rectangle."""
    low, size = truth.min(axis=0), np.ptp(truth, axis=0)
    inside = clip_to(np.array(polygon) - low - 0.5, (size[0], size[1]))
    shared = area_of(inside)
    return shared / (area_of(np.array(polygon)) + area_of(truth) - shared)


def test_agreeing_points_and_the_matrix_tell_the_same(originals):
    image, keypoints = originals["astronaut"]
    found = verify(keypoints, extract_keypoints(scaled(ImageOps.mirror(image), 0.6)))
    moved = move_points(found.matrix, found.points_first)
    assert len(found.points_first) == len(found.points_second) >= found.n_inliers > 50
    assert np.median(np.hypot(*(moved - found.points_second).T)) < 0.5
    corner = move_points(found.matrix, np.array([[0.0, 0.0]]))[0]
    assert corner == pytest.approx((0.6 * image.width - 0.6, -0.2), abs=0.7)


def test_a_photo_of_a_print_is_a_copy_seen_in_perspective(originals):
    image, keypoints = originals["chelsea"]
    coefficients = (1.25, 0.12, -55, 0.04, 1.28, -40, 0.0003, 0.0002)
    seen = image.transform(image.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    found = verify(keypoints, extract_keypoints(seen))
    assert (found.relation, found.contains) == ("copy", "second")
    assert "seen in perspective" in found.transform


def test_the_answer_does_not_depend_on_the_order_of_the_arguments(originals):
    image, keypoints = originals["rocket"]
    edited = extract_keypoints(image.crop(crop_box(image)).transpose(Image.Transpose.ROTATE_90))
    there, back = verify(keypoints, edited), verify(edited, keypoints)
    assert (there.relation, there.n_inliers, there.agreement, there.residual) == (
        back.relation,
        back.n_inliers,
        back.agreement,
        back.residual,
    )
    assert (there.contains, back.contains) == ("first", "second")
    assert there.overlap_first == back.overlap_second
    assert np.array_equal(there.points_first, back.points_second)
    product = there.matrix @ back.matrix
    assert product / product[2, 2] == pytest.approx(np.eye(3), abs=1e-6)


def test_stored_keypoints_give_the_same_answer(originals):
    image, keypoints = originals["coffee"]
    edited = extract_keypoints(jpeg(scaled(image, 0.7)))
    fresh, stored = verify(keypoints, edited), verify(*(from_bytes(to_bytes(k)) for k in (keypoints, edited)))
    assert (fresh.n_inliers, fresh.agreement, fresh.transform) == (
        stored.n_inliers,
        stored.agreement,
        stored.transform,
    )
    assert np.array_equal(fresh.matrix, stored.matrix)


def test_different_photos_are_not_copies(originals):
    names = list(originals)
    for number, first in enumerate(names):
        for second in names[:number]:
            found = verify(originals[first][1], originals[second][1])
            assert (found.relation, found.matrix, found.transform) == ("different", None, "")


def template(product, number):
    """Return a shop's page: the same frame, logo and words around another product."""
    page = Image.new("RGB", (420, 420), "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, 420, 60), fill=(20, 60, 140))
    draw.text((20, 12), "LOOKALIKE STORE", fill="white", font_size=32)
    draw.text((20, 360), "Free delivery from 39.90 - order now", fill="black", font_size=20)
    draw.text((20, 388), f"Article {number}", fill=(120, 0, 0), font_size=18)
    page.paste(photo(340, 270, product), (40, 78))
    return page


def proven(first, second):
    """Return what two pictures are after the closer look that every copy is given."""
    found = verify(extract_keypoints(first), extract_keypoints(second))
    if found.relation != "copy":
        return found.relation
    return look_closer(Sight(np.asarray(first)), Sight(np.asarray(second)), found.matrix).relation


def test_two_products_on_one_template_are_not_copies():
    pages = [template(name, number) for number, name in enumerate(("coffee", "chelsea", "rocket"), 4711)]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert proven(pages[first], pages[second]) in ("different", "same_scene", "variant")
    assert proven(pages[0], jpeg(pages[0])) == "copy"


@pytest.mark.parametrize("name", ["coffee", "astronaut"])
def test_a_small_part_in_common_seen_from_another_side_is_no_copy(name):
    """Two cut-outs that overlap by a third are copies; two shots of one print overlap so, but are never straight."""
    whole = photo(900, 450, name)
    left, right = whole.crop((0, 0, 540, 450)), whole.crop((360, 0, 900, 450))
    straight = verify(extract_keypoints(left), extract_keypoints(right))
    assert (straight.relation, straight.contains) == ("copy", "neither")
    turned = right.rotate(5, Image.Resampling.BICUBIC)
    assert verify(extract_keypoints(left), extract_keypoints(turned)).relation == "same_scene"
    in_mirror = extract_keypoints(ImageOps.mirror(right))
    assert verify(extract_keypoints(left), in_mirror).relation == "same_scene"
    assert verify(extract_keypoints(right), in_mirror).relation == "copy"
    assert verify(extract_keypoints(whole), extract_keypoints(turned)).relation == "copy"


def receipt(seed):
    """Return a receipt: the same layout, other goods and prices."""
    rng = np.random.default_rng(seed)
    page = Image.new("L", (300, 480), 245)
    draw = ImageDraw.Draw(page)
    draw.text((60, 15), "CORNER SHOP", fill=20, font_size=28)
    for line in range(14):
        goods = "".join(rng.choice(list("ABCDEFGHKLMNOPRSTUW"), 9))
        draw.text(
            (15, 65 + line * 26),
            f"{goods}   {rng.integers(1, 99)}.{rng.integers(10, 99)}",
            fill=20,
            font_size=21,
        )
    draw.text((40, 440), "THANK YOU", fill=20, font_size=26)
    return page.convert("RGB")


def test_two_receipts_of_one_shop_are_not_copies():
    receipts = [receipt(seed) for seed in range(3)]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert proven(receipts[first], receipts[second]) in ("different", "same_scene", "variant")
    assert proven(receipts[0], jpeg(scaled(receipts[0], 0.8), 60)) == "copy"


def test_the_two_views_of_a_stereo_camera_are_one_scene_not_copies():
    left, right, _ = data.stereo_motorcycle()
    views = [extract_keypoints(Image.fromarray(view)) for view in (left, right)]
    assert verify(*views).relation == "same_scene"


def bent(image, shift_px):
    """Return a picture whose middle is shifted against its edges, as a thing that turned a little."""
    pixels = np.asarray(image, np.float32)
    rows, columns = np.mgrid[0 : image.height, 0 : image.width].astype(np.float64)
    across, down = (columns / image.width - 0.5) * np.pi, (rows / image.height - 0.5) * np.pi
    places = rows, columns + shift_px * np.cos(across) * np.cos(down) ** 2
    channels = [
        map_coordinates(pixels[..., channel], places, order=1, mode="nearest") for channel in range(3)
    ]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


@pytest.mark.parametrize("name", ["coffee", "chelsea", "astronaut"])
def test_a_thing_that_turned_between_two_shots_is_one_scene_not_a_copy(originals, name):
    image, keypoints = originals[name]
    found = verify(keypoints, extract_keypoints(jpeg(bent(image, 5), 90)))
    assert found.relation == "same_scene"
    assert found.agreement > 0.9
    assert verify(keypoints, extract_keypoints(jpeg(bent(image, 0), 90))).relation == "copy"


def gradient(turn=0):
    ramp = np.linspace(40, 210, 240)[None, :, None] * np.array([1.0, 0.8, 0.6]) * np.ones((160, 1, 1))
    return Image.fromarray(np.rot90(ramp, turn).astype(np.uint8))


def test_pictures_without_texture_are_compared_by_pixels():
    first = extract_keypoints(gradient())
    found = verify(first, extract_keypoints(jpeg(scaled(gradient(), 0.5), 80)))
    assert (found.relation, found.method, found.n_inliers) == ("copy", "pixels", 0)
    assert found.transform == "resized to 50 %"
    turned = verify(first, extract_keypoints(gradient(3)))
    assert (turned.relation, turned.method) == ("copy", "pixels")
    assert "turned 90° right" in turned.transform


def test_different_gradients_and_plain_colours_are_not_copies():
    curved = Image.fromarray((np.asarray(gradient(), np.float32) ** 2 / 255).astype(np.uint8))
    assert verify(extract_keypoints(gradient()), extract_keypoints(curved)).relation == "different"
    colours = [extract_keypoints(Image.new("RGB", (80, 80), colour)) for colour in ("red", "navy", "white")]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        found = verify(colours[first], colours[second])
        assert (found.relation, found.method) == ("different", "pixels")


def test_a_plain_picture_in_two_sizes_is_a_copy_by_pixels():
    small, large = (extract_keypoints(Image.new("RGB", (side, side), (90, 140, 30))) for side in (64, 300))
    assert (verify(small, large).relation, verify(small, large).method) == ("copy", "pixels")


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 9), (1, 400), (24, 16)])
def test_tiny_pictures_are_compared_without_trouble(size, originals):
    tiny = extract_keypoints(noise(*size))
    assert verify(tiny, originals["coffee"][1]).relation == "different"
    assert verify(tiny, extract_keypoints(noise(*size))).relation == "same_pixels"


def test_a_strip_and_its_half_are_one_picture_placed_by_points():
    strip = Image.new("RGB", (300, 4800), "white")
    for place, name in enumerate(
        ["astronaut", "coffee", "cat", "rocket", "camera", "brick", "coins", "moon"] * 2
    ):
        strip.paste(photo(300, 290, name), (0, 300 * place))
    half = strip.resize((150, 2400), Image.Resampling.LANCZOS)
    found = verify(extract_keypoints(strip), extract_keypoints(jpeg(half, 80)))
    assert (found.relation, found.contains) == ("copy", "equal")


@pytest.mark.parametrize("name", ["coffee", "chelsea", "astronaut"])
def test_a_watermark_all_over_a_photo_leaves_a_copy(originals, name):
    image, keypoints = originals[name]
    marked = watermark(image, opacity=0.5)
    assert verify(keypoints, extract_keypoints(jpeg(marked, 80))).relation == "copy"


def test_two_pictures_of_noise_are_different():
    first, second = (extract_keypoints(noise(200, 150, seed)) for seed in (1, 2))
    assert verify(first, second).relation == "different"


@pytest.mark.parametrize(
    ("matrix", "sizes", "words"),
    [
        (np.eye(3), ((100, 80), (100, 80)), "unchanged in shape and place"),
        ([[-1, 0, 99], [0, 1, 0], [0, 0, 1]], ((100, 80), (100, 80)), "mirrored"),
        ([[0, -1, 79], [1, 0, 0], [0, 0, 1]], ((100, 80), (80, 100)), "turned 90° right"),
        ([[1, 0, -20], [0, 1, -20], [0, 0, 1]], ((100, 80), (60, 60)), "cropped to 45 %"),
        ([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]], ((50, 40), (100, 80)), "resized to 200 %"),
        ([[2, 0, 0.5], [0, 1, 0], [0, 0, 1]], ((50, 40), (100, 40)), "stretched, resized to 141 %"),
        ([[1, 0, 30], [0, 1, 40], [0, 0, 1]], ((40, 50), (100, 100)), "on a larger picture (20 % of it)"),
        ([[1, 0, 500], [0, 1, 0], [0, 0, 1]], ((40, 50), (100, 100)), "no overlap"),
    ],
)
def test_transforms_are_put_into_words(matrix, sizes, words):
    assert describe_transform(np.array(matrix, np.float64), *sizes) == words


def test_the_proof_is_drawn_with_both_pictures_and_the_outline(originals):
    image, keypoints = originals["coffee"]
    cropped = image.crop(crop_box(image))
    drawn = draw_proof(image, cropped, verify(keypoints, extract_keypoints(cropped)))
    assert drawn.mode == "RGB"
    assert drawn.width > 1200
    colours = {colour for _, colour in drawn.getcolors(1 << 24)}
    assert (255, 64, 32) in colours
    assert (64, 220, 96) in colours


def test_a_proof_of_nothing_is_just_the_two_pictures(originals):
    first, second = originals["coffee"], originals["rocket"]
    drawn = draw_proof(first[0], second[0], verify(first[1], second[1]))
    assert (255, 64, 32) not in {colour for _, colour in drawn.getcolors(1 << 24)}
