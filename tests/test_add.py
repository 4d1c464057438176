"""Adding: what changed is computed, what did not is left, what moved is recognised, nothing is lost."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from conftest import textured
from lookalike import Gallery
from lookalike.adding import add as add_module
from lookalike.errors import InputError, StoreError
from lookalike.features.extract import recipes_of
from lookalike.features.registry import kind_of
from lookalike.storage.store import FILE_NAME, Store


@pytest.fixture
def gallery(tmp_path, settings):
    with Gallery.open(tmp_path / "gallery", create=True, settings=settings) as opened:
        yield opened


def _counts(report):
    return (report.seen, report.added, report.unchanged, report.moved, len(report.failed))


def test_the_second_time_nothing_is_read(gallery, folder, monkeypatch):
    assert _counts(gallery.add(folder)) == (12, 12, 0, 0, 0)
    monkeypatch.setattr(add_module, "WorkerPool", None)
    monkeypatch.setattr(add_module._Run, "process", lambda self, todo: todo == [] or 1 / 0)
    assert _counts(gallery.add(folder)) == (12, 0, 12, 0, 0)


def test_a_moved_file_is_recognised_and_a_copied_one_costs_nothing(gallery, folder):
    gallery.add(folder)
    (folder / "0.png").rename(folder / "moved.png")
    shutil.copy(folder / "1.png", folder / "sub" / "copy.png")
    report = gallery.add(folder)
    assert _counts(report) == (13, 1, 11, 1, 0)
    assert report.copied == 1
    info = gallery.info()
    assert (info.n_files, info.n_contents) == (13, 12)
    assert str(folder / "0.png") not in [m.picture.path for m in gallery.search(folder / "1.png", k=99)]


def test_a_changed_file_replaces_what_was_there(gallery, folder):
    gallery.add(folder)
    textured(77).save(folder / "0.png")
    report = gallery.add(folder)
    assert _counts(report) == (12, 1, 11, 0, 0)
    assert report.changed == 1
    assert gallery.info().n_contents == 12


def test_a_touched_file_is_read_but_not_added(gallery, folder):
    gallery.add(folder)
    os.utime(folder / "0.png", ns=(1, 1))
    assert _counts(gallery.add(folder)) == (12, 0, 12, 0, 0)
    assert _counts(gallery.add(folder)) == (12, 0, 12, 0, 0)


def test_features_that_are_lacking_are_added_to_unchanged_files(gallery, folder):
    gallery.add(folder, only="hashes")
    with pytest.raises(InputError, match="without --only"):
        gallery.search(folder / "0.png", by="embedding")
    assert gallery.search(folder / "0.png", k=3)  # auto does with the hashes alone
    assert _counts(gallery.add(folder)) == (12, 0, 12, 0, 0)
    assert gallery.search(folder / "0.png", by="embedding")


def test_failures_are_rows_with_reasons_and_are_not_tried_again(gallery, folder):
    (folder / "broken.jpg").write_bytes((folder / "sub" / "rocket.jpg").read_bytes()[:900])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_text("hello")
    report = gallery.add([folder, folder / "notes.txt"])
    assert _counts(report) == (16, 12, 0, 0, 4)
    assert all(one.stage and one.reason for one in report.failed)
    again = gallery.add([folder, folder / "notes.txt"])
    assert _counts(again) == (16, 0, 12, 0, 4)
    assert {one.path for one in gallery.info().failures} == {one.path for one in report.failed}
    shutil.copy(folder / "0.png", folder / "broken.jpg")  # mended
    assert _counts(gallery.add(folder)) == (15, 1, 12, 0, 2)
    assert _counts(gallery.add(folder, retry_failed=True)) == (15, 0, 13, 0, 2)


def test_a_path_that_does_not_exist_is_a_failure(gallery, folder):
    report = gallery.add([folder / "nowhere", folder])
    assert [(one.stage, one.path) for one in report.failed] == [("find", str(folder / "nowhere"))]
    assert report.seen == 12


def test_a_folder_given_twice_is_added_once(gallery, folder):
    assert _counts(gallery.add([folder, folder / "sub", folder / "0.png"])) == (12, 12, 0, 0, 0)


def test_a_known_picture_that_cannot_be_read_today_is_not_forgotten(gallery, folder, monkeypatch):
    gallery.add(folder)
    path = folder / "0.png"
    os.utime(path, ns=(5, 5))
    failed = add_module.Failed(str(path), "read", "permission denied")
    monkeypatch.setattr(add_module.WorkerPool, "run", lambda self, todo: iter([failed]))
    assert len(gallery.add(folder).failed) == 1
    assert str(path) in [match.picture.path for match in gallery.search(folder / "1.png", k=99)]


@pytest.mark.parametrize("name", ["a b.png", "line\nbreak.png", "图片.png", b"\xff\xfe.png", "-dash.png"])
def test_odd_names_are_added_and_found(gallery, tmp_path, name):
    place = os.fsencode(tmp_path / "odd")
    os.mkdir(place)
    path = os.path.join(place, os.fsencode(name))
    with open(path, "wb") as file:
        textured(3).save(file, "PNG")
    assert _counts(gallery.add(os.fsdecode(place))) == (1, 1, 0, 0, 0)
    with open(path, "rb") as file:
        (match,) = gallery.search(file.read())
    assert os.fsencode(match.picture.path) == path


def test_progress_ends_at_the_total(gallery, folder):
    seen = []
    gallery.add(folder, on_progress=seen.append)
    assert seen[-1].n_done == seen[-1].n_total == 12
    assert {one.stage for one in seen} == {"look", "add"}


def test_ctrl_c_keeps_what_is_done(gallery, folder, monkeypatch):
    def interrupted(progress):
        if progress.stage == "add" and progress.n_done == 5:
            raise KeyboardInterrupt

    report = gallery.add(folder, on_progress=interrupted)
    assert report.interrupted
    assert gallery.info().n_contents == report.added == 5
    assert gallery.add(folder).added == 7


def test_a_full_disk_stops_with_a_sentence_and_the_store_intact(gallery, folder):
    gallery.add(folder / "0.png")
    db = gallery._store.database
    db.execute(f"PRAGMA max_page_count = {db.pragma('page_count') + 1}")
    with pytest.raises(StoreError, match="disk is full"):
        gallery.add(folder)
    db.execute("PRAGMA max_page_count = 1000000")
    assert gallery.info().n_contents == 1
    assert gallery.add(folder).added == 11


def test_two_processes_add_the_same_folder_at_once(tmp_path, folder, settings):
    command = _index_command(tmp_path / "both", folder, settings)
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    with Gallery.open(tmp_path / "both", settings=settings) as opened:
        assert opened.info().n_contents == opened.info().n_files == 12
        assert len(opened.search(folder / "0.png", k=99)) == 11


def _index_command(gallery, folder, settings, *options):
    return [
        *(sys.executable, "-m", "lookalike", "--gallery", str(gallery)),
        *("--set", f"jobs={settings.jobs}", "index", str(folder), "--jobs", "2", *options),
    ]


def _snapshot(place, settings):
    """Everything that a gallery knows, without ids and the order of rows."""
    store = Store(place)
    assert store.database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    recipes = recipes_of(settings)
    snapshot = {}
    for picture in store.files.iter_found():
        features = store.features.of(picture.content_id, recipes.values())
        assert set(features) == set(recipes), "a content is there only with all its features"
        for name, data in features.items():
            assert np.isfinite(np.frombuffer(data, kind_of(name).stored_dtype).astype(np.float32)).all()
        facts = (picture.digest, picture.format, picture.width_px, picture.size_bytes, picture.mtime_ns)
        snapshot[picture.path] = (facts, features)
    failures = {(one.path, one.stage, one.reason) for one in store.files.failures()}
    store.close()
    return snapshot, failures


N_PICTURES = 400


def test_killed_at_random_moments_it_ends_as_if_undisturbed(tmp_path, settings):
    """kill -9 at 10 random moments: whole rows only, and the end is that of an undisturbed run.

    Rows are written about once a second, so there are pictures for a few seconds: else no kill hits the middle.
    """
    folder = tmp_path / "many"
    folder.mkdir()
    for seed in range(N_PICTURES):
        textured(seed).save(folder / f"{seed}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    started = time.monotonic()
    subprocess.run(_index_command(tmp_path / "calm", folder, settings), check=True, stdout=subprocess.DEVNULL)
    longest_s = max(1.6, 0.9 * (time.monotonic() - started))  # a busy machine commits later
    expected = _snapshot(tmp_path / "calm", settings)
    assert len(expected[0]) == N_PICTURES

    rng = random.Random(5)
    place, sizes = tmp_path / "killed", [0]
    for _ in range(10):
        process = subprocess.Popen(_index_command(place, folder, settings), stdout=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.15, longest_s))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (place / FILE_NAME).exists() and (place / FILE_NAME).stat().st_size:
            try:
                partial, _ = _snapshot(place, settings)
            except StoreError as error:  # killed before the schema was there
                assert "older version" in str(error) or "index" in str(error)  # noqa: PT017
                continue
            assert all(expected[0][path] == row for path, row in partial.items())
            sizes.append(len(partial))
    assert sizes == sorted(sizes)
    assert any(0 < size < N_PICTURES for size in sizes), "no kill hit the middle of a run"
    subprocess.run(_index_command(place, folder, settings), check=True, stdout=subprocess.DEVNULL)
    assert _snapshot(place, settings) == expected
