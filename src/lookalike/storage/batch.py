"""Writing many rows in one transaction, so that a gallery that was killed holds only whole ones."""

from __future__ import annotations

import os
from collections.abc import Mapping

from lookalike.records.recipe import Recipe
from lookalike.storage.database import Database
from lookalike.storage.records import Content


class Batch:
    """Writes within one transaction of a store; made by `Store.batch`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._recipe_ids: dict[str, int] = {}
        self.changed_files = False

    def add_content(
        self, content: Content, features: Mapping[str, bytes], recipes: Mapping[str, Recipe]
    ) -> tuple[int, bool]:
        """Write a content with its features; return its id and whether it is new.

        Features that are there already stay, but for those of another length: they were damaged.
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
        rows = [(row[0], self._recipe_id(recipes[name]), data) for name, data in features.items()]
        if not is_new:
            self._db.execute_many(
                "DELETE FROM feature WHERE content_id = ? AND recipe_id = ? AND length(data) != length(?)",
                rows,
            )
        self._db.execute_many(
            "INSERT INTO feature (content_id, recipe_id, data) VALUES (?, ?, ?) "
            "ON CONFLICT (content_id, recipe_id) DO NOTHING",
            rows,
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
        self.changed_files = True
        self._db.execute(
            "INSERT INTO file (path, size_bytes, mtime_ns, content_id, stage, reason) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (path) DO UPDATE SET size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, "
            "content_id = excluded.content_id, stage = excluded.stage, reason = excluded.reason",
            (os.fsencode(path), size_bytes, mtime_ns, content_id, stage, reason),
        )

    def move_file(self, old_path: str, new_path: str, size_bytes: int, mtime_ns: int) -> None:
        """Give the row of a moved file its new path."""
        self.changed_files = True
        self._db.execute("DELETE FROM file WHERE path = ?", (os.fsencode(new_path),))
        self._db.execute(
            "UPDATE file SET path = ?, size_bytes = ?, mtime_ns = ? WHERE path = ?",
            (os.fsencode(new_path), size_bytes, mtime_ns, os.fsencode(old_path)),
        )
