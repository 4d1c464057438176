"""The store: whole rows or none, versions, removals, and several processes at once."""

import os
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest

from lookalike.errors import GalleryNotFoundError, NewerGalleryError, StoreError
from lookalike.records import Recipe
from lookalike.storage import store as store_module
from lookalike.storage.index.cache import open_exact_index
from lookalike.storage.store import Content, Store

PHASH = Recipe("phash", 1, {"size": 8})
U8 = np.dtype(np.uint8)


def content(number, **facts):
    values = {"digest": number.to_bytes(32, "big"), "size_bytes": 10, "format": "png", "width_px": 4}
    return Content(**{**values, "height_px": 3, "taken_at": None, **facts})


def put(store, number, path=None, features=True):
    with store.batch() as batch:
        data = {"phash": number.to_bytes(8, "big")} if features else {}
        content_id, _ = batch.add_content(content(number), data, {"phash": PHASH})
        batch.put_file(path or f"/p/{number}.png", 10, 5, content_id=content_id)
    return content_id


@pytest.fixture
def store(tmp_path):
    with_store = Store(tmp_path / "g", create=True)
    yield with_store
    with_store.close()


def test_there_is_no_gallery_until_one_is_made(tmp_path):
    with pytest.raises(GalleryNotFoundError, match="index FOLDER"):
        Store(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_gallery_of_a_newer_version_is_refused_and_not_changed(tmp_path):
    Store(tmp_path, create=True).close()
    db = sqlite3.connect(tmp_path / store_module.FILE_NAME)
    db.execute("PRAGMA user_version = 99")
    db.close()
    for create in (True, False):
        with pytest.raises(NewerGalleryError, match="newer lookalike"):
            Store(tmp_path, create=create)
    db = sqlite3.connect(tmp_path / store_module.FILE_NAME)
    assert db.execute("PRAGMA user_version").fetchone() == (99,)
    db.close()


def test_an_older_gallery_is_migrated_with_its_rows(tmp_path, monkeypatch):
    first = Store(tmp_path, create=True)
    put(first, 1)
    first.close()
    monkeypatch.setattr(store_module, "MIGRATIONS", (*store_module.MIGRATIONS, "CREATE TABLE later (x)"))
    later = Store(tmp_path, create=True)
    assert later.counts()["files"] == 1
    later.close()
    db = sqlite3.connect(tmp_path / store_module.FILE_NAME)
    assert db.execute("PRAGMA user_version").fetchone() == (len(store_module.MIGRATIONS),)
    assert db.execute("SELECT count(*) FROM later").fetchone() == (0,)
    db.close()


def test_a_migration_that_fails_leaves_the_old_version(tmp_path, monkeypatch):
    Store(tmp_path, create=True).close()
    broken = (*store_module.MIGRATIONS, "CREATE TABLE later (x); CREATE NONSENSE")
    with monkeypatch.context() as patched:
        patched.setattr(store_module, "MIGRATIONS", broken)
        with pytest.raises(StoreError):
            Store(tmp_path, create=True)
    Store(tmp_path).close()


@pytest.mark.parametrize(
    "text", [b"this is no database, but long enough to look at" * 50, b"SQLite format 3\0" * 99]
)
def test_a_damaged_file_is_a_sentence(tmp_path, text):
    (tmp_path / store_module.FILE_NAME).write_bytes(text)
    with pytest.raises(StoreError, match="damaged or no gallery"):
        Store(tmp_path)


def test_another_programs_database_is_left_alone(tmp_path):
    db = sqlite3.connect(tmp_path / store_module.FILE_NAME)
    db.execute("PRAGMA user_version = 1")
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(StoreError, match="another program"):
        Store(tmp_path, create=True)


def test_a_batch_that_is_interrupted_leaves_nothing(store):
    with pytest.raises(KeyboardInterrupt), store.batch() as batch:
        batch.add_content(content(1), {"phash": b"12345678"}, {"phash": PHASH})
        raise KeyboardInterrupt
    assert store.counts()["contents"] == 0
    assert len(store.live_ids()) == 0


@pytest.mark.parametrize(
    "name", ["a b.png", "a\nb.png", "图片.png", "\udcff\udcfe.png", "'; DROP TABLE file;--"]
)
def test_every_name_comes_back_as_it_was(store, name):
    put(store, 1, path=f"/p/{name}")
    assert list(store.iter_paths()) == [f"/p/{name}"]
    assert store.known_files([f"/p/{name}", "/other"])[f"/p/{name}"].size_bytes == 10


def test_known_files_of_many_paths(store):
    for number in range(1, 1200):
        with store.batch() as batch:
            batch.put_failure(f"/{number}", 1, 1, stage="decode", reason="x")
    assert len(store.known_files([f"/{number}" for number in range(3000)])) == 1199


def test_equal_contents_are_kept_once_and_forgotten_with_their_last_file(store):
    first = put(store, 7, "/a")
    assert put(store, 7, "/b") == first
    assert store.counts()["contents"] == 1
    store.remove(["/a"])
    assert store.counts()["contents"] == 1
    store.remove(["/b"])
    assert store.counts()["contents"] == 0
    assert len(store.load_features(PHASH, U8)[0]) == 0


def test_ids_are_never_used_again(store):
    first = put(store, 1)
    store.remove(["/p/1.png"])
    assert put(store, 2) > first


def test_an_index_follows_what_is_added_and_removed(store):
    for number in range(1, 30):
        put(store, number)
    index, stamp = open_exact_index(store, PHASH)
    assert len(index) == 29
    cache_files = list((store.folder / "cache").iterdir())
    assert len(cache_files) == 1
    put(store, 40)
    store.remove(["/p/3.png"])
    assert store.stamp(PHASH) != stamp
    index, _ = open_exact_index(store, PHASH)
    query = np.frombuffer((40).to_bytes(8, "big"), np.uint8)[None]
    assert index.search(query, 1).distances[0, 0] == 0
    query = np.frombuffer((3).to_bytes(8, "big"), np.uint8)[None]
    assert index.search(query, 1).distances[0, 0] > 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-5]),
        lambda path: path.write_bytes(b"\xff" * 5000),
        lambda path: path.write_bytes(b'{"recipe": 1}'),
        lambda path: path.unlink(),
    ],
)
def test_a_damaged_cache_is_rebuilt(store, damage):
    for number in range(1, 5):
        put(store, number)
    open_exact_index(store, PHASH)
    (path,) = (store.folder / "cache").iterdir()
    damage(path)
    index, _ = open_exact_index(store, PHASH)
    assert len(index) == 4
    assert len(open_exact_index(store, PHASH)[0]) == 4


