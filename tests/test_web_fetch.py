"""A picture is fetched from the internet alone: no address leads inside the network."""

import asyncio
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from conftest import textured
from lookalike import Gallery
from lookalike.web import fetch as fetching
from lookalike.web.problems import Refusal
from pictures import encode, photo
from served import served


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "64:ff9b:1::808:808",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:0:127.0.0.1",
        "fec0::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "2002:a00:1::",
        "2001:db8::1",
        "ff02::1",
        "nonsense",
    ],
)
def test_addresses_inside_the_network_are_not_public(address):
    assert not fetching.is_public(address)


def test_addresses_of_the_internet_are_public():
    assert fetching.is_public("93.184.216.34")
    assert fetching.is_public("2606:2800:220:1:248:1893:25c8:1946")
    assert fetching.is_public("::ffff:93.184.216.34")
    assert fetching.is_public("64:ff9b::5db8:d822")
    assert fetching.is_public("2a00:1450:4001:80e::200e")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.jpg",
        "http://localhost/a.jpg",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "ftp://example.com/a",
        "http://",
        "http://user:word@example.com/",
        "http://example.com:99999/",
        "javascript:alert(1)",
    ],
)
def test_urls_that_lead_inside_are_refused(url):
    with pytest.raises(Refusal) as refused:
        asyncio.run(fetching.fetch(url, max_bytes=1000))
    assert refused.value.status_code == 422


@pytest.fixture
def outside(monkeypatch):
    """Run a server that stands for the internet: its address counts as public, other ones as they are."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["Host"]))
            if self.path == "/picture.jpg":
                self.answer(200, encode(photo(300, 200, "coffee"), "JPEG"))
            elif self.path == "/relative":
                self.answer(302, b"", "/picture.jpg")
            elif self.path == "/inside":
                self.answer(302, b"", "http://inside.example/secret")
            elif self.path == "/file":
                self.answer(302, b"", "file:///etc/passwd")
            elif self.path == "/round":
                self.answer(302, b"", "/round")
            elif self.path == "/large":
                self.answer(200, bytes(1_000_000))
            else:
                self.answer(404, b"")

        def answer(self, status, data, location=None):
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    real = asyncio.BaseEventLoop.getaddrinfo

    async def resolve(self, host, port, **options):
        known = {"outside.example": "127.0.0.1", "inside.example": "10.1.2.3"}
        return await real(self, known.get(host, host), port, **options)

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolve)
    is_public = fetching.is_public
    monkeypatch.setattr(fetching, "is_public", lambda ip: ip == "127.0.0.1" or is_public(ip))
    yield f"http://outside.example:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def test_an_address_is_fetched_from_the_checked_place_with_its_own_name(outside):
    url, asked = outside
    data = asyncio.run(fetching.fetch(f"{url}/relative", max_bytes=10_000_000))
    assert data[:2] == b"\xff\xd8"
    assert asked == [(path, url.removeprefix("http://")) for path in ("/relative", "/picture.jpg")]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/inside", "inside the network"),
        ("/file", "no address"),
        ("/round", "leads on"),
        ("/large", "more than"),
        ("/nothing", "404"),
    ],
)
def test_every_redirect_is_checked_anew(outside, path, words):
    url, _ = outside
    with pytest.raises(Refusal, match=words):
        asyncio.run(fetching.fetch(url + path, max_bytes=100_000))


def test_a_picture_can_be_asked_by_its_address_where_that_is_allowed(settings, tmp_path, outside):
    url, _ = outside
    textured(0, 160, 120).save(tmp_path / "0.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(tmp_path / "0.png")
    with served(tmp_path / "g", settings, allow_addresses=True) as address:
        answer = httpx.post(f"{address}/api/v1/search", data={"address": f"{url}/picture.jpg"}, timeout=60)
        assert answer.status_code == 200
        assert answer.json()["query_width_px"] == 300
        refused = httpx.post(f"{address}/api/v1/search", data={"address": "http://10.0.0.1/"}, timeout=60)
        assert refused.status_code == 422
        assert io.BytesIO(refused.content).read()
