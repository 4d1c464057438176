"""The truth of a gallery: one SQLite file in write-ahead-log mode.

::

    file     path, size, mtime, state -> content     one row a path that was seen
    content  digest, format, width, height, date      one row a distinct byte sequence
    recipe   text                                     one row a way of computing a feature
    feature  (content, recipe) -> bytes               one row a computed feature
    verified (content, content, recipe) -> outcome    one row a pair whose relation was worked out
    verdict  (digest, digest) -> yes or no            what a person said of a pair; outlives its files
    rating   (query, picture) -> liked or not         what a person said of an answer, by digests
    calibration  document                             the last calibration of this gallery, as JSON

A content row and all its features are written in one transaction, so a gallery that was killed at any
moment holds only whole rows. Feature rows are numbered in the order of writing; a cache that has read up
to number n needs only the rows after n. Paths are kept as bytes, for a path need not be text.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import GalleryNotFoundError, NewerGalleryError, StoreError, UnwritableError
from lookalike.media.files import GALLERY_FILE
from lookalike.records.recipe import Recipe
from lookalike.storage.schema import APPLICATION_ID, MIGRATIONS

FILE_NAME = GALLERY_FILE
BUSY_SECONDS = 60.0
_CANNOT_WRITE = (  # what SQLite says where it can make or write no file
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
)
_MAX_VARIABLES = 500  # names looked up by one statement; SQLite's oldest limit is 999


@dataclass(frozen=True)
class KnownFile:
    """What the gallery remembers of one path; `stage` and `reason` are set for a failed file only."""

    path: str
    size_bytes: int
    mtime_ns: int
    content_id: int | None
    stage: str | None
    reason: str | None


@dataclass(frozen=True)
class Content:
    """The facts of one distinct byte sequence, before it has an id."""

    digest: bytes
    size_bytes: int
    format: str
    width_px: int
    height_px: int
    taken_at: str | None


@dataclass(frozen=True)
class FoundPicture:
    """One file of the gallery with the facts of its content."""

    content_id: int
    path: str
    size_bytes: int
    mtime_ns: int
    digest: bytes
    format: str
    width_px: int
    height_px: int
    taken_at: str | None

    @property
    def date(self) -> str:
        """When the picture was taken, else when the file was last written: ``YYYY-MM-DDTHH:MM:SS``."""
        if self.taken_at is not None:
            return self.taken_at
        return datetime.fromtimestamp(self.mtime_ns / 1e9).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Stamp:
    """How far a cache has read: its last feature number, and the removals it knew of."""

    last_number: int
    n_removals: int


@contextmanager
def _translated(place: Path) -> Iterator[None]:
    """Turn SQLite's errors into a sentence that names the gallery and the mend."""
    try:
        yield
    except sqlite3.OperationalError as error:
        kind = UnwritableError if _is_unwritable(str(error)) else StoreError
        raise kind(f"the gallery {place} {_explain(str(error))}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"the gallery {place} is damaged or no gallery ({error}): restore it from a backup, or move it "
            "away and index again; your pictures are not affected."
        ) from error


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


