"""The store: whole rows or none, versions, removals, and several processes at once."""

import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from conftest import needs_users, ordinary_user
from lookalike import Settings
from lookalike.errors import GalleryNotFoundError, NewerGalleryError, StoreError
from lookalike.records.recipe import Recipe
from lookalike.storage import database as database_module
from lookalike.storage.index.kept import KeptIndexes
from lookalike.storage.records import Content
from lookalike.storage.store import FILE_NAME, Store

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


def ids_of(store):
    return sorted(store.database.ids("SELECT id FROM content").tolist())


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
    db = sqlite3.connect(tmp_path / FILE_NAME)
    db.execute("PRAGMA user_version = 99")
    db.close()
    for create in (True, False):
        with pytest.raises(NewerGalleryError, match="newer lookalike"):
            Store(tmp_path, create=create)
    db = sqlite3.connect(tmp_path / FILE_NAME)
    assert db.execute("PRAGMA user_version").fetchone() == (99,)
    db.close()


def test_an_older_gallery_is_migrated_with_its_rows(tmp_path, monkeypatch):
    first = Store(tmp_path, create=True)
    put(first, 1)
    first.close()
    monkeypatch.setattr(
        database_module, "MIGRATIONS", (*database_module.MIGRATIONS, "CREATE TABLE later (x)")
    )
    before = (tmp_path / FILE_NAME).read_bytes()
    for read_only in (True, False):
        with pytest.raises(StoreError, match=r"older lookalike.* run `lookalike index`"):
            Store(tmp_path, read_only=read_only)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    later = Store(tmp_path, create=True)
    assert later.files.counts()["files"] == 1
    later.close()
    db = sqlite3.connect(tmp_path / FILE_NAME)
    assert db.execute("PRAGMA user_version").fetchone() == (len(database_module.MIGRATIONS),)
    assert db.execute("SELECT count(*) FROM later").fetchone() == (0,)
    db.close()


def test_a_migration_that_fails_leaves_the_old_version(tmp_path, monkeypatch):
    Store(tmp_path, create=True).close()
    broken = (*database_module.MIGRATIONS, "CREATE TABLE later (x); CREATE NONSENSE")
    with monkeypatch.context() as patched:
        patched.setattr(database_module, "MIGRATIONS", broken)
        with pytest.raises(StoreError):
            Store(tmp_path, create=True)
    Store(tmp_path).close()


@pytest.mark.parametrize(
    "text", [b"this is no database, but long enough to look at" * 50, b"SQLite format 3\0" * 99]
)
def test_a_damaged_file_is_a_sentence(tmp_path, text):
    (tmp_path / FILE_NAME).write_bytes(text)
    with pytest.raises(StoreError, match="damaged or no gallery"):
        Store(tmp_path)


@pytest.mark.parametrize(
    "mark", ["PRAGMA user_version = 1", "PRAGMA application_id = 7", "CREATE TABLE other (x)"]
)
def test_another_programs_database_is_left_alone(tmp_path, mark):
    path = tmp_path / FILE_NAME
    db = sqlite3.connect(path)
    db.execute(mark)
    if "application_id" not in mark:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = path.read_bytes()
    for create in (True, False):
        with pytest.raises(StoreError, match="another program"):
            Store(tmp_path, create=create)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("size_bytes", [0, 4096])
def test_a_gallery_that_was_killed_while_it_was_made_is_none_yet_and_heals(tmp_path, size_bytes):
    path = tmp_path / FILE_NAME
    if size_bytes:
        db = sqlite3.connect(path)
        db.execute("PRAGMA journal_mode = WAL")
        db.close()
    else:
        path.touch()
    assert path.stat().st_size == size_bytes
    for read_only in (True, False):
        with pytest.raises(GalleryNotFoundError, match="index FOLDER"):
            Store(tmp_path, read_only=read_only)
    assert path.stat().st_size == size_bytes
    healed = Store(tmp_path, create=True)
    put(healed, 1)
    healed.close()
    again = Store(tmp_path)
    assert again.files.counts()["files"] == 1
    again.close()


@needs_users
def test_a_folder_that_may_not_be_entered_is_a_sentence(store, shared_place):
    store.close()
    copy = _read_only_copy(store, shared_place)
    copy.chmod(0o000)
    with ordinary_user():
        for create in (True, False):
            with pytest.raises(StoreError, match=r"Permission denied.* you may read the folder"):
                Store(copy, create=create)
    copy.chmod(0o755)


def test_a_name_that_is_too_long_is_a_sentence(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / ("x" * 300))


