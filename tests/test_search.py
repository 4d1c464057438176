"""Searching: every way finds the source of edits, filters and thresholds hold, misuse is a sentence."""

import io
import os
import shutil

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from conftest import needs_users, ordinary_user, textured
from lookalike import Filter, Gallery, Settings, hash_picture
from lookalike.errors import (
    FeatureMismatchError,
    GalleryNotFoundError,
    InputError,
    LimitError,
    PictureError,
    StoreError,
)
from lookalike.queries.picture import ORIENTATIONS
from lookalike.searching.ways import ways


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    from pictures import photo

    place = tmp_path_factory.mktemp("pictures")
    (place / "sub").mkdir()
    for seed in range(30):
        textured(seed, 320, 240).save(place / f"{seed}.png")
    for name in ("astronaut", "coffee", "rocket", "chelsea", "camera", "page"):
        photo(400, 300, name).save(place / "sub" / f"{name}.jpg", quality=92)
    return place


@pytest.fixture(scope="module")
def gallery(pictures, settings, tmp_path_factory):
    with Gallery.open(tmp_path_factory.mktemp("g"), create=True, settings=settings) as opened:
        opened.add(pictures)
        yield opened


def _encoded(image, format_name="JPEG", **options):
    file = io.BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def _names(matches):
    return [os.path.basename(match.picture.path) for match in matches]


@pytest.mark.parametrize("by", ways(Settings()))
def test_every_way_finds_a_picture_from_its_small_recompressed_copy(gallery, pictures, by):
    with Image.open(pictures / "sub" / "coffee.jpg") as photo:
        query = _encoded(photo.resize((200, 150)), quality=60)
    matches = gallery.search(query, by=by, k=5)
    assert _names(matches)[0] == "coffee.jpg"
    assert len(matches) == 5
    distances = [match.distance for match in matches]
    scores = [match.score for match in matches]
    assert distances == sorted(distances)
    assert scores == sorted(scores, reverse=True)
    assert all(match.why and match.unit and match.by == by for match in matches)


EDITS = {
    "grey": ImageOps.grayscale,
    "blurred": lambda photo: photo.filter(ImageFilter.GaussianBlur(2)),
    "cropped": lambda photo: photo.crop((30, 20, 370, 280)),
    "bright": lambda photo: photo.point(lambda level: min(255, int(level * 1.4))),
    "framed": lambda photo: ImageOps.expand(photo, 40, "white"),
    **{
        f"orientation {tag}": lambda photo, tag=tag: ImageOps.exif_transpose(_tagged(photo, tag))
        for tag in range(2, 9)
    },
}


def _tagged(photo, tag):
    exif = Image.Exif()
    exif[0x0112] = tag
    with Image.open(io.BytesIO(_encoded(photo, quality=90, exif=exif))) as tagged:
        tagged.load()
        return tagged


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", ["astronaut.jpg", "chelsea.jpg", "rocket.jpg"])
def test_the_default_way_finds_the_source_of_an_edit(gallery, pictures, edit, name):
    with Image.open(pictures / "sub" / name) as photo:
        photo.load()
    assert _names(gallery.search(_encoded(EDITS[edit](photo)), k=1)) == [name]


@pytest.mark.parametrize("tag", range(1, 9))
def test_how_a_picture_was_turned_is_said_in_words(gallery, pictures, tag):
    undo = (
        "",
        "when mirrored",
        "when turned 180°",
        "when flipped top to bottom",
        "when mirrored, turned 90° left",
        "when turned 90° right",
        "when mirrored, turned 90° right",
        "when turned 90° left",
    )
    assert [word.removeprefix("when ") or "upright" for word in undo] == list(ORIENTATIONS)
    with Image.open(pictures / "sub" / "astronaut.jpg") as photo:
        stored = ImageOps.exif_transpose(_tagged(photo, tag))
    # `stored` is what exif_transpose makes of the photo; the query must be turned back to match it.
    (match,) = gallery.search(stored, k=1)
    back = {6: 8, 8: 6}.get(tag, tag)
    assert match.why.endswith(f"bits apart {undo[back - 1]}".rstrip())


