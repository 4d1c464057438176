"""Every way of searching, by name: the one list that the faces, `compare`, `evaluate` and the docs go by."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lookalike.errors import InputError
from lookalike.features.feature import Feature
from lookalike.features.registry import features_of, find_feature
from lookalike.searching.joined import JoinedWay
from lookalike.searching.single import SingleWay
from lookalike.searching.two_stage import TwoStageWay
from lookalike.searching.way import Way
from lookalike.settings import Settings

_N_BITS = 64  # of no hash in particular: only the names of metrics are asked for
ALIASES = {"color": "hsv", "colour": "hsv"}
WAYS: dict[str, Way] = {way.name: way for way in (JoinedWay(), TwoStageWay())}
"""The ways that look at several features, the default first. A new one is one module and one entry here.

Every feature is a way of its own besides, in each metric that suits it; see `find_way`.
"""


def ways(settings: Settings) -> list[str]:
    """Return every way of searching, the default first."""
    single = [
        feature.name if position == 0 else f"{feature.name}:{metric}"
        for feature in features_of(settings).values()
        for position, metric in enumerate(feature.kind.metrics(_N_BITS))
    ]
    return [*WAYS, *single]


def find_way(by: Any, settings: Settings) -> Way:
    """Return a way of searching by its name, such as ``auto``, ``phash`` or ``hsv:intersection``.

    Parameters
    ----------
    by : str
        The name; that of a feature may be followed by a colon and a metric.
    settings : Settings
        Name the models, each of which is a way.

    Raises
    ------
    InputError
        An unknown way or metric; the message lists the known ones.
    """
    name = ALIASES.get(by, by) if isinstance(by, str) else ""
    features = features_of(settings)
    if name in WAYS:
        return WAYS[name]
    if feature := _known(name, features):
        return SingleWay(feature)
    name, _, metric = name.rpartition(":")
    feature = _known(ALIASES.get(name, name), features)
    if feature is None:
        raise InputError(f"there is no way {by!r} to search; choose from {', '.join(ways(settings))}.")
    metrics = list(feature.kind.metrics(_N_BITS))
    if metric not in metrics:
        others = [one.removeprefix(f"{name}:") for one in features if one.startswith(f"{name}:")]
        known = ", ".join([*metrics, *others])
        raise InputError(
            f"{feature.name} has no {'variant or ' if others else ''}metric {metric!r}; choose from {known}."
        )
    return SingleWay(feature, None if metric == metrics[0] else metric)


def _known(name: str, features: Mapping[str, Feature]) -> Feature | None:
    with suppress(InputError):
        return find_feature(name, features)
    return None
