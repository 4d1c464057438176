"""What a stranger, another site's page or a hostile picture can do to a running server: nothing."""

import os
import socket
import struct
import threading
import time
import zlib

import httpx
import pytest

from conftest import textured
from lookalike import Gallery, LookalikeError
from lookalike.web.guard import SESSION_SECONDS, is_session, make_session
from lookalike.web.options import ServeOptions, read_token
from pictures import encode
from served import served

TOKEN = "correct-horse-battery-staple"
SECRET = b"what no one else may read"


@pytest.fixture(scope="module")
def place(tmp_path_factory, settings):
    place = tmp_path_factory.mktemp("guarded")
    pictures = place / "pictures"
    pictures.mkdir()
    for seed in range(4):
        textured(seed, 160, 120).save(pictures / f"{seed}.png")
    page = b"<html><script>alert(1)</script></html>"
    (pictures / "polyglot.png").write_bytes(encode(textured(7, 160, 120)) + page)
    textured(8, 160, 120).save(pictures / "old.tga")
    (place / "secret.txt").write_bytes(SECRET)
    with Gallery.open(place / "g", create=True, settings=settings) as gallery:
        gallery.add(pictures)
    return place


@pytest.fixture(scope="module")
def limits(settings):
    """Short patience and small limits, so that they are reached within a test."""
    return settings.with_values(
        {
            "serve_max_bytes": "200000",
            "serve_seconds": "2",
            "max_seconds": "5",
            "max_pixels": "1000000",
            "serve_connections": "20",
        }
    )


@pytest.fixture(scope="module")
def address(place, limits):
    with served(place / "g", limits) as address:
        yield address


@pytest.fixture(scope="module")
def guarded(place, limits):
    """Serve beyond loopback, that is with a token."""
    with served(place / "g", limits, token=TOKEN, allow_folders=(str(place / "pictures"),)) as address:
        yield address


def connect(address):
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def talk(address, request):
    """Send raw bytes and return all that comes back until the server closes the connection."""
    with connect(address) as connection:
        connection.sendall(request)
        return read_all(connection)


def read_all(connection):
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except ConnectionResetError:
        pass
    return data


def head(method, path, host, *lines):
    text = "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""])
    return text.encode()


def own_host(address):
    return address.removeprefix("http://")


# Who may ask


def test_other_addresses_need_a_long_token(place, settings):
    for host in ("0.0.0.0", "::", "192.168.1.5", "gallery.example"):
        with pytest.raises(LookalikeError, match="token"):
            ServeOptions(str(place / "g"), settings, host=host)
        ServeOptions(str(place / "g"), settings, host=host, token=TOKEN)
    with pytest.raises(LookalikeError, match="too short"):
        ServeOptions(str(place / "g"), settings, token="short")
    assert TOKEN not in repr(ServeOptions(str(place / "g"), settings, token=TOKEN))


