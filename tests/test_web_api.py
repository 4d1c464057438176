"""The HTTP API does what its document says, and answers what Python and the command line answer."""

import io
import json
import os
import subprocess
import sys
import threading
import time

import httpx
import pytest
from PIL import Image

from conftest import textured
from lookalike import Gallery, compare
from lookalike.answers.search import Answer, ComparisonAnswer, SearchAnswer
from lookalike.queries.source import Box
from lookalike.records.codec import to_document
from lookalike.web import uploads
from lookalike.web.routes import search as searching
from lookalike.web.site import MAX_THREADS
from pictures import encode, photo
from served import Gate, problem_of, served, wait_until_ready


@pytest.fixture(scope="module")
def place(tmp_path_factory, settings):
    place = tmp_path_factory.mktemp("web")
    pictures = place / "pictures"
    (pictures / "sub").mkdir(parents=True)
    for seed in range(20):
        textured(seed, 160, 120).save(pictures / f"{seed:02}.png")
    for name in ("astronaut", "coffee", "rocket", "chelsea"):
        camera = Image.Exif()
        camera[0x010F], camera[0x0110] = "Maker\0", "Maker Model 7"
        photo(600, 400, name).save(pictures / "sub" / f"{name}.jpg", quality=92, exif=camera)
        photo(600, 400, name).resize((300, 200)).save(pictures / "sub" / f"{name}-small.jpg", quality=85)
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nonsense")
    odd = os.fsencode(pictures) + b"/odd-\xff\x80.png"
    with open(odd, "wb") as file:
        file.write(encode(textured(90, 160, 120)))
    photo(500, 300, "coffee").save(place / "query.jpg", quality=80)
    with Gallery.open(place / "g", create=True, settings=settings) as gallery:
        gallery.add(pictures)
    return place


@pytest.fixture(scope="module")
def api(place, settings):
    with served(place / "g", settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def ids(api):
    """Return the id of each picture by its file's name."""
    rows = api.get("/api/v1/pictures", params={"limit": 1000}).json()["pictures"]
    return {os.path.basename(row["path"]): row["id"] for row in rows}


def send(api, path, data, **parameters):
    return api.post(path, files={"image": ("query.jpg", data)}, params=parameters)


# The same question everywhere


@pytest.mark.parametrize(
    "parameters", [{}, {"k": 3, "by": "phash"}, {"by": "hsv:intersection", "min_side": 150}]
)
def test_python_the_command_line_and_http_give_the_same_answer(api, place, settings, parameters):
    path = place / "query.jpg"
    found = send(api, "/api/v1/search", path.read_bytes(), **parameters).json()
    options = [f"--{name.replace('_', '-')}={value}" for name, value in parameters.items() if name != "k"]
    command = [
        sys.executable,
        "-m",
        "lookalike",
        "--gallery",
        str(place / "g"),
        "search",
        str(path),
        "--json",
    ]
    command += [*options, "-k", str(parameters.get("k", 10))]
    environment = {**os.environ, "LOOKALIKE_JOBS": str(settings.jobs)}
    printed = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)
    from lookalike import Filter

    asked = {name: value for name, value in parameters.items() if name != "min_side"}
    with Gallery.open(place / "g", settings=settings) as gallery:
        matches = gallery.search(path, where=Filter(min_side_px=parameters.get("min_side", 0)), **asked)
    assert printed["matches"] == to_document(SearchAnswer.of(Answer("x", matches)))["matches"]
    assert found["matches"] == printed["matches"]
    assert found["query"] == "query.jpg"


def test_search_verified_gives_the_same_proof_as_python(api, place, settings):
    found = send(api, "/api/v1/search", (place / "query.jpg").read_bytes(), k=3, verify=True).json()
    with Gallery.open(place / "g", settings=settings) as gallery:
        matches = gallery.search(place / "query.jpg", k=3, verify=True)
    assert (
        found["matches"]
        == json.loads(json.dumps(to_document(SearchAnswer.of(Answer("x", matches)))))["matches"]
    )
    assert found["matches"][0]["relation"] == "copy"


def test_one_answer_proves_only_so_many_and_says_where_the_next_begin(api, ids, monkeypatch):
    monkeypatch.setattr(searching, "MAX_PROOFS", 4)
    asked = {"query": f"id:{ids['coffee.jpg']}", "verify": True}
    found = api.get("/api/v1/search", params={**asked, "k": 12}).json()
    assert (len(found["matches"]), found["has_more"]) == (4, True)
    assert "offset=4" in found["note"]
    pages = [found]
    while pages[-1]["has_more"]:
        offset = len(pages) * 4
        pages.append(api.get("/api/v1/search", params={**asked, "k": 12, "offset": offset}).json())
    paths = [match["path"] for page in pages for match in page["matches"]]
    assert len(paths) == len(set(paths)) == len(ids) - 1
    assert "note" not in pages[-1]
    assert "note" not in api.get("/api/v1/search", params={**asked, "k": 4}).json()


