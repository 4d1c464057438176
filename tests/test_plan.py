"""A plan is a file that a person can read and edit; what makes no sense in it is refused in words."""

import json

import pytest

from acting_place import acting_place
from lookalike.acting.plan import PlannedAct, load_plan, make_plan, save_plan
from lookalike.errors import InputError


@pytest.fixture
def place(tmp_path):
    with acting_place(tmp_path) as place:
        yield place


def test_a_plan_is_readable_and_comes_back_equal(place):
    keeper, copy = place.write("图片/原图.jpg"), place.write("图片/副本.jpg")
    plan = place.plan("hardlink", (copy, keeper))
    save_plan(plan, place.root / "plan.json")
    text = (place.root / "plan.json").read_text(encoding="utf-8")
    assert "副本.jpg" in text
    assert load_plan(place.root / "plan.json") == plan
    (place.root / "plan.json").write_text("\ufeff" + text, encoding="utf-8")  # as some editors save it
    assert load_plan(place.root / "plan.json") == plan
    save_plan(plan, place.root / "plan.json")
    assert sorted(path.name for path in place.root.iterdir() if path.is_file()) == ["plan.json"]


def test_a_plan_replaces_a_plan_but_never_a_picture(place):
    picture = place.write("photo.jpg")
    with pytest.raises(InputError, match="no plan of lookalike"):
        save_plan(place.plan("trash"), picture)
    assert picture.read_bytes() == b"picture"
    with pytest.raises(InputError, match="cannot be written"):
        save_plan(place.plan("trash"), place.root / "missing" / "plan.json")


def edited(field, value):
    def edit(document):
        document["acts"][0][field] = value

    return edit


def without(field):
    return lambda document: document["acts"][0].pop(field)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (edited("act", "erase"), "act 1: act 'erase' is not known; choose from trash"),
        (edited("act", ["trash"]), "act must be text"),
        (edited("path", "copy.jpg"), "must be an absolute path"),
        (edited("path", "/a\x00b"), "NUL"),
        (edited("path", None), "path must be text"),
        (edited("path", "/a\ud800.jpg"), "half a character"),
        (edited("keeper", "/a\ud800.jpg"), "half a character"),
        (lambda document: document.update(quarantine="/a\ud800"), "half a character"),
        (edited("digest", "abc"), "64 hexadecimal digits"),
        (edited("keeper_digest", "0" * 64), "very same bytes"),
        (edited("size_bytes", -1), "whole number"),
        (edited("size_bytes", True), "whole number"),
        (edited("size_bytes", "7"), "whole number"),
        (edited("relation", "similar"), "no proven copy"),
        (edited("relation", "copy"), "very same bytes"),
        (edited("colour", "red"), "no field 'colour'"),
        (without("keeper"), "the field keeper is missing"),
        (lambda document: document.update(lookalike_plan=99), "version 99"),
        (lambda document: document.pop("lookalike_plan"), "no plan of lookalike"),
        (lambda document: document.pop("acts"), "lacks its list"),
        (lambda document: document.update(acts=[3]), "act 1: it must be an object"),
        (lambda document: document.update(quarantine="here"), "absolute"),
        (lambda document: document.update(gallery=3), "gallery must be text"),
        (lambda document: document.pop("created_at"), "created_at is missing"),
    ],
)
def test_an_edited_plan_that_makes_no_sense_is_refused_in_words(place, edit, words):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    path = place.root / "plan.json"
    save_plan(place.plan("delete", (copy, keeper)), path)
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=words) as caught:
        load_plan(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xd8\xff", b"[" * 100_000, b"{}"])
def test_what_is_no_plan_is_refused_in_words(place, data):
    path = place.root / "plan.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"plan\.json"):
        load_plan(path)
    with pytest.raises(InputError, match="cannot be read"):
        load_plan(place.root)


@pytest.mark.parametrize("act", ["hardlink", "symlink", "delete"])
def test_acts_on_equal_bytes_refuse_other_bytes(place, act):
    keeper, copy = place.write("keeper.jpg", b"large"), place.write("copy.jpg", b"small")
    with pytest.raises(InputError, match="very same bytes"):
        place.plan(act, (copy, keeper), relation="copy")


def test_an_opinion_is_no_ground_to_remove_a_file(place):
    keeper, copy = place.write("keeper.jpg", b"large"), place.write("copy.jpg", b"small")
    for relation in ("same_scene", "similar", "different", "anything"):
        with pytest.raises(InputError, match="no proven copy"):
            place.plan("trash", (copy, keeper), relation=relation)


def test_a_file_is_not_its_own_keeper_and_a_quarantine_needs_a_folder(place):
    copy = place.write("copy.jpg")
    with pytest.raises(InputError, match="its own keeper"):
        place.plan("trash", (copy, copy.parent / "." / "copy.jpg"))
    with pytest.raises(InputError, match="needs a folder"):
        make_plan([place.removal(copy, place.write("keeper.jpg"))], act="quarantine")


def test_the_fields_of_an_act_stand_in_the_order_a_person_reads_them(place):
    copy, keeper = place.write("copy.jpg"), place.write("keeper.jpg")
    (act,) = place.plan("trash", (copy, keeper)).acts
    assert list(PlannedAct.__dataclass_fields__)[:5] == ["act", "path", "keeper", "relation", "why"]
    assert act.why == "a test"
