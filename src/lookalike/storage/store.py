"""The truth of a gallery: its tables, cut into groups, over one database file.

A content row and all its features are written in one transaction, so a gallery that was killed at any
moment holds only whole rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lookalike.media.files import GALLERY_FILE
from lookalike.storage.batch import Batch
from lookalike.storage.database import Database
from lookalike.storage.features import Contents, Features
from lookalike.storage.files import Files
from lookalike.storage.filters import Passing
from lookalike.storage.notes import Notes
from lookalike.storage.pairs import Pairs
from lookalike.storage.people import People
from lookalike.storage.places import Places

FILE_NAME = GALLERY_FILE


class Store:
    """An open gallery file. Any number of threads and processes may use one gallery.

    Parameters and errors are those of `lookalike.storage.database.Database`.

    Attributes
    ----------
    files, passing, contents, features, pairs, people, notes, places
        The groups of its tables; see their modules.
    """

    def __init__(self, folder: Path, *, create: bool = False, read_only: bool = False) -> None:
        self.database = Database(folder, create=create, read_only=read_only)
        self.files = Files(self.database)
        self.passing = Passing(self.database)
        self.contents = Contents(self.database)
        self.features = Features(self.database)
        self.pairs = Pairs(self.database)
        self.people = People(self.database)
        self.notes = Notes(self.database)
        self.places = Places(self.database)

    @property
    def folder(self) -> Path:
        """The gallery's folder."""
        return self.database.folder

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """Write a batch of files and contents in one transaction."""
        with self.database.transaction():
            batch = Batch(self.database)
            yield batch
            if batch.changed_files:
                self.database.execute("UPDATE counter SET value = value + 1 WHERE name = 'generation'")

    def generation(self) -> int:
        """Return a number that grows whenever files or contents were added, changed or removed."""
        return self.notes.number("generation") or 0

    def size_bytes(self) -> int:
        """Return the bytes that SQLite's pages take."""
        (n_pages,), (page_bytes,) = (
            self.database.rows(f"PRAGMA {name}")[0] for name in ("page_count", "page_size")
        )
        return int(n_pages) * int(page_bytes)

    def close(self) -> None:
        """Close the gallery; a closed store cannot be used again."""
        self.database.close()
