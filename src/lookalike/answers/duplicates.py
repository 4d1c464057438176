"""Duplicates and the plans made of them, as JSON has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from lookalike.acting.plan import Act, Plan, PlannedAct
from lookalike.answers.pictures import PictureFacts
from lookalike.duplicates.records import DuplicatesReport, Group, Member
from lookalike.records.failure import Failure, Remark
from lookalike.records.metadata import NOTHING_SAID, Metadata
from lookalike.records.proof import Proof
from lookalike.records.relation import Relation


@dataclass(frozen=True)
class MemberAnswer:
    """One file beside the one to keep; `note` says why it stays where it is not `removable`.

    `said` is what it says beside its pixels, `lacking` what of that the keeper does not, and `may_carry` whether it
    may go once that was brought over. `companions` are the files that go with it.
    """

    path: str
    relation: Relation
    score: float
    proof: Proof
    removable: bool
    note: str
    size_bytes: int
    said: Metadata = NOTHING_SAID
    lacking: tuple[str, ...] = ()
    may_carry: bool = False
    companions: tuple[str, ...] = ()

    @classmethod
    def of(cls, member: Member) -> MemberAnswer:
        """Return a member as it is printed."""
        return cls(
            path=member.picture.path,
            relation=member.relation,
            score=round(member.score, 4),
            proof=member.proof,
            removable=not member.note,
            note=member.note,
            size_bytes=member.picture.size_bytes,
            said=member.said,
            lacking=member.lacking,
            may_carry=member.may_carry,
            companions=tuple(one.path for one in member.companions),
        )


@dataclass(frozen=True)
class GroupAnswer:
    """Files that are one picture: the keeper's path, why it stays, and the others."""

    relation: Relation
    keeper: str
    why: str
    members: tuple[MemberAnswer, ...]
    saved_bytes: int
    keeper_said: Metadata = NOTHING_SAID

    @classmethod
    def of(cls, group: Group) -> GroupAnswer:
        """Return a group as it is printed."""
        return cls(
            relation=group.relation,
            keeper=group.keeper.path,
            why=group.why,
            members=tuple(MemberAnswer.of(member) for member in group.members),
            saved_bytes=group.n_bytes_saved,
            keeper_said=group.said,
        )


@dataclass(frozen=True)
class DuplicatesAnswer:
    """What `duplicates --json` prints."""

    groups: tuple[GroupAnswer, ...]
    compared: int
    failed: tuple[Failure, ...]
    seconds: float

    @classmethod
    def of(cls, report: DuplicatesReport) -> DuplicatesAnswer:
        """Return a report as it is printed."""
        return cls(
            groups=tuple(GroupAnswer.of(group) for group in report.groups),
            compared=report.n_compared,
            failed=tuple(report.failed),
            seconds=round(report.seconds, 3),
        )


@dataclass(frozen=True, kw_only=True)
class ReviewedMember(PictureFacts):
    """A `MemberAnswer` with the facts of its picture."""

    relation: Relation
    score: float
    proof: Proof
    removable: bool
    note: str
    said: Metadata = NOTHING_SAID
    lacking: tuple[str, ...] = ()
    may_carry: bool = False
    companions: tuple[str, ...] = ()

    @classmethod
    def of_member(cls, member: Member) -> ReviewedMember:
        """Return a member with its facts."""
        facts = vars(PictureFacts.of([member.picture]))
        return cls(**{**facts, **vars(MemberAnswer.of(member))})

    def member(self) -> Member:
        """Return the member."""
        return Member(
            self.found(),
            self.relation,
            self.score,
            self.proof,
            is_covered=self.removable,
            note=self.note,
            said=self.said,
            lacking=self.lacking,
            may_carry=self.may_carry,
        )


@dataclass(frozen=True)
class DecisionAnswer:
    """What was decided about a group.

    Parameters
    ----------
    number : int
        Of the group in the report.
    state : str or None
        ``accepted``, ``apart`` (none of them is a duplicate), ``done`` (its files were put away), or None.
    keeper : str
        The path that stays.
    apart, gone : sequence of str
        The paths that were said not to be duplicates, and those that were put away.
    """

    number: int
    state: str | None
    keeper: str
    apart: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True)
class DecidedAnswer:
    """How many groups of a report are in which state, and how many bytes that is, after a revision."""

    revision: int
    n_accepted: int
    accepted_bytes: int
    n_done: int
    done_bytes: int
    n_apart: int
    n_open: int
    left_bytes: int


