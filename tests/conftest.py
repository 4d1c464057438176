"""Fixtures that several test files share."""

import os
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from PIL import Image

from lookalike.settings import Settings
from pictures import photo

# A shared machine stalls now and then; how long an example takes says nothing of the code.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

# A shell that runs the tests in the background lets them ignore Ctrl-C, and what they start would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def settings():
    """Settings with two workers, however many cores there are."""
    return Settings(jobs=2)


def textured(seed, width_px=96, height_px=72):
    """Return a picture of soft blobs that differs from every other seed's."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
    return small.resize((width_px, height_px), Image.Resampling.BICUBIC)


needs_users = pytest.mark.skipif(not hasattr(os, "setresuid"), reason="needs POSIX users")


@contextmanager
def ordinary_user():
    """Be nobody for a while where the tests are run by the superuser, who may write everywhere."""
    is_root = os.geteuid() == 0
    if is_root:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if is_root:
            os.setresuid(0, 0, 0)


@pytest.fixture
def shared_place():
    """Return a folder that other users may enter."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        yield Path(place)


@pytest.fixture
def folder(tmp_path):
    """Return a folder of twelve different pictures and one text file."""
    place = tmp_path / "pictures"
    (place / "sub").mkdir(parents=True)
    for seed in range(8):
        textured(seed).save(place / f"{seed}.png")
    for name in ("astronaut", "coffee", "rocket", "chelsea"):
        photo(300, 200, name).save(place / "sub" / f"{name}.jpg", quality=92)
    (place / "notes.txt").write_text("not a picture")
    return place
