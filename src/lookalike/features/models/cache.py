"""Built models on disk: written whole or not at all, and checked whenever they are read.

The name of a file ends in the digest of its bytes, so a truncated or altered one is seen at once and
built again. Two processes that build at the same time write the same file twice, which does no harm.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

DIGEST_LENGTH = 16

logger = logging.getLogger("lookalike")


def load_or_build(folder: Path, stem: str, build: Callable[[], bytes]) -> bytes:
    """Return the bytes of a model from the cache, or build it and keep it there.

    Parameters
    ----------
    folder : of the cache; made when it is not there
    stem : names the model and everything that its bytes depend on
    build : makes the bytes; called only when the cache has no sound file

    A folder that cannot be written is no error: the model is built in memory every time, and the log says so.
    """
    data = _load(folder, stem)
    if data is None:
        data = build()
        try:
            _store(folder, stem, data)
        except OSError as error:
            logger.warning(
                "the model cannot be kept in %s (%s), so it is built anew at every start; "
                "choose another folder with the setting cache_dir.",
                folder,
                error.strerror,
            )
    return data


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:DIGEST_LENGTH]


def _load(folder: Path, stem: str) -> bytes | None:
    try:
        paths = sorted(folder.glob(f"{stem}-{'?' * DIGEST_LENGTH}.onnx"))
    except OSError:
        return None
    for path in paths:
        with suppress(OSError):
            data = path.read_bytes()
            if path.stem.endswith(_digest(data)):
                return data
            logger.warning("the cached model %s is damaged; it is built again.", path)
            path.unlink()
    return None


def _store(folder: Path, stem: str, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{stem}-", suffix=".part", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / f"{stem}-{_digest(data)}.onnx")
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
