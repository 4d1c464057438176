"""Histograms: hand-worked pictures, brute force, and the packed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.features import color


def _noise(seed=0, shape=(40, 30)):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


@pytest.mark.parametrize("name", color.HISTOGRAMS)
def test_every_histogram_sums_to_one(name):
    assert color.HISTOGRAMS[name](color.Pixels.of(_noise())).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", color.HISTOGRAMS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2)])
def test_tiny_pictures_have_histograms_too(name, shape):
    histogram = color.HISTOGRAMS[name](color.Pixels.of(_noise(shape=shape)))
    assert histogram.sum() == pytest.approx(1, abs=1e-5)
    assert np.isfinite(histogram).all()


def test_rgb_histogram_counts_joint_bins():
    rgb = np.array([[[255, 0, 0], [255, 0, 0]], [[0, 255, 0], [31, 32, 64]]], np.uint8)
    histogram = color.rgb_histogram(color.Pixels.of(rgb))
    assert histogram[7 * 64] == 0.5  # red
    assert histogram[7 * 8] == 0.25  # green
    assert histogram[0 * 64 + 1 * 8 + 2] == 0.25


def test_hsv_pyramid_tells_where_a_colour_is():
    left, right = np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20, 3), np.uint8)
    left[:10, :10] = right[:10, 10:] = (255, 0, 0)
    a, b = color.hsv_pyramid(color.Pixels.of(left)), color.hsv_pyramid(color.Pixels.of(right))
    np.testing.assert_allclose(a[: color.N_HSV], b[: color.N_HSV])
    assert np.abs(a - b).sum() > 0.5


def test_local_binary_patterns_equal_a_loop_over_pixels():
    grey = np.random.default_rng(3).integers(0, 6, (9, 11)).astype(np.uint8)
    around = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    expected = [
        [
            sum((grey[y + dy, x + dx] >= grey[y, x]) << bit for bit, (dy, dx) in enumerate(around))
            for x in range(1, 10)
        ]
        for y in range(1, 8)
    ]
    np.testing.assert_array_equal(color.local_binary_patterns(grey), expected)


def test_there_are_58_uniform_patterns_and_one_bin_for_the_rest():
    bins = color._uniform_bins()
    transitions = [sum(((c >> i) ^ (c >> ((i + 1) % 8))) & 1 for i in range(8)) for c in range(256)]
    uniform = [c for c in range(256) if transitions[c] <= 2]
    assert len(uniform) == 58
    assert sorted(bins[uniform]) == list(range(58))
    assert {bins[c] for c in range(256) if c not in uniform} == {58}


def test_texture_does_not_see_brightness_but_colour_does():
    dark = _noise(shape=(60, 60)) // 3
    bright = dark + 100
    halves = [color.texture(color.Pixels.of(rgb))[color.N_HSV :] for rgb in (dark, bright)]
    assert np.abs(halves[0] - halves[1]).sum() < 0.05  # luma rounds, so not quite 0
    assert (
        np.abs(
            color.rgb_histogram(color.Pixels.of(dark)) - color.rgb_histogram(color.Pixels.of(bright))
        ).sum()
        > 1
    )


@given(st.integers(0, 10_000))
def test_packing_loses_little_and_keeps_the_sum(seed):
    histogram = np.random.default_rng(seed).dirichlet(np.full(360, 0.05)).astype(np.float32)
    unpacked = color.unpack_histograms(color.pack_histogram(histogram)[None])[0]
    assert unpacked.sum() == pytest.approx(1, abs=1e-4)
    assert np.abs(unpacked - histogram).sum() < 0.03
