"""Threads that answer: each with a gallery of its own, behind a queue that can be full."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from lookalike.errors import GalleryNotFoundError
from lookalike.gallery.local import LocalGallery
from lookalike.storage.store import FILE_NAME
from lookalike.web.problems import BusyError

Answer = TypeVar("Answer")
_Task = tuple[Callable[[LocalGallery], Any], "Future[Any]"]


class Engine:
    """A few threads with a gallery each.

    A gallery serves one thread, and its indexes are mapped from the same files, so that another one costs
    little memory.

    Parameters
    ----------
    open_gallery : callable    opens the gallery, once a thread and again where another was put in its place
    folder : Path              of the gallery
    n_threads, n_waiting : int    how many requests are answered at a time, and how many more may wait
    """

    def __init__(
        self, open_gallery: Callable[[], LocalGallery], folder: Path, *, n_threads: int, n_waiting: int
    ) -> None:
        self._open_gallery = open_gallery
        self._place = folder / FILE_NAME
        self._tasks: queue.Queue[_Task | None] = queue.Queue(n_waiting)
        self._threads = [
            threading.Thread(target=self._serve, name=f"lookalike-engine-{number}", daemon=True)
            for number in range(n_threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def n_waiting(self) -> int:
        """How many requests wait for a thread."""
        return self._tasks.qsize()

    async def run(self, work: Callable[[LocalGallery], Answer]) -> Answer:
        """Return what `work` makes of a gallery; raise BusyError where too many wait already."""
        future: Future[Answer] = Future()
        try:
            self._tasks.put_nowait((work, future))
        except queue.Full as error:
            raise BusyError from error
        return await asyncio.wrap_future(future)

    def on_every_thread(self, work: Callable[[LocalGallery], object]) -> None:
        """Do something once in each thread; errors are left to the requests that meet them."""
        together = threading.Barrier(len(self._threads))
        one_by_one = threading.Lock()  # the caches that the first one builds are there for the others

        def work_once(gallery: LocalGallery) -> None:
            together.wait()  # so that no thread takes two
            with one_by_one:
                work(gallery)

        futures: list[Future[None]] = [Future() for _ in self._threads]
        for future in futures:
            self._tasks.put((work_once, future))
        for future in futures:
            future.exception()

    def close(self) -> None:
        """Let the threads end after what they are at."""
        with suppress(queue.Empty):
            while True:
                waiting = self._tasks.get_nowait()
                if waiting is not None:
                    waiting[1].cancel()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        gallery: LocalGallery | None = None
        identity: tuple[int, int] | None = None
        while (task := self._tasks.get()) is not None:
            work, future = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                found = self._identify()
                if gallery is None or found != identity:
                    if gallery is not None:
                        gallery.close()
                        gallery = None
                    gallery, identity = self._open_gallery(), found
                future.set_result(work(gallery))
            except BaseException as error:
                future.set_exception(error)
        if gallery is not None:
            gallery.close()

    def _identify(self) -> tuple[int, int]:
        """Return what tells the gallery's file from another that is put in its place."""
        try:
            status = self._place.stat()
        except OSError as error:
            raise GalleryNotFoundError(
                f"the gallery {self._place.parent} is gone: is its disk there?"
            ) from error
        return status.st_dev, status.st_ino
