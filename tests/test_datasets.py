"""Data sets: a tiny example of every layout, and what is said about broken ones."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from lookalike.edits import graded_edits
from lookalike.errors import InputError
from lookalike.evaluation.datasets import LAYOUTS, DataSet, list_pictures, load_dataset
from lookalike.evaluation.datasets.copies import write_edits
from pictures import encode, photo

PIXEL = encode(photo(8, 8))


def make(root: Path, *names: str) -> Path:
    """Make small picture files of these names below a folder, and return it."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PIXEL)
    return root


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def as_dict(mapping):
    return {key: set(value) for key, value in mapping.items()}


def test_a_folder_per_class_asks_for_the_others_of_the_class(tmp_path):
    root = make(tmp_path / "fruit", "apple/1.jpg", "apple/2.jpg", "plum/1.jpg", "lonely.jpg")
    data = load_dataset(root)
    assert (data.name, data.root) == ("fruit", str(root))
    assert data.gallery == ("apple/1.jpg", "apple/2.jpg", "lonely.jpg", "plum/1.jpg")
    assert data.queries == ("apple/1.jpg", "apple/2.jpg", "plum/1.jpg")
    assert as_dict(data.positives) == {
        "apple/1.jpg": {"apple/2.jpg"},
        "apple/2.jpg": {"apple/1.jpg"},
        "plum/1.jpg": set(),
    }
    assert data.n_without_positives == 1


def test_the_class_is_the_folder_that_holds_the_picture_however_deep(tmp_path):
    root = make(tmp_path, "a/x/1.jpg", "a/x/2.jpg", "b/x/1.jpg")
    assert load_dataset(root).positives["a/x/1.jpg"] == {"a/x/2.jpg"}
    assert load_dataset(root).positives["b/x/1.jpg"] == frozenset()


def test_a_class_of_thousands_is_read_in_a_moment(tmp_path):
    root = tmp_path / "one"
    root.mkdir()
    for number in range(5000):
        (root / f"{number}.jpg").touch()
    data = load_dataset(tmp_path)
    started = time.perf_counter()
    assert len(data.positives[data.queries[0]]) == 4999
    assert load_dataset(tmp_path).queries == data.queries
    assert time.perf_counter() - started < 5  # with every pair written out it takes gigabytes and minutes


def test_positives_of_a_stranger_are_a_key_error(tmp_path):
    data = load_dataset(make(tmp_path, "a/1.jpg", "a/2.jpg", "b.jpg"))
    assert "b.jpg" not in data.positives
    assert len(data.positives) == 2
    with pytest.raises(KeyError):
        data.positives["b.jpg"]


def test_hidden_files_and_other_kinds_are_no_pictures(tmp_path):
    root = make(tmp_path, "a/1.jpg", "a/2.png", "a/.hidden.jpg")
    write(root / "a" / "notes.txt", "x")
    assert list_pictures(root) == ["a/1.jpg", "a/2.png"]


def test_a_folder_of_loose_pictures_has_no_ground_truth(tmp_path):
    with pytest.raises(InputError, match="edited copies"):
        load_dataset(make(tmp_path, "1.jpg", "2.jpg"))


def test_a_csv_names_queries_and_positives(tmp_path):
    root = make(tmp_path, "q.jpg", "q2.jpg", "a.jpg", "b.jpg", "sub/c.jpg")
    path = write(root / "truth.csv", "query,positive", "q.jpg,a.jpg", "q.jpg,sub/c.jpg", "q2.jpg,")
    data = load_dataset(path)
    assert data.name == "truth"
    assert as_dict(data.positives) == {"q.jpg": {"a.jpg", "sub/c.jpg"}, "q2.jpg": set()}
    assert data.gallery == ("a.jpg", "b.jpg", "sub/c.jpg")  # b is nobody's positive, but lies there
    assert load_dataset(root) == data


def test_a_csv_with_rows_without_query_names_the_whole_gallery(tmp_path):
    root = make(tmp_path, "q.jpg", "a.jpg", "b.jpg", "elsewhere.jpg")
    path = write(root / "truth.csv", "query,positive", ",b.jpg", "q.jpg,a.jpg")
    assert load_dataset(path).gallery == ("a.jpg", "b.jpg")