def test_compare_gives_what_python_gives(api, place, settings, ids):
    first, second = (place / "pictures" / "sub" / name for name in ("coffee.jpg", "coffee-small.jpg"))
    expected = json.loads(
        json.dumps(to_document(ComparisonAnswer.of(compare(first, second, settings=settings))))
    )
    pair = {"first": f"id:{ids['coffee.jpg']}", "second": f"id:{ids['coffee-small.jpg']}"}
    found = api.get("/api/v1/compare", params=pair).json()
    sent = api.post(
        "/api/v1/compare", files={"first": first.read_bytes(), "second": second.read_bytes()}
    ).json()
    for document in (found, sent):
        assert {name: document[name] for name in expected} == expected
        assert document["first"] == {"width_px": 600, "height_px": 400}
        assert document["second"] == {"width_px": 300, "height_px": 200}


# Searching


def test_an_upload_can_be_asked_again_by_its_id_and_seen_again(api, place):
    data = (place / "query.jpg").read_bytes()
    sent = send(api, "/api/v1/search", data, k=5).json()
    assert sent["query_id"].startswith("up:")
    assert (sent["query_width_px"], sent["query_height_px"]) == (500, 300)
    again = api.get("/api/v1/search", params={"query": sent["query_id"], "k": 5}).json()
    assert again["matches"] == sent["matches"]
    shown = api.get(f"/api/v1/uploads/{sent['query_id'][3:]}/image", params={"size": 256})
    with Image.open(io.BytesIO(shown.content)) as image:
        assert image.format == "JPEG"
        assert max(image.size) == 256
    kept = place / "g" / "uploads" / sent["query_id"][3:]
    assert kept.read_bytes() == data
    assert kept.stat().st_mode & 0o777 == 0o600


def test_search_by_id_leaves_out_the_picture_itself(api, ids):
    found = api.get("/api/v1/search", params={"query": f"id:{ids['coffee.jpg']}", "k": 1}).json()
    assert found["matches"][0]["id"] == ids["coffee-small.jpg"]


def test_pages_of_an_answer_neither_repeat_nor_miss_a_match(api, ids):
    query = f"id:{ids['05.png']}"
    pages, offset = [], 0
    while True:
        found = api.get("/api/v1/search", params={"query": query, "k": 4, "offset": offset}).json()
        assert found["offset"] == offset
        pages += [match["id"] for match in found["matches"]]
        if not found["has_more"]:
            break
        offset += 4
    whole = api.get("/api/v1/search", params={"query": query, "k": 100, "offset": 0}).json()["matches"]
    assert pages == [match["id"] for match in whole]
    assert len(pages) == len(set(pages)) == len(ids) - 1


def test_a_box_asks_with_a_part_of_the_picture_only(api, place, ids, settings):
    both = Image.new("RGB", (1200, 400))
    both.paste(photo(600, 400, "rocket"), (0, 0))
    both.paste(photo(600, 400, "chelsea"), (600, 0))
    sent = send(api, "/api/v1/search", encode(both, "JPEG", quality=95)).json()
    for box, name in (("0,0,0.5,1", "rocket"), ("0.5,0,0.5,1", "chelsea")):
        found = api.get(
            "/api/v1/search", params={"query": sent["query_id"], "k": 2, "box": box, "verify": True}
        ).json()
        best = found["matches"][0]
        assert best["id"] in (ids[f"{name}.jpg"], ids[f"{name}-small.jpg"])
        assert best["relation"] == "copy"
        xs = [x for x, _ in best["proof"]["overlap_first"]]
        assert min(xs) >= (599 if name == "chelsea" else -1)  # in the pixels of the whole picture
        assert max(xs) <= (1201 if name == "chelsea" else 601)
    with Gallery.open(place / "g", settings=settings) as gallery:
        matches = gallery.search(both, k=2, box=Box(0.5, 0, 0.5, 1))
    assert "chelsea" in matches[0].picture.path


@pytest.mark.parametrize("box", ["0,0,1", "a,b,c,d", "0.5,0,0.6,1", "0,0,0,1", "-0.1,0,0.5,1", "nan,0,1,1"])
def test_a_box_outside_the_picture_is_refused(api, ids, box):
    answer = api.get("/api/v1/search", params={"query": f"id:{ids['05.png']}", "box": box})
    assert "box" in problem_of(answer, 422)


