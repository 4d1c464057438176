"""What every command shares: the app, the gallery and settings it was given, and how text goes out.

Commands import what is heavy where they use it: `--help` must stay quick.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from lookalike.cli.streams import print_csv as print_csv
from lookalike.cli.streams import print_line as print_line
from lookalike.cli.streams import print_name as print_name
from lookalike.cli.streams import print_problem as print_problem
from lookalike.errors import InputError

if TYPE_CHECKING:
    from lookalike.api import Gallery
    from lookalike.settings import Settings

SECTIONS = {
    "Search": ("index", "search", "compare"),
    "Copies": ("duplicates", "apply", "undo", "verdict"),
    "The gallery": ("info", "remove", "prune"),
    "Measures": ("ways", "hash", "calibrate", "evaluate", "experiment"),
    "The installation": ("serve", "doctor", "demo"),
}
"""The commands in the order in which `--help` shows them; others come last."""

EPILOG = (
    "Exit codes: 0 done, 1 failed (or a part of it, as said), 2 wrong usage, 130 interrupted. "
    "LOOKALIKE_DEBUG=1 shows where in the program a failure arose."
)


class _Commands(TyperGroup):
    """The commands, shown by subject."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each subject of `SECTIONS`, then one for what is in none."""
        known = {name for names in SECTIONS.values() for name in names}
        others = tuple(name for name in self.list_commands(ctx) if name not in known)
        width = max(map(len, self.commands))
        for title, names in {**SECTIONS, "Other commands": others}.items():
            rows = [
                (name.ljust(width), self.commands[name].get_short_help_str(100))
                for name in names
                if name in self.commands
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


app = typer.Typer(
    name="lookalike",
    cls=_Commands,
    help="Find the picture you mean and the copies you forgot, in your own pictures, offline.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


class Output(StrEnum):
    """The forms in which an answer is printed."""

    table = "table"
    json = "json"
    csv = "csv"
    paths = "paths"


@dataclass
class Context:
    """What the options before the command said."""

    gallery: str
    settings: Settings


context = Context("", None)  # type: ignore[arg-type]  # filled in before any command runs

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ZeroOption = Annotated[bool, typer.Option("-0", "--null", help="Names on standard input end with NUL.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        from lookalike import __version__

        print(f"lookalike {__version__}")
        raise typer.Exit


@app.callback()
def _open(
    gallery: Annotated[
        str, typer.Option(envvar="LOOKALIKE_GALLERY", help="The gallery: a folder of its own.")
    ] = "lookalike.gallery",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change a setting; `doctor` lists them."),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and stop."),
    ] = False,
) -> None:
    if not gallery:
        raise InputError("--gallery (or LOOKALIKE_GALLERY) is empty: give the folder of a gallery.")
    from lookalike.settings import Settings

    values = {}
    for text in set_ or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set {text!r} has no value: write --set NAME=VALUE.")
        values[name] = value
    context.gallery = gallery
    context.settings = Settings.from_environment().with_values(values)


def open_gallery(*, create: bool = False) -> Gallery:
    """Open the gallery that the options name."""
    from lookalike import opening

    return opening.open_gallery(context.gallery, create=create, settings=context.settings)


def read_paths(given: list[str], *, null: bool) -> list[str]:
    """Return the paths of the arguments, with those of standard input for each ``-``."""
    from lookalike.media.files import read_paths_from

    paths: list[str] = []
    for path in given:
        paths.extend(read_paths_from(sys.stdin.buffer, null) if path == "-" else [path])
    return paths
