"""Pictures -> embeddings, through ONNX Runtime.

A model is one of the catalogue, or any ONNX file with a description beside it (see
`lookalike.features.embedding.description`). Importing this module loads no engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.errors import InputError, ModelError
from lookalike.features.embedding.catalogue import CATALOGUE, find_entry, sample_numbers, synthetic_picture
from lookalike.features.embedding.description import ModelDescription, read_description
from lookalike.records.arrays import Float32Array, UInt8Array
from lookalike.records.recipe import Recipe
from lookalike.settings import Settings

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from PIL.Image import Image

EMBEDDING_VERSION = 1
DIGEST_LENGTH = 16
# Pictures a call of the engine. 1 to 4 are equally fast, 8 and more are 10 % slower (the activations
# outgrow the cache of a core; measured on a 2-core machine with AVX512-VNNI).
BATCH = 4
INPUT_DTYPES: dict[str, type[np.generic]] = {
    "tensor(uint8)": np.uint8,
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
}


class Embedder:
    """An open model.

    Made by `open_embedder`. One embedder may be used by several threads; it cannot be pickled, so each
    worker process opens its own.

    Parameters
    ----------
    session : InferenceSession
        Of ONNX Runtime.
    description : ModelDescription
        What the model takes and gives.
    recipe : Recipe
        Stored with every embedding.
    """

    def __init__(self, session: InferenceSession, description: ModelDescription, recipe: Recipe) -> None:
        self.recipe = recipe
        self.description = description
        self._session = session
        self._name = str(recipe.parameters["model"])
        self._input_name, self._input_dtype = _checked_input(session, description, self._name)
        self._output_name = _checked_output(session, description, self._name)
        self._batch = 1 if session.get_inputs()[0].shape[0] == 1 else BATCH
        blank = np.zeros((1, self.size_px, self.size_px, 3), np.uint8)
        self.n_dimensions = int(self._run(blank).shape[1])

    @property
    def size_px(self) -> int:
        """Side of the square that the model sees."""
        return self.description.size_px

    def prepare(self, image: Image) -> UInt8Array:
        """Return the model's view of a decoded picture.

        Parameters
        ----------
        image : PIL image of mode RGB, of any size; best not much smaller than `size_px`

        Returns
        -------
        uint8 array, shape (size_px, size_px, 3), channels red, green, blue
        """
        return self.description.prepare(image)

    def embed(self, prepared: UInt8Array) -> Float32Array:
        """Return the embeddings of prepared pictures.

        Parameters
        ----------
        prepared : uint8 array, shape (n, size_px, size_px, 3), from `prepare`; n may be 0

        Returns
        -------
        float32 array, shape (n, n_dimensions), rows of length 1, in the order given (a row of zeros
        where the model gives zeros only). A picture gets the same int8 embedding in any batch.

        Raises
        ------
        InputError
            Another shape or dtype.
        ModelError
            The engine failed, or gave numbers that are not finite.
        """
        expected = (self.size_px, self.size_px, 3)
        if prepared.dtype != np.uint8 or prepared.ndim != 4 or prepared.shape[1:] != expected:
            raise InputError(
                f"{self._name} takes prepared pictures, uint8 of shape (n, {', '.join(map(str, expected))}), "
                f"not {prepared.dtype} of shape {prepared.shape}."
            )
        rows = np.empty((len(prepared), self.n_dimensions), np.float32)
        for start in range(0, len(prepared), self._batch):
            rows[start : start + self._batch] = self._run(prepared[start : start + self._batch])
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not np.isfinite(lengths).all():
            raise ModelError(f"the model {self._name} gave numbers that are not finite.")
        np.divide(rows, lengths, out=rows, where=lengths > 0)
        return rows

    def _run(self, pictures: UInt8Array) -> Float32Array:
        """Return the pooled output for a batch that fits the model, shape (n, d)."""
        values = self.description.to_input(pictures, self._input_dtype)
        try:
            (output,) = self._session.run([self._output_name], {self._input_name: values})
        except Exception as error:  # the engine's own errors share no base below Exception
            raise ModelError(f"the model {self._name} failed: {error}") from error
        if self.description.pooling == "average" and output.ndim == 4:
            output = output.mean(axis=(2, 3) if self.description.layout == "NCHW" else (1, 2))
        if output.ndim != 2 or len(output) != len(pictures):
            raise ModelError(
                f"the output {self._output_name} of the model {self._name} has shape {output.shape} for "
                f"{len(pictures)} pictures, but must be (n, d), or 4-D with pooling average."
            )
        return np.asarray(output, np.float32)


def open_embedder(model: str, settings: Settings, *, n_threads: int = 1) -> Embedder:
    """Open a model.

    Parameters
    ----------
    model : str
        A name of the catalogue, or the path of an ``.onnx`` file.
    settings : Settings
        The precision, for a model of the catalogue.
    n_threads : int
        Threads of the engine, at least 1.

    Raises
    ------
    InputError
        No such model, or fewer than 1 thread.
    ModelError
        The model cannot be loaded.
    MissingExtraError
        Its weights are in a package that is not installed.
    """
    if n_threads < 1:
        raise InputError(f"n_threads = {n_threads} must be at least 1.")
    recipe, description = describe_model(model, settings)
    constants = None
    if _is_file(model):
        data = _read_file(Path(model))
    else:
        _, graph = find_entry(model).choose(settings.precision)
        data = graph.read()
        constants = graph.weights.read_constants() if graph.weights is not None else None
    session = open_session(data, model_name(model), n_threads=n_threads, constants=constants)
    return Embedder(session, description, recipe)


def model_name(model: str) -> str:
    """Return what a model is called: the name of the catalogue, or that of its file."""
    return Path(model).name if _is_file(model) else model


def describe_model(model: str, settings: Settings) -> tuple[Recipe, ModelDescription]:
    """Return the recipe of the embedding, and what the model takes, without loading an engine.

    Arguments and errors as for `open_embedder`.
    """
    if _is_file(model):
        path = Path(model)
        digest = hashlib.sha256(_read_file(path)).hexdigest()[:DIGEST_LENGTH]
        description = read_description(path.with_suffix(".json"))
        return _recipe(path.name, digest, "as in the file", description), description
    entry = find_entry(model)
    precision, graph = entry.choose(settings.precision)
    return _recipe(entry.name, graph.digest, precision, entry.description), entry.description


def _is_file(model: str) -> bool:
    return model not in CATALOGUE and model.lower().endswith(".onnx")


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model {path} could not be read: {error.strerror}.") from error


def self_test(embedder: Embedder) -> float:
    """Return how well an open catalogue model reproduces its golden vector.

    Returns
    -------
    float
        Cosine between what it makes of the synthetic picture and what was measured when it entered
        the catalogue; above 0.999 on every sound installation.

    Raises
    ------
    InputError
        Nothing is known about the model: it is not of the catalogue, or has no golden vector there.
    """
    parameters = embedder.recipe.parameters
    entry = find_entry(str(parameters["model"]))
    expected = np.array(entry.choose(str(parameters["precision"]))[1].golden, np.float32)
    if not expected.size:
        raise InputError(f"the model {entry.name} has no golden vector in the catalogue to be compared with.")
    found = sample_numbers(embedder.embed(synthetic_picture(embedder.size_px)[None])[0])
    lengths = float(np.linalg.norm(found) * np.linalg.norm(expected))
    return float(found @ expected) / lengths if lengths else 0.0


def open_session(
    model: bytes, name: str, *, n_threads: int, constants: Mapping[str, Float32Array] | None = None
) -> InferenceSession:
    """Return an ONNX Runtime session on the CPU that neither spins nor chatters.

    Parameters
    ----------
    model : bytes
        An ONNX file.
    name : str
        What to call it in messages.
    n_threads : int
        Threads of one call.
    constants : float32 arrays by name, or None
        What the file leaves out, as ONNX's external data.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    # A waiting thread that spins takes the core away from the worker that decodes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    outside = {
        name: onnxruntime.OrtValue.ortvalue_from_numpy(values) for name, values in (constants or {}).items()
    }
    options.add_external_initializers(list(outside), list(outside.values()))
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the engine's own errors share no base below Exception
        raise ModelError(f"the model {name} cannot be loaded by ONNX Runtime: {error}") from error
    session.kept_outside = outside  # the engine reads these arrays where they are: they live as long as it
    return session


