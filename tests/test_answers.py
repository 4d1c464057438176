"""What commands print and servers send keeps its keys, which programs read, and leads back to the records."""

import json
from dataclasses import replace

import pytest

from lookalike.acting.apply import ApplyReport
from lookalike.acting.plan import Plan, PlannedAct
from lookalike.acting.undo import UndoReport
from lookalike.adding.add import AddReport
from lookalike.answers.calibration import CalibrationAnswer
from lookalike.answers.duplicates import DuplicatesAnswer, PlanAnswer, ReviewedGroup
from lookalike.answers.gallery import LibraryAnswer
from lookalike.answers.jobs import DuplicatesFound, JobAnswer, with_short_seconds
from lookalike.answers.pictures import PictureAnswer, PictureFacts, PicturesAnswer
from lookalike.answers.search import (
    Answer,
    ComparedAnswer,
    ComparisonAnswer,
    FullPromiseAnswer,
    MatchAnswer,
    SearchAnswer,
    SearchPage,
)
from lookalike.calibration.record import CalibrationReport
from lookalike.comparing import Comparison, Measured
from lookalike.duplicates.records import DuplicatesReport, Group, Member
from lookalike.proving.verify import _UNPROVEN
from lookalike.records.calibration import (
    Calibration,
    CalibrationState,
    Check,
    Promise,
    Promised,
    ScoreMap,
    WayCalibration,
)
from lookalike.records.codec import from_document, from_json, to_document, to_json
from lookalike.records.failure import Failure, Remark
from lookalike.records.info import GalleryInfo
from lookalike.records.proof import Proof
from lookalike.searching.searcher import Match
from lookalike.storage.records import FoundPicture

DIGEST = bytes(range(32))


def without_additions(document, expected):
    """Return a document without the keys that were added since; an addition breaks no program."""
    if isinstance(expected, dict):
        return {name: without_additions(document[name], value) for name, value in expected.items()}
    if isinstance(expected, list) and len(expected) == len(document):
        return [without_additions(*pair) for pair in zip(document, expected, strict=True)]
    return document


def picture(number, path):
    return FoundPicture(number, path, 2000, 0, DIGEST, "jpeg", 100, 80, "2019-06-01T12:00:00")


PROOF = Proof("copy", "keypoints", inliers=20, transform="resized to 50 %", agreement=0.98, contains="equal")
MATCH = Match(
    picture(1, "/a.jpg"), 0.12345678, 3.0, "bits", "copy", "auto", "they look alike", PROOF, 0.987654
)
PROMISE = Promise(0.99, 0.7, 0.876543, 0.991234567, True, 0.95432, {"crop 50": 0.54321}, "kept")
PROMISED = Promised("auto", PROMISE, "gallery")
MEMBER = Member(picture(2, "/b.jpg"), "copy", 0.98, PROOF, is_covered=True)
GROUP = Group(picture(1, "/a.jpg"), "is larger", (MEMBER,))
FAILURE = Failure("/c.jpg", "decode", "it is no picture.")
PROMISE_KEYS = {
    "by",
    "calibration",
    "precision",
    "threshold",
    "recall",
    "precision_at_least",
    "supported",
    "nothing_found",
}
FACT_KEYS = {
    "id",
    "path",
    "paths",
    "format",
    "width_px",
    "height_px",
    "size_bytes",
    "date",
    "digest",
    "bytes_per_pixel",
    "exists",
}


def test_a_match_is_printed_flat_and_rounded():
    assert to_document(MatchAnswer.of(MATCH)) == {
        "path": "/a.jpg",
        "score": 0.123457,
        "distance": 3.0,
        "unit": "bits",
        "relation": "copy",
        "by": "auto",
        "why": "they look alike",
        "id": 1,
        "format": "jpeg",
        "width_px": 100,
        "height_px": 80,
        "size_bytes": 2000,
        "date": "2019-06-01T12:00:00",
        "probability": 0.9877,
        "proof": to_document(PROOF),
    }
    unproven = Match(picture(1, "/a.jpg"), 0.5, 1.0, "bits", "similar", "phash", "")
    document = to_document(MatchAnswer.of(unproven))
    assert "proof" not in document
    assert document["probability"] is None


def test_a_match_comes_back():
    match = from_json(MatchAnswer, to_json(MatchAnswer.of(MATCH))).match()
    assert (match.picture.content_id, match.picture.path, match.picture.date) == (
        1,
        "/a.jpg",
        "2019-06-01T12:00:00",
    )
    assert (match.score, match.proof, match.relation) == (0.123457, PROOF, "copy")


