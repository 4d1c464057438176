"""Which files are the same picture? Candidates, proof, and groups in which every member is proven."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lookalike.errors import InputError
from lookalike.features.color import HSV_BINS, N_HSV, unpack_histograms
from lookalike.features.keypoints import KEYPOINTS, RECIPE, Keypoints, from_bytes
from lookalike.matching.duplicates.candidates import Candidates, find_candidates, find_shared_parts
from lookalike.matching.duplicates.closer_look import Going, matrix_of, reasons_to_stay
from lookalike.matching.duplicates.frames import Frames
from lookalike.matching.duplicates.keeper import (
    DEFAULT_RULES,
    MUCH_LESS_COMPRESSED,
    Rule,
    bytes_per_pixel,
    choose_keeper,
    is_below,
    parse_rules,
)
from lookalike.matching.duplicates.pair_workers import Extracted, KeypointWorker, PairWorker, PixelWorker
from lookalike.matching.duplicates.tone import Tones
from lookalike.matching.ladder import LADDER
from lookalike.matching.verification.proving import proof_score, turn_round
from lookalike.media.files import is_own_file
from lookalike.records import Recipe, Relation, UInt8Array
from lookalike.settings import Settings
from lookalike.storage.index.exact import ExactIndex
from lookalike.storage.store import FoundPicture, Store
from lookalike.workers.pool import WorkerPool
from lookalike.workers.process import Failed, Job

SIMILAR_COSINE = 0.8  # of different photos 1 pair in 1,000 reaches 0.78
MIN_KEPT_DETAIL = 0.9  # a keeper that shows a member at less than this scale would lose detail
LARGER = 1.2  # a keeper that shows a member so much larger makes up for stronger compression
MAX_GREY_SHARE = 0.02  # of pixels with a colour, in a picture that counts as grey
_MAX_CHOICES = 3  # of the keeper of one group
_PAIRS_A_TASK = 64
_BATCH_SECONDS = 1.0

StageCallback = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Member:
    """One file of a group, beside its keeper.

    Parameters
    ----------
    picture : FoundPicture
    relation : Relation       to the keeper
    score : float             1 for equal bytes or pixels, else the agreement of the overlap, 0 to 1
    proof : dict              how it is known; keys as in `compare --json`, first is the keeper
    is_covered : bool         whether the keeper shows all of it, in no less detail: only then may it go
    note : str                why it is not covered, or why it must stay; empty where it may go
    """

    picture: FoundPicture
    relation: Relation
    score: float
    proof: Mapping[str, Any]
    is_covered: bool
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Files that are one picture: the keeper, why it, and the others, closest first."""

    keeper: FoundPicture
    why: str
    members: tuple[Member, ...]

    @property
    def relation(self) -> Relation:
        """The weakest relation of a member to the keeper."""
        return max((member.relation for member in self.members), key=LADDER.index)

    @property
    def n_bytes_saved(self) -> int:
        """Bytes of the members that may go."""
        return sum(member.picture.size_bytes for member in self.members if not member.note)


@dataclass(frozen=True)
class Question:
    """What is asked of `find_duplicates`.

    Parameters
    ----------
    relation : Relation           report this relation or closer
    against : folder or None      only groups that join a file of this folder with files elsewhere; its files
                                  are kept
    protect : folders             whose files are never proposed to go
    rules : names                 how to choose the keeper, see `lookalike.matching.duplicates.keeper.RULES`
    min_proof : float             leave out what is proven less surely, see `proof_score`; 0 lets all through
    """

    relation: Relation = "copy"
    against: str | None = None
    protect: tuple[str, ...] = ()
    rules: tuple[str, ...] = DEFAULT_RULES
    min_proof: float = 0.0

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


