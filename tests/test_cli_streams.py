"""The command line beside its answers: streams that fail, Ctrl-C, places that cannot be written, odd words."""

import json
import os
import re
import stat
import subprocess
import sys
from functools import partial

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from command_line import lookalike
from conftest import textured
from lookalike import Gallery, __version__
from lookalike.acting.plan import load_plan
from lookalike.cli import load_app
from lookalike.errors import InputError, OutputError
from lookalike.report.writing import check_output, write_output
from lookalike.workers.pool import WorkerPool
from lookalike.workers.tasks import Job

ODD_NAME = "a\x1b[31m\x07b\n图.png"


@pytest.fixture(scope="module")
def place(tmp_path_factory, settings):
    """Return a folder with a gallery ``g`` of hashes, with one name that no terminal should act on."""
    folder = tmp_path_factory.mktemp("streams")
    (folder / "pictures").mkdir()
    for seed in range(3):
        textured(seed).save(folder / "pictures" / f"{seed}.png")
    textured(1).resize((48, 36)).save(folder / "pictures" / ODD_NAME)
    textured(1).resize((60, 40)).save(folder / "query.jpg")
    with Gallery.open(folder / "g", create=True, settings=settings) as gallery:
        assert gallery.add(folder / "pictures", only="hashes").added == 4
    return folder


@pytest.fixture
def run(place, settings):
    return partial(lookalike, place, settings=settings)


def sentence_of(done):
    """Return the one line that a command said on standard error."""
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("lookalike: ")
    return line