def test_a_search_says_its_matches_or_why_there_are_none():
    assert set(to_document(SearchAnswer.of(Answer("q", (MATCH,))))) == {"query", "matches"}
    assert to_document(SearchAnswer.of(Answer("q", error="gone"))) == {"query": "q", "error": "gone"}
    promised = to_document(SearchAnswer.of(Answer("q", promised=PROMISED)))
    assert set(promised) == {"query", "matches", "promise"}
    assert set(promised["promise"]) == PROMISE_KEYS


def test_a_page_says_where_it_lies():
    page = SearchPage("q", (MatchAnswer.of(MATCH),), 640, 480, 0, True, query_id="id:1")
    assert set(to_document(page)) == {
        "query",
        "matches",
        "query_width_px",
        "query_height_px",
        "offset",
        "has_more",
        "query_id",
    }
    assert from_json(SearchPage, to_json(page)) == page


def test_a_promise_is_rounded_and_comes_back():
    document = to_document(FullPromiseAnswer.of(PROMISED))
    assert set(document) == PROMISE_KEYS | {"against_shipped", "recall_by_edit"}
    assert (document["recall"], document["precision_at_least"], document["nothing_found"]) == (
        0.8765,
        0.99123,
        0.9543,
    )
    back = from_document(FullPromiseAnswer, document).promised()
    assert (back.by, back.origin, back.promise.threshold) == ("auto", "gallery", 0.7)
    assert back.promise.recall_by_edit == {"crop 50": 0.5432}


def test_a_comparison_comes_back_with_its_ranges():
    measured = (Measured("phash_bits", 3, 0, 64, True), Measured("ssim", 0.123456789, -1.0, 1.0, False))
    comparison = Comparison(measured, "copy", "One picture.", PROOF, _UNPROVEN, ((4, 3), (2, 1)))
    assert to_document(ComparisonAnswer.of(comparison)) == {
        "measures": {"phash_bits": 3, "ssim": 0.123457},
        "relation": "copy",
        "verdict": "One picture.",
        "proof": to_document(PROOF),
    }
    answer = ComparedAnswer.of(comparison)
    assert set(to_document(answer)) == {
        "measures",
        "relation",
        "verdict",
        "proof",
        "ranges",
        "first",
        "second",
    }
    back = from_json(ComparedAnswer, to_json(answer)).comparison()
    assert [(one.name, one.lowest, one.highest, one.is_distance) for one in back.measures] == [
        (one.name, one.lowest, one.highest, one.is_distance) for one in measured
    ]
    assert (back.proof, back.verification.n_inliers) == (PROOF, 20)


def test_pictures_are_named_by_their_first_file_that_is_there(tmp_path):
    here = tmp_path / "here.jpg"
    here.write_bytes(b"x")
    facts = PictureFacts.of([picture(1, "/gone.jpg"), picture(1, str(here))])
    assert set(to_document(facts)) == FACT_KEYS
    assert (facts.path, facts.paths, facts.exists) == (str(here), ("/gone.jpg", str(here)), True)
    assert facts.bytes_per_pixel == 0.25
    assert facts.found("/gone.jpg") == picture(1, "/gone.jpg")
    assert not PictureFacts.of([picture(1, "/gone.jpg")]).exists
    with_camera = PictureAnswer(**vars(facts), camera="Leica M3")
    assert set(to_document(with_camera)) == FACT_KEYS | {"camera"}
    assert from_json(PicturesAnswer, to_json(PicturesAnswer.of([picture(1, "/a")], 7, 3))).total == 7


def test_duplicates_are_printed_by_path():
    report = DuplicatesReport((GROUP,), 12, (FAILURE,), 1.23456)
    expected = {
        "groups": [
            {
                "relation": "copy",
                "keeper": "/a.jpg",
                "why": "is larger",
                "members": [
                    {
                        "path": "/b.jpg",
                        "relation": "copy",
                        "score": 0.98,
                        "proof": to_document(PROOF),
                        "removable": True,
                        "note": "",
                        "size_bytes": 2000,
                    }
                ],
                "saved_bytes": 2000,
            }
        ],
        "compared": 12,
        "failed": [{"path": "/c.jpg", "stage": "decode", "reason": "it is no picture."}],
        "seconds": 1.235,
    }
    assert without_additions(to_document(DuplicatesAnswer.of(report)), expected) == expected


def test_a_group_to_review_has_the_facts_of_every_file_and_comes_back():
    document = to_document(ReviewedGroup.of(GROUP, 3))
    assert set(document) >= {"number", "relation", "keeper", "why", "saved_bytes", "members"}
    assert set(document["keeper"]) == FACT_KEYS
    assert set(document["members"][0]) >= FACT_KEYS | {"relation", "score", "proof", "removable", "note"}
    assert from_document(ReviewedGroup, document).group() == GROUP