def test_likes_draw_the_answer_towards_them_and_dislikes_leave_it(api, ids):
    query = f"id:{ids['rocket.jpg']}"
    plain = api.get("/api/v1/search", params={"query": query, "k": 30}).json()["matches"]
    liked = {"liked": ids["chelsea.jpg"], "disliked": plain[0]["id"]}
    moved = api.get("/api/v1/search", params={"query": query, "k": 30, **liked}).json()["matches"]
    order = [match["id"] for match in moved]
    before = [match["id"] for match in plain]
    assert plain[0]["id"] not in order
    assert order.index(ids["chelsea-small.jpg"]) < before.index(ids["chelsea-small.jpg"])
    answer = api.get("/api/v1/search", params={"query": query, "by": "phash", "liked": "1"})
    assert "likes" in problem_of(answer, 422)


def test_filters_and_relation_narrow_the_answer(api, place, ids):
    query = f"id:{ids['coffee.jpg']}"
    folder = str(place / "pictures" / "sub")
    inside = api.get("/api/v1/search", params={"query": query, "k": 100, "folder": folder}).json()["matches"]
    assert len(inside) == 7
    png = api.get("/api/v1/search", params={"query": query, "k": 100, "format": ["png", "webp"]}).json()
    assert {match["format"] for match in png["matches"]} == {"png"}
    proven = {"query": query, "verify": True, "relation": "copy"}
    (copy,) = api.get("/api/v1/search", params=proven).json()["matches"]
    assert copy["id"] == ids["coffee-small.jpg"]


def test_a_batch_answers_each_picture_in_its_place(api, place):
    good = (place / "query.jpg").read_bytes()
    files = [("image", ("good.jpg", good)), ("image", ("bad.jpg", b"no picture at all"))]
    first, second = api.post("/api/v1/search/batch", files=files, params={"k": 2}).json()["answers"]
    assert len(first["matches"]) == 2
    assert set(second) == {"query", "error"}
    assert second["query"] == "bad.jpg"
    many = [("image", (f"{n}.jpg", good)) for n in range(33)]
    assert "32" in problem_of(api.post("/api/v1/search/batch", files=many), 422)


# Errors are problems


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/static/nowhere.js", 404),
        ("POST", "/health", 405),
        ("GET", "/api/v1/pictures/999999", 404),
        ("GET", "/api/v1/pictures/999999/thumbnail", 404),
        ("GET", "/api/v1/pictures/999999/file", 404),
        ("GET", "/api/v1/pictures/none", 422),
        ("GET", f"/api/v1/pictures/{2**70}", 422),
        ("GET", "/api/v1/search?query=id:999999", 404),
        ("GET", "/api/v1/search?query=up:" + "0" * 32, 404),
        ("GET", "/api/v1/search?query=/etc/passwd", 422),
        ("GET", "/api/v1/search?query=id:1&by=nonsense", 422),
        ("GET", "/api/v1/search?query=id:1&k=0", 422),
        ("GET", "/api/v1/search?query=id:1&since=yesterday", 422),
        ("GET", "/api/v1/search?query=id:1&unknown=1", 422),
        ("GET", "/api/v1/uploads/..%2f..%2fgallery.sqlite3/image", 404),
        ("GET", "/api/v1/promise", 422),
        ("GET", "/api/v1/promise?precision=2", 422),
        ("GET", "/api/v1/promise?precision=0.95&by=nonsense", 422),
        ("GET", "/api/v1/uploads/nonsense/image", 404),
        ("GET", "/api/v1/jobs/none", 404),
        ("POST", "/api/v1/jobs/none/stop", 404),
        ("GET", "/api/v1/plans/..%2fx", 404),
        ("GET", "/api/v1/plans/0123456789abcdef", 404),
        ("POST", "/api/v1/plans/0123456789abcdef/apply", 404),
        ("POST", "/api/v1/search", 422),
        ("POST", "/api/v1/jobs", 422),
    ],
)
def test_errors_are_problem_details(api, method, path, status):
    assert problem_of(api.request(method, path), status)


def test_what_is_no_picture_is_a_problem_with_the_reason(api):
    assert "picture" in problem_of(send(api, "/api/v1/search", b"nonsense"), 422)
    assert "empty" in problem_of(send(api, "/api/v1/search", b""), 422)


