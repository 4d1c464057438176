"""A worker process: one task after the other, each with one answer.

Run as ``python -m lookalike.workers.process``. Messages are pickles with a length before them, on standard
input and output; they come from and go to the parent process only. Whatever a library prints goes to
standard error, never into the messages.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from lookalike.errors import LookalikeError
from lookalike.workers.tasks import answer_to

_LENGTH = struct.Struct("<Q")


def send(stream: BinaryIO, message: object) -> None:
    """Write one message."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Read one message; raise EOFError where the other side is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)  # noqa: S301  (the other end is our own process)


def limit_memory(n_bytes: int) -> None:
    """Let this process take at most `n_bytes` more than it has now, where the system can limit it."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    limit = pages * resource.getpagesize() + n_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    try:
        make_work, job = receive(requests)
    except EOFError:
        return  # the parent was interrupted before it could say what to do
    try:
        work: Callable[[Any], object] = make_work(job)
    except LookalikeError as error:
        send(answers, error)
        return
    limit_memory(job.settings.max_memory)
    send(answers, "ready")
    tasks: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_read_tasks, args=(requests, tasks), daemon=True).start()
    while True:
        send(answers, answer_to(tasks.get(), work, job.settings))


def _read_tasks(requests: BinaryIO, tasks: SimpleQueue[Any]) -> None:
    """Queue the tasks; leave at once when the parent is gone, whatever the main thread is stuck in."""
    try:
        while True:
            for task in receive(requests):
                tasks.put(task)
    except EOFError:
        os._exit(0)


def main() -> None:
    """Serve the parent process until it closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        _serve(sys.stdin.buffer, answers)
    except BrokenPipeError:
        os._exit(0)  # the parent has gone, and nobody reads what is left in the buffer


if __name__ == "__main__":
    main()
