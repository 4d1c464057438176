"""The tables of a gallery, step by step: what `lookalike.storage.store` reads and writes."""

from __future__ import annotations

APPLICATION_ID = 0x6C6F6F6B  # "look": tells our files from other SQLite files

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE content (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        digest BLOB NOT NULL UNIQUE,
        size_bytes INTEGER NOT NULL,
        format TEXT NOT NULL,
        width_px INTEGER NOT NULL,
        height_px INTEGER NOT NULL,
        taken_at TEXT
    );
    CREATE TABLE file (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        path BLOB NOT NULL UNIQUE,
        size_bytes INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        content_id INTEGER REFERENCES content (id),
        stage TEXT,
        reason TEXT,
        CHECK ((content_id IS NULL) = (stage IS NOT NULL)),
        CHECK ((stage IS NULL) = (reason IS NULL))
    );
    CREATE INDEX file_content ON file (content_id);
    CREATE TABLE recipe (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        feature TEXT NOT NULL,
        text TEXT NOT NULL UNIQUE
    );
    CREATE TABLE feature (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        content_id INTEGER NOT NULL REFERENCES content (id) ON DELETE CASCADE,
        recipe_id INTEGER NOT NULL REFERENCES recipe (id),
        data BLOB NOT NULL,
        UNIQUE (content_id, recipe_id)
    );
    CREATE INDEX feature_recipe ON feature (recipe_id);
    CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
    INSERT INTO counter VALUES ('removals', 0);
    """,
    """
    CREATE TABLE verified (
        first_id INTEGER NOT NULL REFERENCES content (id) ON DELETE CASCADE,
        second_id INTEGER NOT NULL REFERENCES content (id) ON DELETE CASCADE,
        recipe_id INTEGER NOT NULL REFERENCES recipe (id),
        outcome TEXT NOT NULL,
        PRIMARY KEY (first_id, second_id, recipe_id),
        CHECK (first_id < second_id)
    ) WITHOUT ROWID;
    CREATE INDEX verified_second ON verified (second_id);
    CREATE TABLE verdict (
        first_digest BLOB NOT NULL,
        second_digest BLOB NOT NULL,
        is_duplicate INTEGER NOT NULL,
        given_at TEXT NOT NULL,
        PRIMARY KEY (first_digest, second_digest),
        CHECK (first_digest < second_digest)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE calibration (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        document TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE rating (
        query_digest BLOB NOT NULL,
        picture_digest BLOB NOT NULL,
        is_liked INTEGER NOT NULL,
        given_at TEXT NOT NULL,
        PRIMARY KEY (query_digest, picture_digest)
    ) WITHOUT ROWID;
    """,
)
"""The schema, step by step: entry n takes a gallery from version n to n + 1. Never edit an entry."""