def _recipe(model: str, digest: str, precision: str, description: ModelDescription) -> Recipe:
    known: dict[str, Any] = {"model": model, "model_digest": digest, "precision": precision}
    return Recipe("embedding", EMBEDDING_VERSION, known | description.parameters)


def _checked_input(
    session: InferenceSession, description: ModelDescription, name: str
) -> tuple[str, type[np.generic]]:
    """Return name and dtype of the model's input, if it is what the description says."""
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise ModelError(f"the model {name} has {len(inputs)} inputs, but must have one: the pictures.")
    (taken,) = inputs
    if taken.type not in INPUT_DTYPES:
        raise ModelError(
            f"the model {name} takes {taken.type}, but must take one of {', '.join(INPUT_DTYPES)}."
        )
    if taken.type == "tensor(uint8)" and not description.takes_pixels:
        raise ModelError(
            f"the model {name} takes uint8, so its description needs mean 0, 0, 0 and std 1, 1, 1."
        )
    side = description.size_px
    expected = (1, 3, side, side) if description.layout == "NCHW" else (1, side, side, 3)
    sizes_fit = len(taken.shape) == 4 and all(
        found == wanted or not isinstance(found, int)
        for found, wanted in zip(taken.shape, expected, strict=True)
    )
    if not sizes_fit:
        raise ModelError(
            f"the model {name} takes shape {taken.shape}, but its description says {description.layout} with "
            f"a side of {side}, and the number of pictures must be free or 1."
        )
    return taken.name, INPUT_DTYPES[taken.type]


def _checked_output(session: InferenceSession, description: ModelDescription, name: str) -> str:
    names = [output.name for output in session.get_outputs()]
    if description.output and description.output not in names:
        raise ModelError(f"the model {name} has no output {description.output!r}; it has {', '.join(names)}.")
    return description.output or names[0]
