"""Killed or stopped at any step of apply and of undo, nothing is lost and everything comes back."""

import json
import os
import random
import shutil
import signal
import time
import traceback
from unittest.mock import patch

import pytest

from acting_place import MODIFIED_NS, acting_place, contents, on_another_disk, posix_only, reasons, tree
from lookalike.acting.plan import ACTS, make_plan


@pytest.fixture
def place(tmp_path):
    with acting_place(tmp_path) as place:
        yield place


KILL_POINTS = ("rename", "link", "symlink", "unlink", "write", "fsync", "mkdir", "rmdir", "chmod", "utime")


def in_a_child_killed_at(step, deed):
    """Run `deed` in a child that SIGKILLs itself at its step-th call; return whether it came to its end."""

    def killed():
        _kill_at(step)
        deed()

    return not was_killed(start_child(killed))


def start_child(deed):
    child = os.fork()
    if child == 0:
        try:
            deed()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return child


def was_killed(child):
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _kill_at(step):
    n_calls = 0

    def wrap(real):
        def call(*arguments, **options):
            nonlocal n_calls
            n_calls += 1
            if n_calls == step:
                if real is real_write:
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2])  # a torn line
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call

    real_write = os.write
    for name in KILL_POINTS:
        setattr(os, name, wrap(getattr(os, name)))


@posix_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("act", [*ACTS, "quarantine on another disk"])
def test_a_kill_at_every_step_of_apply_and_of_undo_loses_nothing(place, act, monkeypatch):
    if act == "quarantine on another disk":
        on_another_disk(monkeypatch, place)
        act = "quarantine"
    relation = "copy" if act in ("trash", "quarantine") else "same_file"
    pairs = []
    for n, content in enumerate([b"first", b"second"]):
        copy = place.write(f"{n}.jpg", content, MODIFIED_NS + n)
        kept = content + b" in large" if relation == "copy" else content
        pairs.append((copy, place.write(f"{n} keeper.jpg", kept)))
    before, contents_before = tree(place.pictures), contents(place.pictures)
    plan = place.plan(act, *pairs, relation=relation)
    ended, step = False, 0
    while not ended:
        step += 1
        place.journal.mkdir(parents=True, exist_ok=True)
        ended = in_a_child_killed_at(step, lambda: place.apply(plan))
        in_a_child_killed_at(1 + step * 7 % 23, place.undo)
        if step % 3 == 0:
            in_a_child_killed_at(1 + step * 5 % 17, lambda: place.apply(plan))
        assert contents(place.root) >= contents_before, step
        while place.undo().restored:
            pass
        assert tree(place.pictures) == before, step
        shutil.rmtree(place.journal)
    assert step > 15


@posix_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_kill_at_a_random_moment_loses_nothing(place):
    """Real SIGKILLs from outside, of apply and of undo, with all acts in one plan."""
    chance = random.Random(0)
    pairs = []
    for n in range(15):
        content = bytes([n]) * 5000
        pairs.append(
            (place.write(f"{n}/copy.jpg", content), place.write(f"{n}.jpg", content, MODIFIED_NS + n))
        )
    before = tree(place.pictures)
    acts = [act for n, pair in enumerate(pairs) for act in place.plan(ACTS[n % 5], pair).acts]
    plan = make_plan([], act="trash", quarantine=place.quarantine)
    plan = type(plan)(tuple(acts), plan.created_at, None, plan.quarantine)
    n_killed = 0
    place.journal.mkdir(parents=True)
    for _ in range(30):
        n_killed += killed_after(chance.uniform(0.001, 0.04), lambda: place.apply(plan))
        n_killed += killed_after(chance.uniform(0.001, 0.02), place.undo)
        assert contents(place.root) >= {bytes([n]) * 5000 for n in range(15)}
        while place.undo().restored:
            pass
        assert tree(place.pictures) == before
    assert n_killed >= 20


