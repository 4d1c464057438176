"""The folders that a person named, and the volumes that files were found on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from lookalike.records.places import Root
from lookalike.storage.database import Database


class Places:
    """One row a root, by path, and one a volume."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def roots(self) -> list[Root]:
        """Return the folders that were named, by path, each as it was named last."""
        rows = self._db.rows("SELECT path, options FROM root ORDER BY path")
        return [_root(os.fsdecode(path), json.loads(options)) for path, options in rows]

    def volumes(self) -> list[str]:
        """Return where the volumes are mounted that files were found on, by path."""
        return [os.fsdecode(path) for (path,) in self._db.rows("SELECT path FROM volume ORDER BY path")]

    def put(self, roots: Iterable[Root], volumes: Iterable[str]) -> None:
        """Remember roots, in the place of those with the same path, and volumes; what is known costs no write."""
        known_roots, known_volumes = self.roots(), self.volumes()
        new_roots = [root for root in roots if root not in known_roots]
        new_volumes = [place for place in volumes if place not in known_volumes]
        if not (new_roots or new_volumes):
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._db.transaction():
            for root in new_roots:
                facts = asdict(root)
                path = os.fsencode(facts.pop("path"))
                self._db.execute(
                    "INSERT OR REPLACE INTO root VALUES (?, ?, ?)", (path, json.dumps(facts), now)
                )
            for place in new_volumes:
                self._db.execute("INSERT OR IGNORE INTO volume VALUES (?)", (os.fsencode(place),))

    def forget(self, folders: Iterable[str]) -> None:
        """Forget the roots and volumes that are these folders, or lie below them."""
        wanted = set(folders)
        known = {"root": [root.path for root in self.roots()], "volume": self.volumes()}
        for table, paths in known.items():
            gone = [(os.fsencode(path),) for path in paths if not wanted.isdisjoint(_with_parents(path))]
            if gone:
                with self._db.transaction():
                    self._db.execute_many(f"DELETE FROM {table} WHERE path = ?", gone)


def _with_parents(path: str) -> Iterator[str]:
    """Yield a path and every folder that it lies below."""
    yield path
    while (parent := os.path.dirname(path)) != path:
        yield parent
        path = parent


def _root(path: str, options: dict[str, object]) -> Root:
    return Root(
        path,
        only=str(options["only"]),
        include=tuple(options["include"]),  # type: ignore[arg-type]  # as `put` wrote it
        exclude=tuple(options["exclude"]),  # type: ignore[arg-type]
        hidden=bool(options["hidden"]),
        follow_symlinks=bool(options["follow_symlinks"]),
    )