@dataclass(frozen=True)
class DuplicatesReport:
    """The groups, largest gain first; how many pairs were compared; what could not be read."""

    groups: tuple[Group, ...]
    n_compared: int
    failed: tuple[Failed, ...]
    seconds: float

    @property
    def n_members(self) -> int:
        """How many files there are beside those to keep."""
        return sum(len(group.members) for group in self.groups)

    @property
    def n_staying(self) -> int:
        """How many of the members stay nevertheless."""
        return sum(bool(member.note) for group in self.groups for member in group.members)


@dataclass
class _Pairs:
    """What is known of pairs of contents: proofs by (smaller id, larger id)."""

    proofs: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)

    def between(self, first: int, second: int) -> dict[str, Any] | None:
        return self.proofs.get((min(first, second), max(first, second)))


def ignore_stage(_stage: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


def find_duplicates(
    store: Store,
    settings: Settings,
    question: Question,
    *,
    hashes: Callable[[], ExactIndex],
    embeddings: Callable[[], ExactIndex] | None,
    on_stage: StageCallback = ignore_stage,
) -> DuplicatesReport:
    """Return the groups of files that are one picture, each member proven against its keeper.

    Keypoints and outcomes are kept in the gallery as they are found, so an interrupted run goes on where it
    stopped and a second one is quick.

    Parameters
    ----------
    hashes, embeddings : callables that open the indexes; embeddings is None where the gallery has none
    on_stage : called with the stage's name, how much of it is done, and its total
    """
    started = time.monotonic()
    finder = _Finder(store, settings, question, on_stage)
    if question.relation != "same_file" and len(finder.contents) > 1:
        on_stage("candidates", 0, 1)
        candidates = find_candidates(hashes(), embeddings() if embeddings else None)
        on_stage("candidates", 1, 1)
        finder.prove(finder.relevant(candidates))
        finder.prove(finder.pairs_that_share_parts())
    groups = sorted(
        finder.looked_at(finder.groups()), key=lambda group: (-group.n_bytes_saved, group.keeper.path)
    )
    seconds = time.monotonic() - started
    return DuplicatesReport(tuple(groups), finder.n_compared, tuple(finder.failed), seconds)


def prove_members(
    store: Store,
    settings: Settings,
    question: Question,
    pairs: Sequence[tuple[FoundPicture, FoundPicture]],
    *,
    on_stage: StageCallback = ignore_stage,
) -> list[Member | None]:
    """Return what each second file is to the first, which is to be kept; None where nothing is proven.

    Both files must be there. Outcomes are kept in the gallery, as by `find_duplicates`.
    """
    finder = _Finder(store, settings, question, on_stage)
    ids = [(keeper.content_id, picture.content_id) for keeper, picture in pairs]
    finder.prove(sorted({_pair(*pair) for pair in ids if pair[0] != pair[1]}))
    found = [(keeper, finder.member(keeper, picture)) for keeper, picture in pairs]
    looked = finder.look_closer([(keeper, member) for keeper, member in found if member is not None])
    return [None if member is None else looked.pop(0) for _, member in found]


def prove_pairs(
    store: Store,
    settings: Settings,
    pairs: Iterable[tuple[int, int]],
    *,
    on_stage: StageCallback = ignore_stage,
) -> tuple[dict[tuple[int, int], Mapping[str, Any]], tuple[Failed, ...]]:
    """Return the proof of each pair of contents (smaller id first), and what could not be read.

    Pairs are left out that a person has called different, or of which a file is gone. Outcomes are kept in the
    gallery, as by `find_duplicates`.
    """
    finder = _Finder(store, settings, Question(), on_stage)
    there = [pair for pair in pairs if pair[0] in finder.contents and pair[1] in finder.contents]
    finder.prove(there)
    return {pair: proof for pair in there if (proof := finder.proof(*pair))}, tuple(finder.failed)


class _Finder:
    def __init__(self, store: Store, settings: Settings, question: Question, on_stage: StageCallback) -> None:
        self._store = store
        self._settings = settings
        self._question = question
        self._rules: tuple[Rule, ...] = parse_rules(question.rules)
        self._on_stage = on_stage
        self._pairs = _Pairs()
        self._unreadable: set[int] = set()
        self._cosines: dict[tuple[int, int], float] = {}
        self.contents: dict[int, list[FoundPicture]] = {}
        for picture in store.iter_pictures():
            if is_own_file(picture.path):  # what was put away since is no duplicate any more
                self.contents.setdefault(picture.content_id, []).append(picture)
        ids = {pictures[0].digest: content_id for content_id, pictures in self.contents.items()}
        self._verdicts = {
            tuple(sorted((ids[first], ids[second]))): verdict
            for (first, second), verdict in store.verdicts().items()
            if first in ids and second in ids
        }
        self._frames = Frames(self._view_of)
        self._tones = Tones(self._keypoints_of)
        self.n_compared = 0
        self.failed: list[Failed] = []

    # Proof

    def relevant(self, candidates: Candidates) -> list[tuple[int, int]]:
        """Return the candidate pairs that the question is about, with those that a person has named."""
        pairs = []
        for (first, second), cosine in zip(candidates.pairs.tolist(), candidates.cosines, strict=True):
            if first in self.contents and second in self.contents and self._crosses(first, second):
                pairs.append((first, second))
                self._cosines[first, second] = float(cosine)
        named = [pair for pair, is_duplicate in self._verdicts.items() if is_duplicate]
        return sorted({*pairs, *((pair[0], pair[1]) for pair in named)})

    def pairs_that_share_parts(self) -> list[tuple[int, int]]:
        """Return the pairs that share local features; every picture's keypoints are computed for it."""
        if not self._question.includes("copy"):
            return []
        self._extract(set(self.contents))
        self._on_stage("shared parts", 0, 1)
        kept = self._store.iter_feature(RECIPE)
        pictures = ((i, from_bytes(data)) for i, data in kept if i in self.contents)
        pairs = find_shared_parts(pictures, len(self.contents))
        self._on_stage("shared parts", 1, 1)
        return [(first, second) for first, second in pairs.tolist() if self._crosses(first, second)]

    def _crosses(self, *content_ids: int) -> bool:
        """Whether files inside and outside the folder that is asked against are among these contents."""
        if self._question.against is None:
            return True
        inside = [
            is_below(picture.path, [self._question.against])
            for content_id in content_ids
            for picture in self.contents[content_id]
        ]
        return any(inside) and not all(inside)

    def prove(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Work out the relation of these pairs, as far as it is not known yet."""
        wanted = [pair for pair in pairs if pair not in self._pairs.proofs and self._verdicts.get(pair, True)]
        kept = self._store.verified_pairs(RECIPE) if wanted else {}
        for pair in wanted:
            if pair in kept:
                self._pairs.proofs[pair] = json.loads(kept[pair])
        wanted = [pair for pair in wanted if pair not in self._pairs.proofs]
        self.n_compared += len(wanted)
        if wanted:
            self._extract({content_id for pair in wanted for content_id in pair})
            self._verify(wanted)
            self._compare_pixels(wanted)

    def proof(self, first: int, second: int) -> dict[str, Any] | None:
        """Return the proof of a pair of contents, as far as it was worked out; first has the smaller id."""
        return self._pairs.between(first, second)

    def _extract(self, content_ids: set[int]) -> None:
        """Compute and keep the keypoints that these contents lack."""
        lacking = sorted(content_ids - self._store.ids_with(RECIPE) - self._unreadable)
        tasks = []
        for content_id in lacking:
            picture = self.contents[content_id][0]
            tasks.append(json.dumps([content_id, picture.path, picture.digest.hex()]))
        for answers in self._run(KeypointWorker, tasks, "keypoints"):
            with self._store.batch() as batch:
                for answer in answers:
                    if isinstance(answer, Extracted):
                        batch.add_feature(answer.content_id, RECIPE, answer.data)
                    else:
                        self._fail(answer)

    def _fail(self, failure: Failed) -> None:
        content_id, path, _ = json.loads(failure.path)
        self._unreadable.add(content_id)
        self.failed.append(Failed(path, failure.stage, failure.reason))

    def _verify(self, pairs: Sequence[tuple[int, int]]) -> None:
        by_first: dict[int, list[int]] = {}
        for first, second in pairs:
            by_first.setdefault(first, []).append(second)
        tasks = [
            json.dumps([first, seconds[start : start + _PAIRS_A_TASK]])
            for first, seconds in by_first.items()
            for start in range(0, len(seconds), _PAIRS_A_TASK)
        ]
        for answers in self._run(PairWorker, tasks, "verify"):
            outcomes = [outcome for answer in answers if not isinstance(answer, Failed) for outcome in answer]
            with self._store.batch() as batch:
                for first, second, outcome in outcomes:
                    batch.put_verified(first, second, RECIPE, outcome)
                    self._pairs.proofs[first, second] = json.loads(outcome)

    def _compare_pixels(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Raise copies of one size that agree perfectly to `same_pixels`, where all pixels are equal."""
        tasks = {}
        for pair in pairs:
            proof = self._pairs.proofs.get(pair)
            first, second = (self.contents[content_id][0] for content_id in pair)
            same_size = (first.width_px, first.height_px) == (second.width_px, second.height_px)
            if (
                proof
                and proof["relation"] in ("copy", "same_pixels")
                and same_size
                and proof["agreement"] > 0.95
            ):
                facts = [first.path, first.digest.hex(), second.path, second.digest.hex()]
                tasks[json.dumps(facts)] = pair
        for answers in self._run(PixelWorker, list(tasks), "pixels"):
            with self._store.batch() as batch:
                for answer in answers:
                    if isinstance(answer, Failed):
                        continue
                    pair = tasks[answer[0]]
                    relation = "same_pixels" if answer[1] else "copy"
                    proof = {**self._pairs.proofs[pair], "relation": relation}
                    if answer[1]:
                        proof.update(method="pixels", transform="none", contains="equal", agreement=1.0)
                    self._pairs.proofs[pair] = proof
                    batch.put_verified(*pair, RECIPE, json.dumps(proof))

    def _run(self, work: Callable[[Job], Any], tasks: list[str], stage: str) -> Iterator[list[Any]]:
        """Yield the workers' answers about once a second, reporting progress."""
        if not tasks:
            return
        job = Job(self._settings, (), self._store.folder)
        self._on_stage(stage, 0, len(tasks))
        waiting: list[Any] = []
        flushed_at = time.monotonic()
        with WorkerPool(job, self._settings.n_workers, work) as pool:
            for n_done, answer in enumerate(pool.run(tasks), 1):
                waiting.append(answer)
                if time.monotonic() - flushed_at > _BATCH_SECONDS:
                    yield waiting
                    waiting, flushed_at = [], time.monotonic()
                self._on_stage(stage, n_done, len(tasks))
        yield waiting

    # Groups

    def groups(self) -> Iterator[Group]:
        """Yield the groups: each member is proven against its keeper, so nothing is joined by a chain."""
        if self._question.relation == "same_file":
            clusters = [[content_id] for content_id in self.contents]
        else:
            clusters = self._clusters()
            self._look_for_frames(self._pairs.proofs)
        for cluster in clusters:
            yield from self._split(cluster)

    def _clusters(self) -> list[list[int]]:
        """Return the contents that hang together by related pairs; single ones too."""
        root = {content_id: content_id for content_id in self.contents}

        def find(content_id: int) -> int:
            while root[content_id] != content_id:
                root[content_id] = root[root[content_id]]
                content_id = root[content_id]
            return content_id

        for first, second in self._related_pairs():
            root[find(first)] = find(second)
        clusters: dict[int, list[int]] = {}
        for content_id in self.contents:
            clusters.setdefault(find(content_id), []).append(content_id)
        return list(clusters.values())

    def _related_pairs(self) -> Iterator[tuple[int, int]]:
        pairs = set(self._pairs.proofs) | set(self._cosines) | {(p[0], p[1]) for p in self._verdicts}
        return (pair for pair in sorted(pairs) if self._relation(*pair) is not None)

    def _relation(self, first: int, second: int) -> tuple[Relation, float, dict[str, Any]] | None:
        """Return relation, score and proof of two contents (first is the keeper), if they are asked for."""
        pair = (min(first, second), max(first, second))
        if pair in self._verdicts:
            said = {"method": "verdict", "contains": "equal", "transform": "none"}
            return ("copy", 1.0, said) if self._verdicts[pair] and self._question.includes("copy") else None
        proof = self._pairs.between(first, second)
        if proof is not None and proof_score(proof) < self._question.min_proof:
            return None
        if proof is not None and self._question.includes(proof["relation"]):
            if first > second:
                sizes = [
                    (p.width_px, p.height_px) for p in (self.contents[pair[0]][0], self.contents[pair[1]][0])
                ]
                proof = turn_round(proof, sizes[0], sizes[1])
            return proof["relation"], float(proof["agreement"]), proof
        cosine = self._cosines.get(pair, float("nan"))
        is_opinion_asked = self._question.includes("similar") and not self._question.min_proof
        if is_opinion_asked and cosine >= SIMILAR_COSINE:
            return (
                "similar",
                cosine,
                {"method": "embedding", "cosine": round(cosine, 4), "contains": "neither"},
            )
        return None

    def _split(self, cluster: list[int]) -> Iterator[Group]:
        """Take the keeper and all that is proven against it, then go on with the rest."""
        rest = cluster
        while rest:
            keeper, why = self._choose(rest)
            joined = self._without_contradiction(keeper.content_id, rest)
            for kept, reason, pictures in self._credit(keeper, why, joined):
                found = [self.member(kept, picture) for picture in pictures]
                members = [one for one in found if one is not None and self._is_asked(kept, one)]
                if members:
                    yield Group(kept, reason, tuple(sorted(members, key=_closeness)))
            rest = [other for other in rest if other not in joined]

    def _without_contradiction(self, keeper_id: int, content_ids: list[int]) -> list[int]:
        """Return the keeper and what is related to it, less what a person has called different from another.

        Of two that are different the one closer to the keeper is in.
        """
        related = {other: self._relation(keeper_id, other) for other in content_ids if other != keeper_id}
        known = [(other, found) for other, found in related.items() if found is not None]
        known.sort(key=lambda one: (LADDER.index(one[1][0]), -one[1][1], one[0]))
        joined = [keeper_id]
        for content_id, _ in known:
            if all(self._verdicts.get(_pair(content_id, other), True) for other in joined):
                joined.append(content_id)
        return joined

    def _credit(
        self, keeper: FoundPicture, why: str, content_ids: Sequence[int]
    ) -> list[tuple[FoundPicture, str, list[FoundPicture]]]:
        """Return the keeper with its files; where others are protected too, each with those closest to it.

        Protected files stay anyway, so that nothing is lost by it, and each file is told the closest reason
        to go.
        """
        files = [
            picture
            for content_id in content_ids
            for picture in self.contents[content_id]
            if picture.path != keeper.path
        ]
        stay = [picture for picture in files if is_below(picture.path, self._question.protected)]
        going = [picture for picture in files if picture not in stay]
        if stay and self._question.relation != "same_file":
            self._prove_equally_large(stay, going)
        credited: dict[str, list[FoundPicture]] = {}
        for picture in going:
            credited.setdefault(self._closest([keeper, *stay], picture).path, []).append(picture)
        own = [*credited.pop(keeper.path, []), *(picture for picture in stay if picture.path not in credited)]
        others = [(one, why, credited[one.path]) for one in stay if one.path in credited]
        return [(keeper, why, own), *others]

    def _prove_equally_large(self, kept: Sequence[FoundPicture], going: Sequence[FoundPicture]) -> None:
        """Work out which of these have equal pixels, where candidates did not name the pair."""
        by_size: dict[tuple[int, int], list[int]] = {}
        for picture in kept:
            by_size.setdefault((picture.width_px, picture.height_px), []).append(picture.content_id)
        self.prove(
            sorted(
                {
                    _pair(picture.content_id, other)
                    for picture in going
                    for other in by_size.get((picture.width_px, picture.height_px), [])
                    if picture.content_id != other
                }
            )
        )

    def _closest(self, keepers: Sequence[FoundPicture], picture: FoundPicture) -> FoundPicture:
        """Return the keeper that a file is closest to; among equals one that lets it go, then the first."""
        members = [(keeper, self.member(keeper, picture)) for keeper in keepers]
        known = [(keeper, member) for keeper, member in members if member is not None]
        return min(known, key=lambda one: (*_closeness(one[1])[:1], bool(one[1].note), -one[1].score))[0]

    def _choose(self, content_ids: list[int]) -> tuple[FoundPicture, str]:
        """Choose the keeper of these contents, prove the others against it, and look whether it stays that.

        The proof may show a plain frame, without which another picture is larger.
        """
        files = [picture for content_id in content_ids for picture in self.contents[content_id]]
        before = None
        for _ in range(_MAX_CHOICES):
            keeper, why = choose_keeper(
                files,
                self._rules,
                self._question.protected,
                n_content_px=self._frames.n_content_px,
                have_equal_tone=self._have_equal_tone,
            )
            if keeper == before:
                break
            before = keeper
            others = {_pair(keeper.content_id, i) for i in content_ids if i != keeper.content_id}
            self.prove(sorted(others))
            self._look_for_frames(others)
        return keeper, why

    def _look_for_frames(self, pairs: Iterable[tuple[int, int]]) -> None:
        for first, second in pairs:
            proof = self._pairs.between(first, second)
            if proof is not None and first in self.contents and second in self.contents:
                self._frames.look(self.contents[first][0], self.contents[second][0], proof)

    def _view_of(self, content_id: int) -> UInt8Array | None:
        keypoints = self._keypoints_of(content_id)
        return None if keypoints is None else keypoints.view

    def _keypoints_of(self, content_id: int) -> Keypoints | None:
        data = self._store.features_of(content_id, [RECIPE]).get(KEYPOINTS)
        return None if data is None else from_bytes(data)

    def _have_equal_tone(self, first: FoundPicture, second: FoundPicture) -> bool:
        """Whether two files are proven to be one picture, unedited; False where that is not known."""
        if first.content_id == second.content_id:
            return True
        related = self._relation(first.content_id, second.content_id)
        if related is None or related[2].get("matrix") is None:
            return related is not None and related[0] == "same_pixels"
        return related[0] in ("copy", "same_pixels") and not self._tones.words(
            first.content_id, second.content_id, related[2]
        )

    def member(self, keeper: FoundPicture, picture: FoundPicture) -> Member | None:
        """Return what a file is to a keeper, as far as it is proven."""
        if picture.content_id == keeper.content_id:
            return self._member(keeper, picture, None)
        related = self._relation(keeper.content_id, picture.content_id)
        return None if related is None else self._member(keeper, picture, related)

    def looked_at(self, groups: Iterable[Group]) -> list[Group]:
        """Return the groups after a closer look at all members that would go."""
        found = list(groups)
        looked = self.look_closer([(group.keeper, member) for group in found for member in group.members])
        counts = np.cumsum([0, *(len(group.members) for group in found)])
        return [
            replace(group, members=tuple(looked[counts[place] : counts[place + 1]]))
            for place, group in enumerate(found)
        ]

    def look_closer(self, pairs: Sequence[tuple[FoundPicture, Member]]) -> list[Member]:
        """Return the members, beside their keepers, with a note where one holds what the keeper does not."""
        members = [member for _, member in pairs]
        places = [place for place, one in enumerate(members) if not one.note and one.relation != "same_file"]
        going = [
            Going(pairs[i][0], members[i].picture, matrix_of(members[i].relation, members[i].proof))
            for i in places
        ]
        for place, note in zip(places, reasons_to_stay(self._store, going, self._run), strict=True):
            if note:
                members[place] = replace(members[place], is_covered=False, note=note)
        return members

    def _is_grey(self, picture: FoundPicture) -> bool:
        """Whether next to no pixel has a colour, by the HSV histogram that is kept; False where it is not."""
        recipes = [Recipe.from_text(text) for text in self._store.recipes("hsv")]
        data = self._store.features_of(picture.content_id, recipes).get("hsv")
        if data is None:
            return False
        whole = unpack_histograms(np.frombuffer(data, np.uint8)[None])[0, :N_HSV].reshape(HSV_BINS)
        return bool(whole[:, 1:].sum() < MAX_GREY_SHARE * whole.sum())

    def _is_asked(self, keeper: FoundPicture, member: Member) -> bool:
        against = self._question.against
        if against is None:
            return True
        return is_below(keeper.path, [against]) and not is_below(member.picture.path, [against])

    def _member(
        self,
        keeper: FoundPicture,
        picture: FoundPicture,
        related: tuple[Relation, float, dict[str, Any]] | None,
    ) -> Member:
        if picture.content_id == keeper.content_id or related is None:
            proof: dict[str, Any] = {"method": "digest", "digest": picture.digest.hex(), "contains": "equal"}
            relation, score = "same_file", 1.0
        else:
            relation, score, proof = related
        note = ""
        if relation not in ("same_file", "same_pixels"):
            note = _what_would_be_lost(relation, proof, keeper, picture)
            if not note and self._is_grey(keeper) and not self._is_grey(picture):
                note = "has colours, and the keeper is grey"
            if not note and proof.get("matrix") is not None:
                words = self._tones.words(keeper.content_id, picture.content_id, proof)
                note = f"was edited: {' and '.join(words)} than the keeper" if words else ""
        is_covered = not note
        if is_below(picture.path, self._question.protected):
            note = "in a protected folder"
        elif relation == "same_file" and os.path.samefile(picture.path, keeper.path):
            note = "is the keeper's file under another name already"
        return Member(picture, relation, score, proof, is_covered, note)  # type: ignore[arg-type]


def _pair(first: int, second: int) -> tuple[int, int]:
    return min(first, second), max(first, second)


def _closeness(member: Member) -> tuple[int, float, str]:
    """Sort members of one group: closest first."""
    return LADDER.index(member.relation), -member.score, member.picture.path


def _what_would_be_lost(
    relation: str, proof: Mapping[str, Any], keeper: FoundPicture, picture: FoundPicture
) -> str:
    """Say what of a member its keeper does not show; empty where the keeper shows all of it as well."""
    if relation not in ("copy", "same_pixels"):
        return "not a copy of the keeper"
    if proof.get("method") == "verdict":
        return ""
    if proof["contains"] not in ("equal", "first"):
        return "shows something that the keeper does not"
    if proof["matrix"] is None:
        return ""
    scale = 1 / max(1e-9, abs(np.linalg.det(np.array(proof["matrix"])[:2, :2])) ** 0.5)
    if scale < MIN_KEPT_DETAIL:
        return f"the keeper shows it at {scale:.0%} of its size"
    if scale < LARGER and bytes_per_pixel(picture) > MUCH_LESS_COMPRESSED * bytes_per_pixel(keeper):
        return "is much less compressed than the keeper"
    return ""
