"""A socket, and uvicorn on it: quiet, without a banner, and with patience that ends."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from lookalike.errors import InputError
from lookalike.web.app import create_app
from lookalike.web.options import ServeOptions

KEEP_ALIVE_SECONDS = 15
CLOSING_SECONDS = 5
MAX_HEAD_BYTES = 32 * 1024
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
    b"Content-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n%s"
)
_BUSY_BODY = (
    b'{"type": "about:blank", "title": "Service Unavailable", "status": 503, '
    b'"detail": "too many clients are connected: try again in a moment.", "instance": "/"}'
)


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with an end to waiting: for the head of a request, and for a place among the connections."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or tell it to come again where there are too many."""
        super().connection_made(transport)
        settings = self.config.app.state.site.options.settings  # type: ignore[union-attr]
        if len(self.connections) > settings.serve_connections:
            self.config.app.state.site.metrics.note_refused_connection()  # type: ignore[union-attr]
            transport.write(_BUSY % (len(_BUSY_BODY), _BUSY_BODY))
            transport.close()
            return
        self._head_seconds = min(settings.serve_seconds, KEEP_ALIVE_SECONDS)
        self._wait_for_head()

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self._head_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        """Close a connection whose request head did not arrive in time, drop by drop or not at all."""
        if not self.transport.is_closing():
            self.transport.close()

    def handle_events(self) -> None:
        """Stop the clock once a request's head is whole."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Start the clock again for the next request on this connection."""
        super().on_response_complete()
        if not self.transport.is_closing() and self.cycle.response_complete:
            self._stop_waiting()
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clock."""
        self._stop_waiting()
        super().connection_lost(exc)


def bind(options: ServeOptions) -> socket.socket:
    """Return a listening socket.

    Raises
    ------
    InputError    the port is taken, or the address is not of this machine
    """
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(found[0], socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(found[4])
        listening.listen()  # from here on clients wait rather than be refused
    except OSError as error:
        raise InputError(
            f"{options.host}:{options.port} cannot be listened on: {error.strerror}. Choose another --port "
            "(0 takes a free one) or --host."
        ) from error
    return listening


def make_server(options: ServeOptions) -> uvicorn.Server:
    """Return a server; its `run(sockets=[...])` ends when the process is told to stop (Ctrl-C or SIGTERM)."""
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # a malformed upload is its sender's matter
    app = create_app(options)
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=CLOSING_SECONDS,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )
    server = uvicorn.Server(config)
    app.state.site.is_closing = lambda: server.should_exit
    return server


def address_of(options: ServeOptions, listening: socket.socket) -> str:
    """Return the address to open in a browser."""
    port: Any = listening.getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host
    if options.host in ("0.0.0.0", "::"):  # noqa: S104  (compared, not bound)
        host = "localhost"
    return f"http://{host}:{port}"
