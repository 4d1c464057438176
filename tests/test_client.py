"""A served gallery answers the verbs of a `Gallery` with the same records."""

import json
import os
import subprocess
import sys

import httpx
import numpy as np
import pytest
from PIL import Image

from conftest import textured
from lookalike import Filter, Gallery, LookalikeError
from lookalike.errors import DecodeError, InputError, QueryError, StoreError
from lookalike.gallery.served import ServedGallery
from lookalike.queries.source import Box
from lookalike.report.documents import (
    Answer,
    compare_document,
    duplicates_document,
    promise_document,
    search_document,
)
from pictures import encode, photo
from served import served

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def place(tmp_path_factory, settings):
    place = tmp_path_factory.mktemp("client")
    (place / "pictures").mkdir()
    for seed in range(6):
        textured(seed, 160, 120).save(place / "pictures" / f"{seed}.png")
    for name in ("coffee", "rocket"):
        photo(400, 300, name).save(place / "pictures" / f"{name}.jpg", quality=92)
        photo(400, 300, name).resize((200, 150)).save(place / "pictures" / f"{name}-small.jpg", quality=85)
    (place / "pictures" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nonsense")
    photo(300, 200, "coffee").save(place / "query.jpg", quality=80)
    with Gallery.open(place / "g", create=True, settings=settings) as gallery:
        gallery.add(place / "pictures")
    return place


@pytest.fixture(scope="module")
def address(place, settings):
    with served(place / "g", settings) as address:
        yield address


@pytest.fixture
def remote(address, settings):
    with Gallery.open(address, settings=settings) as gallery:
        yield gallery


@pytest.fixture
def local(place, settings):
    with Gallery.open(place / "g", settings=settings) as gallery:
        yield gallery


def document(matches):
    return json.loads(json.dumps(search_document(Answer("q", matches))))


def test_an_address_opens_the_served_gallery(remote):
    assert isinstance(remote, ServedGallery)
    with pytest.raises(InputError, match="address"):
        Gallery.open("ftp://somewhere")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"k": 2, "by": "phash", "max_distance": 30},
        {"where": Filter(formats=("png",), min_side_px=100), "min_score": 0.05},
        {"verify": True, "k": 3},
        {"box": Box(0.1, 0.1, 0.7, 0.8), "verify": True, "k": 2},
        {"liked": (1, 2), "disliked": (3,)},
    ],
)
def test_search_gives_the_same_matches(remote, local, place, options):
    query = place / "query.jpg"
    assert document(remote.search(query, **options)) == document(local.search(query, **options))


def test_queries_may_be_ids_bytes_images_and_arrays(remote, local):
    for query in ("id:3", encode(textured(2, 160, 120)), photo(300, 200, "rocket"), np.asarray(textured(4))):
        assert document(remote.search(query, k=3)) == document(local.search(query, k=3))


def test_compare_gives_the_same_comparison(remote, local, place):
    pair = (place / "query.jpg", place / "pictures" / "coffee.jpg")
    ours, theirs = remote.compare(*pair), local.compare(*pair)
    assert compare_document(ours) == json.loads(json.dumps(compare_document(theirs)))
    assert [(one.name, one.lowest, one.highest, one.is_distance) for one in ours.measures] == [
        (one.name, one.lowest, one.highest, one.is_distance) for one in theirs.measures
    ]
    assert ours.verification.n_inliers == theirs.verification.n_inliers
    assert remote.compare("id:1", "id:1").relation == "same_file"


def test_info_and_pictures_are_the_same(remote, local):
    assert remote.info() == local.info()
    ours, theirs = remote.pictures(limit=4), local.pictures(limit=4)
    assert ours[1] == theirs[1]
    assert [one.path for one in ours[0]] == [one.path for one in theirs[0]]
    assert [one.date for one in ours[0]] == [one.date for one in theirs[0]]
    assert remote.picture(1)[0].digest == local.picture(1)[0].digest


@pytest.mark.parametrize(
    "verb",
    ["apply", "calibrate", "check_plan", "find_gone", "open_picture", "plan_choices", "prune", "show"],
)
def test_a_verb_that_needs_the_folder_is_refused_in_one_sentence(remote, address, verb):
    with pytest.raises(InputError, match="folder only: ") as refused:
        getattr(remote, verb)("id:1")
    assert str(refused.value).startswith(address)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("by", ["auto", "phash", "duplicates"])
def test_a_precision_is_worth_the_same(remote, local, by):
    ours, theirs = remote.promise(by, 0.95), local.promise(by, 0.95)
    assert (ours.by, ours.origin) == (theirs.by, theirs.origin)
    assert ours.promise.threshold == theirs.promise.threshold
    assert ours.promise.recall == pytest.approx(theirs.promise.recall, abs=1e-4)
    assert ours.promise.recall_by_edit == pytest.approx(theirs.promise.recall_by_edit, abs=1e-4)
    assert promise_document(ours) == promise_document(theirs)


def test_a_precision_that_cannot_be_promised_is_refused_in_the_same_words(remote, local):
    for by, precision in (("auto", 1.5), ("auto", 0.5), ("auto", 0.9999), ("hsv:cosine", 0.95)):
        with pytest.raises(InputError) as here:
            local.promise(by, precision)
        with pytest.raises(InputError) as there:
            remote.promise(by, precision)
        assert str(there.value) == str(here.value)


def test_folders_and_failures_are_the_same(remote, local):
    assert remote.folders() == local.folders()
    assert remote.failures() == local.failures()
    assert remote.failures()[1] == 1