def test_a_query_may_be_searched_in_too(tmp_path):
    root = make(tmp_path, "a.jpg", "b.jpg")
    data = load_dataset(write(root / "t.csv", "query,positive", "a.jpg,b.jpg", "b.jpg,a.jpg"))
    assert data.gallery == data.queries == ("a.jpg", "b.jpg")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_may_have_other_columns_order_separator_and_a_byte_order_mark(tmp_path, separator):
    make(tmp_path, "a b.jpg", "c.jpg")
    rows = [["Edit", "note", "Positive", "Query"], ["mirror", "x", "c.jpg", "a b.jpg"], []]
    path = tmp_path / "t.csv"
    path.write_text("\ufeff" + "\r\n".join(separator.join(row) for row in rows), encoding="utf-8", newline="")
    data = load_dataset(path)
    assert as_dict(data.positives) == {"a b.jpg": {"c.jpg"}}
    assert data.edits == {"a b.jpg": "mirror"}


def test_names_may_lead_out_of_the_folder(tmp_path):
    make(tmp_path, "library/a.jpg", "truth/q.jpg")
    data = load_dataset(write(tmp_path / "truth" / "t.csv", "query,positive", "q.jpg,../library/a.jpg"))
    assert data.gallery == ("../library/a.jpg",)
    assert data.path_of("../library/a.jpg") == str(tmp_path / "library" / "a.jpg")
    absolute = write(
        tmp_path / "truth" / "t.csv", "query,positive", f"q.jpg,{tmp_path / 'library' / 'a.jpg'}"
    )
    assert load_dataset(absolute) == data


def test_edited_copies_are_read_back_with_their_edits(tmp_path):
    library = make(tmp_path / "library", "a.jpg", "b.jpg")
    (library / "b.jpg").write_bytes(encode(photo(16, 16, "coffee")))
    edits = [edit for edit in graded_edits() if edit.label in ("mirror", "crop 50 %")]
    written = write_edits([library / "a.jpg"], tmp_path / "out", edits=edits, distractors=[library / "b.jpg"])
    data = load_dataset(tmp_path / "out")
    assert load_dataset(written.ground_truth) == data
    assert data.name == "out"
    assert data.gallery == ("../library/a.jpg", "../library/b.jpg")
    assert sorted(data.edits.values()) == ["crop 50 %", "mirror"]
    assert set(data.positives.values()) == {frozenset(("../library/a.jpg",))}
    assert all(Path(data.path_of(query)).is_file() for query in data.queries)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["query,positive", "a.jpg,b.jpg", "a.jpg,gone.jpg"],
            r"t\.csv, line 3: there is no file 'gone\.jpg'",
        ),
        (["query,positive", "a.jpg"], r"line 2: 1 fields where the header has 2"),
        (["query,positive,edit", ",,", ",,mirror"], r"line 3: the row names neither"),
        (["query,positive", "a.jpg,a.jpg"], r"line 2: 'a\.jpg' is named as its own positive"),
        (["query,positive", 'a.jpg,"b.jpg'], r"line 2: this is no CSV"),
        (["picture,label", "a.jpg,1"], r"line 1: the columns must be named query and positive"),
        (["query,positive"], r"names no query"),
        ([""], r"line 1"),
    ],
)
def test_a_broken_csv_is_named_with_its_line(tmp_path, lines, message):
    make(tmp_path, "a.jpg", "b.jpg")
    with pytest.raises(InputError, match=message):
        load_dataset(write(tmp_path / "t.csv", *lines))


def test_a_name_with_a_zero_byte_is_no_file(tmp_path):
    make(tmp_path, "a.jpg")
    (tmp_path / "t.json").write_text(json.dumps({"a.jpg": ["b\0.jpg"]}))
    with pytest.raises(InputError, match="no file"):
        load_dataset(tmp_path / "t.json")


