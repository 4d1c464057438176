"""One question to one rival, in a process of its own: ``python peers_worker.py REQUEST.json``.

The request names the rival, the task and the files; the answer goes to the files it names.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Answer one request."""
    request = json.loads(Path(sys.argv[1]).read_text())
    if request["is_timed"] and hasattr(os, "sched_setaffinity"):  # before any library counts the cores
        cores = sorted(os.sched_getaffinity(0))[: request["n_workers"]]
        os.sched_setaffinity(0, cores)
    # Some rivals tell about their progress on the standard output.
    with contextlib.redirect_stdout(sys.stderr):
        _answer(request)


def _answer(request: dict[str, Any]) -> None:
    import numpy as np

    import peers_adapters

    for module in request["modules"]:  # before the clock starts
        importlib.import_module(module)

    rival, n_workers, out = request["rival"], request["n_workers"], Path(request["out"])
    if request["task"] == "search":
        found = peers_adapters.ours().search(
            *(request[key] for key in ("originals", "copies", "verified", "place"))
        )
        np.savez(out.with_suffix(".npz"), **found)
        out.write_text("{}")
        return
    started = time.perf_counter()
    if request["task"] == "pairs":
        pairs, feature_seconds = peers_adapters.PAIRS[rival](request["paths"], request["method"], n_workers)
        answer = {
            "pairs": [[Path(a).name, Path(b).name] for a, b in pairs],
            "feature_seconds": feature_seconds,
        }
    else:
        table = peers_adapters.FEATURES[rival](request["paths"], request["names"], n_workers)
        np.savez(out.with_suffix(".npz"), **{name: rows for name, (_, rows) in table.items()})
        answer = {"names": {name: names for name, (names, _) in table.items()}}
    out.write_text(json.dumps({**answer, "seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
