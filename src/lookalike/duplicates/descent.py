"""Which picture of a group was made from which other one, and how much each of them really shows."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from lookalike.duplicates.lineage import MIN_ENLARGED, Lineage
from lookalike.duplicates.pair_workers import FileFacts, LineageTask
from lookalike.duplicates.proofs import Pair, Proofs, pair_of
from lookalike.duplicates.witnesses import Witnesses
from lookalike.media.formats import LOSSLESS_FORMATS, LOSSY_FORMATS
from lookalike.records.geometry import WHOLE, area_of
from lookalike.records.proof import Proof
from lookalike.records.recipe import Recipe
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store
from lookalike.workers.tasks import Failed

LINEAGE = Recipe("lineage", 3)

# Measured on 14 photos at JPEG 50 to 95: an enlargement by 1.2 to 3 adds 0.7 to 1.1 to what it was made from, a
# picture of which the other is a reduction to 0.3 to 0.7 adds 1.5 to 20, and to 0.85 from 1.3 (JPEG 75) on.
MAX_NOTHING = 1.2  # times what compression explains: less shows nothing of its own
MIN_MORE = 1.3  # from here on a picture shows what the other one does not,
MUCH_MORE = 1.25  # if that is so many times what the other one adds
MAX_ROUNDED = 0.03  # of what was made from a JPEG up to 0.02, of what a JPEG was made from 0.054 and more
# Measured on 21 photos and drawings at JPEG 40, 75 and 92: a JPEG is unlike what it was made from by 0.02 to 0.6
# (drawings in strong colours 0.8), and one that was sharpened, blurred, brightened or made noisy by 0.76 and more.
MAX_UNLIKE = 0.6
MAX_COMPARED = 4  # pictures of a group that are measured against each other: the largest
_EDITORS = re.compile(
    "photoshop|lightroom|gimp|picasa|snapseed|imagemagick|graphicsmagick|paint|pixelmator|affinity|capture one|"
    "darktable|rawtherapee|luminar|topaz|gigapixel|waifu|facetune|photoscape|irfanview|xnview|canva",
    re.IGNORECASE,
)


class _Source(NamedTuple):
    """A picture that another one was made from, in words, and the pixels that are the most it can show."""

    content_id: int
    words: str
    n_px: float


class Descent:
    """What is known of who was made from whom; measured for a few pairs of a group, and kept in the gallery.

    Parameters
    ----------
    store, proofs, witnesses : the gallery, and what is known of its files
    proof_of : callable    gives the proof of two contents, the first given first; None where there is none
    have_equal_tone : callable    whether two files are one picture, unedited
    n_content_px : callable    how many pixels of a file lie inside its plain frame
    """

    def __init__(
        self,
        store: Store,
        proofs: Proofs,
        witnesses: Witnesses,
        *,
        proof_of: Callable[[int, int], Proof | None],
        have_equal_tone: Callable[[FoundPicture, FoundPicture], bool],
        n_content_px: Callable[[FoundPicture], int],
    ) -> None:
        self._store = store
        self._proofs = proofs
        self._witnesses = witnesses
        self._proof_of = proof_of
        self._have_equal_tone = have_equal_tone
        self._n_content_px = n_content_px
        self._lineages: dict[Pair, Lineage | None] = {}
        self._sources: dict[int, dict[int, _Source]] = {}
        self._judged: set[Pair] = set()

    def prepare(self, sets: Iterable[Iterable[int]]) -> None:
        """Measure at once what `look` will ask of each of these sets of contents."""
        self.measure(sorted({pair for one in sets for pair in self._pairs_to_measure(one)}))

    def look(self, content_ids: Iterable[int]) -> None:
        """Measure the pictures that could be kept of these against each other: the largest ones.

        Nothing is measured where only one comes from a camera and no other one is larger.
        """
        pairs = self._pairs_to_measure(content_ids)
        self.measure(pairs)
        for pair in pairs:
            self._judge(pair)

    def _pairs_to_measure(self, content_ids: Iterable[int]) -> list[Pair]:
        in_order = sorted(content_ids, key=lambda one: (-self._n_content_px(self._file(one)), one))
        if len(in_order) < 2:
            return []
        self._judge_equal_pixels(in_order)
        first = self._file(in_order[0])
        if self.is_from_camera(first) and not any(self._witnesses.of(one).camera for one in in_order[1:]):
            return []
        left = [one for one in in_order if not self.sources_of(one)][:MAX_COMPARED]
        return [pair_of(one, other) for place, one in enumerate(left) for other in left[place + 1 :]]

    def is_from_camera(self, picture: FoundPicture) -> bool:
        """Whether a file says to be as a camera wrote it: of its size, and by no editor."""
        said = self._witnesses.of(picture.content_id)
        size = sorted((picture.width_px, picture.height_px))
        is_whole = said.size_px is None or sorted(said.size_px) == size
        return bool(said.camera and said.taken_at and is_whole and not _EDITORS.search(said.software))

    def n_shown_px(self, picture: FoundPicture, asked: frozenset[int] = frozenset()) -> int:
        """Return how many pixels' worth a file shows: what it was enlarged from, where it was."""
        least = float(self._n_content_px(picture))
        seen = asked | {picture.content_id}
        for source in self._known_sources(picture.content_id):
            if source.content_id not in seen and math.isfinite(source.n_px):
                shown = self.n_shown_px(self._file(source.content_id), seen)
                whole = self._n_content_px(self._file(source.content_id))
                least = min(least, source.n_px * shown / max(1, whole))
        return round(least)

    def sources_of(self, content_id: int) -> tuple[str, ...]:
        """Return in words what a picture was made from; empty where no such picture is known."""
        return tuple(source.words for source in self._known_sources(content_id))

    def is_made_from(self, content_id: int, other_id: int) -> bool:
        """Whether one picture is known to be made from another."""
        return any(source.content_id == other_id for source in self._known_sources(content_id))

    def _known_sources(self, content_id: int) -> list[_Source]:
        """Return the sources of a picture that are still proven to be the same one: a closer look may deny it."""
        found = []
        for source in self._sources.get(content_id, {}).values():
            proof = self._proof_of(source.content_id, content_id)
            if proof is not None and proof.is_copy:
                found.append(source)
        return found

    def adds_nothing(self, larger: FoundPicture, other: FoundPicture) -> bool:
        """Whether a larger picture shows nothing beyond another one; measured where it is not known yet."""
        pair = pair_of(larger.content_id, other.content_id)
        self.measure([pair])
        lineage = self._lineages.get(pair)
        if lineage is None:
            return False
        adds = lineage.first_adds if larger.content_id == pair[0] else lineage.second_adds
        return bool(adds <= MAX_NOTHING)

    def measure(self, pairs: Sequence[Pair]) -> None:
        """Measure these pairs, as far as they are proven copies and not measured yet."""
        wanted = {pair for pair in pairs if pair not in self._lineages and pair[0] != pair[1]}
        self._proofs.prove(sorted(wanted))
        for pair, outcome in self._store.pairs.kept(LINEAGE, sorted(wanted)).items():
            self._lineages[pair] = _parse(outcome)
        tasks: dict[LineageTask, Pair] = {}
        for pair in sorted(wanted - self._lineages.keys()):
            self._lineages[pair] = None
            proof = self._proof_of(*pair)
            if proof is not None and proof.relation in ("copy", "same_pixels") and proof.matrix is not None:
                files = [FileFacts.of(self._file(content_id)) for content_id in pair]
                tasks[LineageTask(files[0], files[1], proof.matrix)] = pair
        for answers in self._proofs.run("lineage", list(tasks)):
            with self._store.batch() as batch:
                for answer in answers:
                    if isinstance(answer, Failed):
                        continue  # what cannot be measured counts as not made from anything
                    pair = tasks[answer[0]]
                    self._lineages[pair] = answer[1]
                    batch.put_verified(*pair, LINEAGE, _write(answer[1]))

    def _file(self, content_id: int) -> FoundPicture:
        return self._proofs.contents[content_id][0]

    def _note(self, made: int, source: int, words: str, n_px: float = math.inf) -> None:
        self._sources.setdefault(made, {})[source] = _Source(source, words, n_px)

    def _judge_equal_pixels(self, content_ids: Sequence[int]) -> None:
        """Of equal pixels a lossless file was made from a lossy one, for no chance rounds pixels as a JPEG does."""
        lossy = [one for one in content_ids if self._file(one).format in LOSSY_FORMATS]
        lossless = [one for one in content_ids if self._file(one).format in LOSSLESS_FORMATS]
        for made in lossless if lossy else ():
            for source in lossy:
                proof = self._proof_of(source, made)
                if proof is not None and proof.relation == "same_pixels":
                    name = self._file(source).format.upper()
                    self._note(made, source, f"made of a {name} with the same pixels")

    def _judge(self, pair: Pair) -> None:
        """Note which of two pictures was made from the other, if one was."""
        lineage = self._lineages.get(pair)
        proof = self._proof_of(*pair)
        if pair in self._judged or lineage is None or proof is None or proof.matrix is None:
            return
        self._judged.add(pair)
        ratio = _linear_scale(proof)
        if 1 / MIN_ENLARGED < ratio < MIN_ENLARGED:
            self._judge_equal_size(pair, lineage, proof)
        elif ratio > 1:
            self._judge_enlarged(pair[0], pair[1], lineage, proof.overlap_first, proof.overlap_second)
        else:
            self._judge_enlarged(
                pair[1], pair[0], lineage.turned(), proof.overlap_second, proof.overlap_first
            )

    def _judge_enlarged(
        self,
        small: int,
        large: int,
        lineage: Lineage,
        overlap_small: Sequence[Sequence[float]],
        overlap_large: Sequence[Sequence[float]],
    ) -> None:
        """Judge two of which the second is larger; the lineage is that of the smaller one to it."""
        smaller, larger = self._file(small), self._file(large)
        if area_of(np.array(overlap_large)) < WHOLE * self._n_content_px(larger):
            return  # what lies around it was not made from this one
        shown_px = area_of(np.array(overlap_small))
        if lineage.first_adds > MIN_MORE and lineage.first_adds > MUCH_MORE * lineage.second_adds:
            self._note(large, small, "larger, but with less detail than a smaller one", shown_px - 1)
        elif lineage.second_adds <= MAX_NOTHING and lineage.is_sharp:
            self._note(large, small, "enlarged: it shows no more than a smaller one", shown_px)
        elif self.is_from_camera(smaller) and not self._witnesses.of(large).camera:
            self._note(large, small, "larger than the camera's own picture")

    def _judge_equal_size(self, pair: Pair, lineage: Lineage, proof: Proof) -> None:
        rounded = lineage.first_rounded <= MAX_ROUNDED, lineage.second_rounded <= MAX_ROUNDED
        if rounded[0] != rounded[1]:
            source, made = pair if rounded[0] else pair[::-1]
            self._note(made, source, "saved again from a more compressed one")
            return
        if self._judge_loss(pair, lineage):
            return
        adds = (lineage.first_adds, lineage.second_adds)
        for (one, other), (own, others) in (((pair), adds), (pair[::-1], adds[::-1])):
            shows_more = own > MIN_MORE and own > MUCH_MORE * others
            if (
                shows_more
                and self._covers(proof, other == pair[1])
                and self._have_equal_tone(self._file(one), self._file(other))
            ):
                shown_px = self._n_content_px(self._file(other)) - 1
                self._note(other, one, "with less detail than another one", shown_px)

    def _judge_loss(self, pair: Pair, lineage: Lineage) -> bool:
        """Note which of two is the other one compressed; whether one is.

        Where each gives the other, as two JPEGs of nearly the same steps do, nobody can tell. Nor is the file of a
        camera taken for what was made of one that no camera wrote.
        """
        claims = [
            (made, source)
            for (made, source), unlike in ((pair, lineage.first_unlike), (pair[::-1], lineage.second_unlike))
            if unlike <= MAX_UNLIKE and self._file(source).format in ("jpeg", *LOSSLESS_FORMATS)
        ]
        if len(claims) != 1:
            return False
        made, source = claims[0]
        if self.is_from_camera(self._file(made)) and not self.is_from_camera(self._file(source)):
            return False
        self._note(made, source, "compressed from a better one")
        return True

    @staticmethod
    def _covers(proof: Proof, is_second: bool) -> bool:
        return proof.contains in ("equal", "first" if is_second else "second")


def _linear_scale(proof: Proof) -> float:
    """Return how much larger things are in the second picture."""
    return float(max(1e-9, abs(np.linalg.det(np.array(proof.matrix)[:2, :2])) ** 0.5))


def _write(lineage: Lineage) -> str:
    return json.dumps([None if math.isnan(value) else round(value, 4) for value in lineage])


def _parse(outcome: str) -> Lineage:
    return Lineage(*(math.nan if value is None else float(value) for value in json.loads(outcome)))
