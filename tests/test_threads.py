"""One gallery for many threads, and after it was closed: right answers, or a sentence."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import textured
from lookalike import Filter, Gallery
from lookalike.errors import InputError, QueryError, StoreError

N_PICTURES = 12


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(N_PICTURES):
        textured(seed).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def gallery(tmp_path, settings, pictures):
    with Gallery.open(tmp_path / "gallery", create=True, settings=settings) as opened:
        opened.add(pictures)
        yield opened


def _answers(gallery, path):
    return [(match.picture.path, match.score) for match in gallery.search(path, k=5)]


@pytest.mark.parametrize("isolate", [False, True])
def test_threads_that_share_a_gallery_get_the_answers_of_one(gallery, pictures, settings, isolate):
    paths = sorted(pictures.iterdir())
    expected = {path: _answers(gallery, path) for path in paths}
    with (
        Gallery.open(gallery.folder, settings=settings, isolate=isolate) as shared,
        ThreadPoolExecutor(6) as pool,
    ):
        found = list(pool.map(lambda path: _answers(shared, path), paths * 3))
        infos = list(pool.map(lambda _: shared.info().n_files, range(6)))
    assert found == [expected[path] for path in paths * 3]
    assert infos == [N_PICTURES] * 6


def test_asyncio_asks_while_pictures_are_added(gallery, pictures, tmp_path):
    more = tmp_path / "more"
    more.mkdir()
    for seed in range(100, 106):
        textured(seed).save(more / f"{seed}.png")
    query = pictures / "3.png"
    first = _answers(gallery, query)[0]

    async def ask_and_add():
        adding = asyncio.create_task(asyncio.to_thread(gallery.add, more, only="hashes"))
        asked = [await asyncio.to_thread(gallery.search, query, k=20, by="phash") for _ in range(10)]
        await adding
        return asked

    sizes = [len(matches) for matches in asyncio.run(ask_and_add())]
    assert sizes == sorted(sizes)
    assert len(gallery.search(query, k=30, by="phash")) == N_PICTURES - 1 + 6
    assert _answers(gallery, query)[0] == first


def test_a_closed_gallery_says_that_it_was_closed(gallery, pictures):
    gallery.close()
    for use in (
        lambda: gallery.search(pictures / "1.png"),
        gallery.info,
        lambda: gallery.add(pictures),
        lambda: gallery.remove(pictures),
        gallery.prune,
    ):
        with pytest.raises(StoreError, match="was closed: open it again"):
            use()
    gallery.close()


@pytest.mark.parametrize("paths", [3, None, [None], [b"x", 4]])
def test_what_is_no_path_is_a_sentence(gallery, paths):
    for verb in (gallery.add, gallery.remove):
        with pytest.raises(InputError, match="is no path"):
            verb(paths)


def test_what_is_no_page_or_id_is_a_sentence(gallery):
    for verb in (gallery.pictures, gallery.failures):
        for page in ({"offset": "x"}, {"offset": 2**70}, {"limit": -1}):
            with pytest.raises(InputError, match="whole number from 0 on"):
                verb(**page)
    for number in ("x", None, 2**70, -1):
        with pytest.raises(QueryError, match="no picture of this gallery"):
            gallery.picture(number)
    for verb in (gallery.holds, lambda path: gallery.pictures(folder=path)):
        with pytest.raises(InputError, match="is no path"):
            verb(3)


def test_one_path_as_text_or_bytes_is_one_path(gallery, pictures):
    assert gallery.remove(str(pictures / "0.png")) == 1
    assert gallery.info().n_files == N_PICTURES - 1
    assert gallery.add(str(pictures / "0.png").encode()).added == 1


@pytest.mark.parametrize(
    "facts", [{"min_bytes": "3"}, {"folder": 3}, {"since": 2020}, {"min_side_px": "x"}, {"formats": (3,)}]
)
def test_a_filter_of_the_wrong_kind_is_a_sentence(facts):
    with pytest.raises(InputError):
        Filter(**facts)
