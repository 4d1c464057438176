"""Two files -> what one is to the other as its keeper, and whether it may go."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from lookalike.duplicates.belongings import find_companions
from lookalike.duplicates.descent import Descent
from lookalike.duplicates.frames import Frames
from lookalike.duplicates.keeper import MUCH_LESS_COMPRESSED, Candidate, bytes_per_pixel, n_pixels
from lookalike.duplicates.proofs import Pair, Proofs, pair_of
from lookalike.duplicates.records import Member, Question
from lookalike.duplicates.series import numbered_apart, taken_apart
from lookalike.duplicates.surroundings import Surroundings
from lookalike.duplicates.tone import Tones
from lookalike.duplicates.witnesses import Witnesses
from lookalike.features.color import HSV_BINS, N_HSV, unpack_histograms
from lookalike.media.files import file_identity
from lookalike.media.folders import is_in
from lookalike.media.units import Units
from lookalike.records.arrays import UInt8Array
from lookalike.records.geometry import WHOLE, area_of
from lookalike.records.metadata import CARRIED_FORMATS, lacking
from lookalike.records.proof import Polygon, Proof
from lookalike.records.recipe import Recipe
from lookalike.records.relation import Relation
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store

SIMILAR_COSINE = 0.8  # of different photos 1 pair in 1,000 reaches 0.78
MIN_KEPT_DETAIL = 0.9  # a keeper that shows a member at less than this scale would lose detail
LARGER = 1.2  # a keeper that shows a member so much larger makes up for stronger compression
MAX_GREY_SHARE = 0.02  # of pixels with a colour, in a picture that counts as grey
MAX_COPIES_ASKED = 8  # which tone is the usual one: each takes a millisecond or two
MAX_SLANT_DEGREES = 45  # beyond, a picture lies on its side
MAX_PART = 0.5  # of the area of a picture that shows another small, among other things

Related = tuple[Relation, float, Proof]  # relation, score, proof; the keeper is its first


class Members:
    """Tells what files are to their keepers, by what is proven, what a person said, and what the question asks.

    Parameters
    ----------
    store : Store
    proofs : Proofs
    question : Question
    cosines : of the embeddings of pairs, as far as they were computed
    """

    def __init__(
        self, store: Store, proofs: Proofs, question: Question, cosines: Mapping[Pair, float] | None = None
    ) -> None:
        self._store = store
        self._proofs = proofs
        self._question = question
        self._tones = Tones(proofs.keypoints_of)
        self._surroundings = Surroundings(self._view_of)
        self.frames = Frames(self._view_of)
        self.witnesses = Witnesses(store, proofs)
        self.descent = Descent(
            store,
            proofs,
            self.witnesses,
            proof_of=self._proof_of,
            have_equal_tone=self.have_equal_tone,
            n_content_px=self.frames.n_content_px,
        )
        self._units = Units()
        self._cosines = cosines or {}
        self._color_recipes = [Recipe.from_text(text) for text in store.features.recipes("hsv")]

    def related_pairs(self) -> list[Pair]:
        """Return the pairs between which there is a relation that is asked for."""
        pairs = {*self._proofs.pairs(), *self._cosines, *self._proofs.verdicts}
        return [pair for pair in sorted(pairs) if self.relation(*pair) is not None]

    def relation(self, keeper_id: int, other_id: int) -> Related | None:
        """Return what one content is to another, if it is asked for; a person's word goes before proofs."""
        pair = pair_of(keeper_id, other_id)
        verdict = self._proofs.verdicts.get(pair)
        if verdict is not None:
            said = Proof("copy", "verdict", transform="none", contains="equal")
            return ("copy", 1.0, said) if verdict and self._question.includes("copy") else None
        proof = self._proofs.between(*pair)
        if proof is not None and proof.score < self._question.min_proof:
            return None
        if proof is not None and self._question.includes(proof.relation):
            if keeper_id > other_id:
                first, second = (self._proofs.contents[content_id][0] for content_id in pair)
                sizes = (first.width_px, first.height_px), (second.width_px, second.height_px)
                proof = proof.turned(*sizes)
            return proof.relation, proof.agreement, proof
        return self._opinion(pair)

    def _opinion(self, pair: Pair) -> Related | None:
        """Return `similar` where that is asked for and the embedding says so."""
        cosine = self._cosines.get(pair, float("nan"))
        is_asked = self._question.includes("similar") and not self._question.min_proof
        if not is_asked or not cosine >= SIMILAR_COSINE:
            return None
        return "similar", cosine, Proof("similar", "embedding", cosine=round(cosine, 4))

    def _view_of(self, content_id: int) -> UInt8Array | None:
        keypoints = self._proofs.keypoints_of(content_id)
        return None if keypoints is None else keypoints.view

    def _proof_of(self, first_id: int, second_id: int) -> Proof | None:
        """Return the proof of two contents in this order, as far as it was worked out."""
        proof = self._proofs.between(first_id, second_id)
        if proof is None or first_id < second_id:
            return proof
        first, second = (self._proofs.contents[one][0] for one in pair_of(first_id, second_id))
        return proof.turned((first.width_px, first.height_px), (second.width_px, second.height_px))

    def shows_among_others(self, content_id: int, other_id: int) -> bool:
        """Whether a content shows another one whole among other things: a collage, a screenshot, a page."""
        proof = self._proof_of(content_id, other_id)
        if proof is None or proof.relation != "copy" or proof.matrix is None or proof.contains != "first":
            return False
        picture, other = (self._proofs.contents[one][0] for one in (content_id, other_id))
        part = area_of(np.array(proof.overlap_first)) / n_pixels(picture)
        if _least_scale(proof) < MIN_KEPT_DETAIL and part < MAX_PART:
            return True
        if self.frames.n_content_px(picture) < WHOLE * n_pixels(picture):
            return False  # a plain frame shows nothing else
        return self._surroundings.is_laid_in(picture, other.content_id, proof.overlap_first)

    def candidate(self, picture: FoundPicture, others: Collection[int], n_links: int) -> Candidate:
        """Return a picture with what speaks for keeping it, among the contents it is related to."""
        content_id = picture.content_id
        unit = self._units.of(picture.path)
        beyond = self._proofs.beyond_of(content_id)
        more = tuple(os.path.splitext(path)[1].lstrip(".").upper() for path in unit.contents)
        return Candidate(
            picture,
            self.descent.n_shown_px(picture),
            usualness=partial(self.usualness, content_id, others),
            made_from=self.descent.sources_of(content_id),
            holds=(*(() if beyond is None else beyond.words), *more),
            said=self.witnesses.of(content_id),
            n_links=n_links,
        )

    def usualness(self, content_id: int, others: Iterable[int]) -> int:
        """Tell whether a content is as bright, coloured, sharp and noisy as its copies among others.

        The first few copies are asked, in the order of their ids.

        Returns
        -------
        int    2 where it is as half of them or more, 1 as at least one of them, 0 as none
        """
        related = (
            (other, self.relation(content_id, other)) for other in sorted(others) if other != content_id
        )
        copies = (
            (other, found[2]) for other, found in related if found and found[0] in ("copy", "same_pixels")
        )
        alike = [self._tones.are_alike(content_id, *copy) for copy in islice(copies, MAX_COPIES_ASKED)]
        return 2 if 2 * sum(alike) >= len(alike) else int(any(alike))

    def have_equal_tone(self, first: FoundPicture, second: FoundPicture) -> bool:
        """Whether two files are proven to be one picture, unedited; False where that is not known."""
        if first.content_id == second.content_id:
            return True
        related = self.relation(first.content_id, second.content_id)
        if related is None or related[2].matrix is None:
            return related is not None and related[0] == "same_pixels"
        return related[0] in ("copy", "same_pixels") and not self._tones.words(
            first.content_id, second.content_id, related[2]
        )

    def prepare_choice(self, sets: Sequence[Sequence[int]]) -> None:
        """Find out at once what the choice of a keeper will ask of each of these sets of contents."""
        everyone = {content_id for one in sets for content_id in one}
        self.witnesses.hear(everyone)
        self._proofs.look_beyond(everyone)
        self.descent.prepare(sets)

    def prepare(self, keeper: FoundPicture, pictures: Sequence[FoundPicture]) -> None:
        """Find out at once, by all worker processes, what `member` will ask of these files."""
        self.witnesses.hear({keeper.content_id, *(picture.content_id for picture in pictures)})
        larger = []
        for picture in pictures:
            related = self.relation(keeper.content_id, picture.content_id)
            if related is None or related[0] != "copy" or related[2].matrix is None:
                continue
            if _least_scale(related[2]) < MIN_KEPT_DETAIL:
                larger.append(pair_of(keeper.content_id, picture.content_id))
        self.descent.measure(larger)

    def member(self, keeper: FoundPicture, picture: FoundPicture) -> Member | None:
        """Return what a file is to a keeper, as far as it is proven; None also where the file is gone meanwhile."""
        if file_identity(picture.path) is None:
            self._proofs.note_gone(picture.path)
            return None
        if picture.content_id == keeper.content_id:
            proof = Proof("same_file", "digest", contains="equal", digest=picture.digest.hex())
            return self._member(keeper, picture, ("same_file", 1.0, proof))
        related = self.relation(keeper.content_id, picture.content_id)
        return None if related is None else self._member(keeper, picture, related)

    def look_beyond(self, pairs: Sequence[tuple[FoundPicture, Member]]) -> list[Member]:
        """Return the members, beside their keepers, with a note where one holds what no comparing sees.

        Opacity, depth, a film and the like, what it says beside its pixels, and the files that belong to it, if the
        keeper lacks them.
        """
        members = [member for _, member in pairs]
        self._note_what_is_beyond(pairs, members)
        for place, (keeper, _) in enumerate(pairs):
            members[place] = self._with_belongings(keeper, self._with_witnesses(keeper, members[place]))
        return members

    def _with_witnesses(self, keeper: FoundPicture, member: Member) -> Member:
        """Return a member with what it says beside its pixels; what the keeper does not say is a reason to stay."""
        said = self.witnesses.of(member.picture.content_id)
        if member.relation == "same_file":
            return replace(member, said=said)
        lacks = lacking(self.witnesses.of(keeper.content_id), said)
        member = replace(member, said=said, lacking=lacks)
        if member.note or not lacks:
            return member
        may_carry = keeper.format in CARRIED_FORMATS
        note = f"says what the keeper does not: {', '.join(lacks)}"
        return replace(
            member,
            note=f"{note} (`apply --carry-metadata` brings it over)" if may_carry else note,
            may_carry=may_carry,
        )

    def _with_belongings(self, keeper: FoundPicture, member: Member) -> Member:
        """Return a member with the files that go with it, or with a note where they cannot."""
        if member.note and not member.may_carry:
            return member
        found = find_companions(self._units.of(member.picture.path), keeper.path, self._units.of(keeper.path))
        if isinstance(found, str):
            return replace(member, note=found, is_covered=False, may_carry=False)
        return replace(member, companions=found)

    def _note_what_is_beyond(
        self, pairs: Sequence[tuple[FoundPicture, Member]], members: list[Member]
    ) -> None:
        """Let those stay that hold what no comparing sees, and their keeper lacks: opacity, depth, a film."""
        places = [place for place, one in enumerate(members) if not one.note and one.relation != "same_file"]
        asked = {picture.content_id for i in places for picture in (pairs[i][0], members[i].picture)}
        self._proofs.look_beyond(asked)
        for place in places:
            held = self._proofs.beyond_of(members[place].picture.content_id)
            keeper_holds = self._proofs.beyond_of(pairs[place][0].content_id)
            if held is None or keeper_holds is None:
                note = "could not be read once more"
            elif held.n_pictures > 1:
                note = f"holds {held.n_pictures} pictures, of which only the first was compared"
            else:
                more = held.beside(keeper_holds)
                note = f"holds {' and '.join(more)}, which the keeper lacks" if more else ""
            if note:
                members[place] = replace(members[place], is_covered=False, note=note)

    def _member(self, keeper: FoundPicture, picture: FoundPicture, related: Related) -> Member:
        relation, score, proof = related
        note = ""
        if relation not in ("same_file", "same_pixels"):
            note = self._what_would_be_lost(relation, proof, keeper, picture)
            if not note and self._is_grey(keeper) and not self._is_grey(picture):
                note = "has colours, and the keeper is grey"
            if not note and proof.matrix is not None:
                words = self._tones.words(keeper.content_id, picture.content_id, proof)
                note = f"was edited: {' and '.join(words)} than the keeper" if words else ""
            if not note and proof.method != "verdict" and self._is_less_compressed(proof, keeper, picture):
                note = "is much less compressed than the keeper"
            if not note and proof.method != "verdict":
                note = self._another_shot(keeper, picture)
        is_covered = not note
        if is_in(picture.path, self._question.protected):
            note = "in a protected folder"
        elif file_identity(picture.path) == file_identity(keeper.path):
            note = "is the keeper's file under another name already"
        return Member(picture, relation, score, proof, is_covered, note, n_links=count_links(picture.path))

    def _another_shot(self, keeper: FoundPicture, picture: FoundPicture) -> str:
        """Say why two files are two shots, however much they look alike; empty where nothing says so."""
        said = (self.witnesses.of(file.content_id) for file in (keeper, picture))
        taken = taken_apart(keeper.path, picture.path, *said)
        is_made = self.descent.is_made_from(
            picture.content_id, keeper.content_id
        ) or self.descent.is_made_from(keeper.content_id, picture.content_id)
        if taken or is_made or (keeper.width_px, keeper.height_px) != (picture.width_px, picture.height_px):
            return taken
        return numbered_apart(keeper.path, picture.path)

    def _what_would_be_lost(
        self, relation: str, proof: Proof, keeper: FoundPicture, picture: FoundPicture
    ) -> str:
        """Say what of a member its keeper does not show; empty where the keeper shows all of it as well."""
        if relation == "variant":
            return "shows other content than the keeper"
        if relation not in ("copy", "same_pixels"):
            return "not a copy of the keeper"
        if proof.method == "verdict":
            return ""
        if proof.contains not in ("equal", "first"):
            return "shows something that the keeper does not"
        if proof.differs_second:
            return f"differs from the keeper {_where(proof.differs_second, picture)}"
        if proof.matrix is None:
            return ""
        turn = _turn_words(proof.matrix)
        if turn:
            return f"is {turn} against the keeper, and which way is right only you can tell"
        scale = _least_scale(proof)
        if scale < MIN_KEPT_DETAIL and not self.descent.adds_nothing(picture, keeper):
            return f"the keeper shows it at {scale:.0%} of its size"
        if self.shows_among_others(keeper.content_id, picture.content_id):
            return "the keeper shows it among other things"
        return ""

    def _is_less_compressed(self, proof: Proof, keeper: FoundPicture, picture: FoundPicture) -> bool:
        """Whether a member takes much more bytes than its keeper, and nothing else tells where they are from."""
        return (
            proof.matrix is not None
            and _least_scale(proof) < LARGER
            and bytes_per_pixel(picture) > MUCH_LESS_COMPRESSED * bytes_per_pixel(keeper)
            and not self.descent.is_made_from(picture.content_id, keeper.content_id)
            and not self.descent.adds_nothing(picture, keeper)
        )

    def _is_grey(self, picture: FoundPicture) -> bool:
        """Whether next to no pixel has a colour, by the HSV histogram that is kept; False where it is not."""
        data = self._store.features.of(picture.content_id, self._color_recipes).get("hsv")
        if data is None:
            return False
        whole = unpack_histograms(np.frombuffer(data, np.uint8)[None])[0, :N_HSV].reshape(HSV_BINS)
        return bool(whole[:, 1:].sum() < MAX_GREY_SHARE * whole.sum())


def _least_scale(proof: Proof) -> float:
    """Return how large the first picture shows the second: a ratio of lengths, in the direction it is smallest."""
    stretch = np.linalg.svd(np.array(proof.matrix)[:2, :2], compute_uv=False)
    return float(1 / max(1e-9, stretch.max()))


def _turn_words(matrix: Any) -> str:
    """Say whether a placement mirrors or turns: b is no d then, and 6 no 9; empty where it does not."""
    linear = np.array(matrix)[:2, :2]
    if np.linalg.det(linear) < 0:
        return "mirrored"
    degrees = abs(np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])))
    return "turned" if degrees > MAX_SLANT_DEGREES else ""


def _where(outlines: Sequence[Polygon], picture: FoundPicture) -> str:
    """Say where a picture differs, as shares of its sides, by the first of these outlines."""
    x, y = np.array(outlines[0]).mean(axis=0) / (picture.width_px, picture.height_px)
    places = "in one place" if len(outlines) == 1 else f"in {len(outlines)} places, first"
    return f"{places} ({x:.0%}, {y:.0%})".replace("%", " %")


def count_links(path: str) -> int:
    """Return how many names a file has; 1 where that cannot be told."""
    try:
        return os.stat(path).st_nlink
    except OSError:
        return 1
