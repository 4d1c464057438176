"""What every command shares: the app, the gallery and settings it was given, and how text goes out.

Commands import what is heavy where they use it: `--help` must stay quick.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.errors import InputError

if TYPE_CHECKING:
    from lookalike.gallery import Gallery
    from lookalike.settings import Settings

app = typer.Typer(
    name="lookalike",
    help="Find the picture you mean and the copies you forgot, in your own pictures, offline.",
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


@app.callback()
def _open(
    gallery: Annotated[
        str, typer.Option(envvar="LOOKALIKE_GALLERY", help="The gallery: a folder of its own.")
    ] = "lookalike.gallery",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change a setting; `doctor` lists them."),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        from lookalike import __version__

        print(f"lookalike {__version__}")
        raise typer.Exit
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
    from lookalike.gallery import Gallery

    return Gallery.open(context.gallery, create=create, settings=context.settings)


def print_line(text: str) -> None:
    """Print to standard output; names that are no text are printed as the bytes they are."""
    sys.stdout.buffer.write(text.encode(errors="surrogateescape") + b"\n")
    sys.stdout.flush()


def read_paths(given: list[str], *, null: bool) -> list[str]:
    """Return the paths of the arguments, with those of standard input for each ``-``."""
    from lookalike.media.files import read_paths_from

    paths: list[str] = []
    for path in given:
        paths.extend(read_paths_from(sys.stdin.buffer, null) if path == "-" else [path])
    return paths
