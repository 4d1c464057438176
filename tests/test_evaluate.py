"""Evaluation: predictions are kept and never mixed, figures follow from them, and the page shows them."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from conftest import textured
from lookalike.edits import standard_edits
from lookalike.errors import InputError
from lookalike.evaluation import answers
from lookalike.evaluation.datasets import DataSet, load_dataset
from lookalike.evaluation.evaluate import evaluate, load_data, make_edited, parse_ways, take_queries
from lookalike.evaluation.predictions import Configuration, Predictions, PredictionsFolder
from lookalike.evaluation.scores import Truth, score
from lookalike.report.documents import evaluation_document
from lookalike.report.evaluation import best_of_each_feature, evaluation_html
from lookalike.searching.ways import ways
from lookalike.settings import Settings

CONFIGURATION = Configuration("phash", 3, "data", "recipes", "settings", "1.0")


def predictions(n, depth=3, first=0):
    items = (np.arange(n * depth, dtype=np.int32) + first).reshape(n, depth)
    return Predictions(items, -np.arange(n * depth, dtype=float).reshape(n, depth), np.zeros(n, bool))


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    """Four classes of three pictures that differ by a little noise, and one picture that belongs to none."""
    root = tmp_path_factory.mktemp("classes") / "blobs"
    rng = np.random.default_rng(0)
    for number in range(4):
        (root / f"class {number}").mkdir(parents=True)
        base = np.asarray(textured(number), np.int16)
        for member in range(3):
            noisy = np.clip(base + rng.integers(-9, 10, base.shape), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(root / f"class {number}" / f"{member}.png")
    textured(99).save(root / "stranger.png")
    return root


@pytest.fixture(scope="module")
def found(classes, tmp_path_factory, settings):
    out = tmp_path_factory.mktemp("out")
    return evaluate(load_dataset(classes), ("auto", "phash", "hsv", "hsv:cosine"), out, settings)


# Predictions


def test_parts_come_back_in_the_order_of_the_queries(tmp_path):
    folder = PredictionsFolder(tmp_path, CONFIGURATION)
    folder.write(predictions(2))
    folder.write(predictions(1, first=100))
    again = PredictionsFolder(tmp_path, CONFIGURATION)
    assert again.n_done == 3
    loaded = again.load()
    assert loaded.items.tolist() == [[0, 1, 2], [3, 4, 5], [100, 101, 102]]
    assert loaded.scores[0].tolist() == [0, -1, -2]


def test_no_predictions_load_as_none(tmp_path):
    folder = PredictionsFolder(tmp_path / "not there", CONFIGURATION)
    assert folder.n_done == 0
    assert folder.load().items.shape == (0, 3)


@pytest.mark.parametrize("name", ["data_digest", "recipes", "version", "settings"])
def test_predictions_of_another_configuration_are_refused_by_name(tmp_path, name):
    PredictionsFolder(tmp_path, CONFIGURATION).write(predictions(2))
    values = {**CONFIGURATION.__dict__, name: "another"}
    with pytest.raises(InputError, match=f"another {name.replace('_', ' ')}: they"):
        PredictionsFolder(tmp_path, Configuration(**values))


def test_predictions_of_another_depth_are_refused(tmp_path):
    PredictionsFolder(tmp_path, CONFIGURATION).write(predictions(2))
    with pytest.raises(InputError, match="another depth"):
        PredictionsFolder(tmp_path, Configuration(**{**CONFIGURATION.__dict__, "depth": 4}))


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut short", b"no archive at all"])
def test_a_damaged_part_is_named(tmp_path, damage):
    PredictionsFolder(tmp_path, CONFIGURATION).write(predictions(2))
    (part,) = tmp_path.glob("*.npz")
    part.write_bytes(damage)
    with pytest.raises(InputError, match=re.escape(str(part))):
        PredictionsFolder(tmp_path, CONFIGURATION)


def test_a_part_that_was_not_finished_does_not_count(tmp_path):
    folder = PredictionsFolder(tmp_path, CONFIGURATION)
    folder.write(predictions(2))
    (tmp_path / "phash.0000002.part").write_bytes(b"half")
    assert PredictionsFolder(tmp_path, CONFIGURATION).n_done == 2


def test_metrics_of_one_feature_have_files_of_their_own(tmp_path):
    for by in ("hsv", "hsv:cosine"):
        PredictionsFolder(tmp_path, Configuration(**{**CONFIGURATION.__dict__, "by": by})).write(
            predictions(1)
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hsv-cosine.0000000.npz", "hsv.0000000.npz"]


# Scores, by hand


def data_of(n_gallery, positives, edits=None):
    queries = tuple(f"q{number}" for number in range(len(positives)))
    gallery = tuple(f"g{number}" for number in range(n_gallery))
    right = {q: frozenset(gallery[p] for p in some) for q, some in zip(queries, positives, strict=True)}
    return DataSet("by hand", "/nowhere", gallery, queries, right, edits=edits or {})


def truth_of(data, dropped=None):
    places = {name: place for place, name in enumerate(data.gallery)}
    return Truth(
        tuple(np.array(sorted(places[name] for name in data.positives[q]), np.intp) for q in data.queries),
        tuple(np.array(some, np.intp) for some in dropped or [()] * len(data.queries)),
        np.arange(len(data.queries)),
        tuple(data.edits.get(q, "") for q in data.queries),
    )


def answered(rows, scores):
    return Predictions(np.array(rows, np.int32), np.array(scores, float), np.zeros(len(rows), bool))


def test_figures_of_a_case_worked_by_hand():
    data = data_of(5, [{0, 1}, {4}])
    found = answered([[0, 2, 1], [2, 3, 4]], [[0.9, 0.8, 0.7], [0.6, 0.5, 0.4]])
    values = score(found, truth_of(data), data, seed=0).values
    assert values["map"] == pytest.approx(((1 + 2 / 3) / 2 + 1 / 3) / 2)
    assert values["precision@1"] == 0.5
    assert values["recall@1"] == 0.25
    assert values["mrr"] == pytest.approx((1 + 1 / 3) / 2)
    # all pairs in one ranking: right, wrong, right, wrong, wrong, right
    assert values["micro_ap"] == pytest.approx((1 + 2 / 3 + 3 / 6) / 3)
    assert values["recall@P99.9"] == pytest.approx(1 / 3)
    assert values["threshold@P99.9"] == 0.9


def test_equal_scores_count_against_the_way():
    data = data_of(3, [{0}])
    values = score(answered([[0, 1, 2]], [[0.5, 0.5, 0.5]]), truth_of(data), data, seed=0).values
    assert values["map"] == pytest.approx(1 / 3)


def test_dropped_answers_are_neither_right_nor_wrong():
    data = data_of(3, [{1}])
    found = answered([[0, 1, 2]], [[0.9, 0.8, 0.7]])
    assert score(found, truth_of(data), data, seed=0).values["map"] == 0.5
    assert score(found, truth_of(data, [(0,)]), data, seed=0).values["map"] == 1


def test_queries_without_positives_have_no_part_in_the_means():
    data = data_of(3, [{0}, set()])
    found = answered([[0, 1], [1, 2]], [[0.9, 0.1], [0.8, 0.1]])
    assert score(found, truth_of(data), data, seed=0).values["map"] == 1


def test_queries_that_could_not_be_read_are_left_out():
    data = data_of(3, [{0}, {1}])
    found = Predictions(
        np.array([[0, 1], [-1, -1]], np.int32), np.array([[0.9, 0.1], [-np.inf] * 2]), np.array([False, True])
    )
    assert score(found, truth_of(data), data, seed=0).values["map"] == 1


def test_the_worst_mistake_comes_first_with_the_rank_of_the_right_picture():
    data = data_of(4, [{0}, {1}, {2}])
    rows = [[3, 0, 1, 2], [3, 2, 0, 1], [2, 3, 0, 1]]
    found = answered(rows, [[0.9, 0.8, 0.2, 0.1], [0.9, 0.8, 0.7, 0.1], [0.9, 0.8, 0.7, 0.6]])
    mistakes = score(found, truth_of(data), data, seed=0).mistakes
    assert [(one.query, one.wrong, one.positive, one.positive_rank) for one in mistakes] == [
        ("q1", "g3", "g1", 4),
        ("q0", "g3", "g0", 2),
    ]


def test_edits_share_one_threshold():
    data = data_of(3, [{0}, {1}], edits={"q0": "mild", "q1": "hard"})
    found = answered([[0, 1], [1, 2]], [[0.9, 0.8], [0.7, 0.1]])
    edits = score(found, truth_of(data), data, seed=0).by_edit
    assert {label: (one.recall_at_1, one.recall_at_precision) for label, one in edits.items()} == {
        "mild": (1, 1),
        "hard": (1, 0),  # a wrong pair at 0.8 stands above its 0.7
    }


def test_the_interval_of_edits_is_over_their_sources():
    data = data_of(2, [{0}, {0}, {1}, {1}], edits={f"q{n}": f"edit {n % 2}" for n in range(4)})
    found = answered([[0], [0], [0], [0]], [[0.9]] * 4)
    truth = truth_of(data)
    by_query = score(found, truth, data, seed=0).intervals["map"]
    sources = Truth(truth.positives, truth.dropped, np.array([0, 0, 1, 1]), truth.edits)
    assert score(found, sources, data, seed=0).intervals["map"] == (0, 1)
    assert by_query[0] == 0  # of four values of 0 and 1 the interval is as wide
    assert score(found, sources, data, seed=0).values["map"] == 0.5


# The whole


def test_every_class_is_found_and_costs_are_measured(found):
    assert [one.by for one in found.results] == ["auto", "phash", "hsv", "hsv:cosine"]
    for one in found.results:
        assert one.scores.values["precision@1"] == 1, one.by
        low, high = one.scores.intervals["map"]
        assert 0 <= low <= one.scores.values["map"] <= high <= 1
        assert one.cost.seconds_per_picture > 0
        assert one.cost.seconds_per_query > 0
    assert found.results[1].cost.bytes_per_picture == 8
    assert found.results[0].cost.bytes_per_picture == 8 + 8 + 2 * 1280
    assert (found.n_failed_queries, found.n_failed_pictures, found.n_without_positives) == (0, 0, 0)


def test_the_document_holds_to_the_contract(found):
    document = json.loads(json.dumps(evaluation_document(found), allow_nan=False))
    assert document["queries"] == 12
    assert document["pictures"] == 13
    first = document["results"][0]
    for name in (
        "map",
        "precision@1",
        "recall@10",
        "micro_ap",
        "r_precision",
        "ndcg@10",
        "mrr",
        "map_interval",
    ):
        assert first[name] is not None
    assert first["by"] == "auto"
    assert first["seconds_per_query"] > 0


def test_the_page_shows_every_way_and_loads_nothing(found, settings):
    page = evaluation_html(found, settings)
    for by in ("auto", "phash", "hsv:cosine"):
        assert f"<th>{by}</th>" in page
    assert "<svg class=chart" in page
    assert not re.search(r'(src|href)=["\']?(http|//)', page)


def test_drawings_show_the_best_metric_of_each_feature(found):
    shown = [one.by for one in best_of_each_feature(found.results)]
    assert shown[:2] == ["auto", "phash"]
    assert len(shown) == 3
    maps = {one.by: one.scores.values["map"] for one in found.results}
    assert maps[shown[2]] == max(maps["hsv"], maps["hsv:cosine"])


def test_an_interrupted_evaluation_goes_on_and_ends_the_same(classes, tmp_path, settings, monkeypatch):
    data = load_dataset(classes)
    monkeypatch.setattr(answers, "QUERIES_IN_A_PART", 5)
    whole = evaluate(data, ("phash",), tmp_path / "whole", settings)

    def stop(now):
        if now.stage == "search" and now.n_done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(data, ("phash",), tmp_path / "stopped", settings, on_progress=stop)
    assert len(list((tmp_path / "stopped" / "predictions").glob("*.npz"))) == 1
    asked = []
    again = evaluate(data, ("phash",), tmp_path / "stopped", settings, on_progress=asked.append)
    assert min(now.n_done for now in asked if now.stage == "search") == 5
    assert again.results[0].scores.values == whole.results[0].scores.values


def test_a_way_can_be_added_later(classes, tmp_path, settings):
    data = load_dataset(classes)
    evaluate(data, ("phash",), tmp_path, settings)
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "predictions").iterdir()}
    both = evaluate(data, ("phash", "dhash"), tmp_path, settings)
    assert [one.by for one in both.results] == ["phash", "dhash"]
    assert all(path.stat().st_mtime_ns == time for path, time in parts.items())


def test_figures_come_from_the_files(classes, tmp_path, settings):
    data = load_dataset(classes)
    evaluate(data, ("phash",), tmp_path, settings)
    (part,) = (tmp_path / "predictions").glob("*.npz")
    with np.load(part) as kept:
        changed = {name: kept[name] for name in kept.files}
    changed["items"] = changed["items"][:, ::-1]
    np.savez(part, **changed)
    assert evaluate(data, ("phash",), tmp_path, settings).results[0].scores.values["precision@1"] == 0


def test_changed_pictures_are_not_mixed_with_old_answers(classes, tmp_path, settings):
    copy = tmp_path / "copy"
    shutil.copytree(classes, copy)
    evaluate(load_dataset(copy), ("phash",), tmp_path / "out", settings)
    textured(500).save(copy / "class 0" / "0.png")
    with pytest.raises(InputError, match="another data digest"):
        evaluate(load_dataset(copy), ("phash",), tmp_path / "out", settings)


def test_pictures_that_cannot_be_read_are_counted(classes, tmp_path, settings):
    copy = tmp_path / "copy"
    shutil.copytree(classes, copy)
    (copy / "class 0" / "0.png").write_bytes(b"no picture")
    found = evaluate(load_dataset(copy), ("phash",), tmp_path / "out", settings)
    assert (found.n_failed_queries, found.n_failed_pictures) == (1, 1)
    assert found.results[0].scores.values["recall@10"] == pytest.approx((9 + 2 * 0.5) / 11)


def test_copies_of_equal_bytes_flatter_no_way(classes, tmp_path, settings):
    copy = tmp_path / "copy"
    shutil.copytree(classes, copy)
    (copy / "twins").mkdir()
    for name in ("first.png", "second.png"):
        textured(200).save(copy / "twins" / name)
    found = evaluate(load_dataset(copy), ("phash",), tmp_path / "out", settings)
    assert found.n_without_positives == 2


def test_a_sample_of_queries_keeps_the_gallery(classes):
    data = load_dataset(classes)
    some = take_queries(data, 5, seed=1)
    assert len(some.queries) == 5
    assert some.gallery == data.gallery
    assert take_queries(data, 5, seed=1) == some
    assert take_queries(data, 5, seed=2).queries != some.queries
    assert take_queries(data, 100, seed=1) is data
    with pytest.raises(InputError, match="limit"):
        load_data(classes, layout=None, limit=0, seed=0)


def test_edited_copies_find_their_sources(classes, tmp_path, settings):
    edits = [edit for edit in standard_edits() if edit.label in ("jpeg 20", "mirror")]
    data = make_edited(classes, tmp_path, settings, edits=edits, limit=3)
    assert len(data.queries) == 6
    assert data.name == "blobs"
    found = evaluate(data, ("auto", "phash"), tmp_path, settings)
    auto, phash = (one.scores.by_edit for one in found.results)
    assert auto["jpeg 20"].n_queries == 3
    assert auto["mirror"].recall_at_1 > phash["mirror"].recall_at_1
    assert "mirror" in evaluation_html(found, settings)


def test_a_twin_of_the_source_is_the_source(tmp_path, settings):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for seed in range(3):
        textured(seed).save(pictures / f"{seed}.png")
        shutil.copy(pictures / f"{seed}.png", pictures / f"{seed} twin.png")
    edits = [edit for edit in standard_edits() if edit.label == "grey"]
    data = make_edited(pictures, tmp_path / "out", settings, edits=edits, limit=2)
    assert evaluate(data, ("phash",), tmp_path / "out", settings).results[0].scores.values["map"] == 1


def test_no_copies_are_made_of_what_the_evaluation_wrote(classes, tmp_path, settings):
    pictures = tmp_path / "pictures"
    shutil.copytree(classes, pictures)
    edits = [edit for edit in standard_edits() if edit.label == "grey"]
    out = pictures / "evaluation"
    first = make_edited(pictures, out, settings, edits=edits, limit=2)
    assert make_edited(pictures, out, settings, edits=edits, limit=2) == first


@pytest.mark.parametrize("text", ["", " , ", "phash,nonsense", "hsv:nonsense"])
def test_ways_that_are_not_known_are_refused(text):
    with pytest.raises(InputError):
        parse_ways(text, Settings())


def test_all_is_every_way_once():
    assert parse_ways("phash,all", Settings()) == ("phash", *(by for by in ways(Settings()) if by != "phash"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "nowhere"], "nowhere"),
        (["evaluate", "nowhere", "--edits"], "nowhere"),
        (["evaluate", ".", "--by", "nonsense"], "nonsense"),
        (["evaluate", ".", "--edits", "--edit-set", "nonsense"], "nonsense"),
    ],
)
def test_wrong_usage_is_one_sentence(tmp_path, arguments, words):
    done = subprocess.run(
        [sys.executable, "-m", "lookalike", *arguments], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_command_prints_the_document_and_leaves_nothing_behind(classes, tmp_path, settings):
    command = [sys.executable, "-m", "lookalike", "--set", f"jobs={settings.jobs}", "evaluate"]
    options = ["--by", "phash", "--json", "--html", "page.html"]
    done = subprocess.run([*command, str(classes), *options], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["data"] == "blobs"
    assert document["results"][0]["precision@1"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_pictures_that_cannot_be_read_are_not_chosen_for_edits(classes, tmp_path, settings):
    copy = tmp_path / "copy"
    shutil.copytree(classes, copy)
    for number in range(20):
        (copy / f"broken {number}.png").write_bytes(b"no picture")
    edits = [edit for edit in standard_edits() if edit.label == "grey"]
    data = make_edited(copy, tmp_path / "out", settings, edits=edits, limit=4)
    assert len(data.queries) == 4


def test_a_folder_of_too_few_pictures_is_refused(tmp_path, settings):
    with pytest.raises(InputError, match="at least two"):
        make_edited(tmp_path, tmp_path / "out", settings)
    textured(0).save(tmp_path / "alone.png")
    with pytest.raises(InputError, match="at least two"):
        make_edited(tmp_path, tmp_path / "out", settings)


def test_the_table_has_a_row_for_each_way(found, capsys):
    from lookalike.cli import show_evaluation

    show_evaluation.evaluation(found)
    printed = capsys.readouterr().out
    assert "blobs: 12 queries, 13 pictures" in printed
    for by in ("auto", "phash", "hsv:cosine"):
        assert f"│ {by} " in printed
