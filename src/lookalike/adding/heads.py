"""Features that are computed from the stored rows of others: for them, no file is read and nothing is decoded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lookalike.features.feature import Feature
from lookalike.features.registry import find_feature
from lookalike.storage.store import Store


def add_heads(store: Store, features: Mapping[str, Feature]) -> int:
    """Compute what is wanting of the heads among these features, for all contents whose rows are there.

    Parameters
    ----------
    store : Store
    features : Feature by name
        In the order in which they can be computed: a head comes after what it is computed from.

    Returns
    -------
    int
        How many rows were written. Where none is wanting, nothing is read but two counts.
    """
    heads = [feature for feature in features.values() if feature.source == "rows"]
    return sum(_add_head(store, head, find_feature(head.of, features)) for head in heads)


def _add_head(store: Store, head: Feature, below: Feature) -> int:
    there = store.features.recipes(head.recipe.feature).get(head.recipe.text, 0)
    if there >= store.features.recipes(below.recipe.feature).get(below.recipe.text, 0):
        return 0
    known = np.fromiter(store.features.ids_with(head.recipe), np.int64)
    n_written = 0
    for ids, rows in store.features.iter_blocks(below.recipe, below.kind.stored_dtype):
        is_lacking = ~np.isin(ids, known)
        if not is_lacking.any():
            continue
        computed = head.compute(rows[is_lacking])
        with store.batch() as batch:
            for content_id, row in zip(ids[is_lacking].tolist(), computed, strict=True):
                batch.add_feature(content_id, head.recipe, row.tobytes())
        n_written += len(computed)
    return n_written
