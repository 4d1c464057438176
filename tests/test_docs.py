"""What the docs list is what there is: ways, settings, routes, commands, options and extras."""

import inspect
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from lookalike import Gallery
from lookalike.cli import load_app
from lookalike.evaluation import metrics
from lookalike.settings import Settings, describe_settings
from lookalike.web.app import create_app
from lookalike.web.options import ServeOptions

PROJECT = Path(__file__).parent.parent
DOCS = sorted([PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")])
COMMANDS = get_command(load_app()).commands
NOT_BELOW_THE_API = {"/health", "/ready", "/metrics"}
TOKEN = "0123456789abcdef"


def read(name):
    return (PROJECT / name).read_text(encoding="utf-8")


def tables(text):
    """Return the tables of a Markdown text, each a list of rows, the head first, each a list of cells."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines()]
        found.append([row for row in rows if not set("".join(row)) <= set("-: |")])
    return found


def options_of(command):
    names = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    return {name for name in names if name.startswith("--")}


def test_every_way_has_its_row_among_the_measurements():
    printed = subprocess.run(
        [sys.executable, "-m", "lookalike", "ways", "--json"], capture_output=True, text=True, check=True
    )
    (measured,) = [table for table in tables(read("docs/ways.md")) if table[0][:2] == ["way", "mAP"]]
    assert sorted(row[0] for row in measured[1:]) == sorted(json.loads(printed.stdout))


def test_every_setting_is_listed_as_it_is():
    (listed,) = tables(read("docs/settings.md"))
    expected = [
        [f"`{name}`", f"`{value}`" if value else "", unit, words]
        for name, value, unit, words in describe_settings(Settings())
    ]
    assert listed[1:] == expected


def routes_named(cell):
    """Yield (method, path) of a cell such as "`GET`, `POST /jobs`, `/jobs/ID`"; a path alone has the last method."""
    methods, is_complete = [], True
    for span in re.findall(r"`([^`]+)`", cell):
        words = span.split()
        if words[0].isupper() and words[0].isalpha():
            methods = [words[0]] if is_complete else [*methods, words[0]]
        is_complete = words[-1].startswith("/")
        if is_complete:
            path = re.sub(r"/(N|ID)\b", "/{}", words[-1])
            yield from ((method, path) for method in methods)


def test_every_route_is_listed(tmp_path):
    Gallery.open(tmp_path / "g", create=True).close()
    app = create_app(ServeOptions(str(tmp_path / "g"), Settings(), token=TOKEN))
    described = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1")))
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    text = read("docs/web.md")
    (table,) = [table for table in tables(text) if table[0][0] == "below `/api/v1`"]
    listed = {route for row in table for cell in row for route in routes_named(cell)}
    below = {route for route in described if route[1] not in NOT_BELOW_THE_API}
    assert listed == below
    assert {path for _, path in described - below} == NOT_BELOW_THE_API
    assert all(f"`{path}`" in text for path in NOT_BELOW_THE_API)


def test_every_option_of_serve_is_listed():
    (table,) = [table for table in tables(read("docs/web.md")) if table[0][0] == "option"]
    listed = {row[0].strip("`").split()[0] for row in table[1:]}
    assert listed == options_of(COMMANDS["serve"]) - {"--help"}


def test_every_limit_of_serve_is_named():
    text = read("docs/web.md")
    assert all(f"`{name}`" in text for name, *_ in describe_settings(Settings()) if name.startswith("serve_"))


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_shown_in_the_readme(command):
    assert re.search(rf"^    \$ lookalike {command}\b", read("README.md"), re.MULTILINE) or re.search(
        rf"`lookalike {command}\b", read("README.md")
    )


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_command_that_is_shown_can_be_given(path):
    shown = re.findall(r"^    \$ lookalike (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    for line in shown:
        words = re.split(r"\s{2,}# ", line)[0].split("|")[0].split()
        name = next(word for word in words if word in COMMANDS)
        known = options_of(COMMANDS[name])
        given = [word.partition("=")[0] for word in words[words.index(name) :] if word.startswith("--")]
        assert set(given) <= known, line


def test_every_measure_is_listed_and_the_example_says_what_it_prints(capsys):
    text = read("docs/evaluation.md")
    (section,) = re.findall(r"^## The measures by themselves\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    (example,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    functions = dict(inspect.getmembers(metrics, inspect.isfunction))
    own = {name for name, one in functions.items() if one.__module__.startswith(metrics.__name__)}
    public = {name for name in own if not name.startswith("_")}
    assert public == set(re.findall(r"`(\w+)`", section))
    exec(example)
    assert capsys.readouterr().out.startswith("0.66666")


def test_every_extra_is_listed():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras, core = project["optional-dependencies"], project["dependencies"]
    by_head = {table[0][0]: table[1:] for table in tables(read("docs/dependencies.md"))}
    assert sorted(row[0].strip("`") for row in by_head["extra"]) == sorted(extras)
    for row in by_head["extra"]:
        for requirement in extras[row[0].strip("`")]:
            assert re.split(r"[<>=]", requirement)[0] in row[1], row
    listed = {re.split(r"[ (]", row[0])[0] for row in by_head["package"]}
    assert listed == {re.split(r"[<>=]", requirement)[0] for requirement in core}
