"""Filters: what SQL lets pass is what the filter itself lets pass."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.storage.filters import Filter
from lookalike.storage.records import Content, FoundPicture
from lookalike.storage.store import Store

DAY_NS = 86400 * 10**9
NOW_NS = 1_600_000_000 * 10**9
PATHS = ["/a/1.png", "/a/b/2.jpg", "/a/b", "/ab/3.png", "/a0", "/\udcff/x.png"]
DATES = [None, "2020-02-29T12:00:00", "2020-03-01T00:00:00", "2021-12-31T23:59:59"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = Store(tmp_path_factory.mktemp("filters"), create=True)
    number = 0
    with opened.batch() as batch:
        for path in PATHS:
            for taken_at in DATES:
                for age in (0, 1, 250, 100_000):
                    number += 1
                    size = number % 7 * 100
                    format_name = ("png", "jpeg", "webp")[number % 3]
                    facts = (number % 40, format_name, 10 + number % 5, 12, taken_at)
                    content = Content((number % 90).to_bytes(32, "big"), *facts)
                    content_id, _ = batch.add_content(content, {}, {})
                    batch.put_file(f"{path}{number}", size, NOW_NS - age * DAY_NS, content_id=content_id)
    yield opened
    opened.close()


_dates = st.sampled_from(
    [
        None,
        "1600",
        "2020",
        "2020-02",
        "2020-02-29",
        "2020-09-13T12",
        "2020-09-13T12:26",
        "2020-09-13T12:26:40",
        "9999",
    ]
)
_sizes = st.sampled_from([None, 0, 100, 300, 2**70])


@given(
    st.sampled_from([None, "/a", "/a/b", "/", "/nowhere", "/\udcff"]),
    st.sets(st.sampled_from(["png", "jpeg", "gif"])),
    st.sampled_from([0, 12, 2**70]),
    _sizes,
    _sizes,
    _dates,
    _dates,
)
def test_sql_lets_pass_what_the_filter_does(store, folder, formats, side, low, high, since, until):
    try:
        where = Filter(folder, tuple(formats), side, low, high, since, until)
    except ValueError:  # a range that ends before it begins
        return
    passing = {picture.content_id for picture in store.files.iter_found() if where.passes(picture)}
    assert store.passing.ids(where).tolist() == sorted(passing)


@given(st.integers(0, 2 * 10**9), _dates, _dates)
def test_the_date_of_a_file_is_compared_as_it_is_written(seconds, since, until):
    picture = FoundPicture(1, "/p", 1, seconds * 10**9 + 999_999_999, b"", "png", 1, 1, None)
    try:
        where = Filter(since=since, until=until)
    except ValueError:
        return
    date = datetime.datetime.fromtimestamp(seconds).isoformat(timespec="seconds")
    expected = (since is None or date >= since) and (until is None or date[: len(until)] <= until)
    assert where.passes(picture) == expected


def test_ids_are_asked_for_once_until_files_change(store):
    where = Filter(formats=("png",))
    first = store.passing.ids(where)
    assert store.passing.ids(Filter(formats=("png",))) is first
    with store.batch() as batch:
        content_id, _ = batch.add_content(Content(b"n" * 32, 1, "png", 1, 1, None), {}, {})
        batch.put_file("/new", 1, 1, content_id=content_id)
    assert store.passing.ids(where).tolist() == [*first.tolist(), content_id]
    store.files.remove(["/new"])
    assert store.passing.ids(where).tolist() == first.tolist()


def test_what_another_connection_changes_is_noticed(store):
    where = Filter(formats=("webp",))
    before = store.passing.ids(where).tolist()
    other = Store(store.folder)
    with other.batch() as batch:
        content_id, _ = batch.add_content(Content(b"o" * 32, 1, "webp", 1, 1, None), {}, {})
        batch.put_file("/other", 1, 1, content_id=content_id)
    assert store.passing.ids(where).tolist() == [*before, content_id]
    other.files.remove(["/other"])
    other.close()
