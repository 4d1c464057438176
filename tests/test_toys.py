"""A toy tier and a toy way, each one entry in its list, are found by Python, the command line and HTTP."""

import json

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from conftest import textured
from lookalike import Gallery
from lookalike.cli import load_app
from lookalike.evaluation.answers import features_of
from lookalike.evaluation.evaluate import parse_ways
from lookalike.searching.way import Ranking, Way
from lookalike.searching.ways import WAYS
from lookalike.storage.index.choose import TIERS, Tier
from lookalike.storage.index.exact import ExactNearest
from served import served


class Backwards(Way):
    """All that may answer, the newest first."""

    name = "backwards"
    needs = ("phash",)
    describes = "nothing: the newest come first"
    unit = "places"

    def rank(self, query, look_up, k, *, allowed=None):
        ids = look_up.rows("phash").contents()[0] if allowed is None else allowed.ids
        ids = np.sort(ids)[::-1]
        places = np.arange(len(ids), dtype=np.float64)
        relations = ("similar",) * len(ids)
        return Ranking(ids, 1 / (1 + places), places, relations, lambda n: f"it is number {n}")


class Toy(ExactNearest):
    """The exact tier, counted."""

    n_searches = 0

    def search(self, queries, k, *, allowed=None):
        Toy.n_searches += 1
        return super().search(queries, k, allowed=allowed)


@pytest.fixture(scope="module")
def place(tmp_path_factory, settings):
    folder = tmp_path_factory.mktemp("toys")
    (folder / "pictures").mkdir()
    for seed in range(5):
        textured(seed, 96, 80).save(folder / "pictures" / f"{seed}.png")
    with Gallery.open(folder / "g", create=True, settings=settings) as gallery:
        gallery.add(folder / "pictures", only="hashes")
    return folder


def _command(place, *arguments):
    done = CliRunner().invoke(load_app(), ["--gallery", str(place / "g"), *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_toy_way_is_found_everywhere(place, settings, monkeypatch):
    monkeypatch.setitem(WAYS, "backwards", Backwards())
    query = str(place / "pictures" / "2.png")
    with Gallery.open(place / "g", settings=settings) as gallery:
        matches = gallery.search(query, by="backwards", k=3)
        assert (
            "backwards" in gallery.info().calibration.ways or gallery.info().calibration.origin == "shipped"
        )
        newest = sorted(gallery.pictures(limit=9)[0], key=lambda picture: -picture.content_id)
    asked = next(picture.content_id for picture in newest if picture.path == query)
    names = [match.picture.path[-5:] for match in matches]
    assert names == [picture.path[-5:] for picture in newest if picture.path != query][:3]
    first = [picture.path for picture in newest].index(matches[0].picture.path)
    assert matches[0].why == f"it is number {first}"
    assert "backwards" in _command(place, "ways")
    assert "the newest come first" in _command(place, "ways")
    printed = json.loads(_command(place, "search", query, "--by", "backwards", "-k", "3", "--json"))
    assert [one["path"][-5:] for one in printed["matches"]] == names
    with served(place / "g", settings) as address:
        assert "backwards" in httpx.get(f"{address}/api/v1/ways").json()
        found = httpx.get(
            f"{address}/api/v1/search", params={"query": f"id:{asked}", "by": "backwards", "k": 3}
        ).json()
        assert [one["path"][-5:] for one in found["matches"]] == names
    assert features_of("backwards", settings) == ("phash",)
    assert "backwards" in parse_ways("all", settings)


def test_a_toy_tier_answers_everywhere_as_the_exact_one(place, settings, monkeypatch):
    query = str(place / "pictures" / "2.png")
    with Gallery.open(place / "g", settings=settings) as gallery:
        expected = [(one.picture.path, one.score) for one in gallery.search(query, by="phash")]
    toy = Tier("counts", lambda rows, metric, _: Toy(rows, metric), lambda _kind, n_rows: n_rows > 1_000_000)
    monkeypatch.setitem(TIERS, "toy", toy)
    chosen = settings.with_values({"tier": "toy"})
    before = Toy.n_searches
    with Gallery.open(place / "g", settings=chosen) as gallery:
        assert [(one.picture.path, one.score) for one in gallery.search(query, by="phash")] == expected
        assert gallery.info().tiers == dict.fromkeys(("ahash", "dhash", "phash", "whash"), "toy")
    assert Toy.n_searches == before + 1
    assert "looked up by the tier toy" in _command(place, "--set", "tier=toy", "info")
    printed = json.loads(_command(place, "--set", "tier=toy", "search", query, "--by", "phash", "--json"))
    assert [one["path"] for one in printed["matches"]] == [path for path, _ in expected]
    assert Toy.n_searches == before + 2
    with served(place / "g", chosen) as address:
        found = httpx.get(f"{address}/api/v1/search", params={"query": "id:3", "by": "phash"}).json()
        assert [one["path"] for one in found["matches"]] == [path for path, _ in expected]
    assert Toy.n_searches >= before + 3
