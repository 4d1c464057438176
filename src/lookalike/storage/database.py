"""One SQLite file in write-ahead-log mode: connections, transactions, versions, and errors as sentences.

This is the only module that speaks to sqlite3. Every thread that uses a `Database` gets a connection of its own,
so that several may ask at a time; SQLite lets one of them write at a time, and the others wait.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import GalleryNotFoundError, NewerGalleryError, StoreError, UnwritableError
from lookalike.media.files import GALLERY_FILE
from lookalike.storage.schema import APPLICATION_ID, MIGRATIONS

BUSY_SECONDS = 60.0
_RETRY_SECONDS = 0.01
_MAX_VARIABLES = 500  # values of one statement; SQLite's oldest limit is 999
_CANNOT_WRITE = (  # what SQLite says where it can make or write no file
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
Values = Sequence[Any]
Done = TypeVar("Done")


class _Connection(sqlite3.Connection):
    """A connection that is closed when its thread ends, and that the database can close before."""

    def __del__(self) -> None:
        self.close()


class Database:
    """The open file of a gallery, for any number of threads.

    Parameters
    ----------
    folder : Path
        The gallery's folder.
    create : bool
        Make the folder and an empty gallery where there is none, and bring an older one up to date. Without it
        an older gallery is refused, so that no question ever changes it.
    read_only : bool
        Only read. A gallery that cannot be written is opened for reading without it, too.

    Raises
    ------
    GalleryNotFoundError
        There is no gallery and `create` is false.
    NewerGalleryError
        A newer lookalike wrote it.
    StoreError
        It is damaged, older, of another program, or cannot be opened.
    """

    def __init__(self, folder: Path, *, create: bool = False, read_only: bool = False) -> None:
        self.folder = folder
        self.path = folder / GALLERY_FILE
        self._mine = threading.local()
        self._all: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._is_closed = False
        if not self._is_there():
            if not create:
                raise self._not_found()
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"the gallery {folder} cannot be made: {error.strerror}. Choose another place "
                    "with --gallery."
                ) from error
        with self._translated():
            self._address = str(self.path.absolute()) if create else self._find_way(read_only)
            try:
                self._patiently(lambda: self._check_version(create=create))
                if create:
                    self._migrate()
            except BaseException:
                self.close()
                raise

    # Opening

    def _is_there(self) -> bool:
        try:
            return stat.S_ISREG(self.path.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (OSError, ValueError) as error:
            raise StoreError(
                f"the gallery {self.folder} cannot be opened: {getattr(error, 'strerror', error)}. Check its "
                "name, and that you may read the folder."
            ) from error

    def _not_found(self) -> GalleryNotFoundError:
        return GalleryNotFoundError(
            f"there is no gallery at {self.folder}: make one with "
            f"`lookalike --gallery {self.folder} index FOLDER_OF_PICTURES`."
        )

    def _find_way(self, read_only: bool) -> str:
        """Return the first address by which the file can be read; most galleries can be read at least.

        SQLite writes a little even to read, beside its write-ahead log. Where it may not, or the disk is
        full, the file is read as it stands, which is right only while the log is empty.
        """
        uri = self.path.absolute().as_uri()
        for way in ("mode=rw", "mode=ro")[read_only:]:
            db = self._connect(f"{uri}?{way}")
            try:
                db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except sqlite3.Error as error:
                if error.sqlite_errorcode & 0xFF not in _CANNOT_WRITE:
                    raise
            else:
                return f"{uri}?{way}"
            finally:
                db.close()
        if self._log_bytes():
            raise StoreError(
                f"the gallery {self.folder} cannot be read: its last changes are still in its write-ahead log, "
                "which you may not open or for which the disk is too full. Free some space; or let someone who "
                "may write the gallery run any lookalike command on it; or copy it to a place of your own."
            )
        return f"{uri}?mode=ro&immutable=1"

    def _log_bytes(self) -> int:
        try:
            return os.stat(f"{self.path}-wal").st_size
        except FileNotFoundError:
            return 0

    def _connect(self, address: str) -> _Connection:
        return sqlite3.connect(
            address,
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,  # each is used by one thread, but closed by whichever closes the gallery
            factory=_Connection,
        )

    def _check_version(self, *, create: bool) -> None:
        """Refuse what is no gallery of this version; only who may create one may also bring one up to date."""
        with self._transaction(
            "DEFERRED"
        ):  # all three are read of one state, while others may be creating it
            version, application = self.pragma("user_version"), self.pragma("application_id")
            (n_tables,) = self.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != APPLICATION_ID and (version or application or n_tables):
            raise StoreError(f"{self.path} is an SQLite file of another program: choose another --gallery.")
        if version > len(MIGRATIONS):
            raise NewerGalleryError(
                f"the gallery {self.folder} was written by a newer lookalike (gallery version {version}, "
                f"this one reads up to {len(MIGRATIONS)}): update lookalike; nothing was changed."
            )
        if not version and not create:
            raise self._not_found()  # a run was killed before it had written anything
        if version < len(MIGRATIONS) and not create:
            raise StoreError(
                f"the gallery {self.folder} was written by an older lookalike (gallery version {version}, this "
                f"one needs {len(MIGRATIONS)}): run `lookalike index` over your folders once, which brings it "
                "up to date; nothing was changed."
            )

    def _migrate(self) -> None:
        """Bring an empty or older gallery up to date, in one transaction."""
        if self.pragma("user_version") == len(MIGRATIONS):
            return
        self._patiently(lambda: self.execute("PRAGMA journal_mode = WAL"))
        with self._transaction("IMMEDIATE"):
            for step in range(self.pragma("user_version"), len(MIGRATIONS)):
                for statement in _statements(MIGRATIONS[step]):
                    self.execute(statement)
                self.execute(f"PRAGMA user_version = {step + 1}")
                self.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _patiently(self, work: Callable[[], Done]) -> Done:
        """Repeat what SQLite refuses at once where another process has the file, though told to wait."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return work()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(_RETRY_SECONDS)

    # Asking and writing

    def connection(self) -> sqlite3.Connection:
        """Return the connection of the thread that asks.

        Raises
        ------
        StoreError
            The gallery was closed.
        """
        if self._is_closed:
            raise self._closed()
        kept: _Connection | None = getattr(self._mine, "connection", None)
        if kept is None:
            kept = self._connect(self._address)
            kept.execute("PRAGMA foreign_keys = ON")
            kept.execute("PRAGMA temp_store = MEMORY")
            self._mine.connection = kept
            with self._lock:
                self._all.add(kept)
        return kept

    def execute(self, statement: str, values: Values = ()) -> sqlite3.Cursor:
        """Run one statement; for use within a `transaction`, which translates the errors."""
        return self.connection().execute(statement, values)

    def execute_many(self, statement: str, rows: Sequence[Values]) -> int:
        """Run one statement for each row of values within a `transaction`; return how many rows it changed."""
        return self.connection().executemany(statement, rows).rowcount

    def pragma(self, name: str) -> int:
        """Return what SQLite says of one of its settings."""
        return int(self.execute(f"PRAGMA {name}").fetchone()[0])

    def rows(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Return all rows that a question gives."""
        with self._translated():
            return self.execute(statement, values).fetchall()

    def row(self, statement: str, values: Values = ()) -> tuple[Any, ...] | None:
        """Return the first row that a question gives, if any."""
        with self._translated():
            found: tuple[Any, ...] | None = self.execute(statement, values).fetchone()
        return found

    def iter_rows(self, statement: str, values: Values = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that a question gives, as SQLite finds them, in whatever memory one row takes."""
        with self._translated():
            yield from self.execute(statement, values)

    def ids(self, question: str, values: Values = ()) -> NDArray[np.int64]:
        """Return the whole numbers that a question gives in its only column, which is called ``id``, in no order.

        They leave SQLite as one text, which takes a third of the time of rows.
        """
        text = self.rows(f"SELECT group_concat(id) FROM ({question})", values)[0][0]
        return np.empty(0, np.int64) if text is None else np.fromstring(str(text), np.int64, sep=",")

    def rows_among(self, statement: str, keys: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a question about many keys; the statement has ``{keys}`` where they belong."""
        for start in range(0, len(keys), _MAX_VARIABLES):
            some = keys[start : start + _MAX_VARIABLES]
            yield from self.rows(statement.replace("{keys}", ",".join("?" * len(some))), some)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as one transaction of this thread: all of it is kept, or nothing."""
        with self._translated(), self._transaction("IMMEDIATE"):
            yield

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self.execute(f"BEGIN {kind}")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if not self._is_closed and self.connection().in_transaction:
                self.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the connections of all threads; a closed database cannot be used again."""
        with self._lock:
            self._is_closed = True
            connections = list(self._all)
        for connection in connections:
            connection.close()

    # Errors

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn SQLite's errors into a sentence that names the gallery and the mend."""
        try:
            yield
        except sqlite3.OperationalError as error:
            kind = UnwritableError if _is_unwritable(str(error)) else StoreError
            raise kind(f"the gallery {self.folder} {_explain(str(error))}") from error
        except sqlite3.ProgrammingError as error:
            if self._is_closed:  # by another thread, while this one used it
                raise self._closed() from error
            raise
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                raise StoreError(f"the gallery {self.folder} {_explain(str(error))}") from error
            raise StoreError(
                f"the gallery {self.folder} is damaged or no gallery ({error}): restore it from a backup, or "
                "move it away and index again; your pictures are not affected."
            ) from error

    def _closed(self) -> StoreError:
        return StoreError(f"the gallery {self.folder} was closed: open it again to use it.")


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; one may hold others, as that of a trigger does."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _is_unwritable(message: str) -> bool:
    return "readonly" in message or "disk is full" in message


def _explain(message: str) -> str:
    known = {
        "disk is full": "cannot be written: the disk is full. Free some space and run the command again; "
        "what was added before is kept.",
        "readonly": "cannot be written: it is read-only, or its disk is full. Make the folder writable, free some "
        "space, or copy the gallery.",
        "locked": f"is busy: another process held it for more than {BUSY_SECONDS:.0f} seconds. Try again.",
        "unable to open": "cannot be opened: check that the folder exists and that you may read and write it.",
        "disk I/O error": "cannot be read or written: the disk reports an error (it may be full or failing).",
    }
    for sign, sentence in known.items():
        if sign in message:
            return sentence
    return f"cannot be used: SQLite says {message!r}."