@pytest.fixture
def call(place, settings, monkeypatch):
    """Return a function that runs a command in this process, which is quicker, and gives its result."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("LOOKALIKE_JOBS", str(settings.jobs))
    return lambda *arguments, gallery="g": CliRunner().invoke(load_app(), ["--gallery", gallery, *arguments])


# Words


def test_the_version_is_printed_without_a_command(run):
    assert run("--version").stdout.decode() == f"lookalike {__version__}\n"


def commands():
    return get_command(load_app()).commands


def test_every_command_says_an_example_of_itself():
    for name, command in commands().items():
        assert f"Example: lookalike {name}" in command.help, name


def test_help_shows_every_command_once_by_subject_with_exit_codes(run):
    text = run("--help").stdout.decode()
    shown = re.findall(r"^  ([a-z]+)  ", text, re.MULTILINE)
    assert sorted(shown) == sorted(commands())
    assert [name for name in shown if name in ("index", "search", "duplicates", "info", "doctor")] == [
        "index",
        "search",
        "duplicates",
        "info",
        "doctor",
    ]
    assert "130" in text
    assert "LOOKALIKE_DEBUG" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", ""),
        ("compare", "", "query.jpg"),
        ("index", ""),
        ("remove", ""),
        ("hash", ""),
        ("--gallery", "", "info"),
        ("duplicates", "--keep", ""),
        ("verdict", "", "query.jpg", "--same"),
    ],
)
def test_an_empty_word_is_refused(call, arguments):
    assert isinstance(call(*arguments).exception, InputError)


@pytest.mark.parametrize("query", ["id:999", "http://a/b.jpg", "file://elsewhere/b.jpg"])
def test_a_query_that_names_no_picture_here_is_an_answer_and_the_rest_goes_on(call, query):
    done = call("search", query, "query.jpg", "--json")
    assert done.exit_code == 1
    first, second = map(json.loads, done.stdout.splitlines())
    assert set(first) == {"query", "error"}
    assert first["query"] == query
    assert second["matches"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--act", "bogus", "--plan", "new.json"),
        ("--act", "quarantine", "--plan", "new.json"),
        ("--quarantine", "aside", "--plan", "new.json"),
        ("--act", "trash"),
        ("--plan", "nowhere/new.json"),
        ("--plan", "query.jpg"),
        ("--html", "nowhere/page.html"),
        ("--html", "query.jpg"),
    ],
)
def test_duplicates_refuses_what_it_could_not_do_before_it_searches(call, place, monkeypatch, arguments):
    searches = []
    monkeypatch.setattr(Gallery, "duplicates", lambda *_, **__: searches.append(1))
    assert isinstance(call("duplicates", *arguments).exception, InputError)
    assert not searches
    assert not (place / "new.json").exists()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="needs a trash that the environment places")
def test_a_trash_that_undo_cannot_look_into_is_used_when_it_is_allowed(run, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    textured(5).save(pictures / "a.png")
    (pictures / "b.png").write_bytes((pictures / "a.png").read_bytes())
    before = sorted(pictures.iterdir())
    gallery, plan = str(tmp_path / "g"), str(tmp_path / "plan.json")
    run("index", str(pictures), "--only", "hashes", gallery=gallery)
    run("duplicates", "--relation", "same_file", "--plan", plan, gallery=gallery)
    there = "import lookalike.acting.trash as trash; trash.CAN_BE_FOUND_AGAIN = False; "
    elsewhere = partial(
        run,
        gallery=gallery,
        python=("-c", there + "from lookalike.cli import main; main()"),
        environment={"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")},
    )
    refused = elsewhere("apply", plan, code=1).stdout.decode()
    assert "--trash-without-undo" in refused
    assert "Nothing was changed." in refused
    assert sorted(pictures.iterdir()) == before
    told = elsewhere("apply", plan, "--trash-without-undo").stdout.decode()
    assert "`lookalike undo` cannot bring them back." in told
    assert "restore it with the file manager" in told
    assert len(list(pictures.iterdir())) == 1
    assert len(list((tmp_path / "data" / "Trash" / "files").iterdir())) == 1


def test_a_verdict_on_a_file_that_is_not_there_names_it(call):
    assert "nowhere.png" in str(call("verdict", "query.jpg", "nowhere.png", "--same").exception)
    said = call("verdict", "query.jpg", "pictures/1.png", "--same", "--json")
    assert json.loads(said.stdout) == {"first": "query.jpg", "second": "pictures/1.png", "is_duplicate": True}
    assert call("verdict", "query.jpg", "pictures/1.png", "--forget").exit_code == 0


# Places to write to


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "query.jpg", "--html", "nowhere/page.html"),
        ("search", "query.jpg", "--html", "pictures"),
        ("search", "query.jpg", "--html", "query.jpg"),
        ("search", "query.jpg", "--figure", "figure.bmp"),
        ("search", "query.jpg", "--figure", "pictures/1.png"),
        ("compare", "query.jpg", "pictures/1.png", "--proof", "pictures/1.png"),
        ("compare", "query.jpg", "pictures/1.png", "--proof", "proof.xyz"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_before_the_work(call, place, arguments):
    before = (place / "query.jpg").read_bytes(), (place / "pictures" / "1.png").read_bytes()
    done = call(*arguments)
    assert isinstance(done.exception, InputError)
    assert done.stdout == ""
    assert before == ((place / "query.jpg").read_bytes(), (place / "pictures" / "1.png").read_bytes())


def test_a_report_is_written_whole_or_not_at_all(tmp_path):
    page = tmp_path / "page.html"
    write_output(page, b"first")
    write_output(page, b"second")
    assert page.read_bytes() == b"second"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(page.stat().st_mode) == 0o666 & ~umask
    with pytest.raises(OutputError, match="cannot be written"):
        write_output(tmp_path / "nowhere" / "page.html", b"")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write_output(tmp_path / "folder.html", b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.html", "page.html"]


def test_a_report_through_a_link_leaves_the_link(tmp_path):
    (tmp_path / "real.html").write_bytes(b"")
    (tmp_path / "link.html").symlink_to(tmp_path / "real.html")
    write_output(tmp_path / "link.html", b"page")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real.html").read_bytes() == b"page"


def test_a_place_for_a_report_is_told_from_one_that_is_none(tmp_path):
    check_output(None)
    check_output(tmp_path / "page.html")
    check_output(tmp_path / "figure.PNG", (".png",))
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "no" / "page.html"):
        with pytest.raises(InputError, match=r"written|no file"):
            check_output(path)


# Acting


def test_apply_says_when_nothing_was_done_and_fails(call, place, settings):
    folder = place / "doubles"
    folder.mkdir()
    for name in ("one.png", "two.png"):
        textured(20).save(folder / name)
    with Gallery.open(place / "doubles.g", create=True, settings=settings) as gallery:
        gallery.add(folder, only="hashes")
        gallery.write_plan(gallery.duplicates(relation="same_file"), place / "go.json", act="delete")
    assert len(load_plan(place / "go.json").acts) == 1
    with pytest.raises(InputError, match="no file"):
        load_plan("/dev/zero")  # which would never end
    done = call("apply", "go.json", gallery="doubles.g")
    assert done.exit_code == 1
    assert "0 done, 1 skipped" in done.stdout
    assert "brings" not in done.stdout
    done = call("apply", "go.json", "--delete", gallery="doubles.g")
    assert done.exit_code == 0
    assert "1 done, 0 skipped" in done.stdout
    assert "what was deleted from its keeper" in done.stdout
    done = call("apply", "go.json", "--json", gallery="doubles.g")
    assert (done.exit_code, json.loads(done.stdout)["done"]) == (1, [])


# Streams

_NEEDS_FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")


@_NEEDS_FULL
@pytest.mark.parametrize("arguments", [("search", "query.jpg"), ("info", "--json"), ("--help",)])
def test_a_full_standard_output_is_one_sentence(run, arguments):
    with open("/dev/full", "wb") as full:
        assert "standard output" in sentence_of(run(*arguments, stdout=full, code=1))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_closed_stream_is_no_traceback(run, number):
    code = {0: 1, 1: 1, 2: 0}[number]
    arguments = ("search", "-") if number == 0 else ("search", "query.jpg")
    done = run(*arguments, code=code, preexec_fn=partial(os.close, number))
    if number == 1:
        assert "closed" in sentence_of(done)


def test_a_standard_output_without_the_letters_still_gets_the_answer(run):
    environment = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    assert rb"\u56fe.png" in run("search", "query.jpg", environment=environment).stdout
    matches = json.loads(run("search", "query.jpg", "--json", environment=environment).stdout)["matches"]
    assert ODD_NAME in [os.path.basename(match["path"]) for match in matches]


def test_names_go_to_a_pipe_as_they_are_and_to_a_terminal_escaped(run, place):
    odd = f"pictures/{ODD_NAME}"
    assert odd.encode() in run("hash", odd).stdout
    paths = run("search", "query.jpg", "--output", "paths", "-0").stdout.split(b"\0")
    assert os.fsencode(place / odd) in paths
    for arguments in (
        ("hash", odd, f"{odd}.gone"),
        ("search", "query.jpg"),
        ("search", "query.jpg", "--output", "paths"),
    ):
        shown = on_terminal(run, *arguments, code=1 if arguments[0] == "hash" else 0)
        for end_of_name in (b"\x07", b"[31m\x07", b"\x1b[31m"):
            assert end_of_name not in shown, arguments


def on_terminal(run, *arguments, code, columns=200):
    """Return what a command prints where standard output and error are a terminal."""
    ours, theirs = os.openpty()
    try:
        environment = {"TERM": "dumb", "COLUMNS": str(columns)}
        run(*arguments, stdout=theirs, stderr=theirs, code=code, environment=environment)
        return os.read(ours, 100_000)
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_narrow_terminal_still_shows_every_path(run):
    shown = on_terminal(run, "search", "query.jpg", code=0, columns=20)
    for letters in (b"0.png", b"1.png", b"2.png"):
        assert letters in shown
    run("--help", environment={"COLUMNS": "1"})


# Errors and Ctrl-C

_WHEN_NUMPY_IS_LOADED = """
import sys, importlib.abc, os, signal, time
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "numpy":
            sys.meta_path.remove(self)
            {happens}