def test_the_query_itself_is_left_out_and_its_copies_are_not(gallery, pictures, tmp_path):
    path = pictures / "sub" / "coffee.jpg"
    matches = gallery.search(path, k=40)
    assert "coffee.jpg" not in _names(matches)
    assert len(matches) == 35
    copy = tmp_path / "copy of coffee.jpg"
    copy.write_bytes(path.read_bytes())
    for by in ways(Settings()):
        first = gallery.search(copy, k=1, by=by)[0]
        assert (os.path.basename(first.picture.path), first.relation) == ("coffee.jpg", "same_file")
        assert first.score == pytest.approx(1, abs=1e-3)


def test_every_kind_of_query_gives_the_same_answer(gallery, pictures, monkeypatch):
    path = pictures / "7.png"
    data = path.read_bytes()
    expected = gallery.search(data, k=5)
    assert _names(expected)[0] == "7.png"
    content_id = expected[0].picture.content_id
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
        from_image = gallery.search(image, k=5)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    answers = [from_image, gallery.search(pixels, k=5), gallery.search("-", k=5)]
    for answer in answers:
        assert _names(answer) == _names(expected)
    named = [gallery.search(query, k=4) for query in (path, str(path), path.as_uri(), f"id:{content_id}")]
    for answer in named:
        assert _names(answer) == _names(expected)[1:]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("https://example.org/a.jpg", "not on this machine"),
        ("id:999999", "no picture of this gallery"),
        ("id:x", "no picture of this gallery"),
        ("file://elsewhere/a.jpg", "another machine"),
        (np.zeros((2, 2, 9), np.uint8), "shape"),
    ],
)
def test_a_query_that_makes_no_sense_is_a_sentence(gallery, query, message):
    with pytest.raises(InputError, match=message):
        gallery.search(query)


@pytest.mark.parametrize("query", ["/no/such.jpg", b"", b"this is text", "/"])
def test_a_query_that_cannot_be_read_is_a_picture_error(gallery, query):
    with pytest.raises(PictureError):
        gallery.search(query)


def test_thresholds_leave_out_what_is_beyond_them(gallery, pictures):
    everything = gallery.search(pictures / "3.png", by="phash", k=40)
    limit = everything[10].distance
    near = gallery.search(pictures / "3.png", by="phash", k=40, max_distance=limit)
    assert [m.distance for m in near] == [m.distance for m in everything if m.distance <= limit]
    high = gallery.search(pictures / "3.png", by="embedding", k=40, min_score=0.5)
    assert all(match.score >= 0.5 for match in high)
    assert gallery.search(pictures / "3.png", min_score=1.1) == []


@pytest.mark.parametrize("by", ["auto", "phash", "embedding", "hash-then-embedding"])
def test_filters_choose_who_may_answer(gallery, pictures, by):
    def found(where):
        return set(_names(gallery.search(pictures / "3.png", by=by, k=99, where=where)))

    photos = {f"{name}.jpg" for name in ("astronaut", "coffee", "rocket", "chelsea", "camera", "page")}
    assert found(Filter(folder=str(pictures / "sub"))) == photos
    assert found(Filter(formats=("jpeg",))) == photos
    assert found(Filter(formats=("JPG",))) == photos
    assert found(Filter(min_side_px=300)) == photos
    (pictures / "su").mkdir(exist_ok=True)  # the start of a name is no folder above it
    assert found(Filter(folder=str(pictures / "su"))) == set()
    assert len(found(Filter(until="2000-01-01"))) == 0
    assert len(found(Filter(since="2000-01-01"))) == 35
    assert len(found(Filter(max_bytes=1))) == 0
    assert len(found(Filter(min_bytes=1))) == 35


