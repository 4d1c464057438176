"""Proven pairs -> groups with a keeper, in which every member is proven against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lookalike.duplicates.keeper import choose_keeper, parse_rules
from lookalike.duplicates.members import Members
from lookalike.duplicates.proofs import Proofs, pair_of
from lookalike.duplicates.records import Group, Member, Question
from lookalike.media.files import file_identity
from lookalike.media.folders import is_in
from lookalike.records.progress import Progress, ProgressCallback, ignore_progress
from lookalike.records.relation import LADDER
from lookalike.storage.records import FoundPicture

_PREPARED = 32  # contents: of what is related in larger webs each keeper sees but a part


class Grouping:
    """Makes the groups, one keeper after the other, proving on the way what candidates did not name."""

    def __init__(self, proofs: Proofs, members: Members, question: Question) -> None:
        self._proofs = proofs
        self._members = members
        self._question = question
        self._rules = parse_rules(question.rules)
        self._frames = members.frames
        self._near: dict[int, set[int]] = {}  # contents to those they are related to

    def groups(self, on_progress: ProgressCallback = ignore_progress) -> list[Group]:
        """Return the groups: each member is proven against its keeper, so nothing is joined by a chain."""
        if self._question.relation != "same_file":
            self._connect(self._members.related_pairs())
            self._prepare()
        self._proofs.on_progress = ignore_progress  # pairs are worked out a few at a time now
        contents = self._proofs.contents
        rest = set(contents)
        groups: list[Group] = []
        parts: list[tuple[FoundPicture, str, int]] = []
        for content_id in sorted(contents, key=self._order):
            while content_id in rest:  # the keeper may be another one, and not be related to this one
                keeper, why, reached = self._choose(content_id, rest)
                joined = self._without_contradiction(keeper.content_id, reached)
                rest.discard(keeper.content_id)
                if not self._may_keep(keeper):
                    continue
                shown_small = self._parts(keeper.content_id, joined)  # these may have copies of their own
                parts += [(keeper, why, part) for part in sorted(shown_small)]
                joined = [one for one in joined if one not in shown_small]
                groups += self._credited(keeper, why, joined)
                rest.difference_update(joined)
            if content_id in self._near:
                on_progress(Progress("groups", len(contents) - len(rest), len(contents)))
        self._proofs.on_progress = on_progress
        return self._with_parts(groups, parts)

    def _prepare(self) -> None:
        """Find out at once what the choice of most keepers asks, so that no worker waits for another."""
        sets = [self._eligible(one) for one in self._connected() if len(one) <= _PREPARED]
        self._members.prepare_choice([one for one in sets if len(one) > 1])

    def _connected(self) -> Iterator[set[int]]:
        """Yield the sets of contents that are related to each other, maybe through others."""
        rest = set(self._near)
        while rest:
            edge = {rest.pop()}
            found = set(edge)
            while edge:
                edge = {other for one in edge for other in self._near[one]} & rest
                rest -= edge
                found |= edge
            yield found

    def _order(self, content_id: int) -> tuple[int, str]:
        """Sort contents: most pixels first, then by path."""
        files = self._proofs.contents[content_id]
        return -self._frames.n_content_px(files[0]), min(file.path for file in files)

    def _with_parts(self, groups: list[Group], parts: list[tuple[FoundPicture, str, int]]) -> list[Group]:
        """Return the groups with those parts of a keeper's picture that are in no group of their own."""
        listed = {picture.path for group in groups for picture in group.pictures}
        by_keeper = {group.keeper.path: group for group in groups}
        for keeper, why, part in parts:
            files = [file for file in self._proofs.contents[part] if file.path not in listed]
            members = self._members_of(keeper, files)
            if members:
                known = by_keeper.get(
                    keeper.path, Group(keeper, why, (), self._members.witnesses.of(keeper.content_id))
                )
                by_keeper[keeper.path] = replace(known, members=(*known.members, *members))
                listed.update(member.picture.path for member in members)
        return list(by_keeper.values())

    def _connect(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Note that these pairs are related, and what their proofs tell of plain frames."""
        for first, second in pairs:
            self._near.setdefault(first, set()).add(second)
            self._near.setdefault(second, set()).add(first)
            proof = self._proofs.between(first, second)
            if proof is not None:
                self._frames.look(self._proofs.contents[first][0], self._proofs.contents[second][0], proof)

    def _choose(self, content_id: int, rest: set[int]) -> tuple[FoundPicture, str, set[int]]:
        """Return the keeper among a content and what it is related to, why, and what is related to the keeper.

        From the keeper the view may be another one, so the choice is made again until it stays.
        """
        seen: set[int] = set()
        while True:
            seen.add(content_id)
            reached = self._reach(content_id, rest)
            keeper, why = self._choose_among(reached)
            if keeper.content_id in seen:
                break
            content_id = keeper.content_id
        if keeper.content_id != content_id:  # two that would each rather have the other
            reached = self._reach(keeper.content_id, rest)
        return keeper, why, reached

    def _choose_among(self, content_ids: set[int]) -> tuple[FoundPicture, str]:
        eligible = self._eligible(content_ids)
        if len(eligible) > 1:
            self._members.prepare_choice([eligible])
            self._members.descent.look(eligible)
        files = [file for one in eligible for file in self._proofs.contents[one]]
        identities = Counter(file_identity(file.path) for file in files) if len(files) > 1 else Counter()
        keeper, why = choose_keeper(
            [
                self._members.candidate(file, content_ids, identities[file_identity(file.path)])
                for file in files
            ],
            self._rules,
            self._question.protected,
            prefer=self._question.prefer,
            have_equal_tone=self._members.have_equal_tone,
        )
        is_only_one = len(eligible) == 1 < len(content_ids) and len(self._proofs.contents[eligible[0]]) == 1
        return keeper, "others show it small, among other things" if is_only_one else why

    def _reach(self, keeper_id: int, rest: set[int]) -> set[int]:
        """Return a content with all that is related to it: proven against it, and only through what already is.

        What is related to a member, but not to the keeper, leads no further. So a large web of collages costs no
        more than its nearest threads.
        """
        reached, asked, edge = {keeper_id}, {keeper_id}, [keeper_id]
        while edge:
            near = {other for one in edge for other in self._near.get(one, ())}
            next_ones = {other for other in near - asked if other in rest}
            asked |= next_ones
            self._proofs.prove(sorted(pair_of(keeper_id, other) for other in next_ones))
            edge = [other for other in next_ones if self._members.relation(keeper_id, other) is not None]
            self._connect(pair_of(keeper_id, other) for other in edge)
            reached.update(edge)
        return reached

    def _eligible(self, content_ids: set[int]) -> list[int]:
        """Return the contents that can be kept: not those that show another one of them small, among other things.

        A collage has the most pixels, but keeps none of its parts. Where it has copies of its own it is kept for
        these; and where one folder is asked against others the keeper must be in it, whatever it is.
        """
        in_order = sorted(content_ids)
        eligible = [
            one
            for one in in_order
            if not self._parts(one, content_ids)
            or self._has_copies(one, content_ids)
            or (self._question.against is not None and self._is_protected(one))
        ]
        return eligible or in_order

    def _parts(self, content_id: int, content_ids: Iterable[int]) -> set[int]:
        """Return which of these a content shows small, among other things."""
        related = self._near.get(content_id, set()).intersection(content_ids)
        return {other for other in related if self._members.shows_among_others(content_id, other)}

    def _has_copies(self, content_id: int, content_ids: set[int]) -> bool:
        """Whether there is another file, or another one of these contents, that shows the same as a whole."""
        if len(self._proofs.contents[content_id]) > 1:
            return True
        related = self._near.get(content_id, set()) & content_ids
        proofs = [self._proofs.between(content_id, other) for other in related]
        return any(proof is not None and proof.contains == "equal" for proof in proofs)

    def _is_protected(self, content_id: int) -> bool:
        return any(is_in(file.path, self._question.protected) for file in self._proofs.contents[content_id])

    def _without_contradiction(self, keeper_id: int, content_ids: Iterable[int]) -> list[int]:
        """Return the keeper and what is related to it, less what a person has called different from another.

        Of two that are different the one closer to the keeper is in.
        """
        related = {
            other: self._members.relation(keeper_id, other) for other in content_ids if other != keeper_id
        }
        known = [(other, found) for other, found in related.items() if found is not None]
        known.sort(key=lambda one: (LADDER.index(one[1][0]), -one[1][1], self._order(one[0])))
        joined, excluded = [keeper_id], set(self._proofs.called_different(keeper_id))
        for content_id, _ in known:
            if content_id not in excluded:
                joined.append(content_id)
                excluded |= self._proofs.called_different(content_id)
        return joined

    def _credited(self, keeper: FoundPicture, why: str, content_ids: Sequence[int]) -> Iterator[Group]:
        """Yield the group of a keeper; where other files are protected too, one for each with those closest to it.

        Protected files stay anyway, so that nothing is lost by it, and each file is told the closest reason
        to go.
        """
        for kept, pictures in self._credit(keeper, content_ids):
            members = self._members_of(kept, pictures)
            if members:
                yield Group(kept, why, members, self._members.witnesses.of(kept.content_id))

    def _members_of(self, keeper: FoundPicture, pictures: Sequence[FoundPicture]) -> tuple[Member, ...]:
        """Return what these files are to a keeper, closest first, as far as it is proven and asked for."""
        if not self._may_keep(keeper):
            return ()
        pictures = [picture for picture in pictures if not self._is_left_out(picture)]
        self._members.prepare(keeper, pictures)
        found = [self._members.member(keeper, picture) for picture in pictures]
        return _one_name_each(sorted((one for one in found if one is not None), key=_closeness))

    def _credit(
        self, keeper: FoundPicture, content_ids: Sequence[int]
    ) -> list[tuple[FoundPicture, list[FoundPicture]]]:
        """Return the keeper, and the other protected files that are closest to some, each with its files."""
        files = [
            picture
            for content_id in content_ids
            for picture in self._proofs.contents[content_id]
            if picture.path != keeper.path
        ]
        are_protected = [is_in(picture.path, self._question.protected) for picture in files]
        stay = [picture for picture, is_protected in zip(files, are_protected, strict=True) if is_protected]
        if not stay:
            return [(keeper, files)]
        going = [
            picture for picture, is_protected in zip(files, are_protected, strict=True) if not is_protected
        ]
        if self._question.relation != "same_file":
            self._prove_equally_large(stay, going)
        credited: dict[str, list[FoundPicture]] = {}
        for picture in going:
            credited.setdefault(self._closest([keeper, *stay], picture).path, []).append(picture)
        own = [*credited.pop(keeper.path, []), *(picture for picture in stay if picture.path not in credited)]
        return [(keeper, own), *((one, credited[one.path]) for one in stay if one.path in credited)]

    def _prove_equally_large(self, kept: Sequence[FoundPicture], going: Sequence[FoundPicture]) -> None:
        """Work out which of these have equal pixels, where candidates did not name the pair."""
        by_size: dict[tuple[int, int], set[int]] = {}
        for picture in kept:
            by_size.setdefault((picture.width_px, picture.height_px), set()).add(picture.content_id)
        self._proofs.prove(
            sorted(
                {
                    pair_of(picture.content_id, other)
                    for picture in going
                    for other in by_size.get((picture.width_px, picture.height_px), set())
                    if picture.content_id != other
                }
            )
        )

    def _closest(self, keepers: Sequence[FoundPicture], picture: FoundPicture) -> FoundPicture:
        """Return the keeper that a file is closest to; among equals one that lets it go, then the first."""
        members = [(keeper, self._members.member(keeper, picture)) for keeper in keepers]
        known = [(keeper, member) for keeper, member in members if member is not None]
        return min(known, key=lambda one: (*_closeness(one[1])[:1], bool(one[1].note), -one[1].score))[0]

    def _may_keep(self, picture: FoundPicture) -> bool:
        """Whether a file may be a keeper: where one folder is asked against the others, only its files may."""
        return self._question.against is None or is_in(picture.path, [self._question.against])

    def _is_left_out(self, picture: FoundPicture) -> bool:
        """Whether a file is no member: where one folder is asked against the others, its own files are none."""
        return self._question.against is not None and is_in(picture.path, [self._question.against])


def _closeness(member: Member) -> tuple[int, float, str]:
    """Sort members of one group: closest first."""
    return LADDER.index(member.relation), -member.score, member.picture.path


def _one_name_each(members: Sequence[Member]) -> tuple[Member, ...]:
    """Return the members; of one file under several names none goes, for putting away a name frees nothing."""
    identities = [file_identity(member.picture.path) for member in members]
    counts = Counter(identity for identity in identities if identity is not None)
    return tuple(
        replace(member, note="is one file under several names: putting away one of them would free nothing")
        if identity is not None and counts[identity] > 1 and not member.note
        else member
        for member, identity in zip(members, identities, strict=True)
    )