def test_ratings_are_those_of_the_server(remote):
    remote.rate("id:1", 2, True)
    remote.rate("id:1", 2, None)
    with pytest.raises(QueryError, match="999"):
        remote.rate("id:1", 999, True)
    with pytest.raises(InputError, match="id:N"):
        remote.rate("a.jpg", 2, True)


def test_add_duplicates_mark_and_remove(tmp_path, settings):
    folder = tmp_path / "pictures"
    folder.mkdir()
    textured(7, 400, 300).save(folder / "large.png")
    textured(7, 400, 300).resize((200, 150)).save(folder / "small.jpg")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nonsense")
    Gallery.open(tmp_path / "g", create=True, settings=settings).close()
    with served(tmp_path / "g", settings) as address, Gallery.open(address, settings=settings) as remote:
        seen = []
        report = remote.add(folder, on_progress=seen.append)
        assert (report.added, len(report.failed), report.interrupted) == (2, 1, False)
        assert report.failed[0].stage == "decode"
        stages = []
        found = remote.duplicates(on_stage=lambda *stage: stages.append(stage))
        with Gallery.open(tmp_path / "g", settings=settings) as local:
            expected = duplicates_document(local.duplicates())
        assert duplicates_document(found)["groups"] == json.loads(json.dumps(expected))["groups"]
        (group,) = found.groups
        pair = (f"id:{group.keeper.content_id}", f"id:{group.members[0].picture.content_id}")
        remote.mark(*pair, False)
        assert remote.duplicates().groups == ()
        with pytest.raises(InputError, match="id:N"):
            remote.mark("a.jpg", "b.jpg", True)
        assert remote.remove([folder / "small.jpg"]) == 1
        assert remote.info().n_files == 2


def test_errors_are_those_of_a_folder(remote):
    with pytest.raises(QueryError, match="999"):
        remote.search("id:999")
    with pytest.raises(DecodeError):
        remote.search(b"no picture")
    with pytest.raises(InputError, match="choose from"):
        remote.search("id:1", by="nonsense")
    with pytest.raises(LookalikeError, match="no such file"):
        remote.search("/nowhere/at/all.jpg")
    with pytest.raises(LookalikeError, match="/no/such"):
        remote.duplicates(protect=["/no/such/folder"])
    with pytest.raises(InputError, match="folder only"):
        remote.prune()
    with pytest.raises(InputError, match="other options"):
        remote.add("x", include=["*.png"])


def test_the_token_is_sent_and_a_wrong_one_is_said(place, settings, monkeypatch):
    with served(place / "g", settings, token=TOKEN) as address:
        with Gallery.open(address, token=TOKEN, settings=settings) as remote:
            assert remote.info().n_contents == 10
        monkeypatch.setenv("LOOKALIKE_TOKEN", TOKEN)
        with Gallery.open(address, settings=settings) as remote:
            assert remote.info().n_contents == 10
        with (
            Gallery.open(address, token="wrong-wrong-wrong-wrong", settings=settings) as remote,
            pytest.raises(LookalikeError, match="token is wrong"),
        ):
            remote.info()


def test_a_server_that_is_not_there_is_one_sentence(settings):
    with (
        Gallery.open("http://127.0.0.1:9", settings=settings) as remote,
        pytest.raises(StoreError, match="cannot be reached"),
    ):
        remote.info()


def test_a_busy_server_is_asked_again(settings, monkeypatch):
    answers = iter([503, 503, 200])
    waited = []

    def answer(request):
        status = next(answers)
        return httpx.Response(
            status, json={"type": "about:blank", "detail": "busy"}, headers={"Retry-After": "1"}
        )

    monkeypatch.setattr("lookalike.gallery.served.time.sleep", waited.append)
    remote = ServedGallery("http://x", settings=settings, transport=httpx.MockTransport(answer))
    assert remote._ask("GET", "/info") == {"type": "about:blank", "detail": "busy"}
    assert waited == [1.0, 2.0]


def test_the_command_line_asks_a_served_gallery(address, place, settings):
    def run(*arguments, code=0):
        command = [sys.executable, "-m", "lookalike", "--gallery", address, *arguments]
        environment = {**os.environ, "LOOKALIKE_JOBS": str(settings.jobs)}
        done = subprocess.run(command, capture_output=True, env=environment, cwd=place)
        assert done.returncode == code, done.stderr
        assert b"Traceback" not in done.stderr
        return done

    found = json.loads(run("search", "query.jpg", "-k", "2", "--json").stdout)
    with Gallery.open(place / "g", settings=settings) as local:
        assert found["matches"] == document(local.search(place / "query.jpg", k=2))["matches"]
        assert json.loads(run("info", "--json").stdout)["n_files"] == local.info().n_files
    part = json.loads(run("search", "query.jpg", "--box", "0.1,0.1,0.7,0.8", "--json").stdout)
    assert "coffee" in part["matches"][0]["path"]
    sure = run("search", "query.jpg", "--precision", "0.95", "--json")
    assert b"never calibrated" in sure.stderr
    with Gallery.open(place / "g", settings=settings) as local:
        found, promised = local.search(place / "query.jpg", precision=0.95), local.promise("auto", 0.95)
    expected = search_document(Answer("query.jpg", found, promised=promised))
    assert json.loads(sure.stdout) == json.loads(json.dumps(expected))
    assert json.loads(run("duplicates", "--precision", "0.95", "--json").stdout)["groups"]
    for refused in (("calibrate",), ("duplicates", "--plan", "plan.json"), ("prune",)):
        assert b"folder only" in run(*refused, code=2).stderr
    assert not (place / "plan.json").exists()
    assert b"served by another process" in run("serve", "--port", "0", code=2).stderr
    with Image.open(place / "query.jpg") as image:
        image.verify()
