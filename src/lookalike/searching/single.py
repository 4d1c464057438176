"""A way that compares one feature by one metric."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lookalike.features.distances import Metric
from lookalike.features.feature import Feature
from lookalike.features.kinds import BITS
from lookalike.queries.query import Query
from lookalike.records.relation import Relation
from lookalike.searching.look_up import LookUp
from lookalike.searching.way import SHORT_LIST, Ranking, Way
from lookalike.storage.index.nearest import Allowed

_N_BITS = 64  # of hashes where none is at hand, as in the unit of a distance


class SingleWay(Way):
    """The nearest rows of one feature.

    Parameters
    ----------
    feature : Feature
    metric : str or None
        One that suits it; None takes the default, which alone is calibrated.
    """

    def __init__(self, feature: Feature, metric: str | None = None) -> None:
        self._described = feature
        self._feature = feature.name
        self._metric = metric

    @cached_property
    def _measure(self) -> Metric:
        metrics = self._described.kind.metrics(_N_BITS)
        return metrics[self._metric or next(iter(metrics))]

    @property
    def name(self) -> str:
        """See `Way.name`."""
        return self._feature if self._metric is None else f"{self._feature}:{self._metric}"

    @property
    def needs(self) -> tuple[str, ...]:
        """See `Way.needs`."""
        return (self._feature,)

    @property
    def describes(self) -> str:
        """See `Way.describes`."""
        return f"{self._described.describes}, by {self._measure.name}"

    @property
    def unit(self) -> str:
        """See `Way.unit`."""
        return self._measure.unit

    @property
    def is_calibrated(self) -> bool:
        """See `Way.is_calibrated`."""
        return self._metric is None

    def rank(self, query: Query, look_up: LookUp, k: int, *, allowed: Allowed | None = None) -> Ranking:
        """See `Way.rank`."""
        rows = look_up.rows(self._feature)
        nearest = look_up.nearest(self._feature, self._metric)
        n = min(max(k, SHORT_LIST), max(1, len(rows)))
        found = nearest.search(query.row(self._feature), n, allowed=allowed)
        ids = found.ids[0][: found.counts[0]]
        distances = found.distances[0][: found.counts[0]].astype(np.float64)
        measure = rows.metric(self._metric)
        same = look_up.id_of(query)
        relations: tuple[Relation, ...] = tuple("same_file" if one == same else "similar" for one in ids)
        return Ranking(
            ids,
            1 - distances / measure.span,
            distances,
            relations,
            lambda n: self._why(measure, distances[n]),
        )

    def rank_all(
        self, queries: Sequence[Query], look_up: LookUp
    ) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """See `Way.rank_all`; all queries are compared in one pass over the rows."""
        rows = np.concatenate([query.row(self._feature) for query in queries])
        found = look_up.nearest(self._feature, self._metric).search(rows, SHORT_LIST)
        span = look_up.rows(self._feature).metric(self._metric).span
        return [
            (ids[:count], 1 - distances[:count].astype(np.float64) / span)
            for ids, distances, count in zip(found.ids, found.distances, found.counts, strict=True)
        ]

    def _why(self, measure: Metric, distance: float) -> str:
        if self._described.kind is BITS:
            return f"{self._feature} differs in {distance:.0f} of {measure.span:.0f} bits"
        return f"{self._feature} {measure.name} distance {distance:.3f}"
