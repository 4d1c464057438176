"""Workers that crash, hang, eat memory or never start: one failed row each, every other task done."""

import ctypes
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from lookalike.errors import DecodeError, ModelError, StoreError
from lookalike.settings import Settings
from lookalike.workers.pool import WorkerPool
from lookalike.workers.process import limit_memory
from lookalike.workers.tasks import Failed, Job


@pytest.fixture(autouse=True)
def _workers_can_import_this_file(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(__file__))


def _job(**settings):
    return Job(Settings(**settings), (), Path("nowhere"))


def _obedient(job):
    def work(path):
        if path.startswith("crash"):
            ctypes.string_at(0)
        if path.startswith("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if path.startswith("exit"):
            os._exit(3)
        if path.startswith("hang"):
            time.sleep(60)
        if path.startswith("print"):
            print("chatter that is no message", flush=True)
            os.write(1, b"more chatter")
        return path.upper()

    return work


def _run(paths, *, n_workers=2, make_work=_obedient, are_dear=False, **settings):
    with WorkerPool(_job(**settings), n_workers, make_work, are_dear=are_dear) as pool:
        return list(pool.run(paths))


@pytest.mark.parametrize("n_workers", [1, 3])
def test_every_task_gets_one_answer(n_workers):
    names = [f"task {number}" for number in range(300)]
    assert sorted(_run(names, n_workers=n_workers)) == sorted(name.upper() for name in names)


def _name_of_process(job):
    def work(task):
        return os.getpid()

    return work


def test_a_few_dear_tasks_are_shared_by_all_workers():
    assert len(set(_run(["a", "b", "c", "d"], make_work=_name_of_process, are_dear=True))) == 2


def test_the_answers_to_a_few_others_come_in_the_order_of_the_tasks():
    names = [f"task {number}" for number in range(8)]
    assert _run(names) == [name.upper() for name in names]


def test_no_task_no_worker():
    with WorkerPool(_job(), 2, _obedient) as pool:
        assert list(pool.run([])) == []
        assert pool._workers == []


def test_what_a_library_prints_does_not_disturb(capfd):
    assert sorted(_run(["print 1", "b", "print 2"])) == ["B", "PRINT 1", "PRINT 2"]


@pytest.mark.parametrize(
    ("culprit", "reason"), [("crash", "signal 11"), ("kill", "signal 9"), ("exit", "exit status 3")]
)
def test_a_crash_costs_one_row(culprit, reason, capfd):
    names = [f"task {number}" for number in range(20)]
    names[5:5] = [culprit]
    answers = _run(names)
    failed = [answer for answer in answers if isinstance(answer, Failed)]
    assert [(one.task, one.stage) for one in failed] == [(culprit, "decode")]
    assert reason in failed[0].reason
    assert sorted(a for a in answers if isinstance(a, str)) == sorted(
        n.upper() for n in names if n != culprit
    )


def test_only_crashes_are_survived_too(capfd):
    answers = _run([f"crash {number}" for number in range(4)])
    assert sorted(answer.task for answer in answers) == [f"crash {number}" for number in range(4)]


def test_a_hanging_file_is_stopped_and_the_rest_goes_on():
    started = time.monotonic()
    answers = _run(["a", "hang", "b", "c", "d", "e"], n_workers=1, max_seconds=0.5)
    failed = [answer for answer in answers if isinstance(answer, Failed)]
    assert [(one.task, one.stage) for one in failed] == [("hang", "limit")]
    assert "longer than 0.5 s" in failed[0].reason
    assert sorted(answer for answer in answers if isinstance(answer, str)) == ["A", "B", "C", "D", "E"]
    assert time.monotonic() - started < 30


def _greedy(job):
    def work(path):
        try:
            return len(bytearray(int(path)))
        except MemoryError:
            return "too much"

    return work


def test_a_worker_may_take_no_more_memory_than_it_was_given():
    if not Path("/proc/self/statm").exists():
        pytest.skip("this system cannot limit the memory of a process")
    answers = _run(["1000", "900000000"], n_workers=1, make_work=_greedy, max_memory=200_000_000)
    assert answers == [1000, "too much"]


def test_limiting_memory_is_left_out_where_the_system_cannot(monkeypatch):
    monkeypatch.setattr(Path, "read_text", lambda self: (_ for _ in ()).throw(OSError("no such file")))
    limit_memory(1)


def test_a_new_run_gets_no_answer_of_one_that_was_given_up():
    with WorkerPool(_job(), 1, _obedient) as pool:
        assert list(pool.run(["a"])) == ["A"]
        given_up = pool.run(["c1", "c2", "c3"])
        next(given_up)
        assert list(pool.run(["d"])) == ["D"]
        assert list(given_up) == []


def test_a_run_whose_caller_stops_asking_leaves_nothing_behind():
    with WorkerPool(_job(), 1, _obedient) as pool:
        with suppress(ZeroDivisionError):
            for _ in pool.run(["c1", "c2", "c3"]):
                raise ZeroDivisionError
        assert list(pool.run(["d"])) == ["D"]


def _particular(job):
    def work(number):
        if number == 1:
            raise DecodeError("no picture.")
        if number == 2:
            raise StoreError("the gallery is gone.")
        if number == 3:
            raise KeyError("a bug")
        if number == 4:
            raise MemoryError
        return -number

    return work


def test_what_is_wrong_with_one_task_costs_that_task():
    answers = _run([1, 3, 4, 5], n_workers=1, make_work=_particular)
    assert answers == [
        Failed(1, "decode", "no picture."),
        Failed(3, "features", "unexpected KeyError: 'a bug'"),
        Failed(4, "limit", "it needs more than 4.0 GB of memory (setting max_memory)."),
        -5,
    ]


def test_what_is_wrong_with_more_than_one_task_stops_the_run_and_not_the_pool():
    with WorkerPool(_job(), 1, _particular) as pool:
        with pytest.raises(StoreError, match="the gallery is gone"):
            list(pool.run([5, 2, 6]))
        assert list(pool.run([7])) == [-7]


def _broken_model(job):
    raise ModelError("the model is not there: install it.")


def test_an_error_at_the_start_stops_the_run_with_its_sentence():
    with pytest.raises(ModelError, match="the model is not there"):
        _run(["a"], make_work=_broken_model)


def test_a_system_without_room_for_processes_is_a_sentence(monkeypatch):
    def refuse(*_args, **_options):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("subprocess.Popen", refuse)
    with pytest.raises(
        ModelError, match=r"no worker process .*Resource temporarily unavailable.*close other"
    ):
        _run(["a"])


def test_a_system_without_room_for_threads_is_a_sentence_and_leaves_no_process(monkeypatch):
    processes = []
    start = subprocess.Popen

    def remember(*args, **options):
        processes.append(start(*args, **options))
        return processes[-1]

    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("subprocess.Popen", remember)
    monkeypatch.setattr("threading.Thread.start", refuse)
    with pytest.raises(ModelError, match="start new thread"):
        _run(["a"])
    assert [process.returncode for process in processes] == [-signal.SIGKILL]


def test_fewer_workers_than_wanted_do_all_the_work(monkeypatch):
    n_started = 0
    start = subprocess.Popen

    def start_one(*args, **options):
        nonlocal n_started
        n_started += 1
        if n_started > 1:
            raise OSError(12, "Cannot allocate memory")
        return start(*args, **options)

    monkeypatch.setattr("subprocess.Popen", start_one)
    assert sorted(_run([f"task {number}" for number in range(40)], n_workers=3)) == sorted(
        f"TASK {number}" for number in range(40)
    )
    assert n_started == 2


def _dies_at_once(job):
    os._exit(9)


def test_workers_that_never_start_stop_the_run():
    with pytest.raises(ModelError, match="do not start"):
        _run(["a", "b"], make_work=_dies_at_once)
