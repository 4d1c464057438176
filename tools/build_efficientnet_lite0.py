"""Build the files of the bundled model: ``python tools/build_efficientnet_lite0.py [FOLDER]``.

It writes the int8 graph, the float32 graph without its weights, and the table of where those are in the file of
the package that they come from. Without a folder, what is written is what ships in ``src``. The bytes are the
same on every machine (with the versions of ``constraints.txt``); their digests stand in the catalogue.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficientnet_lite.graph import GRAPH_VERSION, Block, build_float32, build_int8, read_blocks
from efficientnet_lite.weights import Place, find_tensors
from lookalike.errors import ModelError
from lookalike.features.embedding.catalogue import CATALOGUE
from lookalike.features.embedding.graph import PackagedWeights

if TYPE_CHECKING:
    from onnx import ModelProto

NAME = "efficientnet-lite0"
DIGEST_LENGTH = 16
RANGES: dict[str, tuple[float, float]] = json.loads(
    Path(__file__).parent.joinpath("efficientnet_lite", "ranges.json").read_text(encoding="utf-8")
)["ranges"]
SHIPPED = Path(__file__).parents[1] / "src" / "lookalike" / "features" / "embedding" / "shipped"


def packaged_weights() -> PackagedWeights:
    """Return the weights that the model is built from."""
    weights = CATALOGUE[NAME].graphs["float32"].weights
    if weights is None:
        raise ModelError(f"the catalogue does not say where the weights of {NAME} are.")
    return weights


def read_network() -> list[Block]:
    """Return the network with the weights of the installed package."""
    data = packaged_weights().read()
    return read_blocks({name: place.read(data) for name, place in find_tensors(data, NAME).items()})


def recipe_digest(precision: str) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of all that the built graph depends on."""
    ranges = RANGES if precision == "int8" else None
    parts = [packaged_weights().sha256, GRAPH_VERSION, precision, ranges]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:DIGEST_LENGTH]


def build_files() -> dict[str, bytes]:
    """Return the files of the model by name."""
    blocks = read_network()
    places = find_tensors(packaged_weights().read(), NAME)
    return {
        f"{NAME}-int8.onnx": _bytes(build_int8(blocks, RANGES)),
        f"{NAME}-float32.onnx": _bytes(_without_weights(build_float32(blocks), blocks)),
        f"{NAME}-float32.json": _table(blocks, places).encode(),
    }


def _bytes(model: ModelProto) -> bytes:
    return bytes(model.SerializeToString(deterministic=True))


def _without_weights(model: ModelProto, blocks: Sequence[Block]) -> ModelProto:
    """Mark the parameters of all convolutions as kept outside the file."""
    from onnx import TensorProto

    outside = {
        f"{c.name}/{part}" for block in blocks for c in block.convolutions for part in ("weight", "bias")
    }
    for constant in model.graph.initializer:
        if constant.name in outside:
            constant.ClearField("raw_data")
            constant.data_location = TensorProto.EXTERNAL
            constant.external_data.add(key="location", value=packaged_weights().package)
    return model


def _table(blocks: Sequence[Block], places: Mapping[str, Place]) -> str:
    convolutions: dict[str, Any] = {
        convolution.name: {part: places[source][:3] for part, source in convolution.sources.items()}
        for block in blocks
        for convolution in block.convolutions
    }
    lines = (f"{json.dumps(name)}: {json.dumps(parts)}" for name, parts in convolutions.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: Sequence[str]) -> None:
    """Write the files and print their digests."""
    folder = Path(arguments[0]) if arguments else SHIPPED
    for name, data in build_files().items():
        folder.joinpath(name).write_bytes(data)
        print(f"{name}: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")
    for precision in ("int8", "float32"):
        print(f"{precision} is called {recipe_digest(precision)} in recipes")


if __name__ == "__main__":
    main(sys.argv[1:])
