"""Searches, promises and comparisons, as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lookalike.records.calibration import AgainstShipped, Origin, Promise, Promised
from lookalike.records.proof import Proof
from lookalike.records.relation import Relation
from lookalike.searching.searcher import Match
from lookalike.storage.records import FoundPicture

if TYPE_CHECKING:
    from lookalike.comparing import Comparison
    from lookalike.proving.verify import Verification


@dataclass(frozen=True)
class Answer:
    """The answer to one query of a search: its matches, or why there are none, and what was promised of them."""

    query: str
    matches: Sequence[Match] = ()
    error: str | None = None
    promised: Promised | None = None


@dataclass(frozen=True)
class MatchAnswer:
    """One picture that answers a query; `proof` is left out where nothing was to be proven."""

    path: str
    score: float
    distance: float
    unit: str
    relation: Relation
    by: str
    why: str
    id: int
    format: str
    width_px: int
    height_px: int
    size_bytes: int
    date: str
    probability: float | None
    proof: Proof | None = None

    @property
    def not_written(self) -> tuple[str, ...]:
        """The fields that are not written."""
        return ("proof",) if self.proof is None else ()

    @classmethod
    def of(cls, match: Match) -> MatchAnswer:
        """Return a match as it is printed."""
        picture = match.picture
        return cls(
            path=picture.path,
            score=round(match.score, 6),
            distance=round(match.distance, 6),
            unit=match.unit,
            relation=match.relation,
            by=match.by,
            why=match.why,
            id=picture.content_id,
            format=picture.format,
            width_px=picture.width_px,
            height_px=picture.height_px,
            size_bytes=picture.size_bytes,
            date=picture.date,
            probability=None if match.probability is None else round(match.probability, 4),
            proof=match.proof,
        )

    def match(self) -> Match:
        """Return the match; its picture has no digest."""
        picture = FoundPicture(
            content_id=self.id,
            path=self.path,
            size_bytes=self.size_bytes,
            mtime_ns=0,  # the date tells when it was taken or written
            digest=b"",
            format=self.format,
            width_px=self.width_px,
            height_px=self.height_px,
            taken_at=self.date,
        )
        return Match(
            picture,
            self.score,
            self.distance,
            self.unit,
            self.relation,
            self.by,
            self.why,
            self.proof,
            self.probability,
        )


@dataclass(frozen=True)
class PromiseAnswer:
    """What a search with a precision was promised, and by which calibration."""

    by: str
    calibration: Origin
    precision: float
    threshold: float | None
    recall: float
    precision_at_least: float
    supported: bool
    nothing_found: float

    @classmethod
    def of(cls, promised: Promised) -> PromiseAnswer:
        """Return a promise as it is printed."""
        promise = promised.promise
        return cls(
            by=promised.by,
            calibration=promised.origin,
            precision=promise.precision,
            threshold=promise.threshold,
            recall=round(promise.recall, 4),
            precision_at_least=round(promise.bound, 5),
            supported=promise.is_supported,
            nothing_found=round(promise.silence, 4),
        )


@dataclass(frozen=True)
class FullPromiseAnswer:
    """A `PromiseAnswer` with the recall of each edit, and how the threshold came about."""

    by: str
    calibration: Origin
    precision: float
    threshold: float | None
    recall: float
    precision_at_least: float
    supported: bool
    nothing_found: float
    against_shipped: AgainstShipped
    recall_by_edit: Mapping[str, float]

    @classmethod
    def of(cls, promised: Promised) -> FullPromiseAnswer:
        """Return a promise as it is printed in full."""
        promise = promised.promise
        return cls(
            **vars(PromiseAnswer.of(promised)),
            against_shipped=promise.against_shipped,
            recall_by_edit={edit: round(share, 4) for edit, share in promise.recall_by_edit.items()},
        )

    def promised(self) -> Promised:
        """Return the promise."""
        promise = Promise(
            precision=self.precision,
            threshold=self.threshold,
            recall=self.recall,
            bound=self.precision_at_least,
            is_supported=self.supported,
            silence=self.nothing_found,
            recall_by_edit=self.recall_by_edit,
            against_shipped=self.against_shipped,
        )
        return Promised(self.by, promise, self.calibration)


@dataclass(frozen=True)
class SearchAnswer:
    """The matches of one query, or in `error` why there are none."""

    query: str
    matches: tuple[MatchAnswer, ...] = ()
    error: str | None = None
    promise: PromiseAnswer | None = None

    @property
    def not_written(self) -> tuple[str, ...]:
        """The fields that are not written: what there is none of."""
        if self.error is not None:
            return "matches", "promise"
        return ("error",) if self.promise is not None else ("error", "promise")

    @classmethod
    def of(cls, answer: Answer) -> SearchAnswer:
        """Return what `search --json` prints for one query."""
        return cls(
            answer.query,
            tuple(MatchAnswer.of(match) for match in answer.matches),
            answer.error,
            None if answer.promised is None else PromiseAnswer.of(answer.promised),
        )


@dataclass(frozen=True)
class SearchPage:
    """One page of a search: its matches, and where the page lies.

    Parameters
    ----------
    query : str
        The name of what was asked with.
    matches : sequence of MatchAnswer
    query_width_px, query_height_px : int
        Of what was asked with, upright.
    offset : int
        How many matches lie before the page.
    has_more : bool
    promise : PromiseAnswer
        Left out where no precision was asked for.
    query_id : str
        By which the server knows what was asked with: ``up:...`` or ``id:N``.
    note : str
        What of the wish the page leaves to the next one; left out where it leaves nothing.
    """

    query: str
    matches: tuple[MatchAnswer, ...]
    query_width_px: int
    query_height_px: int
    offset: int
    has_more: bool
    promise: PromiseAnswer | None = None
    query_id: str = ""
    note: str | None = None

    @property
    def not_written(self) -> tuple[str, ...]:
        """The fields that are not written: what there is none of."""
        return tuple(name for name in ("promise", "note") if getattr(self, name) is None)


@dataclass(frozen=True)
class BatchAnswer:
    """The first pages of several searches, in the order of their pictures."""

    answers: tuple[SearchPage | SearchAnswer, ...]


@dataclass(frozen=True)
class ComparisonAnswer:
    """Two pictures compared by every measure."""

    measures: Mapping[str, float]
    relation: Relation
    verdict: str
    proof: Proof

    @classmethod
    def of(cls, comparison: Comparison) -> ComparisonAnswer:
        """Return what `compare --json` prints."""
        measures = {one.name: round(one.value, 6) for one in comparison.measures}
        return cls(measures, comparison.relation, comparison.verdict, comparison.proof)


@dataclass(frozen=True)
class Size:
    """Of an upright picture."""

    width_px: int
    height_px: int


@dataclass(frozen=True)
class ComparedAnswer(ComparisonAnswer):
    """A `ComparisonAnswer` with what a program needs to draw it.

    Parameters
    ----------
    measures, relation, verdict, proof : as of `ComparisonAnswer`
    ranges : mapping
        Of each measure its lowest and highest value, and whether it is a distance.
    first, second : Size
    first_id, second_id : str
        By which the server knows pictures that were sent; left out where none were.
    """

    ranges: Mapping[str, tuple[float, float, bool]]
    first: Size
    second: Size
    first_id: str | None = None
    second_id: str | None = None

    @property
    def not_written(self) -> tuple[str, ...]:
        """The fields that are not written."""
        return ("first_id", "second_id") if self.first_id is None else ()

    @classmethod
    def of(cls, comparison: Comparison) -> ComparedAnswer:
        """Return a comparison as it is sent."""
        first, second = (Size(*size) for size in comparison.sizes_px)
        return cls(
            **vars(ComparisonAnswer.of(comparison)),
            ranges={one.name: (one.lowest, one.highest, one.is_distance) for one in comparison.measures},
            first=first,
            second=second,
        )

    def comparison(self) -> Comparison:
        """Return the comparison; the points that agree are not told."""
        from lookalike.comparing import Comparison, Measured

        measures = tuple(Measured(name, value, *self.ranges[name]) for name, value in self.measures.items())
        first, second = ((one.width_px, one.height_px) for one in (self.first, self.second))
        found = _verification(self.proof)
        return Comparison(measures, self.relation, self.verdict, self.proof, found, (first, second))


def _verification(proof: Proof) -> Verification:
    from lookalike.proving.verify import Verification

    return Verification(
        relation=proof.relation,
        method="pixels" if proof.method == "pixels" else "keypoints",
        n_inliers=proof.inliers,
        agreement=proof.agreement,
        residual=proof.residual,
        transform=proof.transform,
        contains=proof.contains,
        matrix=proof.placement,
        overlap_first=proof.overlap_first,
        overlap_second=proof.overlap_second,
        points_first=np.empty((0, 2)),
        points_second=np.empty((0, 2)),
    )
