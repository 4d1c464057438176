"""Keeping decoders quiet, although warnings and the standard error stream belong to the whole process.

``warnings.catch_warnings`` alone would leave its filters behind when two threads leave in another order
than they came.
"""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType


class _Shared:
    """Hold a state of the whole process: the first thread in sets it, the last out restores it."""

    def __init__(self, make: Callable[[], AbstractContextManager[None]]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._inside = 0
        self._context: AbstractContextManager[None] = nullcontext()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._context = self._make()
                self._context.__enter__()
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._context.__exit__(None, None, None)


@contextlib.contextmanager
def _quiet_warnings() -> Iterator[None]:
    """Keep decoders from warning, and ``-W error`` from making their warnings failures."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif|pillow_jxl|rawpy|lookalike\.media)\b")
        yield


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Send what libtiff prints about damaged files past Python, straight to descriptor 2, to nowhere."""
    try:
        kept = os.dup(2)
    except OSError:  # a service may run without one
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


QUIET_WARNINGS = _Shared(_quiet_warnings)
"""Inside, no decoder's warning is shown or raised."""
QUIET_STDERR = _Shared(_quiet_stderr)
"""Inside, nothing of this process reaches the standard error stream."""