def test_the_token_comes_from_a_file_or_the_environment(tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert read_token(tmp_path / "token", {"LOOKALIKE_TOKEN": "other"}) == TOKEN
    assert read_token(None, {"LOOKALIKE_TOKEN": TOKEN}) == TOKEN
    assert read_token(None, {}) is None
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(LookalikeError, match="empty"):
        read_token(tmp_path / "empty")


@pytest.mark.parametrize(
    "path", ["/api/v1/info", "/api/v1/pictures/1/file", "/api/v1/openapi.json", "/metrics", "/api/v1/ways"]
)
def test_nothing_of_the_gallery_is_seen_without_the_token(guarded, path):
    for headers in ({}, {"Authorization": "Bearer wrong-wrong-wrong"}, {"Cookie": "lookalike_session=1.2"}):
        answer = httpx.get(guarded + path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert httpx.get(guarded + path, params={"token": TOKEN}).status_code == 401, "never in a URL"
    assert httpx.get(guarded + path, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert httpx.get(guarded + "/health").status_code == 200
    assert httpx.get(guarded + "/").status_code == 200, "the page has to show its sign-in"


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(guarded):
    with httpx.Client(base_url=guarded) as client:
        assert client.post("/api/v1/session", json={"token": "wrong"}).status_code == 401
        answer = client.post("/api/v1/session", json={"token": TOKEN})
        assert answer.status_code == 204
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert client.get("/api/v1/info").status_code == 200


def test_sessions_end_and_cannot_be_forged(monkeypatch):
    value = make_session(TOKEN)
    assert is_session(value, TOKEN)
    assert not is_session(value, "another-token-of-this-server")
    ends, _, signature = value.partition(".")
    assert not is_session(f"{int(ends) + 1}.{signature}", TOKEN)
    assert not is_session("", TOKEN)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + SESSION_SECONDS + 1)
    assert not is_session(value, TOKEN)


def test_who_tries_many_tokens_has_to_wait(place, limits):
    with served(place / "g", limits, token=TOKEN) as address:
        wrong = {"Authorization": "Bearer guess-guess-guess-guess"}
        statuses = [httpx.get(f"{address}/api/v1/ways", headers=wrong).status_code for _ in range(22)]
        assert statuses[:20] == [401] * 20
        assert statuses[20:] == [429] * 2
        asked = httpx.post(f"{address}/api/v1/session", json={"token": "guess-guess-guess-guess"})
        assert (asked.status_code, asked.headers["retry-after"]) == (429, "60")


def test_a_strangers_guesses_do_not_lock_out_who_knows_the_token(place, limits):
    with served(place / "g", limits, token=TOKEN) as address, httpx.Client(base_url=address) as client:
        signed_in = client.post("/api/v1/session", json={"token": TOKEN})
        for _ in range(25):
            httpx.get(f"{address}/api/v1/ways", headers={"Authorization": "Bearer guess-guess-guess-guess"})
        assert client.get("/api/v1/ways").status_code == 200, "by the cookie"
        assert signed_in.status_code == 204
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.get(f"{address}/api/v1/ways", headers=right).status_code == 200
        assert httpx.post(f"{address}/api/v1/session", json={"token": TOKEN}).status_code == 204


def test_clients_name_only_allowed_folders_where_there_is_a_token(guarded, place):
    with httpx.Client(base_url=guarded, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for path in ("/etc", str(place), str(place / "pictures" / ".." / "..")):
            answer = client.post("/api/v1/jobs", json={"kind": "index", "paths": [path]})
            assert answer.status_code == 403
            assert "--allow-folder" in answer.json()["detail"]
            for wish in ({"protect": [path]}, {"against": path}):
                answer = client.post("/api/v1/jobs", json={"kind": "duplicates", **wish})
                assert answer.status_code == 403
        (place / "pictures" / "way-out").unlink(missing_ok=True)
        (place / "pictures" / "way-out").symlink_to("/etc")
        way_out = {"kind": "index", "paths": [str(place / "pictures" / "way-out")]}
        assert client.post("/api/v1/jobs", json=way_out).status_code == 403
        (place / "pictures" / "way-out").unlink()
        allowed = {"kind": "index", "paths": [str(place / "pictures")]}
        assert client.post("/api/v1/jobs", json=allowed).status_code == 202


def test_a_read_only_server_searches_and_changes_nothing(place, limits):
    with served(place / "g", limits, read_only=True) as address, httpx.Client(base_url=address) as client:
        for method, path in (
            ("POST", "/api/v1/jobs"),
            ("DELETE", "/api/v1/pictures/1"),
            ("POST", "/api/v1/feedback"),
            ("POST", "/api/v1/undo"),
            ("POST", "/api/v1/plans"),
            ("POST", "/api/v1/forget"),
        ):
            answer = client.request(method, path, json={})
            assert answer.status_code == 403, path
            assert "--read-only" in answer.json()["detail"]
        data = (place / "pictures" / "1.png").read_bytes()
        assert client.post("/api/v1/search", files={"image": data}).status_code == 200


# From where


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8642",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil@localhost",
        "localhost@evil.example",
        "localhost:x",
        "[::1",
        "",
        "169.254.1.1",
    ],
)
def test_a_strangers_name_that_leads_here_is_refused(address, host):
    answer = talk(address, head("GET", "/api/v1/info", host))
    assert answer.split(b" ", 2)[1] in (b"400", b"421")
    assert b"pictures" not in answer


def test_own_names_are_accepted_with_any_port(address):
    for host in ("localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:80"):
        assert talk(address, head("GET", "/health", host)).startswith(b"HTTP/1.1 200"), host


def test_two_hosts_or_none_are_refused(address):
    own = own_host(address)
    for lines in (["Host: evil.example"], []):
        request = head("GET", "/health", own, *lines)
        if not lines:
            request = request.replace(f"Host: {own}\r\n".encode(), b"")
        assert talk(address, request).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_can_send_nothing(address, headers):
    for method, path in (("POST", "/api/v1/jobs"), ("DELETE", "/api/v1/pictures/1"), ("GET", "/api/v1/info")):
        answer = httpx.request(method, address + path, headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    for own in (address, address.replace("http:", "https:")):  # the page itself, maybe behind a proxy
        own_headers = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
        assert httpx.get(f"{address}/api/v1/info", headers=own_headers).status_code == 200


def test_no_other_origin_is_ever_allowed_to_read(address):
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}
    answer = httpx.options(f"{address}/api/v1/info", headers=headers)
    assert answer.status_code in (403, 405)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_every_answer_carries_the_headers_and_no_banner(address):
    for path in (
        "/",
        "/health",
        "/nowhere",
        "/api/v1/info",
        "/static/app.js",
        "/api/v1/pictures/1/thumbnail",
    ):
        headers = httpx.get(address + path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "permissions-policy" in headers
        assert "server" not in headers


def test_no_get_changes_anything(address):
    document = httpx.get(f"{address}/api/v1/openapi.json").json()
    for path in ("/api/v1/undo", "/api/v1/plans", "/api/v1/feedback", "/api/v1/verdicts", "/api/v1/forget"):
        assert "get" not in document["paths"][path]
        assert httpx.get(address + path).status_code in (404, 405)


# Only pictures of the gallery


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/..%5capp.py",
        "/static//etc/passwd",
        "/static/%2fetc/passwd",
        "/api/v1/uploads/../../gallery.sqlite3/image",
        "/api/v1/uploads/..%2f..%2fgallery.sqlite3/image",
        "/api/v1/plans/..%2f..%2fduplicates.json",
        "/api/v1/pictures/..%2f1/file",
        "/api/v1/pictures/1%00/file",
        "/../../etc/passwd",
        "//etc/passwd",
    ],
)
def test_no_path_leads_out(address, path):
    answer = talk(address, head("GET", path, own_host(address)))
    assert answer.split(b" ", 2)[1] in (b"400", b"404", b"422"), answer[:100]
    assert b"root:" not in answer
    assert b"create_app" not in answer


