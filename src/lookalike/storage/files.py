"""The files of a gallery: paths, what they lead to, and which of them failed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lookalike.media.folders import start_of
from lookalike.storage.database import Database
from lookalike.storage.filters import below
from lookalike.storage.records import FoundPicture, KnownFile

MAX_FOLDERS = 50
_MAX_ID = 2**63 - 1  # SQLite's integers
_KNOWN = "SELECT path, size_bytes, mtime_ns, content_id, stage, reason FROM file"
_FOUND = (
    "SELECT content.id, path, file.size_bytes, mtime_ns, digest, format, width_px, height_px, taken_at "
    "FROM file JOIN content ON content.id = content_id"
)


class Files:
    """One row a path that was seen. Paths are kept as bytes, for a path need not be text."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._folders: tuple[int, list[tuple[str, int]]] = (-1, [])

    def known(self, paths: Sequence[str]) -> dict[str, KnownFile]:
        """Return what is remembered of these paths; unknown paths are left out."""
        keys = [os.fsencode(path) for path in paths]
        rows = self._db.rows_among(f"{_KNOWN} WHERE path IN ({{keys}})", keys)
        return {file.path: file for file in map(_known_file, rows)}

    def paths_of(self, content_id: int) -> list[str]:
        """Return the paths of one content, oldest row first."""
        rows = self._db.rows("SELECT path FROM file WHERE content_id = ? ORDER BY id", (content_id,))
        return [os.fsdecode(path) for (path,) in rows]

    def iter_paths(self, folder: str | None = None) -> Iterator[str]:
        """Yield every path of the gallery by name, failed ones included; maybe only those below a folder."""
        where, values = ("", ()) if folder is None else (" WHERE path >= ? AND path < ?", below(folder))
        for (path,) in self._db.iter_rows(f"SELECT path FROM file{where} ORDER BY path", values):
            yield os.fsdecode(path)

    def has_any_below(self, folder: str) -> bool:
        """Whether any path of the gallery, failed ones included, lies below a folder."""
        question = "SELECT EXISTS (SELECT 1 FROM file WHERE path >= ? AND path < ?)"
        return self._db.rows(question, below(folder)) == [(1,)]

    def failures(self, offset: int = 0, limit: int = -1) -> list[KnownFile]:
        """Return the failed files by path: those after the first `offset`, at most `limit` of them."""
        rows = self._db.rows(  # SQLite would rather look up all by content_id, and sort them
            f"{_KNOWN} INDEXED BY file_failed WHERE content_id IS NULL ORDER BY path LIMIT ? OFFSET ?",
            (limit, offset),
        )
        return [_known_file(row) for row in rows]

    def of(self, content_ids: Sequence[int]) -> dict[int, list[FoundPicture]]:
        """Return the files of each of these contents, oldest row first; unknown contents are left out."""
        found: dict[int, list[FoundPicture]] = {}
        keys = [int(content_id) for content_id in content_ids if 0 <= int(content_id) <= _MAX_ID]
        for row in self._db.rows_among(f"{_FOUND} WHERE content.id IN ({{keys}}) ORDER BY file.id", keys):
            found.setdefault(row[0], []).append(_found_picture(row))
        return found

    def iter_found(self) -> Iterator[FoundPicture]:
        """Yield every file that has a content, by content id and then oldest row first."""
        return map(_found_picture, self._db.iter_rows(f"{_FOUND} ORDER BY content.id, file.id"))

    def page(self, offset: int, limit: int, folder: str | None = None) -> tuple[list[FoundPicture], int]:
        """Return some of the files that have a content, and how many there are.

        All are in the order of `iter_found`; where only those below a folder are asked for, by path.
        """
        if (
            folder is None
        ):  # the ids come from an index alone, so that a late page is as quick as an early one
            where = (
                "WHERE file.id IN (SELECT id FROM file WHERE content_id IS NOT NULL ORDER BY content_id, id "
                "LIMIT ? OFFSET ?) ORDER BY content.id, file.id"
            )
            return self._found(where, (limit, offset)), self.counts()["files"] - self.counts()["failed"]
        inside = "WHERE path >= ? AND path < ? AND content_id IS NOT NULL"
        (total,) = self._db.rows(f"SELECT count(*) FROM file {inside}", below(folder))[0]
        where = (
            f"WHERE file.id IN (SELECT id FROM file {inside} ORDER BY path LIMIT ? OFFSET ?) ORDER BY path"
        )
        return self._found(where, (*below(folder), limit, offset)), total

    def _found(self, where: str, values: Sequence[Any]) -> list[FoundPicture]:
        return [_found_picture(row) for row in self._db.rows(f"{_FOUND} {where}", values)]

    def formats(self) -> dict[str, int]:
        """Return how many files there are of each format, failed ones left out."""
        rows = self._db.rows(
            "SELECT name, n FROM tally WHERE subject = 'file' AND name != 'failed' AND n > 0"
        )
        return dict(rows)

    def counts(self) -> dict[str, int]:
        """Return how many files and failures there are."""
        rows = dict(self._db.rows("SELECT name, n FROM tally WHERE subject = 'file'"))
        return {"files": sum(rows.values()), "failed": rows.get("failed", 0)}

    def folders(self, *, most: int = MAX_FOLDERS) -> list[tuple[str, int]]:
        """Return folders that hold all files, failed ones included, each with how many, largest first.

        What all have in common is left away, down to the first folder that branches; there its folders are
        listed, and the folder itself for the files that lie in it directly. Of more than `most` only the largest
        are given. They are asked for once until files change.
        """
        generation = self._db.rows("SELECT value FROM counter WHERE name = 'generation'")[0][0]
        if self._folders[0] != generation:
            self._folders = (generation, self._gather())
        return self._folders[1][:most]

    def _gather(self) -> list[tuple[str, int]]:
        first, last = self._db.rows("SELECT min(path), max(path) FROM file")[0]
        if first is None:
            return []
        # Paths lie in the index by name: what the first and the last have in common, all have.
        try:
            top = os.path.commonpath([os.path.dirname(os.fsdecode(path)) for path in (first, last)])
        except ValueError:  # they lie on several drives of Windows
            top = ""
        rows = self._db.rows(
            "SELECT substr(rest, 1, max(instr(rest, ?) - 1, 0)), count(*) AS n FROM "
            "(SELECT substr(path, ?) AS rest FROM file) GROUP BY 1 ORDER BY n DESC, 1 LIMIT ?",
            (os.fsencode(os.sep), len(os.fsencode(start_of(top) if top else "")) + 1, MAX_FOLDERS),
        )
        found = [(os.path.join(top, os.fsdecode(name)) if name else top, n) for name, n in rows]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def last_id(self) -> int:
        """Return the number of the file that was added last; each gets a higher one than all before it."""
        (number,) = self._db.rows("SELECT coalesce(max(id), 0) FROM file")[0]
        return int(number)

    def n_after(self, file_id: int, besides: Sequence[str] = ()) -> int:
        """Return how many files that have a content were added after one, without those at some paths."""
        where = f"id > {int(file_id)} AND content_id IS NOT NULL"
        (n_added,) = self._db.rows(f"SELECT count(*) FROM file WHERE {where}")[0]
        keys = [os.fsencode(path) for path in besides]
        left_out = self._db.rows_among(
            f"SELECT count(*) FROM file WHERE path IN ({{keys}}) AND {where}", keys
        )
        return int(n_added) - sum(int(n) for (n,) in left_out)

    def remove(self, paths: Iterable[str], *, with_folders: bool = False) -> int:
        """Forget these paths, and contents that no path leads to any more; return how many were known.

        The pictures themselves are not touched. `with_folders` also forgets what lies below each path.
        """
        asked = [(os.fsencode(path.rstrip(os.sep)),) for path in paths]
        with self._db.transaction():
            self._db.execute("CREATE TEMP TABLE IF NOT EXISTS asked (path BLOB)")
            self._db.execute("DELETE FROM asked")
            self._db.execute_many("INSERT INTO asked VALUES (?)", asked)
            statements = ["DELETE FROM file WHERE path IN (SELECT path FROM asked)"]
            if with_folders:
                statements.append(
                    "DELETE FROM file WHERE id IN (SELECT file.id FROM asked CROSS JOIN file "
                    f"ON file.path >= {_joined(os.sep)} AND file.path < {_joined(chr(ord(os.sep) + 1))})"
                )
            n_removed = sum(self._db.execute(statement).rowcount for statement in statements)
            if n_removed:
                self._forget_left_behind()
        return n_removed

    def forget_left_behind(self) -> None:
        """Forget contents that no path leads to any more, for their files were changed or removed."""
        if self._db.row("SELECT 1 FROM left_behind LIMIT 1") is not None:
            with self._db.transaction():
                self._forget_left_behind()

    def _forget_left_behind(self) -> None:
        self._db.execute(
            "DELETE FROM content WHERE id IN (SELECT content_id FROM left_behind) "
            "AND NOT EXISTS (SELECT 1 FROM file WHERE content_id = content.id)"
        )
        self._db.execute("DELETE FROM left_behind")
        self._db.execute("UPDATE counter SET value = value + 1 WHERE name = 'generation'")


def _joined(character: str) -> str:
    """Return, in SQL, an asked path with a character behind it; as `below` does in Python."""
    return f"CAST(asked.path || x'{ord(character):02x}' AS BLOB)"


def _known_file(row: tuple[Any, ...]) -> KnownFile:
    return KnownFile(os.fsdecode(row[0]), *row[1:])


def _found_picture(row: tuple[Any, ...]) -> FoundPicture:
    return FoundPicture(row[0], os.fsdecode(row[1]), *row[2:])
