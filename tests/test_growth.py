"""No question costs more because the gallery grew: statements, steps of SQLite and looks at files, without a clock."""

import os
import shutil
from contextlib import contextmanager

import numpy as np
import pytest

from conftest import textured
from lookalike import Filter, Gallery
from lookalike.features.extract import recipes_of
from lookalike.gallery import places as places_module
from lookalike.media import volumes
from lookalike.storage.records import Content

SIZES = (50, 500)
STEP = 100  # instructions of SQLite's machine that are counted as one


@pytest.fixture(scope="module")
def galleries(tmp_path_factory, settings):
    """Return two galleries of unlike size with one picture in common, which is there; the others are rows only."""
    place = tmp_path_factory.mktemp("growth")
    here = place / "here"
    here.mkdir()
    textured(1).save(here / "one.png")
    made = []
    for n in SIZES:
        gallery = Gallery.open(place / f"gallery-{n}", create=True, settings=settings)
        gallery.add(here)
        _fill(gallery, n, settings)
        made.append(gallery)
    yield here, made
    for gallery in made:
        gallery.close()


def _fill(gallery, n, settings):
    recipes = recipes_of(settings)
    store = gallery._store
    (kept,) = [store.features.of(one.content_id, recipes.values()) for one in store.files.iter_found()]
    rng = np.random.default_rng(0)
    with store.batch() as batch:
        for number in range(n):
            data = {name: rng.integers(0, 120, len(row), np.uint8).tobytes() for name, row in kept.items()}
            facts = (number, ("png", "jpeg")[number % 2], 50, 50, None)
            content_id, _ = batch.add_content(Content(number.to_bytes(32, "big"), *facts), data, recipes)
            batch.put_file(f"/rows/{number // 20:02}/{number:04}.png", number, number, content_id=content_id)
        for number in range(5):
            batch.put_failure(f"/rows/broken/{number:04}.png", 1, 1, stage="decode", reason="x")


@contextmanager
def _counting(gallery, monkeypatch):
    """Count what is asked of SQLite, how far its machine runs for it, and how often files are looked at."""
    counts = {"statements": 0, "steps": 0, "looks": 0}

    def count(what):
        def one_more(*_):
            counts[what] += 1

        return one_more

    connection = gallery._store.database.connection()
    connection.set_trace_callback(count("statements"))
    connection.set_progress_handler(count("steps"), STEP)
    with monkeypatch.context() as patched:
        for name in ("lstat", "stat"):
            patched.setattr(os, name, _counted(getattr(os, name), count("looks")))
        try:
            yield counts
        finally:
            connection.set_trace_callback(None)
            connection.set_progress_handler(None, 0)


def _counted(real, one_more):
    def call(*arguments, **options):
        one_more()
        return real(*arguments, **options)

    return call


def _costs(galleries, monkeypatch, act):
    here, made = galleries
    costs = []
    for gallery in made:
        act(gallery, here)  # what is made once is made
        with _counting(gallery, monkeypatch) as counts:
            act(gallery, here)
        costs.append(dict(counts))
    return costs


CHEAP = {
    "info": lambda gallery, _: gallery.info(),
    "folders": lambda gallery, _: gallery.folders(),
    "a page of pictures": lambda gallery, _: gallery.pictures(limit=10),
    "a page of failures": lambda gallery, _: gallery.failures(limit=3),
    "adding what is unchanged": lambda gallery, here: gallery.add(here),
    "forgetting names": lambda gallery, _: gallery.remove([f"/elsewhere/{number}" for number in range(100)]),
    "looking up a picture": lambda gallery, _: gallery.picture(1),
    "a filter again": lambda gallery, here: gallery.search(
        here / "one.png", by="phash", k=1, where=Filter("/rows/01")
    ),
    "places that are away": lambda gallery, _: gallery._looking_up._where.away(),
}


@pytest.mark.parametrize("what", CHEAP)
def test_it_costs_the_same_in_a_gallery_ten_times_as_large(galleries, monkeypatch, what):
    small, large = _costs(galleries, monkeypatch, CHEAP[what])
    assert large["statements"] == small["statements"]
    assert large["looks"] == small["looks"]
    assert large["steps"] <= small["steps"] + 2


def test_a_new_file_costs_the_same_in_a_gallery_ten_times_as_large(galleries, monkeypatch):
    here, _ = galleries
    turns = iter(range(100, 200))

    def add(gallery, _):
        path = here.parent / f"{gallery.folder.name}-{next(turns)}.png"
        textured(next(turns)).save(path)
        assert gallery.add(path).added == 1
        assert gallery.remove([path]) == 1

    small, large = _costs(galleries, monkeypatch, add)
    assert large["statements"] == small["statements"]
    assert large["looks"] == small["looks"]
    assert large["steps"] <= small["steps"] + 5


def test_a_filter_of_few_pictures_looks_at_these_only(galleries, monkeypatch):
    _, made = galleries
    where = Filter("/rows/01", ("png",), min_side_px=50, min_bytes=25, max_bytes=34)
    steps = []
    for gallery in made:
        with _counting(gallery, monkeypatch) as counts:
            assert len(gallery._store.passing.ids(where)) == 5
        steps.append(counts["steps"])
    assert steps[1] <= steps[0] + 2


def test_identical_files_are_looked_at_once(tmp_path, settings, monkeypatch):
    looked = []
    n_looks = []
    for n in (20, 40):
        folder = tmp_path / f"same-{n}"
        folder.mkdir()
        textured(5).save(folder / "0.png")
        for number in range(1, n):
            shutil.copy(folder / "0.png", folder / f"{number}.png")
        looked.clear()
        with Gallery.open(tmp_path / f"g{n}", create=True, settings=settings) as gallery:
            with monkeypatch.context() as patched:
                patched.setattr("lookalike.adding.add.is_gone", lambda path: bool(looked.append(path)))
                assert gallery.add(folder, only="hashes").added == n
            assert gallery.info().n_contents == 1
        n_looks.append(len(looked))
    assert n_looks[0] <= 20
    assert n_looks[1] <= 40


def test_what_is_away_is_told_by_places_alone(galleries, monkeypatch):
    _, made = galleries

    def forbidden(path):
        raise AssertionError(f"{path} was looked at")

    monkeypatch.setattr(places_module, "is_gone", forbidden)
    monkeypatch.setattr(volumes.os, "lstat", forbidden)
    assert made[1].info().away == ()
