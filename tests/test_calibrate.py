"""Calibrating a gallery: edited copies against strangers, copies among them left out, and what it is used for."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from conftest import textured
from lookalike import Filter, Gallery
from lookalike.calibration.calibrate import calibrate_gallery
from lookalike.errors import InputError
from lookalike.records.calibration import PROOF
from lookalike.records.progress import Progress
from pictures import photo

N_TEXTURED = 18
PHOTOS = ("astronaut", "coffee", "chelsea")


def _write_pictures(folder):
    folder.mkdir()
    for seed in range(N_TEXTURED):
        textured(seed, 256, 192).save(folder / f"{seed}.png")
    for name in PHOTOS:
        photo(480, 360, name).save(folder / f"{name}.png")


def _calibrate(gallery, **options):
    """Calibrate as `Gallery.calibrate` does, but keep nothing."""
    return calibrate_gallery(gallery._store, gallery.settings, gallery._searcher, **options)


def _digest(gallery, path):
    (known,) = gallery._store.files.known([str(path)]).values()
    return gallery.picture(known.content_id)[0].digest


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibrate")
    _write_pictures(folder / "pictures")
    return folder


@pytest.fixture(scope="module")
def calibrated(place, settings):
    """Return the folder of a calibrated gallery of pictures that are all different, and the report."""
    with Gallery.open(place / "g", create=True, settings=settings) as gallery:
        gallery.add(place / "pictures")
        stages = []
        report = gallery.calibrate(on_progress=stages.append)
    assert Progress("edited copies", 0, 21) in stages
    assert Progress("proofs", 21, 21) in stages
    return place / "g", report


@pytest.fixture
def gallery(calibrated, settings):
    with Gallery.open(calibrated[0], settings=settings) as opened:
        yield opened


def test_every_way_and_the_proof_are_calibrated(calibrated):
    _, report = calibrated
    found = report.calibration
    assert set(found.ways) == {
        "auto",
        "hash-then-embedding",
        "ahash",
        "dhash",
        "phash",
        "whash",
        "hsv",
        "rgb",
        "texture",
        "embedding",
        PROOF,
    }
    assert (found.n_contents, found.n_pictures) == (21, 21)
    assert (found.n_left_out, len(report.failed)) == (0, 0)
    for name, way in found.ways.items():
        assert way.n_queries == 21 * (4 if name == PROOF else 10)
        assert len(way.promises[0].recall_by_edit) == 20
        for promise in way.promises:
            n_false = report.samples[name].count(promise.least)[1]
            assert promise.is_supported or n_false == 0


def test_the_proof_of_duplicates_finds_nearly_all(calibrated):
    proof = calibrated[1].calibration.ways[PROOF]
    assert proof.promise(0.95).recall > 0.6  # most are soft blobs, which have few keypoints
    assert proof.map.probability(1.0) > 0.9
    assert proof.map.probability(0.0) < 0.5


def test_it_is_kept_with_the_gallery_and_told(gallery, calibrated):
    state = gallery.info().calibration
    assert (state.origin, state.stale, state.n_pictures) == ("gallery", "", 21)
    assert state.made_at == calibrated[1].calibration.made_at
    promised = gallery.promise("auto", 0.97)
    assert (promised.origin, promised.promise.precision) == ("gallery", 0.99)
    assert gallery.promise(PROOF, 0.99).origin == "gallery"


def test_the_same_seed_gives_the_same_calibration(gallery):
    first, second = (
        json.loads(_calibrate(gallery, n_pictures=20, edits_each=3, seed=1).calibration.to_text())
        for _ in "12"
    )
    assert first.pop("made_at") <= second.pop("made_at")
    assert first == second


def test_a_query_without_a_relative_returns_nothing_at_a_precision(gallery):
    stranger = photo(480, 360, "rocket")
    assert len(gallery.search(stranger, k=5)) == 5  # a search for what is similar hides nothing
    assert gallery.search(stranger, k=5, precision=0.95) == []
    assert gallery.search(stranger, k=5, precision=0.95, verify=True) == []


def test_an_edited_copy_finds_its_source_at_a_precision(gallery):
    copy = photo(480, 360, "coffee").resize((300, 225))
    for verify in (False, True):
        (match,) = gallery.search(copy, precision=0.95, verify=verify)
        assert match.picture.path.endswith("coffee.png")
        assert match.probability > 0.5
    strangers = [match for match in gallery.search(copy) if not match.picture.path.endswith("coffee.png")]
    assert max(match.probability for match in strangers) < 0.5


def test_equal_bytes_are_a_copy_at_any_precision(gallery, place):
    data = (place / "pictures" / "3.png").read_bytes()
    for by in ("auto", "ahash", "texture"):
        found = gallery.search(data, by=by, precision=0.999)
        assert str(place / "pictures" / "3.png") in [match.picture.path for match in found]
        assert found[0].probability == 1


def test_calibrating_changes_no_search_without_a_precision(gallery, place, settings, tmp_path):
    with Gallery.open(tmp_path / "new", create=True, settings=settings) as fresh:
        fresh.add(place / "pictures")
        query = photo(480, 360, "coffee").crop((40, 40, 400, 320))
        answers = [
            [(match.picture.path, match.score, match.why) for match in one.search(query, k=21)]
            for one in (gallery, fresh)
        ]
    assert answers[0] == answers[1]
    assert len(answers[0]) == 21


def test_a_gallery_that_was_never_calibrated_goes_by_the_shipped_thresholds(place, settings, tmp_path):
    with Gallery.open(tmp_path / "new", create=True, settings=settings) as gallery:
        gallery.add(place / "pictures")
        assert gallery.info().calibration.origin == "shipped"
        assert gallery.promise("auto", 0.95).origin == "shipped"
        (match,) = gallery.search(photo(480, 360, "coffee").resize((300, 225)), precision=0.95)
        assert match.picture.path.endswith("coffee.png")
        assert gallery.search(photo(480, 360, "rocket"), precision=0.95) == []
        with pytest.raises(InputError, match="at least 20"):
            gallery.remove([place / "pictures" / f"{seed}.png" for seed in range(10)])
            gallery.calibrate()


def test_what_cannot_be_promised_is_told(gallery, settings):
    query = photo(480, 360, "coffee")
    with pytest.raises(InputError, match="hsv:intersection"):
        gallery.search(query, by="hsv:intersection", precision=0.99)
    with pytest.raises(InputError, match="makes no sense"):
        gallery.search(query, precision=2)
    with pytest.raises(InputError, match="liked"):
        gallery.search(query, liked=[1], precision=0.99)
    (match, *_) = gallery.search(query, by="hsv:intersection")
    assert match.probability is None
    with pytest.raises(InputError, match="at least 20"):
        gallery.calibrate(n_pictures=5)


def test_a_gallery_of_other_hashes_needs_a_calibration_of_its_own(place, settings, tmp_path):
    wide = settings.with_values({"hash_size": "16"})
    with Gallery.open(tmp_path / "wide", create=True, settings=wide) as gallery:
        gallery.add(place / "pictures", only="hashes")
        with pytest.raises(InputError, match="run `lookalike calibrate`"):
            gallery.search(photo(480, 360, "coffee"), by="phash", precision=0.99)
        report = gallery.calibrate(n_pictures=20)
        assert set(report.calibration.ways) == {"auto", "ahash", "dhash", "phash", "whash", PROOF}
        assert report.example_way == "auto"
        gallery.search(photo(480, 360, "coffee"), by="phash", precision=0.95)
        assert gallery.promise("phash", 0.95).origin == "gallery"


# Copies among the strangers


@pytest.fixture(scope="module")
def poisoned(place, settings):
    """Return the report of a gallery that also holds hidden copies, a changed file and a removed one."""
    folder = place / "more"
    _write_pictures(folder)
    for seed in range(6):
        copy = textured(seed, 256, 192).resize((200, 150))
        (ImageOps.mirror(copy) if seed % 2 else copy).save(folder / f"copy of {seed}.jpg", quality=80)
    photo(480, 360, "astronaut").crop((40, 30, 440, 330)).save(folder / "crop.jpg", quality=85)
    Image.new("RGB", (64, 64), "red").save(folder / "changed.png")
    Image.new("RGB", (64, 64), "blue").save(folder / "gone.png")
    with Gallery.open(place / "poisoned", create=True, settings=settings) as gallery:
        gallery.add(folder)
        (folder / "changed.png").write_bytes(b"nonsense")
        (folder / "gone.png").unlink()
        # 7 and 8 are said to be one picture, which nothing but a person could know.
        gallery.mark(folder / "7.png", folder / "8.png", True)
        return gallery.calibrate()


def test_hidden_copies_are_left_out_and_do_not_poison_the_thresholds(calibrated, poisoned):
    clean, dirty = calibrated[1].calibration, poisoned.calibration
    assert dirty.n_left_out == 8
    for by in ("auto", "dhash", "phash", PROOF):
        highest = [np.nanmax(report.samples[by].false) for report in (calibrated[1], poisoned)]
        assert highest[1] == pytest.approx(highest[0], abs=0.15)  # that of a hidden copy is nearly 1
        recalls = [one.ways[by].promise(0.95).recall for one in (clean, dirty)]
        assert recalls[1] > recalls[0] - 0.15


def test_a_picture_that_cannot_be_read_costs_one_row(poisoned):
    assert [os.path.basename(failure.path) for failure in poisoned.failed] == ["changed.png"]
    assert "changed" in poisoned.failed[0].reason
    assert poisoned.calibration.n_pictures == 21 + 7


def test_plain_and_tiny_pictures_are_left_out_and_do_not_poison_the_thresholds(calibrated, place, settings):
    folder = place / "plain"
    _write_pictures(folder)
    for n in range(4):
        Image.new("RGB", (120 + 40 * n, 100), (60 * n, 60 * n, 60 * n)).save(folder / f"flat {n}.png")
        ramp = np.tile(np.linspace(10 * n, 255, 200 + 30 * n).astype(np.uint8), (150, 1))
        Image.fromarray(ramp).convert("RGB").save(folder / f"ramp {n}.png")
        textured(n, 20, 20).save(folder / f"icon {n}.png")
    with Gallery.open(place / "with plain ones", create=True, settings=settings) as gallery:
        gallery.add(folder)
        report = _calibrate(gallery)
    clean, found = calibrated[1].calibration, report.calibration
    assert (found.n_contents, found.n_pictures, found.n_untelling) == (33, 21, 12)
    for by in ("auto", "dhash", "phash", "rgb", PROOF):
        highest = [np.nanmax(one.samples[by].false) for one in (calibrated[1], report)]
        assert highest[1] == pytest.approx(highest[0], abs=0.15)  # that of two flat pictures is 1
        recalls = [one.ways[by].promise(0.95).recall for one in (clean, found)]
        assert recalls[1] > recalls[0] - 0.15


def test_a_person_is_asked_about_the_doubtful_pairs(place, settings):
    folder = place / "doubtful"
    _write_pictures(folder)
    Image.blend(textured(5, 256, 192), textured(77, 256, 192), 0.1).save(folder / "like 5.png")
    with Gallery.open(place / "asking", create=True, settings=settings) as gallery:
        gallery.add(folder)
        unasked = _calibrate(gallery)
        assert unasked.calibration.n_doubtful >= 1
        asked = []
        answered = _calibrate(gallery, ask=lambda doubt: asked.append(doubt) or True)
        pairs = [{os.path.basename(doubt.first.path), os.path.basename(doubt.second.path)} for doubt in asked]
        assert {"5.png", "like 5.png"} in pairs
        assert answered.n_asked == len(asked)
        assert answered.calibration.n_left_out == unasked.calibration.n_left_out + len(asked)
        digests = sorted(_digest(gallery, folder / name) for name in ("5.png", "like 5.png"))
        assert gallery._store.people.verdicts()[digests[0], digests[1]]
        assert answered.calibration.ways["auto"].promise(0.95).recall >= (
            unasked.calibration.ways["auto"].promise(0.95).recall
        )


# Duplicates


def test_duplicates_at_a_precision_are_those_with_the_surest_proofs(place, poisoned, settings, monkeypatch):
    with Gallery.open(place / "poisoned", settings=settings) as gallery:
        everything = gallery.duplicates()
        sure = gallery.duplicates(precision=0.95)
        with pytest.raises(InputError, match="makes no sense"):
            gallery.duplicates(precision=1.5)
        members = {member.picture.path: member for group in everything.groups for member in group.members}
        kept = {member.picture.path for group in sure.groups for member in group.members}
        assert kept
        assert kept <= set(members)
        least = gallery.promise(PROOF, 0.95).promise.least
        for path, member in members.items():
            if member.relation == "copy" and member.proof.method != "verdict":
                assert (path in kept) == (0.5 + 0.499 * member.proof.agreement >= least)


# The command line


@pytest.fixture
def run(calibrated, place, settings):
    def run_command(*arguments, code=0):
        command = [sys.executable, "-m", "lookalike", "--gallery", str(place / "poisoned"), *arguments]
        environment = {**os.environ, "LOOKALIKE_JOBS": str(settings.jobs)}
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL
        )
        assert done.returncode == code, done.stderr
        return done

    return run_command


def test_the_command_calibrates_and_draws_a_page(run, poisoned, tmp_path):
    page = tmp_path / "calibration.html"
    done = run("calibrate", "--sample", "20", "--seed", "3", "--json", "--html", str(page))
    found = json.loads(done.stdout)
    # One of the gallery's files cannot be read, and may be in the sample.
    assert found["pictures"] in (19, 20)
    assert (found["seed"], found["asked"]) == (3, 0)
    auto = found["ways"]["auto"]
    assert [promise["precision"] for promise in auto["promises"]] == [0.999, 0.99, 0.95]
    assert len(auto["promises"][0]["recall_by_edit"]) == 20
    assert len(auto["checks"]) == 3
    assert auto["map"] == sorted(auto["map"])
    text = page.read_text()
    assert text.count("<svg") >= len(found["ways"]) + 1
    assert "data:image/jpeg" in text
    assert 'src="http' not in text
    assert "<script" not in text
    assert f"{found['pictures']} of {found['contents']} pictures" in run("info").stdout
    assert json.loads(run("info", "--json").stdout)["calibration"]["n_pictures"] == found["pictures"]


def test_the_command_line_says_which_thresholds_it_goes_by(run, place, settings, tmp_path):
    photo(480, 360, "coffee").resize((300, 225)).save(tmp_path / "query.jpg")
    own = json.loads(run("search", str(tmp_path / "query.jpg"), "--precision", "0.95", "--json").stdout)
    assert own["promise"]["calibration"] == "gallery"
    assert own["matches"][0]["probability"] > 0.5
    shutil.copytree(place / "poisoned", place / "uncalibrated", ignore=shutil.ignore_patterns("*.sqlite3*"))
    with Gallery.open(place / "uncalibrated", create=True, settings=settings) as gallery:
        gallery.add(place / "pictures")
    done = run(
        "--gallery",
        str(place / "uncalibrated"),
        "search",
        str(tmp_path / "query.jpg"),
        "--precision",
        "0.95",
        "--json",
    )
    assert "never calibrated" in done.stderr
    found = json.loads(done.stdout)
    assert (found["promise"]["calibration"], found["promise"]["precision"]) == ("shipped", 0.95)
    assert run("search", str(tmp_path / "query.jpg"), "--precision", "7", code=2).stdout == ""


def test_a_filter_narrows_the_gallery_that_a_precision_is_for(gallery, place):
    query = photo(480, 360, "coffee").resize((300, 225))
    assert gallery.search(query, precision=0.95, where=Filter(formats=("jpeg",))) == []
    (match,) = gallery.search(query, precision=0.95, where=Filter(formats=("png",)))
    assert match.picture.path.endswith("coffee.png")
