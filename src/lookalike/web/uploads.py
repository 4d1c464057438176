"""Pictures that were sent to ask with: kept for a while, so that links, reload and back work."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from lookalike.media.files import digest_of
from lookalike.queries.source import Source
from lookalike.settings import Settings
from lookalike.web.problems import Refusal

ID_LENGTH = 32
_ID = re.compile(r"up:([0-9a-f]{32})")


class Uploads:
    """A folder of uploads, named by their digest; the oldest go when there are too many.

    Parameters
    ----------
    gallery : Path        they are kept in its folder, or in one of their own where it cannot be written
    settings : Settings   `serve_uploads` and `serve_uploads_bytes` bound them
    """

    def __init__(self, gallery: Path, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.folder = gallery / "uploads"
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            writable = os.access(self.folder, os.W_OK)
        except OSError:
            writable = False
        if not writable:
            self._temporary = tempfile.TemporaryDirectory(prefix="lookalike-uploads-")
            self.folder = Path(self._temporary.name)

    def put(self, data: bytes) -> str:
        """Keep a picture; return its id, ``up:`` and half of its digest in hexadecimal digits."""
        name = digest_of(data).hex()[:ID_LENGTH]
        place = self.folder / name
        with self._lock:
            if place.exists():
                # Not the time of writing: who reads it at this moment would take it for changed.
                os.utime(place, ns=(time.time_ns(), place.stat().st_mtime_ns))
            else:
                self._write(place, data)
                self._forget_oldest()
        return f"up:{name}"

    def _write(self, place: Path, data: bytes) -> None:
        unfinished = self.folder / f".{secrets.token_hex(8)}"
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            unfinished.replace(place)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            raise Refusal(507, f"the picture could not be kept: {error.strerror}.") from error

    def _forget_oldest(self) -> None:
        kept = sorted(
            (file.stat().st_atime_ns, file, file.stat().st_size)
            for file in self.folder.iterdir()
            if len(file.name) == ID_LENGTH
        )
        n_bytes = sum(size for _, _, size in kept)
        while len(kept) > self._settings.serve_uploads or (
            n_bytes > self._settings.serve_uploads_bytes and len(kept) > 1
        ):
            _, file, size = kept.pop(0)
            n_bytes -= size
            with suppress(OSError):
                file.unlink()

    def source(self, query: str, label: str | None = None) -> Source | None:
        """Return where an upload is; None where the text names none.

        Raises
        ------
        Refusal    404: it is not kept any more
        """
        found = _ID.fullmatch(query)
        if found is None:
            return None
        place = self.folder / found[1]
        if not place.is_file():
            raise Refusal(404, f"the picture {query} is not kept any more: send it again.")
        return Source(label or query, path=str(place))

    def named(self, query: str, label: str | None = None) -> Source | str:
        """Return where an upload is, or the text itself where it names something else; raise Refusal (404)."""
        return self.source(query, label) or query

    def close(self) -> None:
        """Remove uploads that were kept apart from a gallery that cannot be written."""
        if self._temporary is not None:
            self._temporary.cleanup()
