"""What lies on a disk that is away: told by what is kept of it. Nothing of it goes, nor anything for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from lookalike.duplicates.proofs import Proofs
from lookalike.duplicates.records import Group, Member, Question
from lookalike.media.folders import is_in
from lookalike.records.proof import Proof
from lookalike.records.relation import Relation
from lookalike.storage.records import FoundPicture

_WHY_ALONE = "the only one that is there"
_WHY_AGAINST = "in the folder that is asked against, which is away"
_NOTE = "is on a disk or in a folder that is away now"
_NOTE_AGAINST = "the keeper is away now: bring it back before this one goes"


class _Absent(NamedTuple):
    """A file that is away, and what it is to a content that is there; the first of the proof is the latter."""

    picture: FoundPicture
    relation: Relation
    score: float
    proof: Proof


def with_away(groups: Sequence[Group], proofs: Proofs, question: Question) -> list[Group]:
    """Return the groups with the files of places that are away beside those that are there.

    What is there and has copies nowhere else gets a group of its own. Where the folder that is asked against is
    away, its files are the keepers, and what is there stays until they can be looked at.
    """
    absent = _absent(proofs, question)
    if question.against is not None:
        return [*groups, *_against(absent, proofs, question.against)]
    found = []
    for group in groups:
        more = [one for picture in group.pictures for one in _beside(group, picture, absent)]
        found.append(replace(group, members=(*group.members, *more)))
    grouped = {picture.content_id for group in groups for picture in group.pictures}
    for content_id, others in absent.items():
        if content_id not in grouped:
            members = tuple(_member(one, one.picture, _NOTE) for one in others)
            found.append(Group(proofs.contents[content_id][0], _WHY_ALONE, members))
    return found


def _absent(proofs: Proofs, question: Question) -> dict[int, list[_Absent]]:
    """Return what is away of the same pictures, by the content that is there."""
    absent: dict[int, list[_Absent]] = {}
    for content_id in proofs.away.keys() & proofs.contents.keys():
        for picture in proofs.away[content_id]:
            proof = Proof("same_file", "digest", contains="equal", digest=picture.digest.hex())
            absent.setdefault(content_id, []).append(_Absent(picture, "same_file", 1.0, proof))
    for here, there, proof in proofs.with_away():
        if question.includes(proof.relation) and proof.score >= question.min_proof:
            found = (_Absent(one, proof.relation, proof.agreement, proof) for one in proofs.away[there])
            absent.setdefault(here, []).extend(found)
    return absent


def _beside(group: Group, picture: FoundPicture, absent: dict[int, list[_Absent]]) -> Iterator[Member]:
    """Yield what is away of one file of a group, each once: beside a member only files with its very bytes."""
    if picture.content_id == group.keeper.content_id:
        if picture is group.keeper:
            yield from (_member(one, one.picture, _NOTE) for one in absent.get(picture.content_id, ()))
        return
    own = next(one for one in group.members if one.picture.content_id == picture.content_id)
    if own.picture is picture:
        for one in absent.get(picture.content_id, ()):
            if one.relation == "same_file":
                yield Member(one.picture, own.relation, own.score, own.proof, False, _NOTE)


def _against(absent: dict[int, list[_Absent]], proofs: Proofs, folder: str) -> Iterator[Group]:
    """Yield a group for each file that is away in a folder, with what is there and lies elsewhere."""
    members: dict[FoundPicture, list[Member]] = {}
    for content_id, others in absent.items():
        outside = [file for file in proofs.contents[content_id] if not is_in(file.path, [folder])]
        for one in others:
            if is_in(one.picture.path, [folder]):
                members.setdefault(one.picture, []).extend(_turned(one, outside))
    for keeper, found in members.items():
        if found:
            yield Group(keeper, _WHY_AGAINST, tuple(found))


def _turned(one: _Absent, pictures: Iterable[FoundPicture]) -> Iterator[Member]:
    for picture in pictures:
        sizes = (picture.width_px, picture.height_px), (one.picture.width_px, one.picture.height_px)
        yield _member(one._replace(proof=one.proof.turned(*sizes)), picture, _NOTE_AGAINST)


def _member(one: _Absent, picture: FoundPicture, note: str) -> Member:
    return Member(picture, one.relation, one.score, one.proof, False, note)
