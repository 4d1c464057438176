"""The two streams as consoles, and texts made fit for them."""

from __future__ import annotations

import sys
from shutil import get_terminal_size

from rich.console import Console
from rich.markup import escape

from lookalike.cli.streams import printable

_WIDTH_OF_FILES = 140  # tables that do not go to a terminal
_LEAST_WIDTH = 60  # where a terminal has less, lines are broken by it: else columns would have no room at all


def _width() -> int:
    if not sys.stdout.isatty():
        return _WIDTH_OF_FILES
    return max(_LEAST_WIDTH, get_terminal_size().columns)


out = Console(highlight=False, emoji=False, width=_width())
"""For results."""

err = Console(stderr=True, highlight=False, emoji=False)
"""For what is said on the way."""


def shown(text: str) -> str:
    """Return a path, or a text with one, so that a table or terminal only shows it."""
    return escape(printable(text))


def size(n_bytes: int) -> str:
    """Return a number of bytes in the unit that a person would choose."""
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= least:
            return f"{n_bytes / least:,.1f} {unit}"
    return f"{n_bytes} bytes"
