"""A feature, a head and a model that another package brings: each is one entry, and everything knows it."""

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from onnx import TensorProto, helper
from PIL import Image

from conftest import textured
from lookalike.settings import Settings
from served import wait_until_ready

PROJECT = Path(__file__).parent.parent
EXAMPLE = "".join(
    re.findall(
        r"```python\n(.*?)```", (PROJECT / "docs" / "extending.md").read_text(encoding="utf-8"), re.DOTALL
    )
)
"""What the docs show: the feature `brightness`, the head `signs`, the way `backwards` and the tier `mine`."""

MODEL = """
import hashlib
from pathlib import Path

from lookalike.features.embedding.catalogue import CATALOGUE, CatalogueEntry
from lookalike.features.embedding.description import ModelDescription
from lookalike.features.embedding.graph import Graph

file = Path(__file__).with_name("colours.onnx")
CATALOGUE["colours"] = CatalogueEntry(
    "colours",
    "CC0-1.0",
    "this test",
    ModelDescription(8, "NCHW", "RGB", (0, 0, 0), (1, 1, 1), "squash"),
    {"float32": Graph(file, hashlib.sha256(file.read_bytes()).hexdigest(), "0123456789abcdef")},
)
"""
MODELS = "efficientnet-lite0,colours"
NEW_WAYS = ("brightness", "signs", "embedding:colours")


