"""Reading the weights of a legacy PyTorch file without PyTorch, and without trusting it.

The file is a pickle, and a pickle may name any callable of any installed module. The reader here
lets it name four, none of which does more than describe an array; anything else is refused.
Format: ``torch/serialization.py``, ``_legacy_save``: five pickles (magic number, protocol, system,
state, storage keys), then each storage as an int64 count and its raw little-endian numbers.
"""

from __future__ import annotations

import io
import math
import pickle
from collections import OrderedDict
from collections.abc import Mapping
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


class Place(NamedTuple):
    """Where the numbers of a tensor are in the bytes of the file."""

    offset_bytes: int
    shape: tuple[int, ...]
    strides_bytes: tuple[int, ...]
    dtype: np.dtype[Any]

    def read(self, data: bytes) -> Array:
        """Return the tensor."""
        return np.ndarray(self.shape, self.dtype, data, self.offset_bytes, self.strides_bytes).copy()


def parse_state_dict(data: bytes, name: str) -> dict[str, Array]:
    """Return the tensors of a legacy PyTorch state dict, float32 or int64 arrays by name.

    Arguments and errors as for `find_tensors`.
    """
    return {key: place.read(data) for key, place in find_tensors(data, name).items()}


def find_tensors(data: bytes, name: str) -> dict[str, Place]:
    """Return where the tensors of a legacy PyTorch state dict are, by name.

    Parameters
    ----------
    data : the bytes of the file; they may be hostile
    name : what to call it in messages

    Raises
    ------
    ModelError
        The bytes are not a state dict, or ask for anything beyond arrays.
    """
    file = io.BytesIO(data)
    try:
        magic, protocol, _system, state, keys = (_AllowListingUnpickler(file).load() for _ in range(5))
        if magic != LEGACY_MAGIC or protocol != LEGACY_PROTOCOL:
            raise ModelError("it does not begin like one")
        tensors = {str(key): tensor for key, tensor in state.items() if isinstance(tensor, _Tensor)}
        storages = _find_storages(file, len(data), tensors, keys)
        return {key: _place_of(tensor, *storages[tensor.storage.key]) for key, tensor in tensors.items()}
    except Exception as error:  # a damaged pickle raises whatever its opcodes stumble over
        reason = f"{error}" if isinstance(error, ModelError) else f"{type(error).__name__}: {error}"
        raise ModelError(f"the weights {name} are not a PyTorch state dict: {reason}.") from error


def _find_storages(
    file: io.BytesIO, n_bytes: int, tensors: Mapping[str, _Tensor], keys: list[str]
) -> dict[str, tuple[int, int]]:
    """Return where each storage begins, in bytes, and how many numbers it has."""
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    storages: dict[str, tuple[int, int]] = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little", signed=True)
        start = file.tell()
        end = start + count * dtypes[key].itemsize
        if count < 0 or end > n_bytes:
            raise ModelError("it ends too early")
        storages[key] = start, count
        file.seek(end)
    return storages


def _place_of(tensor: _Tensor, start_bytes: int, count: int) -> Place:
    numbers = (tensor.offset, *tensor.shape, *tensor.strides)
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    # Strides may repeat numbers (a step of 0), so the count is checked as well as the reach.
    if min(numbers) < 0 or last >= count or math.prod(tensor.shape) > count:
        raise ModelError("a tensor reaches beyond its storage")
    dtype = tensor.storage.dtype
    strides = tuple(step * dtype.itemsize for step in tensor.strides)
    return Place(start_bytes + tensor.offset * dtype.itemsize, tensor.shape, strides, dtype)
