"""Embeddings as features: one for each model that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from lookalike.errors import InputError
from lookalike.features.embedding.description import ModelDescription
from lookalike.features.embedding.engine import Embedder, describe_model, model_name, open_embedder
from lookalike.features.feature import EMBEDDING, Feature
from lookalike.features.kinds import VECTOR, StoredArray
from lookalike.features.prepared import THUMBNAIL_PX, Prepared
from lookalike.records.arrays import UInt8Array
from lookalike.records.picture import Picture
from lookalike.records.recipe import Recipe
from lookalike.settings import Settings


class EmbeddingFeature(Feature):
    """What one neural network sees in a picture; the network is loaded when it is first needed.

    Parameters
    ----------
    model : str
        A name of the catalogue, or the path of an ``.onnx`` file.
    settings : Settings
        The precision of catalogue models.
    is_first : bool
        Whether it is called `embedding` for short.
    n_threads : int
        Threads of the network.
    """

    kind = VECTOR

    def __init__(self, model: str, settings: Settings, *, is_first: bool = False, n_threads: int = 1) -> None:
        full_name = f"{EMBEDDING}:{model_name(model)}"
        self.name, self.alias = (EMBEDDING, full_name) if is_first else (full_name, "")
        self.describes = f"what the neural network {model_name(model)} sees in the picture"
        self._model, self._settings, self._n_threads = model, settings, n_threads

    @cached_property
    def _described(self) -> tuple[Recipe, ModelDescription]:
        return describe_model(self._model, self._settings)

    @property
    def recipe(self) -> Recipe:
        """See `Feature`."""
        return self._described[0]

    @property
    def min_side_px(self) -> int:
        """See `Feature`."""
        return max(THUMBNAIL_PX, self._described[1].size_px)

    @cached_property
    def _embedder(self) -> Embedder:
        return open_embedder(self._model, self._settings, n_threads=self._n_threads)

    def view(self, picture: Picture) -> UInt8Array | None:
        """Return what the network sees of a picture, uint8 (h, h, 3); None where that is the thumbnail."""
        described = self._described[1]
        if (described.size_px, described.resize) == (THUMBNAIL_PX, "squash"):
            return None
        return described.prepare(picture.image)

    def compute(self, given: Prepared) -> StoredArray:
        """Return the embedding: a unit vector."""
        row: StoredArray = self.embed(given.view(self.name)[None])[0]
        return row

    def embed(self, views: UInt8Array) -> StoredArray:
        """Return the embeddings of what the network sees, uint8 (n, h, h, 3), as float16 unit rows."""
        return self._embedder.embed(views).astype(np.float16)


def embedding_features(settings: Settings, n_threads: int) -> Iterator[EmbeddingFeature]:
    """Yield one feature for each model of the settings."""
    names = [model_name(model) for model in settings.model_list]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(
            f"setting models names {twice[0]} twice: give each model once, and each file its own name."
        )
    for place, model in enumerate(settings.model_list):
        yield EmbeddingFeature(model, settings, is_first=place == 0, n_threads=n_threads)
