"""Every public name explains itself: numpydoc reads its parameters, and its example runs as it is written."""

import doctest
import inspect
import shutil
from pathlib import Path

import pytest
from numpydoc.docscrape import NumpyDocString

import lookalike
from conftest import textured
from lookalike import Gallery
from lookalike.errors import LookalikeError
from pictures import photo

VERBS = sorted(Gallery.__abstractmethods__)
PUBLIC = {name: getattr(lookalike, name) for name in lookalike.__all__}
EXPLAINED = {
    **PUBLIC,
    "Gallery.open": Gallery.open,
    **{f"Gallery.{verb}": getattr(Gallery, verb) for verb in VERBS},
}
WITHOUT_EXAMPLE = {"Gallery.close"}  # every other example closes one


def parameters_of(what):
    """Return the parameters that a caller names."""
    if inspect.isclass(what) and issubclass(what, LookalikeError | Gallery):
        return []
    return [name for name in inspect.signature(what).parameters if name != "self"]


def documented(what):
    """Return the parameters that numpydoc reads, one by one."""
    read = NumpyDocString(inspect.getdoc(what))
    return [name.strip() for one in read["Parameters"] for name in one.name.split(",")]


@pytest.mark.parametrize("name", EXPLAINED)
def test_numpydoc_reads_every_parameter(name):
    assert documented(EXPLAINED[name]) == parameters_of(EXPLAINED[name])


@pytest.mark.parametrize("name", EXPLAINED)
def test_what_is_returned_and_raised_is_told_in_sections(name):
    read = NumpyDocString(inspect.getdoc(EXPLAINED[name]))
    assert read["Summary"]
    assert all(one.type for one in read["Raises"])
    assert all(one.type for one in read["Parameters"])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, settings):
    """A gallery of four pictures, as the examples have it; the place to use it in, and a copy to start from."""
    place = tmp_path_factory.mktemp("examples")
    pictures = place / "used" / "Pictures"
    pictures.mkdir(parents=True)
    photo(320, 240, "coffee").save(pictures / "lake.jpg", quality=95)
    photo(320, 240, "coffee").resize((160, 120)).save(pictures / "lake-small.jpg", quality=90)
    photo(320, 240, "rocket").save(pictures / "hill.jpg", quality=95)
    textured(1, 320, 240).save(pictures / "boat.png")
    with Gallery.open(place / "used" / "g", create=True, settings=settings) as gallery:
        gallery.add(pictures)
        gallery.duplicates()  # its proofs are kept, so that the examples need not work them out
    shutil.copytree(place / "used", place / "fresh")  # with the times of the files, by which they are known
    return place


@pytest.mark.parametrize("name", [name for name in EXPLAINED if name not in WITHOUT_EXAMPLE])
def test_the_example_gives_what_it_says(name, prepared, settings, monkeypatch):
    what = EXPLAINED[name]
    (test,) = doctest.DocTestFinder(recurse=False).find(what, name, globs={}) or [None]
    assert test is not None
    assert test.examples, f"{name} has no example"
    shutil.rmtree(prepared / "used")
    shutil.copytree(prepared / "fresh", prepared / "used")
    monkeypatch.chdir(prepared / "used")
    monkeypatch.setenv("LOOKALIKE_JOBS", "2")
    with Gallery.open("g", settings=settings) as gallery:
        test.globs.update(vars(lookalike), **PUBLIC, gallery=gallery, Path=Path, JPEG_BEGINS=b"\xff\xd8\xff")
        told = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)
