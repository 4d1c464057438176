"""What a worker does with one file: read, digest, decode and extract it."""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.storage.records import Content
from lookalike.storage.store import Store
from lookalike.workers.tasks import Job


@dataclass(frozen=True)
class Extracted:
    """One file, read; its content with the features that the gallery lacks."""

    path: str
    size_bytes: int
    mtime_ns: int
    digest: bytes
    content: Content | None
    features: dict[str, bytes]


class FileWorker:
    """Turns one path after the other into `Extracted`."""

    def __init__(self, job: Job) -> None:
        from lookalike.features.extract import Extractor

        self._job = job
        self._extractor = Extractor(job.settings, job.features)
        self._store = Store(job.gallery, read_only=True)

    def __call__(self, path: str) -> Extracted:
        """Process one file; raise PictureError where that cannot be done."""
        from lookalike.media.decode import decode
        from lookalike.media.files import read_file

        settings, extractor = self._job.settings, self._extractor
        file = read_file(path, max_bytes=settings.max_bytes)
        facts = (path, file.size_bytes, file.mtime_ns, file.digest)
        known = self._store.contents.id_of(file.digest)
        if known is not None and not self._store.features.missing(known, extractor.recipes.values()):
            return Extracted(*facts, None, {})
        picture = decode(file.data, min_side_px=extractor.min_side_px, settings=settings)
        features = extractor.extract(extractor.prepare(picture))
        content = Content(
            file.digest,
            file.size_bytes,
            picture.format,
            picture.width_px,
            picture.height_px,
            picture.taken_at,
        )
        return Extracted(*facts, content, {name: row.tobytes() for name, row in features.items()})