@pytest.mark.parametrize(
    "date",
    [
        "yesterday",
        "2020-1-1",
        "01/02/2020",
        "",
        "2025-13-45",
        "2025-02-29",
        "2025-13",
        "0000",
        "2025-01-01T24",
        "٢٠٢٠",
        "2020-01-01\n",
    ],
)
def test_a_date_that_is_none_is_refused(date):
    for name in ("since", "until"):
        with pytest.raises(InputError, match="YYYY-MM-DD"):
            Filter(**{name: date})


@pytest.mark.parametrize("date", ["2024", "2024-02", "2024-02-29", "2024-02-29T23", "2024-02-29T23:59:59"])
def test_a_date_may_be_written_in_part(date):
    assert Filter(since=date, until=date).since == date


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"since": "2020-01-02", "until": "2020-01-01"}, "exchange them"),
        ({"since": "2021", "until": "2020-12"}, "exchange them"),
        ({"min_bytes": -1}, "min_bytes = -1"),
        ({"max_bytes": -5}, "max_bytes = -5"),
        ({"min_side_px": float("nan")}, "min_side_px = nan"),
        ({"max_bytes": float("inf")}, "max_bytes = inf"),
        ({"min_bytes": 2, "max_bytes": 1}, "at least 2 and at most 1"),
        ({"formats": ("jpgg",)}, "choose from jpeg, png"),
        ({"formats": ("",)}, "choose from"),
        ({"folder": ""}, "empty path"),
    ],
)
def test_a_filter_that_nothing_can_pass_is_refused(facts, sentence):
    with pytest.raises(InputError, match=sentence):
        Filter(**facts)


def test_formats_may_be_named_as_files_are():
    assert Filter(formats=("JPG", ".tif", "heic", "nef", "pgm")).formats == (
        *("jpeg", "tiff", "heif", "raw", "ppm"),
    )


def test_a_folder_must_be_there_or_have_been_indexed(pictures, settings, tmp_path):
    own = tmp_path / "own"
    (own / "gone").mkdir(parents=True)
    (own / "gone" / "1.png").write_bytes((pictures / "1.png").read_bytes())
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(own, only="hashes")
        (own / "gone" / "1.png").unlink()
        (own / "gone").rmdir()
        query = pictures / "1.png"
        assert len(opened.search(query, where=Filter(folder=str(own / "gone")))) == 1
        assert opened.search(query, where=Filter(folder=str(own / "gone"), min_side_px=5000)) == []
        assert opened.search(query, where=Filter(folder=str(tmp_path / "g"))) == []
        with pytest.raises(InputError, match=r"no folder .*misspelt"):
            opened.search(query, where=Filter(folder=str(own / "misspelt")))


def test_ways_and_numbers_that_are_not_there_are_refused(gallery, pictures):
    for by in ("nonsense", "hsv:nonsense", "phash:cosine", "auto:cosine"):
        with pytest.raises(InputError, match="choose from"):
            gallery.search(pictures / "3.png", by=by)
    for k in (0, -1, 2**31, 10**30):
        with pytest.raises(InputError, match="at least one"):
            gallery.search(pictures / "3.png", k=k)
    for threshold in ("min_score", "max_distance"):
        with pytest.raises(InputError, match="nan"):
            gallery.search(pictures / "3.png", **{threshold: float("nan")})
    for number in (2**63, "9" * 5000, -1, "٣x"):
        with pytest.raises(InputError, match="no picture of this gallery"):
            gallery.search(f"id:{number}")


@pytest.mark.parametrize("by", ways(Settings()))
def test_asking_for_far_more_than_there_is_gives_all(gallery, pictures, by):
    found = gallery.search(pictures / "3.png", by=by, k=1_000_000)
    assert len(found) == 35


