"""Standard input, output and error: made fit for use, whatever they were given as.

They may be closed, full, a pipe whose reader has gone, a terminal that acts on control characters, or of an
encoding that lacks the letters of a name. None of that is worth a traceback.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO, cast

from lookalike.errors import OutputError


class _StandardOutput(io.FileIO):
    """Standard output whose failures can be told from those of other files."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"standard output cannot be written: {error.strerror}.") from error


def prepare() -> None:
    """Make the three streams usable; call it once, before anything is printed.

    Raises
    ------
    OutputError    standard output is closed, so that no answer could be given
    """
    is_open = sys.stdout is not None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # It also takes the free number: else the next file opened would get what others print.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    if not is_open:
        raise OutputError("standard output is closed, so that no answer can be given.")
    if sys.stdout.isatty():
        cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")
        return
    raw = _StandardOutput(sys.stdout.fileno(), "w", closefd=False)
    buffered = io.BufferedWriter(raw)
    sys.stdout = io.TextIOWrapper(buffered, encoding=sys.stdout.encoding, errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """Let what was not printed yet go nowhere, so that leaving does not fail over it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def printable(text: str) -> str:
    """Return text that a terminal only shows: undecodable bytes and control characters are escaped."""
    decoded = text.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in decoded)


def print_line(text: str) -> None:
    """Print text that holds no names, or holds them escaped, such as JSON: always in UTF-8."""
    _write(text.encode(errors="surrogateescape") + b"\n")


def print_name(text: str, *, null: bool = False) -> None:
    """Print text with a name in it: as the bytes it is to a pipe or file, escaped to a terminal."""
    shown = printable(text) if sys.stdout.isatty() else text
    _write(shown.encode(errors="surrogateescape") + (b"\0" if null else b"\n"))


def print_csv(text: str) -> None:
    """Print a table of comma-separated values: as it is to a pipe or file, its names escaped to a terminal."""
    for line in text.rstrip("\n").split("\n"):
        print_name(line)


def _write(data: bytes) -> None:
    sys.stdout.flush()  # what was printed as text comes first
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def print_problem(text: str) -> None:
    """Print a sentence on what went wrong to standard error."""
    print(f"lookalike: {printable(text)}", file=sys.stderr)