def test_fetching_addresses_is_off_and_says_how_to_turn_it_on(api):
    answer = api.post("/api/v1/search", data={"address": "http://example.com/a.jpg"})
    assert "--allow-addresses" in problem_of(answer, 403)


# Pictures


def test_facts_of_a_picture(api, place, ids):
    facts = api.get(f"/api/v1/pictures/{ids['coffee.jpg']}").json()
    path = place / "pictures" / "sub" / "coffee.jpg"
    assert facts["path"] == str(path)
    assert facts["paths"] == [str(path)]
    assert (facts["width_px"], facts["height_px"], facts["format"]) == (600, 400, "jpeg")
    assert facts["size_bytes"] == path.stat().st_size
    assert facts["exists"] is True
    assert facts["camera"] == "Maker Model 7"
    assert len(facts["digest"]) == 64


def test_names_that_are_no_text_come_through(api, ids):
    (name,) = (name for name in ids if name.startswith("odd-"))
    assert name == os.fsdecode(b"odd-\xff\x80.png")
    file = api.get(f"/api/v1/pictures/{ids[name]}/file")
    assert file.status_code == 200
    assert "odd-%FF%80.png" in file.headers["content-disposition"]


def test_thumbnails_are_small_upright_and_cached(api, ids):
    path = f"/api/v1/pictures/{ids['coffee.jpg']}/thumbnail"
    first = api.get(path, params={"size": 200})
    with Image.open(io.BytesIO(first.content)) as image:
        assert (image.format, image.size) == ("JPEG", (256, 171))
    assert "no-cache" in first.headers["cache-control"]
    again = api.get(path, params={"size": 200}, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = api.get(path, params={"size": 512}, headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200
    assert "immutable" in api.get(path, params={"v": "1"}).headers["cache-control"]
    assert problem_of(api.get(path, params={"size": 5000}), 422)


def test_files_come_whole_in_part_and_not_again(api, place, ids):
    path = f"/api/v1/pictures/{ids['coffee.jpg']}/file"
    data = (place / "pictures" / "sub" / "coffee.jpg").read_bytes()
    whole = api.get(path)
    assert whole.content == data
    assert whole.headers["content-type"] == "image/jpeg"
    assert whole.headers["content-disposition"].startswith("inline")
    for asked, expected in (
        ("bytes=0-99", data[:100]),
        ("bytes=100-", data[100:]),
        ("bytes=-50", data[-50:]),
        (f"bytes=10-{10**12}", data[10:]),
    ):
        part = api.get(path, headers={"Range": asked})
        assert (part.status_code, part.content) == (206, expected)
    assert part.headers["content-range"] == f"bytes 10-{len(data) - 1}/{len(data)}"
    assert problem_of(api.get(path, headers={"Range": f"bytes={len(data)}-"}), 416)
    assert api.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'}).status_code == 200
    assert api.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=" + "9" * 5000 + "-", 416),
        ("bytes=" + "9" * 5000 + "-" + "9" * 5001, 416),
        ("bytes=-" + "9" * 5000, 200),
        ("bytes=0-" + "9" * 5000, 200),
        ("bytes=" + "0" * 5000 + "1-2", 206),
    ],
)
def test_a_part_of_endless_digits_is_a_part_like_any_other(api, ids, asked, status):
    answer = api.get(f"/api/v1/pictures/{ids['coffee.jpg']}/file", headers={"Range": asked})
    assert answer.status_code == status


def test_lists_are_paged(api, place, ids):
    first = api.get("/api/v1/pictures", params={"limit": 3}).json()
    rest = api.get("/api/v1/pictures", params={"offset": 3, "limit": 1000}).json()
    assert first["total"] == len(ids) == len(first["pictures"]) + len(rest["pictures"])
    inside = api.get("/api/v1/pictures", params={"folder": str(place / "pictures" / "sub")}).json()
    assert inside["total"] == 8
    failures = api.get("/api/v1/failures").json()
    assert failures["total"] == 1
    assert failures["failures"][0]["path"].endswith("broken.jpg")


def test_info_says_what_is_there(api, place, settings):
    info = api.get("/api/v1/info").json()
    with Gallery.open(place / "g", settings=settings) as gallery:
        assert info["n_files"] == gallery.info().n_files
    assert {"path": str(place / "pictures" / "sub"), "n_files": 8} in info["folders"]
    assert info["read_only"] is False
    assert any(one["name"] == "max_pixels" for one in info["settings"])
    assert any(one["name"] == "embedding self-test" for one in info["findings"])


