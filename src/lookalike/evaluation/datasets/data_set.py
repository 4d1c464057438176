"""What a data set is: pictures to search in, queries, and what is right for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lookalike.errors import InputError
from lookalike.media.walk import iter_files

Box = tuple[float, float, float, float]
"""Left, upper, right and lower edge in pixels of the upright picture."""


@dataclass(frozen=True)
class DataSet:
    """Pictures and the ground truth about them.

    All names are paths relative to `root`, written with ``/``, and may lead out of it by ``..``; `path_of`
    gives the file. A query may be in the gallery too; then it is to be left out of its own answer.

    Parameters
    ----------
    name : str
        For tables: the name of the folder or file it was read from.
    root : str
        Absolute path of the folder that names are relative to.
    gallery : tuple of str
        The pictures to search in, sorted, each once.
    queries : tuple of str
        Sorted, each once.
    positives : mapping of query to frozenset
        The right answers, all of them in the gallery and never the query itself; empty for a query
        that has none.
    ignored : mapping of query to frozenset
        Neither right nor wrong: to be taken out of the answer before it is judged.
    edits : mapping of query to str
        The label of the edit that made it, where that is known.
    boxes : mapping of query to Box
        The part of the picture that is asked about, where it is not the whole.
    """

    name: str
    root: str
    gallery: tuple[str, ...]
    queries: tuple[str, ...]
    positives: Mapping[str, frozenset[str]]
    ignored: Mapping[str, frozenset[str]] = field(default_factory=dict)
    edits: Mapping[str, str] = field(default_factory=dict)
    boxes: Mapping[str, Box] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.gallery or not self.queries:
            missing = "picture to search in" if not self.gallery else "query"
            raise InputError(f"The data set {self.name} has no {missing}.")
        if len(set(self.queries)) != len(self.queries) or len(set(self.gallery)) != len(self.gallery):
            raise InputError(f"The data set {self.name} names a picture twice among its queries or gallery.")
        for mapping in (self.positives, self.ignored, self.edits, self.boxes):
            if strangers := set(mapping) - set(self.queries):
                raise InputError(
                    f"The data set {self.name} knows something of {min(strangers)}, which is no query."
                )
        self._check_positives()

    def _check_positives(self) -> None:
        if isinstance(self.positives, OthersOfGroup):
            return  # right by how it is made, and too much to look at one by one
        gallery = frozenset(self.gallery)
        for query in self.queries:
            if query not in self.positives:
                raise InputError(f"The data set {self.name} does not say what is right for {query}.")
            positives = self.positives[query]
            if query in positives or not positives <= gallery:
                raise InputError(
                    f"A positive of {query} in the data set {self.name} is the query itself, or not in the gallery."
                )

    def path_of(self, name: str) -> str:
        """Return the absolute path of a picture of the gallery or of a query."""
        return os.path.normpath(os.path.join(self.root, name))

    @property
    def n_without_positives(self) -> int:
        """How many queries have no right answer."""
        return sum(not self.positives[query] for query in self.queries)


class OthersOfGroup(Mapping[str, frozenset[str]]):
    """For each member of some groups, the other members of its group.

    It is worked out when asked, for a class of 10,000 pictures would hold 100 million names.

    Parameters
    ----------
    groups : iterable of sets
        No name may be in two of them.
    """

    def __init__(self, groups: Iterable[frozenset[str]]) -> None:
        self._group = {name: group for group in groups for name in group}

    def __getitem__(self, query: str) -> frozenset[str]:
        return self._group[query] - {query}

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __len__(self) -> int:
        return len(self._group)


def grouped(
    name: str, root: Path, groups: Mapping[str, Iterable[str]], *, distractors: Iterable[str] = ()
) -> DataSet:
    """Return the data set in which every member of a group asks for the others of its group."""
    sets = [frozenset(members) for members in groups.values()]
    queries = tuple(sorted(member for members in sets for member in members))
    gallery = tuple(sorted({*queries, *distractors}))
    return DataSet(name, str(root), gallery, queries, OthersOfGroup(sets))


def list_pictures(root: Path) -> list[str]:
    """Return all pictures under a folder as names relative to it, sorted; hidden ones are left out."""
    return sorted(Path(os.path.relpath(found.path, root)).as_posix() for found in iter_files([root]))


def relative_name(root: Path, written: str) -> str:
    """Return a path as it is written in a table beside the pictures as a name of the data set."""
    path = os.path.normpath(os.path.join(root, written))
    try:
        return Path(os.path.relpath(path, root)).as_posix()
    except ValueError:  # another drive of Windows
        return Path(path).as_posix()