def test_of_standard_input_no_more_is_read_than_the_limit(gallery, pictures, monkeypatch):
    class Endless(io.RawIOBase):
        n_read = 0

        def read(self, size=-1):
            assert size >= 0, "it was read to an end that never comes"
            self.n_read += size
            return bytes(size)

    endless = Endless()
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": endless}))
    few = Settings(max_bytes=1000)
    with Gallery.open(gallery.info().folder, settings=few) as opened:
        with pytest.raises(LimitError, match="more bytes than the limit of 1,000"):
            opened.search("-")
        assert endless.n_read <= 1001
        with pytest.raises(LimitError, match="limit of 1,000"):
            hash_picture("-", settings=few)


def test_a_current_folder_that_is_gone_is_a_sentence(gallery, pictures, tmp_path, monkeypatch):
    place = tmp_path / "soon gone"
    place.mkdir()
    monkeypatch.chdir(place)
    place.rmdir()
    assert gallery.search(pictures / "3.png", k=1)
    for ask in (
        lambda: gallery.search("3.png"),
        lambda: gallery.search(pictures / "3.png", where=Filter(folder="sub")),
        lambda: gallery.add("sub"),
        lambda: gallery.remove(["sub"]),
    ):
        with pytest.raises(InputError, match="current folder was deleted"):
            ask()
    with pytest.raises(GalleryNotFoundError):
        Gallery.open("relative")


def test_features_of_another_recipe_are_refused_with_the_mend(gallery, pictures):
    other = Settings(hash_size=16)
    with (
        Gallery.open(gallery.info().folder, settings=other) as opened,
        pytest.raises(FeatureMismatchError, match="settings that it was indexed with"),
    ):
        opened.search(pictures / "3.png", by="phash")
    float32 = Settings(precision="float32")
    with (
        Gallery.open(gallery.info().folder, settings=float32) as opened,
        pytest.raises(FeatureMismatchError, match="int8"),
    ):
        opened.search(pictures / "3.png", by="embedding")


def test_larger_hashes_can_be_kept_beside_the_small_ones(pictures, settings, tmp_path):
    large = Settings(hash_size=16)
    for chosen in (settings, large):
        with Gallery.open(tmp_path, create=True, settings=chosen) as opened:
            opened.add(pictures, only="hashes")
            assert _names(opened.search((pictures / "5.png").read_bytes(), by="phash", k=1)) == ["5.png"]
    with Gallery.open(tmp_path, settings=large) as opened:
        match = opened.search(pictures / "5.png", by="phash", k=1)[0]
        assert "of 256 bits" in match.why
        assert 0 < match.score < 1
        assert opened.search(pictures / "5.png", k=1)


def test_an_empty_gallery_says_so(tmp_path, settings, pictures):
    with (
        Gallery.open(tmp_path, create=True, settings=settings) as opened,
        pytest.raises(InputError, match="no picture yet"),
    ):
        opened.search(pictures / "5.png")
    with Gallery.open(tmp_path.as_uri(), settings=settings) as opened:
        assert opened.info().folder == str(tmp_path)
    with pytest.raises(GalleryNotFoundError):
        Gallery.open(tmp_path / "none")
    with pytest.raises(InputError, match="address"):
        Gallery.open("ftp://example.org")


def test_what_another_process_adds_is_found_by_an_open_gallery(pictures, settings, tmp_path):
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as reader:
        reader.add(pictures / "1.png")
        assert reader.search((pictures / "2.png").read_bytes(), k=1)[0].picture.path.endswith("1.png")
        with Gallery.open(tmp_path / "g", settings=settings) as writer:
            writer.add(pictures / "2.png")
        assert reader.search((pictures / "2.png").read_bytes(), k=1)[0].picture.path.endswith("2.png")
        with Gallery.open(tmp_path / "g", settings=settings) as writer:
            writer.remove([pictures / "2.png"])
        assert reader.search((pictures / "2.png").read_bytes(), k=1)[0].picture.path.endswith("1.png")


