"""Reading the weights of a legacy PyTorch file without PyTorch, and without trusting it.

The file is a pickle, and a pickle may name any callable of any installed module. The reader here
lets it name four, none of which does more than describe an array; anything else is refused.
Format: ``torch/serialization.py``, ``_legacy_save``: five pickles (magic number, protocol, system,
state, storage keys), then each storage as an int64 count and its raw little-endian numbers.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ModelError

Array = NDArray[Any]
Weights = Mapping[str, Array]

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001


class _Tensor(NamedTuple):
    """What the pickle says about one tensor; the numbers come later in the file."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Storage(NamedTuple):
    dtype: np.dtype[Any]
    key: str


class _StorageKind(NamedTuple):
    """Stands for ``torch.FloatStorage`` and its like; has no attribute that a pickle could set."""

    dtype: np.dtype[Any]


class _RebuildTensor:
    """Stands for ``torch._utils._rebuild_tensor_v2``.

    An object without ``__dict__`` and not a function, because the pickle instruction BUILD sets
    attributes, and those of a function (its defaults, say) outlive the file.
    """

    __slots__ = ()

    def __call__(
        self, storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_unused: Any
    ) -> _Tensor:
        return _Tensor(storage, offset, shape, strides)


_ALLOWED: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
    ("torch", "FloatStorage"): _StorageKind(np.dtype("<f4")),
    ("torch", "LongStorage"): _StorageKind(np.dtype("<i8")),
}


class _AllowListingUnpickler(pickle.Unpickler):  # type: ignore[misc,unused-ignore]
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise ModelError(f"it names {module}.{name}, which no weights file needs")
        return _ALLOWED[module, name]

    def persistent_load(self, reference: Any) -> _Storage:
        word, kind, key, *_location_and_size = reference
        if word != "storage" or not isinstance(kind, _StorageKind) or not isinstance(key, str):
            raise ModelError(f"it refers to {word!r}, which is no storage")
        return _Storage(kind.dtype, key)


def locate_package_file(package: str, relative_path: str) -> Path:
    """Return the path of a data file inside an installed package, without importing the package.

    Raises
    ------
    ModelError    the package is not installed, or the file is missing from it
    """
    specification = importlib.util.find_spec(package)
    folders = list(specification.submodule_search_locations or []) if specification else []
    for folder in folders:
        if (path := Path(folder, relative_path)).is_file():
            return path
    distribution = package.replace("_", "-")
    raise ModelError(
        f"the weights {relative_path} of the Python package {distribution} are not there: "
        f"install it again with `pip install --force-reinstall {distribution}`."
    )


def read_weights(path: Path, sha256: str) -> dict[str, Array]:
    """Read the state dict of a legacy PyTorch file, if it is the very file that is expected.

    Parameters
    ----------
    path : file
    sha256 : hexadecimal digest that the file must have

    Raises
    ------
    ModelError    the file cannot be read, has another digest, or is not such a state dict
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the weights {path} could not be read: {error.strerror}.") from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelError(
            f"the weights {path} are not the expected ones (SHA-256 {found[:12]}…, not {sha256[:12]}…): "
            f"install their package again."
        )
    return parse_state_dict(data, str(path))


def parse_state_dict(data: bytes, name: str) -> dict[str, Array]:
    """Return the tensors of a legacy PyTorch state dict, float32 or int64 arrays by name.

    Parameters
    ----------
    data : the bytes of the file; they may be hostile
    name : what to call it in messages

    Raises
    ------
    ModelError    the bytes are not a state dict, or ask for anything beyond arrays
    """
    file = io.BytesIO(data)
    try:
        magic, protocol, _system, state, keys = (_AllowListingUnpickler(file).load() for _ in range(5))
        if magic != LEGACY_MAGIC or protocol != LEGACY_PROTOCOL:
            raise ModelError("it does not begin like one")
        tensors = {str(key): tensor for key, tensor in state.items() if isinstance(tensor, _Tensor)}
        storages = _read_storages(file, tensors, keys)
        return {key: _array_of(tensor, storages) for key, tensor in tensors.items()}
    except Exception as error:  # a damaged pickle raises whatever its opcodes stumble over
        reason = f"{error}" if isinstance(error, ModelError) else f"{type(error).__name__}: {error}"
        raise ModelError(f"the weights {name} are not a PyTorch state dict: {reason}.") from error


def _read_storages(file: io.BytesIO, tensors: Mapping[str, _Tensor], keys: list[str]) -> dict[str, Array]:
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    storages: dict[str, Array] = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little", signed=True)
        n_bytes = count * dtypes[key].itemsize
        block = file.read(n_bytes) if count >= 0 else b""
        if count < 0 or len(block) != n_bytes:
            raise ModelError("it ends too early")
        storages[key] = np.frombuffer(block, dtypes[key])
    return storages


def _array_of(tensor: _Tensor, storages: Mapping[str, Array]) -> Array:
    storage = storages[tensor.storage.key]
    numbers = (tensor.offset, *tensor.shape, *tensor.strides)
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    n_elements = int(np.prod(tensor.shape, dtype=object))
    # Strides may repeat numbers (a step of 0), so the count is checked as well as the reach.
    if min(numbers) < 0 or last >= storage.size or n_elements > storage.size:
        raise ModelError("a tensor reaches beyond its storage")
    byte_strides = [step * storage.itemsize for step in tensor.strides]
    view = np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, byte_strides)
    return view.copy()
