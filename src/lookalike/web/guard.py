"""Who may ask, from where, how much and how slowly: checked before any route sees a request.

Plain ASGI, so that bodies are counted and timed while they stream.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders

from lookalike.web.options import ServeOptions
from lookalike.web.problems import Refusal, problem

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

COOKIE = "lookalike_session"
SESSION_SECONDS = 30 * 24 * 3600
SESSION_PATH = "/api/v1/session"
MAX_TARGET_LENGTH = 16_384
MAX_JSON_BYTES = 1_000_000  # parsed and checked at one go, while nothing else is answered
MAX_DROP_SECONDS = 5.0  # for the body of a request that is refused
MAX_WRONG_TOKENS = 20  # in a minute, from one address
_MAX_REMEMBERED = 1000
_OPEN_PATHS = ("/health", "/ready", SESSION_PATH)  # and whatever is no API: the page, which holds no picture
_PICTURE_PATHS = ("/api/v1/search", "/api/v1/search/batch", "/api/v1/compare")  # all else is JSON
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/@\[\]]+)(:[0-9]{1,5})?")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}


class Patience:
    """Remembers who gave wrong tokens, and tells those that tried many to wait.

    The right token is never refused: behind a proxy all clients have one address, and a stranger's guesses would
    lock its owner out. What makes guessing hopeless is the token's length.
    """

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def note_wrong_token(self, scope: MutableMapping[str, Any]) -> Refusal:
        """Remember that a request gave a wrong token; return how to refuse it."""
        client = (scope.get("client") or ("",))[0]
        now = time.monotonic()
        recent = [at for at in self._wrong.pop(client, []) if at > now - 60][-MAX_WRONG_TOKENS:]
        self._wrong[client] = [*recent, now]
        while len(self._wrong) > _MAX_REMEMBERED:
            self._wrong.popitem(last=False)
        if len(recent) >= MAX_WRONG_TOKENS:
            return Refusal(429, "too many wrong tokens: wait a minute.", {"Retry-After": "60"})
        return unauthorized("the token is wrong")


class Guard:
    """Lets through what may pass; everything else gets a problem and, where a body is left, a closed connection."""

    def __init__(self, app: App, options: ServeOptions, patience: Patience) -> None:
        self._app = app
        self._patience = patience
        self._options = options
        self._max_bytes = options.settings.serve_max_bytes
        self._seconds = options.settings.serve_seconds

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        respond = self._with_headers(send)
        try:
            self._check(scope, Headers(scope=scope))
        except Refusal as refused:
            headers = {**(refused.headers or {}), "Connection": "close"}
            answer = problem(refused.status_code, str(refused.detail), scope["path"], headers)
            await self._drop_body(Headers(scope=scope), receive)
            await answer(scope, receive, respond)
            return
        await self._app(scope, self._bounded(receive, self._limit_of(scope)), respond)

    async def _drop_body(self, headers: Headers, receive: Receive) -> None:
        """Read a body that is under way, within limits: a client that still sends would not see the answer."""
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > self._max_bytes:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(min(self._seconds, MAX_DROP_SECONDS)):
                while (await receive()).get("more_body", False):
                    pass

    # Before the body

    def _check(self, scope: MutableMapping[str, Any], headers: Headers) -> None:
        if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > MAX_TARGET_LENGTH:
            raise Refusal(414, f"the address has more than {MAX_TARGET_LENGTH:,} characters.")
        self._check_host(headers)
        self._check_origin(scope, headers)
        self._check_length(headers, self._limit_of(scope))
        if self._options.token is not None and scope["path"].startswith(("/api/", "/metrics")):
            self._check_token(scope, headers)
        if self._options.read_only and scope["method"] not in _SAFE_METHODS:
            self._check_read_only(scope["path"])

    def _check_host(self, headers: Headers) -> None:
        """Refuse names that are not ours: a stranger's name may have been made to lead here."""
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            raise Refusal(400, "the request needs one Host header.")
        found = _HOST.fullmatch(hosts[0].lower())
        if found is None or found[1].strip("[]") not in self._options.host_names:
            raise Refusal(421, f"this server is not called {hosts[0][:200]!r}.")

    def _check_origin(self, scope: MutableMapping[str, Any], headers: Headers) -> None:
        """Refuse what another site's page makes a browser send; the page itself may be linked to."""
        is_page = not scope["path"].startswith(("/api/", "/metrics"))
        if scope["method"] in _SAFE_METHODS and is_page:
            return
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            raise Refusal(403, "another site's page sent this request: that is not allowed.")
        origin = headers.get("origin")
        host = headers["host"].lower()  # the scheme may be that of a proxy in front of us
        if origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}"):
            raise Refusal(403, "another site's page sent this request: that is not allowed.")

    def _check_length(self, headers: Headers, max_bytes: int) -> None:
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > max_bytes:
            raise _too_large(max_bytes)

    def _check_token(self, scope: MutableMapping[str, Any], headers: Headers) -> None:
        if scope["path"] in _OPEN_PATHS:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and given:
            if not is_token(given.strip(), self._options.token):
                raise self._patience.note_wrong_token(scope)
        elif not is_session(_cookie_of(headers), self._options.token):
            raise unauthorized("this server needs its token, as `Authorization: Bearer TOKEN`")

    def _check_read_only(self, path: str) -> None:
        if path.startswith(("/api/v1/search", "/api/v1/compare", SESSION_PATH)):
            return
        raise Refusal(403, "this server was started with --read-only: it changes nothing.")

    # While it streams

    def _limit_of(self, scope: MutableMapping[str, Any]) -> int:
        """Return how many bytes the body of a request may have."""
        if scope["path"] in _PICTURE_PATHS:
            return self._max_bytes
        return min(self._max_bytes, MAX_JSON_BYTES)

    def _bounded(self, receive: Receive, max_bytes: int) -> Receive:
        """Count the bytes of the body, and stop waiting for them after a time."""
        deadline = time.monotonic() + self._seconds
        n_bytes = 0
        is_whole = False

        async def receive_bounded() -> Message:
            nonlocal n_bytes, is_whole
            if is_whole:
                return await receive()  # only the client's leaving can come now
            try:
                message = await asyncio.wait_for(receive(), deadline - time.monotonic())
            except TimeoutError as error:
                raise Refusal(
                    408,
                    f"the request took longer than {self._seconds:g} s to arrive (setting serve_seconds).",
                    {"Connection": "close"},
                ) from error
            n_bytes += len(message.get("body", b""))
            if n_bytes > max_bytes:
                raise _too_large(max_bytes)
            is_whole = not message.get("more_body", False)
            return message

        return receive_bounded

    def _with_headers(self, send: Send) -> Send:
        """Add the headers of every answer, and give up on a client that does not read it."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await asyncio.wait_for(send(message), self._seconds)

        return send_guarded


def _too_large(max_bytes: int) -> Refusal:
    setting = "" if max_bytes == MAX_JSON_BYTES else " (setting serve_max_bytes)"
    return Refusal(413, f"the request has more than {max_bytes:,} bytes{setting}.", {"Connection": "close"})


def unauthorized(reason: str) -> Refusal:
    """Return the refusal of a request without a credential, or with a wrong one."""
    return Refusal(401, f"{reason}.", {"WWW-Authenticate": "Bearer"})


def is_token(given: str, token: str | None) -> bool:
    """Whether this is the server's token; takes the same time whatever is given."""
    return token is not None and hmac.compare_digest(given.encode(), token.encode())


def make_session(token: str) -> str:
    """Return the value of a session cookie: when it ends, signed with the token."""
    ends = str(int(time.time()) + SESSION_SECONDS)
    return f"{ends}.{_sign(ends, token)}"


def is_session(value: str, token: str | None) -> bool:
    """Whether a cookie was made by `make_session` with this token, and has not ended."""
    ends, _, signature = value.partition(".")
    if token is None or not ends.isdecimal():
        return False
    return hmac.compare_digest(signature.encode(), _sign(ends, token).encode()) and int(ends) > time.time()


def _sign(text: str, token: str) -> str:
    return hmac.new(token.encode(), f"session {text}".encode(), "sha256").hexdigest()


def _cookie_of(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value
