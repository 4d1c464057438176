"""How the gallery beside this file was made; run it with lookalike 0.1.0, in a folder that is not there yet.

``python make.py FOLDER`` draws eight pictures, indexes them with the release that it runs on, finds duplicates,
and keeps a verdict, a rating and a calibration. ``gallery.tar.xz`` holds ``pictures/``, ``gallery.sqlite3``, and
``expected.json``: what that release answered. The paths in the gallery lead nowhere on another machine.
"""

import json
import sqlite3
import sys
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike import Gallery


def blobs(seed, width_px=160, height_px=120):
    """Return a picture of soft blobs that differs from every other seed's."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (7, 9, 3), np.uint8))
    return small.resize((width_px, height_px), Image.Resampling.BICUBIC)


def draw(folder):
    """Write five pictures, and three copies: of the same bytes, of the same pixels, and a JPEG in half size."""
    folder.mkdir(parents=True)
    for seed in range(5):
        blobs(seed).save(folder / f"{seed}.jpg", quality=90)
    (folder / "same-file.jpg").write_bytes((folder / "0.jpg").read_bytes())
    blobs(1).save(folder / "one.png")
    blobs(2).resize((80, 60)).save(folder / "half.jpg", quality=80)


def answers(gallery, pictures):
    """Return what the gallery says of each of its pictures, by name: the others with their scores."""
    return {
        path.name: [[Path(match.picture.path).name, match.score] for match in gallery.search(path, k=4)]
        for path in sorted(pictures.iterdir())
    }


def kept(database):
    """Return the rows that must outlive a change of version."""
    db = sqlite3.connect(database)
    recipes = dict(db.execute("SELECT id, text FROM recipe"))
    found = {
        "n_features": db.execute("SELECT count(*) FROM feature").fetchone()[0],
        "n_files": db.execute("SELECT count(*) FROM file").fetchone()[0],
        "verified": [
            [first, second, recipes[recipe], outcome]
            for first, second, recipe, outcome in db.execute("SELECT * FROM verified ORDER BY 1, 2, 3")
        ],
        "verdicts": [
            [a.hex(), b.hex(), is_duplicate] for a, b, is_duplicate, _ in db.execute("SELECT * FROM verdict")
        ],
        "ratings": [[a.hex(), b.hex(), is_liked] for a, b, is_liked, _ in db.execute("SELECT * FROM rating")],
    }
    db.close()
    return found


def main(folder):
    """Make the gallery and pack it."""
    from lookalike.matching.calibration.record import load_shipped  # where it was in that release

    pictures, place = folder / "pictures", folder / "gallery"
    draw(pictures)
    with Gallery.open(place, create=True) as gallery:
        gallery.add(pictures)
        gallery.duplicates()
        gallery.mark(pictures / "2.jpg", pictures / "half.jpg", False)
        gallery.rate(pictures / "3.jpg", gallery.search(pictures / "3.jpg", k=1)[0].picture.content_id, True)
        gallery._store.put_calibration(load_shipped().to_text())
        expected = {"answers": answers(gallery, pictures), "calibration": gallery._store.calibration()}
        gallery._store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    expected.update(kept(place / "gallery.sqlite3"))
    (folder / "expected.json").write_text(json.dumps(expected))
    with tarfile.open(folder / "gallery.tar.xz", "w:xz") as archive:
        archive.add(pictures, "pictures")
        archive.add(place / "gallery.sqlite3", "gallery.sqlite3")
        archive.add(folder / "expected.json", "expected.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
