"""Whole-picture measures: hand-worked pictures, identity, symmetry, and the wrap-around trap."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from lookalike.errors import InputError
from lookalike.features.measures import MEASURES, pixel_cosine, pixel_euclidean, ssim


def _flat(level, shape=(16, 16, 3)):
    return np.full(shape, level, np.uint8)


def _noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (32, 24, 3), np.uint8)


def test_euclidean_is_right_where_uint8_arithmetic_would_wrap():
    assert pixel_euclidean(_flat(0), _flat(255)) == pytest.approx(255 * (16 * 16 * 3) ** 0.5)
    assert pixel_euclidean(_flat(1), _flat(0)) == pixel_euclidean(_flat(0), _flat(1))


def test_cosine_of_black():
    assert pixel_cosine(_flat(0), _flat(0)) == 1
    assert pixel_cosine(_flat(0), _flat(9)) == 0


@pytest.mark.parametrize("name", MEASURES)
def test_equal_pictures_have_the_best_value_and_order_does_not_matter(name):
    measure, a, b = MEASURES[name], _noise(1), _noise(2)
    best = 0 if name == "pixel_euclidean" else 1
    assert measure(a, a) == pytest.approx(best, abs=1e-6)
    assert measure(a, b) == pytest.approx(measure(b, a))
    assert measure(a, b) != pytest.approx(best, abs=1e-3)


@pytest.mark.parametrize("size", [(64, 48), (7, 7), (5, 40), (4, 4), (3, 3)])
def test_ssim_is_that_of_scikit_image(size):
    # Reference: scikit-image 0.26, structural_similarity, whose sums are rounded in another order.
    rng = np.random.default_rng(size)
    first = rng.integers(0, 256, (*size, 3), np.uint8)
    near = np.clip(first.astype(int) + rng.integers(-20, 20, first.shape), 0, 255).astype(np.uint8)
    window = min(7, min(size) - 1 + min(size) % 2)
    for second in (near, first[::-1], np.full_like(first, 7), 255 - first):
        expected = structural_similarity(first, second, win_size=window, channel_axis=2, data_range=255)
        assert ssim(first, second) == pytest.approx(expected, abs=1e-9)
        assert ssim(second, first) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 9, 3), (3, 3, 3), (4, 6, 3), (7, 7, 3), (8, 8, 3)])
def test_ssim_of_small_pictures(shape):
    assert ssim(_flat(9, shape), _flat(9, shape)) == pytest.approx(1)


@pytest.mark.parametrize("name", MEASURES)
def test_pictures_of_different_shapes_are_refused(name):
    with pytest.raises(InputError, match="resize both"):
        MEASURES[name](_flat(0), _flat(0, (8, 8, 3)))
