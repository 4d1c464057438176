"""A proof can be read from the other side, and in the pixels of a whole of which a part was asked."""

import numpy as np
import pytest

from lookalike.records.codec import to_document
from lookalike.records.proof import Proof

HALVED = Proof(
    "copy",
    "keypoints",
    inliers=20,
    transform="cropped to 50 %, resized to 50 %",
    agreement=0.9,
    contains="first",
    overlap_first=((99.5, -0.5), (199.5, -0.5), (199.5, 99.5), (99.5, 99.5)),
    overlap_second=((-0.5, -0.5), (49.5, -0.5), (49.5, 49.5), (-0.5, 49.5)),
    matrix=((0.5, 0.0, -50.0), (0.0, 0.5, 0.0), (0.0, 0.0, 1.0)),
)
SIZES = ((200, 100), (50, 50))


def test_a_turned_proof_says_what_the_second_is_to_the_first():
    turned = HALVED.turned(*SIZES)
    assert turned.contains == "second"
    assert (turned.overlap_first, turned.overlap_second) == (HALVED.overlap_second, HALVED.overlap_first)
    assert np.allclose(turned.placement @ HALVED.placement, np.eye(3))
    assert "on a larger picture" in turned.transform
    assert "resized to 200 %" in turned.transform


def test_turned_twice_it_is_itself_again():
    again = HALVED.turned(*SIZES).turned(*reversed(SIZES))
    assert again.matrix == HALVED.matrix
    assert (again.contains, again.overlap_first) == (HALVED.contains, HALVED.overlap_first)


def test_a_proof_without_a_placement_is_turned_as_far_as_it_says_anything():
    assert Proof("copy", "verdict", contains="equal").turned(*SIZES).contains == "equal"
    assert Proof().turned(*SIZES) == Proof()


def test_the_proof_of_a_part_is_moved_into_the_whole_picture():
    matrix = ((2.0, 0.0, 5.0), (0.0, 2.0, 7.0), (0.0, 0.0, 1.0))
    proof = Proof("copy", overlap_first=((0, 0), (10, 0)), overlap_second=((5, 7), (25, 7)), matrix=matrix)
    moved = proof.moved((100, 50))
    assert moved.overlap_first == ((100, 50), (110, 50))
    assert moved.overlap_second == proof.overlap_second
    assert np.allclose(moved.placement @ [110, 50, 1], [25, 7, 1])


@pytest.mark.parametrize(
    ("relation", "agreement", "score"),
    [
        ("same_file", 0.0, 1.0),
        ("same_pixels", 0.0, 1.0),
        ("copy", 1.0, 0.999),
        ("copy", 0.0, 0.5),
        ("same_scene", 1.0, 0.0),
        ("different", 0.0, 0.0),
    ],
)
def test_only_copies_have_a_score(relation, agreement, score):
    assert Proof(relation, agreement=agreement).score == score


def test_only_what_the_method_can_say_is_written():
    assert to_document(Proof("same_file", "digest")) == {"relation": "same_file", "method": "digest"}
    by_bytes = Proof("same_file", "digest", contains="equal", digest="ab")
    assert to_document(by_bytes) == {"method": "digest", "contains": "equal", "digest": "ab"}
    said = Proof("copy", "verdict", transform="none", contains="equal")
    assert to_document(said) == {"method": "verdict", "transform": "none", "contains": "equal"}
    opinion = Proof("similar", "embedding", cosine=0.8)
    assert to_document(opinion) == {"method": "embedding", "contains": "neither", "cosine": 0.8}
    assert to_document(Proof())["matrix"] is None
