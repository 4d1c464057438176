"""A picture whose files are not at hand is asked with what was kept of it."""

import os

import httpx
import pytest

from conftest import textured
from lookalike import Filter, Gallery
from lookalike.errors import InputError, PictureError, QueryError
from pictures import photo
from served import served


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawer")
    (folder / "disk").mkdir()
    for name in ("astronaut", "coffee", "rocket"):
        photo(320, 240, name).save(folder / "disk" / f"{name}.jpg", quality=92)
        photo(320, 240, name).resize((200, 150)).save(folder / "disk" / f"small {name}.jpg", quality=85)
    for seed in range(20):
        textured(seed, 160, 120).save(folder / "disk" / f"{seed}.png")
    return folder


@pytest.fixture
def gallery(place, settings, tmp_path):
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(place / "disk")
        yield opened


@pytest.fixture
def away(place):
    """Return a context in which the disk is in a drawer."""
    (place / "disk").rename(place / "drawer")
    yield place / "disk"
    (place / "drawer").rename(place / "disk")


def _id_of(gallery, path):
    return next(one.content_id for one in gallery.pictures(limit=100)[0] if one.path == str(path))


@pytest.fixture
def expected(gallery, place):
    """Return the id of a picture, and what it finds while its file is there."""
    content_id = _id_of(gallery, place / "disk" / "coffee.jpg")
    ways = ("auto", "embedding", "phash", "hash-then-embedding")
    return content_id, {
        by: [(one.picture.path, one.score) for one in gallery.search(f"id:{content_id}", by=by, k=1)]
        for by in ways
    }


def test_it_finds_what_it_found_while_its_file_was_there(gallery, expected, away):
    content_id, before = expected
    for by, found in before.items():
        matches = gallery.search(f"id:{content_id}", by=by, k=1)
        assert [(one.picture.path, one.score) for one in matches] == found
        assert matches[0].picture.path.endswith("small coffee.jpg")
    assert not os.path.exists(away)
    jpegs = gallery.search(f"id:{content_id}", k=20, where=Filter(formats=("jpeg",)))
    assert len(jpegs) == 5


def test_it_is_proven_where_its_points_were_kept(gallery, expected, place):
    content_id, _ = expected
    kept = gallery.search(f"id:{content_id}", k=1, verify=True)
    gallery.search(f"id:{kept[0].picture.content_id}", k=1, verify=True)  # keeps the points of what it finds
    (place / "disk").rename(place / "drawer")
    try:
        (match,) = gallery.search(f"id:{content_id}", k=1, verify=True)
        other = _id_of(gallery, place / "disk" / "rocket.jpg")
        (unproven,) = gallery.search(f"id:{other}", k=1, verify=True)
    finally:
        (place / "drawer").rename(place / "disk")
    assert (kept[0].relation, match.relation) == ("copy", "copy")
    assert unproven.proof is None or unproven.relation != "copy"


def test_what_needs_its_pixels_says_so(gallery, expected, away, settings):
    content_id, _ = expected
    with pytest.raises(QueryError, match="is gone"):
        gallery.search(f"id:{content_id}", box=(0, 0, 0.5, 0.5))
    with pytest.raises((QueryError, PictureError), match="is gone"):
        gallery.compare(f"id:{content_id}", f"id:{content_id}")
    with pytest.raises(QueryError, match="no picture of this gallery"):
        gallery.search("id:99999")


def test_a_feature_that_was_not_kept_is_a_sentence(place, settings, tmp_path):
    lone = tmp_path / "lone.png"
    textured(3, 96, 96).save(lone)
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(place / "disk" / "astronaut.jpg")
        gallery.add(lone, only="hashes")
        content_id = _id_of(gallery, lone)
        lone.unlink()
        assert len(gallery.search(f"id:{content_id}")) == 1
        with pytest.raises(InputError, match="has no embedding"):
            gallery.search(f"id:{content_id}", by="embedding")


def test_the_server_answers_for_it_too(gallery, expected, away, settings):
    content_id, before = expected
    with served(gallery.folder, settings) as address:
        asked = {"query": f"id:{content_id}", "k": 1, "offset": 0}
        found = httpx.get(f"{address}/api/v1/search", params=asked).json()
        assert [one["path"] for one in found["matches"]] == [before["auto"][0][0]]
        assert httpx.get(f"{address}/api/v1/pictures/{content_id}").json()["camera"] is None
