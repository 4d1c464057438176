"""What the steps of a calibration hand to each other: drawn, asked, judged, and reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lookalike.records.calibration import Calibration
from lookalike.records.failure import Failure
from lookalike.records.relation import Relation
from lookalike.searching.searcher import Searcher
from lookalike.searching.way import AUTO
from lookalike.settings import Settings
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store

if TYPE_CHECKING:
    from lookalike.calibration.fit import Sample
    from lookalike.records.progress import ProgressCallback

Pair = tuple[int, int]
"""Two contents by id, the smaller first where nothing else is said."""


def pair_of(first: int, second: int) -> Pair:
    """Return two ids with the smaller first."""
    return min(first, second), max(first, second)


@dataclass(frozen=True, eq=False)
class Means:
    """What every step works with.

    Parameters
    ----------
    store : Store
        The gallery.
    settings : Settings
        Those that it is searched with.
    searcher : Searcher
        Of the gallery.
    on_progress : callable
        Called with `Progress` now and then.
    """

    store: Store
    settings: Settings
    searcher: Searcher
    on_progress: ProgressCallback


@dataclass(frozen=True, eq=False)
class Drawn:
    """Which pictures are edited, and how.

    Parameters
    ----------
    pictures : mapping
        The first file of every content that there is, by id.
    too_small : frozenset of int
        Contents that tell nothing because they are too small.
    edits : mapping
        For each content of the sample, the labels of its edits.
    ways : tuple of str
        The ways to ask by.
    seed : int
        Of the sample and the edits.
    """

    pictures: Mapping[int, FoundPicture]
    too_small: frozenset[int]
    edits: Mapping[int, tuple[str, ...]]
    ways: tuple[str, ...]
    seed: int

    @property
    def main_way(self) -> str:
        """The way whose pairs are shown and asked about: the default one, where the gallery has its features."""
        return AUTO if AUTO in self.ways else self.ways[0]


@dataclass(frozen=True, eq=False)
class Ranked:
    """What all copies scored in one way: row n is that of copy n, best first; -1 and nan where there is less."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Asked:
    """What the edited copies were answered with.

    Parameters
    ----------
    drawn : Drawn
        Where they come from.
    sources : int64 array, shape (n,)
        The content that each copy was made of.
    labels : tuple of str, length n
        How each was edited.
    ranked : mapping
        By way.
    too_plain : frozenset of int
        Contents of the sample that were left out because they tell nothing.
    failed : tuple of Failure
        Pictures that could not be read.
    """

    drawn: Drawn
    sources: NDArray[np.int64]
    labels: tuple[str, ...]
    ranked: Mapping[str, Ranked]
    too_plain: frozenset[int]
    failed: tuple[Failure, ...]

    @property
    def chosen(self) -> list[int]:
        """The contents that were edited and could be used."""
        return sorted(set(self.sources.tolist()))


@dataclass(frozen=True)
class Doubt:
    """Two different pictures that score like copies; `relation` is what local features say of them."""

    first: FoundPicture
    second: FoundPicture
    score: float
    relation: Relation


Ask = Callable[[Doubt], bool | None]
"""Asks a person whether two pictures are duplicates; None where they do not know."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Who is no stranger to whom.

    Parameters
    ----------
    relations : mapping
        Of the pairs that were looked at.
    copies, unsettled : frozensets of pairs
        Copies of each other, and those of which nothing can tell; both orders of each pair.
    untelling : frozenset of int
        Contents that are too small or too plain to be told from others.
    doubts : tuple of Doubt
        Strangers that score like copies, of which nobody knew.
    n_asked : int
        Pairs that a person answered for.
    failed : tuple of Failure
        Pictures that could not be read.
    """

    relations: Mapping[Pair, Relation] = field(default_factory=dict)
    copies: frozenset[Pair] = frozenset()
    unsettled: frozenset[Pair] = frozenset()
    untelling: frozenset[int] = frozenset()
    doubts: tuple[Doubt, ...] = ()
    n_asked: int = 0
    failed: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Example:
    """One scored pair of the default way: an edited copy of `source`, and `other`, which is the source or not."""

    source: FoundPicture
    edit: str
    other: FoundPicture
    score: float
    is_copy: bool


@dataclass(frozen=True)
class CalibrationReport:
    """What a calibration found: the record that is kept, and what it was made from.

    Parameters
    ----------
    calibration : Calibration
        What is kept with the gallery.
    samples : mapping
        By way, the scores that it was fitted on.
    examples : tuple of Example
        Every scored pair of the way named by `example_way`.
    example_way : str
        The default way, where the gallery has its features.
    failed : tuple of Failure
        Pictures of the sample that could not be used.
    n_asked : int
        Pairs that a person answered for.
    seconds : float
        How long it took.
    """

    calibration: Calibration
    samples: Mapping[str, Sample]
    examples: tuple[Example, ...]
    example_way: str
    failed: tuple[Failure, ...]
    n_asked: int
    seconds: float
