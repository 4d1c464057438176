"""Building the bundled model: reading its weights without torch, and writing its graphs."""

from __future__ import annotations

import collections
import io
import pickle
from typing import ClassVar

import numpy as np
import pytest

from build_efficientnet_lite0 import NAME, SHIPPED, build_files, packaged_weights, read_network, recipe_digest
from efficientnet_lite import weights
from efficientnet_lite.graph import (
    INPUT_NAME,
    Convolution,
    build_float32,
    build_int8,
    ranged_names,
    read_blocks,
    same_padding,
    weight_scales,
)
from lookalike.errors import ModelError
from lookalike.features.embedding.catalogue import CATALOGUE, synthetic_picture
from lookalike.features.embedding.engine import open_embedder, open_session
from lookalike.settings import Settings
from measure_activation_ranges import measure_ranges


@pytest.fixture(scope="module")
def blocks():
    return read_network()


class FloatStorage:
    """Pickled under the name torch.FloatStorage, to make files without torch."""


def rebuild_tensor(*_arguments):
    """Pickled under the name torch._utils._rebuild_tensor_v2."""


class TensorToPickle:
    def __init__(self, key, offset, shape, strides):
        self.values = key, offset, shape, strides

    def __reduce__(self):
        key, *rest = self.values
        return rebuild_tensor, (StorageToPickle(key), *rest, False, collections.OrderedDict())


class StorageToPickle:
    def __init__(self, key):
        self.key = key


class TorchLikePickler(pickle._Pickler):
    """Writes what torch wrote, in pure Python because only that can rename globals."""

    def persistent_id(self, value):
        if isinstance(value, StorageToPickle):
            return ("storage", FloatStorage, value.key, "cpu", 4, None)
        return None

    def save_global(self, value, name=None):
        renamed = {FloatStorage: "torch\nFloatStorage", rebuild_tensor: "torch._utils\n_rebuild_tensor_v2"}
        if value in renamed:
            self.write(b"c" + renamed[value].encode() + b"\n")
            self.memoize(value)
        else:
            super().save_global(value, name)

    dispatch: ClassVar = {**pickle._Pickler.dispatch, type: save_global, type(rebuild_tensor): save_global}


def state_dict_file(state, storages=(), magic=weights.LEGACY_MAGIC):
    file = io.BytesIO()
    for value in (magic, weights.LEGACY_PROTOCOL, {}, state, [key for key, _ in storages]):
        TorchLikePickler(file, protocol=2).dump(value)
    for _, values in storages:
        file.write(len(values).to_bytes(8, "little") + np.asarray(values, "<f4").tobytes())
    return file.getvalue()


def test_a_state_dict_comes_back_with_its_strides():
    data = state_dict_file({"w": TensorToPickle("s", 1, (2, 2), (1, 2))}, [("s", [9, 0, 1, 2, 3])])
    found = weights.parse_state_dict(data, "test")
    np.testing.assert_array_equal(found["w"], np.array([[0, 2], [1, 3]], np.float32))


class CallsTheShell:
    def __reduce__(self):
        import os

        return os.system, ("echo pwned > pwned",)


def test_a_pickle_that_calls_the_shell_is_refused_and_calls_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"system, which no weights file needs"):
        weights.parse_state_dict(state_dict_file({"w": CallsTheShell()}), "test")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["builtins eval", "torch load", "numpy ndarray", "collections namedtuple"])
def test_only_the_four_listed_names_can_be_used(name):
    payload = b"\x80\x02c" + name.replace(" ", "\n").encode() + b"\n."
    with pytest.raises(ModelError, match="which no weights file needs"):
        weights.parse_state_dict(payload, "test")


@pytest.mark.parametrize("target", ["torch._utils\n_rebuild_tensor_v2", "torch\nFloatStorage"])
def test_a_pickle_cannot_set_attributes_of_what_it_is_given(target):
    payload = b"\x80\x02c" + target.encode() + b"\n}X\x04\x00\x00\x00evilK\x01sb."
    with pytest.raises(ModelError, match="AttributeError"):
        weights.parse_state_dict(payload, "test")


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (5,), (1,)),
        (3, (2,), (1,)),
        (-1, (1,), (1,)),
        (0, (2,), (-1,)),
        (0, (1 << 40,), (0,)),
        (0, (2, 2), (4, 1)),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(offset, shape, strides):
    data = state_dict_file({"w": TensorToPickle("s", offset, shape, strides)}, [("s", [0, 1, 2, 3])])
    with pytest.raises(ModelError, match="beyond its storage"):
        weights.parse_state_dict(data, "test")