def test_a_mapping_is_read_as_imagededup_reads_it(tmp_path):
    make(tmp_path, "a.jpg", "b.jpg", "c.jpg", "unnamed.jpg")
    (tmp_path / "truth.json").write_text(
        json.dumps({"a.jpg": ["b.jpg"], "b.jpg": [["a.jpg", 3]], "c.jpg": []})
    )
    data = load_dataset(tmp_path / "truth.json")
    assert as_dict(data.positives) == {"a.jpg": {"b.jpg"}, "b.jpg": {"a.jpg"}, "c.jpg": set()}
    assert data.gallery == ("a.jpg", "b.jpg", "c.jpg")
    assert load_dataset(tmp_path) == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a.jpg": [\n"b.jpg",,]}', r"t\.json, line 2: this is no JSON"),
        ('["a.jpg"]', "expected an object"),
        ('{"a.jpg": "b.jpg"}', "expected an object"),
        ('{"a.jpg": [4]}', "entry 'a.jpg': 4 is neither"),
        ('{"a.jpg": ["gone.jpg"]}', "entry 'a.jpg': there is no file 'gone.jpg'"),
        ('{"a.jpg": ["a.jpg"]}', "its own duplicate"),
        ("{}", "names no query"),
        ("", "line 1: this is no JSON"),
    ],
)
def test_a_broken_mapping_is_named_with_its_place(tmp_path, text, message):
    make(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(InputError, match=message):
        load_dataset(tmp_path / "t.json")


@pytest.mark.parametrize(
    ("name", "separator"), [("pairs.txt", " "), ("pairs.txt", "\t"), ("pairs.csv", ","), ("pairs.tsv", "\t")]
)
def test_pairs_hold_in_both_directions(tmp_path, name, separator):
    make(tmp_path, "a.jpg", "b.jpg", "c.jpg", "unnamed.jpg")
    rows = [("a.jpg", "b.jpg", "1"), ("b.jpg", "c.jpg", "0")]
    path = write(tmp_path / name, "# two files, and whether they belong together", *map(separator.join, rows))
    data = load_dataset(path)
    assert as_dict(data.positives) == {"a.jpg": {"b.jpg"}, "b.jpg": {"a.jpg"}, "c.jpg": set()}
    assert data.gallery == ("a.jpg", "b.jpg", "c.jpg")
    assert load_dataset(tmp_path) == data


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a.jpg b.jpg 1", "a.jpg b.jpg"], r"pairs\.txt, line 2: expected two file names"),
        (["a.jpg b.jpg yes"], "line 1: expected two file names and 0 or 1"),
        (["a.jpg b.jpg 1", "b.jpg a.jpg 0"], "line 2: an earlier line says the contrary"),
        (["a.jpg a.jpg 1"], "line 1: both names are the same file"),
        (["a.jpg gone.jpg 1"], "line 1: there is no file 'gone.jpg'"),
        (["# nothing"], "names no query"),
    ],
)
def test_broken_pairs_are_named_with_their_line(tmp_path, lines, message):
    make(tmp_path, "a.jpg", "b.jpg")
    with pytest.raises(InputError, match=message):
        load_dataset(write(tmp_path / "pairs.txt", *lines), layout="pairs")


def test_ukbench_has_groups_of_four(tmp_path):
    root = make(
        tmp_path / "ukbench", *(f"full/ukbench{number:05}.jpg" for number in range(8)), "full/more.jpg"
    )
    data = load_dataset(root)
    assert len(data.queries) == 8
    assert len(data.gallery) == 9
    expected = {f"full/ukbench{number:05}.jpg" for number in (4, 6, 7)}
    assert data.positives["full/ukbench00005.jpg"] == expected


def test_holidays_asks_with_the_first_of_each_scene(tmp_path):
    root = make(tmp_path, "100000.jpg", "100001.jpg", "100002.jpg", "100100.jpg", "100101.jpg")
    data = load_dataset(root)
    assert as_dict(data.positives) == {
        "100000.jpg": {"100001.jpg", "100002.jpg"},
        "100100.jpg": {"100101.jpg"},
    }
    assert len(data.gallery) == 5


def test_holidays_without_a_query_is_broken(tmp_path):
    with pytest.raises(InputError, match=r"100100\.jpg"):
        load_dataset(make(tmp_path, "100000.jpg", "100001.jpg", "100101.jpg"))


def test_numbers_for_names_do_not_make_holidays_of_a_folder_per_class(tmp_path):
    root = make(tmp_path, "a/100000.jpg", "a/100001.jpg", "b/100002.jpg", "b/100003.jpg")
    assert load_dataset(root).positives["b/100002.jpg"] == {"b/100003.jpg"}


