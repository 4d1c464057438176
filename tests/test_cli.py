"""The command line: the outside contract, exit codes, and the same answers as Python."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import imagehash
import pytest
from PIL import Image

from conftest import textured
from lookalike import Gallery, compare
from lookalike.answers.search import Answer, ComparisonAnswer, SearchAnswer
from lookalike.records.codec import to_document
from pictures import photo


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    (folder / "pictures").mkdir()
    for seed in range(6):
        textured(seed).save(folder / "pictures" / f"{seed}.png")
    (folder / "pictures" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nonsense")
    with Image.open(folder / "pictures" / "2.png") as picture:
        picture.resize((60, 40)).save(folder / "query.jpg")
    return folder


@pytest.fixture(scope="module")
def run(place, settings):
    def run_command(*arguments, stdin=b"", gallery="g", code=0, environment=None):
        command = [sys.executable, "-m", "lookalike", "--gallery", str(place / gallery), *arguments]
        environment = {**os.environ, "LOOKALIKE_JOBS": str(settings.jobs), **(environment or {})}
        done = subprocess.run(command, input=stdin, capture_output=True, env=environment, cwd=place)
        assert done.returncode == code, done.stderr.decode()
        assert b"Traceback" not in done.stderr
        return done

    done = run_command("index", "pictures", "--json", "--jobs", "1")
    report = json.loads(done.stdout)
    assert {key: report[key] for key in ("seen", "added", "unchanged", "moved")} == {
        "seen": 7,
        "added": 6,
        "unchanged": 0,
        "moved": 0,
    }
    (failed,) = report["failed"]
    assert failed["path"] == str(place / "pictures" / "broken.jpg")
    assert failed["stage"] == "decode"
    assert failed["reason"]
    assert report["seconds"] > 0
    return run_command


def test_index_again_changes_nothing_and_names_can_come_from_stdin(run, place):
    report = json.loads(run("index", "pictures", "--json").stdout)
    assert (report["added"], report["unchanged"], len(report["failed"])) == (0, 6, 1)
    names = b"\0".join([b"pictures/1.png", b"pictures/2.png"]) + b"\0"
    report = json.loads(run("index", "-", "-0", "--json", stdin=names).stdout)
    assert (report["seen"], report["unchanged"]) == (2, 2)
    assert b"6 unchanged" in run("index", "pictures").stdout


def test_index_of_nothing_but_missing_paths_fails(run):
    done = run("index", "nowhere", "--json", code=1)
    assert json.loads(done.stdout)["failed"][0]["stage"] == "find"


def test_index_fails_where_one_of_the_named_paths_is_missing_and_goes_on_with_the_others(run, place):
    done = run("index", "pictures", "nowhere", "--json", code=1)
    report = json.loads(done.stdout)
    assert (report["seen"], report["unchanged"], len(report["failed"])) == (7, 6, 2)
    assert str(place / "nowhere").encode() in done.stderr


def test_index_fails_where_every_file_failed(run):
    text = run("index", "pictures/broken.jpg", code=1).stdout
    assert b"Saw 1 file in" in text
    assert b"1 failed" in text


def test_index_tells_a_failure_once_and_then_only_that_there_are_some(run, place):
    (place / "torn").mkdir()
    (place / "torn" / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    textured(60).save(place / "torn" / "whole.png")
    assert b"torn.jpg" in run("index", "torn", gallery="torn_gallery").stdout
    again = run("index", "torn", gallery="torn_gallery").stdout
    assert b"torn.jpg" not in again
    assert b"1 file failed before" in again
    document = json.loads(run("index", "torn", "--json", gallery="torn_gallery").stdout)
    assert [failure["path"] for failure in document["failed"]] == [str(place / "torn" / "torn.jpg")]
    assert b"torn.jpg" in run("index", "torn", "--retry-failed", gallery="torn_gallery").stdout


def test_undo_where_nothing_was_ever_applied_says_so(run):
    run("index", "pictures", "--only", "hashes", gallery="never_applied")
    assert b"nothing to undo" in run("undo", gallery="never_applied").stdout
    assert json.loads(run("undo", "--json", gallery="never_applied").stdout)["run"] is None


def test_every_way_is_listed_with_what_it_compares(run):
    names = json.loads(run("ways", "--json").stdout)
    lines = run("ways").stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == names
    assert all(len(line.split()) > 3 for line in lines)
    (texture,) = (line for line in lines if line.startswith("texture "))
    assert "patterns" in texture
    assert "HSV" in texture  # half of it is colour, see lookalike.features.color.texture


def test_index_only_hashes(run):
    report = json.loads(run("index", "pictures", "--only", "hashes", "--json", gallery="hashes").stdout)
    assert report["added"] == 6
    assert json.loads(run("search", "query.jpg", "--json", gallery="hashes").stdout)["matches"]
    assert b"nonsense" in run("index", "pictures", "--only", "nonsense", code=2).stderr


def test_search_prints_one_document_a_line_in_the_order_asked(run, place):
    done = run("search", "query.jpg", "nowhere.png", "pictures/1.png", "-k", "3", "--json", code=1)
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [document["query"] for document in documents] == ["query.jpg", "nowhere.png", "pictures/1.png"]
    assert set(documents[1]) == {"query", "error"}
    best = documents[0]["matches"][0]
    assert best["path"] == str(place / "pictures" / "2.png")
    assert {"path", "score", "distance", "relation", "by"} <= set(best)
    assert len(documents[0]["matches"]) == 3


@pytest.mark.parametrize("by", ["auto", "phash", "hsv:intersection", "embedding:euclidean"])
def test_python_and_the_command_line_give_the_same_answer(run, place, settings, by):
    printed = json.loads(run("search", str(place / "query.jpg"), "--by", by, "--json").stdout)
    with Gallery.open(place / "g", settings=settings) as gallery:
        matches = gallery.search(place / "query.jpg", by=by)
    assert printed == to_document(SearchAnswer.of(Answer(str(place / "query.jpg"), matches)))


def test_search_prints_tables_csv_and_paths(run, place):
    table = run("search", "query.jpg", "-k", "2").stdout.decode()
    assert "2.png" in table
    assert "cosine" in table
    rows = list(csv.DictReader(io.StringIO(run("search", "query.jpg", "--output", "csv").stdout.decode())))
    assert rows[0]["path"] == str(place / "pictures" / "2.png")
    assert rows[0]["rank"] == "1"
    paths = run("search", "query.jpg", "-k", "2", "--output", "paths", "-0").stdout.split(b"\0")
    assert paths[0] == os.fsencode(place / "pictures" / "2.png")
    assert len(paths) == 3


def test_search_from_standard_input(run, place):
    done = run("search", "-", "-k", "1", "--json", stdin=(place / "query.jpg").read_bytes())
    assert json.loads(done.stdout)["matches"][0]["path"].endswith("2.png")
    assert "error" in json.loads(run("search", "-", "--json", stdin=b"no picture", code=1).stdout)


def test_search_writes_a_page_and_a_figure(run, place):
    run("search", "query.jpg", "nowhere.png", "--html", "page.html", "--figure", "figure.png", code=1)
    page = (place / "page.html").read_text(encoding="utf-8")
    assert page.count("<img") == 7
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    with Image.open(place / "figure.png") as figure:
        assert min(figure.size) > 300


def test_hash_is_imagehash(run, place):
    done = run("hash", "pictures/1.png", "query.jpg", "nowhere.png", "--json", code=1)
    first, second, third = (json.loads(line) for line in done.stdout.splitlines())
    for document in (first, second):
        with Image.open(place / document["path"]) as picture:
            assert document["ahash"] == str(imagehash.average_hash(picture))
            assert document["dhash"] == str(imagehash.dhash(picture))
            assert document["phash"] == str(imagehash.phash(picture))
            assert document["whash"] == str(imagehash.whash(picture))
    assert set(third) == {"path", "error"}


def test_compare_gives_measures_relation_and_verdict(run, place, settings):
    pair = ("pictures/2.png", "query.jpg")
    document = json.loads(run("compare", *pair, "--json").stdout)
    assert set(document) == {"measures", "relation", "verdict", "proof"}
    assert document["relation"] == "copy"
    assert document == to_document(
        ComparisonAnswer.of(compare(*(place / one for one in pair), settings=settings))
    )
    assert json.loads(run("compare", pair[0], pair[0], "--json").stdout)["relation"] == "same_file"
    table = run("compare", *pair).stdout.decode()
    assert "ssim" in table
    assert document["verdict"] in table.replace("\n", " ")
    assert b"nowhere" in run("compare", pair[0], "nowhere.png", code=1).stderr


def test_the_same_pixels_in_another_container_are_told(run, place):
    with Image.open(place / "pictures" / "3.png") as picture:
        picture.save(place / "three.bmp")
    document = json.loads(run("compare", "pictures/3.png", "three.bmp", "--json").stdout)
    assert document["relation"] == "same_pixels"
    assert document["measures"]["ssim"] == 1
    assert document["measures"]["phash_bits"] == 0


def test_compare_tells_different_pictures(run):
    document = json.loads(run("compare", "pictures/1.png", "pictures/5.png", "--json").stdout)
    assert document["relation"] in ("different", "similar")


def test_info_ways_remove_and_prune(run, place):
    info = json.loads(run("info", "--json").stdout)
    assert (info["n_files"], info["n_contents"]) == (7, 6)
    assert b"broken.jpg" in run("info").stdout
    assert b"hash-then-embedding" in run("ways").stdout
    run("index", "pictures", "--only", "hashes", gallery="other")
    assert json.loads(run("remove", "pictures/1.png", "--json", gallery="other").stdout) == {"removed": 1}
    moved = place / "elsewhere.png"
    (place / "pictures" / "4.png").rename(moved)
    try:
        would = json.loads(run("prune", "--dry-run", "--json", gallery="other").stdout)
        assert would == {"gone": [str(place / "pictures" / "4.png")], "left": [], "forgotten": False}
        assert json.loads(run("prune", "--json", gallery="other").stdout)["forgotten"]
        assert json.loads(run("prune", "--json", gallery="other").stdout)["gone"] == []
    finally:
        moved.rename(place / "pictures" / "4.png")


def test_prune_asks_before_it_forgets_everything(run, place):
    textured(50).save(place / "lonely.png")
    run("index", "lonely.png", "--only", "hashes", gallery="lonely")
    (place / "lonely.png").unlink()
    assert b"not connected" in run("prune", gallery="lonely", code=1).stderr
    run("prune", "--all", gallery="lonely")


def test_a_folder_that_is_away_stays_known_and_is_told(run, place):
    for number, folder in enumerate(("home", "disk")):
        (place / folder).mkdir()
        for seed in range(2):
            textured(60 + 10 * number + seed).save(place / folder / f"{seed}.png")
    run("index", "home", "disk", "--only", "hashes", gallery="away")
    (place / "disk").rename(place / "drawer")
    (place / "home" / "1.png").unlink()
    disk = str(place / "disk").encode()
    assert b"away now" in run("info", gallery="away").stdout
    assert json.loads(run("info", "--json", gallery="away").stdout)["away"] == [str(place / "disk")]
    found = run("search", "drawer/0.png", "--by", "phash", gallery="away")
    assert b"2 files in " + disk + b", which is away" in found.stderr
    compared = run("duplicates", gallery="away")
    assert disk + b" is away: its files were compared by what is kept of them" in compared.stderr
    pruned = run("prune", gallery="away")
    assert b"Forgot 1 of 4 files" in pruned.stdout
    assert disk + b": of 2 files none is there" in pruned.stderr
    would = json.loads(run("prune", "--dry-run", "--json", gallery="away").stdout)
    assert would["left"] == [{"place": str(place / "disk"), "n_files": 2}]
    assert b"Forgot 2 of 3 files" in run("prune", "--all", gallery="away").stdout


def test_index_without_a_path_walks_what_was_named(run, place):
    assert b"there is no gallery" in run("index", gallery="again", code=1).stderr
    (place / "named").mkdir()
    for seed in range(2):
        textured(80 + seed).save(place / "named" / f"{seed}.png")
    run("index", "named", "--only", "hashes", gallery="again")
    textured(83).save(place / "named" / "new.png")
    (place / "named" / "1.png").unlink()
    again = run("index", gallery="again")
    assert b"Saw 2 files" in again.stdout
    assert b"1 known file of these folders is not there any more" in again.stdout
    assert json.loads(run("index", "--json", gallery="again").stdout)["gone"] == 1


def test_usage_errors_exit_with_2(run):
    assert b"choose from" in run("search", "query.jpg", "--by", "nonsense", code=2).stderr
    run("search", code=2)
    run("nonsense", code=2)
    assert b"no value" in run("--set", "jobs", "info", code=2).stderr
    assert b"no setting" in run("--set", "nonsense=1", "info", code=2).stderr
    assert b"int" in run("info", code=2, environment={"LOOKALIKE_JOBS": "many"}).stderr


def test_a_gallery_that_is_not_there_exits_with_1(run):
    assert b"there is no gallery" in run("search", "query.jpg", gallery="none", code=1).stderr


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['lookalike', '--help']\n"
        "try:\n    from lookalike.cli import main; main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'PIL', 'scipy', 'onnxruntime', 'skimage', 'sqlite3', 'matplotlib',"
        " 'rich', 'pydantic', 'fastapi', 'cv2'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, lookalike; sys.exit('numpy' in sys.modules or 'PIL' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_reader_that_goes_away_is_no_error(run, place, settings):
    command = f"'{sys.executable}' -m lookalike --gallery g search query.jpg --output paths | head -c 1"
    environment = {**os.environ, "LOOKALIKE_JOBS": str(settings.jobs)}
    done = subprocess.run(command, shell=True, cwd=place, capture_output=True, env=environment)
    assert b"Traceback" not in done.stderr


def test_doctor_finds_this_installation_sound(run):
    findings = json.loads(run("doctor", "--json").stdout)
    assert not [one for one in findings if one["is_broken"]]
    assert {"hash self-test", "embedding self-test"} <= {one["name"] for one in findings}
    assert b"max_pixels" in run("doctor").stdout


def test_demo_runs(run, place):
    text = run("demo", "demonstration").stdout.decode()
    assert "cat.jpg" in text
    assert (place / "demonstration" / "result.html").stat().st_size > 50_000
    assert (place / "demonstration" / "result.png").exists()


def test_duplicates_plan_apply_and_undo(run, place):
    folder = place / "doubles"
    folder.mkdir()
    original = textured(7, 400, 300)
    original.save(folder / "original.png")
    original.resize((200, 150)).save(folder / "small.jpg")
    (folder / "same.png").write_bytes((folder / "original.png").read_bytes())
    textured(8, 400, 300).save(folder / "other.png")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run("index", "doubles", gallery="d")

    found = json.loads(run("duplicates", "--json", gallery="d").stdout)
    (group,) = found["groups"]
    assert {"relation", "keeper", "why", "members"} <= set(group)
    assert group["relation"] == "copy"
    assert {member["relation"] for member in group["members"]} == {"same_file", "copy"}
    assert all({"path", "relation", "score", "proof"} <= set(member) for member in group["members"])
    assert found["seconds"] >= 0
    assert found["compared"] >= 1

    text = run("duplicates", "--plan", "plan.json", "--act", "quarantine", "--quarantine", "aside",
               "--html", "doubles.html", gallery="d").stdout.decode()  # fmt: skip
    assert "Nothing was changed" in text
    page = (place / "doubles.html").read_text(encoding="utf-8")
    assert page.count("<polygon") == 2
    assert ".overlap polygon { fill: none;" in page
    assert "<script" not in page
    rows = list(
        csv.DictReader(io.StringIO(run("duplicates", "--output", "csv", gallery="d").stdout.decode()))
    )
    assert [row["role"] for row in rows] == ["keep", "member", "member"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    done = json.loads(run("apply", "plan.json", "--json", gallery="d").stdout)
    assert (len(done["done"]), done["skipped"]) == (2, [])
    assert len(list(folder.iterdir())) == 2
    assert json.loads(run("duplicates", "--json", gallery="d").stdout)["groups"] == []
    back = json.loads(run("undo", "--json", gallery="d").stdout)
    assert len(back["restored"]) == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    run("verdict", group["keeper"], str(folder / "small.jpg"), "--different", gallery="d")
    (group,) = json.loads(run("duplicates", "--json", gallery="d").stdout)["groups"]
    assert [member["relation"] for member in group["members"]] == ["same_file"]
    run("verdict", group["keeper"], str(folder / "small.jpg"), "--forget", gallery="d")
    run("verdict", group["keeper"], str(folder / "small.jpg"), gallery="d", code=2)
    run("duplicates", "--relation", "nonsense", gallery="d", code=2)
    run("duplicates", "--keep", "nonsense", gallery="d", code=2)


def test_the_paths_of_duplicates_say_what_they_leave_out(run, place):
    folder = place / "both"
    folder.mkdir()
    original = photo(480, 360, "coffee")
    original.crop((60, 40, 420, 330)).save(folder / "crop.jpg", quality=90)
    original.save(folder / "original.png")
    original.point(lambda level: level // 2).save(folder / "dark.jpg", quality=90)
    run("index", "both", gallery="b")
    going = run("duplicates", "--output", "paths", gallery="b")
    assert [Path(os.fsdecode(line)).name for line in going.stdout.splitlines()] == ["crop.jpg"]
    assert b"1 more stay, each with a reason: `--print all`" in going.stderr
    staying = run("duplicates", "--output", "paths", "--print", "staying", "-0", gallery="b")
    assert staying.stdout == os.fsencode(folder / "dark.jpg") + b"\0"
    every = run("duplicates", "--output", "paths", "--print", "all", gallery="b")
    assert (len(every.stdout.splitlines()), every.stderr) == (2, b"")


def test_what_is_deleted_is_told_to_come_back_and_does(run, place):
    folder = place / "twins"
    folder.mkdir()
    textured(9).save(folder / "first.png")
    (folder / "second.png").write_bytes((folder / "first.png").read_bytes())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert b"Saw 2 files" in run("index", "twins", "--only", "hashes", gallery="t").stdout
    run("duplicates", "--relation", "same_file", "--plan", "delete.json", "--act", "delete", gallery="t")
    assert b"apply --delete" in run("apply", "delete.json", gallery="t", code=1).stdout
    told = run("apply", "delete.json", "--delete", gallery="t").stdout.decode()
    assert "`lookalike undo` brings everything back, what was deleted from its keeper" in told
    assert len(list(folder.iterdir())) == 1
    assert b"1 file brought back" in run("undo", gallery="t").stdout
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert b"Forgot 1 file;" in run("remove", "twins/first.png", gallery="t").stdout
    assert b"Would forget 0 of 1 file." in run("prune", "--dry-run", gallery="t").stdout


def test_search_verified_and_compare_with_proof(run, place):
    with Image.open(place / "pictures" / "2.png") as picture:
        picture.resize((192, 144)).save(place / "larger.png")
    document = json.loads(run("search", "larger.png", "--verify", "-k", "3", "--json").stdout)
    best = document["matches"][0]
    assert (best["path"], best["relation"]) == (str(place / "pictures" / "2.png"), "copy")
    assert best["proof"]["relation"] == "copy"
    document = json.loads(
        run("compare", "pictures/2.png", "larger.png", "--proof", "proof.png", "--json").stdout
    )
    assert document["relation"] == document["proof"]["relation"] == "copy"
    with Image.open(place / "proof.png") as drawn:
        assert drawn.width > drawn.height
