"""What a calibration promises: maps, thresholds, bounds, checks, the record that is kept, and backgrounds."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import textured
from lookalike.calibration.against_shipped import fit_beside
from lookalike.calibration.fit import (
    Sample,
    find_threshold,
    fit,
    fit_map,
    measured_precision,
    precision_bound,
)
from lookalike.calibration.too_plain import is_beyond_proof, is_plain
from lookalike.errors import InputError, StoreError
from lookalike.features.keypoints import extract_keypoints
from lookalike.records.calibration import PRECISIONS, PROOF, Calibration, ScoreMap
from lookalike.report.calibration_notes import calibration_notes, mark
from lookalike.searching.ways import ways
from lookalike.searching.worth import (
    choose_way,
    describe_calibration,
    find_background,
    load_shipped,
    parse_precision,
    relative_score,
)
from lookalike.settings import Settings
from pictures import photo


def sample_of(true, false, *, sources=None, edits=None):
    true = np.array(true, np.float64)
    false = np.array(false, np.float64).reshape(len(true), -1)
    sources = np.arange(len(true)) if sources is None else np.array(sources)
    return Sample(true, false, sources, tuple(edits or ["mirror"] * len(true)), 0.4, ("recipe",))


def calibration_of(sample):
    return Calibration(
        {"auto": fit(sample, seed=0)}, "2026-01-01T00:00:00+00:00", "a folder", 50, 20, ("mirror",), 3, 1, 2
    )


# Maps


def test_a_map_pools_what_is_out_of_order_and_counts_strangers_twice():
    # In order of score: stranger, copy, stranger, copy. The middle two are out of order: 1 copy, 2 x 1 strangers.
    fitted = fit_map(sample_of([0.2, 0.8], [0.1, 0.5]))
    assert fitted.probability(0.1) == 0
    assert (
        fitted.probability(0.2) == fitted.probability(0.3) == fitted.probability(0.5) == pytest.approx(1 / 3)
    )
    # Two copies seen: no probability beyond 2 / 3.
    assert fitted.probability(0.8) == fitted.probability(1.0) == pytest.approx(2 / 3)


def test_equal_scores_get_one_probability():
    fitted = fit_map(sample_of([0.5, 0.5, 0.5], [0.5, np.nan, np.nan]))
    assert fitted.probability(0.5) == pytest.approx(3 / 5)


def test_a_map_of_nothing_gives_no_hope():
    assert fit_map(sample_of([np.nan], [np.nan])).probability(1.0) == 0


@given(
    st.lists(st.floats(-1, 1, allow_nan=False), min_size=1, max_size=40),
    st.lists(st.floats(-1, 1, allow_nan=False), min_size=1, max_size=40),
)
def test_a_map_never_falls_and_stays_between_0_and_1(true, false):
    n = min(len(true), len(false))
    fitted = fit_map(sample_of(true[:n], false[:n]))
    probabilities = [fitted.probability(score) for score in np.linspace(-1.2, 1.2, 50)]
    assert probabilities == sorted(probabilities)
    assert probabilities[0] >= 0
    assert probabilities[-1] <= n / (n + 1)


def test_a_map_that_falls_is_refused():
    with pytest.raises(InputError, match="must not fall"):
        ScoreMap((0.0, 1.0), (0.5, 0.2))
    with pytest.raises(InputError, match="as many"):
        ScoreMap((0.0,), (0.5, 0.6))


# Bounds and thresholds


def test_none_wrong_among_n_still_allows_for_three():
    # The 95 % bound of a Poisson count of none is -ln 0.05 = 2.996; each counts twice.
    assert precision_bound(1000, 0) == pytest.approx(1000 / (1000 + 2 * 2.9957), rel=1e-4)
    # Of one it is 4.744 (tables of Garwood's bound).
    assert precision_bound(1000, 1) == pytest.approx(1000 / (1000 + 2 * 4.7439), rel=1e-4)
    assert precision_bound(0, 0) == 0
    assert measured_precision(98, 1) == pytest.approx(0.98)
    assert np.isnan(measured_precision(0, 0))


def test_the_lowest_threshold_that_surely_keeps_the_precision_is_taken():
    # 1,000 copies at 0.5 to 1, strangers at 0.1 and one at 0.6.
    true = np.linspace(0.5, 1, 1000)
    false = np.full(1000, 0.1)
    false[0] = 0.6
    threshold, is_supported = find_threshold(sample_of(true, false), 0.95, None)
    assert is_supported
    assert threshold == pytest.approx(0.5)  # with the stranger: 1000 / (1000 + 9.5) = 0.99
    threshold, is_supported = find_threshold(sample_of(true, false), 0.992, None)
    assert is_supported
    assert 0.6 < threshold < 0.61  # without it: 800 / (800 + 6) = 0.9926


def test_a_sample_too_small_to_be_sure_says_so_and_stays_above_every_stranger():
    true, false = np.linspace(0.5, 1, 100), np.linspace(0, 0.7, 100)
    threshold, is_supported = find_threshold(sample_of(true, false), 0.999, None)
    assert not is_supported
    assert threshold > 0.7
    assert find_threshold(sample_of(true, false), 0.999, 0.9) == (0.9, False)
    assert find_threshold(sample_of(true, false), 0.999, 0.2)[0] == threshold


def test_where_strangers_score_above_every_copy_nothing_can_be_promised():
    assert find_threshold(sample_of([0.5, 0.6], [0.7, 0.8]), 0.95, 0.3) == (None, False)
    promise = fit(sample_of([0.5, 0.6], [0.7, 0.8]), seed=0).promise(0.95)
    assert (promise.threshold, promise.recall, promise.silence) == (None, 0, 1)
    assert promise.least == np.inf


@given(
    st.lists(st.floats(0, 1, allow_nan=False), min_size=5, max_size=60),
    st.sampled_from(PRECISIONS),
    st.data(),
)
def test_every_threshold_keeps_what_it_says(true, precision, data):
    false = data.draw(st.lists(st.floats(0, 1, allow_nan=False), min_size=len(true), max_size=len(true)))
    sample = sample_of(true, false)
    threshold, is_supported = find_threshold(sample, precision, None)
    if threshold is None:
        assert max(false) >= max(true)
    elif is_supported:
        assert precision_bound(*sample.count(threshold)) >= precision
    else:
        assert sample.count(threshold)[1] == 0


def test_recall_and_silence_are_counted_over_all_queries():
    edits = ["crop", "crop", "blur", "blur"]
    sample = sample_of(
        [0.9, np.nan, 0.95, 0.99], [[0.1, 0.0], [0.2, 0.1], [0.91, 0.3], [0.0, 0.0]], edits=edits
    )
    promise = fit(sample, seed=0).promise(0.999)
    assert promise.threshold == 0.95
    assert promise.recall == 0.5
    assert promise.recall_by_edit == {"crop": 0.0, "blur": 1.0}
    assert promise.silence == 1.0


def test_the_check_counts_on_pictures_that_were_not_fitted_on():
    # Source 0 has strangers at 0.95: fitted with it the threshold is 1.0, fitted without it they pass.
    true = [1.0, 0.9, 0.9, 0.9]
    false = [0.95, 0.1, 0.1, 0.1]
    check = fit(sample_of(true, false), seed=0).checks[0]
    assert check.n_false == 1
    assert check.achieved < 1
    assert fit(sample_of(true, false), seed=0).promise(0.999).threshold == 1.0


# Beside the shipped thresholds


def _shipped(*, recipes=("recipe",)):
    # 2,000 copies above every stranger: the thresholds lie at 0.5.
    shipped = fit(sample_of(np.linspace(0.5, 1, 8000), np.full(8000, 0.1)), seed=0)
    return replace(shipped, recipes=recipes)


def _few_wrong():
    """Return 300 copies, and 5 strangers above half of them: 0.968 right, of which 0.95 is not sure."""
    false = np.full(300, 0.2)
    false[:5] = 0.95
    return sample_of(np.linspace(0.55, 0.96, 300), false)


def test_the_shipped_threshold_stays_where_it_held_and_the_own_one_would_find_much_less():
    sample, shipped = _few_wrong(), _shipped()
    kept = fit_beside(sample, shipped, seed=0)
    assert fit(sample, seed=0).promise(0.95).recall < 0.1
    assert kept.promise(0.95).against_shipped == "kept"
    assert kept.promise(0.95).threshold == shipped.promise(0.95).threshold
    assert (kept.promise(0.95).recall, kept.promise(0.95).is_supported) == (1.0, False)
    check = kept.checks[PRECISIONS.index(0.95)]
    assert (check.n_true, check.n_false) == (300, 5)
    # 0.968 is no 0.99: there the own, stricter one stands, and says that it is.
    assert kept.promise(0.99).against_shipped == "stricter"
    assert kept.promise(0.99).recall < 0.1


def test_the_proof_by_which_files_go_keeps_the_stricter_threshold():
    own = fit_beside(_few_wrong(), _shipped(), seed=0, may_keep=False).promise(0.95)
    assert (own.against_shipped, own.threshold) == (
        "stricter",
        fit(_few_wrong(), seed=0).promise(0.95).threshold,
    )


def test_shipped_thresholds_of_other_recipes_are_not_looked_at():
    fitted = fit_beside(_few_wrong(), _shipped(recipes=("another",)), seed=0)
    assert [one.against_shipped for one in fitted.promises] == ["", "", ""]


def test_a_lower_precision_never_asks_for_a_higher_score_than_a_stricter_one():
    shipped = replace(
        _shipped(),
        promises=tuple(
            replace(one, threshold={0.999: 0.6, 0.99: 0.595, 0.95: 0.59}[one.precision])
            for one in _shipped().promises
        ),
    )
    least = [one.least for one in fit_beside(_few_wrong(), shipped, seed=0).promises]
    assert least == sorted(least, reverse=True)


# Pictures that tell nothing


def _noise(levels):
    return np.random.default_rng(0).normal(128, levels, (200, 300)).clip(0, 255).astype(np.uint8)


def test_flat_pictures_and_gradients_are_plain_and_photos_are_not():
    ramp = np.tile(np.linspace(0, 255, 300).astype(np.uint8), (200, 1))
    assert is_plain(np.full((200, 300), 255, np.uint8))
    assert is_plain(np.zeros((1, 1), np.uint8))
    assert is_plain(ramp)
    assert is_plain(ramp.T)
    assert is_plain(_noise(2))
    assert not is_plain(np.asarray(photo(300, 200, "coffee").convert("L")))
    faint = np.asarray(photo(300, 200, "coffee").convert("L")) // 6 + 200
    assert not is_plain(faint.astype(np.uint8))
    assert not is_plain(np.asarray(textured(1).convert("L")))


def test_only_equal_pictures_without_points_are_beyond_proof():
    def points_of(color):
        return extract_keypoints(Image.new("RGB", (300, 200), color))

    assert is_beyond_proof(points_of("#808080"), points_of("#838383"))
    assert not is_beyond_proof(points_of("#808080"), points_of("#a0a0a0"))
    coffee = extract_keypoints(photo(300, 200, "coffee"))
    assert not is_beyond_proof(coffee, coffee)


# What is said under the table


def test_the_signs_in_the_table_are_explained_in_words():
    small = calibration_of(sample_of(np.linspace(0.5, 1, 100), np.full(100, 0.1)))
    assert mark(small.ways["auto"].promise(0.999)) == "100.0% *"
    (unsure, left_out) = calibration_notes(small)
    # 2 x 2.996 x 99 = 594 copies must be found for 99 %, ten edits a picture.
    assert "about 60 pictures for 99.0%" in unsure
    assert "about 599 pictures for 99.9%" in unsure
    assert "2 doubtful pairs counted as different" in left_out
    nothing = calibration_of(sample_of([0.5, 0.6], [0.7, 0.8]))
    assert mark(nothing.ways["auto"].promise(0.95)) == "-"
    assert "not a failure" in calibration_notes(nothing)[0]
    kept = replace(small, ways={"auto": fit_beside(_few_wrong(), _shipped(), seed=0)})
    assert mark(kept.ways["auto"].promise(0.95)) == "100.0% +*"
    assert any("kept the shipped threshold" in note for note in calibration_notes(kept))
    assert any("auto finds much less at 99.9%, 99.0%" in note for note in calibration_notes(kept))


# The record


def test_a_calibration_is_the_same_after_it_was_kept():
    true = np.round(np.linspace(0.4, 1, 30), 6)
    before = calibration_of(sample_of(true, np.round(np.linspace(0, 0.6, 30), 6)))
    after = Calibration.from_text(before.to_text())
    assert after.to_text() == before.to_text()
    assert after.ways["auto"].promises[0].threshold == before.ways["auto"].promises[0].threshold
    assert after.ways["auto"].map.probability(0.55) == pytest.approx(
        before.ways["auto"].map.probability(0.55)
    )


def test_numbers_that_are_none_are_kept_as_null():
    kept = calibration_of(sample_of([np.nan, np.nan], [0.5, 0.5]))
    assert "NaN" not in kept.to_text()
    assert json.loads(kept.to_text())["ways"]["auto"]["checks"][0]["achieved"] is None
    assert np.isnan(Calibration.from_text(kept.to_text()).ways["auto"].checks[0].achieved)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ways": {"auto": {}}}', '{"ways": 3}'])
def test_a_damaged_calibration_is_told(text):
    with pytest.raises(StoreError, match="calibrate"):
        Calibration.from_text(text)


def test_precisions_are_kept_at_the_next_stricter_one():
    assert [parse_precision(one) for one in (0.95, 0.96, 0.99, 0.995, 0.999)] == [
        0.95,
        0.99,
        0.99,
        0.999,
        0.999,
    ]
    for wrong in (0, 1, -1, 99, float("nan")):
        with pytest.raises(InputError, match="makes no sense"):
            parse_precision(wrong)
    for loose in (0.5, 0.9, 0.949):
        with pytest.raises(InputError, match=r"ask for 0\.95 at least"):
            parse_precision(loose)
    with pytest.raises(InputError, match=r"at most 0\.999"):
        parse_precision(0.9995)


def test_the_shipped_calibration_covers_every_default_way():
    shipped = load_shipped()
    assert set(shipped.ways) == {PROOF, *(way for way in ways(Settings()) if ":" not in way)}
    assert len(shipped.edits) == 20
    assert shipped.n_pictures >= 200
    for way in shipped.ways.values():
        strict_first = [promise.least for promise in way.promises]
        assert strict_first == sorted(strict_first, reverse=True)
        assert way.promises[0].recall <= way.promises[-1].recall <= 1


def test_a_gallerys_own_calibration_goes_before_the_shipped_one_while_its_recipes_hold():
    name, way = "phash", load_shipped().ways["phash"]
    own = replace(
        calibration_of(sample_of([0.9], [0.1])), ways={name: replace(way, background=0.123)}
    ).to_text()
    assert choose_way(name, way.recipes, None) == (way, "shipped")
    chosen, origin = choose_way(name, way.recipes, own)
    assert (chosen.background, origin) == (0.123, "gallery")
    assert choose_way(name, ("another recipe",), own) is None
    assert choose_way("nonsense", way.recipes, own) is None


def test_a_calibration_is_stale_when_the_gallery_doubled_or_its_recipes_changed():
    own = calibration_of(sample_of([0.9], [0.1])).to_text()  # of 50 pictures
    recipes = {"auto": ("recipe",)}
    fresh = describe_calibration(own, 100, recipes)
    assert (fresh.origin, fresh.stale, set(fresh.ways)) == ("gallery", "", {"auto"})
    assert "grown from 50 to 101" in describe_calibration(own, 101, recipes).stale
    assert "other recipes" in describe_calibration(own, 50, {"auto": ("new",)}).stale
    assert describe_calibration(None, 50, recipes).origin == "shipped"


# Backgrounds


def test_the_background_is_the_mean_of_the_middle_ranks():
    scores = np.linspace(1, 0, 200)
    assert find_background(scores, 200) == pytest.approx(scores[10:100].mean())
    assert find_background(scores[:100], 5000) == pytest.approx(scores[10:100].mean())
    # In a small gallery the middle is nearer the top.
    assert find_background(scores[:40], 40) == pytest.approx(scores[2:20].mean())


def test_a_tiny_gallery_has_no_background():
    assert np.isnan(find_background(np.ones(19), 19))
    assert np.isnan(find_background(np.empty(0), 100))


def test_equality_stays_1_and_the_background_becomes_0():
    assert relative_score(1.0, 0.6) == pytest.approx(1)
    assert relative_score(0.6, 0.6) == pytest.approx(0)
    assert relative_score(0.5, 0.6) < 0
    assert find_background(np.ones(300), 300) < 1  # a gallery of one picture many times divides by no zero