def test_the_cache_of_another_store_is_not_believed(store, tmp_path):
    for number in range(1, 5):
        put(store, number)
    open_exact_index(store, PHASH)
    other = Store(tmp_path / "other", create=True)
    for number in range(11, 15):
        put(other, number)
    (other.folder / "cache").mkdir()
    for file in (store.folder / "cache").iterdir():
        (other.folder / "cache" / file.name).write_bytes(file.read_bytes())
    index, _ = open_exact_index(other, PHASH)
    query = np.frombuffer((13).to_bytes(8, "big"), np.uint8)[None]
    assert index.search(query, 1).distances[0, 0] == 0
    other.close()


def test_a_content_without_a_feature_is_lacking(store):
    put(store, 1)
    second = put(store, 2, features=False)
    assert store.contents_lacking([PHASH]) == {second}
    assert store.missing_features(second, [PHASH]) == {"phash"}
    put(store, 2)
    assert store.contents_lacking([PHASH]) == set()
    assert store.contents_lacking([Recipe("phash", 2)]) == {1, second}


def test_a_full_disk_is_a_sentence_and_loses_nothing(store):
    put(store, 1)
    store._db.execute(f"PRAGMA max_page_count = {store._pragma('page_count') + 2}")
    with pytest.raises(StoreError, match="disk is full"):
        for number in range(2, 5000):
            put(store, number)
    store._db.execute("PRAGMA max_page_count = 1000000")
    n_kept = store.counts()["contents"]
    assert n_kept >= 1
    assert put(store, 5001)
    assert store._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_a_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be made"):
        Store(tmp_path / "g", create=True)
    tmp_path.chmod(0o700)


def test_a_place_that_is_a_file_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be made"):
        Store(tmp_path / "file" / "g", create=True)


_WRITER = """
import sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from test_store import put
from lookalike.storage.store import Store
store = Store(Path(sys.argv[1]), create=True)
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 150):
    put(store, number)
"""


def test_two_processes_write_and_a_third_reads(tmp_path):
    here = os.path.dirname(__file__)
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path), str(first), here])
        for first in (1, 101, 5000)
    ]
    while not (tmp_path / store_module.FILE_NAME).exists():
        time.sleep(0.01)
    sizes = []
    while any(writer.poll() is None for writer in writers):
        try:
            reader = Store(tmp_path)
        except StoreError:  # the file exists, its schema not yet
            continue
        try:
            index, _ = open_exact_index(reader, PHASH)
            sizes.append(len(index))
            assert len(index) <= len(reader.live_ids())
        finally:
            reader.close()
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert sizes == sorted(sizes)
    final = Store(tmp_path)
    assert final.counts()["contents"] == 250 + 150
    assert len(open_exact_index(final, PHASH)[0]) == 400
    final.close()
