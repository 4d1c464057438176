"""A search that proves finds what a picture is made of: the ranking looks at it as a whole only."""

import pytest
from PIL import Image

from conftest import textured
from lookalike import Filter, Gallery
from pictures import photo

NAMES = ("astronaut", "coffee", "chelsea", "rocket")


@pytest.fixture(scope="module")
def gallery(tmp_path_factory, settings):
    """Photos among enough other pictures that no answer holds all."""
    folder = tmp_path_factory.mktemp("photos")
    for name in NAMES:
        (folder / name).mkdir()
        photo(480, 360, name).save(folder / name / "whole.jpg", quality=92)
    for seed in range(40):
        textured(seed, 480, 360).save(folder / f"{seed}.png")
    with Gallery.open(tmp_path_factory.mktemp("g"), create=True, settings=settings) as opened:
        opened.add(folder)
        yield opened


@pytest.fixture(scope="module")
def collage():
    sheet = Image.new("RGB", (600, 450), "white")
    for place, name in enumerate(NAMES):
        sheet.paste(photo(300, 225, name), (300 * (place % 2), 225 * (place // 2)))
    return sheet


def copies(matches):
    return {match.picture.path.split("/")[-2] for match in matches if match.relation == "copy"}


def test_every_part_of_a_collage_is_proven(gallery, collage):
    found = gallery.search(collage, k=5, verify=True)
    assert copies(found) == set(NAMES)
    assert len(found) == 5


def test_parts_are_looked_for_where_the_search_is_asked_for(gallery, collage):
    folder = next(p.path for p in gallery.pictures(limit=99)[0] if "/coffee/" in p.path).rsplit("/", 1)[0]
    assert copies(gallery.search(collage, verify=True, where=Filter(folder=folder))) == {"coffee"}
    ranked = {match.picture.path for match in gallery.search(collage, by="phash")}
    assert {match.picture.path for match in gallery.search(collage, verify=True, by="phash")} == ranked


def test_what_is_not_proven_is_no_answer_for_its_colour_or_a_part(gallery):
    query = textured(77, 480, 360)
    ranked = {match.picture.path for match in gallery.search(query, k=6)}
    assert {match.picture.path for match in gallery.search(query, k=6, verify=True)} == ranked


def test_a_least_score_holds_for_what_is_proven_too(gallery, collage):
    assert all(match.score >= 0.3 for match in gallery.search(collage, verify=True, min_score=0.3))


def test_the_first_page_begins_with_what_was_proven_further_down(gallery, collage):
    first = gallery.search_page(gallery.load(collage), k=3, offset=0, verify=True)
    assert copies(first.matches) == set(NAMES)
    assert first.has_more