class Store:
    """An open gallery file. One connection; open one `Store` per thread or process.

    Parameters
    ----------
    folder : Path      the gallery's folder
    create : bool      make the folder and an empty gallery where there is none, and bring an older one up to
                       date; without it an older gallery is refused, so that no question ever changes it
    read_only : bool   only read; a gallery that cannot be written is opened for reading without it, too

    Raises
    ------
    GalleryNotFoundError    there is no gallery and `create` is false
    NewerGalleryError       a newer lookalike wrote it
    StoreError              it is damaged, older, of another program, or cannot be opened
    """

    def __init__(self, folder: Path, *, create: bool = False, read_only: bool = False) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME
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
        with _translated(folder):
            self._db = self._connect(str(self.path.absolute())) if create else self._open(read_only)
            try:
                self._db.execute("PRAGMA foreign_keys = ON")
                self._check_version(create=create)
                if create:
                    self._migrate()
            except BaseException:
                self._db.close()
                raise

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

    def _connect(self, database: str) -> sqlite3.Connection:
        return sqlite3.connect(database, uri=True, timeout=BUSY_SECONDS, isolation_level=None)

    def _open(self, read_only: bool) -> sqlite3.Connection:
        """Connect to a gallery that is there in the first way that works; most can be read at least.

        SQLite writes a little even to read, beside its write-ahead log. Where it may not, or the disk is
        full, the file is read as it stands, which is right only while the log is empty.
        """
        uri = self.path.absolute().as_uri()
        for way in ("mode=rw", "mode=ro")[read_only:]:
            db = self._connect(f"{uri}?{way}")
            try:
                db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except sqlite3.Error as error:
                db.close()
                if error.sqlite_errorcode & 0xFF not in _CANNOT_WRITE:
                    raise
            else:
                return db
        if self._log_bytes():
            raise StoreError(
                f"the gallery {self.folder} cannot be read: its last changes are still in its write-ahead log, "
                "which you may not open or for which the disk is too full. Free some space; or let someone who "
                "may write the gallery run any lookalike command on it; or copy it to a place of your own."
            )
        return self._connect(f"{uri}?mode=ro&immutable=1")

    def _log_bytes(self) -> int:
        try:
            return os.stat(f"{self.path}-wal").st_size
        except FileNotFoundError:
            return 0

    def _check_version(self, *, create: bool) -> None:
        """Refuse what is no gallery of this version; only who may create one may also bring one up to date."""
        self._db.execute("BEGIN")  # all three are read of one state, while others may be creating it
        version, application = self._pragma("user_version"), self._pragma("application_id")
        (n_tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self._db.execute("COMMIT")
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
        if self._pragma("user_version") == len(MIGRATIONS):
            return
        self._db.execute("PRAGMA journal_mode = WAL")
        with self._transaction():
            for step in range(self._pragma("user_version"), len(MIGRATIONS)):
                for statement in MIGRATIONS[step].split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {step + 1}")
                self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Run the block as one transaction: all of it is kept, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the gallery; a closed store cannot be used again."""
        self._db.close()

    # Files

    def known_files(self, paths: Sequence[str]) -> dict[str, KnownFile]:
        """Return what is remembered of these paths; unknown paths are left out."""
        found: dict[str, KnownFile] = {}
        with _translated(self.folder):
            for start in range(0, len(paths), _MAX_VARIABLES):
                keys = [os.fsencode(path) for path in paths[start : start + _MAX_VARIABLES]]
                rows = self._db.execute(
                    "SELECT path, size_bytes, mtime_ns, content_id, stage, reason FROM file "
                    f"WHERE path IN ({','.join('?' * len(keys))})",
                    keys,
                )
                for path, *facts in rows:
                    known = KnownFile(os.fsdecode(path), *facts)
                    found[known.path] = known
        return found

    def paths_of(self, content_id: int) -> list[str]:
        """Return the paths of one content, oldest row first."""
        with _translated(self.folder):
            rows = self._db.execute("SELECT path FROM file WHERE content_id = ? ORDER BY id", (content_id,))
            return [os.fsdecode(path) for (path,) in rows]

    def iter_paths(self) -> Iterator[str]:
        """Yield every path of the gallery, failed ones included."""
        with _translated(self.folder):
            for (path,) in self._db.execute("SELECT path FROM file ORDER BY id"):
                yield os.fsdecode(path)

    def iter_failures(self) -> Iterator[KnownFile]:
        """Yield the failed files, by path."""
        with _translated(self.folder):
            rows = self._db.execute(
                "SELECT path, size_bytes, mtime_ns, content_id, stage, reason FROM file "
                "WHERE content_id IS NULL ORDER BY path"
            )
            for path, *facts in rows:
                yield KnownFile(os.fsdecode(path), *facts)

    # Writing

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """Write a batch of files and contents in one transaction."""
        with _translated(self.folder), self._transaction():
            yield Batch(self._db)

    def remove(self, paths: Iterable[str]) -> int:
        """Forget these paths, and contents that no path leads to any more; return how many were known.

        The pictures themselves are not touched.
        """
        with _translated(self.folder), self._transaction():
            n_removed = 0
            for path in paths:
                n_removed += self._db.execute(
                    "DELETE FROM file WHERE path = ?", (os.fsencode(path),)
                ).rowcount
            self._forget_orphans()
            return n_removed

    def _forget_orphans(self) -> None:
        n_gone = self._db.execute(
            "DELETE FROM content WHERE id NOT IN (SELECT content_id FROM file WHERE content_id IS NOT NULL)"
        ).rowcount
        if n_gone:
            self._db.execute("UPDATE counter SET value = value + 1 WHERE name = 'removals'")

    def forget_orphans(self) -> None:
        """Forget contents that no path leads to any more (their files were changed or removed)."""
        with _translated(self.folder), self._transaction():
            self._forget_orphans()

    # Contents and features

    def content_id(self, digest: bytes) -> int | None:
        """Return the id of the content with this digest, if it is known."""
        with _translated(self.folder):
            row = self._db.execute("SELECT id FROM content WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else int(row[0])

    def missing_features(self, content_id: int, recipes: Iterable[Recipe]) -> set[str]:
        """Return which of these recipes' features the content lacks."""
        with _translated(self.folder):
            rows = self._db.execute(
                "SELECT text FROM feature JOIN recipe ON recipe.id = recipe_id WHERE content_id = ?",
                (content_id,),
            )
            present = {text for (text,) in rows}
        return {recipe.feature for recipe in recipes if recipe.text not in present}

    def contents_lacking(self, recipes: Sequence[Recipe]) -> set[int]:
        """Return the contents that lack a feature of at least one of these recipes."""
        with _translated(self.folder):
            texts = [recipe.text for recipe in recipes]
            rows = self._db.execute(
                "SELECT id FROM content WHERE (SELECT count(*) FROM feature JOIN recipe "
                "ON recipe.id = recipe_id WHERE content_id = content.id "
                f"AND text IN ({','.join('?' * len(texts))})) < ?",
                (*texts, len(texts)),
            )
            return {int(content_id) for (content_id,) in rows}

    def recipes(self, feature: str) -> dict[str, int]:
        """Return the recipe texts kept for a feature, with the number of rows of each."""
        with _translated(self.folder):
            rows = self._db.execute(
                "SELECT text, (SELECT count(*) FROM feature WHERE recipe_id = recipe.id) "
                "FROM recipe WHERE feature = ? ORDER BY id",
                (feature,),
            )
            return {text: count for text, count in rows if count}

    def has_feature(self, feature: str) -> bool:
        """Whether any content has this feature, by whichever recipe; quick, for nothing is counted."""
        with _translated(self.folder):
            row = self._db.execute(
                "SELECT EXISTS (SELECT 1 FROM recipe WHERE feature = ? AND EXISTS "
                "(SELECT 1 FROM feature WHERE recipe_id = recipe.id))",
                (feature,),
            ).fetchone()
        return bool(row[0])

    def stamp(self, recipe: Recipe) -> Stamp:
        """Return the stamp of a cache of this recipe that was built now."""
        with _translated(self.folder):
            last, removals = self._db.execute(
                "SELECT (SELECT coalesce(max(number), 0) FROM feature WHERE recipe_id = "
                "(SELECT id FROM recipe WHERE text = ?)), (SELECT value FROM counter WHERE name = 'removals')",
                (recipe.text,),
            ).fetchone()
        return Stamp(int(last), int(removals))

    def noted(self, name: str) -> int | None:
        """Return the number that was last noted under this name, if any."""
        with _translated(self.folder):
            row = self._db.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
        return None if row is None else int(row[0])

    def note(self, name: str, value: int) -> None:
        """Remember a number under a name, in place of the one before."""
        with _translated(self.folder), self._transaction():
            self._db.execute("INSERT OR REPLACE INTO counter VALUES (?, ?)", (name, value))

    def load_features(
        self, recipe: Recipe, dtype: np.dtype[np.uint8] | np.dtype[np.float16], *, after: int = 0
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return (content ids, rows) of a recipe's features with a number above `after`, in order.

        Shapes (n,) and (n, d); (0,) and (0, 0) where there are none.
        """
        with _translated(self.folder):
            rows = self._db.execute(
                "SELECT content_id, data FROM feature WHERE recipe_id = (SELECT id FROM recipe WHERE text = ?) "
                "AND number > ? ORDER BY number",
                (recipe.text, after),
            ).fetchall()
        ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        data = np.frombuffer(b"".join(row[1] for row in rows), dtype)
        return ids, data.reshape(len(rows), -1 if rows else 0)

    def features_of(self, content_id: int, recipes: Iterable[Recipe]) -> dict[str, bytes]:
        """Return the stored bytes of a content's features, by feature name; absent ones are left out."""
        wanted = {recipe.text: recipe.feature for recipe in recipes}
        with _translated(self.folder):
            rows = self._db.execute(
                "SELECT text, data FROM feature JOIN recipe ON recipe.id = recipe_id WHERE content_id = ?",
                (content_id,),
            )
            return {wanted[text]: data for text, data in rows if text in wanted}

    def iter_feature(self, recipe: Recipe) -> Iterator[tuple[int, bytes]]:
        """Yield (content id, stored bytes) of every feature of a recipe, by content id."""
        for content_id in sorted(self.ids_with(recipe)):
            with _translated(self.folder):
                row = self._db.execute(
                    "SELECT data FROM feature WHERE content_id = ? AND recipe_id = "
                    "(SELECT id FROM recipe WHERE text = ?)",
                    (content_id, recipe.text),
                ).fetchone()
            if row is not None:
                yield content_id, row[0]

    def ids_with(self, recipe: Recipe) -> set[int]:
        """Return the contents that have a feature of this recipe."""
        with _translated(self.folder):
            rows = self._db.execute(
                "SELECT content_id FROM feature WHERE recipe_id = (SELECT id FROM recipe WHERE text = ?)",
                (recipe.text,),
            )
            return {int(content_id) for (content_id,) in rows}

    # Pairs

    def all_verified(self, recipe: Recipe) -> list[tuple[int, int]]:
        """Return the pairs (smaller id first) of which an outcome by this recipe is kept."""
        with _translated(self.folder):
            rows = self._db.execute(
                "SELECT first_id, second_id FROM verified "
                "WHERE recipe_id = (SELECT id FROM recipe WHERE text = ?)",
                (recipe.text,),
            )
            return list(rows)

    def forget_verified(self, recipe: Recipe) -> None:
        """Forget all outcomes by this recipe."""
        with _translated(self.folder), self._transaction():
            self._db.execute(
                "DELETE FROM verified WHERE recipe_id = (SELECT id FROM recipe WHERE text = ?)",
                (recipe.text,),
            )

    def verified_pairs(self, recipe: Recipe, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], str]:
        """Return the outcomes by this recipe that are kept for some of these pairs (smaller id first)."""
        with _translated(self.folder):
            rows = self._db.execute(
                "SELECT first_id, second_id, outcome FROM json_each(?) AS asked CROSS JOIN verified "
                "ON first_id = json_extract(asked.value, '$[0]') AND second_id = json_extract(asked.value, '$[1]') "
                "WHERE recipe_id = (SELECT id FROM recipe WHERE text = ?)",
                (json.dumps(pairs), recipe.text),
            )
            return {(first, second): outcome for first, second, outcome in rows}

    def verdicts(self) -> dict[tuple[bytes, bytes], bool]:
        """Return what a person has said of pairs of digests (smaller first): whether they are duplicates."""
        with _translated(self.folder):
            rows = self._db.execute("SELECT first_digest, second_digest, is_duplicate FROM verdict")
            return {(first, second): bool(is_duplicate) for first, second, is_duplicate in rows}

    def put_verdict(self, first: bytes, second: bytes, is_duplicate: bool | None) -> None:
        """Remember what a person says of a pair of digests; None forgets it."""
        pair = (min(first, second), max(first, second))
        with _translated(self.folder), self._transaction():
            self._db.execute("DELETE FROM verdict WHERE first_digest = ? AND second_digest = ?", pair)
            if is_duplicate is not None:
                now = datetime.now(UTC).isoformat(timespec="seconds")
                self._db.execute("INSERT INTO verdict VALUES (?, ?, ?, ?)", (*pair, is_duplicate, now))

    def calibration(self) -> str | None:
        """Return the gallery's calibration as the text that was put, or None where there is none."""
        with _translated(self.folder):
            row = self._db.execute("SELECT document FROM calibration").fetchone()
        return None if row is None else str(row[0])

    def put_calibration(self, document: str) -> None:
        """Keep a calibration in the place of the one before."""
        with _translated(self.folder), self._transaction():
            self._db.execute("INSERT OR REPLACE INTO calibration VALUES (1, ?)", (document,))

    def put_rating(self, query: bytes, picture: bytes, is_liked: bool | None) -> None:
        """Remember whether a person liked a picture as an answer to a query, by digests; None forgets it."""
        with _translated(self.folder), self._transaction():
            self._db.execute(
                "DELETE FROM rating WHERE query_digest = ? AND picture_digest = ?", (query, picture)
            )
            if is_liked is not None:
                now = datetime.now(UTC).isoformat(timespec="seconds")
                self._db.execute("INSERT INTO rating VALUES (?, ?, ?, ?)", (query, picture, is_liked, now))

    def ratings(self) -> dict[tuple[bytes, bytes], bool]:
        """Return what a person has said of (query, picture), by digests: whether it was liked."""
        with _translated(self.folder):
            rows = self._db.execute("SELECT query_digest, picture_digest, is_liked FROM rating")
            return {(query, picture): bool(is_liked) for query, picture, is_liked in rows}

    def live_ids(self) -> NDArray[np.int64]:
        """Return the ids of all contents, ascending."""
        with _translated(self.folder):
            rows = self._db.execute("SELECT id FROM content ORDER BY id").fetchall()
        return np.fromiter((row[0] for row in rows), np.int64, len(rows))

    def pictures(self, content_ids: Sequence[int]) -> dict[int, list[FoundPicture]]:
        """Return the files of each of these contents, oldest row first."""
        found: dict[int, list[FoundPicture]] = {}
        with _translated(self.folder):
            for start in range(0, len(content_ids), _MAX_VARIABLES):
                some = [int(content_id) for content_id in content_ids[start : start + _MAX_VARIABLES]]
                rows = self._db.execute(
                    "SELECT content.id, path, file.size_bytes, mtime_ns, digest, format, width_px, height_px, "
                    "taken_at FROM file JOIN content ON content.id = content_id "
                    f"WHERE content.id IN ({','.join('?' * len(some))}) ORDER BY file.id",
                    some,
                )
                for content_id, path, *facts in rows:
                    picture = FoundPicture(content_id, os.fsdecode(path), *facts)
                    found.setdefault(content_id, []).append(picture)
        return found

    def iter_pictures(self) -> Iterator[FoundPicture]:
        """Yield every file that has a content, by content id and then oldest row first."""
        with _translated(self.folder):
            rows = self._db.execute(
                "SELECT content.id, path, file.size_bytes, mtime_ns, digest, format, width_px, height_px, "
                "taken_at FROM file JOIN content ON content.id = content_id ORDER BY content.id, file.id"
            )
            for content_id, path, *facts in rows:
                yield FoundPicture(content_id, os.fsdecode(path), *facts)

    def picture_page(
        self, offset: int, limit: int, below: str | None = None
    ) -> tuple[list[FoundPicture], int]:
        """Return some of the files that have a content, in the order of `iter_pictures`, and how many there are.

        `below` is an absolute folder; only files in it count then.
        """
        where, values = "content_id IS NOT NULL", []
        if below is not None:
            start = os.fsencode(below.rstrip(os.sep) + os.sep)
            where += " AND substr(path, 1, ?) = ?"
            values = [len(start), start]
        with _translated(self.folder):
            (total,) = self._db.execute(f"SELECT count(*) FROM file WHERE {where}", values).fetchone()
            rows = self._db.execute(
                "SELECT content.id, path, file.size_bytes, mtime_ns, digest, format, width_px, height_px, "
                f"taken_at FROM file JOIN content ON content.id = content_id WHERE {where} "
                "ORDER BY content.id, file.id LIMIT ? OFFSET ?",
                (*values, limit, offset),
            ).fetchall()
        return [FoundPicture(row[0], os.fsdecode(row[1]), *row[2:]) for row in rows], total

    def counts(self) -> dict[str, int]:
        """Return how many files, contents and failures there are, and the pages SQLite uses in bytes."""
        with _translated(self.folder):
            files, failed = self._db.execute(
                "SELECT count(*), coalesce(sum(content_id IS NULL), 0) FROM file"
            ).fetchone()
            (contents,) = self._db.execute("SELECT count(*) FROM content").fetchone()
        return {
            "files": files,
            "contents": contents,
            "failed": failed,
            "store_bytes": self._pragma("page_count") * self._pragma("page_size"),
        }


class Batch:
    """Writes within one transaction of a store; made by `Store.batch`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._recipe_ids: dict[str, int] = {}

    def add_content(
        self, content: Content, features: Mapping[str, bytes], recipes: Mapping[str, Recipe]
    ) -> tuple[int, bool]:
        """Write a content with its features; return its id and whether it is new.

        Features that are there already stay.
        """
        facts = (
            content.digest,
            content.size_bytes,
            content.format,
            content.width_px,
            content.height_px,
            content.taken_at,
        )
        row = self._db.execute(
            "INSERT INTO content (digest, size_bytes, format, width_px, height_px, taken_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING RETURNING id",
            facts,
        ).fetchone()
        is_new = row is not None
        if row is None:
            row = self._db.execute("SELECT id FROM content WHERE digest = ?", (content.digest,)).fetchone()
        self._db.executemany(
            "INSERT INTO feature (content_id, recipe_id, data) VALUES (?, ?, ?) "
            "ON CONFLICT (content_id, recipe_id) DO NOTHING",
            [(row[0], self._recipe_id(recipes[name]), data) for name, data in features.items()],
        )
        return int(row[0]), is_new

    def _recipe_id(self, recipe: Recipe) -> int:
        text = recipe.text
        if text not in self._recipe_ids:
            self._db.execute(
                "INSERT INTO recipe (feature, text) VALUES (?, ?) ON CONFLICT (text) DO NOTHING",
                (recipe.feature, text),
            )
            (number,) = self._db.execute("SELECT id FROM recipe WHERE text = ?", (text,)).fetchone()
            self._recipe_ids[text] = int(number)
        return self._recipe_ids[text]

    def add_feature(self, content_id: int, recipe: Recipe, data: bytes) -> None:
        """Write one feature of a content that is still there; one that is there already stays."""
        self._db.execute(
            "INSERT INTO feature (content_id, recipe_id, data) SELECT id, ?, ? FROM content WHERE id = ? "
            "ON CONFLICT (content_id, recipe_id) DO NOTHING",
            (self._recipe_id(recipe), data, content_id),
        )

    def put_verified(self, first_id: int, second_id: int, recipe: Recipe, outcome: str) -> None:
        """Write the outcome of a pair of contents (smaller id first) that are both still there."""
        self._db.execute(
            "INSERT OR REPLACE INTO verified SELECT a.id, b.id, ?, ? FROM content a, content b "
            "WHERE a.id = ? AND b.id = ?",
            (self._recipe_id(recipe), outcome, first_id, second_id),
        )

    def put_file(self, path: str, size_bytes: int, mtime_ns: int, *, content_id: int) -> None:
        """Write or replace the row of a path that leads to a content."""
        self._put(path, size_bytes, mtime_ns, content_id, None, None)

    def put_failure(self, path: str, size_bytes: int, mtime_ns: int, *, stage: str, reason: str) -> None:
        """Write or replace the row of a path that failed."""
        self._put(path, size_bytes, mtime_ns, None, stage, reason)

    def _put(
        self,
        path: str,
        size_bytes: int,
        mtime_ns: int,
        content_id: int | None,
        stage: str | None,
        reason: str | None,
    ) -> None:
        self._db.execute(
            "INSERT INTO file (path, size_bytes, mtime_ns, content_id, stage, reason) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (path) DO UPDATE SET size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, "
            "content_id = excluded.content_id, stage = excluded.stage, reason = excluded.reason",
            (os.fsencode(path), size_bytes, mtime_ns, content_id, stage, reason),
        )

    def move_file(self, old_path: str, new_path: str, size_bytes: int, mtime_ns: int) -> None:
        """Give the row of a moved file its new path."""
        self._db.execute("DELETE FROM file WHERE path = ?", (os.fsencode(new_path),))
        self._db.execute(
            "UPDATE file SET path = ?, size_bytes = ?, mtime_ns = ? WHERE path = ?",
            (os.fsencode(new_path), size_bytes, mtime_ns, os.fsencode(old_path)),
        )
