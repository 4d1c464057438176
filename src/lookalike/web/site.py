"""Everything that a running server holds: its engines, uploads, jobs and figures."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lookalike.answers.gallery import FindingAnswer
from lookalike.doctor import examine
from lookalike.gallery.local import LocalGallery
from lookalike.media.folders import is_in
from lookalike.opening import open_folder
from lookalike.web.engine import Engine
from lookalike.web.fetch import fetch
from lookalike.web.guard import Patience
from lookalike.web.jobs import Jobs
from lookalike.web.metrics import Metrics
from lookalike.web.options import ServeOptions
from lookalike.web.plans import Plans
from lookalike.web.problems import Refusal
from lookalike.web.review import Review
from lookalike.web.thumbnails import Thumbnails
from lookalike.web.uploads import Uploads

MAX_THREADS = 8  # a scan is bound by memory, which more threads do not make faster
PICTURE_THREADS = 2
CHANGING_THREADS = 2  # likes, verdicts: SQLite takes one after the other anyway
PLANNING_THREADS = 1  # a plan proves with processes of its own
Answer = TypeVar("Answer")


class Site:
    """A served gallery.

    Parameters
    ----------
    options : ServeOptions
    """

    def __init__(self, options: ServeOptions) -> None:
        self.options = options
        with open_folder(options.gallery, settings=options.settings) as gallery:
            self.folder = gallery.folder.absolute()
        self.key = secrets.token_hex(4)  # tells this run's cached pictures from those of another gallery
        settings = options.settings
        # One thread of linear algebra for each engine thread: there is an engine thread for every core.
        self._engine_settings = settings.with_values({"jobs": "1"})
        n_threads = settings.serve_threads or min(settings.n_workers, MAX_THREADS)
        self.searches = self._engine(n_threads, settings.serve_queue)
        self.pictures = self._engine(min(n_threads, PICTURE_THREADS), 4 * settings.serve_queue)
        self.uploads = Uploads(self.folder, settings)
        self.is_ready = False
        self.is_closing: Callable[[], bool] = lambda: False  # told by the server, so that streams end
        self.metrics = Metrics()
        self.metrics.watch(
            "lookalike_searches_waiting", "Searches in the queue.", lambda: self.searches.n_waiting
        )
        self.metrics.watch(
            "lookalike_pictures_waiting", "Pictures in the queue.", lambda: self.pictures.n_waiting
        )
        self._thumbnails = Thumbnails()
        self.patience = Patience()
        self.jobs = Jobs(self.open_writing)
        self.review = Review(self.folder)
        self.plans = Plans(self.folder / "plans")
        self._changing = ThreadPoolExecutor(CHANGING_THREADS, "lookalike-change")
        self._planning = ThreadPoolExecutor(PLANNING_THREADS, "lookalike-plan")
        self._findings: tuple[FindingAnswer, ...] | None = None

    def _engine(self, n_threads: int, n_waiting: int) -> Engine:
        return Engine(self.open_reading, self.folder, n_threads=n_threads, n_waiting=n_waiting)

    def open_reading(self) -> LocalGallery:
        """Open the gallery for an engine thread; what is asked with is decoded in a process of its own."""
        return LocalGallery(self.folder, settings=self._engine_settings, isolate=True)

    def start(self) -> None:
        """Load indexes and model in every search thread, so that the first answers come at once."""

        def warm() -> None:
            self.searches.on_every_thread(LocalGallery.warm_up)
            self.is_ready = True
            self._findings = self._examine()

        threading.Thread(target=warm, name="lookalike-warm-up", daemon=True).start()

    def open_writing(self) -> LocalGallery:
        """Open the gallery for a long run."""
        return LocalGallery(self.folder, settings=self.options.settings)

    async def change(self, work: Callable[[LocalGallery], Answer]) -> Answer:
        """Return what `work` makes of a gallery that it may change; meant for what is quickly done."""
        return await self._work_in(self._changing, work)

    async def plan(self, work: Callable[[LocalGallery], Answer]) -> Answer:
        """Return what `work` makes of a gallery; it may take its time, and nothing else waits for it."""
        return await self._work_in(self._planning, work)

    async def _work_in(self, threads: ThreadPoolExecutor, work: Callable[[LocalGallery], Answer]) -> Answer:
        def run() -> Answer:
            with self.open_writing() as gallery:
                return work(gallery)

        return await asyncio.get_running_loop().run_in_executor(threads, run)

    async def fetch(self, address: str) -> bytes:
        """Return the picture at an address, where the server was told to fetch any."""
        if not self.options.allow_addresses:
            raise Refusal(
                403,
                "this server fetches nothing: save the picture and send it, or start the server with "
                "--allow-addresses.",
            )
        return await fetch(address, max_bytes=self.options.settings.serve_max_bytes)

    async def thumbnail(self, query: str, digest: bytes, side_px: int) -> bytes:
        """Return a picture of the gallery as a small JPEG; the last ones are remembered."""
        kept = self._thumbnails.get((digest, side_px))
        if kept is None:
            kept = await self.pictures.run(lambda gallery: gallery.show(query, side_px))
            self._thumbnails.put((digest, side_px), kept)
        return kept

    async def findings(self) -> tuple[FindingAnswer, ...]:
        """Return what `doctor` finds; it is looked for once."""
        if self._findings is None:
            self._findings = await asyncio.to_thread(self._examine)
        return self._findings

    def _examine(self) -> tuple[FindingAnswer, ...]:
        return tuple(FindingAnswer(**vars(finding)) for finding in examine(self.options.settings))

    def check_folders(self, paths: Sequence[str]) -> None:
        """Refuse paths outside the folders that clients may name; raise Refusal (403)."""
        allowed = self.options.allow_folders
        if allowed is None:
            return
        for path in paths:
            if not is_in(os.path.realpath(path), [os.path.realpath(folder) for folder in allowed]):
                raise Refusal(
                    403,
                    f"{path!r} lies in none of the folders that this server may use: start it with "
                    "--allow-folder.",
                )

    def close(self) -> None:
        """Stop all threads and processes."""
        self.jobs.close()
        for threads in (self._changing, self._planning):
            threads.shutdown(wait=False, cancel_futures=True)
        self.searches.close()
        self.pictures.close()
        self.uploads.close()
