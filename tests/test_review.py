"""The report that is reviewed is read page by page, and what was decided of it outlives the server."""

import json
import os

import pytest

from lookalike.gallery.local import LocalGallery
from lookalike.web import review as reviewing
from lookalike.web.decisions import Decisions
from lookalike.web.problems import Refusal
from lookalike.web.review import Review, Wish


def a_file(path, size_bytes=100, **others):
    path.write_bytes(b"x")
    facts = {"id": 1, "path": str(path), "size_bytes": size_bytes, "digest": "00" * 32}
    return {**facts, "relation": "copy", "removable": True, "note": "", **others}


def a_report(folder, n_groups, report_id="r"):
    groups = [
        {
            "number": number,
            "relation": "copy",
            "why": "it is larger",
            "keeper": a_file(folder / f"{number}.png"),
            "members": [a_file(folder / f"{number}-small.png"), a_file(folder / f"{number}-same.png")],
            "saved_bytes": 200,
        }
        for number in range(1, n_groups + 1)
    ]
    return {
        "report_id": report_id,
        "protect": [],
        "last_file": 0,
        "compared": 3,
        "failed": [],
        "groups": groups,
    }


@pytest.fixture
def gallery(tmp_path):
    with LocalGallery(tmp_path / "g", create=True) as gallery:
        yield gallery


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


def numbers(page):
    return [group["number"] for group in page["groups"]]


def accept(*given):
    return [Wish(number, "accepted", None, ()) for number in given]


def test_a_page_looks_at_its_own_files_only(gallery, pictures, monkeypatch):
    looked_at = []
    for n_groups in (50, 500):
        review = Review(gallery.folder)
        review.keep(a_report(pictures, n_groups))
        with monkeypatch.context() as patched:
            isfile = os.path.isfile
            seen = []
            patched.setattr(
                os.path, "isfile", lambda path, seen=seen, isfile=isfile: seen.append(path) or isfile(path)
            )
            page = Review(gallery.folder).page(gallery, 40, 5)
        assert numbers(page) == [41, 42, 43, 44, 45]
        looked_at.append(len(seen))
    assert looked_at[0] == looked_at[1]


def test_pages_do_not_shift_while_files_go(gallery, pictures):
    review = Review(gallery.folder)
    review.keep(a_report(pictures, 10))
    first = review.page(gallery, 0, 4)
    for number in (1, 2, 6):
        (pictures / f"{number}.png").unlink()
    assert numbers(first) == [1, 2, 3, 4]
    assert numbers(review.page(gallery, 4, 4)) == [5, 7, 8], "none is missed, and none comes twice"
    assert numbers(review.page(gallery, 8, 4)) == [9, 10]
    assert numbers(review.page(gallery, 12, 4)) == []
    assert {review.page(gallery, offset, 4)["total_groups"] for offset in (0, 4, 8)} == {10}


def test_before_the_first_report_there_is_nothing_to_review(gallery):
    review = Review(gallery.folder)
    assert review.page(gallery, 0, 10)["report_id"] is None
    with pytest.raises(Refusal) as refused:
        review.decide("r", accept(1))
    assert refused.value.status_code == 404


def test_decisions_outlive_the_server_and_half_a_line(gallery, pictures):
    review = Review(gallery.folder)
    review.keep(a_report(pictures, 5))
    review.decide("r", accept(1, 2))
    summary = review.decide("r", [Wish(2, None, None, ()), Wish(3, "apart", None, ())])
    with (gallery.folder / "duplicates.decisions.jsonl").open("ab") as file:
        file.write(b'{"number": 4, "state": "acc')
    again = Review(gallery.folder)
    assert again.decisions("r", 0)["n_accepted"] == summary["n_accepted"] == 1
    assert {one["number"]: one["state"] for one in again.decisions("r", 0)["groups"]} == {
        1: "accepted",
        2: None,
        3: "apart",
    }
    assert again.decisions("r", 0)["accepted_bytes"] == 200
    again.decide("r", accept(5))
    assert Review(gallery.folder).decisions("r", 0)["n_accepted"] == 2, "the next line is whole again"


def test_a_new_report_forgets_what_was_decided_of_the_last_one(gallery, pictures):
    review = Review(gallery.folder)
    review.keep(a_report(pictures, 2))
    review.decide("r", accept(1))
    review.keep(a_report(pictures, 3, "s"))
    assert review.decisions("s", 0)["groups"] == []
    with pytest.raises(Refusal) as refused:
        review.decisions("r", 0)
    assert refused.value.status_code == 409


def test_only_what_went_is_counted_as_saved(gallery, pictures):
    review = Review(gallery.folder)
    review.keep(a_report(pictures, 2))
    review.decide("r", accept(1, 2))
    review.note_gone([str(pictures / "1-small.png")])
    summary = review.decisions("r", 0)
    assert (summary["n_done"], summary["done_bytes"], summary["left_bytes"]) == (1, 100, 300)
    review.note_back([str(pictures / "1-small.png")])
    summary = review.decisions("r", 0)
    assert (summary["n_done"], summary["n_open"], summary["left_bytes"]) == (0, 1, 400)


def test_the_report_of_an_older_version_can_still_be_reviewed(gallery, pictures):
    old = a_report(pictures, 3)
    del old["last_file"]
    (gallery.folder / "duplicates.json").write_text(json.dumps(old))
    review = Review(gallery.folder)
    assert numbers(review.page(gallery, 1, 10)) == [2, 3]
    review.keep(a_report(pictures, 1, "s"))
    assert not (gallery.folder / "duplicates.json").exists()


def test_a_damaged_report_is_none(gallery, pictures):
    Review(gallery.folder).keep(a_report(pictures, 3))
    for damaged in (b"", b"{}", (gallery.folder / "duplicates.jsonl").read_bytes()[:-30]):
        (gallery.folder / "duplicates.jsonl").write_bytes(damaged)
        assert Review(gallery.folder).page(gallery, 0, 10)["report_id"] is None


def test_a_full_disk_loses_no_earlier_decision(gallery, pictures, monkeypatch):
    review = Review(gallery.folder)
    review.keep(a_report(pictures, 2))
    review.decide("r", accept(1))

    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(Refusal, match="No space") as refused:
        review.decide("r", accept(2))
    monkeypatch.undo()
    assert refused.value.status_code == 507
    assert review.decisions("r", 0)["n_accepted"] == 1


def test_the_server_answers_from_the_last_report_while_the_next_is_written(gallery, pictures, monkeypatch):
    review = Review(gallery.folder)
    review.keep(a_report(pictures, 2))
    pages = []

    def write_and_ask(*arguments):
        pages.append(review.page(gallery, 0, 10))
        return write(*arguments)

    write = reviewing.write_report
    monkeypatch.setattr(reviewing, "write_report", write_and_ask)
    review.keep(a_report(pictures, 3, "s"))
    assert [page["report_id"] for page in (*pages, review.page(gallery, 0, 10))] == ["r", "s"]


def test_a_decision_log_that_is_not_there_says_nothing(tmp_path):
    assert Decisions(tmp_path / "none").since(0) == []
