"""Which files are the same picture? Candidates, proof, and groups in which every member is proven."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from lookalike.duplicates.away import with_away
from lookalike.duplicates.candidates import (
    DESCRIPTORS_PER_PICTURE,
    N_NEIGHBOURS,
    find_candidates,
    find_shared_parts,
)
from lookalike.duplicates.grouping import Grouping
from lookalike.duplicates.members import Members
from lookalike.duplicates.proofs import Pair, Proofs, pair_of
from lookalike.duplicates.records import DuplicatesReport, Group, Member, Question
from lookalike.features.feature import EMBEDDING
from lookalike.features.keypoints import RECIPE
from lookalike.media.folders import is_in
from lookalike.records.failure import Failure
from lookalike.records.progress import Progress, ProgressCallback, ignore_progress
from lookalike.records.proof import Proof
from lookalike.records.recipe import Recipe
from lookalike.searching.look_up import LookUp
from lookalike.settings import Settings
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store

SHARED_PARTS = Recipe(
    "shared parts", 2, {"of": RECIPE.version, "points": DESCRIPTORS_PER_PICTURE, "neighbours": N_NEIGHBOURS}
)


def find_duplicates(
    store: Store,
    settings: Settings,
    question: Question,
    look_up: LookUp,
    *,
    places_away: Sequence[str] = (),
    on_progress: ProgressCallback = ignore_progress,
) -> DuplicatesReport:
    """Return the groups of files that are one picture, each member proven against its keeper.

    Keypoints and outcomes are kept in the gallery as they are found, so an interrupted run goes on where it
    stopped and a second one is quick.

    Parameters
    ----------
    store : Store
        The gallery.
    settings : Settings
        Those that it was indexed with.
    question : Question
        What is asked.
    look_up : LookUp
        The rows of the gallery, and their neighbours.
    places_away : sequence of str
        Folders and disks that are away: their files are told beside those that are there, and stay.
    on_progress : callable
        Called with `Progress` now and then.
    """
    started = time.monotonic()
    with Proofs(store, settings, on_progress, places_away) as proofs:
        cosines: dict[Pair, float] = {}
        if question.relation != "same_file" and len(proofs.contents) + len(proofs.away) > 1:
            cosines = _prove_candidates(store, proofs, question, look_up, on_progress)
        members = Members(store, proofs, question, cosines)
        groups = Grouping(proofs, members, question).groups(on_progress)
        while proofs.look_closer(_copies(groups)):  # what is no copy then, may be the copy of another
            groups = Grouping(proofs, members, question).groups(on_progress)
        groups = _look_beyond(members, groups)
        if proofs.away:
            groups = with_away(groups, proofs, question)
    groups.sort(key=lambda group: (-group.n_bytes_saved, group.keeper.path))
    seconds = time.monotonic() - started
    return DuplicatesReport(tuple(groups), proofs.n_compared, tuple(proofs.failed), seconds)


def prove_members(
    store: Store,
    settings: Settings,
    question: Question,
    pairs: Sequence[tuple[FoundPicture, FoundPicture]],
    *,
    on_progress: ProgressCallback = ignore_progress,
) -> list[Member | None]:
    """Return what each second file is to the first, which is to be kept; None where nothing is proven.

    Both files must be there. Outcomes are kept in the gallery, as by `find_duplicates`.
    """
    with Proofs(store, settings, on_progress) as proofs:
        ids = [(keeper.content_id, picture.content_id) for keeper, picture in pairs]
        wanted = sorted({pair_of(*pair) for pair in ids if pair[0] != pair[1]})
        proofs.prove(wanted)
        proofs.look_closer(wanted)
        members = Members(store, proofs, question)
        found = [(keeper, members.member(keeper, picture)) for keeper, picture in pairs]
        looked = members.look_beyond([(keeper, member) for keeper, member in found if member is not None])
    return [None if member is None else looked.pop(0) for _, member in found]


def prove_pairs(
    store: Store,
    settings: Settings,
    pairs: Iterable[Pair],
    *,
    on_progress: ProgressCallback = ignore_progress,
) -> tuple[dict[Pair, Proof], tuple[Failure, ...]]:
    """Return the proof of each pair of contents (smaller id first), and what could not be read.

    Pairs are left out that a person has called different, or of which a file is gone. Outcomes are kept in the
    gallery, as by `find_duplicates`.
    """
    with Proofs(store, settings, on_progress) as proofs:
        there = [pair for pair in pairs if pair[0] in proofs.contents and pair[1] in proofs.contents]
        proofs.prove(there)
        proofs.look_closer(there)
    return {pair: proof for pair in there if (proof := proofs.between(*pair))}, tuple(proofs.failed)


def _prove_candidates(
    store: Store,
    proofs: Proofs,
    question: Question,
    look_up: LookUp,
    on_progress: ProgressCallback,
) -> dict[Pair, float]:
    """Prove all pairs that may be asked for; return the cosines of those that the embedding named."""
    on_progress(Progress("candidates", 0, 1))
    has_embedding = look_up.has(EMBEDDING)
    embeddings = (look_up.rows(EMBEDDING), look_up.nearest(EMBEDDING)) if has_embedding else None
    candidates = find_candidates(look_up.rows("phash"), embeddings)
    on_progress(Progress("candidates", 1, 1))
    cosines = {
        (first, second): float(cosine)
        for (first, second), cosine in zip(candidates.pairs.tolist(), candidates.cosines, strict=True)
        if _is_asked(proofs, question, first, second)
    }
    named = [pair for pair, is_duplicate in proofs.verdicts.items() if is_duplicate]
    proofs.prove(sorted({*cosines, *named}))
    if question.includes("copy"):
        shared = _pairs_sharing_parts(store, proofs, on_progress)
        proofs.prove(pair for pair in shared if _is_asked(proofs, question, *pair))
    proofs.prove_away([pair for pair in map(tuple, candidates.pairs.tolist()) if _is_half_away(proofs, pair)])
    return cosines


def _is_half_away(proofs: Proofs, pair: Pair) -> bool:
    """Whether one of two contents is there, and the other one away."""
    there = [one for one in pair if one not in proofs.contents]
    return len(there) == 1 and there[0] in proofs.away


def _pairs_sharing_parts(store: Store, proofs: Proofs, on_progress: ProgressCallback) -> list[Pair]:
    """Return the pairs that share local features; those found last time, where the same pictures are there."""
    proofs.extract(proofs.contents)
    numbers = np.array(sorted(proofs.contents), np.int64)
    digest = hashlib.blake2b(numbers.tobytes() + SHARED_PARTS.text.encode(), digest_size=6).digest()
    there = int.from_bytes(digest, "big")
    if store.notes.number(SHARED_PARTS.feature) != there:
        on_progress(Progress(SHARED_PARTS.feature, 0, 1))
        proofs.dismiss_workers()
        found = find_shared_parts(proofs.iter_keypoints(), len(numbers))
        store.pairs.forget(SHARED_PARTS)
        with store.batch() as batch:
            for first, second in found.tolist():
                batch.put_verified(first, second, SHARED_PARTS, "")
        store.notes.put_number(SHARED_PARTS.feature, there)
        on_progress(Progress(SHARED_PARTS.feature, 1, 1))
    return store.pairs.all_kept(SHARED_PARTS)


def _is_asked(proofs: Proofs, question: Question, first: int, second: int) -> bool:
    """Whether both contents are there, with files inside and outside the folder that is asked against."""
    if first not in proofs.contents or second not in proofs.contents:
        return False
    if question.against is None:
        return True
    inside = [
        is_in(picture.path, [question.against])
        for content_id in (first, second)
        for picture in proofs.contents[content_id]
    ]
    return any(inside) and not all(inside)


def _copies(groups: Sequence[Group]) -> list[Pair]:
    """Return the pairs of keeper and member that are copies, as far as is known."""
    return [
        pair_of(group.keeper.content_id, one.picture.content_id)
        for group in groups
        for one in group.members
        if one.relation == "copy" and one.proof.method in ("keypoints", "pixels")
    ]


def _look_beyond(members: Members, groups: Sequence[Group]) -> list[Group]:
    """Return the groups after a look into the files of all members that would go."""
    looked = iter(members.look_beyond([(group.keeper, one) for group in groups for one in group.members]))
    return [replace(group, members=tuple(next(looked) for _ in group.members)) for group in groups]
