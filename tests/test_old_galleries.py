"""A gallery of an earlier release opens, answers as it did, and loses nothing that was kept in it."""

import json
import os
import tarfile
from pathlib import Path

import pytest

from lookalike import Gallery
from lookalike.records.recipe import Recipe

KEPT = Path(__file__).parent / "data"


@pytest.fixture(params=["gallery-0.1.0"])
def old(request, tmp_path):
    """Unpack a gallery of an earlier release; return its folder and what that release answered."""
    with tarfile.open(KEPT / request.param / "gallery.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path, json.loads((tmp_path / "expected.json").read_text())


@pytest.fixture
def gallery(old, settings):
    with Gallery.open(old[0], create=True, settings=settings) as opened:
        yield opened


def test_it_gives_the_same_answers_to_the_bit(gallery, old):
    place, expected = old
    for name, answers in expected["answers"].items():
        found = gallery.search(place / "pictures" / name, k=5)
        others = [[Path(match.picture.path).name, match.score] for match in found]
        assert [one for one in others if one[0] != name][: len(answers)] == answers


def test_files_that_moved_keep_their_features(gallery, old):
    place, expected = old
    before = gallery._store.features.stamp(_recipe(gallery, "phash")).last_number
    report = gallery.add(place / "pictures")
    assert (report.moved, report.added, len(report.failed)) == (expected["n_files"], 0, 0)
    assert gallery._store.features.stamp(_recipe(gallery, "phash")).last_number == before
    assert set(gallery.info().recipes.values()) == {gallery.info().n_contents}


def _recipe(gallery, feature):
    (text,) = gallery._store.features.recipes(feature)
    return Recipe.from_text(text)


def test_what_was_proven_and_said_is_kept(gallery, old):
    for first, second, recipe, outcome in old[1]["verified"]:
        pair = (first, second)
        assert gallery._store.pairs.kept(Recipe.from_text(recipe), [pair]) == {pair: outcome}
    verdicts = {
        (bytes.fromhex(a), bytes.fromhex(b)): bool(is_duplicate) for a, b, is_duplicate in old[1]["verdicts"]
    }
    assert gallery._store.people.verdicts() == verdicts
    ratings = {(bytes.fromhex(a), bytes.fromhex(b)): bool(liked) for a, b, liked in old[1]["ratings"]}
    assert gallery._store.people.ratings() == ratings
    assert gallery._store.notes.calibration() == old[1]["calibration"]


def test_a_verdict_still_keeps_a_pair_apart(gallery, old):
    pictures = old[0] / "pictures"
    gallery.add(pictures)
    groups = _groups(gallery)
    assert {"0.jpg", "same-file.jpg"} in groups
    assert not any({"2.jpg", "half.jpg"} <= group for group in groups)
    gallery.mark(pictures / "2.jpg", pictures / "half.jpg", None)
    assert any({"2.jpg", "half.jpg"} <= group for group in _groups(gallery))


def _groups(gallery):
    return [
        {
            os.path.basename(group.keeper.path),
            *(os.path.basename(member.picture.path) for member in group.members),
        }
        for group in gallery.duplicates().groups
    ]
