"""Pages of answers: whatever a name holds is text, and nothing is loaded from elsewhere."""

import re
from types import SimpleNamespace

import pytest

from conftest import textured
from lookalike.answers.search import Answer
from lookalike.report.charts import Line, heat_table, legend, line_chart
from lookalike.report.pages import duplicates_html, search_html
from lookalike.report.templating import render

HOSTILE = "\"><script>alert('&')</script>\udcff.png"
ESCAPED = "&#34;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;?.png"


@pytest.fixture
def picture(tmp_path):
    textured(1).save(tmp_path / "there.png")
    return SimpleNamespace(
        path=str(tmp_path / "there.png"), format="png", width_px=96, height_px=72, size_bytes=12_345
    )


def match_of(picture, **changes):
    known = {"picture": picture, "score": 0.5, "relation": "same_scene", "why": HOSTILE, "proof": None}
    return SimpleNamespace(**{**known, **changes})


def test_what_was_asked_and_found_is_shown_as_text(picture, settings):
    there = match_of(picture)
    named = match_of(SimpleNamespace(**{**vars(picture), "path": HOSTILE}))
    page = search_html(
        [Answer(HOSTILE, [there, named]), Answer("a", [], HOSTILE)], [picture.path, HOSTILE], settings
    )
    assert "<script" not in page
    assert page.count(ESCAPED) == 5
    assert page.count("data:image/jpeg;base64,") == 2
    assert "(match 2 cannot be shown)" in page
    assert "png, 96 × 72, 12 kB" in page
    assert ">same scene<" in page
    page.encode()  # a name of a file that is no text can be written nevertheless


def test_a_proof_is_drawn_in_the_pixels_of_the_picture(picture, settings):
    proof = SimpleNamespace(
        overlap_first=[(0, 0), (90.5, 0), (0, 70)],
        overlap_second=None,
        transform=HOSTILE,
        method="keypoints",
        inliers=17,
    )
    member = SimpleNamespace(picture=picture, relation="copy", proof=proof, note="")
    noted = SimpleNamespace(picture=picture, relation="copy", proof=proof, note=HOSTILE)
    group = SimpleNamespace(keeper=picture, why=HOSTILE, members=[member, noted], n_bytes_saved=2_000_000)
    report = SimpleNamespace(groups=[group], n_members=2, n_staying=1)
    page = duplicates_html(report, settings)
    assert "<script" not in page
    assert page.count('<svg viewBox="0 0 96 72"') == 2
    assert page.count('<polygon points="0,0 90.5,0 0,70 "/>') == 2
    assert "17 points agree" in page
    assert page.count("may go") == 1
    assert f"stays: {ESCAPED}" in page
    assert "2.0 MB could be saved" in page


def test_nothing_found_is_said(picture, settings):
    assert "Nothing was found." in search_html([Answer("a.png", [])], [picture.path], settings)


def test_pages_load_nothing_from_elsewhere(picture, settings):
    page = search_html([Answer("a.png", [match_of(picture)])], [picture.path], settings)
    assert not re.search(r'(src|href)=(?!"data:)', page)
    assert "url(" not in page
    assert "<script" not in page


def test_names_in_drawings_are_text():
    lines = [Line(HOSTILE, [(0, 0.5), (1, 1)], 0)]
    drawn = line_chart(lines, x_label="k", y_label=HOSTILE, x_ticks=(0, 1)) + legend(lines)
    table = heat_table([HOSTILE], [HOSTILE], {(HOSTILE, HOSTILE): 0.9}, corner=HOSTILE)
    for page in (drawn, table):
        assert "<script" not in page
        assert ESCAPED in page
    assert ";color:#fff" in table


def test_a_part_that_a_template_made_is_not_escaped_again():
    table = heat_table(["a"], ["b"], {}, corner="c")
    page = render(
        "calibration.html",
        **dict.fromkeys(("precisions", "checks", "notes", "histograms", "at_the_cut"), ()),
        found=SimpleNamespace(made_from="x", made_at="2026", n_pictures=1, n_contents=1, edits=(), ways={}),
        cut=0.99,
        by="auto",
        edits=table,
        reliability="<b>",
    )
    assert "<table class=heat>" in page
    assert "&lt;b&gt;" in page