def tiny_model():
    """Return an ONNX file that shrinks 8 x 8 pixels to 2 x 2, of which there are 12 numbers."""
    nodes = [
        helper.make_node("AveragePool", ["in"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["small"], ["out"]),
    ]
    taken_in = helper.make_tensor_value_info("in", TensorProto.FLOAT, ["n", 3, 8, 8])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 12])
    graph = helper.make_graph(nodes, "colours", [taken_in], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of pictures beside an installed plug-in."""
    place = tmp_path_factory.mktemp("plugin")
    (place / "pictures").mkdir()
    for seed in range(6):
        textured(seed).save(place / "pictures" / f"{seed}.png")
    textured(3).resize((48, 36)).save(place / "copy of 3.jpg")
    install(place / "site", EXAMPLE)
    headless = EXAMPLE.replace(', Signs(made["embedding"])', "")
    assert headless != EXAMPLE
    install(place / "headless", headless)
    return place


def install(site, features):
    """Put a package into a folder as pip would."""
    information = site / "toy-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[lookalike]\ntoy = toy_plugin\n")
    (site / "toy_plugin.py").write_text(features + MODEL)
    (site / "colours.onnx").write_bytes(tiny_model())


def environment_of(place, *, site="site", **changes):
    path = os.pathsep.join([str(place / site), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "LOOKALIKE_JOBS": "1", "LOOKALIKE_MODELS": MODELS, **changes}


def run(place, *arguments, code=0, gallery="g", **changes):
    done = subprocess.run(
        [sys.executable, "-m", "lookalike", "--gallery", gallery, *arguments],
        cwd=place,
        env=environment_of(place, **changes),
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    return done.stdout if not code else done.stderr


@pytest.fixture(scope="module")
def indexed(place):
    run(place, "index", "pictures")
    return place


def test_what_a_plugin_brings_is_listed_among_the_ways(indexed):
    listed = json.loads(run(indexed, "ways", "--json"))
    assert set(NEW_WAYS) < set(listed)
    assert {"brightness", "embedding:colours:euclidean"} < set(listed)
    words = run(indexed, "ways")
    assert "which numbers of the embedding are above their mean" in words
    assert "what the neural network colours sees in the picture" in words
    assert "nothing: the newest come first" in words


@pytest.mark.parametrize("by", NEW_WAYS)
def test_it_can_be_searched_by(indexed, by):
    first = json.loads(run(indexed, "search", "copy of 3.jpg", "--by", by, "-k", "1", "--json"))["matches"][0]
    assert first["path"].endswith("3.png")
    assert first["by"] == by


def test_a_way_and_a_tier_of_a_plugin_answer(indexed):
    asked = ("search", "copy of 3.jpg", "--by", "backwards", "-k", "1", "--json")
    (newest,) = json.loads(run(indexed, *asked))["matches"]
    assert newest["why"] == "it is number 0"
    by_tier = run(indexed, "--set", "tier=mine", "search", "copy of 3.jpg", "--by", "phash", "--json")
    assert json.loads(by_tier)["matches"][0]["path"].endswith("3.png")


def test_the_command_compares_by_it(indexed):
    compared = json.loads(run(indexed, "compare", "pictures/3.png", "copy of 3.jpg", "--json"))
    text = json.dumps(compared)
    for measure in ("brightness_bits", "signs_bits", "embedding_colours_cosine", "embedding_cosine"):
        assert measure in text


def test_it_is_evaluated(indexed):
    for part in range(2):
        folder = indexed / "classes" / f"class {part}"
        folder.mkdir(parents=True)
        for number in range(2):
            pixels = np.asarray(textured(part), np.int16) + 5 * number
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    found = json.loads(run(indexed, "evaluate", "classes", "--by", ",".join(NEW_WAYS), "--json"))
    assert [one["by"] for one in found["results"]] == list(NEW_WAYS)
    assert all(one["map"] == 1 for one in found["results"])


PYTHON = """
from lookalike import Gallery, Settings, compare
with Gallery.open("g") as gallery:
    for by in {ways}:
        (match,) = gallery.search("copy of 3.jpg", by=by, k=1)
        print(match.picture.path, match.by, match.why)
    liked = gallery.search("copy of 3.jpg", by="embedding:colours", k=1, liked=[1], disliked=[2])
    print(len(liked), len(gallery.info().recipes))
print([one.name for one in compare("pictures/3.png", "copy of 3.jpg").measures if "colours" in one.name])
"""


def test_python_knows_it(indexed):
    done = subprocess.run(
        [sys.executable, "-c", PYTHON.format(ways=NEW_WAYS)],
        cwd=indexed,
        env=environment_of(indexed),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0].rpartition("/")[2] for line in lines[:3]] == ["3.png"] * 3
    assert [line.split()[1] for line in lines[:3]] == list(NEW_WAYS)
    assert "of 64 bits" in lines[0]
    assert lines[3] == "1 11", "eight features of lookalike and three of the plug-in"
    assert lines[4] == "['embedding_colours_cosine', 'embedding_colours_euclidean']"


@contextmanager
def serving(place):
    process = subprocess.Popen(
        [sys.executable, "-m", "lookalike", "--gallery", "g", "serve", "--port", "0"],
        cwd=place,
        env=environment_of(place),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        wait_until_ready(address)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


def test_a_server_knows_it_and_a_client_without_the_plugin_can_ask_for_it(indexed):
    with serving(indexed) as address:
        assert set(NEW_WAYS) < set(httpx.get(f"{address}/api/v1/ways").json())
        for by in NEW_WAYS:
            with open(indexed / "copy of 3.jpg", "rb") as file:
                answer = httpx.post(
                    f"{address}/api/v1/search", params={"by": by, "k": 1}, files={"image": file}, timeout=60
                )
            assert answer.json()["matches"][0]["path"].endswith("3.png")
        refused = httpx.get(f"{address}/api/v1/search", params={"by": "embedding:nothing", "query": "id:1"})
        assert refused.status_code == 422
        assert (
            "embedding has no variant or metric 'nothing'; choose from cosine, euclidean, colours."
            in refused.text
        )
        printed = run(
            indexed,
            *("search", "copy of 3.jpg", "--by", "brightness", "-k", "1", "--json"),
            gallery=address,
            PYTHONPATH="",
            LOOKALIKE_MODELS="efficientnet-lite0",
        )
        assert json.loads(printed)["matches"][0]["path"].endswith("3.png")


def test_a_head_that_comes_later_is_computed_from_stored_rows_without_reading_a_file(place):
    run(place, "index", "pictures", gallery="later", site="headless")
    assert "signs" not in run(place, "info", gallery="later")
    hidden = place / "hidden"
    (place / "pictures").rename(hidden)
    try:
        (place / "pictures").mkdir()  # there is nothing to decode any more
        report = json.loads(run(place, "index", "pictures", "--json", gallery="later"))
    finally:
        (place / "pictures").rmdir()
        hidden.rename(place / "pictures")
    assert report["seen"] == 0
    first = json.loads(
        run(place, "search", "copy of 3.jpg", "--by", "signs", "-k", "1", "--json", gallery="later")
    )["matches"][0]
    assert first["path"].endswith("3.png")
    again = json.loads(run(place, "index", "pictures", "--json", gallery="later"))
    assert again["unchanged"] == 6


ASK_BOTH = """
from lookalike import Gallery, Settings
with Gallery.open("one") as gallery:
    for by in ("embedding", "embedding:efficientnet-lite0", "embedding:colours"):
        print(gallery.search("copy of 3.jpg", by=by, k=1)[0].picture.path[-5:])
with Gallery.open("one", settings=Settings(models="colours,efficientnet-lite0")) as gallery:
    print(len(gallery.search("copy of 3.jpg", by="embedding")))
"""


def test_a_gallery_of_one_model_is_given_another_beside_it(place):
    run(place, "index", "pictures", gallery="one", LOOKALIKE_MODELS="efficientnet-lite0")
    refused = run(place, "search", "copy of 3.jpg", "--by", "embedding:colours", gallery="one", code=1)
    assert "index" in refused
    run(place, "index", "pictures", gallery="one")
    done = subprocess.run(
        [sys.executable, "-c", ASK_BOTH],
        cwd=place,
        env=environment_of(place),
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["3.png"] * 3 + ["6"], done.stderr


def test_a_model_that_is_named_twice_is_refused(place):
    refused = run(place, "ways", code=2, LOOKALIKE_MODELS="colours,colours")
    assert "names colours twice" in refused


def test_a_plugin_that_fails_is_named(place, tmp_path):
    information = tmp_path / "bad-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-package\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[lookalike]\nbad = no_such_module\n")
    refused = run(place, "ways", code=1, PYTHONPATH=str(tmp_path))
    assert "plug-in bad of the package bad-package cannot be loaded" in refused
    assert refused.count("\n") == 1


def test_the_first_of_the_models_can_still_be_set_by_the_name_it_had():
    assert Settings().with_values({"model": "a.onnx"}).models == "a.onnx"
    assert Settings.from_environment({"LOOKALIKE_MODEL": "a.onnx"}).model == "a.onnx"
    assert Settings(models="a.onnx, b.onnx").model_list == ("a.onnx", "b.onnx")