def test_a_state_dict_cut_off_anywhere_gives_a_model_error():
    data = state_dict_file({"w": TensorToPickle("s", 0, (4,), (1,))}, [("s", [0, 1, 2, 3])])
    weights.parse_state_dict(data, "test")
    for length in range(len(data)):
        with pytest.raises(ModelError, match="test"):
            weights.parse_state_dict(data[:length], "test")


def test_another_magic_number_is_refused():
    with pytest.raises(ModelError, match="does not begin like one"):
        weights.parse_state_dict(state_dict_file({}, magic=1), "test")


def test_the_weights_equal_what_torch_reads():
    torch = pytest.importorskip("torch")
    data = packaged_weights().read()
    expected = torch.load(io.BytesIO(data), weights_only=True)
    found = weights.parse_state_dict(data, "weights")
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


# Graph


@pytest.mark.parametrize(
    ("size_px", "kernel", "stride", "expected"),
    [(224, 3, 2, (0, 1)), (56, 5, 2, (1, 2)), (14, 5, 1, (2, 2)), (7, 3, 2, (1, 1)), (8, 1, 1, (0, 0))],
)
def test_same_padding_is_that_of_tensorflow(size_px, kernel, stride, expected):
    assert same_padding(size_px, kernel, stride) == expected


def test_neighbouring_int8_weights_cannot_saturate_16_bits(blocks):
    n_checked = 0
    for convolution in (c for block in blocks for c in block.convolutions if c.groups == 1):
        scales = weight_scales(convolution, 6 / 255)
        rounded = np.rint(convolution.weight / scales[:, None, None, None]).astype(int)
        row = rounded.transpose(0, 2, 3, 1).reshape(len(rounded), -1)
        row = np.pad(row, ((0, 0), (0, row.shape[1] % 2)))
        for part in (np.maximum(row, 0), np.minimum(row, 0)):
            worst = np.abs(part.reshape(len(row), -1, 2).sum(axis=2)).max()
            assert 255 * worst <= np.iinfo(np.int16).max
        assert np.abs(rounded).max() <= 127
        n_checked += 1
    assert n_checked == 33


def test_a_channel_without_weights_keeps_its_bias():
    weight, bias = np.zeros((1, 2, 1, 1), np.float32), np.array([5.0], np.float32)
    scale = weight_scales(Convolution("x", weight, bias, 1, 1, relu6=False), 0.02)[0] * 0.02
    assert np.rint(5.0 / scale) <= np.iinfo(np.int32).max
    assert np.rint(5.0 / scale) * scale == pytest.approx(5.0)


def test_a_missing_range_is_named(blocks):
    ranges = dict.fromkeys(ranged_names(blocks)[1:], (-1.0, 1.0))
    with pytest.raises(ModelError, match=r"block0\.project"):
        build_int8(blocks, ranges)


def test_a_missing_tensor_is_named():
    with pytest.raises(ModelError, match=r"_conv_stem\.weight"):
        read_blocks({})


def test_what_is_built_is_what_ships():
    for name, data in build_files().items():
        assert SHIPPED.joinpath(name).read_bytes() == data, name


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_recipes_name_all_that_the_graph_depends_on(precision):
    assert recipe_digest(precision) == CATALOGUE["efficientnet-lite0"].graphs[precision].digest


def test_the_whole_graph_and_the_one_with_its_weights_outside_give_the_same(blocks):
    whole = open_session(build_float32(blocks).SerializeToString(), "whole", n_threads=1)
    embedder = open_embedder(NAME, Settings(precision="float32"))
    picture = synthetic_picture(224)[None]
    (expected,) = whole.run(None, {INPUT_NAME: picture})
    np.testing.assert_array_equal(embedder.embed(picture), expected / np.linalg.norm(expected))


def test_ranges_are_the_means_of_the_extremes_of_each_picture(blocks):
    black, white = np.zeros((224, 224, 3), np.uint8), np.full((224, 224, 3), 255, np.uint8)
    alone, both = measure_ranges([black]), measure_ranges([black, white])
    assert list(both) == ranged_names(blocks)
    assert alone != both
