"""Who decodes what is asked with: this process, or one of its own that may hang or crash.

A gallery that a person asks at a terminal decodes here. A server must outlive any picture that a stranger
sends, so there everything is decoded in a worker process under the limits of the settings.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from lookalike.errors import DecodeError, LimitError, PictureError, ReadError
from lookalike.features.extract import Extractor, Prepared
from lookalike.queries.picture import load_query
from lookalike.queries.source import Box, Source, cut_box, decode_source
from lookalike.records.picture import Picture
from lookalike.settings import Settings
from lookalike.workers.pool import WorkerPool
from lookalike.workers.tasks import Failed, Job

if TYPE_CHECKING:
    from lookalike.comparing import Comparison
    from lookalike.features.keypoints import Keypoints

_JPEG_QUALITY = 85
_ERRORS = {"read": ReadError, "decode": DecodeError, "limit": LimitError}


@dataclass(frozen=True)
class ReadPicture:
    """A picture that was decoded, made ready for the features; the sizes are those of the whole picture."""

    prepared: Prepared
    digest: bytes | None
    width_px: int
    height_px: int
    camera: str | None = None


class PictureReader(Protocol):
    """Decodes the pictures of queries. Every verb raises `PictureError`."""

    def read(self, source: Source, box: Box | None) -> ReadPicture:
        """Return a picture, or the part of it in the box, ready for the features."""

    def keypoints(self, source: Source, box: Box | None) -> Keypoints:
        """Return the local features of a picture, or of the part of it in the box."""

    def show(self, source: Source, longer_side_px: int) -> bytes:
        """Return the picture as an upright JPEG, at most so large."""

    def compare(self, first: Source, second: Source) -> Comparison:
        """Compare two pictures by every measure."""

    def close(self) -> None:
        """Let go of what the reader holds."""


class LocalReader:
    """Decodes in this process."""

    def __init__(self, settings: Settings, extractor: Callable[[], Extractor]) -> None:
        self._settings = settings
        self._extractor = extractor

    def read(self, source: Source, box: Box | None) -> ReadPicture:
        """See `PictureReader.read`."""
        picture, digest = self._decode(source, box, self._extractor().min_side_px)
        size = (picture.width_px, picture.height_px)
        prepared = self._extractor().prepare(picture if box is None else cut_box(picture, box))
        return ReadPicture(prepared, digest if box is None else None, *size, picture.camera)

    def keypoints(self, source: Source, box: Box | None) -> Keypoints:
        """See `PictureReader.keypoints`."""
        from lookalike.features.keypoints import KEYPOINT_MIN_SIDE_PX, extract_keypoints

        picture, _ = self._decode(source, box, KEYPOINT_MIN_SIDE_PX)
        if box is not None:
            picture = cut_box(picture, box)
        return extract_keypoints(picture.image, (picture.width_px, picture.height_px))

    def show(self, source: Source, longer_side_px: int) -> bytes:
        """See `PictureReader.show`."""
        image = self._decode(source, None, longer_side_px)[0].image.copy()
        image.thumbnail((longer_side_px, longer_side_px))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
        return buffer.getvalue()

    def compare(self, first: Source, second: Source) -> Comparison:
        """See `PictureReader.compare`."""
        from lookalike.comparing import compare_queries

        queries = [
            load_query(source, self._extractor(), self._settings, reader=self) for source in (first, second)
        ]
        pictures = [decode_source(source, self._settings)[0] for source in (first, second)]
        return compare_queries(queries[0], queries[1], (pictures[0], pictures[1]))

    def close(self) -> None:
        """See `PictureReader.close`."""

    def _decode(self, source: Source, box: Box | None, side_px: int) -> tuple[Picture, bytes | None]:
        """Decode so large that the box, too, has sides of so many pixels, where the picture has them."""
        share = 1.0 if box is None else min(box.width, box.height)
        return decode_source(source, self._settings, min_side_px=round(side_px / share))


@dataclass(frozen=True, eq=False)
class ReaderTask:
    """A verb of `PictureReader`, and what it is called with."""

    verb: Literal["read", "keypoints", "show", "compare"]
    arguments: tuple[Any, ...]


class ReaderWorker:
    """Does what a `PictureReader` does, in a worker process."""

    def __init__(self, job: Job) -> None:
        extractor = Extractor(job.settings)
        self._reader = LocalReader(job.settings, lambda: extractor)

    def __call__(self, task: ReaderTask) -> Any:
        """Do one task; raise PictureError."""
        return getattr(self._reader, task.verb)(*task.arguments)


class IsolatedReader:
    """Decodes in a worker process, which is replaced where a picture makes it hang or crash.

    Several threads may use one object; it reads for one of them at a time.
    """

    def __init__(self, settings: Settings, gallery: Path) -> None:
        extractor = Extractor(settings)
        self._lock = Lock()
        self._local = LocalReader(settings, lambda: extractor)  # for pixels, which nothing has to decode
        self._pool: WorkerPool[ReaderTask, Any] = WorkerPool(Job(settings, (), gallery), 1, ReaderWorker)

    def read(self, source: Source, box: Box | None) -> ReadPicture:
        """See `PictureReader.read`."""
        if source.pixels is not None:
            return self._local.read(source, box)
        return cast("ReadPicture", self._ask(ReaderTask("read", (source, box))))

    def keypoints(self, source: Source, box: Box | None) -> Keypoints:
        """See `PictureReader.keypoints`."""
        if source.pixels is not None:
            return self._local.keypoints(source, box)
        return cast("Keypoints", self._ask(ReaderTask("keypoints", (source, box))))

    def show(self, source: Source, longer_side_px: int) -> bytes:
        """See `PictureReader.show`."""
        if source.pixels is not None:
            return self._local.show(source, longer_side_px)
        return cast("bytes", self._ask(ReaderTask("show", (source, longer_side_px))))

    def compare(self, first: Source, second: Source) -> Comparison:
        """See `PictureReader.compare`."""
        if first.pixels is not None or second.pixels is not None:
            return self._local.compare(first, second)
        return cast("Comparison", self._ask(ReaderTask("compare", (first, second))))

    def close(self) -> None:
        """Stop the worker process."""
        self._pool.dismiss()

    def _ask(self, task: ReaderTask) -> Any:
        with self._lock:
            (answer,) = self._pool.run([task])
        if isinstance(answer, Failed):
            raise _ERRORS.get(answer.stage, PictureError)(answer.reason)
        return answer