def test_a_plan_is_shown_with_what_it_leaves_out():
    act = PlannedAct("trash", "/b.jpg", "/a.jpg", "copy", "is larger", 2000, DIGEST.hex(), DIGEST.hex())
    plan = Plan((act,), "2026-01-01T00:00:00+00:00")
    answer = PlanAnswer.of("ab", plan, [Remark("/d.jpg", "is gone")])
    assert answer.plan("/g") == replace(plan, gallery="/g")
    assert to_document(answer) == {
        "id": "ab",
        "act": "trash",
        "created_at": "2026-01-01T00:00:00+00:00",
        "quarantine": None,
        "n_files": 1,
        "saved_bytes": 2000,
        "removals": [
            {
                "path": "/b.jpg",
                "keeper": "/a.jpg",
                "relation": "copy",
                "why": "is larger",
                "size_bytes": 2000,
                "digest": DIGEST.hex(),
                "keeper_digest": DIGEST.hex(),
                "belongs_to": "",
                "carry": [],
                "id": None,
            }
        ],
        "left_out": [{"path": "/d.jpg", "reason": "is gone"}],
    }


@pytest.mark.parametrize(
    ("report", "keys"),
    [
        (
            AddReport(added=2, failed=[FAILURE], seconds=1.23456),
            "seen added changed copied unchanged moved failed seconds interrupted",
        ),
        (
            ApplyReport(run=1, done=["/b.jpg"], skipped=[Remark("/d.jpg", "is gone")], seconds=1.23456),
            "run done skipped remarks seconds interrupted n_deleted n_beyond_undo bytes_saved",
        ),
        (
            UndoReport(run=1, restored=["/b.jpg"], seconds=1.23456),
            "run restored skipped remarks seconds interrupted",
        ),
    ],
)
def test_reports_keep_their_keys_and_come_back(report, keys):
    document = to_document(with_short_seconds(report))
    assert set(document) >= set(keys.split())
    assert document["seconds"] == 1.235
    assert from_document(type(report), json.loads(to_json(report))) == report


def test_a_job_has_a_report_once_it_ends():
    running = JobAnswer("ab", "duplicates", "running", "verify", 3, 9, 1.5, 4.0, "2026", 2.0, None)
    assert "report" not in to_document(running)
    found = DuplicatesFound("cd", 1, 2000, 12, 1.2)
    done = JobAnswer("ab", "duplicates", "done", "verify", 9, 9, 1.5, None, "2026", 6.0, None, report=found)
    assert from_json(JobAnswer, to_json(done)) == done


def test_what_a_gallery_holds_comes_back_from_a_server_that_says_more():
    state = CalibrationState("shipped", "2026", "photos", 9, 9, 0, "", {"auto": {"0.99": 0.9}})
    info = GalleryInfo("/g", 3, 2, (FAILURE,), {"jpeg": 3}, {"{}": 2}, 100, 50, state)
    assert set(to_document(info)) >= {
        "folder",
        "n_files",
        "n_contents",
        "failures",
        "formats",
        "recipes",
        "store_bytes",
        "cache_bytes",
        "calibration",
    }
    library = LibraryAnswer(
        **vars(info),
        folders=(),
        version="9.9.9",
        model="m",
        settings=(),
        read_only=False,
        address_fetching=False,
        key="ab",
        findings=(),
    )
    assert from_json(GalleryInfo, to_json(library)) == info


def test_a_calibration_is_printed_way_by_way():
    check = Check(0.99, float("nan"), 0.5, 0, 0, 0.1, 1.0)
    way = WayCalibration(("{}",), 0.123456, ScoreMap((0.1, 0.2), (0.0, 1.0)), (PROMISE,), (check,), 8, 9)
    made = Calibration({"auto": way}, "2026", "/g", 20, 10, ("crop 50",), 0, 1, 2, 3, 4)
    report = CalibrationReport(made, {}, (), "auto", (FAILURE,), 5, 1.23)
    document = to_document(CalibrationAnswer.of(report))
    assert set(document) == {
        "made_at",
        "contents",
        "pictures",
        "edits",
        "seed",
        "left_out",
        "doubtful",
        "too_small_or_plain",
        "unsettled",
        "asked",
        "ways",
        "failed",
        "seconds",
    }
    shown = document["ways"]["auto"]
    assert set(shown) == {"queries", "strangers", "background", "promises", "checks", "map"}
    assert shown["checks"][0]["achieved"] is None
    assert shown["map"] == [[0.1, 0.0], [0.2, 1.0]]
    assert from_document(CalibrationAnswer, document).ways["auto"].promises[0].by == "auto"