@dataclass(frozen=True)
class DecisionsAnswer(DecidedAnswer):
    """What was decided about the groups of a report."""

    groups: tuple[DecisionAnswer, ...]


@dataclass(frozen=True)
class ReviewedGroup:
    """A group with the facts of every file; `number` is that of the group in the whole report."""

    number: int
    relation: Relation
    keeper: PictureFacts
    why: str
    saved_bytes: int
    members: tuple[ReviewedMember, ...]
    decision: DecisionAnswer | None = None
    keeper_said: Metadata = NOTHING_SAID

    @classmethod
    def of(cls, group: Group, number: int) -> ReviewedGroup:
        """Return a group with its facts."""
        return cls(
            number=number,
            relation=group.relation,
            keeper=PictureFacts.of([group.keeper]),
            why=group.why,
            saved_bytes=group.n_bytes_saved,
            members=tuple(ReviewedMember.of_member(member) for member in group.members),
            keeper_said=group.said,
        )

    def group(self) -> Group:
        """Return the group."""
        return Group(self.keeper.found(), self.why, tuple(member.member() for member in self.members))


@dataclass(frozen=True)
class ReviewAnswer:
    """Some of the groups of the last report, as the files are now: what was put away since is left out.

    Parameters
    ----------
    report_id : str or None
        None where no duplicates were looked for yet; then there is nothing of the report.
    groups : sequence of ReviewedGroup
    offset, total_groups, total_saved_bytes : int
        Where the groups lie, and what there is in all.
    made_at, compared, failed, seconds, protect
        Of the report.
    decided : DecidedAnswer or None
        What was decided of it.
    n_added_since : int
        How many pictures were added since, which it does not know.
    """

    report_id: str | None
    groups: tuple[ReviewedGroup, ...]
    offset: int
    total_groups: int
    total_saved_bytes: int
    made_at: str = ""
    compared: int = 0
    failed: tuple[Failure, ...] = ()
    seconds: float = 0.0
    protect: tuple[str, ...] = ()
    decided: DecidedAnswer | None = None
    n_added_since: int = 0


@dataclass(frozen=True)
class PlannedRemoval:
    """One file that is to go, and the one that stays for it; the fields of a `PlannedAct`, and its id."""

    path: str
    keeper: str
    relation: str
    why: str
    size_bytes: int
    digest: str = ""
    keeper_digest: str = ""
    belongs_to: str = ""
    carry: tuple[str, ...] = ()
    id: int | None = None

    @classmethod
    def of(cls, act: PlannedAct) -> PlannedRemoval:
        """Return an act of a plan as it is shown."""
        return cls(**{name: value for name, value in vars(act).items() if name != "act"})

    def planned(self, act: Act) -> PlannedAct:
        """Return the act of a plan."""
        return PlannedAct(act, **{name: value for name, value in vars(self).items() if name != "id"})


@dataclass(frozen=True)
class PlanAnswer:
    """What a plan would do, and what of the wishes it leaves out.

    Parameters
    ----------
    id : str
    act : str or None
        None where nothing is to be done.
    created_at : str
    quarantine : str or None
    n_files, saved_bytes : int
    removals : sequence of PlannedRemoval
    left_out : sequence of Remark
    """

    id: str
    act: str | None
    created_at: str
    quarantine: str | None
    n_files: int
    saved_bytes: int
    removals: tuple[PlannedRemoval, ...]
    left_out: tuple[Remark, ...]

    @classmethod
    def of(cls, plan_id: str, plan: Plan, left_out: Sequence[Remark]) -> PlanAnswer:
        """Return a plan as it is shown."""
        return cls(
            id=plan_id,
            act=plan.acts[0].act if plan.acts else None,
            created_at=plan.created_at,
            quarantine=plan.quarantine,
            n_files=len(plan.acts),
            saved_bytes=sum(act.size_bytes for act in plan.acts),
            removals=tuple(PlannedRemoval.of(act) for act in plan.acts),
            left_out=tuple(left_out),
        )

    def plan(self, gallery: str) -> Plan:
        """Return the plan, noting for a person which gallery it is for."""
        act = cast("Act", self.act)  # None only where there are no removals
        acts = tuple(one.planned(act) for one in self.removals)
        return Plan(acts, self.created_at, gallery, self.quarantine)
