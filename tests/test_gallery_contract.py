"""A local and a served gallery are asked the same by every verb, and give the same answers."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from conftest import textured
from lookalike import Filter, Gallery
from lookalike.answers.search import MatchAnswer
from lookalike.duplicates.choices import Choice
from lookalike.errors import DecodeError, InputError, LookalikeError, QueryError
from lookalike.queries.source import Box
from pictures import encode, photo
from served import served

KINDS = ("local", "served")
VERBS = Gallery.__abstractmethods__


@contextmanager
def opened(kind, place, settings):
    """Open a gallery in one of the two kinds."""
    if kind == "local":
        with Gallery.open(place, settings=settings) as gallery:
            yield gallery
    else:
        with served(place, settings) as address, Gallery.open(address, settings=settings) as gallery:
            yield gallery


@pytest.fixture(scope="module")
def place(tmp_path_factory, settings):
    """A folder with pictures of two kinds, copies of some, one that is broken, and their gallery."""
    place = tmp_path_factory.mktemp("contract")
    (place / "pictures").mkdir()
    for seed in range(4):
        textured(seed, 160, 120).save(place / "pictures" / f"{seed}.png")
    for name in ("coffee", "rocket"):
        photo(400, 300, name).save(place / "pictures" / f"{name}.jpg", quality=92)
        photo(400, 300, name).resize((200, 150)).save(place / "pictures" / f"{name}-small.jpg", quality=85)
    (place / "pictures" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nonsense")
    photo(300, 200, "coffee").save(place / "query.jpg", quality=80)
    with Gallery.open(place / "g", create=True, settings=settings) as gallery:
        gallery.add(place / "pictures")
    return place


@pytest.fixture(scope="module")
def both(place, settings):
    """The same gallery, opened in both kinds."""
    with opened("local", place / "g", settings) as here, opened("served", place / "g", settings) as there:
        yield here, there


def matches(found):
    """Return what is printed of matches; the digest of a picture stays on the server."""
    return [MatchAnswer.of(one) for one in found]


def facts(pictures):
    return [(one.content_id, one.path, one.digest, one.size_bytes, one.format, one.date) for one in pictures]


def rounded(comparison):
    return [
        (one.name, round(one.value, 6), one.lowest, one.highest, one.is_distance)
        for one in comparison.measures
    ]


# Verbs that change nothing: each asked of both, in several ways.
ASKED = {
    "search": [
        lambda gallery, place: matches(gallery.search(place / "query.jpg")),
        lambda gallery, place: matches(gallery.search("id:3", k=2, by="phash", max_distance=30)),
        lambda gallery, place: matches(gallery.search(encode(textured(2, 160, 120)), min_score=0.05)),
        lambda gallery, place: matches(gallery.search(photo(300, 200, "rocket"), verify=True, k=3)),
        lambda gallery, place: matches(
            gallery.search(np.asarray(textured(4)), where=Filter(formats=("png",)))
        ),
        lambda gallery, place: matches(
            gallery.search(place / "query.jpg", box=Box(0.1, 0.1, 0.7, 0.8), verify=True, k=2)
        ),
        lambda gallery, place: matches(gallery.search(place / "query.jpg", liked=(1, 2), disliked=(3,))),
        lambda gallery, place: matches(gallery.search(place / "query.jpg", precision=0.95)),
    ],
    "promise": [
        lambda gallery, place: (gallery.promise("auto", 0.95).origin, gallery.promise("phash", 0.95).by),
        lambda gallery, place: gallery.promise("duplicates", 0.99).promise.threshold,
    ],
    "compare": [
        lambda gallery, place: rounded(
            gallery.compare(place / "query.jpg", place / "pictures" / "coffee.jpg")
        ),
        lambda gallery, place: gallery.compare("id:1", "id:1").relation,
        lambda gallery, place: gallery.compare("id:1", place / "query.jpg").proof,
    ],
    "show": [
        lambda gallery, place: gallery.show("id:1", 128),
        lambda gallery, place: gallery.show("id:1", 100),
        lambda gallery, place: gallery.show(place / "query.jpg", 64),
    ],
    "info": [lambda gallery, place: gallery.info()],
    "folders": [lambda gallery, place: gallery.folders()],
    "failures": [
        lambda gallery, place: gallery.failures(),
        lambda gallery, place: gallery.failures(offset=1, limit=1),
    ],
    "picture": [lambda gallery, place: facts(gallery.picture(2))],
    "pictures": [
        lambda gallery, place: facts(gallery.pictures(limit=5)[0]),
        lambda gallery, place: gallery.pictures(limit=1, folder=str(place / "pictures"))[1],
    ],
    "open_picture": [lambda gallery, place: contents(*gallery.open_picture(2))],
    "find_gone": [lambda gallery, place: gallery.find_gone()],
    "check_plan": [lambda gallery, place: gallery.check_plan(place / "new.json", act="trash")],
}


def contents(file, picture):
    with file:
        return file.read(), facts([picture])


@pytest.mark.parametrize(
    ("verb", "number"), [(verb, number) for verb, ways in ASKED.items() for number in range(len(ways))]
)
def test_what_is_asked_of_both_is_answered_the_same(both, place, verb, number):
    here, there = (ASKED[verb][number](gallery, place) for gallery in both)
    assert there == here


REFUSED = {
    "an id that is not there": lambda gallery, place: gallery.search("id:999"),
    "a picture that is not there": lambda gallery, place: gallery.search("/nowhere/at/all.jpg"),
    "no picture": lambda gallery, place: gallery.search(b"no picture"),
    "an unknown way": lambda gallery, place: gallery.search("id:1", by="nonsense"),
    "a precision that cannot be": lambda gallery, place: gallery.promise("auto", 1.5),
    "a way that is not calibrated": lambda gallery, place: gallery.promise("hsv:cosine", 0.95),
    "a folder that is not there": lambda gallery, place: gallery.duplicates(protect=["/no/such/folder"]),
    "a picture of no such id": lambda gallery, place: gallery.picture(999),
    "a rating of no such id": lambda gallery, place: gallery.rate("id:1", 999, True),
    "a verdict on one file": lambda gallery, place: gallery.mark("id:1", "id:1", True),
    "pixels that have no bytes": lambda gallery, place: gallery.mark(np.asarray(textured(4)), "id:1", True),
    "too few to calibrate with": lambda gallery, place: gallery.calibrate(),
    "an act that there is not": lambda gallery, place: gallery.plan_choices([Choice(1, ("/a",))], act="burn"),
    "a run that there is not": lambda gallery, place: gallery.undo(run=7),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_one_refuses_the_other_refuses_as_the_same_error(both, place, what):
    caught = []
    for gallery in both:
        with pytest.raises(LookalikeError) as refused:
            REFUSED[what](gallery, place)
        caught.append(refused.value)
    here, there = caught
    assert isinstance(there, InputError | QueryError | DecodeError) == isinstance(
        here, InputError | QueryError | DecodeError
    )
    assert str(there).endswith(".") == str(here).endswith(".")


def plain(value, place):
    """Return a value without what differs between two runs: times, and where the folder lies."""
    text = repr(value)
    return text.replace(str(place), "PLACE")


def without_seconds(report):
    return replace(report, seconds=0.0)


def tended(gallery, place):
    """Yield the verb and the answer of a day's work that changes what the gallery holds."""
    pictures = place / "pictures"
    large, small = str(pictures / "large.png"), str(pictures / "small.jpg")
    seen = []
    report = gallery.add(pictures, exclude=["*.gif"], on_progress=seen.append)
    yield "add", without_seconds(report)
    assert seen
    yield "add_again", without_seconds(gallery.add_again())
    yield "holds", gallery.pictures()[1]
    gallery.rate(large, 1, True)
    yield "rate", gallery.ratings()
    gallery.rate(large, 1, None)
    yield "ratings", gallery.ratings()
    gallery.mark(large, small, False)
    yield "mark", gallery.duplicates().groups
    gallery.mark(large, small, None)
    stages = []
    found = gallery.duplicates(on_progress=stages.append)
    yield "duplicates", [(group.why, group.relation, facts_of(group)) for group in found.groups]
    assert stages
    plan = gallery.write_plan(found, place / "plan.json", act="quarantine", quarantine=place / "away")
    yield "write_plan", list(plan.acts)
    done = gallery.apply(plan)
    yield "apply", without_seconds(done)
    yield "runs", [(run.run, run.acts, run.n_files, run.n_undone) for run in gallery.runs()[0]]
    yield "gone", gallery.find_gone()
    yield "undo", without_seconds(gallery.undo())
    (group,) = gallery.duplicates().groups
    chosen = Choice(group.keeper.content_id, (group.members[0].picture.path, str(place / "no.jpg")))
    planned, left_out = gallery.plan_choices([chosen], act="trash")
    yield "plan_choices", ([replace(act, why="") for act in planned.acts], left_out)
    yield "remove", gallery.remove([small])
    (pictures / "other.png").unlink()
    yield "prune", gallery.prune()


