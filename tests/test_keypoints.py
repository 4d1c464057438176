import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from lookalike.errors import FeatureMismatchError
from lookalike.features.keypoints import (
    KEYPOINT_SIDE_PX,
    MAX_KEYPOINTS,
    RECIPE,
    VIEW_SIDE_PX,
    extract_keypoints,
    from_bytes,
    to_bytes,
)
from lookalike.records.recipe import Recipe
from pictures import photo


@pytest.fixture(scope="module")
def coffee():
    return extract_keypoints(photo(500, 333, "coffee"))


def assert_same(first, second):
    assert (first.width_px, first.height_px) == (second.width_px, second.height_px)
    assert first.working_size == second.working_size
    assert np.array_equal(first.points, second.points)
    assert np.array_equal(first.codes, second.codes)
    assert np.array_equal(first.tint, second.tint)
    assert first.view_jpeg == second.view_jpeg
    assert first.pixel_digest == second.pixel_digest


def test_a_photo_gives_many_points_inside_its_frame(coffee):
    assert 300 < len(coffee) <= MAX_KEYPOINTS
    assert np.all(coffee.positions > -1)
    assert np.all(coffee.positions < coffee.working_size)
    assert coffee.descriptors.shape == (len(coffee), 128)
    assert np.linalg.norm(coffee.descriptors, axis=1) == pytest.approx(1, abs=1e-5)
    assert max(coffee.view.shape) == VIEW_SIDE_PX


def test_positions_have_pixel_centres_at_integers():
    rows, columns = np.mgrid[0:201, 0:301]
    blob = 220 * np.exp(-((columns - 130) ** 2 + (rows - 70) ** 2) / (2 * 12.0**2))
    found = extract_keypoints(Image.fromarray(blob.astype(np.uint8)).convert("RGB"))
    assert np.hypot(*(found.positions - (130, 70)).T).min() < 0.2


def test_large_pictures_are_looked_at_in_the_working_size():
    found = extract_keypoints(photo(1500, 1000, "coffee"))
    assert max(found.working_size) == KEYPOINT_SIDE_PX
    assert (found.width_px, found.height_px) == (1500, 1000)


def test_a_reduced_decode_keeps_the_original_size_and_claims_no_pixels():
    found = extract_keypoints(photo(600, 400, "coffee"), (4800, 3200))
    assert (found.width_px, found.height_px) == (4800, 3200)
    assert found.pixel_digest == bytes(16)


def test_bytes_lead_back_to_the_same_keypoints(coffee):
    assert_same(from_bytes(to_bytes(coffee)), coffee)


def test_bytes_are_compact(coffee):
    assert len(to_bytes(coffee)) < 75_000


def test_a_plain_picture_has_no_points_and_still_survives_as_bytes():
    plain = extract_keypoints(Image.new("RGB", (90, 60), (10, 200, 30)))
    assert len(plain) == 0
    assert plain.descriptors.shape == (0, 128)
    assert_same(from_bytes(to_bytes(plain)), plain)


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (3, 2), (2000, 5)])
def test_odd_sizes_are_no_trouble(size):
    found = extract_keypoints(Image.effect_noise(size, 60).convert("RGB"))
    assert_same(from_bytes(to_bytes(found)), found)


@hypothesis_settings(max_examples=60)
@given(data=st.data())
def test_any_damaged_byte_is_noticed(data):
    written = to_bytes(extract_small())
    place = data.draw(st.integers(0, len(written) - 1))
    changed = written[place] ^ data.draw(st.integers(1, 255))
    with pytest.raises(FeatureMismatchError):
        from_bytes(written[:place] + bytes([changed]) + written[place + 1 :])


def extract_small(found=[]):  # noqa: B006 - computed once for all examples
    if not found:
        found.append(extract_keypoints(photo(64, 64, "astronaut")))
    return found[0]


@pytest.mark.parametrize("n_bytes", [0, 3, 20, 39, 500, -1])
def test_bytes_that_are_cut_short_are_noticed(coffee, n_bytes):
    with pytest.raises(FeatureMismatchError):
        from_bytes(to_bytes(coffee)[:n_bytes])


def test_a_mirrored_descriptor_is_what_the_mirrored_picture_has(coffee):
    mirrored = extract_keypoints(ImageOps.mirror(photo(500, 333, "coffee")))
    likeness = coffee.mirrored_descriptors @ mirrored.descriptors.T
    nearest = likeness.argmax(axis=1)
    expected = coffee.positions * (-1, 1) + (coffee.working_size[0] - 1, 0)
    distances = np.hypot(*(expected - mirrored.positions[nearest]).T)
    assert np.mean(distances < 0.5) > 0.9
    assert np.median(likeness.max(axis=1)) > 0.999


def test_the_same_picture_gives_the_same_bytes(coffee):
    assert to_bytes(extract_keypoints(photo(500, 333, "coffee"))) == to_bytes(coffee)


def test_the_recipe_can_be_stored():
    assert Recipe.from_text(RECIPE.text).text == RECIPE.text


def test_importing_loads_no_opencv():
    code = (
        "import sys, lookalike.features.keypoints, lookalike.proving.verify; sys.exit('cv2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
