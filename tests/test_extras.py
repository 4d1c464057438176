"""What is said where an optional package is missing."""

import subprocess
import sys

import pytest

from conftest import textured
from lookalike import Gallery, extras
from lookalike.errors import MissingExtraError
from lookalike.extras import EXTRAS, require_extra


@pytest.fixture
def core_only(monkeypatch):
    """Let no module of any extra be found."""
    monkeypatch.setattr(extras, "find_spec", lambda _: None)


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_extra_is_named_with_what_to_install(core_only, extra):
    with pytest.raises(MissingExtraError, match=rf"for figures: .*pip install 'lookalike\[{extra}\]'`\.$"):
        require_extra(extra, "figures")


def test_an_extra_that_is_there_is_no_error():
    require_extra("serve", "`lookalike serve`")


BLOCKED = (
    f"import sys; sys.modules.update(dict.fromkeys({sorted({name for names in EXTRAS.values() for name in names})}));"
    "from lookalike.cli import main; main()"
)


def run_core_only(folder, *arguments):
    """Run a command in a process that cannot import any optional package."""
    return subprocess.run(
        [sys.executable, "-c", BLOCKED, *arguments], cwd=folder, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["serve"], "serve"),
        (["--gallery", "http://127.0.0.1:9", "info"], "serve"),
        (["demo"], "demo"),
    ],
)
def test_a_command_says_in_one_sentence_which_extra_it_needs(tmp_path, arguments, extra):
    done = run_core_only(tmp_path, *arguments)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"pip install 'lookalike[{extra}]'" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_core_alone_indexes_searches_and_finds_duplicates(tmp_path):
    textured(1).save(tmp_path / "a.png")
    textured(1).save(tmp_path / "b.bmp")
    textured(2).save(tmp_path / "c.png")
    for command in (
        ("index", "."),
        ("search", "a.png", "-k", "1", "--html", "found.html"),
        ("duplicates", "--html", "copies.html"),
        ("compare", "a.png", "c.png"),
    ):
        done = run_core_only(tmp_path, *command)
        assert done.returncode == 0, done.stderr
    assert "b.bmp" in (tmp_path / "copies.html").read_text()


def test_a_served_gallery_names_its_extra_in_python(core_only):
    with pytest.raises(MissingExtraError, match=r"lookalike\[serve\]"):
        Gallery.open("http://127.0.0.1:9")
