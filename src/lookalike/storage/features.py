"""The contents of a gallery and what was computed of them."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.records.recipe import Recipe
from lookalike.storage.database import Database
from lookalike.storage.records import Stamp

Dtype = np.dtype[np.uint8] | np.dtype[np.float16]
_N_USUAL = 9  # rows by which the length of all rows of a recipe is known
_log = logging.getLogger("lookalike")
_RECIPE_ID = "(SELECT id FROM recipe WHERE text = ?)"


class Contents:
    """One row a distinct sequence of bytes. Ids grow, and are never used again."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def id_of(self, digest: bytes) -> int | None:
        """Return the id of the content with this digest, if it is known."""
        row = self._db.row("SELECT id FROM content WHERE digest = ?", (digest,))
        return None if row is None else int(row[0])

    def digests_of(self, content_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the digest of each of these contents; unknown ones are left out."""
        question = "SELECT id, digest FROM content WHERE id IN ({keys})"
        return dict(self._db.rows_among(question, [int(content_id) for content_id in content_ids]))

    def count(self) -> int:
        """Return how many contents there are."""
        row = self._db.row("SELECT n FROM tally WHERE subject = 'content'")
        return 0 if row is None else int(row[0])


class Features:
    """One row a feature of a content by a recipe, numbered in the order of writing.

    A cache that has read up to number n needs only the rows after n, see `iter_blocks` and `removed_after`.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def of(self, content_id: int, recipes: Iterable[Recipe]) -> dict[str, bytes]:
        """Return the stored bytes of a content's features, by feature name; absent ones are left out."""
        wanted = {recipe.text: recipe.feature for recipe in recipes}
        rows = self._db.rows(
            "SELECT text, data FROM feature JOIN recipe ON recipe.id = recipe_id "
            "WHERE content_id = ? AND text IN (SELECT value FROM json_each(?))",
            (content_id, json.dumps(list(wanted))),
        )
        return {wanted[text]: data for text, data in rows}

    def missing(self, content_id: int, recipes: Iterable[Recipe]) -> set[str]:
        """Return which of these recipes' features the content lacks, or has in another length than usual."""
        rows = self._db.rows(
            "SELECT text, length(data) FROM feature JOIN recipe ON recipe.id = recipe_id WHERE content_id = ?",
            (content_id,),
        )
        kept = dict(rows)
        return {
            recipe.feature
            for recipe in recipes
            if recipe.text not in kept or kept[recipe.text] != self.usual_bytes(recipe)
        }

    def lacking(self, recipes: Sequence[Recipe], among: Iterable[int]) -> set[int]:
        """Return which of some contents lack a feature of at least one of these recipes.

        A row of another length than the others of its recipe was damaged, and counts as lacking.
        """
        wanted = [
            number for recipe in recipes for number in (self._recipe_number(recipe), self.usual_bytes(recipe))
        ]
        usual = f"CASE recipe_id {'WHEN ? THEN ? ' * len(recipes)}END"
        rows = self._db.rows(
            "SELECT value FROM json_each(?) AS asked WHERE "
            f"(SELECT count(*) FROM feature WHERE content_id = asked.value AND length(data) = {usual}) < ?",
            (json.dumps(list(among)), *wanted, len(recipes)),
        )
        return {int(content_id) for (content_id,) in rows}

    def _recipe_number(self, recipe: Recipe) -> int | None:
        row = self._db.row("SELECT id FROM recipe WHERE text = ?", (recipe.text,))
        return None if row is None else int(row[0])

    def usual_bytes(self, recipe: Recipe) -> int | None:
        """Return how long most of the first rows of a recipe are; None where there is none."""
        rows = self._db.rows(
            f"SELECT length(data) FROM feature WHERE recipe_id = {_RECIPE_ID} ORDER BY number LIMIT ?",
            (recipe.text, _N_USUAL),
        )
        lengths = Counter(int(n_bytes) for (n_bytes,) in rows)
        return lengths.most_common(1)[0][0] if lengths else None

    def recipes(self, feature: str) -> dict[str, int]:
        """Return the recipe texts kept for a feature, with the number of rows of each; nothing is counted."""
        rows = self._db.rows(
            "SELECT text, n FROM recipe JOIN tally ON subject = 'feature' AND name = text "
            "WHERE feature = ? AND n > 0 ORDER BY id",
            (feature,),
        )
        return dict(rows)

    def has(self, feature: str) -> bool:
        """Whether any content has this feature, by whichever recipe."""
        return bool(self.recipes(feature))

    def ids_with(self, recipe: Recipe) -> set[int]:
        """Return the contents that have a feature of this recipe."""
        rows = self._db.rows(f"SELECT content_id FROM feature WHERE recipe_id = {_RECIPE_ID}", (recipe.text,))
        return {int(content_id) for (content_id,) in rows}

    def iter_of(self, recipe: Recipe) -> Iterator[tuple[int, bytes]]:
        """Yield (content id, stored bytes) of every feature of a recipe, by content id."""
        question = f"SELECT data FROM feature WHERE content_id = ? AND recipe_id = {_RECIPE_ID}"
        for content_id in sorted(self.ids_with(recipe)):
            row = self._db.row(question, (content_id, recipe.text))
            if row is not None:
                yield content_id, row[0]

    # What a cache of all rows of a recipe needs

    def stamp(self, recipe: Recipe) -> Stamp:
        """Return the stamp of a cache of this recipe that was built now."""
        row = self._db.row(
            f"SELECT (SELECT coalesce(max(number), 0) FROM feature WHERE recipe_id = {_RECIPE_ID}), "
            "(SELECT coalesce(max(number), 0) FROM removed)",
            (recipe.text,),
        )
        last, removal = row or (0, 0)
        return Stamp(int(last), int(removal))

    def removed_after(self, removal: int) -> NDArray[np.int64]:
        """Return the contents that were removed after a removal of this number, ascending."""
        return np.sort(self._db.ids("SELECT content_id AS id FROM removed WHERE number > ?", (removal,)))

    def iter_blocks(
        self, recipe: Recipe, dtype: Dtype, *, after: int = 0, n_rows: int = 4096
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
        """Yield (content ids, rows) of a recipe's features with a number above `after`, in order, by blocks.

        Shapes (n,) and (n, d), n at most `n_rows`; no more than a block is in memory at a time. A row of another
        length than usual was damaged and is left out: the next run over its file computes it again.
        """
        rows = self._db.iter_rows(
            f"SELECT content_id, data FROM feature WHERE recipe_id = {_RECIPE_ID} AND number > ? ORDER BY number",
            (recipe.text, after),
        )
        n_bytes = self.usual_bytes(recipe)
        while block := list(islice(rows, n_rows)):
            whole = [(content_id, data) for content_id, data in block if len(data) == n_bytes]
            if len(whole) < len(block):
                _log.warning(
                    "%d rows of the feature %s are damaged: run `lookalike index` over your folders again",
                    len(block) - len(whole),
                    recipe.feature,
                )
            ids = np.fromiter((content_id for content_id, _ in whole), np.int64, len(whole))
            joined = np.frombuffer(b"".join(data for _, data in whole), dtype)
            yield ids, joined.reshape(len(whole), -1 if whole else 0)
