"""Hashes: the same bits as ImageHash 4.3.2, its hex text, and distances against brute force."""

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lookalike.errors import FeatureMismatchError
from lookalike.features import hashes

REFERENCE = {
    "ahash": imagehash.average_hash,
    "dhash": imagehash.dhash,
    "phash": imagehash.phash,
    "whash": imagehash.whash,
}


def _pictures():
    from skimage import data

    rng = np.random.default_rng(7)
    yield "photo", Image.fromarray(data.astronaut())
    yield "odd shape", Image.fromarray(data.coffee()).resize((411, 97))
    yield "grey", Image.fromarray(data.camera())
    yield "noise", Image.fromarray(rng.integers(0, 256, (64, 80, 3), np.uint8))
    yield "white", Image.new("RGB", (300, 200), "white")
    yield "black", Image.new("RGB", (64, 64), "black")
    yield "one pixel", Image.new("RGB", (1, 1), (9, 200, 30))
    yield "thin", Image.fromarray(rng.integers(0, 256, (3, 500, 3), np.uint8))
    drawing = np.full((256, 256, 3), 255, np.uint8)
    drawing[100:140, 30:90] = (200, 0, 0)
    yield "drawing with a tied median", Image.fromarray(drawing)
    stripes = np.zeros((128, 128), np.uint8)
    stripes[:, ::16] = 255
    yield "stripes", Image.fromarray(stripes)
    for level in (1, 77, 201):
        plain = np.full((256, 256), level, np.uint8)
        plain[:32, :32] += 3
        yield f"nearly plain {level}", Image.fromarray(plain)


@pytest.mark.parametrize("size", [8, 16])
@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize(
    ("label", "picture"), list(_pictures()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_bits_are_those_of_imagehash(name, size, label, picture):
    ours = hashes.HASHES[name](picture, size)
    reference = REFERENCE[name](picture, hash_size=size)
    assert hashes.to_hex(ours, size) == str(reference)
    np.testing.assert_array_equal(ours, np.packbits(reference.hash.ravel()))


@settings(max_examples=60)
@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
)
def test_bits_are_those_of_imagehash_on_pictures_full_of_ties(width, height, n_levels, seed):
    levels = np.random.default_rng(seed).integers(0, n_levels, (height, width))
    picture = Image.fromarray((levels * 60).astype(np.uint8))
    for name, reference in REFERENCE.items():
        assert hashes.to_hex(hashes.HASHES[name](picture)) == str(reference(picture))


@given(st.binary(min_size=8, max_size=8))
def test_hex_text_is_that_of_imagehash(data):
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).reshape(8, 8).astype(bool)
    text = hashes.to_hex(np.frombuffer(data, np.uint8))
    assert text == str(imagehash.ImageHash(bits))
    np.testing.assert_array_equal(imagehash.hex_to_hash(text).hash, bits)


@given(st.integers(1, 33), st.integers(0, 40), st.integers(1, 5), st.integers(0, 99))
def test_hamming_counts_differing_bits(n_bytes, n_gallery, n_queries, seed):
    rng = np.random.default_rng(seed)
    gallery = rng.integers(0, 256, (n_gallery, n_bytes), np.uint8)
    queries = rng.integers(0, 256, (n_queries, n_bytes), np.uint8)
    expected = np.unpackbits(queries[:, None] ^ gallery[None], axis=2).sum(axis=2)
    np.testing.assert_array_equal(hashes.hamming(queries, gallery), expected)


def test_hamming_over_several_blocks_equals_one(monkeypatch):
    rng = np.random.default_rng(1)
    gallery = rng.integers(0, 256, (1000, 8), np.uint8)
    whole = hashes.hamming(gallery[:3], gallery)
    monkeypatch.setattr(hashes, "_HAMMING_BLOCK_BYTES", 800)
    np.testing.assert_array_equal(hashes.hamming(gallery[:3], gallery), whole)


def test_hamming_of_different_sizes_is_refused():
    with pytest.raises(
        FeatureMismatchError, match="hashes of 64 bits cannot be compared with hashes of 256 bits"
    ):
        hashes.hamming(np.zeros((1, 8), np.uint8), np.zeros((2, 32), np.uint8))
