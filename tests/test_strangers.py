"""Who counts as a stranger in a calibration: not the source, not its copies, not what tells nothing."""

import numpy as np
import pytest

from lookalike.calibration.record import Asked, Drawn, Judged, Ranked
from lookalike.calibration.strangers import (
    examples_of,
    highest_strangers,
    nearest_strangers,
    sample_of_way,
    strangers_of,
)

N_CONTENTS = 10  # so few have no background of their own: scores stay as they are


@pytest.fixture
def asked():
    """Two copies of picture 1 and one of picture 2, each with the four best answers."""
    ids = np.array([[1, 3, 4, 5], [3, 1, 5, 6], [2, 4, 7, -1]], np.int64)
    scores = np.array([[0.9, 0.8, 0.7, 0.6], [0.7, 0.6, 0.5, 0.4], [0.8, 0.5, 0.3, np.nan]])
    pictures = {content_id: f"picture {content_id}" for content_id in range(1, N_CONTENTS + 1)}
    drawn = Drawn(pictures, frozenset(), {1: ("crop", "blur"), 2: ("crop",)}, ("auto",), 0)
    sources = np.array([1, 1, 2], np.int64)
    return Asked(drawn, sources, ("crop", "blur", "crop"), {"auto": Ranked(ids, scores)}, frozenset(), ())


def test_sources_copies_and_the_plain_are_taken_out(asked):
    judged = Judged(copies=frozenset({(1, 3), (3, 1)}), untelling=frozenset({5}))
    strangers, backgrounds = strangers_of(asked, judged, "auto")
    assert strangers.ids.tolist() == [[4, -1, -1, -1], [6, -1, -1, -1], [4, 7, -1, -1]]
    np.testing.assert_allclose(strangers.scores[:, 0], [0.7, 0.4, 0.5])
    assert backgrounds.tolist() == [0, 0, 0]


def test_pairs_of_which_nothing_can_tell_are_taken_out_too(asked):
    strangers, _ = strangers_of(asked, Judged(unsettled=frozenset({(2, 4), (4, 2)})), "auto")
    assert strangers.ids[2].tolist() == [7, -1, -1, -1]
    assert 4 in strangers.ids[0]


def test_the_highest_pair_counts_once_with_its_best_score(asked):
    assert highest_strangers(asked, Judged(), "auto", 3) == [
        ((1, 3), pytest.approx(0.8)),
        ((1, 4), pytest.approx(0.7)),
        ((1, 5), pytest.approx(0.6)),
    ]
    assert len(highest_strangers(asked, Judged(), "auto", 100)) == 6


def test_nearest_strangers_are_those_of_all_copies_of_a_source(asked):
    assert nearest_strangers(asked, Judged(), 2) == {1: [3, 4], 2: [4, 7]}


def test_a_copy_whose_source_was_not_found_has_no_true_score(asked):
    sample = sample_of_way(asked, Judged(), "auto", ("recipe",))
    np.testing.assert_allclose(sample.true, [0.9, 0.6, 0.8])
    elsewhere = Asked(asked.drawn, np.array([9, 1, 2]), asked.labels, asked.ranked, frozenset(), ())
    assert np.isnan(sample_of_way(elsewhere, Judged(), "auto", ()).true[0])


def test_examples_are_each_copy_with_its_source_and_its_highest_stranger(asked):
    sample = sample_of_way(asked, Judged(), "auto", ())
    found = [(one.source, one.other, one.is_copy) for one in examples_of(asked, Judged(), sample)]
    assert found[:2] == [("picture 1", "picture 1", True), ("picture 1", "picture 3", False)]
    assert len(found) == 6
