"""Records become JSON and come back; what is not known is passed over, what is wrong is named."""

import json
from dataclasses import dataclass

import pytest

from lookalike.errors import InputError
from lookalike.records.codec import from_document, from_json, to_document, to_json
from lookalike.records.failure import Failure
from lookalike.records.proof import Proof


@dataclass(frozen=True)
class Shelf:
    name: str
    failures: tuple[Failure, ...] = ()
    counts: dict[str, int] | None = None
    note: str | None = None

    @property
    def not_written(self):
        return () if self.note else ("note",)


def test_a_record_comes_back_equal():
    shelf = Shelf("a", (Failure("x.jpg", "read", "gone"),), {"jpeg": 2}, "said")
    assert from_json(Shelf, to_json(shelf)) == shelf


def test_a_field_that_is_left_out_is_not_written():
    assert to_document(Shelf("a")) == {"name": "a", "failures": [], "counts": None}
    assert "note" in to_document(Shelf("a", note="said"))


def test_fields_of_a_newer_version_are_passed_over():
    document = {"path": "x.jpg", "stage": "read", "reason": "gone", "weight": 3, "more": {"deep": [1]}}
    assert from_document(Failure, document) == Failure("x.jpg", "read", "gone")
    nested = {"name": "a", "failures": [document], "colour": None}
    assert from_document(Shelf, nested).failures == (Failure("x.jpg", "read", "gone"),)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"path": "x.jpg", "stage": "read"}, "reason"),
        ({"path": 3, "stage": "read", "reason": "gone"}, "path"),
        ([], "Failure"),
        ("text", "Failure"),
    ],
)
def test_what_is_missing_or_of_another_type_is_named(document, named):
    with pytest.raises(InputError, match=named):
        from_document(Failure, document)


def test_what_is_no_json_is_said():
    for text in ("", "{", "[" * 100_000):
        with pytest.raises(InputError, match="no JSON"):
            from_json(Failure, text)


def test_names_that_are_no_text_come_through():
    failure = Failure("caf\udce9.jpg", "read", "line\nbreak")
    text = to_json(failure)
    assert text.isascii()
    assert text.isprintable()
    assert from_json(Failure, text) == failure
    assert to_json({"name": "café"}) == '{"name": "café"}'


def test_a_figure_that_cannot_be_said_is_written_as_before():
    assert to_json({"share": float("nan")}) == '{"share": NaN}'


def test_a_proof_that_was_kept_as_text_is_read():
    kept = {
        "relation": "copy",
        "method": "keypoints",
        "inliers": 41,
        "transform": "resized to 50 %",
        "agreement": 0.98,
        "residual": 0.01,
        "contains": "equal",
        "overlap_first": [[-0.5, -0.5], [99.5, -0.5], [99.5, 79.5]],
        "overlap_second": [],
        "matrix": [[0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 1.0]],
    }
    proof = from_json(Proof, json.dumps(kept))
    assert proof.placement.tolist() == kept["matrix"]
    assert {name: value for name, value in to_document(proof).items() if name in kept} == kept
