"""Two pictures compared: each decoded once, here or in a process of its own."""

import io

import numpy as np
import pytest
from PIL import Image

from conftest import textured
from lookalike import compare
from lookalike.comparing import compare as compare_sources
from lookalike.errors import PictureError
from lookalike.features.registry import features_of
from lookalike.queries.reader import IsolatedReader
from lookalike.queries.source import Source
from lookalike.settings import Settings


def _bytes(image, format_name="PNG", **options):
    file = io.BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


@pytest.fixture
def n_decoded(monkeypatch):
    """Return a list that grows with every picture that is decoded."""
    from lookalike.media import decode as decode_module

    seen, decode = [], decode_module.decode
    monkeypatch.setattr(decode_module, "decode", lambda *a, **o: seen.append(o) or decode(*a, **o))
    return seen


@pytest.mark.parametrize("other", ["the same pixels", "a copy", "another"])
def test_each_picture_is_decoded_once(settings, n_decoded, other):
    photo = textured(1, 300, 200)
    second = {
        "the same pixels": _bytes(photo, compress_level=1),
        "a copy": _bytes(photo.resize((150, 100)), "JPEG", quality=80),
        "another": _bytes(textured(2, 300, 200)),
    }[other]
    found = compare(_bytes(photo), second, settings=settings)
    assert len(n_decoded) == 2
    assert found.relation in {"the same pixels": ("same_pixels",), "a copy": ("copy",)}.get(
        other, ("similar", "different")
    )
    assert found.sizes_px[0] == (300, 200)


def test_every_feature_is_among_the_measures(settings):
    photo = np.asarray(textured(1, 96, 96))
    names = [one.name for one in compare(photo, photo, settings=settings).measures]
    assert {name.split("_")[0] for name in names} >= set(features_of(Settings()))
    assert {"ssim", "pixel_euclidean"} <= set(names)


def test_a_process_of_its_own_compares_as_this_one_does(settings, tmp_path):
    sources = [
        Source("first", data=_bytes(textured(1, 200, 160))),
        Source("second", data=_bytes(textured(1, 200, 160), "JPEG", quality=70)),
    ]
    here = compare(*(one.data for one in sources), settings=settings)
    reader = IsolatedReader(settings, tmp_path)
    try:
        there = compare_sources(*sources, reader)
        assert (there.measures, there.relation, there.verdict) == (here.measures, here.relation, here.verdict)
        with pytest.raises(PictureError):
            compare_sources(sources[0], Source("none", data=b"no picture"), reader)
        pixels = Source("pixels", pixels=Image.new("RGB", (64, 64)))
        assert compare_sources(pixels, pixels, reader).relation == "same_pixels"
    finally:
        reader.close()


def test_a_picture_that_cannot_be_compared_is_named(tmp_path):
    textured(1).save(tmp_path / "there.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no picture")
    for name in ("absent.png", "broken.png"):
        with pytest.raises(PictureError, match=name):
            compare(tmp_path / "there.png", tmp_path / name)