def test_a_picture_that_became_a_link_or_another_file_is_not_served(place, limits, settings, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in (31, 32):
        textured(seed, 160, 120).save(folder / f"{seed}.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(folder)
        ids = {os.path.basename(one.path): one.content_id for one in gallery.pictures()[0]}
    (folder / "31.png").unlink()
    (folder / "31.png").symlink_to(place / "secret.txt")
    (folder / "32.png").write_bytes(SECRET)
    with served(tmp_path / "g", limits) as address:
        for name, number in ids.items():
            for what in ("file", "thumbnail"):
                answer = httpx.get(f"{address}/api/v1/pictures/{number}/{what}")
                assert answer.status_code == 410, (name, what)
                assert SECRET not in answer.content
            found = httpx.get(f"{address}/api/v1/search", params={"query": f"id:{number}"})
            assert found.status_code == 422


def test_a_folder_in_a_pictures_place_is_gone_and_leaves_no_open_file(tmp_path, limits, settings):
    (tmp_path / "pictures").mkdir()
    textured(33, 160, 120).save(tmp_path / "pictures" / "33.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(tmp_path / "pictures")
        number = gallery.pictures()[0][0].content_id
    (tmp_path / "pictures" / "33.png").unlink()
    (tmp_path / "pictures" / "33.png").mkdir()
    with served(tmp_path / "g", limits) as address, httpx.Client(base_url=address) as client:
        statuses, n_open = set(), []
        for _ in range(20):
            statuses.add(client.get(f"/api/v1/pictures/{number}/file").status_code)
            statuses.add(client.get(f"/api/v1/pictures/{number}/thumbnail").status_code)
            n_open.append(len(os.listdir("/proc/self/fd")))
    assert statuses == {410}
    assert n_open[-1] <= n_open[1]


def test_html_in_a_picture_stays_a_picture(address):
    rows = httpx.get(f"{address}/api/v1/pictures").json()["pictures"]
    by_name = {os.path.basename(row["path"]): row["id"] for row in rows}
    answer = httpx.get(f"{address}/api/v1/pictures/{by_name['polyglot.png']}/file")
    assert answer.headers["content-type"] == "image/png"
    assert "sandbox" in answer.headers["content-security-policy"]
    old = httpx.get(f"{address}/api/v1/pictures/{by_name['old.tga']}/file")
    assert old.headers["content-type"] == "application/octet-stream"
    assert old.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7 nonsense",
        b"\xff\xd8\xff\xe0" + bytes(1000),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
    ],
)
def test_hostile_files_are_no_pictures(address, data):
    answer = httpx.post(f"{address}/api/v1/search", files={"image": ("x.svg", data, "image/svg+xml")})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def bomb(width_px, height_px):
    """Return a PNG of a few hundred bytes that declares any size."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def test_bombs_do_not_go_off(address):
    answer = httpx.post(f"{address}/api/v1/search", files={"image": bomb(60_000, 60_000)})
    assert answer.status_code == 422
    assert "pixels" in answer.json()["detail"]
    assert httpx.get(f"{address}/ready").status_code == 200


def test_a_picture_that_kills_its_decoder_costs_one_answer(place, limits, monkeypatch):
    """A worker process that dies is replaced; the server and the other requests live on."""
    with (
        served(
            place / "g",
            limits,
        ) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        data = (place / "pictures" / "1.png").read_bytes()
        assert client.post("/api/v1/search", files={"image": data}).status_code == 200
        stop = threading.Event()

        def kill_decoders():
            me = os.getpid()
            while not stop.is_set():
                for name in os.listdir("/proc"):
                    if name.isdecimal() and _is_decoder_of(name, me):
                        os.kill(int(name), 9)
                time.sleep(0.01)

        killer = threading.Thread(target=kill_decoders)
        killer.start()
        try:
            answer = client.post("/api/v1/search", files={"image": encode(textured(77, 300, 200))})
        finally:
            stop.set()
            killer.join()
        assert answer.status_code in (422, 500)
        assert answer.headers["content-type"] == "application/problem+json"
        again = client.post("/api/v1/search", files={"image": encode(textured(78, 300, 200))})
        assert again.status_code == 200, again.text


def _is_decoder_of(name, parent):
    try:
        with open(f"/proc/{name}/stat", "rb") as file:
            ppid = int(file.read().rpartition(b")")[2].split()[1])
        with open(f"/proc/{name}/cmdline", "rb") as file:
            return ppid == parent and b"lookalike.workers.process" in file.read()
    except (OSError, ValueError):
        return False


# How much and how slowly


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(address):
    lines = ["Content-Type: application/json", "Content-Length: 100000000"]
    started = time.monotonic()
    answer = talk(address, head("POST", "/api/v1/jobs", own_host(address), *lines))
    assert answer.startswith(b"HTTP/1.1 413")
    assert time.monotonic() - started < 5


def test_json_is_small_and_quickly_refused(place, settings):
    many = b'{"kind": "index", "paths": [' + b"[]," * 320_000 + b"[]]}"
    larger = b'{"kind": "index", "paths": [' + b"[]," * 400_000 + b"[]]}"
    with served(place / "g", settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        json_type = {"Content-Type": "application/json"}
        for path in (
            "/api/v1/jobs",
            "/api/v1/plans",
            "/api/v1/forget",
            "/api/v1/verdicts",
            "/api/v1/session",
        ):
            answer = client.post(path, content=larger, headers=json_type)
            assert (answer.status_code, "1,000,000 bytes" in answer.text) == (413, True), path
            answer = client.post(path, content=many, headers=json_type)
            assert answer.status_code in (204, 422)
            assert len(answer.content) < 5000, "what is wrong is not told 320,000 times"
        assert client.post("/api/v1/search", files={"image": larger}).status_code == 422, (
            "a picture may be larger"
        )


def test_names_that_no_system_opens_are_refused_and_never_kept(place, settings):
    long = "/" + "x" * 5000
    wishes = {
        "/api/v1/jobs": [
            {"kind": "index", "paths": [long]},
            {"kind": "duplicates", "protect": [long]},
            {"kind": "duplicates", "against": long},
        ],
        "/api/v1/forget": [{"paths": [long]}],
    }
    with served(place / "g", settings) as address, httpx.Client(base_url=address) as client:
        for path, bodies in wishes.items():
            for body in bodies:
                answer = client.post(path, json=body)
                assert answer.status_code == 422
                assert "4,096 characters" in answer.text
        assert client.get("/api/v1/jobs").json() == {"jobs": []}


def test_a_body_without_a_length_is_counted_while_it_streams(address):
    lines = ["Content-Type: multipart/form-data; boundary=b", "Transfer-Encoding: chunked"]
    with connect(address) as connection:
        connection.sendall(head("POST", "/api/v1/search", own_host(address), *lines))
        start = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        connection.sendall(b"%x\r\n%s\r\n" % (len(start), start))
        n_sent = 0
        try:
            while n_sent < 50_000_000:
                connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
                n_sent += 65536
        except OSError:
            pass
        assert n_sent < 20_000_000, "the server stopped reading"
        try:
            answer = read_all(connection)
        except OSError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")


def test_a_slow_body_is_not_waited_for(address):
    lines = ["Content-Type: application/json", "Content-Length: 100"]
    with connect(address) as connection:
        connection.sendall(head("POST", "/api/v1/jobs", own_host(address), *lines))
        started = time.monotonic()
        try:
            for _ in range(40):  # drop by drop
                connection.sendall(b" ")
                time.sleep(0.2)
        except OSError:
            pass
        answer = read_all(connection)
    assert time.monotonic() - started < 12
    assert answer.startswith(b"HTTP/1.1 408") or answer == b""


def test_a_slow_head_is_not_waited_for(address):
    for start in (b"", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"):
        with connect(address) as connection:
            started = time.monotonic()
            connection.sendall(start)
            try:
                while time.monotonic() - started < 10:
                    if start:
                        connection.sendall(b"a")
                    connection.settimeout(0.2)
                    try:
                        if connection.recv(1000) == b"":
                            break
                    except TimeoutError:
                        pass
            except OSError:
                pass
            assert time.monotonic() - started < 6


def test_a_connection_may_ask_again_and_idle_for_a_while(address):
    with connect(address) as connection:
        for _ in range(3):
            connection.sendall(f"GET /health HTTP/1.1\r\nHost: {own_host(address)}\r\n\r\n".encode())
            answer = b""
            while b"version" not in answer:
                answer += connection.recv(65536)
            assert b"200 OK" in answer
            time.sleep(0.8)


def test_a_client_that_does_not_read_is_given_up(address, place, limits):
    """The answer to a large file is not held for ever for a client that stops reading."""
    with connect(address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = head("GET", "/api/v1/openapi.json", own_host(address)).replace(
            b"Connection: close\r\n", b""
        )
        connection.sendall(request * 40)
        time.sleep(4)
    assert httpx.get(f"{address}/health").status_code == 200


def test_too_many_connections_are_told_to_come_again(address):
    held = []
    try:
        held.extend(connect(address) for _ in range(40))
        answer = b""
        for connection in reversed(held):
            connection.settimeout(0.5)
            try:
                answer = connection.recv(1000)
            except TimeoutError:
                continue
            if answer:
                break
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"Retry-After" in answer
    finally:
        for connection in held:
            connection.close()
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        try:
            if httpx.get(f"{address}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server did not recover")


def test_endless_heads_are_refused(address):
    answer = talk(address, head("GET", "/" + "a" * 100_000, own_host(address)))
    assert answer.startswith(b"HTTP/1.1 414")
    assert len(answer) < 5000
    endless = b"GET / HTTP/1.1\r\nX-Endless: " + b"a" * 200_000
    assert talk(address, endless).startswith(b"HTTP/1.1 400")
    assert httpx.get(f"{address}/health").status_code == 200


def test_kept_uploads_are_bounded(place, limits, tmp_path, settings):
    few = limits.with_values({"serve_uploads": "3"})
    Gallery.open(tmp_path / "g", create=True, settings=settings).close()
    with served(place / "g", few) as address, httpx.Client(base_url=address, timeout=60) as client:
        queries = []
        for seed in range(60, 65):
            answer = client.post("/api/v1/search", files={"image": encode(textured(seed, 120, 90))})
            queries.append(answer.json()["query_id"])
        assert len([name for name in os.listdir(place / "g" / "uploads") if len(name) == 32]) == 3
        assert client.get("/api/v1/search", params={"query": queries[-1]}).status_code == 200
        assert client.get("/api/v1/search", params={"query": queries[0]}).status_code == 404