@needs_users
def test_a_gallery_that_cannot_be_written_can_be_searched(pictures, settings, shared_place):
    own, place = shared_place / "own", shared_place / "g"
    shutil.copytree(pictures, own)
    with Gallery.open(place, create=True, settings=settings) as writer:
        writer.add(own, only="hashes")
    place.chmod(0o555)
    query = (own / "2.png").read_bytes()
    with ordinary_user(), Gallery.open(place, settings=settings) as reader:
        assert _names(reader.search(query, k=1, verify=True)) == ["2.png"]
        assert reader.info().n_files == 36
        with pytest.raises(StoreError, match="read-only"):
            reader.remove([own])
    assert sorted(path.name for path in place.iterdir()) == ["gallery.sqlite3"]


def test_remove_forgets_folders_and_prune_what_is_gone(pictures, settings, tmp_path):
    place = tmp_path / "pictures"
    (place / "sub").mkdir(parents=True)
    for seed in range(4):
        textured(seed).save(place / f"{seed}.png")
        textured(seed + 10).save(place / "sub" / f"{seed}.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(place, only="hashes")
        assert opened.remove([place / "sub"]) == 4
        assert opened.remove([place / "su"]) == 0
        with pytest.raises(InputError, match="empty path"):
            opened.remove([""])
        (place / "0.png").unlink()
        assert opened.find_gone().files == (str(place / "0.png"),)
        assert opened.info().n_files == 4
        assert opened.prune() == [str(place / "0.png")]
        assert opened.info().n_files == opened.info().n_contents == 3
        assert (place / "sub" / "0.png").exists()


def test_nothing_but_equal_bytes_is_more_than_an_opinion(gallery, pictures):
    with Image.open(pictures / "sub" / "coffee.jpg") as photo:
        matches = gallery.search(_encoded(photo.resize((200, 150))), k=10)
    assert matches[0].score > 0.95
    assert {match.relation for match in matches} <= {"similar", "different"}


@pytest.mark.parametrize(
    ("misuse", "sentence"),
    [
        ({"k": "3"}, "whole number"),
        ({"k": 2.5}, "whole number"),
        ({"k": True}, "whole number"),
        ({"by": None}, "choose from"),
        ({"where": "sub"}, "lookalike.Filter"),
        ({"min_score": "high"}, "is no number"),
        ({"box": (0, 0, 1)}, "four fractions"),
        ({"box": (0, 0, "x", 1)}, "four fractions"),
        ({"box": (0, 0, 2, 1)}, "does not lie in the picture"),
        ({"liked": [2**70]}, "is no id"),
        ({"disliked": ["7"]}, "is no id"),
        ({"liked": [-1]}, "is no id"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(gallery, pictures, misuse, sentence):
    with pytest.raises(InputError, match=sentence):
        gallery.search(pictures / "3.png", **misuse)


def test_a_box_may_be_any_four_numbers(gallery, pictures):
    whole = gallery.search((pictures / "3.png").read_bytes(), k=3)
    boxed = gallery.search((pictures / "3.png").read_bytes(), k=3, box=(0, 0, 1, 1))
    assert _names(boxed) == _names(whole)
    assert gallery.search(pictures / "3.png", k=np.int64(3))


def test_pages_are_cut_from_one_ranking_that_is_made_once(gallery, pictures, monkeypatch):
    from lookalike.searching.ways import WAYS

    way, calls = type(WAYS["auto"]), []
    rank = way.rank
    monkeypatch.setattr(way, "rank", lambda self, *a, **o: calls.append(1) or rank(self, *a, **o))
    query = gallery.load(pictures / "3.png")
    pages = [gallery.search_page(query, k=10, offset=offset) for offset in (0, 10, 20)]
    assert len(calls) == 1
    names = [name for page in pages for name in _names(page.matches)]
    assert len(set(names)) == 30
    gallery.search_page(gallery.load(pictures / "4.png"), k=10, offset=10)
    assert len(calls) == 2
