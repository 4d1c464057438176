"""Rows that are kept open and in files: they follow the store, and no damage is believed."""

import os
import stat
from functools import partial

import numpy as np
import pytest

from conftest import textured
from lookalike import Filter, Settings
from lookalike.features.extract import Extractor
from lookalike.queries.picture import PictureQuery
from lookalike.queries.source import Source
from lookalike.records.picture import Picture
from lookalike.searching.searcher import Searcher
from lookalike.storage.index import cache
from lookalike.storage.index.choose import TIERS, Tier
from lookalike.storage.index.exact import ExactNearest
from lookalike.storage.index.kept import KeptIndexes
from lookalike.storage.store import Store
from test_store import PHASH, content, put


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "g", create=True)
    yield opened
    opened.close()


def _kept(store, **values):
    return KeptIndexes(store, Settings(**values))


def _row(number):
    return np.frombuffer(number.to_bytes(8, "big"), np.uint8)[None]


def _put_many(store, numbers):
    with store.batch() as batch:
        for number in numbers:
            data = {"phash": number.to_bytes(8, "big")}
            content_id, _ = batch.add_content(content(number), data, {"phash": PHASH})
            batch.put_file(f"/p/{number}.png", 10, 5, content_id=content_id)


def _cache_file(store):
    (path,) = (store.folder / "cache").iterdir()
    return path


def test_rows_follow_what_is_added_and_removed(store):
    _put_many(store, range(1, 30))
    kept = _kept(store)
    assert len(kept.rows(PHASH)) == 29
    put(store, 40)
    store.files.remove(["/p/3.png"])
    for one in (kept, _kept(store)):  # one that was open all the time, and one that is opened now
        rows, nearest = one.rows(PHASH), one.nearest(PHASH)
        assert len(rows) == 29
        assert nearest.search(_row(40), 1).distances[0, 0] == 0
        assert nearest.search(_row(3), 1).distances[0, 0] > 0


def test_what_is_open_stays_open_and_takes_only_what_changed(store, monkeypatch):
    _put_many(store, range(1, 100))
    kept = _kept(store)
    rows, nearest = kept.rows(PHASH), kept.nearest(PHASH)
    monkeypatch.setattr(cache, "_read", lambda *_: pytest.fail("the file was read again"))
    asked = []
    unwatched = store.features.iter_blocks

    def watched(*arguments, **options):
        for ids, some in unwatched(*arguments, **options):
            asked.extend(ids.tolist())
            yield ids, some

    monkeypatch.setattr(store.features, "iter_blocks", watched)
    added = put(store, 1000)
    store.files.remove(["/p/7.png"])
    assert kept.rows(PHASH) is rows
    assert kept.nearest(PHASH) is nearest
    assert asked == [added]
    assert len(rows) == 99


def test_a_file_is_written_anew_once_a_tenth_of_it_has_changed(store):
    _put_many(store, range(1, 101))
    kept = _kept(store)
    kept.rows(PHASH)
    before = _cache_file(store).stat().st_ino
    _put_many(store, range(201, 206))
    store.files.remove([f"/p/{number}.png" for number in range(1, 6)])
    assert len(kept.rows(PHASH)) == 100
    assert _cache_file(store).stat().st_ino == before
    store.files.remove(["/p/50.png"])
    assert len(kept.rows(PHASH)) == 99
    assert _cache_file(store).stat().st_ino != before
    assert len(_kept(store).rows(PHASH)) == 99


def test_removing_the_first_and_last_does_not_make_a_file_a_strangers(store, monkeypatch):
    _put_many(store, range(1, 101))
    _kept(store).rows(PHASH)
    store.files.remove(["/p/1.png", "/p/100.png"])
    monkeypatch.setattr("lookalike.storage.index.kept.write_rows", lambda *_: pytest.fail("it was rebuilt"))
    assert len(_kept(store).rows(PHASH)) == 98


def test_no_more_than_a_block_is_held_while_a_file_is_written(store, monkeypatch):
    _put_many(store, range(1, 30))
    unwatched, sizes = store.features.iter_blocks, []

    def watched(*arguments, **options):
        for ids, rows in unwatched(*arguments, **options, n_rows=4):
            sizes.append(len(ids))
            yield ids, rows

    monkeypatch.setattr(store.features, "iter_blocks", watched)
    ids, rows = _kept(store).rows(PHASH).contents()
    assert sizes == [4] * 7 + [1]
    np.testing.assert_array_equal(rows, np.concatenate([_row(number) for number in range(1, 30)]))
    assert isinstance(rows.base, np.memmap)
    assert len(ids) == 29


def test_a_feature_row_of_another_length_costs_that_row_only(store, caplog):
    _put_many(store, range(1, 30))
    store.database.execute("UPDATE feature SET data = x'0102' WHERE number = 1")
    kept = _kept(store)
    assert len(kept.rows(PHASH)) == 28
    assert "damaged" in caplog.text
    put(store, 50)
    store.database.execute("UPDATE feature SET data = x'01' WHERE number = (SELECT max(number) FROM feature)")
    assert len(kept.rows(PHASH)) == 28
    assert kept.nearest(PHASH).search(_row(5), 1).distances[0, 0] == 0


