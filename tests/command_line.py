"""Running the command line as a person does: in a process of its own."""

import os
import subprocess
import sys


def lookalike(folder, *arguments, settings, code=0, gallery="g", environment=None, python=(), **options):
    """Run a command in a folder and return what it printed; a traceback comes on demand only."""
    start = python or ("-m", "lookalike")
    done = subprocess.run(
        [sys.executable, *start, "--gallery", gallery, *arguments],
        env={**os.environ, "LOOKALIKE_JOBS": str(settings.jobs), **(environment or {})},
        cwd=folder,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options},
    )
    problem = (done.stderr or b"").decode()
    assert done.returncode == code, problem
    assert ("Traceback" in problem) == ("LOOKALIKE_DEBUG" in (environment or {})), problem
    assert "ignored" not in problem, problem
    return done
