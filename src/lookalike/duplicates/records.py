"""What is asked of a search for duplicates, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from lookalike.duplicates.keeper import DEFAULT_RULES, parse_rules
from lookalike.errors import InputError
from lookalike.records.failure import Failure
from lookalike.records.metadata import NOTHING_SAID, Metadata
from lookalike.records.proof import Proof
from lookalike.records.relation import LADDER, Relation
from lookalike.storage.records import FoundPicture


@dataclass(frozen=True)
class Question:
    """What is asked of `find_duplicates`.

    Parameters
    ----------
    relation : Relation           report this relation or closer
    against : folder or None      only groups that join a file of this folder with files elsewhere; its files
                                  are kept
    protect : folders             whose files are never proposed to go
    rules : names                 how to choose the keeper, see `lookalike.duplicates.keeper.RULES`
    min_proof : float             leave out what is proven less surely, see `Proof.score`; 0 lets all through
    prefer : folders              whose files are kept before others, those of the first folder first
    """

    relation: Relation = "copy"
    against: str | None = None
    protect: tuple[str, ...] = ()
    rules: tuple[str, ...] = DEFAULT_RULES
    min_proof: float = 0.0
    prefer: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.relation not in LADDER[:-1]:
            raise InputError(f"there is no relation {self.relation!r}; choose from {', '.join(LADDER[:-1])}.")
        parse_rules(self.rules)

    @property
    def protected(self) -> tuple[str, ...]:
        """All folders whose files stay."""
        return self.protect if self.against is None else (*self.protect, self.against)

    def includes(self, relation: str) -> bool:
        """Whether a relation is asked for: the one named, or closer on the ladder."""
        return relation in LADDER[: LADDER.index(self.relation) + 1]


class Companion(NamedTuple):
    """A file that goes with a member it belongs to, and the file of equal bytes that belongs to the keeper."""

    path: str
    size_bytes: int
    digest: bytes
    keeper: str


@dataclass(frozen=True)
class Member:
    """One file of a group, beside its keeper.

    Parameters
    ----------
    picture : FoundPicture
    relation : Relation       to the keeper
    score : float             1 for equal bytes or pixels, else the agreement of the overlap, 0 to 1
    proof : Proof             how it is known; first is the keeper
    is_covered : bool         whether the keeper shows all of it, in no less detail: only then may it go
    note : str                why it is not covered, or why it must stay; empty where it may go
    said : Metadata           what the file says beside its pixels
    lacking : kinds           of what it says, those that the keeper does not say: see `WITNESSES`
    may_carry : bool          whether it may go once these were brought over to the keeper
    companions : tuple of Companion    the files that go with it
    n_links : int             names that this one file has, here and elsewhere
    """

    picture: FoundPicture
    relation: Relation
    score: float
    proof: Proof
    is_covered: bool
    note: str = ""
    said: Metadata = NOTHING_SAID
    lacking: tuple[str, ...] = ()
    may_carry: bool = False
    companions: tuple[Companion, ...] = ()
    n_links: int = 1

    @property
    def n_bytes_saved(self) -> int:
        """Bytes that it frees, with what goes with it: nothing of a file that has other names."""
        if self.note or self.n_links > 1:
            return 0
        return self.picture.size_bytes + sum(one.size_bytes for one in self.companions)


@dataclass(frozen=True)
class Group:
    """Files that are one picture: the keeper, why it, the others, closest first, and what the keeper says."""

    keeper: FoundPicture
    why: str
    members: tuple[Member, ...]
    said: Metadata = NOTHING_SAID

    @property
    def pictures(self) -> tuple[FoundPicture, ...]:
        """All files: the keeper, then the members."""
        return self.keeper, *(member.picture for member in self.members)

    @property
    def relation(self) -> Relation:
        """The weakest relation of a member to the keeper."""
        return max((member.relation for member in self.members), key=LADDER.index)

    @property
    def n_bytes_saved(self) -> int:
        """Bytes of the members that may go."""
        return sum(member.n_bytes_saved for member in self.members)


@dataclass(frozen=True)
class DuplicatesReport:
    """The groups, largest gain first; how many pairs were compared; what could not be read."""

    groups: tuple[Group, ...]
    n_compared: int
    failed: tuple[Failure, ...]
    seconds: float

    @property
    def n_members(self) -> int:
        """How many files there are beside those to keep."""
        return sum(len(group.members) for group in self.groups)

    @property
    def n_staying(self) -> int:
        """How many of the members stay nevertheless."""
        return sum(bool(member.note) for group in self.groups for member in group.members)