@pytest.mark.parametrize("prefix", ["", "copydays_"])
def test_copydays_asks_for_the_original_of_each_copy(tmp_path, prefix):
    original, strong = f"{prefix}original", f"{prefix}strong"
    root = make(
        tmp_path,
        f"{original}/200000.jpg",
        f"{original}/200100.jpg",
        "crops/50/200000.jpg",
        "jpeg/20/200100.jpg",
        f"{strong}/200001.jpg",
        "distractors/x.jpg",
    )
    data = load_dataset(root)
    assert as_dict(data.positives) == {
        "crops/50/200000.jpg": {f"{original}/200000.jpg"},
        "jpeg/20/200100.jpg": {f"{original}/200100.jpg"},
        f"{strong}/200001.jpg": {f"{original}/200000.jpg"},
    }
    assert set(data.edits.values()) == {"crop 50", "jpeg 20", "strong"}
    assert set(data.gallery) == {"distractors/x.jpg", f"{original}/200000.jpg", f"{original}/200100.jpg"}


def test_a_copy_without_original_is_broken(tmp_path):
    root = make(tmp_path, "original/200000.jpg", "jpeg/20/200100.jpg")
    with pytest.raises(InputError, match=r"jpeg/20/200100\.jpg has no original 200100"):
        load_dataset(root)


@pytest.fixture
def oxford(tmp_path):
    """Oxford 5k in small: one landmark asked about once."""
    root = make(tmp_path / "oxford", *(f"images/hall_{number:06}.jpg" for number in range(5)))
    write(root / "gt" / "hall_1_query.txt", "oxc1_hall_000000 136.5 34.1 648.5 955.7")
    write(root / "gt" / "hall_1_good.txt", "hall_000000", "hall_000001")
    write(root / "gt" / "hall_1_ok.txt", "hall_000002")
    write(root / "gt" / "hall_1_junk.txt", "hall_000003")
    return root


def test_oxford_takes_good_and_ok_and_ignores_junk(oxford):
    data = load_dataset(oxford)
    query = "images/hall_000000.jpg"
    assert data.queries == (query,)
    assert as_dict(data.positives) == {query: {"images/hall_000001.jpg", "images/hall_000002.jpg"}}
    assert as_dict(data.ignored) == {query: {"images/hall_000003.jpg"}}
    assert data.boxes == {query: (136.5, 34.1, 648.5, 955.7)}
    assert len(data.gallery) == 5


def test_paris_lays_its_pictures_into_folders(tmp_path):
    root = make(tmp_path, "paris/defense/paris_defense_000605.jpg", "paris/eiffel/paris_eiffel_000001.jpg")
    write(root / "defense_1_query.txt", "paris_defense_000605 0 0 10 10")
    for kind, lines in (("good", ["paris_eiffel_000001"]), ("ok", []), ("junk", [])):
        write(root / f"defense_1_{kind}.txt", *lines)
    data = load_dataset(root)
    expected = {"paris/defense/paris_defense_000605.jpg": {"paris/eiffel/paris_eiffel_000001.jpg"}}
    assert as_dict(data.positives) == expected


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("hall_1_query.txt", "oxc1_hall_000000 1 2 3", "line 1: expected a picture and the four edges"),
        ("hall_1_query.txt", "oxc1_hall_000000 1 2 3 x", "line 1: expected a picture and the four edges"),
        ("hall_1_query.txt", "", "line 1: expected a picture"),
        ("hall_1_query.txt", "oxc1_tower 1 2 3 4", "line 1: there is no picture 'tower'"),
        ("hall_1_ok.txt", "hall_000002\n\nhall_000099", r"hall_1_ok\.txt, line 3: there is no picture"),
        ("hall_1_junk.txt", None, r"hall_1_junk\.txt cannot be read"),
    ],
)
def test_a_broken_oxford_is_named_with_its_line(oxford, name, text, message):
    path = oxford / "gt" / name
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_dataset(oxford)


