"""One decoded picture -> all its features, from one thumbnail.

The cost of a picture is its decoding, one resize, and one pass of each model. A model that does not see the
thumbnail costs one resize more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from lookalike.features.feature import Feature
from lookalike.features.kinds import StoredArray
from lookalike.features.prepared import THUMBNAIL_PX, Prepared, make_thumbnail
from lookalike.features.registry import features_of, find_feature
from lookalike.records.picture import Picture
from lookalike.records.recipe import Recipe
from lookalike.settings import Settings


class Extractor:
    """Computes the wanted features of pictures, each with its recipe.

    Parameters
    ----------
    settings : Settings
        Hash size, models and precision.
    features : names, or None
        Which features it may be asked for, by name or alias; None means all that are of pictures.
    n_threads : int
        Threads of each model, which is loaded when it is first needed.

    Raises
    ------
    InputError
        A feature that there is not.
    """

    def __init__(
        self, settings: Settings, features: Iterable[str] | None = None, *, n_threads: int = 1
    ) -> None:
        self.settings = settings
        self._known = features_of(settings, n_threads=n_threads)
        wanted = self._known if features is None else features
        chosen = [find_feature(name, self._known) for name in wanted]
        self._features = {one.name: one for one in chosen if one.source != "text"}

    @property
    def features(self) -> Mapping[str, Feature]:
        """The wanted features, by name."""
        return self._features

    @cached_property
    def recipes(self) -> dict[str, Recipe]:
        """The recipes of the wanted features, by name."""
        return {name: one.recipe for name, one in self._features.items()}

    @property
    def min_side_px(self) -> int:
        """The shorter side below which a decoded picture would be too small for these features."""
        return max((one.min_side_px for one in self._computed_first()), default=THUMBNAIL_PX)

    def prepare(self, picture: Picture) -> Prepared:
        """Return what the features are computed from; the picture is not needed again."""
        views = {}
        for feature in self._computed_first():
            view = feature.view(picture)
            if view is not None:
                views[feature.name] = view
        return Prepared(make_thumbnail(picture.image), views)

    def extract(self, prepared: Prepared) -> dict[str, StoredArray]:
        """Return every wanted feature in its stored form, a 1-D array each, by name."""
        found: dict[str, StoredArray] = {}
        for feature in self._features.values():
            self._compute(feature, prepared, found)
        return {name: found[name] for name in self._features}

    def extract_one(self, feature: str, prepared: Prepared) -> StoredArray:
        """Return one feature in its stored form, by its name or alias."""
        return self._compute(find_feature(feature, self._features), prepared, {})

    def _compute(self, feature: Feature, prepared: Prepared, found: dict[str, StoredArray]) -> StoredArray:
        """Compute a feature, and before it the one that it is a head of; what is in `found` is not done again."""
        if feature.name not in found:
            if feature.source == "rows":
                below = self._compute(find_feature(feature.of, self._known), prepared, found)
                found[feature.name] = feature.compute(below[None])[0]
            else:
                found[feature.name] = feature.compute(prepared)
        return found[feature.name]

    def _computed_first(self) -> list[Feature]:
        """Return the features of pictures that the wanted ones are computed from."""
        needed = {}
        for feature in self._features.values():
            while feature.source == "rows":
                feature = find_feature(feature.of, self._known)
            needed[feature.name] = feature
        return list(needed.values())


def recipes_of(settings: Settings, features: Iterable[str] | None = None) -> dict[str, Recipe]:
    """Return the recipes of features by name, without computing anything; None gives all of pictures."""
    return Extractor(settings, features).recipes
