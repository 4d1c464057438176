"""What people said: of pairs, whether they are duplicates; of answers, whether they were liked.

Both are kept by digests, so that they hold wherever the files are moved, and outlive them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from lookalike.storage.database import Database


class People:
    """Verdicts and ratings."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def verdicts(self) -> dict[tuple[bytes, bytes], bool]:
        """Return what a person has said of pairs of digests (smaller first): whether they are duplicates."""
        rows = self._db.rows("SELECT first_digest, second_digest, is_duplicate FROM verdict")
        return {(first, second): bool(is_duplicate) for first, second, is_duplicate in rows}

    def put_verdict(self, first: bytes, second: bytes, is_duplicate: bool | None) -> None:
        """Remember what a person says of a pair of digests; None forgets it."""
        pair = (min(first, second), max(first, second))
        with self._db.transaction():
            self._db.execute("DELETE FROM verdict WHERE first_digest = ? AND second_digest = ?", pair)
            if is_duplicate is not None:
                self._db.execute("INSERT INTO verdict VALUES (?, ?, ?, ?)", (*pair, is_duplicate, _now()))

    def ratings(self) -> dict[tuple[bytes, bytes], bool]:
        """Return what a person has said of (query, picture), by digests: whether it was liked."""
        rows = self._db.rows("SELECT query_digest, picture_digest, is_liked FROM rating")
        return {(query, picture): bool(is_liked) for query, picture, is_liked in rows}

    def put_rating(self, query: bytes, picture: bytes, is_liked: bool | None) -> None:
        """Remember whether a person liked a picture as an answer to a query, by digests; None forgets it."""
        with self._db.transaction():
            self._db.execute(
                "DELETE FROM rating WHERE query_digest = ? AND picture_digest = ?", (query, picture)
            )
            if is_liked is not None:
                self._db.execute("INSERT INTO rating VALUES (?, ?, ?, ?)", (query, picture, is_liked, _now()))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