def test_stanford_products_asks_for_the_same_product(tmp_path):
    names = ["chair_final/1_0.JPG", "chair_final/1_1.JPG", "sofa_final/2_0.JPG"]
    root = make(tmp_path, *names, "sofa_final/of_training.JPG")
    lines = [f"{number} {names[number - 1].split('/')[1][0]} 1 {names[number - 1]}" for number in (1, 2, 3)]
    write(root / "Ebay_test.txt", "image_id class_id super_class_id path", *lines)
    data = load_dataset(root)
    assert as_dict(data.positives) == {names[0]: {names[1]}, names[1]: {names[0]}, names[2]: set()}
    assert data.gallery == data.queries == tuple(names)


@pytest.mark.parametrize(
    ("line", "message"),
    [("1 1 chair.JPG", "line 2: expected image, class"), ("1 1 1 gone.JPG", "line 2: there is no file")],
)
def test_broken_stanford_products_are_named_with_their_line(tmp_path, line, message):
    write(tmp_path / "Ebay_test.txt", "image_id class_id super_class_id path", line)
    with pytest.raises(InputError, match=message):
        load_dataset(tmp_path)


@pytest.mark.parametrize("layout", ["ukbench", "holidays", "copydays", "oxford", "stanford", "csv", "pairs"])
def test_a_layout_that_is_not_there_says_so(tmp_path, layout):
    with pytest.raises(InputError, match=str(tmp_path)):
        load_dataset(make(tmp_path, "a/1.jpg", "a/2.jpg"), layout=layout)


def test_a_layout_can_be_told(tmp_path):
    root = make(tmp_path, "a/100000.jpg", "a/100001.jpg")
    assert len(load_dataset(root).queries) == 1
    assert len(load_dataset(root, layout="folders").queries) == 2
    path = write(root / "truth.csv", "query,positive", "a/100000.jpg,a/100001.jpg")
    assert load_dataset(root, layout="csv") == load_dataset(path)


def test_an_unknown_layout_lists_those_that_are_known(tmp_path):
    with pytest.raises(InputError, match="folders, csv, mapping") as caught:
        load_dataset(tmp_path, layout="oxfrod")
    assert all(layout in str(caught.value) for layout in LAYOUTS)


def test_several_tables_in_a_folder_must_be_told_apart(tmp_path):
    make(tmp_path, "a.jpg", "b.jpg")
    for name in ("one.csv", "two.csv"):
        write(tmp_path / name, "query,positive", "a.jpg,b.jpg")
    for layout in (None, "csv"):
        with pytest.raises(InputError, match="name the"):
            load_dataset(tmp_path, layout=layout)


def test_other_tables_and_texts_do_not_hide_a_folder_per_class(tmp_path):
    root = make(tmp_path, "a/1.jpg", "a/2.jpg")
    write(root / "prices.csv", "product,price", "1,2")
    write(root / "info.json", '{"author": "someone"}')
    write(root / "broken.json", "{")
    write(root / "README.txt", "read me first")
    assert load_dataset(root).queries == ("a/1.jpg", "a/2.jpg")


@pytest.mark.parametrize("name", ["missing", "notes.docx"])
def test_what_is_no_data_set_is_refused(tmp_path, name):
    write(tmp_path / "notes.docx", "x")
    with pytest.raises(InputError, match=name):
        load_dataset(tmp_path / name)


def test_a_folder_layout_cannot_be_read_from_a_file(tmp_path):
    with pytest.raises(InputError, match="is a file"):
        load_dataset(write(tmp_path / "t.csv", "query,positive"), layout="ukbench")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gallery": ()}, "no picture to search in"),
        ({"queries": ()}, "no query"),
        ({"queries": ("a", "a")}, "twice"),
        ({"positives": {"a": frozenset("x")}}, "not in the gallery"),
        ({"positives": {"a": frozenset("a")}}, "the query itself"),
        ({"positives": {}}, "what is right for a"),
        ({"ignored": {"b": frozenset()}}, "b, which is no query"),
        ({"edits": {"x": "mirror"}}, "x, which is no query"),
    ],
)
def test_a_data_set_checks_itself(change, message):
    whole = {
        "name": "n",
        "root": "/",
        "gallery": ("a", "b"),
        "queries": ("a",),
        "positives": {"a": frozenset("b")},
    }
    assert DataSet(**whole).n_without_positives == 0
    with pytest.raises(InputError, match=message):
        DataSet(**{**whole, **change})
