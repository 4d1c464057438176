"""An open gallery folder, and what is made of it when it is first needed: what the verbs share."""

from __future__ import annotations

import os
from pathlib import Path
from threading import RLock
from typing import Any

from lookalike.errors import InputError
from lookalike.features.extract import Extractor
from lookalike.features.feature import EMBEDDING
from lookalike.media.files import digest_of, read_file
from lookalike.queries.reader import IsolatedReader, LocalReader, PictureReader
from lookalike.queries.source import Source, parse_source
from lookalike.searching.searcher import Searcher
from lookalike.settings import Settings
from lookalike.storage.store import Store


class Opened:
    """The store of a gallery, with its searcher, extractor and reader of pictures.

    Parameters
    ----------
    folder : path
    create : bool
        Make an empty gallery where there is none.
    settings : Settings
    isolate : bool
        Decode what is asked with in a process of its own.

    Raises
    ------
    GalleryNotFoundError
        There is none, and `create` is false.
    StoreError
        It cannot be opened, is damaged, or was written by a newer version.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, create: bool, settings: Settings, isolate: bool
    ) -> None:
        self.store = Store(Path(os.path.expanduser(folder)), create=create)
        self.settings = settings
        self.searcher = Searcher(self.store, lambda: self.extractor)
        self._isolate = isolate
        self._lock = RLock()  # what is made when it is first needed is made once, whichever thread needs it
        self._extractor: Extractor | None = None
        self._reader: PictureReader | None = None

    @property
    def extractor(self) -> Extractor:
        """What computes the features of a query."""
        with self._lock:
            if self._extractor is None:
                n_threads = 1 if self._isolate else self.settings.n_workers
                self._extractor = Extractor(self.settings, n_threads=n_threads)
            return self._extractor

    @property
    def reader(self) -> PictureReader:
        """What reads and decodes the pictures that are asked with."""
        with self._lock:
            if self._reader is None:
                self._reader = (
                    IsolatedReader(self.settings, self.store.folder)
                    if self._isolate
                    else LocalReader(self.settings, lambda: self.extractor)
                )
            return self._reader

    @property
    def has_embeddings(self) -> bool:
        """Whether pictures were added with all their features, not with hashes only."""
        return self.store.features.has(EMBEDDING)

    def source(self, picture: Any) -> Source:
        """Return where a picture comes from that was handed over in any of the ways."""
        return parse_source(picture, self.store, max_bytes=self.settings.max_bytes)

    def digest_of(self, picture: Any) -> bytes:
        """Return the digest of a picture's bytes as they are now; raise InputError for pixels without any."""
        source = self.source(picture)
        if source.data is not None:
            return digest_of(source.data)
        if source.path is None and source.digest is not None:
            return source.digest
        if source.path is None:
            raise InputError("pixels have no bytes to remember: give a file.")
        with source.named():
            return read_file(source.path, max_bytes=self.settings.max_bytes).digest

    def close(self) -> None:
        """Close the store, and end the process of the reader."""
        with self._lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
        self.store.close()
