"""What the ways look at: a gallery's rows and nearest neighbours, by the names of features."""

from __future__ import annotations

from collections.abc import Mapping

from lookalike.errors import FeatureMismatchError, InputError
from lookalike.queries.query import Query
from lookalike.records.recipe import Recipe
from lookalike.storage.index.kept import KeptIndexes
from lookalike.storage.index.nearest import Nearest
from lookalike.storage.index.rows import Rows
from lookalike.storage.records import Stamp
from lookalike.storage.store import Store


class LookUp:
    """One gallery as one search sees it: each feature as it is when it is first asked for.

    Parameters
    ----------
    store : Store
        The truth.
    kept : KeptIndexes
        Its rows.
    recipes : mapping
        How each feature is computed under the settings.
    """

    def __init__(self, store: Store, kept: KeptIndexes, recipes: Mapping[str, Recipe]) -> None:
        self._store = store
        self._kept = kept
        self._recipes = recipes
        self._has: dict[str, bool] = {}
        self._rows: dict[str, Rows] = {}
        self._nearest: dict[tuple[str, str | None], Nearest] = {}

    def has(self, feature: str) -> bool:
        """Whether any picture of the gallery has a feature, by whichever recipe."""
        if feature not in self._has:
            recipe = self._recipes.get(feature)
            self._has[feature] = recipe is not None and self._store.features.has(recipe.feature)
        return self._has[feature]

    def stamp(self, feature: str) -> Stamp:
        """Return a mark that changes with the rows of a feature."""
        return self._store.features.stamp(self._recipes[feature])

    def rows(self, feature: str) -> Rows:
        """Return the rows of a feature; errors as `nearest`."""
        if feature not in self._rows:
            self._rows[feature] = self._kept.rows(self._checked(feature))
        return self._rows[feature]

    def nearest(self, feature: str, metric: str | None = None) -> Nearest:
        """Return the look-up structure of a feature by a metric, None for the default one.

        Raises
        ------
        InputError
            No picture of the gallery has the feature.
        FeatureMismatchError
            The gallery has it by another recipe only.
        """
        key = feature, metric
        if key not in self._nearest:
            self._nearest[key] = self._kept.nearest(self._checked(feature), metric)
        return self._nearest[key]

    def id_of(self, query: Query) -> int | None:
        """Return the id of the content that has the query's very bytes, if there is one."""
        return None if query.digest is None else self._store.contents.id_of(query.digest)

    def _checked(self, feature: str) -> Recipe:
        recipe = self._recipes[feature]
        present = self._store.features.recipes(recipe.feature)
        if recipe.text in present:
            return recipe
        if not self._store.contents.count():
            raise InputError(f"the gallery {self._store.folder} holds no picture yet: run `index` first.")
        if not present:
            raise InputError(
                f"no picture of the gallery {self._store.folder} has the feature {feature}: run "
                "`lookalike index` over your folders without --only, or search --by another way."
            )
        raise FeatureMismatchError(
            f"the gallery {self._store.folder} has {feature} by the recipe {next(iter(present))}, but "
            f"your settings give {recipe.text}: use the settings that it was indexed with, or run "
            "`lookalike index` over your folders again to add the new features."
        )
