"""What only a file that goes says is brought over to its keeper, and taken back."""

import os
from contextlib import suppress
from dataclasses import replace

import pytest

from acting_place import MODIFIED_NS, acting_place, contents, posix_only, tree
from lookalike.acting import files
from lookalike.acting.plan import load_plan, make_plan, save_plan


@pytest.fixture
def place(tmp_path):
    with acting_place(tmp_path) as place:
        yield place


def carrying(place, act="quarantine"):
    """Return a plan for two pictures that say what their one keeper does not, and the three files."""
    keeper = place.write("keeper.jpg", b"keeper")
    files = [place.write(name, name.encode()) for name in ("a.jpg", "b.jpg")]
    removals = [place.removal(path, keeper, "copy")._replace(carry=("date",)) for path in files]
    return make_plan(removals, act=act, quarantine=place.quarantine), [keeper, *files]


def joined(keeper, other):
    return keeper + b"+" + other


@pytest.mark.parametrize("act", ["trash", "quarantine"])
def test_what_only_a_file_that_goes_says_is_brought_over_and_taken_back(place, act):
    plan, (keeper, first, second) = carrying(place, act)
    before = tree(place.pictures)
    save_plan(plan, place.root / "plan.json")
    assert load_plan(place.root / "plan.json") == plan
    report = place.apply(plan, write_over=joined)
    assert report.done == [str(first), str(second)]
    assert report.carried == [str(keeper)]
    assert keeper.read_bytes() == b"keeper+a.jpg+b.jpg"
    assert keeper.stat().st_mtime_ns == MODIFIED_NS
    assert place.undo().skipped == []
    assert tree(place.pictures) == before
    assert list((place.journal / "kept").iterdir()) == []


def test_without_a_word_nothing_is_brought_over_and_nothing_goes(place):
    plan, _ = carrying(place)
    before = tree(place.pictures)
    report = place.apply(plan)
    assert report.done == []
    assert "--carry-metadata" in report.skipped[0].reason
    assert tree(place.pictures) == before


def test_a_keeper_that_was_edited_since_is_not_overwritten_by_undo(place):
    plan, (keeper, *_) = carrying(place)
    place.apply(plan, write_over=joined)
    keeper.write_bytes(b"edited since")
    back = place.undo()
    assert keeper.read_bytes() == b"edited since"
    assert "its own bytes are at" in back.skipped[0].reason
    assert b"keeper" in contents(place.journal)


def test_where_it_cannot_be_brought_over_the_file_stays(place):
    plan, _ = carrying(place)
    before = tree(place.pictures)

    def refuse(_keeper, _other):
        raise files.RefusedError("it cannot take it")

    report = place.apply(plan, write_over=refuse)
    assert report.done == []
    assert "cannot take it" in report.skipped[0].reason
    assert tree(place.pictures) == before


@posix_only
@pytest.mark.parametrize("number", range(1, 16))
def test_a_kill_while_something_is_brought_over_loses_nothing(place, number):
    """A child stops at its n-th call that changes the disk; the next apply puts the keeper back."""
    plan, (keeper, *_) = carrying(place)
    before = tree(place.pictures)
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            _stop_at(number)
            place.apply(plan, write_over=joined)
        os._exit(0)
    os.waitpid(child, 0)
    assert any(b"keeper" in data for data in contents(place.root))
    place.apply(replace(plan, acts=()))
    if place.journal.is_dir():
        while place.undo().restored:
            pass
    assert tree(place.pictures) == before
    assert keeper.read_bytes() == b"keeper"


def _stop_at(number):
    """End this process at its n-th call that changes the disk."""
    calls = iter(range(1, number + 1))

    def stopping(real):
        def call(*arguments, **options):
            if next(calls, None) is None:
                os._exit(1)
            return real(*arguments, **options)

        return call

    for name in ("rename", "link", "unlink", "utime", "chmod"):
        setattr(os, name, stopping(getattr(os, name)))