def test_what_a_precision_is_worth_can_be_asked_without_a_search(api, place):
    asked = {"by": "phash", "precision": 0.97}
    told = api.get("/api/v1/promise", params=asked).json()
    assert (told["by"], told["precision"], told["calibration"]) == ("phash", 0.99, "shipped")
    found = send(api, "/api/v1/search", (place / "query.jpg").read_bytes(), **asked).json()["promise"]
    assert {name: told[name] for name in found} == found


def test_the_help_of_serve_threads_names_its_limit(api):
    (told,) = (one for one in api.get("/api/v1/info").json()["settings"] if one["name"] == "serve_threads")
    assert f"{MAX_THREADS} at most" in told["help"]


def test_health_metrics_and_the_document(api):
    assert api.get("/health").json()["status"] == "ok"
    assert api.get("/ready").json() == {"status": "ready"}
    assert "auto" in api.get("/api/v1/ways").json()
    text = api.get("/metrics").text
    assert 'lookalike_requests_total{method="GET",route="/health",status="200"}' in text
    assert "lookalike_request_seconds_bucket" in text
    assert "lookalike_searches_waiting" in text
    document = api.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert "/api/v1/search" in document["paths"]
    assert "HTTPValidationError" not in json.dumps(document)


def test_the_server_answers_while_an_upload_is_digested_and_written(api, place, monkeypatch):
    gate = Gate(uploads.digest_of)
    monkeypatch.setattr(uploads, "digest_of", gate)
    answers = []
    data = (place / "query.jpg").read_bytes()
    asking = threading.Thread(target=lambda: answers.append(send(api, "/api/v1/search", data)))
    asking.start()
    assert gate.reached.wait(60)
    assert httpx.get(f"{api.base_url}/health", timeout=30).status_code == 200
    gate.may_go_on.set()
    asking.join()
    assert answers[0].status_code == 200


# Under load


def test_a_full_queue_answers_503_and_loses_no_request(place, settings, ids):
    small = settings.with_values({"serve_queue": "1", "serve_threads": "1"})
    with served(place / "g", small) as address:
        statuses = []

        def ask():
            answer = httpx.get(
                f"{address}/api/v1/search", params={"query": f"id:{ids['05.png']}"}, timeout=60
            )
            statuses.append((answer.status_code, answer.headers.get("retry-after")))

        threads = [threading.Thread(target=ask) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(statuses) == 24
        assert set(statuses) == {(200, None), (503, "1")}
        text = httpx.get(f"{address}/metrics").text
        n_busy = sum(status == 503 for status, _ in statuses)
        assert f"lookalike_rejected_total {float(n_busy)}" in text


def test_a_changed_gallery_is_noticed_by_every_thread(tmp_path, settings):
    folder = tmp_path / "pictures"
    folder.mkdir()
    textured(1, 160, 120).save(folder / "1.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(folder)
        with served(tmp_path / "g", settings) as address, httpx.Client(base_url=address) as client:
            for seed in (2, 3):
                textured(seed, 160, 120).save(folder / f"{seed}.png")
                gallery.add(folder)
                for _ in range(4):
                    found = client.get("/api/v1/search", params={"query": "id:1", "k": 10}).json()
                    assert len(found["matches"]) == seed - 1


# The command


def run_serve(*arguments, environment=None, gallery="g"):
    command = [sys.executable, "-m", "lookalike", "--gallery", str(gallery), "serve", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})}
    )


def test_the_command_prints_its_address_and_stops_on_ctrl_c(place, settings):
    import signal

    process = run_serve(
        "--port", "0", gallery=place / "g", environment={"LOOKALIKE_JOBS": str(settings.jobs)}
    )
    line = process.stdout.readline().decode()
    address = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
    wait_until_ready(address)
    assert "<html" in httpx.get(address).text
    taken = run_serve("--port", address.rpartition(":")[2], gallery=place / "g")
    _, said = taken.communicate(timeout=60)
    assert taken.returncode == 2
    assert b"another --port" in said
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - started < 15
    assert said == b""
    assert process.returncode == 0


def test_the_command_explains_what_it_needs(tmp_path):
    cases = (
        (["--port", "0"], b"there is no gallery"),
        (["--host", "0.0.0.0", "--port", "0"], b"token"),
        (["--port", "70000"], b"65535"),
        (["--token-file", "nowhere"], b"token file"),
    )
    started = [run_serve(*arguments, gallery=tmp_path / "none") for arguments, _ in cases]
    for process, (_, words) in zip(started, cases, strict=True):
        _, said = process.communicate(timeout=60)
        assert process.returncode in (1, 2)
        assert words in said, said
        assert b"Traceback" not in said
