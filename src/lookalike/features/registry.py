"""The features that there are: those of lookalike, and those that plug-ins register.

Whatever lists features, or asks how one is compared, asks here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache

from lookalike.errors import InputError
from lookalike.features.built_in import hash_features, histogram_features
from lookalike.features.embedding.features import embedding_features
from lookalike.features.feature import Feature
from lookalike.features.kinds import Kind
from lookalike.plugins import load_plugins
from lookalike.settings import Settings

FeatureMaker = Callable[[Settings, Mapping[str, Feature], int], Iterable[Feature]]
"""Called with the settings, what was made before (a head reads the recipe of its source there), and the threads."""

_MAKERS: list[FeatureMaker] = [
    lambda settings, _made, _n_threads: hash_features(settings),
    lambda settings, _made, _n_threads: histogram_features(settings),
    lambda settings, _made, n_threads: embedding_features(settings, n_threads),
]


def register(maker: FeatureMaker) -> None:
    """Have a maker asked for its features, after those that are there."""
    _MAKERS.append(maker)
    kind_of.cache_clear()


def features_of(settings: Settings, *, n_threads: int = 1) -> dict[str, Feature]:
    """Return every feature that the settings give, by name, in the order in which they are listed.

    Parameters
    ----------
    settings : Settings
        Hash size, models and precision.
    n_threads : int
        Threads of each model.

    Raises
    ------
    InputError
        Two features have one name.
    PluginError
        A plug-in cannot be loaded.
    """
    load_plugins()
    made: dict[str, Feature] = {}
    for maker in _MAKERS:
        for feature in maker(settings, made, n_threads):
            if feature.name in made:
                raise InputError(f"there are two features {feature.name!r}: give each a name of its own.")
            made[feature.name] = feature
    return made


def find_feature(name: str, features: Mapping[str, Feature]) -> Feature:
    """Return a feature by its name or alias.

    Raises
    ------
    InputError
        No such feature; the message lists the known ones.
    """
    if name in features:
        return features[name]
    for feature in features.values():
        if name and feature.alias == name:
            return feature
    raise InputError(f"there is no feature {name!r}; choose from {', '.join(features)}.")


@cache
def kind_of(family: str) -> Kind:
    """Return how the rows of the features of a family are stored and compared, as `Recipe.feature` names it.

    Raises
    ------
    InputError
        No such feature.
    """
    return find_feature(family, features_of(Settings())).kind
