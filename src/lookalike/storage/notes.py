"""What one run leaves for the next: numbers under names, and the gallery's calibration."""

from __future__ import annotations

from lookalike.storage.database import Database


class Notes:
    """Numbers by name, and one document."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def number(self, name: str) -> int | None:
        """Return the number that was last noted under this name, if any."""
        row = self._db.row("SELECT value FROM counter WHERE name = ?", (name,))
        return None if row is None else int(row[0])

    def put_number(self, name: str, value: int) -> None:
        """Remember a number under a name, in place of the one before."""
        with self._db.transaction():
            self._db.execute("INSERT OR REPLACE INTO counter VALUES (?, ?)", (name, value))

    def calibration(self) -> str | None:
        """Return the gallery's calibration as the text that was put, or None where there is none."""
        row = self._db.row("SELECT document FROM calibration")
        return None if row is None else str(row[0])

    def put_calibration(self, document: str) -> None:
        """Keep a calibration in the place of the one before."""
        with self._db.transaction():
            self._db.execute("INSERT OR REPLACE INTO calibration VALUES (1, ?)", (document,))
