"""Tests of `lookalike.web.uploads`."""

import os

from lookalike.settings import Settings
from lookalike.web.uploads import Uploads


def test_sending_a_picture_again_does_not_make_its_file_look_changed(tmp_path):
    uploads = Uploads(tmp_path, Settings())
    name = uploads.put(b"a picture")
    file = tmp_path / "uploads" / name[3:]
    os.utime(file, ns=(10**9, 10**9))
    assert uploads.put(b"a picture") == name
    assert file.stat().st_mtime_ns == 10**9
    assert file.stat().st_atime_ns > 10**9


def test_those_that_were_not_sent_for_longest_go_first(tmp_path):
    uploads = Uploads(tmp_path, Settings(serve_uploads=2))
    first, second = uploads.put(b"first"), uploads.put(b"second")
    for age, name in ((1, first), (2, second)):
        os.utime(tmp_path / "uploads" / name[3:], ns=(age * 10**9, age * 10**9))
    uploads.put(b"first")
    third = uploads.put(b"third")
    kept = {f"up:{file.name}" for file in (tmp_path / "uploads").iterdir()}
    assert kept == {first, third}
