"""Tables and sentences for a person: nothing is cut off, and what they say is so."""

import re
from io import StringIO

import pytest
from rich.console import Console

from lookalike import Gallery
from lookalike.acting.apply import ApplyReport
from lookalike.acting.undo import UndoReport
from lookalike.adding.add import AddReport
from lookalike.cli import show
from lookalike.doctor import Finding
from lookalike.records.recipe import Recipe
from lookalike.settings import Settings, describe_settings


@pytest.fixture
def printed(monkeypatch):
    """Return a function that gives what was printed on a terminal of 80 columns."""
    paper = StringIO()
    monkeypatch.setattr(show, "out", Console(file=paper, width=80, highlight=False, emoji=False))

    def read():
        assert max(map(len, paper.getvalue().splitlines())) <= 80
        return paper.getvalue()

    return read


def joined(text):
    """Return the letters of a table without its lines and the breaks in its cells."""
    return re.sub(r"[│\s]", "", text)


def test_a_recipe_is_told_in_words():
    assert Recipe("phash", 1, {"size": 8, "from_px": 56}).words == "phash, version 1, from_px=56, size=8"
    model = Recipe("embedding", 2, {"mean": [0.5, 1.0], "model": "m", "output": ""})
    assert model.words == 'embedding, version 2, mean=[0.5,1.0], model=m, output=""'


def test_info_tells_recipes_in_words_and_cuts_nothing_off(printed, folder, settings, tmp_path):
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(folder)
        found = gallery.info()
    show.info(found)
    text = printed()
    assert "…" not in text
    assert "{" not in text
    assert any(len(words) > 80 for words in (Recipe.from_text(recipe).words for recipe in found.recipes))
    for recipe, number in found.recipes.items():
        assert joined(f"{number} features {Recipe.from_text(recipe).words}") in joined(text)


def test_one_of_a_thing_is_told_in_the_singular(printed, folder, settings, tmp_path):
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        gallery.add(folder / "0.png", only="hashes")
        show.info(gallery.info())
    show.add_report(AddReport(seen=1, added=1, copied=1, seconds=2.0))
    show.undone(UndoReport(run=1, restored=["/a.jpg"]))
    text = printed()
    assert "1 feature " in text
    assert "Saw 1 file in 2.0 s" in text
    assert "1 was a copy of a known file" in " ".join(text.split())
    assert "1 file brought back, 0 not." in text
    assert "1 files" not in text


def test_doctor_cuts_nothing_off_and_says_what_to_do(printed):
    settings = Settings(models="/a/rather/long/folder/that/fits/into/no/narrow/column/model.onnx")
    found = [Finding("model", "x" * 200), Finding("codec", "absent", "install it", is_broken=True)]
    show.findings(found, settings)
    text = printed()
    assert "…" not in text
    assert "x" * 200 in joined(text)
    assert "absent: install it" in text
    for name, value, unit, _ in describe_settings(settings):
        assert re.search(rf"│ {name} ", text), "a name is never broken"
        if name != "models":
            assert re.search(rf"│ {name} +│ {value} +│ {unit} ", text)
    assert "/a/rather/long" in text


@pytest.mark.parametrize(
    ("n_done", "n_deleted", "n_beyond_undo", "sentence"),
    [
        (0, 0, 0, "Nothing was changed."),
        (3, 0, 0, "`lookalike undo` brings everything back."),
        (3, 3, 0, "`lookalike undo` brings everything back, what was deleted from its keeper "),
        (3, 1, 0, "`lookalike undo` brings everything back, what was deleted from its keeper "),
        (3, 0, 1, "`lookalike undo` brings all but 1 back."),
        (3, 0, 3, "`lookalike undo` cannot bring them back."),
    ],
)
def test_what_undo_will_bring_back_is_said(printed, n_done, n_deleted, n_beyond_undo, sentence):
    paths = [f"/{number}.jpg" for number in range(n_done)]
    show.applied(ApplyReport(run=1, done=paths, n_deleted=n_deleted, n_beyond_undo=n_beyond_undo))
    assert sentence in " ".join(printed().split()) + " "
