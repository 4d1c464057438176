"""A gallery that is served for real, on a socket of its own, while a test asks it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from lookalike.settings import Settings
from lookalike.web.options import ServeOptions
from lookalike.web.server import address_of, bind, make_server


@contextmanager
def served(gallery: Any, settings: Settings, **options: Any) -> Iterator[str]:
    """Serve a gallery on a free port while the block runs; give its address."""
    chosen = ServeOptions(str(gallery), settings, port=0, **options)
    listening = bind(chosen)
    server = make_server(chosen)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    address = address_of(chosen, listening)
    try:
        wait_until_ready(address)
        yield address
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


def wait_until_ready(address: str, seconds: float = 120.0) -> None:
    """Wait until the server says that it is ready."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if httpx.get(f"{address}/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the server did not get ready")


def wait_for_job(
    client: httpx.Client, job: dict[str, Any], seconds: float = 60.0, *, api: str = "/api/v1"
) -> dict[str, Any]:
    """Return a job once it has ended."""
    ends = time.monotonic() + seconds
    while job["state"] == "running":
        assert time.monotonic() < ends
        time.sleep(0.05)
        job = client.get(f"{api}/jobs/{job['id']}").json()
    return job


def problem_of(answer: httpx.Response, status: int) -> str:
    """Return what a problem says, once it is sure that it is one of this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert set(document) == {"type", "title", "status", "detail", "instance"}
    assert document["status"] == status
    return str(document["detail"])


class Gate:
    """Stands in for a function: it waits until the test lets it go on."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.reached = threading.Event()
        self.may_go_on = threading.Event()

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.reached.set()
        assert self.may_go_on.wait(60)
        return self.function(*arguments, **options)