def test_a_batch_that_is_interrupted_leaves_nothing(store):
    with pytest.raises(KeyboardInterrupt), store.batch() as batch:
        batch.add_content(content(1), {"phash": b"12345678"}, {"phash": PHASH})
        raise KeyboardInterrupt
    assert store.contents.count() == 0
    assert len(ids_of(store)) == 0


@pytest.mark.parametrize(
    "name", ["a b.png", "a\nb.png", "图片.png", "\udcff\udcfe.png", "'; DROP TABLE file;--"]
)
def test_every_name_comes_back_as_it_was(store, name):
    put(store, 1, path=f"/p/{name}")
    assert list(store.files.iter_paths()) == [f"/p/{name}"]
    assert store.files.known([f"/p/{name}", "/other"])[f"/p/{name}"].size_bytes == 10


def test_known_files_of_many_paths(store):
    with store.batch() as batch:
        for number in range(1, 1200):
            batch.put_failure(f"/{number}", 1, 1, stage="decode", reason="x")
    assert len(store.files.known([f"/{number}" for number in range(3000)])) == 1199


def test_equal_contents_are_kept_once_and_forgotten_with_their_last_file(store):
    first = put(store, 7, "/a")
    assert put(store, 7, "/b") == first
    assert store.contents.count() == 1
    store.files.remove(["/a"])
    assert store.contents.count() == 1
    store.files.remove(["/b"])
    assert store.contents.count() == 0
    assert list(store.features.iter_blocks(PHASH, U8)) == []


def test_what_lies_below_a_folder_goes_with_it_and_nothing_beside_it(store):
    names = [
        "/a/b/1",
        "/a/b/c/2",
        "/a/b",
        "/a/b0",
        "/a/bb/3",
        "/a/\udcff/4",
        "/a/\udcff5",
        "/a/b\n/6",
        "/b/a/b/7",
    ]
    for number, name in enumerate(names):
        put(store, number, name)
    assert store.files.remove(["/a/b"]) == 1
    assert store.files.remove(["/a/b/", "/nothing"], with_folders=True) == 2
    assert store.files.remove(["/a/\udcff"], with_folders=True) == 1
    assert sorted(store.files.iter_paths()) == sorted(
        ["/a/b0", "/a/bb/3", "/a/\udcff5", "/a/b\n/6", "/b/a/b/7"]
    )
    assert store.files.remove(["/"], with_folders=True) == 5


def test_ids_are_never_used_again(store):
    first = put(store, 1)
    store.files.remove(["/p/1.png"])
    assert put(store, 2) > first


def test_a_content_without_a_feature_is_lacking(store):
    put(store, 1)
    second = put(store, 2, features=False)
    assert store.features.lacking([PHASH], ids_of(store)) == {second}
    assert store.features.missing(second, [PHASH]) == {"phash"}
    put(store, 2)
    assert store.features.lacking([PHASH], ids_of(store)) == set()
    assert store.features.lacking([Recipe("phash", 2)], [1, second]) == {1, second}


def test_a_full_disk_is_a_sentence_and_loses_nothing(store):
    put(store, 1)
    database = store.database
    database.execute(f"PRAGMA max_page_count = {database.pragma('page_count') + 2}")
    with pytest.raises(StoreError, match="disk is full"):
        for number in range(2, 5000):
            put(store, number)
    database.execute("PRAGMA max_page_count = 1000000")
    n_kept = store.contents.count()
    assert n_kept >= 1
    assert put(store, 5001)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


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


