"""What a command says of disks and folders that are away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lookalike.cli.streams import print_problem
from lookalike.media.folders import is_below
from lookalike.report.wording import count

if TYPE_CHECKING:
    from lookalike.api import Gallery


def tell_found_away(gallery: Gallery, paths: Iterable[str]) -> None:
    """Say how many files of an answer lie where nothing is now: they were found by what is kept of them."""
    found = set(paths)
    for place in gallery.info().away if found else ():
        n_away = sum(is_below(path, place) for path in found)
        if n_away:
            print_problem(f"{count(n_away, 'file')} in {place}, which is away: is a disk not connected?")


def tell_compared_away(gallery: Gallery) -> None:
    """Say of which places nothing is there now, so that only what is kept of their files was compared."""
    for place in gallery.info().away:
        print_problem(
            f"{place} is away: its files were compared by what is kept of them, and nothing goes for them; "
            "is a disk not connected?"
        )
