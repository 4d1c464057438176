"""Tone: saving, shrinking and cutting leave it, darkening, colouring and sharpening do not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from lookalike.duplicates.keeper import RULES, Candidate, choose_keeper
from lookalike.duplicates.tone import compare_tone
from lookalike.features.keypoints import extract_keypoints
from lookalike.proving.verify import verify
from lookalike.storage.records import FoundPicture
from pictures import photo


def _words(name, edit):
    original = photo(640, 480, name)
    first, second = extract_keypoints(original), extract_keypoints(edit(original))
    return compare_tone(first, second, np.asarray(verify(first, second).matrix)).words


def _save_again(picture):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=20)
    return Image.open(buffer).convert("RGB")


def _add_noise(picture):
    noise = np.random.default_rng(0).normal(0, 40, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
@pytest.mark.parametrize(
    "edit",
    [
        _save_again,
        lambda picture: picture.resize((160, 120)),
        lambda picture: picture.crop((80, 60, 560, 420)),
        ImageOps.mirror,
        ImageOps.grayscale,
    ],
    ids=["jpeg 20", "quarter", "crop", "mirror", "grey"],
)
def test_what_only_saves_or_cuts_leaves_the_tone(name, edit):
    assert _words(name, lambda picture: edit(picture).convert("RGB")) == ()


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (lambda picture: ImageEnhance.Brightness(picture).enhance(0.85), "darker"),
        (lambda picture: ImageEnhance.Brightness(picture).enhance(1.2), "brighter"),
        (lambda picture: ImageEnhance.Contrast(picture).enhance(0.8), "poorer in contrast"),
        (lambda picture: ImageEnhance.Color(picture).enhance(1.5), "more saturated"),
        (lambda picture: ImageEnhance.Color(picture).enhance(0.5), "less saturated"),
        (lambda picture: picture.filter(ImageFilter.UnsharpMask(2, 150, 0)), "sharper"),
        (lambda picture: picture.filter(ImageFilter.GaussianBlur(3)), "less sharp"),
        (_add_noise, "noisier"),
    ],
    ids=["darker", "brighter", "contrast", "saturated", "pale", "sharper", "blurred", "noise"],
)
def test_an_edit_of_tone_is_told_in_words(edit, word):
    assert word in _words("astronaut", edit)
    assert word in _words("coffee", edit)


def _file(path, size_bytes, mtime_s=0):
    return FoundPicture(1, path, size_bytes, mtime_s * 10**9, b"", "jpeg", 100, 100, None)


def _all(*pictures):
    return [Candidate.of(picture) for picture in pictures]


def test_bytes_decide_only_where_they_differ_much_and_the_tone_does_not():
    light, same, heavy = _file("/a", 2200), _file("/bb", 2300), _file("/ccc", 9000)
    rules = tuple(RULES.values())
    assert choose_keeper(_all(light, same), rules) == (
        light,
        "shortest-path: 2 characters, against 3 characters",
    )
    assert choose_keeper(_all(light, heavy), rules) == (
        heavy,
        "least-compressed: 0.90 bytes a pixel, against 0.22 bytes a pixel",
    )
    assert choose_keeper(_all(light, heavy), rules, have_equal_tone=lambda *_: False)[0] == light
