"""A served gallery: how it is reached, understood and waited for. What its verbs answer is in the contract."""

import json
import os
import subprocess
import sys

import httpx
import pytest

from conftest import textured
from lookalike import Gallery, LookalikeError, __version__
from lookalike.answers.search import Answer, SearchAnswer
from lookalike.errors import InputError, QueryError, StoreError
from lookalike.gallery.served import ServedGallery
from lookalike.records.codec import to_document
from pictures import photo
from served import served

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def place(tmp_path_factory, settings):
    place = tmp_path_factory.mktemp("served")
    (place / "pictures").mkdir()
    photo(400, 300, "coffee").save(place / "pictures" / "coffee.jpg", quality=92)
    photo(400, 300, "coffee").resize((200, 150)).save(place / "pictures" / "coffee-small.jpg", quality=85)
    textured(1, 160, 120).save(place / "pictures" / "1.png")
    photo(300, 200, "coffee").save(place / "query.jpg", quality=80)
    with Gallery.open(place / "g", create=True, settings=settings) as gallery:
        gallery.add(place / "pictures")
    return place


@pytest.fixture(scope="module")
def address(place, settings):
    with served(place / "g", settings) as address:
        yield address


def answering(*answers, version=__version__):
    """Return a transport that answers with these, one after the other, once the version was asked for."""
    waiting = list(answers)

    def answer(request):
        if request.url.path == "/api/v1/version":
            return httpx.Response(200, json={"version": version})
        given = waiting.pop(0)
        return given(request) if callable(given) else given

    return httpx.MockTransport(answer)


def opened(settings, *answers, **options):
    return ServedGallery("http://x", settings=settings, transport=answering(*answers, **options))


def test_a_server_that_is_not_there_is_one_sentence(settings):
    with pytest.raises(StoreError, match=r"cannot be reached .*does `lookalike serve` run there\?"):
        Gallery.open("http://127.0.0.1:9", settings=settings)


def test_the_token_is_sent_and_a_wrong_one_is_said(place, settings, monkeypatch):
    with served(place / "g", settings, token=TOKEN) as address:
        with Gallery.open(address, token=TOKEN, settings=settings) as gallery:
            assert gallery.info().n_contents == 3
        monkeypatch.setenv("LOOKALIKE_TOKEN", TOKEN)
        with Gallery.open(address, settings=settings) as gallery:
            assert gallery.info().n_contents == 3
        with pytest.raises(LookalikeError, match="token is wrong"):
            Gallery.open(address, token="wrong-wrong-wrong-wrong", settings=settings)


@pytest.mark.parametrize("version", ["9.0.0", "0.999.0", "next"])
def test_a_server_of_another_series_is_one_sentence_at_open(settings, version):
    with pytest.raises(
        StoreError, match=rf"served by lookalike {version}, and this is .*Update the older one\."
    ):
        opened(settings, version=version)


def test_a_later_version_of_the_same_series_is_understood(settings):
    series = __version__.rpartition(".")[0]
    opened(settings, version=f"{series}.999").close()


def test_a_server_without_a_version_is_older_or_another_one(settings):
    transport = httpx.MockTransport(lambda _: httpx.Response(404, text="nothing here"))
    with pytest.raises(StoreError, match="no lookalike server, or one that is older"):
        ServedGallery("http://x", settings=settings, transport=transport)


MAPPINGS = ("acts", "formats", "measures", "ranges", "recall_by_edit", "recipes", "ways")


def with_more(document):
    """Return JSON values with a field in every object that no record has."""
    if isinstance(document, list):
        return [with_more(one) for one in document]
    if not isinstance(document, dict):
        return document
    kept = {name: value if name in MAPPINGS else with_more(value) for name, value in document.items()}
    return {**kept, "added_later": {"a": [1]}}