def _read_only_copy(store, place, *without):
    """Copy an open gallery as it lies on the disk to a folder that cannot be written."""
    copy = place / "copy"
    shutil.copytree(store.folder, copy, ignore=shutil.ignore_patterns(*without))
    copy.chmod(0o555)
    return copy


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """Return a context in which this process can write to no file."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def full():
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return full


def test_a_full_disk_does_not_keep_anyone_from_reading(store, disk):
    put(store, 1)
    store.close()
    with disk():
        reader = Store(store.folder)
        assert list(reader.files.iter_paths()) == ["/p/1.png"]
        assert len(KeptIndexes(reader, Settings()).rows(PHASH)) == 1
        with pytest.raises(StoreError, match="cannot be written"):
            put(reader, 2)
        with pytest.raises(StoreError, match="full"):
            Store(store.folder, create=True)
        reader.close()
    assert not list((store.folder / "cache").iterdir())
    writer = Store(store.folder)
    put(writer, 2)
    writer.close()


@needs_users
def test_a_reader_who_may_not_write_sees_what_is_still_in_the_log(store, shared_place):
    put(store, 1)
    copy = _read_only_copy(store, shared_place)
    assert os.stat(f"{copy}/{FILE_NAME}-wal").st_size
    with ordinary_user():
        reader = Store(copy, read_only=True)
        assert list(reader.files.iter_paths()) == ["/p/1.png"]
        reader.close()


@needs_users
def test_a_log_that_a_reader_may_not_open_is_a_sentence_not_a_loss(store, shared_place):
    put(store, 1)
    copy = _read_only_copy(store, shared_place, "*-shm")
    with ordinary_user(), pytest.raises(StoreError, match="last changes are still in"):
        Store(copy, read_only=True)


@needs_users
def test_a_closed_gallery_is_read_where_nothing_can_be_written(store, shared_place):
    put(store, 1)
    store.close()
    copy = _read_only_copy(store, shared_place)
    with ordinary_user():
        reader = Store(copy, read_only=True)
        assert list(reader.files.iter_paths()) == ["/p/1.png"]
        reader.close()


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
    while not (tmp_path / FILE_NAME).exists():
        time.sleep(0.01)
    sizes = []
    while any(writer.poll() is None for writer in writers):
        try:
            reader = Store(tmp_path)
        except StoreError:  # the file exists, its schema not yet
            continue
        try:
            rows = KeptIndexes(reader, Settings()).rows(PHASH)
            sizes.append(len(rows))
            assert len(rows) <= len(ids_of(reader))
        finally:
            reader.close()
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert sizes == sorted(sizes)
    final = Store(tmp_path)
    assert final.contents.count() == 250 + 150
    assert len(KeptIndexes(final, Settings()).rows(PHASH)) == 400
    final.close()


# Many at once


def test_a_new_gallery_that_another_process_is_making_is_waited_for(tmp_path, monkeypatch):
    tmp_path.joinpath(FILE_NAME).touch()
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            other.execute("COMMIT")

    monkeypatch.setattr(database_module.time, "sleep", wait)
    opened = Store(tmp_path, create=True)
    assert len(waits) == 3
    assert opened.contents.count() == 0
    opened.close()
    other.close()


def test_a_new_gallery_that_is_never_let_go_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.0)
    tmp_path.joinpath(FILE_NAME).touch()
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="is busy"):
        Store(tmp_path, create=True)
    other.close()


_OPENER = """
import sys
from pathlib import Path
from lookalike.storage.store import Store
for line in sys.stdin:
    Store(Path(line.rstrip()), create=True).close()
    print("ok", flush=True)
