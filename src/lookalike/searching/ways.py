"""Every way of searching, by name: the one list that the faces, `compare`, `evaluate` and the docs go by."""

from __future__ import annotations

from typing import Any

from lookalike.errors import InputError
from lookalike.features.distances import metrics_of
from lookalike.features.extract import FEATURES, kind_of
from lookalike.searching.joined import JoinedWay
from lookalike.searching.single import SingleWay
from lookalike.searching.two_stage import TwoStageWay
from lookalike.searching.way import Way

ALIASES = {"color": "hsv", "colour": "hsv"}
WAYS: dict[str, Way] = {way.name: way for way in (JoinedWay(), TwoStageWay())}
"""The ways that look at several features, the default first. A new one is one module and one entry here.

Every feature is a way of its own besides, in each metric that suits it; see `find_way`.
"""


def ways() -> list[str]:
    """Return every way of searching, the default first."""
    single = [
        feature if position == 0 else f"{feature}:{metric}"
        for feature in FEATURES
        for position, metric in enumerate(metrics_of(kind_of(feature)))
    ]
    return [*WAYS, *single]


def find_way(by: Any) -> Way:
    """Return a way of searching by its name, such as ``auto``, ``phash`` or ``hsv:intersection``.

    Raises
    ------
    InputError
        An unknown way or metric; the message lists the known ones.
    """
    name, _, metric = by.partition(":") if isinstance(by, str) else ("", "", "")
    name = ALIASES.get(name, name)
    if name in WAYS and not metric:
        return WAYS[name]
    if name not in FEATURES:
        raise InputError(f"there is no way {by!r} to search; choose from {', '.join(ways())}.")
    metrics = list(metrics_of(kind_of(name)))
    if metric and metric not in metrics:
        raise InputError(f"{name} has no metric {metric!r}; choose from {', '.join(metrics)}.")
    return SingleWay(name, None if metric in ("", metrics[0]) else metric)