@pytest.mark.parametrize(
    "ask",
    [
        lambda gallery: gallery.search("id:1", verify=True),
        lambda gallery: gallery.compare("id:1", "id:2"),
        lambda gallery: gallery.promise("auto", 0.95),
        lambda gallery: gallery.failures(),
        lambda gallery: gallery.picture(1),
        lambda gallery: gallery.pictures(),
        lambda gallery: gallery.find_gone(),
        lambda gallery: gallery.runs(),
        lambda gallery: gallery.ratings(),
        lambda gallery: gallery.duplicates().groups,
    ],
)
def test_fields_of_a_newer_server_break_nothing(address, settings, ask):
    with httpx.Client(timeout=60) as network:

        def forward(request):
            answer = network.request(
                request.method,
                str(request.url).replace("http://x", address),
                content=request.read(),
                headers={"Content-Type": request.headers.get("content-type", "application/json")},
            )
            if "json" not in answer.headers["content-type"]:
                return httpx.Response(answer.status_code, content=answer.content)
            return httpx.Response(answer.status_code, json=with_more(answer.json()))

        transport = httpx.MockTransport(forward)
        with (
            Gallery.open(address, settings=settings) as plain,
            ServedGallery("http://x", settings=settings, transport=transport) as newer,
        ):
            assert repr(ask(newer)) == repr(ask(plain))


def test_a_busy_server_is_asked_again(settings, monkeypatch):
    waited = []
    monkeypatch.setattr("lookalike.gallery.connection.time.sleep", waited.append)
    busy = httpx.Response(503, json={"type": "about:blank", "detail": "busy"}, headers={"Retry-After": "1"})
    found = httpx.Response(200, json={"failures": [], "total": 0, "offset": 0})
    with opened(settings, busy, busy, found) as gallery:
        assert gallery.failures() == ([], 0)
    assert waited == [1.0, 2.0]


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            httpx.Response(404, json={"type": "urn:lookalike:QueryError", "detail": "no 7."}),
            QueryError,
            "no 7",
        ),
        (httpx.Response(422, json={"type": "about:blank", "detail": "k is odd."}), InputError, "k is odd"),
        (httpx.Response(500, json={"type": "about:blank", "detail": "oh."}), StoreError, "http://x: oh"),
        (httpx.Response(502, text="<html>"), StoreError, "is it a lookalike server"),
        (httpx.Response(200, text="<html>"), StoreError, "is it a lookalike server"),
        (httpx.Response(200, json={"total": 1}), InputError, "failures"),
    ],
)
def test_what_a_server_refuses_is_raised_as_it_arose(settings, answer, kind, said):
    with opened(settings, answer) as gallery, pytest.raises(kind, match=said):
        gallery.failures()


def job(state, report=None, **values):
    document = {
        "id": "ab",
        "kind": "index",
        "state": state,
        "stage": "add",
        "n_done": 1,
        "n_total": 2,
        "rate_per_s": 1.0,
        "seconds_left": None,
        "started_at": "2026-01-01T00:00:00+00:00",
        "seconds": 1.0,
        "error": None,
        **values,
    }
    return httpx.Response(200, json=document if report is None else {**document, "report": report})


def test_a_job_is_told_of_until_it_ends(settings, monkeypatch):
    monkeypatch.setattr("lookalike.gallery.connection.time.sleep", lambda _: None)
    told = []
    with opened(settings, job("running"), job("running"), job("done", {"added": 2})) as gallery:
        assert gallery.add("/p", on_progress=told.append).added == 2
    assert [(one.n_done, one.n_total) for one in told] == [(1, 2), (1, 2)]


def test_a_job_that_fails_raises_what_it_failed_with(settings):
    failed = job("failed", error="there is no folder '/p'.", error_kind="InputError")
    with opened(settings, failed) as gallery, pytest.raises(InputError, match="there is no folder"):
        gallery.add("/p")
    unexpected = job("failed", error="unexpected KeyError: 'x'")
    with (
        opened(settings, unexpected) as gallery,
        pytest.raises(StoreError, match="http://x: unexpected KeyError"),
    ):
        gallery.add("/p")


