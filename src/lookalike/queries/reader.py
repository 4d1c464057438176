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
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from lookalike.errors import DecodeError, LimitError, PictureError, ReadError
from lookalike.features.extract import Extractor
from lookalike.features.prepared import Prepared
from lookalike.queries.source import Box, Source, cut_box, decode_source, read_source
from lookalike.records.picture import Picture
from lookalike.settings import Settings
from lookalike.workers.pool import WorkerPool
from lookalike.workers.tasks import Failed, Job

if TYPE_CHECKING:
    from lookalike.features.keypoints import Keypoints
    from lookalike.media.sight import Sight

_JPEG_QUALITY = 85
_ERRORS = {"read": ReadError, "decode": DecodeError, "limit": LimitError}
Done = TypeVar("Done")


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

    def run(self, work: Callable[..., Done], *arguments: Any) -> Done:
        """Return what some work makes of pictures, done where pictures are decoded.

        Parameters
        ----------
        work : callable
            A function of a module, called with a `LocalReader` and the arguments.
        arguments : Source and others
            What can be pickled, for the work may be done in another process, as may its answer.
        """

    def read(self, source: Source, box: Box | None) -> ReadPicture:
        """Return a picture, or the part of it in the box, ready for the features."""

    def keypoints(self, source: Source, box: Box | None) -> Keypoints:
        """Return the local features of a picture, or of the part of it in the box."""

    def show(self, source: Source, longer_side_px: int) -> bytes:
        """Return the picture as an upright JPEG, at most so large."""

    def close(self) -> None:
        """Let go of what the reader holds."""


class LocalReader:
    """Decodes in this process.

    Parameters
    ----------
    settings : Settings
        Limits.
    extractor : callable
        Gives what computes the features, when it is first needed.
    """

    def __init__(self, settings: Settings, extractor: Callable[[], Extractor]) -> None:
        self._settings = settings
        self._extractor = extractor

    @property
    def extractor(self) -> Extractor:
        """What computes the features."""
        return self._extractor()

    def run(self, work: Callable[..., Done], *arguments: Any) -> Done:
        """See `PictureReader.run`."""
        return work(self, *arguments)

    def see(self, source: Source, box: Box | None = None) -> Sight:
        """Return a picture, or the part of it in the box, in full size with its opacity. Raises `PictureError`."""
        picture, _, sight = self.decode_and_see(source)
        return sight if box is None else sight.cut(box.corners_px(picture.image.size))

    def decode_and_see(self, source: Source) -> tuple[Picture, bytes | None, Sight]:
        """Return a picture in full, the digest of its bytes, and the picture with its opacity, from one decode."""
        from lookalike.media.beyond import opacity_of
        from lookalike.media.decode import decode
        from lookalike.media.sight import Sight

        read = read_source(source, self._settings)
        if read is None:
            picture = decode(source.pixels, settings=self._settings)
            return picture, None, Sight(picture.rgb)
        data, digest = read
        picture = decode(data, settings=self._settings)
        return picture, digest, Sight(picture.rgb, opacity_of(data, settings=self._settings), data)

    def read(self, source: Source, box: Box | None) -> ReadPicture:
        """See `PictureReader.read`."""
        picture, digest = self._decode(source, box, self.extractor.min_side_px)
        size = (picture.width_px, picture.height_px)
        prepared = self.extractor.prepare(picture if box is None else cut_box(picture, box))
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

    def close(self) -> None:
        """See `PictureReader.close`."""

    def _decode(self, source: Source, box: Box | None, side_px: int) -> tuple[Picture, bytes | None]:
        """Decode so large that the box, too, has sides of so many pixels, where the picture has them."""
        share = 1.0 if box is None else min(box.width, box.height)
        return decode_source(source, self._settings, min_side_px=round(side_px / share))


@dataclass(frozen=True, eq=False)
class ReaderTask:
    """Some work for a `LocalReader`, and what else it is called with."""

    work: Callable[..., Any]
    arguments: tuple[Any, ...]


class ReaderWorker:
    """Does what a `PictureReader` is asked for, in a worker process."""

    def __init__(self, job: Job) -> None:
        extractor = Extractor(job.settings)
        self._reader = LocalReader(job.settings, lambda: extractor)

    def __call__(self, task: ReaderTask) -> Any:
        """Do one task; raise PictureError."""
        return task.work(self._reader, *task.arguments)


class IsolatedReader:
    """Decodes in a worker process, which is replaced where a picture makes it hang or crash.

    Several threads may use one object; it reads for one of them at a time.

    Parameters
    ----------
    settings : Settings
        Limits.
    gallery : Path
        Its folder.
    """

    def __init__(self, settings: Settings, gallery: Path) -> None:
        extractor = Extractor(settings)
        self._lock = Lock()
        self._local = LocalReader(settings, lambda: extractor)  # for pixels, which nothing has to decode
        self._pool: WorkerPool[ReaderTask, Any] = WorkerPool(Job(settings, (), gallery), 1, ReaderWorker)

    def run(self, work: Callable[..., Done], *arguments: Any) -> Done:
        """See `PictureReader.run`."""
        if any(isinstance(one, Source) and one.pixels is not None for one in arguments):
            return self._local.run(work, *arguments)
        with self._lock:
            (answer,) = self._pool.run([ReaderTask(work, arguments)])
        if isinstance(answer, Failed):
            raise _ERRORS.get(answer.stage, PictureError)(answer.reason)
        return cast("Done", answer)

    def read(self, source: Source, box: Box | None) -> ReadPicture:
        """See `PictureReader.read`."""
        return self.run(LocalReader.read, source, box)

    def keypoints(self, source: Source, box: Box | None) -> Keypoints:
        """See `PictureReader.keypoints`."""
        return self.run(LocalReader.keypoints, source, box)

    def show(self, source: Source, longer_side_px: int) -> bytes:
        """See `PictureReader.show`."""
        return self.run(LocalReader.show, source, longer_side_px)

    def close(self) -> None:
        """Stop the worker process."""
        self._pool.dismiss()
