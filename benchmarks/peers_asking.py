"""Ask a rival in its own process, and watch how much memory it and its own processes take."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from peers_install import Environment, environment_of

ANSWER_TIMEOUT_S = 1800
SAMPLE_EVERY_S = 0.2
_number = itertools.count()


@dataclass(frozen=True)
class Answer:
    """What came back: the answer and arrays, or why there is none.

    `peak_mb` is the proportional memory of the process and all it started, sampled; nan where the system does
    not tell.
    """

    reason: str = ""
    content: Mapping[str, Any] | None = None
    arrays: Mapping[str, np.ndarray] | None = None
    peak_mb: float = float("nan")


def ask(environment: Environment, scratch: Path, *, is_timed: bool = False, **question: Any) -> Answer:
    """Ask one question; a rival that fails gives a reason and never an exception.

    A question that is timed is kept to as many cores as it asks for workers.
    """
    if environment.reason:
        return Answer(environment.reason)
    place = scratch / f"question-{next(_number)}"
    place.mkdir(parents=True)
    out = place / "answer.json"
    request = {
        "rival": environment.rival.name,
        "modules": environment.rival.modules,
        "out": str(out),
        "is_timed": is_timed,
        **question,
    }
    (place / "request.json").write_text(json.dumps(request))
    worker = str(Path(__file__).with_name("peers_worker.py"))
    with (place / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [environment.python, worker, str(place / "request.json")],
            env=environment_of(scratch),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=place,
        )
        peak_mb = _watch(process)
    if process.returncode == -signal.SIGKILL:
        return Answer(f"fails: killed, at the latest after {ANSWER_TIMEOUT_S} s")
    if process.returncode != 0 or not out.exists():
        lines = (place / "log.txt").read_text(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()] or ["no reason given"]
        return Answer(f"fails: {said[-1][:200]}")
    arrays = out.with_suffix(".npz")
    loaded = dict(np.load(arrays)) if arrays.exists() else None
    return Answer("", json.loads(out.read_text()), loaded, peak_mb)


def _watch(process: subprocess.Popen[bytes]) -> float:
    """Wait for the process and return its peak memory; leave nothing of it behind, whatever happens."""
    peak, deadline = float("nan"), time.monotonic() + ANSWER_TIMEOUT_S
    try:
        while process.poll() is None and time.monotonic() < deadline:
            peak = float(np.fmax(peak, _session_mb(process.pid)))
            time.sleep(SAMPLE_EVERY_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return peak


def _session_mb(session: int) -> float:
    """Add up the proportional memory of every process of a session (Linux)."""
    total_kb, is_known = 0, False
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[3]) != session:
                continue
            rollup = (place / "smaps_rollup").read_text()
        except (OSError, IndexError, ValueError):
            continue  # it ended meanwhile
        total_kb += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        is_known = True
    return total_kb / 1000 if is_known else float("nan")