def facts_of(group):
    members = [(one.picture.path, one.relation, round(one.score, 4), one.note) for one in group.members]
    return group.keeper.path, members


TENDED = {
    *("add", "add_again", "rate", "ratings", "mark", "duplicates", "write_plan", "apply", "runs", "undo"),
    *("plan_choices", "remove", "prune"),
}


def test_a_day_of_work_comes_to_the_same(tmp_path, settings):
    told = {}
    for kind in KINDS:
        place = tmp_path / kind
        (place / "pictures").mkdir(parents=True)
        textured(7, 400, 300).save(place / "pictures" / "large.png")
        textured(7, 400, 300).resize((200, 150)).save(place / "pictures" / "small.jpg")
        textured(8, 400, 300).save(place / "pictures" / "other.png")
        (place / "pictures" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nonsense")
        Gallery.open(place / "g", create=True, settings=settings).close()
        with opened(kind, place / "g", settings) as gallery:
            told[kind] = [(verb, plain(answer, place)) for verb, answer in tended(gallery, place)]
    for here, there in zip(told["local"], told["served"], strict=True):
        assert there == here
    assert {verb for verb, _ in told["local"]} >= TENDED


def test_no_verb_is_left_out_of_this_contract():
    alone = {"close", "calibrate", "holds"}  # every test closes; the next two look at the others
    assert {*ASKED, *TENDED, *alone} == VERBS


def test_no_file_of_this_machine_is_one_of_a_server(both, place):
    here, there = both
    assert here.holds(place / "pictures" / "1.png")
    assert not there.holds(place / "pictures" / "1.png")
