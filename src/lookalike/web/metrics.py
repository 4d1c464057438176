"""What Prometheus reads: requests, how long they took, what waits, what was refused."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from lookalike.web.guard import App, Message, Receive, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
READY_ROUTE = "/ready"  # whose 503 says that the server starts, not that it has too much to do
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The figures of one server, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "lookalike_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "lookalike_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._rejected = Counter(
            "lookalike_rejected",
            "Requests refused because too many waited.",
            registry=self._registry,
        )
        self._connections = Counter(
            "lookalike_connections_refused", "Connections beyond the limit.", registry=self._registry
        )

    def watch(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Have a figure read whenever the metrics are asked for."""
        Gauge(name, help_text, registry=self._registry).set_function(value)

    def note_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if status == 503 and route != READY_ROUTE:
            self._rejected.inc()

    def note_refused_connection(self) -> None:
        """Count one connection that was closed at once."""
        self._connections.inc()

    def render(self) -> bytes:
        """Return the figures in Prometheus' text format."""
        return generate_latest(self._registry)


class Measured:
    """An app that counts what another answers."""

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            # The route's template, never the path: paths are without number, and may say what is private.
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.note_request(method, route, status, time.monotonic() - started)


_METHODS = frozenset(("GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"))
