"""What belongs to a picture that would go: it goes too where the keeper has the same, or the picture stays."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress

from lookalike.duplicates.records import Companion
from lookalike.media.units import Unit


def find_companions(unit: Unit, keeper_path: str, keeper_unit: Unit) -> tuple[Companion, ...] | str:
    """Return the files that go with a picture, or why it must stay.

    Each file that belongs to the picture needs one of equal bytes that belongs to its keeper.

    Parameters
    ----------
    unit : Unit             what belongs to the picture that would go
    keeper_path : str       the picture that would stay
    keeper_unit : Unit      what belongs to it
    """
    if keeper_path in unit.paths:
        return f"is one unit with the keeper: {_names((keeper_path,))} belongs to it"
    others = [path for path in keeper_unit.paths if path not in unit.paths]
    own = [path for path in unit.paths if path not in keeper_unit.paths]
    found, missing = [], []
    for path in own:
        twin = next(
            (other for other in others if _suffix(other) == _suffix(path) and _are_equal(path, other)), None
        )
        if twin is None:
            missing.append(path)
        else:
            digest = _digest(path)
            found.append(Companion(path, os.stat(path).st_size, digest, twin))
    if missing:
        return f"belongs together with {_names(missing)}, of which the keeper has no copy"
    return tuple(found)


def _names(paths: tuple[str, ...] | list[str]) -> str:
    return ", ".join(os.path.basename(path) for path in paths)


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _are_equal(first: str, second: str) -> bool:
    with suppress(OSError):
        return os.stat(first).st_size == os.stat(second).st_size and _digest(first) == _digest(second)
    return False


def _digest(path: str) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