def test_an_interrupted_wait_stops_the_job_and_says_so(settings, monkeypatch):
    def interrupt(_):
        monkeypatch.setattr("lookalike.gallery.connection.time.sleep", lambda _: None)
        raise KeyboardInterrupt

    asked = []

    def stop(request):
        asked.append(request.url.path)
        return job("running")

    monkeypatch.setattr("lookalike.gallery.connection.time.sleep", interrupt)
    stopped = job("stopped", {"added": 1, "interrupted": True})
    with opened(settings, job("running"), stop, stopped) as gallery:
        assert gallery.add("/p").interrupted
    assert asked == ["/api/v1/jobs/ab/stop"]


def test_an_error_of_a_callback_stops_the_job_and_is_raised(settings, monkeypatch):
    monkeypatch.setattr("lookalike.gallery.connection.time.sleep", lambda _: None)

    def complain(_):
        raise ZeroDivisionError

    with (
        opened(settings, job("running"), job("running"), job("running")) as gallery,
        pytest.raises(ZeroDivisionError),
    ):
        gallery.add("/p", on_progress=complain)


def test_names_that_are_no_text_go_to_the_server_and_come_back(tmp_path, settings):
    folder = os.fsencode(tmp_path / "pictures") + b"-\xe9"
    os.mkdir(folder)
    textured(1, 160, 120).save(os.path.join(os.fsdecode(folder), "a.png"))
    Gallery.open(tmp_path / "g", create=True, settings=settings).close()
    with served(tmp_path / "g", settings) as address, Gallery.open(address, settings=settings) as gallery:
        assert gallery.add(os.fsdecode(folder)).added == 1
        ((picture,), _) = gallery.pictures()
        assert os.fsencode(picture.path) == folder + b"/a.png"
        assert gallery.remove([picture.path]) == 1


def test_what_a_server_cannot_do_is_said_in_one_sentence(address, place, settings):
    with Gallery.open(address, settings=settings) as gallery:
        with pytest.raises(InputError, match="cannot ask about doubtful pairs"):
            gallery.calibrate(ask=lambda _: None)
        with pytest.raises(InputError, match="is no id"):
            gallery.show("id:x", 128)
        found = gallery.duplicates(relation="same_file")
        assert gallery.apply(gallery.write_plan(found, place / "plan.json")).done == []


def test_the_command_line_asks_a_served_gallery(address, place, settings):
    def run(*arguments, code=0):
        command = [sys.executable, "-m", "lookalike", "--gallery", address, *arguments]
        done = subprocess.run(command, capture_output=True, cwd=place)
        assert done.returncode == code, done.stderr
        assert b"Traceback" not in done.stderr
        return done

    sure = run("search", "query.jpg", "--precision", "0.95", "--json")
    assert b"never calibrated" in sure.stderr
    with Gallery.open(place / "g", settings=settings) as local:
        found, promised = local.search(place / "query.jpg", precision=0.95), local.promise("auto", 0.95)
        expected = to_document(SearchAnswer.of(Answer("query.jpg", found, promised=promised)))
        assert json.loads(sure.stdout) == json.loads(json.dumps(expected))
        assert json.loads(run("info", "--json").stdout) == json.loads(json.dumps(to_document(local.info())))
    assert json.loads(run("prune", "--dry-run", "--json").stdout)["gone"] == []
    planned = run(
        "duplicates", "--plan", "made.json", "--act", "quarantine", "--quarantine", "away", "--json"
    )
    (group,) = json.loads(planned.stdout)["groups"]
    applied = json.loads(run("apply", "made.json", "--json").stdout)
    assert applied["done"] == [member["path"] for member in group["members"]]
    assert json.loads(run("undo", "--json").stdout)["restored"] == applied["done"]
    assert b"no samples to draw" in run("calibrate", "--html", "page.html", code=2).stderr
    assert b"served by another process" in run("serve", "--port", "0", code=2).stderr
