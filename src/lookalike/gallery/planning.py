"""A report on duplicates -> the plan of what may go."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import cast

from lookalike.acting.plan import Act, Plan, Removal, make_plan
from lookalike.duplicates.records import DuplicatesReport, Member
from lookalike.media.files import absolute_path
from lookalike.storage.records import FoundPicture

_ACTS_ON_ANY_COPY = ("trash", "quarantine")  # the others need a keeper of equal bytes


def plan_of_report(
    report: DuplicatesReport, *, act: str, quarantine: str | os.PathLike[str] | None, gallery: str
) -> Plan:
    """Return what would be done with the members that may go; see `lookalike.api.Gallery.write_plan`."""
    removals = removals_of(
        (group.keeper, member, group.why)
        for group in report.groups
        for member in group.members
        if _may_go(member) and (act in _ACTS_ON_ANY_COPY or member.relation == "same_file")
    )
    return plan_of_removals(removals, act=act, quarantine=quarantine, gallery=gallery)


def plan_of_removals(
    removals: Sequence[Removal], *, act: str, quarantine: str | os.PathLike[str] | None, gallery: str
) -> Plan:
    """Return a plan that does the same to every file.

    Raises
    ------
    InputError
        An unknown act, a quarantine without its folder, or a file that the act would lose.
    """
    return make_plan(
        removals,
        act=cast("Act", act),  # checked there
        gallery=gallery,
        quarantine=None if quarantine is None else absolute_path(quarantine),
    )


def _may_go(member: Member) -> bool:
    """Whether a member may go, be it only once what it says was brought over to the keeper."""
    return not member.note or member.may_carry


def removals_of(going: Iterable[tuple[FoundPicture, Member, str]]) -> list[Removal]:
    """Return what is to go, each file once: members, and after each the files that belong to it."""
    found: dict[str, Removal] = {}
    for keeper, member, why in going:
        found.setdefault(member.picture.path, _removal(keeper, member, why))
        for one in member.companions:
            belongs = Removal(
                path=one.path,
                digest=one.digest,
                size_bytes=one.size_bytes,
                keeper=one.keeper,
                keeper_digest=one.digest,
                relation="same_file",
                why=f"belongs to {member.picture.path}",
                belongs_to=member.picture.path,
            )
            found.setdefault(one.path, belongs)
    return list(found.values())


def _removal(keeper: FoundPicture, member: Member, why: str) -> Removal:
    picture = member.picture
    return Removal(
        path=picture.path,
        digest=picture.digest,
        size_bytes=picture.size_bytes,
        keeper=keeper.path,
        keeper_digest=keeper.digest,
        relation=member.relation,
        why=why,
        carry=member.lacking if member.may_carry else (),
    )
