"""The tables of a gallery, step by step: what the modules beside this one read and write.

::

    file     path, size, mtime, state -> content     one row a path that was seen
    content  digest, format, width, height, date      one row a distinct byte sequence
    recipe   text                                     one row a way of computing a feature
    feature  (content, recipe) -> bytes               one row a computed feature, numbered as they are written
    verified (content, content, recipe) -> outcome    one row a pair whose relation was worked out
    verdict  (digest, digest) -> yes or no            what a person said of a pair; outlives its files
    rating   (query, picture) -> liked or not         what a person said of an answer, by digests
    calibration  document                             the last calibration of this gallery, as JSON
    root     path, options                            one row a folder that a person named
    volume   path                                     one row a place where a disk was mounted
    counter  name -> number                           numbers that one run leaves for the next

Kept by triggers, so that nothing that writes can forget it::

    removed      number -> content                    the contents that went, in their order
    left_behind  content                              contents that a path no longer leads to
    tally        (subject, name) -> n                 how many rows there are, so that nobody counts
"""

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
    """
    CREATE TABLE root (path BLOB PRIMARY KEY, options TEXT NOT NULL, named_at TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE volume (path BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE INDEX file_failed ON file (path) WHERE content_id IS NULL;
    CREATE INDEX file_place ON file (path, content_id);
    CREATE INDEX file_facts ON file (size_bytes, mtime_ns, content_id);
    CREATE INDEX content_facts ON content (taken_at, format, width_px, height_px);
    INSERT INTO counter VALUES ('generation', 0);
    DELETE FROM counter WHERE name = 'removals';

    CREATE TABLE removed (number INTEGER PRIMARY KEY AUTOINCREMENT, content_id INTEGER NOT NULL);
    CREATE TABLE left_behind (content_id INTEGER PRIMARY KEY);
    INSERT INTO left_behind
        SELECT id FROM content WHERE id NOT IN (SELECT content_id FROM file WHERE content_id IS NOT NULL);
    CREATE TABLE tally (
        subject TEXT NOT NULL,
        name TEXT NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (subject, name)
    ) WITHOUT ROWID;
    INSERT INTO tally SELECT 'content', '', count(*) FROM content;
    INSERT INTO tally
        SELECT 'file', coalesce(format, 'failed'), count(*)
        FROM file LEFT JOIN content ON content.id = content_id GROUP BY 2;
    INSERT INTO tally SELECT 'feature', text, count(*) FROM feature JOIN recipe ON recipe.id = recipe_id GROUP BY 2;

    CREATE TRIGGER content_added AFTER INSERT ON content BEGIN
        INSERT INTO tally VALUES ('content', '', 1) ON CONFLICT DO UPDATE SET n = n + 1;
    END;
    CREATE TRIGGER content_removed AFTER DELETE ON content BEGIN
        UPDATE tally SET n = n - 1 WHERE subject = 'content';
        INSERT INTO removed (content_id) VALUES (OLD.id);
    END;
    CREATE TRIGGER file_added AFTER INSERT ON file BEGIN
        INSERT INTO tally SELECT
            'file', coalesce((SELECT format FROM content WHERE id = NEW.content_id), 'failed'), 1
            WHERE true ON CONFLICT DO UPDATE SET n = n + 1;
    END;
    CREATE TRIGGER file_removed AFTER DELETE ON file BEGIN
        UPDATE tally SET n = n - 1 WHERE subject = 'file'
            AND name = coalesce((SELECT format FROM content WHERE id = OLD.content_id), 'failed');
        INSERT OR IGNORE INTO left_behind SELECT OLD.content_id WHERE OLD.content_id IS NOT NULL;
    END;
    CREATE TRIGGER file_led_elsewhere AFTER UPDATE OF content_id ON file WHEN OLD.content_id IS NOT NEW.content_id
    BEGIN
        UPDATE tally SET n = n - 1 WHERE subject = 'file'
            AND name = coalesce((SELECT format FROM content WHERE id = OLD.content_id), 'failed');
        INSERT INTO tally SELECT
            'file', coalesce((SELECT format FROM content WHERE id = NEW.content_id), 'failed'), 1
            WHERE true ON CONFLICT DO UPDATE SET n = n + 1;
        INSERT OR IGNORE INTO left_behind SELECT OLD.content_id WHERE OLD.content_id IS NOT NULL;
    END;
    CREATE TRIGGER feature_added AFTER INSERT ON feature BEGIN
        INSERT INTO tally SELECT 'feature', text, 1 FROM recipe WHERE id = NEW.recipe_id
            ON CONFLICT DO UPDATE SET n = n + 1;
    END;
    CREATE TRIGGER feature_removed AFTER DELETE ON feature BEGIN
        UPDATE tally SET n = n - 1 WHERE subject = 'feature'
            AND name = (SELECT text FROM recipe WHERE id = OLD.recipe_id);
    END;
    """,
)
"""The schema, step by step: entry n takes a gallery from version n to n + 1. Never edit an entry."""