sys.meta_path.insert(0, Finder())
from lookalike.cli import main
main()
"""
_CTRL_C = "os.kill(os.getpid(), signal.SIGINT); time.sleep(5)"
_CTRL_C_THAT_A_LIBRARY_SWALLOWS = """
            try: os.kill(os.getpid(), signal.SIGINT); time.sleep(5)
            except KeyboardInterrupt: raise ImportError("initialization failed")
"""


@pytest.mark.parametrize("happens", [_CTRL_C, _CTRL_C_THAT_A_LIBRARY_SWALLOWS])
def test_ctrl_c_while_libraries_load_is_one_line_and_130(run, happens):
    code = _WHEN_NUMPY_IS_LOADED.format(happens=happens)
    assert "interrupted" in sentence_of(run("search", "query.jpg", python=("-c", code), code=130))


def test_an_error_of_the_system_is_one_sentence_and_a_traceback_on_demand(place, run, settings):
    code = _WHEN_NUMPY_IS_LOADED.format(happens="raise OSError(5, 'Input/output error', '/disk/file')")
    done = run("search", "query.jpg", python=("-c", code), code=1)
    assert sentence_of(done) == "lookalike: /disk/file: Input/output error."
    run("search", "query.jpg", python=("-c", code), code=1, environment={"LOOKALIKE_DEBUG": "1"})


def test_a_worker_is_out_of_reach_of_ctrl_c_and_leaves_quietly_with_its_parent(
    tmp_path, settings, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(__file__))  # so that workers can import this file
    with WorkerPool(Job(settings, (), tmp_path), 1, NamesItsGroup) as pool:
        (group,) = pool.run(["task"])
    assert group != os.getpgid(0)
    command = [sys.executable, "-m", "lookalike.workers.process"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert done.stderr == b""


class NamesItsGroup:
    """A worker that answers with its process group."""

    def __init__(self, job):
        pass

    def __call__(self, task):
        return os.getpgid(0)


def test_ctrl_c_during_index_is_one_line_and_the_next_run_goes_on(place, run, settings):
    command = ("--gallery", "interrupted", "index", "pictures", "--only", "hashes")
    started = subprocess.Popen(
        [sys.executable, "-c", _AFTER_THE_FIRST_ANSWER, *command],
        cwd=place,
        env={**os.environ, "LOOKALIKE_JOBS": str(settings.jobs)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    _, problem = started.communicate(timeout=60)
    assert started.returncode == 130, problem.decode()
    assert problem.decode().count("\n") == 1
    report = json.loads(run(*command, "--json").stdout)
    assert (report["seen"], report["failed"]) == (4, [])


_AFTER_THE_FIRST_ANSWER = """
import os, signal
from lookalike.workers import pool
receive = pool.receive
def receive_one_then_interrupt(stream):
    message = receive(stream)
    if message != "ready":
        os.killpg(0, signal.SIGINT)
    return message
pool.receive = receive_one_then_interrupt
from lookalike.cli import main
main()
"""
