"""One decoded picture -> all its features, from one thumbnail.

The thumbnail is the whole picture squeezed to 224 x 224: what the bundled model sees. Hashes and
histograms are computed from the same at a fraction of its size, which is more than they need. So the cost of a
picture is its decoding, one resize and one pass of the model.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import InputError
from lookalike.features.color import HISTOGRAMS, Pixels, pack_histogram, unpack_histograms
from lookalike.features.hashes import HASHES
from lookalike.records.picture import Picture
from lookalike.records.recipe import Recipe
from lookalike.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.features.embedding.description import ModelDescription
    from lookalike.features.embedding.engine import Embedder

THUMBNAIL_PX = 224
EMBEDDING = "embedding"
FEATURES = (*HASHES, *HISTOGRAMS, EMBEDDING)

Kind = Literal["bits", "histogram", "vector"]
StoredArray = NDArray[np.uint8] | NDArray[np.float16]


class Prepared(NamedTuple):
    """What the features of one picture are computed from; small enough to keep.

    `thumbnail` is the RGB thumbnail, `small` the same at half its size for the histograms, `grey` its luma at
    7 pixels for each bit of a hash's side, and `model_input` what the embedding model takes, uint8 (h, w, 3).
    """

    thumbnail: Image
    small: Pixels
    grey: Image
    model_input: NDArray[np.uint8]


def kind_of(feature: str) -> Kind:
    """Return how a feature is stored and compared."""
    if feature in HASHES:
        return "bits"
    if feature in HISTOGRAMS:
        return "histogram"
    if feature == EMBEDDING:
        return "vector"
    raise InputError(f"there is no feature {feature!r}; choose from {', '.join(FEATURES)}.")


def stored_dtype(feature: str) -> np.dtype[np.uint8] | np.dtype[np.float16]:
    """Return the dtype of a stored feature: uint8 for bits and histograms, float16 for vectors."""
    return np.dtype(np.float16) if kind_of(feature) == "vector" else np.dtype(np.uint8)


def for_cache(feature: str, stored: StoredArray) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return stored rows, shape (n, d), as an index keeps them: vectors as float32 of length 1 again."""
    if kind_of(feature) != "vector":
        return stored.astype(np.uint8, copy=False)
    rows = stored.astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return rows


def for_kind(kind: Kind, rows: NDArray[Any]) -> NDArray[Any]:
    """Return an index's rows in the form that `metrics_of` compares: histograms unpacked."""
    return unpack_histograms(rows) if kind == "histogram" else rows


class Extractor:
    """Computes the wanted features of pictures, each with its recipe.

    Parameters
    ----------
    settings : Settings      hash size, model and precision
    features : names         which features it may be asked for
    n_threads : int          threads of the model, which is loaded when it is first needed
    """

    def __init__(self, settings: Settings, features: Iterable[str] = FEATURES, *, n_threads: int = 1) -> None:
        self.settings = settings
        self.features = tuple(features)
        self._n_threads = n_threads
        self._description: ModelDescription | None = None
        self.recipes = {feature: self._recipe(feature) for feature in self.features}

    def _recipe(self, feature: str) -> Recipe:
        if kind_of(feature) == "vector":
            from lookalike.features.embedding.engine import describe_model

            recipe, self._description = describe_model(self.settings)
            return recipe
        if feature in HASHES:
            return Recipe(feature, 1, {"from_px": self._hash_px, "size": self.settings.hash_size})
        return Recipe(feature, 1, {"from_px": THUMBNAIL_PX // 2})

    @cached_property
    def _embedder(self) -> Embedder:
        from lookalike.features.embedding.engine import open_embedder

        return open_embedder(self.settings, n_threads=self._n_threads)

    @property
    def min_side_px(self) -> int:
        """The shorter side below which a decoded picture would be too small for these features."""
        return max(THUMBNAIL_PX, self._description.size_px if self._description else 0)

    def prepare(self, picture: Picture) -> Prepared:
        """Return the thumbnail of a picture and the model's input; the picture is not needed again."""
        thumbnail = make_thumbnail(picture.image)
        described = self._description
        sees_thumbnail = described is None or (described.size_px, described.resize) == (
            THUMBNAIL_PX,
            "squash",
        )
        source = thumbnail if sees_thumbnail else picture.image
        model_input = np.asarray(thumbnail) if described is None else described.prepare(source)
        grey = thumbnail.reduce(THUMBNAIL_PX // self._hash_px).convert("L")
        return Prepared(thumbnail, Pixels(thumbnail.reduce(2)), grey, model_input)

    @property
    def _hash_px(self) -> int:
        """Side of the picture that is hashed: 56 pixels for 64 bits; pHash itself needs 4 a bit."""
        return min(THUMBNAIL_PX, 7 * self.settings.hash_size)

    def extract(self, prepared: Prepared) -> dict[str, StoredArray]:
        """Return every wanted feature in its stored form, a 1-D array each.

        Hashes are packed bits (uint8), histograms packed square roots (uint8, see `pack_histogram`), the
        embedding a unit vector (float16).
        """
        return {feature: self.extract_one(feature, prepared) for feature in self.features}

    def extract_one(self, feature: str, prepared: Prepared) -> StoredArray:
        """Return one feature in its stored form."""
        if feature in HASHES:
            return HASHES[feature](prepared.grey, self.settings.hash_size)
        if feature in HISTOGRAMS:
            return pack_histogram(HISTOGRAMS[feature](prepared.small))
        embedding: NDArray[np.float16] = self.embed(prepared.model_input[None])[0]
        return embedding

    def embed(self, model_inputs: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Return the embeddings of prepared inputs, shape (n, h, w, 3), as float16 unit rows."""
        return self._embedder.embed(model_inputs).astype(np.float16)


def make_thumbnail(image: Image) -> Image:
    """Return the whole picture squeezed to 224 x 224, whatever its shape, without aliasing."""
    from PIL.Image import Resampling

    if image.size == (THUMBNAIL_PX, THUMBNAIL_PX):
        return image
    return image.resize((THUMBNAIL_PX, THUMBNAIL_PX), Resampling.BILINEAR)


def recipes_of(settings: Settings, features: tuple[str, ...]) -> dict[str, Recipe]:
    """Return the recipe of each feature under these settings."""
    return Extractor(settings, features).recipes
