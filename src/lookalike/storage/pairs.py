"""What was worked out of pairs of contents."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lookalike.records.recipe import Recipe
from lookalike.storage.database import Database

_RECIPE_ID = "(SELECT id FROM recipe WHERE text = ?)"


class Pairs:
    """One row an outcome of a pair (smaller id first) by a recipe; `Batch.put_verified` writes it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def kept(self, recipe: Recipe, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], str]:
        """Return the outcomes by this recipe that are kept for some of these pairs (smaller id first)."""
        rows = self._db.rows(
            "SELECT first_id, second_id, outcome FROM json_each(?) AS asked CROSS JOIN verified "
            "ON first_id = json_extract(asked.value, '$[0]') AND second_id = json_extract(asked.value, '$[1]') "
            f"WHERE recipe_id = {_RECIPE_ID}",
            (json.dumps(pairs), recipe.text),
        )
        return {(first, second): outcome for first, second, outcome in rows}

    def all_kept(self, recipe: Recipe) -> list[tuple[int, int]]:
        """Return the pairs (smaller id first) of which an outcome by this recipe is kept."""
        rows = self._db.rows(
            f"SELECT first_id, second_id FROM verified WHERE recipe_id = {_RECIPE_ID}", (recipe.text,)
        )
        return [(first, second) for first, second in rows]

    def forget(self, recipe: Recipe) -> None:
        """Forget all outcomes by this recipe."""
        with self._db.transaction():
            self._db.execute(f"DELETE FROM verified WHERE recipe_id = {_RECIPE_ID}", (recipe.text,))