def killed_after(seconds, deed):
    """Run `deed` in a child and SIGKILL it after some time; return whether it was killed in its work."""
    child = start_child(deed)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return was_killed(child)


@posix_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_the_next_apply_puts_back_what_a_kill_left_under_another_name(place):
    keeper, copy, other = (place.write(f"{n}.jpg") for n in range(3))
    kill_when_aside(place, copy, keeper)
    report = place.apply(place.plan("quarantine", (other, keeper)))
    assert "was put back" in report.remarks[0].reason
    assert copy.read_bytes() == b"picture"


def kill_when_aside(place, copy, keeper):
    """Kill an apply between setting the file aside and linking."""
    plan, step = place.plan("hardlink", (copy, keeper)), 0
    while copy.exists():
        step += 1
        shutil.rmtree(place.journal, ignore_errors=True)
        in_a_child_killed_at(step, lambda: place.apply(plan))
    assert copy.name not in os.listdir(place.pictures)


@posix_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_kill_at_every_step_of_putting_back_what_was_aside(place):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    before, ended, step = tree(place.pictures), False, 0
    while not ended:
        step += 1
        kill_when_aside(place, copy, keeper)
        ended = in_a_child_killed_at(step, place.undo)
        report = place.undo()
        assert report.skipped == []
        assert tree(place.pictures) == before
    assert step > 5


@posix_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("act", ACTS)
def test_a_file_edited_after_a_kill_that_came_before_the_act_is_left_alone(place, act):
    keeper, copy = place.write("keeper.jpg"), place.write("copy.jpg")
    plan, step, is_intended = place.plan(act, (copy, keeper)), 0, False
    while not is_intended:
        step += 1
        shutil.rmtree(place.journal, ignore_errors=True)
        in_a_child_killed_at(step, lambda: place.apply(plan))
        runs = list(place.journal.glob("run-*.jsonl"))
        is_intended = any(
            b'"intent"' in path.read_bytes() and path.read_bytes().endswith(b"\n") for path in runs
        )
    copy.write_bytes(b"edited since")
    assert place.undo().restored == [str(copy)]
    assert copy.read_bytes() == b"edited since"


def test_a_torn_last_line_and_a_damaged_one_do_not_stop_undo(place):
    keeper, *copies = (place.write(f"{n}.jpg") for n in range(4))
    before = tree(place.pictures)
    place.apply(place.plan("delete", *((copy, keeper) for copy in copies)))
    (run,) = place.journal.glob("run-*.jsonl")
    with run.open("ab") as file:
        file.write(b'{"event": "undo')
    assert len(place.undo().restored) == 3
    assert tree(place.pictures) == before
    lines = run.read_bytes().splitlines()
    assert all(json.loads(line) for line in lines)
    run.write_bytes(b"\n".join([*lines[:3], b"\x00garbage", *lines[4:5]]) + b"\n")
    for copy in copies:
        copy.unlink()
    report = place.undo()
    assert "line 4" in reasons(report)
    assert report.restored


def test_ctrl_c_stops_between_acts_and_puts_back_the_one_at_hand(place):
    keeper, *copies = (place.write(f"{n}.jpg") for n in range(4))
    before = tree(place.pictures)
    plan = place.plan("symlink", *((copy, keeper) for copy in copies))

    def stop_after_two(progress):
        if progress.n_done == 2:
            raise KeyboardInterrupt

    report = place.apply(plan, on_progress=stop_after_two)
    assert report.interrupted
    assert report.done == [str(copy) for copy in copies[:2]]
    undone = place.undo(on_progress=lambda progress: (_ for _ in ()).throw(KeyboardInterrupt))
    assert undone.interrupted
    place.undo()
    assert tree(place.pictures) == before

    with patch.object(os, "symlink", side_effect=KeyboardInterrupt):
        report = place.apply(plan)
    assert report.interrupted
    assert report.done == []
    assert tree(place.pictures) == before
