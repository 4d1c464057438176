"""How far a run is, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    stage : str
        What it is at, such as ``look``, ``add``, ``verify`` or ``undo``.
    n_done : int
        Of this stage.
    n_total : int or None
        None while it is not known.
    n_failed : int
        How many of the done came to nothing: could not be read, or were not acted on.
    """

    stage: str
    n_done: int
    n_total: int | None
    n_failed: int = 0


ProgressCallback = Callable[[Progress], None]
"""Called now and then with how far a run is."""


def ignore_progress(_: Progress) -> None:
    """Tell nobody."""