def test_a_tier_is_told_what_was_added_and_removed(store, monkeypatch):
    told = []

    class Toy(ExactNearest):
        is_exact = False

        def update(self, added, removed):
            told.append((added.tolist(), removed.tolist()))

    toy = Tier("a toy", lambda rows, metric, _: Toy(rows, metric), lambda _kind, _n: True)
    monkeypatch.setitem(TIERS, "toy", toy)
    _put_many(store, range(1, 30))
    kept = _kept(store)
    assert not kept.nearest(PHASH).is_exact
    gone = store.contents.id_of(content(5).digest)
    store.files.remove(["/p/5.png"])
    added = put(store, 77)
    assert kept.nearest(PHASH).search(_row(77), 1).ids[0, 0] == added
    assert told == [([added], [gone])]
    assert _kept(store, tier="exact").nearest(PHASH).is_exact


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-5]),
        lambda path: path.write_bytes(b"\xff" * 5000),
        lambda path: path.write_bytes(b'{"recipe": 1}'),
        lambda path: path.unlink(),
        lambda path: _flip(path, -1),
        lambda path: _flip(path, -8 * 700),  # the first of the ids
        lambda path: _flip(path, -8 * 701),  # the last of the rows
        lambda path: _flip(path, path.read_bytes().index(b"last_number") + 14, by=1),
        lambda path: path.write_bytes(path.read_bytes()[:-4096] + bytes(4096)),
    ],
)
def test_a_damaged_file_is_rebuilt(store, damage):
    _put_many(store, range(1, 701))
    # Copies, for the file is mapped into memory, and what is done to it next would be done to them.
    expected = [array.copy() for array in _kept(store).rows(PHASH).contents()]
    path = _cache_file(store)
    whole = path.read_bytes()
    damage(path)
    ids, rows = _kept(store).rows(PHASH).contents()
    np.testing.assert_array_equal(ids, expected[0])
    np.testing.assert_array_equal(rows, expected[1])
    assert path.read_bytes() == whole


def _flip(path, place, by=128):
    data = bytearray(path.read_bytes())
    data[place] ^= by
    path.write_bytes(data)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes in folders")
def test_a_pipe_or_folder_in_the_place_of_a_file_is_not_waited_for(store):
    _put_many(store, range(1, 30))
    _kept(store).rows(PHASH)
    path = _cache_file(store)
    path.unlink()
    os.mkfifo(path)
    assert len(_kept(store).rows(PHASH)) == 29
    assert stat.S_ISREG(path.stat().st_mode)
    path.unlink()
    path.mkdir()
    assert len(_kept(store).rows(PHASH)) == 29
    assert path.is_dir()


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_a_file_may_be_read_by_whom_the_umask_lets(store):
    put(store, 1)
    before = os.umask(0o022)
    try:
        _kept(store).rows(PHASH)
    finally:
        os.umask(before)
    assert stat.S_IMODE(_cache_file(store).stat().st_mode) == 0o644


def test_the_file_of_another_store_is_not_believed(store, tmp_path):
    _put_many(store, range(1, 5))
    _kept(store).rows(PHASH)
    other = Store(tmp_path / "other", create=True)
    _put_many(other, range(11, 15))
    (other.folder / "cache").mkdir()
    (other.folder / "cache" / _cache_file(store).name).write_bytes(_cache_file(store).read_bytes())
    assert _kept(other).nearest(PHASH).search(_row(13), 1).distances[0, 0] == 0
    other.close()


class _Counting:
    """What a store is asked while the block runs: how many statements, and how many rows they gave."""

    def __init__(self, store, monkeypatch):
        self.n_statements = self.n_rows = 0
        for verb in ("rows", "iter_rows"):
            monkeypatch.setattr(store.database, verb, partial(self._ask, getattr(store.database, verb)))

    def _ask(self, verb, *arguments):
        self.n_statements += 1
        rows = list(verb(*arguments))
        self.n_rows += len(rows)
        return iter(rows) if verb.__name__ == "iter_rows" else rows


@pytest.mark.parametrize("change", ["none", "one added", "one removed"])
def test_opening_costs_no_more_in_a_larger_gallery(tmp_path, monkeypatch, change):
    costs = []
    for n in (50, 500):
        store = Store(tmp_path / str(n), create=True)
        _put_many(store, range(1, n + 1))
        _kept(store).rows(PHASH)
        if change == "one added":
            put(store, 10_000)
        elif change == "one removed":
            store.files.remove(["/p/3.png"])
        counting = _Counting(store, monkeypatch)
        _kept(store).rows(PHASH)
        costs.append((counting.n_statements, counting.n_rows))
        store.close()
    assert costs[0] == costs[1]


def test_a_search_costs_no_more_statements_in_a_larger_gallery(tmp_path, settings, monkeypatch):
    extractor = Extractor(settings, ("phash", "dhash"))
    recipes = extractor.recipes
    photo = Picture(textured(1, 96, 96), 96, 96, "png")
    costs = []
    for n in (50, 500):
        store = Store(tmp_path / str(n), create=True)
        with store.batch() as batch:
            for number in range(n):
                data = {name: number.to_bytes(8, "big") for name in recipes}
                content_id, _ = batch.add_content(content(number), data, recipes)
                batch.put_file(f"/p/{number}.png", 10, 5, content_id=content_id)
        searcher = Searcher(store, lambda: extractor)
        query = PictureQuery(Source("x"), extractor, extractor.prepare(photo))
        searcher.search(query, by="auto")
        counting = _Counting(store, monkeypatch)
        again = PictureQuery(Source("x"), extractor, extractor.prepare(photo))
        assert len(searcher.search(again, by="auto", where=Filter(min_side_px=1))) == 10
        costs.append(counting.n_statements)
        store.close()
    assert costs[0] == costs[1]
