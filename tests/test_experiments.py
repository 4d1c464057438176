"""The published experiments: their layout, what they count as right, and what they say beside the figures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import textured
from lookalike.errors import InputError
from lookalike.evaluation.euclidean import compare_euclidean
from lookalike.evaluation.experiments import PUBLISHED, five_measures, viewpoint
from lookalike.report.documents import euclidean_document, measures_document

FRUITS = Path(__file__).parents[2] / "shared" / "data" / "fruits"


def write_groups(root, n_groups, n_members, *, noise):
    """Write groups of noisy frames of one picture each."""
    rng = np.random.default_rng(0)
    for group in range(n_groups):
        (root / f"thing {group:02}").mkdir(parents=True)
        base = np.asarray(textured(group), np.int16)
        for member in range(n_members):
            frame = np.clip(base + rng.integers(-noise, noise + 1, base.shape), 0, 255).astype(np.uint8)
            Image.fromarray(frame).save(root / f"thing {group:02}" / f"{member}.png")
    return root


@pytest.fixture(scope="module")
def settings(settings):
    """One worker is enough for a dozen pictures."""
    return settings.with_values({"jobs": "1"})


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return write_groups(tmp_path_factory.mktemp("frames"), 4, 3, noise=6)


@pytest.fixture(scope="module")
def compared(frames, settings):
    return five_measures(frames, settings)


def test_every_published_measure_finds_near_duplicates(compared):
    assert (compared.n_pictures, compared.n_groups) == (12, 4)
    accuracy = {one.measure: one.accuracy for one in compared.results if one.kind == "published"}
    assert set(accuracy) == set(PUBLISHED)
    assert all(value == 1 for value in accuracy.values()), accuracy


def test_the_default_way_of_searching_takes_part(compared):
    ours = {one.measure: one.accuracy for one in compared.results if one.kind == "ours"}
    assert ours["auto"] == 1
    assert {"rgb", "hsv", "texture"} <= set(ours)


def test_subtracting_8_bit_numbers_fails_as_the_study_did(compared):
    accuracy = {one.measure: one.accuracy for one in compared.results}
    assert accuracy["pixel_euclidean_wrapped"] < 0.5 < accuracy["pixel_euclidean"]


def test_published_figures_stand_beside_ours(compared):
    for one in compared.results:
        published = PUBLISHED.get(one.measure)
        assert one.published_accuracy == (None if published is None else published.near_duplicates)
        assert one.published_seconds_per_pair == (None if published is None else published.seconds_per_pair)


def test_seconds_of_kept_pairs_leave_the_features_out(compared):
    seconds = {one.measure: (one.seconds_per_pair, one.seconds_per_kept_pair) for one in compared.results}
    whole, kept = seconds["deep_cosine"]
    assert 0 < kept < whole / 10


def test_only_the_first_picture_of_a_group_asks(tmp_path, settings):
    write_groups(tmp_path, 3, 2, noise=3)
    textured(77).save(tmp_path / "thing 00" / "0.png")  # its first picture is now another
    one = next(one for one in five_measures(tmp_path, settings).results if one.measure == "ssim")
    assert one.accuracy == pytest.approx(2 / 3)
    textured(77).save(tmp_path / "thing 01" / "1.png")  # which is taken for a relative of it
    one = next(one for one in five_measures(tmp_path, settings).results if one.measure == "ssim")
    assert one.accuracy == pytest.approx(1 / 3)


def test_draws_of_the_viewpoint_follow_from_the_seed(tmp_path, settings):
    write_groups(tmp_path, 3, 6, noise=120)
    once, again, other = (viewpoint(tmp_path, settings, seed=seed, n_draws=2) for seed in (3, 3, 4))
    assert (once.n_pictures, once.n_groups, once.n_draws) == (12, 3, 2)
    assert [one.accuracy for one in once.results] == [one.accuracy for one in again.results]
    assert [one.accuracy for one in once.results] != [one.accuracy for one in other.results]
    for one in once.results:
        low, high = one.accuracy_range
        assert 0 <= low <= one.accuracy <= high <= 1
    assert next(one for one in once.results if one.measure == "ssim").published_accuracy == 0.133


def test_too_few_groups_are_refused(tmp_path, frames, settings):
    textured(0).save(tmp_path / "alone.png")
    with pytest.raises(InputError, match="0 folders of at least 2"):
        five_measures(tmp_path, settings)
    with pytest.raises(InputError, match="at least 4"):
        viewpoint(frames, settings)
    with pytest.raises(InputError, match="no folder"):
        five_measures(tmp_path / "nowhere", settings)


def test_scipy_and_numpy_agree_on_the_distance():
    found = compare_euclidean(n_rounds=1)
    assert len(found.results) == 10
    for one in found.results:
        assert one.relative_difference < (1e-5 if one.dtype == "float32" else 1e-12), one
        assert one.numpy_seconds > 0
        assert one.scipy_seconds > 0


def test_both_libraries_wrap_8_bit_pixels_unless_told_otherwise():
    right = {one.way: one.is_right for one in compare_euclidean(n_rounds=1).eight_bits}
    assert right == {
        "numpy.linalg.norm(a - b)": False,
        "numpy.linalg.norm(a.astype(float) - b)": True,
        "scipy.spatial.distance.euclidean(a, b)": False,
        "scipy.spatial.distance.cdist([a], [b])": True,
    }


def test_documents_are_plain_json(compared):
    document = json.loads(json.dumps(measures_document(compared), allow_nan=False))
    assert document["experiment"] == "five-measures"
    assert document["results"][0]["measure"] == "pixel_euclidean"
    assert document["remarks"]
    assert json.dumps(euclidean_document(compare_euclidean(n_rounds=1)), allow_nan=False)


@pytest.mark.skipif(not FRUITS.is_dir(), reason="the frames of fruit are not here")
def test_on_the_fruits_no_measure_is_below_the_published_one(settings):
    found = five_measures(FRUITS, settings)
    assert (found.n_pictures, found.n_groups) == (96, 24)
    published = [one for one in found.results if one.kind == "published"]
    for one in published:
        assert one.accuracy >= one.published_accuracy, one
    assert sum(one.accuracy == 1 for one in published) >= 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "nonsense"),
        (["viewpoint"], "needs DATA"),
        (["euclidean", "."], "takes no pictures"),
        (["five-measures", "."], "folders of at least 2"),
    ],
)
def test_wrong_usage_is_one_sentence(tmp_path, arguments, words):
    done = subprocess.run(
        [sys.executable, "-m", "lookalike", "experiment", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_prints_a_table_with_its_remarks(frames, settings):
    command = [
        sys.executable,
        "-m",
        "lookalike",
        "--set",
        "jobs=1",
    ]
    done = subprocess.run(
        [*command, "experiment", "five-measures", str(frames)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "pixel_euclidean" in done.stdout
    assert "94.4" in done.stdout
    assert "wrap around" in done.stdout