"""


def test_first_runs_on_one_new_gallery_race_and_none_gives_up(tmp_path):
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", _OPENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for number in range(25):
        for opener in openers:
            opener.stdin.write(f"{tmp_path / str(number)}\n")
            opener.stdin.flush()
        assert [opener.stdout.readline() for opener in openers] == ["ok\n", "ok\n"]
    for opener in openers:
        opener.communicate()


def test_threads_share_a_store(store):
    n_each, n_threads = 40, 8

    def work(thread):
        for number in range(n_each):
            put(store, 1 + thread * n_each + number)
            assert store.contents.id_of(content(1 + thread * n_each).digest) is not None
            assert len(list(store.files.iter_found())) >= number

    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(work, range(n_threads)))
    assert store.contents.count() == n_each * n_threads
    assert len(store.features.ids_with(PHASH)) == n_each * n_threads


def test_the_connection_of_a_thread_that_ended_is_closed(store):
    before = len(store.database._all)
    thread = threading.Thread(target=store.contents.count)
    thread.start()
    thread.join()
    gc.collect()
    assert len(store.database._all) == before


def test_a_closed_store_says_so_to_every_thread(store):
    failures = []
    opened, closed = threading.Event(), threading.Event()

    def ask():
        rows = store.files.iter_paths()
        next(rows)
        opened.set()
        closed.wait()
        for use in (lambda: next(rows), store.contents.count, lambda: put(store, 9), store.files.counts):
            try:
                use()
            except StoreError as error:
                failures.append(str(error))

    put(store, 1)
    put(store, 2)
    thread = threading.Thread(target=ask)
    thread.start()
    opened.wait()
    store.close()
    closed.set()
    thread.join()
    assert len(failures) == 4
    assert all("was closed: open it again" in failure for failure in failures)


# What triggers keep


def test_tallies_are_what_counting_gives(store):
    rng = np.random.default_rng(0)
    formats = ("png", "jpeg")
    for step in range(120):
        number, path = int(rng.integers(1, 12)), f"/p/{rng.integers(20)}"
        kind = step % 4
        with store.batch() as batch:
            if kind == 0:
                batch.put_failure(path, 1, 1, stage="decode", reason="x")
            elif kind == 1:
                batch.move_file(path, f"/p/{rng.integers(20)}", 1, 1)
            else:
                facts = content(number, format=formats[number % 2])
                content_id, _ = batch.add_content(facts, {"phash": b"12345678"}, {"phash": PHASH})
                batch.put_file(path, 1, 1, content_id=content_id)
        if step % 7 == 0:
            store.files.remove([f"/p/{rng.integers(20)}"])
        if step % 11 == 0:
            store.files.forget_left_behind()
    store.files.forget_left_behind()
    found = list(store.files.iter_found())
    assert store.contents.count() == len(ids_of(store)) == len({one.content_id for one in found})
    formats_found = Counter(one.format for one in found)
    assert store.files.formats() == formats_found
    n_failed = len(store.files.failures())
    assert store.files.counts() == {"files": len(found) + n_failed, "failed": n_failed}
    assert store.features.recipes("phash") == {PHASH.text: len(ids_of(store))}


def test_what_was_removed_is_in_the_log(store):
    ids = [put(store, number) for number in range(1, 6)]
    stamp = store.features.stamp(PHASH)
    store.files.remove(["/p/2.png", "/p/4.png"])
    assert store.features.removed_after(stamp.last_removal).tolist() == [ids[1], ids[3]]
    assert store.features.removed_after(store.features.stamp(PHASH).last_removal).tolist() == []


def test_a_run_that_was_killed_leaves_its_orphans_to_the_next(store):
    first = put(store, 1)
    put(store, 2, path="/p/1.png")
    assert ids_of(store) == [first, first + 1], "the old content may still be moved to"
    store.files.forget_left_behind()
    assert ids_of(store) == [first + 1]


def test_a_row_of_a_wrong_length_is_left_out_and_index_mends_it(store, caplog):
    ids = [put(store, number) for number in range(1, 12)]
    with store.database.transaction():
        store.database.execute("UPDATE feature SET data = x'0102' WHERE content_id = ?", (ids[4],))
    ((whole, _),) = store.features.iter_blocks(PHASH, U8)
    assert whole.tolist() == [*ids[:4], *ids[5:]]
    assert "1 rows of the feature phash are damaged: run `lookalike index`" in caplog.text
    assert store.features.lacking([PHASH], ids) == {ids[4]}
    assert store.features.missing(ids[4], [PHASH]) == {"phash"}
    put(store, 5)
    assert store.features.lacking([PHASH], ids) == set()
    assert store.features.of(ids[4], [PHASH]) == {"phash": (5).to_bytes(8, "big")}


def test_blocks_are_all_rows_in_the_order_of_writing(store):
    ids = [put(store, number) for number in range(1, 12)]
    blocks = list(store.features.iter_blocks(PHASH, U8, n_rows=4))
    assert [len(block_ids) for block_ids, _ in blocks] == [4, 4, 3]
    assert np.concatenate([block_ids for block_ids, _ in blocks]).tolist() == ids
    values = [int.from_bytes(row.tobytes(), "big") for _, rows in blocks for row in rows]
    assert values == list(range(1, 12))


def test_pages_are_cut_from_one_order(store):
    for number in (5, 1, 9, 3, 7):
        put(store, number, path=f"/{'a' if number < 6 else 'b'}/{number}.png")
    put(store, 1, path="/b/copy.png")
    everything = list(store.files.iter_found())
    pages = [store.files.page(offset, 2) for offset in (0, 2, 4)]
    assert [one for page, _ in pages for one in page] == everything
    assert {total for _, total in pages} == {6}
    below, total = store.files.page(1, 5, "/b")
    assert ([one.path for one in below], total) == (["/b/9.png", "/b/copy.png"], 3)


def test_an_id_beyond_what_a_store_can_hold_is_unknown(store):
    assert store.files.of([2**70, -1]) == {}


def test_folders_are_gathered_where_they_branch(store):
    def folders_of(*paths, **options):
        store.files.remove(["/"], with_folders=True)
        with store.batch() as batch:
            for path in paths:
                batch.put_failure(path, 1, 1, stage="decode", reason="x")
        return store.files.folders(**options)

    paths = [
        "/home/ada/p/2019/a/1.jpg",
        "/home/ada/p/2019/b/2.jpg",
        "/home/ada/p/2020/3.jpg",
        "/home/ada/p/4.jpg",
    ]
    gathered = [("/home/ada/p/2019", 2), ("/home/ada/p", 1), ("/home/ada/p/2020", 1)]
    assert folders_of(*paths) == store.files.folders() == gathered
    assert folders_of(*paths, most=1) == gathered[:1]
    assert folders_of(*paths[:2]) == [("/home/ada/p/2019/a", 1), ("/home/ada/p/2019/b", 1)]
    assert folders_of("/a/1.jpg", "/b/2.jpg") == [("/a", 1), ("/b", 1)]
    assert folders_of("/a/b.jpg", "/a/\udcff/2.jpg") == [("/a", 1), ("/a/\udcff", 1)]
    assert folders_of() == []
