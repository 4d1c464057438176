"""Rivals, each in an environment of its own, so that none can disturb another or lookalike itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CONSTRAINTS = HERE / "constraints-peers.txt"
INSTALL_TIMEOUT_S = 1200


@dataclass(frozen=True)
class Rival:
    """A package to compare with.

    Parameters
    ----------
    name : str            as it calls itself
    distribution : str    on PyPI, for its version
    modules : tuple       what to import; a rival that these cannot be imported from is absent
    attempts : tuple of pip's arguments    each attempt is made on top of the one before, until the imports work
    """

    name: str
    distribution: str
    modules: tuple[str, ...]
    attempts: tuple[tuple[tuple[str, ...], ...], ...]


@dataclass(frozen=True)
class Environment:
    """A rival that is ready, or why it is absent."""

    rival: Rival
    python: str = ""
    version: str = ""
    reason: str = ""


RIVALS = (
    Rival("ImageHash", "ImageHash", ("imagehash",), ((("ImageHash",),),)),
    # Its plain import loads torchvision, whose newer releases refuse to load beside a torch built for CPUs
    # only. An older torchvision is happy without its compiled part, which imagededup never uses.
    Rival(
        "imagededup",
        "imagededup",
        ("imagededup.methods",),
        ((("torch", "imagededup"),), (("--no-deps", "torchvision==0.15.2"), ("requests",))),
    ),
    Rival("PDQ", "pdqhash", ("pdqhash", "PIL.Image"), ((("pdqhash", "numpy", "pillow"),),)),
    Rival(
        "perception",
        "Perception",
        ("perception.hashers.image.pdq", "perception.local_descriptor_deduplication"),
        ((("Perception[pdq,approximate-deduplication]",),),),
    ),
    Rival("fastdup", "fastdup", ("fastdup",), ((("fastdup",),),)),
    Rival("difPy", "difPy", ("difPy",), ((("difPy",),),)),
)


def environment_of(home: Path) -> dict[str, str]:
    """Return the variables rivals run with: a home of their own, and no reports of use sent anywhere."""
    wanted = {"HOME": str(home), "SENTRY_OPT_OUT": "1", "PYTHONWARNINGS": "ignore", "TQDM_DISABLE": "1"}
    return {**os.environ, **wanted}


def prepare(rival: Rival, folder: Path) -> Environment:
    """Return the rival's environment, made now if it is not there yet; never raises for a rival's sake."""
    place = folder / rival.name.lower()
    python = place / "bin" / "python" if os.name != "nt" else place / "Scripts" / "python.exe"
    ready = place / "ready.json"
    wanted = {"attempts": json.loads(json.dumps(rival.attempts)), "constraints": CONSTRAINTS.read_text()}
    if not ready.exists() or json.loads(ready.read_text()) != wanted:
        reason = _install(rival, place, python, folder)
        if reason:
            return Environment(rival, reason=reason)
        ready.write_text(json.dumps(wanted))
    code = f"import importlib.metadata as m; print(m.version({rival.distribution!r}))"
    version = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()
    return Environment(rival, str(python), version)


def _install(rival: Rival, place: Path, python: Path, folder: Path) -> str:
    """Make the environment; return why it cannot be used, or nothing."""
    print(f"installing {rival.name} into {place}", file=sys.stderr, flush=True)
    done = _run([sys.executable, "-m", "venv", "--clear", str(place)], folder)
    reason = "" if done is None else f"no environment: {done}"
    for steps in rival.attempts:
        for step in steps:
            pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "-q"]
            constraint = [] if "--no-deps" in step else ["-c", str(CONSTRAINTS)]
            if (failed := _run([*pip, *constraint, *step], folder)) is not None:
                return f"does not install: {failed}"
        failed = _run([str(python), "-c", f"import {', '.join(rival.modules)}"], folder)
        if failed is None:
            return ""
        reason = f"does not load: {failed}"
    return reason


def _run(command: list[str], folder: Path) -> str | None:
    """Run a command; return the last line of its complaint, or None where it went well."""
    folder.mkdir(exist_ok=True)
    home = folder / "home"
    home.mkdir(exist_ok=True)
    try:
        # pip needs the user's own settings; only the rival's code is kept away from the user's home.
        variables = dict(os.environ) if "pip" in command else environment_of(home)
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    return None if done.returncode == 0 else (errors or ["no reason given"])[-1][:200]
