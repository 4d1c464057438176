"""Frames of a series are not thinned without a word, though nothing but their names tells them apart."""

import numpy as np
import pytest
from PIL import Image

from lookalike import Gallery
from lookalike.duplicates.series import numbered_apart
from pictures import encode, photo


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/a/frame_001.jpg", "/a/frame_002.jpg"),
        ("/a/7_100.jpg", "/a/9_100.jpg"),
        ("/a/火车 12.png", "/a/火车 22.png"),
    ],
)
def test_names_with_near_numbers_are_of_one_series(one, other):
    assert "series" in numbered_apart(one, other)
    assert "series" in numbered_apart(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/a/frame_001.jpg", "/b/frame_002.jpg"),
        ("/a/image_000123.jpg", "/a/image_004567.jpg"),
        ("/a/lake.jpg", "/a/lake (1).jpg"),
        ("/a/lake.jpg", "/a/lake.jpg"),
        ("/a/7_100.jpg", "/a/8_101.jpg"),
        ("/a/lake1.jpg", "/a/sea2.jpg"),
        ("/a/\u00b2.jpg", "/a/\u00b3.jpg"),
    ],
)
def test_other_names_say_nothing(one, other):
    assert numbered_apart(one, other) == ""


def _second_shot(picture):
    """Return what a camera on a tripod gives a second later: the same, with another noise."""
    noise = np.random.default_rng(2).normal(0, 1.5, (picture.height, picture.width, 3))
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


@pytest.fixture
def gallery(settings, tmp_path):
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        yield opened


def _notes(gallery):
    (group,) = gallery.duplicates().groups
    return [(member.relation, member.note) for member in group.members]


def test_a_tripod_without_exif_keeps_all_its_frames(gallery, tmp_path):
    (tmp_path / "p").mkdir()
    first = photo(500, 400, "coffee")
    first.save(tmp_path / "p" / "frame_001.jpg", quality=90)
    _second_shot(first).save(tmp_path / "p" / "frame_002.jpg", quality=90)
    gallery.add(tmp_path / "p")
    ((relation, note),) = _notes(gallery)
    assert relation == "copy"
    assert "series" in note


def test_a_persons_word_lets_a_frame_go(gallery, tmp_path):
    (tmp_path / "p").mkdir()
    first = photo(500, 400, "coffee")
    first.save(tmp_path / "p" / "frame_001.jpg", quality=90)
    _second_shot(first).save(tmp_path / "p" / "frame_002.jpg", quality=90)
    gallery.add(tmp_path / "p")
    gallery.mark(tmp_path / "p" / "frame_001.jpg", tmp_path / "p" / "frame_002.jpg", True)
    assert _notes(gallery) == [("copy", "")]


def test_a_numbered_copy_that_was_saved_from_the_other_one_goes(gallery, tmp_path):
    (tmp_path / "p").mkdir()
    original = photo(500, 400, "coffee")
    data = encode(original, "JPEG", quality=92)
    (tmp_path / "p" / "lake 1.jpg").write_bytes(data)
    Image.open(tmp_path / "p" / "lake 1.jpg").save(tmp_path / "p" / "lake 2.jpg", quality=55)
    gallery.add(tmp_path / "p")
    assert _notes(gallery) == [("copy", "")]
