"""Likes and dislikes move a query, and a box cuts one."""

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import InputError
from lookalike.features.feature import EMBEDDING
from lookalike.queries.refined import DISLIKED_WEIGHT, LIKED_WEIGHT, Refinement
from lookalike.queries.source import Box, cut_box, parse_box
from lookalike.records.picture import Picture

NONE = np.empty((0, 0), np.float32)


def unit(*numbers):
    row = np.array([numbers], np.float32)
    return row / np.linalg.norm(row)


def test_the_query_moves_towards_likes_and_away_from_dislikes_by_rocchios_formula():
    query, liked, disliked = unit(1, 0, 0), unit(0, 1, 0), unit(0, 0, 1)
    moved = Refinement(EMBEDDING, liked, disliked).apply(query)
    expected = np.array([1, LIKED_WEIGHT, -DISLIKED_WEIGHT])
    assert np.allclose(moved[0], expected / np.linalg.norm(expected))
    two = Refinement(EMBEDDING, np.concatenate([liked, query]), NONE).apply(query)
    assert np.allclose(two[0], unit(1 + LIKED_WEIGHT / 2, LIKED_WEIGHT / 2, 0)[0])


def test_without_opinions_the_query_stays_and_never_becomes_nothing():
    query = unit(3, 4)
    assert np.allclose(Refinement(EMBEDDING, NONE, NONE).apply(query), query)
    opposite = Refinement(EMBEDDING, -query / np.float32(1), NONE)
    assert np.isfinite(opposite.apply(query)).all()
    assert np.linalg.norm(opposite.apply(query)) == pytest.approx(1)


def test_a_box_is_read_and_checked():
    assert parse_box("0.25, 0,0.5,1") == Box(0.25, 0, 0.5, 1)
    assert parse_box("0.333333,0,0.6666671,1")  # rounded, a hair too wide
    for text in ("", "1,2,3", "0,0,1,1,1", "0,0,-1,1", "0,0,0,1", "0.6,0,0.5,1", "inf,0,1,1", "nan,0,1,1"):
        with pytest.raises(InputError, match="box"):
            parse_box(text)


def test_a_box_cuts_the_part_and_says_its_size_in_the_original():
    image = Image.new("RGB", (100, 50))
    image.paste((255, 0, 0), (50, 0, 100, 25))
    part = cut_box(Picture(image, 1000, 500, "png"), Box(0.5, 0, 0.5, 0.5))
    assert (part.width_px, part.height_px) == (500, 250)
    assert part.image.size == (50, 25)
    assert part.rgb.min(axis=(0, 1)).tolist() == [255, 0, 0]
    assert cut_box(Picture(image, 1000, 500, "png"), Box(0.999, 0.999, 0.0001, 0.0001)).image.size == (1, 1)
