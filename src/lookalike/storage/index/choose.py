"""Which tier looks up the neighbours of a feature: by how many rows there are, and by the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import InputError
from lookalike.features.kinds import Kind
from lookalike.records.recipe import Recipe
from lookalike.settings import Settings
from lookalike.storage.index.exact import ExactNearest
from lookalike.storage.index.nearest import Nearest
from lookalike.storage.index.rows import Rows
from lookalike.storage.records import Stamp

BY_SIZE = "auto"
"""The setting that leaves the choice to the number of rows."""


@dataclass(frozen=True)
class Place:
    """What a tier may keep files by, so that the next process need not build it again.

    Parameters
    ----------
    folder : Path
        The gallery's folder of caches; it may not be there, or not be writable.
    recipe : Recipe
        How the rows were computed.
    stamp : Stamp
        How far the rows had followed the store when the tier is opened.
    """

    folder: Path
    recipe: Recipe
    stamp: Stamp


@dataclass(frozen=True)
class Tier:
    """A kind of look-up structure.

    Parameters
    ----------
    describes : str
        What it does, in a few words.
    open : callable
        Called with the rows, a metric (None for the default one) and the place; gives the structure.
    suits : callable
        Called with the kind and number of rows; whether it is to be taken where the settings leave the choice. Of
        several that suit, the last in `TIERS` is taken.
    """

    describes: str
    open: Callable[[Rows, str | None, Place], Nearest]
    suits: Callable[[Kind, int], bool]


TIERS: dict[str, Tier] = {
    "exact": Tier(
        "compares with every row",
        lambda rows, metric, _: ExactNearest(rows, metric),
        lambda _kind, _n_rows: True,
    ),
}
"""Every tier by name. A new one is one module beside this one and one entry here."""


def choose_tier(kind: Kind, n_rows: int, settings: Settings) -> str:
    """Return the name of the tier for so many rows.

    Raises
    ------
    InputError
        The setting `tier` names none.
    """
    if settings.tier == BY_SIZE:
        return [name for name, tier in TIERS.items() if tier.suits(kind, n_rows)][-1]
    if settings.tier not in TIERS:
        raise InputError(
            f"setting tier = {settings.tier!r} is not known; choose from {', '.join((BY_SIZE, *TIERS))}."
        )
    return settings.tier
